internal import SQL

/// Statements with their parameters written into them, so that many can be sent at once. PostgreSQL only.
enum InlineSQL {
    /// A value as a constant whose type the server finds, as it does with a parameter. Nothing in the value can end the constant, and no
    /// setting of the session changes what it means.
    static func write(_ value: SQLValue) -> String {
        switch value {
        case .null: "NULL"
        case .text(let text): quoted(text)
        case .integer(let number): quoted(String(number))
        case .bool(let flag): quoted(flag ? "t" : "f")
        case .bytes(let bytes): quoted("\\x" + bytes.hexadecimal)
        }
    }

    /// The text of a statement whose `$1`, `$2` … are replaced, except within constants, quoted names and comments.
    static func inline(_ run: SQLRun) -> String {
        guard !run.parameters.isEmpty else { return run.sql }
        let bytes = Array(run.sql.utf8)
        var output: [UInt8] = []
        var index = 0
        func matches(_ text: StaticString, at place: Int) -> Bool {
            place + text.utf8CodeUnitCount <= bytes.count
                && (0..<text.utf8CodeUnitCount).allSatisfy { bytes[place + $0] == text.utf8Start[$0] }
        }
        func end(of skipped: Range<Int>) {
            output.append(contentsOf: bytes[skipped])
            index = skipped.upperBound
        }
        while index < bytes.count {
            let byte = bytes[index]
            let followsName = index > 0 && isName(bytes[index - 1])
            if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                let escapes = byte == UInt8(ascii: "'") && index > 0 && (bytes[index - 1] | 0x20) == UInt8(ascii: "e")
                end(of: index..<quotedEnd(bytes, from: index, escapes: escapes))
            } else if matches("--", at: index) {
                end(of: index..<(bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count))
            } else if matches("/*", at: index) {
                end(of: index..<commentEnd(bytes, from: index))
            } else if byte == UInt8(ascii: "$"), !followsName {
                var digits = index + 1
                while digits < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[digits]) { digits += 1 }
                if digits > index + 1 {
                    let number = Int(String(decoding: bytes[(index + 1)..<digits], as: UTF8.self)) ?? 0
                    let isKnown = run.parameters.indices.contains(number - 1)
                    output.append(contentsOf: isKnown ? Array(write(run.parameters[number - 1]).utf8) : Array(bytes[index..<digits]))
                    index = digits
                } else if let close = dollarEnd(bytes, from: index) {
                    end(of: index..<close)
                } else {
                    end(of: index..<(index + 1))
                }
            } else {
                end(of: index..<(index + 1))
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func quotedEnd(_ bytes: [UInt8], from start: Int, escapes: Bool) -> Int {
        var index = start + 1
        while index < bytes.count {
            if escapes, bytes[index] == UInt8(ascii: "\\") {
                index += 2
            } else if bytes[index] == bytes[start] {
                // Twice: the quote itself, and the constant goes on.
                guard index + 1 < bytes.count, bytes[index + 1] == bytes[start] else { return index + 1 }
                index += 2
            } else {
                index += 1
            }
        }
        return bytes.count
    }

    private static func commentEnd(_ bytes: [UInt8], from start: Int) -> Int {
        var depth = 0
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == UInt8(ascii: "/"), bytes[index + 1] == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else if bytes[index] == UInt8(ascii: "*"), bytes[index + 1] == UInt8(ascii: "/") {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return bytes.count
    }

    /// Where a constant between two `$tag$` ends; nil if none begins here.
    private static func dollarEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        guard let close = bytes[(start + 1)...].firstIndex(of: UInt8(ascii: "$")), bytes[(start + 1)..<close].allSatisfy(isName) else {
            return nil
        }
        let tag = bytes[start...close]
        var index = close + 1
        while index + tag.count <= bytes.count {
            if bytes[index] == UInt8(ascii: "$"), bytes[index..<(index + tag.count)].elementsEqual(tag) { return index + tag.count }
            index += 1
        }
        return bytes.count
    }

    private static func quoted(_ text: String) -> String {
        var tag = "$b$"
        guard text.utf8.contains(UInt8(ascii: "$")) else { return tag + text + tag }
        var number = 0
        // A text that ends in `$b` would close the tag together with the `$` behind it.
        while text.contains(tag.dropLast()) {
            number += 1
            tag = "$b\(number)$"
        }
        return tag + text + tag
    }
}
