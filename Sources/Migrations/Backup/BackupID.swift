public import Model

/// The name of one backup, restore or scratch database: when it was begun, and something random, so that names sort by time.
public struct BackupID: Sendable, Hashable {
    private static let digits = 8

    /// Seconds since the epoch, in UTC.
    let seconds: Int64
    /// The millisecond in the upper ten bits.
    let random: UInt32

    init(seconds: Int64, random: UInt32) {
        self.seconds = seconds
        self.random = random
    }

    /// A new one. Sorts by the millisecond; two of the same millisecond differ with a probability of all but 1 in 4 million.
    public init(at time: Timestamp) {
        let fraction = UInt32(time.millisecondsSinceEpoch % 1000)
        self.init(seconds: time.millisecondsSinceEpoch / 1000, random: fraction << 22 | .random(in: 0..<(1 << 22)))
    }

    /// When it was begun, to the second.
    public var time: Timestamp { Timestamp(millisecondsSinceEpoch: seconds * 1000) }

    /// As a version 7 UUID, which holds the same facts: for the column of the catalogue table.
    public var uuid: String {
        let milliseconds = String(paddedTo: 12, UInt64(bitPattern: seconds * 1000))
        return "\(milliseconds.prefix(8))-\(milliseconds.dropFirst(8))-7000-8000-0000\(String(paddedTo: Self.digits, UInt64(random)))"
    }

    /// Nil for a UUID that another hand made.
    public init?(uuid: String) {
        let hex = uuid.filter { $0 != "-" }
        guard hex.count == 32, hex.dropFirst(12).prefix(12) == "700080000000", let milliseconds = Int64(hex.prefix(12), radix: 16),
            let random = UInt32(hex.suffix(Self.digits), radix: 16)
        else { return nil }
        self.init(seconds: milliseconds / 1000, random: random)
    }

    /// For the name of a database: lower case, no hyphen, 24 bytes.
    var inDatabaseName: String { description.lowercased().replacing("-", with: "_") }

    init?(inDatabaseName text: String) { self.init(text.uppercasedTime.replacing("_", with: "-")) }
}

extension BackupID: CustomStringConvertible, LosslessStringConvertible {
    /// `20261130T052206Z-3f9a1c2e`.
    public var description: String {
        let time = time.description.filter { $0 != "-" && $0 != ":" }
        return "\(time)-\(String(paddedTo: Self.digits, UInt64(random)))"
    }

    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 16, parts[1].utf8.count == Self.digits, parts[1].utf8.allSatisfy(\.isLowercaseHex),
            let random = UInt32(parts[1], radix: 16)
        else { return nil }
        let time = Array(parts[0])
        let written =
            "\(String(time[0..<4]))-\(String(time[4..<6]))-\(String(time[6..<11])):\(String(time[11..<13])):\(String(time[13...]))"
        guard let read = Timestamp(written) else { return nil }
        self.init(seconds: read.millisecondsSinceEpoch / 1000, random: random)
        guard description == text else { return nil }
    }
}

extension BackupID: Comparable {
    public static func < (left: BackupID, right: BackupID) -> Bool { (left.seconds, left.random) < (right.seconds, right.random) }
}

extension BackupID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = BackupID(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not the id of a backup: \(text.prefix(40))")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension String {
    init(paddedTo width: Int, _ value: UInt64) {
        let digits = String(value, radix: 16)
        // By its full name: a string has a `max` of its own.
        self.init(repeating: "0", count: Swift.max(0, width - digits.count))
        append(digits)
    }

    /// `20261130t052206z_3f9a1c2e` with the letters of the time in upper case.
    fileprivate var uppercasedTime: String { prefix(16).uppercased() + dropFirst(16) }
}

extension UInt8 {
    fileprivate var isLowercaseHex: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self) }
}
