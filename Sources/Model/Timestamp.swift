/// A point in time as a clock told it, to the millisecond, in UTC.
///
/// Two timestamps are only comparable when they come from the same clock: Belay never compares its own with a provider's.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var millisecondsSinceEpoch: Int64

    public init(millisecondsSinceEpoch: Int64) {
        self.millisecondsSinceEpoch = millisecondsSinceEpoch
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.millisecondsSinceEpoch < right.millisecondsSinceEpoch }

    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .milliseconds(left.millisecondsSinceEpoch.subtractingReportingOverflow(right.millisecondsSinceEpoch).partialValue)
    }

    public static func + (left: Timestamp, right: Duration) -> Timestamp {
        let (seconds, attoseconds) = right.components
        let milliseconds = seconds.multipliedReportingOverflow(by: 1000).partialValue.addingReportingOverflow(
            attoseconds / 1_000_000_000_000_000
        )
        .partialValue
        return Timestamp(millisecondsSinceEpoch: left.millisecondsSinceEpoch.addingReportingOverflow(milliseconds).partialValue)
    }
}

extension Timestamp {
    /// The second that it is in: for people, who do not read fractions.
    public var wholeSecond: Timestamp {
        Timestamp(
            millisecondsSinceEpoch: millisecondsSinceEpoch.flooredQuotient(by: 1000).multipliedReportingOverflow(by: 1000).partialValue)
    }
}

extension Timestamp: CustomStringConvertible, LosslessStringConvertible {
    /// RFC 3339 in UTC, for instance `2026-11-23T03:04:05.678Z`; without a fraction on a whole second.
    public var description: String {
        let milliseconds = millisecondsSinceEpoch
        let days = milliseconds.flooredQuotient(by: 86_400_000)
        let ofDay = (milliseconds % 86_400_000 + 86_400_000) % 86_400_000
        let (year, month, day) = Self.civil(fromDays: days)
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let fraction = ofDay % 1000
        return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T" + padded(ofDay / 3_600_000, 2) + ":"
            + padded(ofDay / 60_000 % 60, 2) + ":" + padded(ofDay / 1000 % 60, 2) + (fraction == 0 ? "" : "." + padded(fraction, 3)) + "Z"
    }

    /// Reads RFC 3339 with any number of fraction digits and any offset; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count, bytes[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int64(String(decoding: bytes[range], as: UTF8.self))
        }
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":"), [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(bytes[10]),
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60,
            second <= 60
        else { return nil }
        var position = 19
        var fraction: Int64 = 0
        if bytes[position] == UInt8(ascii: ".") {
            position += 1
            var scale: Int64 = 100
            let start = position
            while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
                fraction += Int64(bytes[position] - 0x30) * scale
                scale /= 10
                position += 1
            }
            guard position > start else { return nil }
        }
        guard position < bytes.count else { return nil }
        var offset: Int64 = 0
        switch bytes[position] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard position + 1 == bytes.count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard position + 6 == bytes.count, bytes[position + 3] == UInt8(ascii: ":"), let hours = number(position + 1..<position + 3),
                let minutes = number(position + 4..<position + 6)
            else { return nil }
            offset = (hours * 60 + minutes) * 60_000 * (bytes[position] == UInt8(ascii: "-") ? -1 : 1)
        default: return nil
        }
        let time = ((hour * 60 + minute) * 60 + second) * 1000 + fraction
        self.init(millisecondsSinceEpoch: Self.days(fromCivil: year, month, day) * 86_400_000 + time - offset)
    }

    // Howard Hinnant's days-from-civil algorithms: https://howardhinnant.github.io/date_algorithms.html
    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted.flooredQuotient(by: 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a time such as 2026-11-23T03:04:05Z")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Int64 {
    fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
