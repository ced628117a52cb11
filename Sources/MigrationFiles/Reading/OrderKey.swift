/// A whole number of any length.
struct Digits: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Without leading zeros; empty for zero.
    private var text: String

    /// Nil unless it is one or more ASCII digits.
    init?(_ text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        self.text = String(text.drop { $0 == "0" })
    }

    var isZero: Bool { text.isEmpty }
    var description: String { text.isEmpty ? "0" : text }

    static func < (left: Digits, right: Digits) -> Bool {
        left.text.utf8.count != right.text.utf8.count
            ? left.text.utf8.count < right.text.utf8.count : left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// The next one.
    var successor: Digits {
        var bytes = Array(text.utf8)
        for index in bytes.indices.reversed() {
            guard bytes[index] == UInt8(ascii: "9") else {
                bytes[index] += 1
                return Digits(String(decoding: bytes, as: UTF8.self)) ?? self
            }
            bytes[index] = UInt8(ascii: "0")
        }
        return Digits("1" + String(decoding: bytes, as: UTF8.self)) ?? self
    }

    func padded(to width: Int) -> String { String(repeating: "0", count: max(0, width - description.count)) + description }
}

/// Where a migration stands: by its number part by part, then by the bytes of its stem. What has no number follows what has one; what is
/// repeatable comes last.
struct OrderKey: Sendable, Hashable, Comparable {
    var isRepeatable: Bool
    /// Nil without a number; `1.0` is `1`.
    var parts: [Digits]?
    var stem: String

    init(stem: String, number: String?, isRepeatable: Bool) {
        self.stem = stem
        self.isRepeatable = isRepeatable
        parts = number.flatMap { Self.parts(of: $0) }
    }

    /// The parts of a dotted number; nil when it is none.
    static func parts(of number: String) -> [Digits]? {
        let parts = number.split(separator: ".", omittingEmptySubsequences: false).map { Digits($0) }
        guard parts.allSatisfy({ $0 != nil }) else { return nil }
        var found = parts.compactMap(\.self)
        while found.count > 1, found.last?.isZero == true { found.removeLast() }
        return found
    }

    static func < (left: OrderKey, right: OrderKey) -> Bool {
        if left.isRepeatable != right.isRepeatable { return right.isRepeatable }
        switch (left.parts, right.parts) {
        case (let first?, let second?) where first != second: return first.lexicographicallyPrecedes(second)
        case (_?, nil): return true
        case (nil, _?): return false
        default: return left.stem.utf8.lexicographicallyPrecedes(right.stem.utf8)
        }
    }
}
