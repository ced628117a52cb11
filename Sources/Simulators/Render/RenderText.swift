/// Text that looks like the vendor's and is the same in every run.
enum RenderText {
    /// So many of `0…9a…z`, as ids and cursors have them.
    static func letters(_ seed: String, _ count: Int) -> String { digits(seed, count, Array("0123456789abcdefghijklmnopqrstuvwxyz")) }

    static func hexadecimal(_ seed: String, _ count: Int) -> String { digits(seed, count, Array("0123456789abcdef")) }

    private static func digits(_ seed: String, _ count: Int, _ alphabet: [Character]) -> String {
        var state: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in seed.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var text = ""
        for _ in 0..<count {
            state = state &+ 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            text.append(alphabet[Int((mixed ^ (mixed >> 31)) % UInt64(alphabet.count))])
        }
        return text
    }
}

/// A moment in microseconds since 1970: the vendor's times are that fine.
struct RenderTime: Sendable, Hashable, Comparable {
    var microseconds: Int64

    init(microseconds: Int64) { self.microseconds = microseconds }

    init(milliseconds: Int64, _ more: Int64 = 0) { microseconds = milliseconds * 1000 + more }

    /// Reads RFC 3339; nil for anything else.
    init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count >= 20, characters.count <= 40 else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            guard characters[range].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
            return Int64(String(decoding: characters[range], as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60, second < 61
        else { return nil }
        guard [4, 7].allSatisfy({ characters[$0] == UInt8(ascii: "-") }), [13, 16].allSatisfy({ characters[$0] == UInt8(ascii: ":") }),
            characters[10] == UInt8(ascii: "T") || characters[10] == UInt8(ascii: "t")
        else { return nil }
        var rest = characters[19...]
        var fraction: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count + 1)
            guard !digits.isEmpty else { return nil }
            for place in 0..<6 { fraction = fraction * 10 + (place < digits.count ? Int64(digits[digits.startIndex + place]) - 0x30 : 0) }
        }
        var offset: Int64 = 0
        switch rest.first {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard rest.count == 1 else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            let start = rest.startIndex
            guard rest.count == 6, characters[start + 3] == UInt8(ascii: ":"), let hours = number(start + 1..<start + 3),
                let minutes = number(start + 4..<start + 6)
            else { return nil }
            offset = (hours * 60 + minutes) * (rest.first == UInt8(ascii: "-") ? -60 : 60)
        default: return nil
        }
        // Days since 1970 in the proleptic Gregorian calendar, counted from the first of March.
        let shifted = month <= 2 ? year - 1 : year
        let ofEra = shifted % 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = shifted / 400 * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
        microseconds = ((days * 24 + hour) * 3600 + minute * 60 + second - offset) * 1_000_000 + fraction
    }

    /// RFC 3339 with microseconds.
    var text: String {
        let fraction = ((microseconds % 1_000_000) + 1_000_000) % 1_000_000
        let digits = String(fraction)
        let whole = SimulatedTime.rfc3339((microseconds - fraction) / 1000).dropLast()
        return "\(whole).\(String(repeating: "0", count: 6 - digits.count))\(digits)Z"
    }

    var milliseconds: Int64 { microseconds / 1000 }

    static func < (left: RenderTime, right: RenderTime) -> Bool { left.microseconds < right.microseconds }
}
