internal import JSONValues

/// The parse trees of a script's statements, one at a time.
struct PostgresTrees {
    private let parsed: ParsedScript

    init(_ parsed: ParsedScript) { self.parsed = parsed }

    /// Of each statement. One that is too long or too deeply nested to be looked into counts as opaque.
    var facts: [StatementFacts] {
        let facts = map { index, tree in
            tree.map { StatementFacts(postgres: $0, text: parsed.statements[index].text) } ?? .unreadable(parsed.statements[index])
        }
        return facts ?? parsed.statements.map(StatementFacts.unreadable)
    }

    /// Calls the function once for each statement, with nil for one that cannot be looked into; nil if the system gives no thread.
    func map<Result>(_ body: (Int, JSON?) -> Result) -> [Result]? {
        LargeStack.run(tokens: parsed.ranges.map(\.count).max() ?? 0) {
            parsed.statements.indices.map { index in withTree(of: index) { body(index, $0) } }
        }
    }

    /// A tree nests at most so far that reading it fits on the stack of ``LargeStack``: 2 KB a level were measured in a debug build.
    private static let depthLimit = 20_000

    private func withTree<Result>(of index: Int, _ body: (JSON?) -> Result) -> Result {
        let range = parsed.ranges[index]
        let text: String
        if range.count <= LargeStack.tokenLimit {
            text = parsed.statements[index].text
        } else if let shorter = shortened(range) {
            text = shorter
        } else {
            return body(nil)
        }
        guard let bytes = try? PostgresLibrary.tree(ScriptBytes(text)),  // Split before: it parses, if memory does not end.
            let json = try? JSON(parsing: bytes, depth: Self.depthLimit)  // Deeper is unreadable, as the caller is told.
        else { return body(nil) }
        return body(json["stmts"]?[0]?["stmt"])
    }

    /// An `INSERT` of very many rows without those that are constants only; nil if nothing of the kind makes it short enough.
    private func shortened(_ range: Range<Int>) -> String? {
        let tokens = parsed.tokens[range]
        guard parsed.script.text(tokens[range.lowerBound].range).uppercased() == "INSERT" else { return nil }
        var kept: [SQLToken] = []
        var row: [SQLToken] = []
        var depth = 0
        var hasKeptRow = false
        for token in tokens {
            let text = token.kind == .symbol ? parsed.script.text(token.range) : ""
            if depth == 0, text != "(" {
                kept.append(token)
                if text != "," { hasKeptRow = false }
                continue
            }
            row.append(token)
            if text == "(" { depth += 1 }
            if text == ")" { depth -= 1 }
            guard depth == 0 else { continue }
            let follows = kept.last.map { parsed.script.text($0.range) } == ","
            if follows, hasKeptRow, row.allSatisfy(isConstant) {
                kept.removeLast()
            } else {
                kept += row
                hasKeptRow = true
            }
            row = []
        }
        kept += row
        guard kept.count <= LargeStack.tokenLimit else { return nil }
        return kept.map { parsed.script.text($0.range) }.joined(separator: " ")
    }

    private func isConstant(_ token: SQLToken) -> Bool {
        switch token.kind {
        case .string, .number: true
        case .symbol: ["(", ")", ",", "-", "+"].contains(parsed.script.text(token.range))
        case .word: ["NULL", "TRUE", "FALSE", "DEFAULT"].contains(parsed.script.text(token.range).uppercased())
        default: false
        }
    }
}

extension StatementFacts {
    fileprivate static func unreadable(_ statement: Statement) -> StatementFacts {
        StatementFacts(
            risk: .rowsAtRisk, phase: .backfill, losses: [Loss(.opaque, "")], summary: TreeReading.oneLine(statement.text),
            cautions: ["too long or too deeply nested to be looked into"])
    }
}
