/// What the scanner of libpg_query answers: a protocol buffer `ScanResult` with one `ScanToken` a token. Only what is needed is read.
struct ScanMessage {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private struct ScanToken {
        var start = 0
        var end = 0
        var token = 0
        var keywordKind = 0
    }

    func tokens(of script: ScriptBytes) -> [SQLToken] {
        var reader = self
        var result: [SQLToken] = []
        while reader.position < bytes.count {
            let key = reader.varint()
            guard key == 2 << 3 | 2 else {
                reader.skip(key)
                continue
            }
            let end = min(bytes.count, reader.varint() + reader.position)
            let scanned = reader.scanToken(until: end)
            guard let kind = Self.kind(of: scanned, in: script) else { continue }
            // The scanner looks behind these for UESCAPE, and then tells a wrong end.
            let isEscaped = scanned.token == 259 || scanned.token == 262
            let tokenEnd = isEscaped ? script.endOfEscaped(at: scanned.start) : min(scanned.end, script.count)
            result.append(SQLToken(kind: kind, range: scanned.start..<max(scanned.start, tokenEnd)))
        }
        return result
    }

    private mutating func scanToken(until end: Int) -> ScanToken {
        var result = ScanToken()
        while position < end {
            let key = varint()
            switch key {
            case 1 << 3: result.start = varint()
            case 2 << 3: result.end = varint()
            case 4 << 3: result.token = varint()
            case 5 << 3: result.keywordKind = varint()
            default: skip(key)
            }
        }
        return result
    }

    private mutating func varint() -> Int {
        var (value, shift) = (UInt64(0), UInt64(0))
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { break }
            shift += 7
        }
        return Int(truncatingIfNeeded: value)
    }

    private mutating func skip(_ key: Int) {
        switch key & 7 {
        case 0: _ = varint()
        case 1: position += 8
        case 2: position += max(0, varint())
        default: position += 4
        }
        position = min(position, bytes.count)
    }

    /// The numbers are those of `enum Token` in pg_query.proto. Nil for a comment.
    private static func kind(of scanned: ScanToken, in script: ScriptBytes) -> SQLToken.Kind? {
        if scanned.keywordKind != 0 { return .word }
        switch scanned.token {
        case 275, 276: return nil
        case 258: return script.bytes[scanned.start] == UInt8(ascii: "\"") ? .quotedName : .word
        case 259: return .quotedName
        case 260, 266: return .number
        case 261...264: return .string
        case 267: return .parameter
        case Int(UInt8(ascii: ";")): return .semicolon
        default: return .symbol
        }
    }
}

extension ScriptBytes {
    /// The end of `U&'…'` or `U&"…"`. A string goes on behind a line's end.
    fileprivate func endOfEscaped(at start: Int) -> Int {
        var index = start + 2
        guard index < count else { return count }
        let quote = bytes[index]
        while true {
            index += 1
            while index < count, bytes[index] != quote || bytes[index + 1] == quote { index += bytes[index] == quote ? 2 : 1 }
            let end = min(index + 1, count)
            index = end
            var hasLineEnd = false
            while index < count, (0x09...0x0D).contains(bytes[index]) || bytes[index] == 0x20 {
                if bytes[index] == 0x0A || bytes[index] == 0x0D { hasLineEnd = true }
                index += 1
            }
            guard hasLineEnd, quote == UInt8(ascii: "'"), index < count, bytes[index] == quote else { return end }
        }
    }
}
