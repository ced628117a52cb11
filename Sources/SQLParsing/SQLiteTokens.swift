/// The tokens of a script in SQLite's dialect, as its tokenizer cuts them: comments do not nest, and names may stand in `"…"`, `[…]` and
/// backquotes.
struct SQLiteTokens {
    private let script: ScriptBytes
    private var index: Int

    init(_ script: ScriptBytes) {
        self.script = script
        index = script.start
    }

    private var byte: UInt8 { script.bytes[index] }
    /// The NUL at the end makes looking one byte ahead safe.
    private var next: UInt8 { script.bytes[min(index + 1, script.count)] }

    /// Fails at a string or a quoted name without an end.
    func tokens() throws(ParseError) -> [SQLToken] {
        var reader = self
        var result: [SQLToken] = []
        while reader.index < script.count {
            let start = reader.index
            guard let kind = try reader.token() else { continue }
            result.append(SQLToken(kind: kind, range: start..<reader.index))
        }
        return result
    }

    /// Nil for a blank or a comment.
    private mutating func token() throws(ParseError) -> SQLToken.Kind? {
        switch byte {
        case 0x09...0x0D, 0x20:
            index += 1
            return nil
        case 0xEF where next == 0xBB && index + 2 < script.count && script.bytes[index + 2] == 0xBF:
            // A byte order mark is a blank wherever it stands.
            index += 3
            return nil
        case UInt8(ascii: "-") where next == UInt8(ascii: "-"):
            skip { $0 != 0x0A }
            return nil
        case UInt8(ascii: "/") where next == UInt8(ascii: "*"):
            index += 2
            // A comment may end with the script.
            while index < script.count, !(byte == UInt8(ascii: "*") && next == UInt8(ascii: "/")) { index += 1 }
            index = min(index + 2, script.count)
            return nil
        case UInt8(ascii: "'"):
            try quoted(until: byte)
            return .string
        case UInt8(ascii: "\""), UInt8(ascii: "`"):
            try quoted(until: byte)
            return .quotedName
        case UInt8(ascii: "["):
            try quoted(until: UInt8(ascii: "]"))
            return .quotedName
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            guard next == UInt8(ascii: "'") else { return word() }
            index += 1
            try quoted(until: byte)
            return .string
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            number()
            return .number
        case UInt8(ascii: ".") where (0x30...0x39).contains(next):
            number()
            return .number
        case UInt8(ascii: ";"):
            index += 1
            return .semicolon
        case UInt8(ascii: "?"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "$"):
            index += 1
            skip(while: Self.isInWord)
            return .parameter
        case let byte where Self.isInWord(byte):
            return word()
        default:
            symbol()
            return .symbol
        }
    }

    private static func isInWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x24, 0x80...: true
        default: false
        }
    }

    private mutating func skip(while condition: (UInt8) -> Bool) {
        while index < script.count, condition(byte) { index += 1 }
    }

    private mutating func word() -> SQLToken.Kind {
        skip(while: Self.isInWord)
        return .word
    }

    /// The quote is written twice where it belongs to the text; not so the bracket.
    private mutating func quoted(until end: UInt8) throws(ParseError) {
        let start = index
        index += 1
        while index < script.count {
            defer { index += 1 }
            guard byte == end else { continue }
            if end != UInt8(ascii: "]"), next == end {
                index += 1
                continue
            }
            return
        }
        index = script.count
        throw script.error("a quote without an end", at: start)
    }

    private mutating func number() {
        while index < script.count {
            let isExponent = byte | 0x20 == UInt8(ascii: "e") && (next == UInt8(ascii: "+") || next == UInt8(ascii: "-"))
            guard Self.isInWord(byte) || byte == UInt8(ascii: ".") else { return }
            index += isExponent ? 2 : 1
        }
    }

    private mutating func symbol() {
        let isPair =
            switch (byte, next) {
            case (UInt8(ascii: "|"), UInt8(ascii: "|")), (UInt8(ascii: "<"), UInt8(ascii: "=")), (UInt8(ascii: ">"), UInt8(ascii: "=")),
                (UInt8(ascii: "<"), UInt8(ascii: ">")), (UInt8(ascii: "!"), UInt8(ascii: "=")), (UInt8(ascii: "="), UInt8(ascii: "=")),
                (UInt8(ascii: "<"), UInt8(ascii: "<")), (UInt8(ascii: ">"), UInt8(ascii: ">")), (UInt8(ascii: "-"), UInt8(ascii: ">")):
                true
            default: false
            }
        index += isPair ? 2 : 1
        index = min(index, script.count)
    }
}
