import SQL

/// Mistakes in statements of SQLite, found by its own parser.
struct SQLiteGrammar {
    private let syntax: SQLiteSyntax

    /// Nil where SQLite has no memory for it: then nothing is found.
    init?() {
        guard let syntax = SQLiteSyntax() else { return nil }
        self.syntax = syntax
    }

    /// What SQLite cannot read, and where in the script, in bytes; nil when it can read everything.
    func mistake(in statement: StatementTokens) -> (message: String, offset: Int)? {
        guard let first = statement.tokens.first, let last = statement.tokens.last else { return nil }
        return syntax.mistake(
            in: first.range.lowerBound..<last.range.upperBound, of: statement.script.bytes, with: Self.table(of: statement))
    }

    /// Of `ALTER TABLE` and `CREATE TRIGGER`.
    private static func table(of statement: StatementTokens) -> String? {
        var reader = SQLiteReading(statement)
        if statement.begins(with: "ALTER", "TABLE") {
            reader.next(count: 2)
        } else if statement[0] == "CREATE", [statement[1], statement[2]].contains("TRIGGER") {
            while !reader.isAtEnd, !["ON", "BEGIN"].contains(reader.word) { reader.next() }
            guard reader.take("ON") else { return nil }
        } else {
            return nil
        }
        var name = reader.bareName()
        if reader.take(".") { name = reader.bareName() }
        return reader.isAtEnd || name.isEmpty ? nil : name
    }
}
