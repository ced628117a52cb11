/// A script, split: every statement with its tokens.
struct ParsedScript {
    let script: ScriptBytes
    let tokens: [SQLToken]
    let statements: [Statement]
    /// Of each statement, as indices of ``tokens``; without the semicolon.
    let ranges: [Range<Int>]

    /// - Parameter ranges: as indices of `tokens`, ascending, none empty.
    init(script: ScriptBytes, tokens: [SQLToken], ranges: [Range<Int>]) {
        var places = PlaceCounter(script)
        self.script = script
        self.tokens = tokens
        self.ranges = ranges
        statements = ranges.map { range in
            let bytes = tokens[range.lowerBound].range.lowerBound..<tokens[range.upperBound - 1].range.upperBound
            let place = places.place(at: bytes.lowerBound)
            return Statement(text: script.text(bytes), offset: bytes.lowerBound, line: place.line, column: place.column)
        }
    }

    func tokens(of index: Int) -> StatementTokens { StatementTokens(script: script, tokens: tokens[ranges[index]]) }
}
