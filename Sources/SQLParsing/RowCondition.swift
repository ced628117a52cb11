/// Which rows a `DELETE` or `UPDATE` takes, where that can be asked as it stands: of one table, and by comparing its columns alone.
struct RowCondition {
    /// As it is written behind the table in a query: ` AS o WHERE o.id < 7`.
    let text: String

    /// Nil for everything else.
    init?(_ statement: StatementTokens) {
        guard statement.begins(with: "DELETE", "FROM") || statement[0] == "UPDATE" else { return nil }
        let isUpdate = statement[0] == "UPDATE"
        var depth = 0
        var start: Int?
        var end = statement.count
        for index in 0..<statement.count {
            switch statement[index] {
            case "(":
                // A list of values has words before it that are no function's name.
                if start != nil, index > 0, statement.isName(index - 1), !Self.words.contains(statement[index - 1]) { return nil }
                depth += 1
            case ")": depth -= 1
            case "SELECT", "CURRENT", "WITH": return nil
            case "FROM" where index > 1 && depth == 0 && start == nil, "USING" where depth == 0 && start == nil: return nil
            case "WHERE" where depth == 0 && start == nil: start = index
            case "RETURNING" where depth == 0: end = min(end, index)
            case "ORDER" where depth == 0, "LIMIT" where depth == 0: return nil
            default: if statement.isParameter(index) { return nil }
            }
        }
        guard let start, start + 1 < end else { return nil }
        let alias = Self.alias(statement, from: isUpdate ? 1 : 2, until: isUpdate ? "SET" : "WHERE")
        guard let alias else { return nil }
        text = (alias.isEmpty ? "" : " AS \(alias)") + " " + statement.text(start..<end)
    }

    private static let words: Set<String> = [
        "AND", "OR", "NOT", "IN", "WHERE", "BETWEEN", "LIKE", "ILIKE", "IS", "THEN", "ELSE", "WHEN", "CASE",
    ]

    /// What the table is called in the condition; empty where it has no other name, nil where something else is written there.
    private static func alias(_ statement: StatementTokens, from first: Int, until end: String) -> String? {
        var index = first
        if statement[index] == "ONLY" { return nil }
        guard statement.isName(index) else { return nil }
        index += 1
        while statement[index] == ".", statement.isName(index + 1) { index += 2 }
        if statement[index] == "*" { index += 1 }
        if statement[index] == end { return "" }
        if statement[index] == "AS" { index += 1 }
        guard statement.isName(index), statement[index + 1] == end else { return nil }
        return statement.text(index..<(index + 1))
    }
}

extension StatementTokens {
    fileprivate func isName(_ index: Int) -> Bool {
        guard index < tokens.count else { return false }
        return [.word, .quotedName].contains(tokens[tokens.startIndex + index].kind)
    }

    fileprivate func isParameter(_ index: Int) -> Bool { tokens[tokens.startIndex + index].kind == .parameter }

    /// As it is written.
    fileprivate func text(_ range: Range<Int>) -> String {
        let (first, last) = (tokens[tokens.startIndex + range.lowerBound], tokens[tokens.startIndex + range.upperBound - 1])
        return script.text(first.range.lowerBound..<last.range.upperBound)
    }
}
