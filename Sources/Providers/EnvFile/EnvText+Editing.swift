extension EnvText {
    /// How the value is written; nil when there is no way that every reader of the dialect understands alike.
    static func written(_ value: String) -> String? {
        if value.utf8.allSatisfy(\.isPlain) { return value }
        // Of several lines, more readers understand double quotes.
        let quotes: [UInt8] = value.utf8.contains(.lineFeed) ? [.doubleQuote, .singleQuote] : [.singleQuote, .doubleQuote]
        return quotes.first { value.isPortable(in: $0) }.map { quote in
            let mark = String(UnicodeScalar(quote))
            return mark + value + mark
        }
    }

    /// The text with these values and without those keys; every other byte is the same. New keys come last, sorted.
    ///
    /// - Parameter values: as ``written(_:)`` writes them.
    func edited(setting values: [String: String], removing keys: Set<String>) -> [UInt8] {
        var text = bytes
        var open = values
        for assignment in assignments.reversed() {
            if keys.contains(assignment.key) {
                text.removeSubrange(assignment.lines)
            } else if let value = open.removeValue(forKey: assignment.key) {
                // Earlier ones of the same key do not count, and are left.
                let isFollowed = assignment.body.upperBound < bytes.count && bytes[assignment.body.upperBound] == UInt8(ascii: "#")
                text.replaceSubrange(assignment.body, with: bytes(of: "=" + value + (isFollowed ? " " : "")))
            }
        }
        if !open.isEmpty, let last = text.last, last != .lineFeed { text += newline }
        for (key, value) in open.sorted(by: { $0.key < $1.key }) { text += bytes(of: "\(key)=\(value)") + newline }
        return text
    }

    /// The lines of a value end as those of the file do.
    private func bytes(of text: String) -> [UInt8] {
        newline.count == 1 ? Array(text.utf8) : Array(text.replacing("\n", with: "\r\n").utf8)
    }
}
