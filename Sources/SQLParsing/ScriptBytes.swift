/// The bytes of a script, with a NUL behind them for the C library. A byte order mark has become blanks, so that offsets stay as they are.
struct ScriptBytes {
    let bytes: [UInt8]
    /// Where the text begins: 3 behind a byte order mark.
    let start: Int
    /// Without the NUL at the end.
    let count: Int

    init(_ text: String) {
        var bytes = Array(text.utf8)
        count = bytes.count
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            for index in 0..<3 { bytes[index] = 0x20 }
            start = 3
        } else {
            start = 0
        }
        bytes.append(0)
        self.bytes = bytes
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Fails at the first NUL byte: C libraries would take it for the end and silently leave out what comes behind it.
    func refuseNUL() throws(ParseError) {
        guard let index = bytes.firstIndex(of: 0), index < count else { return }
        throw error("a NUL byte; no database accepts it", at: index)
    }

    func error(_ message: String, at offset: Int) -> ParseError {
        var places = PlaceCounter(self)
        let place = places.place(at: offset)
        return ParseError(message, line: place.line, column: place.column)
    }

    /// The byte at which the given character begins, counted from 1 in Unicode scalars.
    func offset(ofCharacter position: Int) -> Int {
        var (left, index) = (position - 1, 0)
        while index < count {
            if bytes[index] & 0xC0 != 0x80 {
                if left == 0 { return index }
                left -= 1
            }
            index += 1
        }
        return count
    }
}

/// Lines and columns of places that are asked for in ascending order: one walk over the script for all of them.
struct PlaceCounter {
    private let script: ScriptBytes
    private var index: Int
    private var line = 1
    private var column = 1

    init(_ script: ScriptBytes) {
        self.script = script
        index = script.start
    }

    /// Both counted from 1; columns in Unicode scalars, as PostgreSQL counts. A carriage return and a line feed are one line's end.
    mutating func place(at offset: Int) -> (line: Int, column: Int) {
        let bytes = script.bytes
        while index < min(offset, script.count) {
            let byte = bytes[index]
            if byte == 0x0A || (byte == 0x0D && bytes[index + 1] != 0x0A) {
                (line, column) = (line + 1, 1)
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
            index += 1
        }
        return (line, column)
    }
}
