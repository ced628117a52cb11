import SQLParsing
import Testing

@Suite struct SplittingTests {
    @Test(arguments: [
        ("", []), ("-- nothing\n/* at /* all */ */ ;;", []),
        ("SELECT ';'; SELECT $x$ ; $x$", ["SELECT ';'", "SELECT $x$ ; $x$"]),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
            [
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", "SELECT 3",
            ]
        ),
        (
            "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); SELECT 'é'",
            [
                "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)", "SELECT 'é'",
            ]
        ),
        ("SELECT E'\\';' /* ; */ ; SELECT 1", ["SELECT E'\\';' /* ; */", "SELECT 1"]),
    ]) func statementsEndWherePostgreSQLSaysSo(_ script: String, _ expected: [String]) throws {
        let statements = try SQLScript.statements(script, dialect: .postgres)
        #expect(statements.map(\.text) == expected)
        let again = try SQLScript.statements(statements.map(\.text).joined(separator: ";\n"), dialect: .postgres)
        #expect(again.map(\.text) == expected)
    }

    @Test func placesAreThoseOfTheScript() throws {
        let statements = try SQLScript.statements("SELECT 'ü';\n\n  -- c\n  SELECT 2", dialect: .postgres)
        #expect(statements.map(\.line) == [1, 4])
        #expect(statements.map(\.column) == [1, 3])
        let error = #expect(throws: ParseError.self) { try SQLScript.statements("SELECT 'ü';\n  SELCT 2", dialect: .postgres) }
        #expect(error == ParseError("syntax error at or near \"SELCT\"", line: 2, column: 3))
    }

    @Test func commandsOfPsqlAreToldAsWhatTheyAre() throws {
        let error = #expect(throws: ParseError.self) { try SQLScript.statements("SELECT 1;\n\\restrict abc\n", dialect: .postgres) }
        #expect(error?.line == 2)
        #expect(error?.message.contains("pg_dump writes it") == true)
        #expect(try SQLScript.statements("SELECT '\n\\i x\n'", dialect: .postgres).count == 1)
    }

    @Test func theOuterTransactionIsTakenOutAndLinesStay() throws {
        let (script, control) = try SQLScript.removingOuterTransaction("BEGIN;\nCREATE TABLE t (id int);\nCOMMIT;\n", dialect: .postgres)
        #expect(script == "      \nCREATE TABLE t (id int);\n       \n")
        #expect(control.isEmpty)
        let inner = try SQLScript.removingOuterTransaction("CREATE TABLE t (id int); COMMIT; SELECT 1", dialect: .postgres)
        #expect(inner.control.map(\.text) == ["COMMIT"])
        let sqlite = try SQLScript.removingOuterTransaction("BEGIN TRANSACTION; SELECT 1; END", dialect: .sqlite)
        #expect(sqlite.control.isEmpty)
        #expect(try SQLScript.statements(sqlite.script, dialect: .sqlite).map(\.text) == ["SELECT 1"])
    }

    @Test func nothingCrashes() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "SELECT ", "'", "\"", "$$", "$a$", ";", "(", ")", "--", "/*", "*/", "\\", "\n", "é", "\0", "BEGIN", "COMMIT", " t ", "1", ",",
        ]
        for _ in 0..<2000 {
            let script = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            for dialect in SQLDialect.allCases { _ = try? ScriptFacts(script, dialect: dialect) }
        }
        let deep = "SELECT " + String(repeating: "(", count: 100_000) + "1" + String(repeating: ")", count: 100_000)
        #expect(throws: ParseError.self) { try SQLScript.statements(deep, dialect: .postgres) }
    }
}
