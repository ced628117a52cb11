extension SQLScript {
    /// The statements that undo a script, in the order in which they run; nil as soon as the way back of one statement is not certain.
    ///
    /// Certain is the way back of what makes something new, adds it to a table, or renames it. Not certain is what may have done nothing
    /// (`IF NOT EXISTS`) or has replaced something (`OR REPLACE`), whatever changes or removes rows, and `ADD VALUE`. The way back loses
    /// what was written into the new objects; `SET NOT NULL` is taken to have changed something. Nothing here has been tried: a drill has to.
    public static func inverse(of script: String, dialect: SQLDialect) throws(ParseError) -> [String]? {
        let parsed = try parsed(script, dialect: dialect)
        let steps: [[String]?]
        switch dialect {
        case .postgres:
            guard let found = PostgresTrees(parsed).map({ $1.flatMap { PostgresInverse($0).statements } }) else { return nil }
            steps = found
        case .sqlite: steps = parsed.statements.indices.map { parsed.tokens(of: $0).sqliteInverse.map { [$0] } }
        }
        var result: [String] = []
        for step in steps.reversed() {
            guard let step else { return nil }
            result += step
        }
        return result
    }
}

extension StatementTokens {
    /// Names stay as they are written, quotes included.
    fileprivate var sqliteInverse: String? {
        switch self[0] {
        case "CREATE": inverseOfCreate
        case "ALTER" where self[1] == "TABLE": inverseOfAlter
        default: nil
        }
    }

    private var inverseOfCreate: String? {
        var index = 1
        if ["TEMP", "TEMPORARY", "UNIQUE", "VIRTUAL"].contains(self[index]) { index += 1 }
        let kind = self[index]
        guard ["TABLE", "INDEX", "VIEW", "TRIGGER"].contains(kind), self[index + 1] != "IF" else { return nil }
        return "DROP \(kind) \(name(at: index + 1).text)"
    }

    private var inverseOfAlter: String? {
        let (table, next) = name(at: 2)
        switch self[next] {
        case "RENAME" where self[next + 1] == "TO" && count == next + 3:
            // The schema does not stand in the new name.
            let schema = next == 5 ? raw(2) + "." : ""
            return "ALTER TABLE \(schema)\(raw(next + 2)) RENAME TO \(raw(next - 1))"
        case "RENAME":
            let column = self[next + 1] == "COLUMN" ? next + 2 : next + 1
            guard self[column + 1] == "TO", count == column + 3 else { return nil }
            return "ALTER TABLE \(table) RENAME COLUMN \(raw(column + 2)) TO \(raw(column))"
        case "ADD":
            // SQLite does not drop a column that a foreign key uses.
            guard !(next..<count).contains(where: { self[$0] == "REFERENCES" }) else { return nil }
            return "ALTER TABLE \(table) DROP COLUMN \(raw(self[next + 1] == "COLUMN" ? next + 2 : next + 1))"
        default: return nil
        }
    }

    /// A token as it is written.
    private func raw(_ index: Int) -> String { index < count ? script.text(tokens[tokens.startIndex + index].range) : "" }

    private func name(at index: Int) -> (text: String, next: Int) {
        self[index + 1] == "." ? (raw(index) + "." + raw(index + 2), index + 3) : (raw(index), index + 1)
    }
}
