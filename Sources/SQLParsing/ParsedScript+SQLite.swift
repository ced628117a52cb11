extension ParsedScript {
    /// As `sqlite3_complete` sees it: a statement ends at a semicolon, one that creates a trigger at `; END;`.
    ///
    /// Fails at what SQLite calls a syntax error.
    init(sqlite script: ScriptBytes) throws(ParseError) {
        try script.refuseNUL()
        let tokens = try SQLiteTokens(script).tokens()
        var ranges: [Range<Int>] = []
        var first = 0
        while first < tokens.count {
            if tokens[first].kind == .semicolon {
                first += 1
                continue
            }
            let statement = StatementTokens(script: script, tokens: tokens[first...])
            if script.isCommandOfClient(tokens[first]) {
                throw script.error(
                    ".\(statement[1].lowercased()) is a command of the sqlite3 program and cannot be run here; write it as SQL",
                    at: tokens[first].range.lowerBound)
            }
            let isTrigger =
                statement.begins(with: "CREATE", "TRIGGER")
                || (statement[0] == "CREATE" && ["TEMP", "TEMPORARY"].contains(statement[1]) && statement[2] == "TRIGGER")
            var end = first
            while end < tokens.count, tokens[end].kind != .semicolon || (isTrigger && !script.endsTrigger(tokens[first..<end])) { end += 1 }
            ranges.append(first..<end)
            first = end + 1
        }
        self.init(script: script, tokens: tokens, ranges: ranges)
        guard !statements.isEmpty, let grammar = SQLiteGrammar() else { return }
        for index in statements.indices {
            guard let mistake = grammar.mistake(in: self.tokens(of: index)) else { continue }
            throw script.error(mistake.message, at: mistake.offset)
        }
    }
}

extension ScriptBytes {
    /// A dot at the very beginning of a line, as the program reads it.
    fileprivate func isCommandOfClient(_ token: SQLToken) -> Bool {
        let offset = token.range.lowerBound
        return bytes[offset] == UInt8(ascii: ".") && token.kind == .symbol && (offset == start || bytes[offset - 1] == 0x0A)
    }

    fileprivate func endsTrigger(_ tokens: ArraySlice<SQLToken>) -> Bool {
        guard tokens.count > 1, let last = tokens.last, last.kind == .word, last.range.count == 3 else { return false }
        return tokens[tokens.endIndex - 2].kind == .semicolon && text(last.range).uppercased() == "END"
    }
}
