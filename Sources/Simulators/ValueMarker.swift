/// Stands for a value that a world may not show.
enum ValueMarker {
    /// Ten characters that are equal for equal values. 32 bits are far too few to tell the value, and enough to tell that it changed.
    static func of(_ value: some Sequence<UInt8>) -> String {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in value { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        let digits = String(UInt32(truncatingIfNeeded: hash ^ (hash >> 32)), radix: 16)
        return "~" + String(repeating: "0", count: 8 - digits.count) + digits + "~"
    }

    static func of(_ value: String) -> String { of(value.utf8) }
}
