/// What remains of a script without blanks and comments.
struct SignificantSQL {
    /// Blanks, comments and lone semicolons only.
    var isEmpty = true
    var endsWithSemicolon = false

    init(_ script: String) {
        let bytes = Array(script.utf8)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte <= 0x20 {
                index += 1
            } else if byte == UInt8(ascii: "-"), index + 1 < bytes.count, bytes[index + 1] == byte {
                while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
            } else if byte == UInt8(ascii: "/"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "*") {
                index = Self.commentEnd(bytes, index)
            } else {
                if byte != UInt8(ascii: ";") { isEmpty = false }
                endsWithSemicolon = byte == UInt8(ascii: ";")
                index = Self.tokenEnd(bytes, index)
            }
        }
    }

    private static func commentEnd(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start + 2
        var depth = 1
        while index < bytes.count {
            let pair = (bytes[index], index + 1 < bytes.count ? bytes[index + 1] : 0)
            if pair == (0x2F, 0x2A) {
                depth += 1
                index += 2
            } else if pair == (0x2A, 0x2F) {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return bytes.count
    }

    /// Behind a text in quotes or dollars, in which what looks like a comment is none; else behind one byte.
    private static func tokenEnd(_ bytes: [UInt8], _ start: Int) -> Int {
        let byte = bytes[start]
        if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
            return bytes[(start + 1)...].firstIndex(of: byte).map { $0 + 1 } ?? bytes.count
        }
        guard byte == UInt8(ascii: "$"), let close = bytes[(start + 1)...].firstIndex(of: byte) else { return start + 1 }
        let tag = bytes[start...close]
        let isTag = tag.dropFirst().dropLast().allSatisfy {
            $0 == 0x5F || $0 >= 0x80 || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || isDigit($0)
        }
        guard isTag, !isDigit(bytes[start + 1]) else { return start + 1 }
        var index = close + 1
        while index < bytes.count {
            if bytes[index] == byte, bytes[index...].starts(with: tag) { return index + tag.count }
            index += 1
        }
        return bytes.count
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
