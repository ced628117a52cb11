import SQLParsing
import Testing

@Suite struct SplittingTests {
    static let postgres: [(script: String, expected: [String])] = [
        ("", []), ("  \r\n\t", []), (";", []), (";;\n; ;", []), ("-- nothing\n/* at /* all */ */ ;;", []), ("\u{FEFF}-- mark\n", []),
        ("SELECT 1", ["SELECT 1"]), ("SELECT 1;", ["SELECT 1"]), ("\u{FEFF}SELECT 1;", ["SELECT 1"]),
        (";SELECT 1;; SELECT 2;", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';'; SELECT $x$ ; $x$", ["SELECT ';'", "SELECT $x$ ; $x$"]),
        ("SELECT $a$ $b$ ; $b$ $a$; SELECT $$;$$", ["SELECT $a$ $b$ ; $b$ $a$", "SELECT $$;$$"]),
        ("SELECT E'\\';' /* ; */ ; SELECT 1", ["SELECT E'\\';'", "SELECT 1"]), ("SELECT '\\'; SELECT 'b'", ["SELECT '\\'", "SELECT 'b'"]),
        ("SELECT 'it''s;'; SELECT \"a;\"\"b\"", ["SELECT 'it''s;'", "SELECT \"a;\"\"b\""]),
        ("SELECT U&'d\\0061;' ; SELECT U&\"d\\0061;\"", ["SELECT U&'d\\0061;'", "SELECT U&\"d\\0061;\""]),
        ("SELECT 'a'\n  ';b'; SELECT B'1', X'f'", ["SELECT 'a'\n  ';b'", "SELECT B'1', X'f'"]),
        ("SELECT 1 -- a; b\n; -- c\nSELECT /* x */ 2 /* y */;", ["SELECT 1", "SELECT /* x */ 2"]),
        ("/* a /* b; */ c; */ SELECT 1", ["SELECT 1"]), ("SELECT 'é'; SELECT '😀;'; SELECT 3", ["SELECT 'é'", "SELECT '😀;'", "SELECT 3"]),
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$; SELECT 1;",
            ["CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$", "SELECT 1"]
        ),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3",
            ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END", "SELECT 3"]
        ),
        (
            "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); SELECT 'é'",
            ["CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)", "SELECT 'é'"]
        ),
        ("BEGIN; SELECT 1; END", ["BEGIN", "SELECT 1", "END"]),
        ("COPY t FROM '/x'; COPY t TO STDOUT", ["COPY t FROM '/x'", "COPY t TO STDOUT"]),
        ("SELECT '\n\\i x\n'", ["SELECT '\n\\i x\n'"]), ("SELECT stdin FROM stdin; SELECT 2", ["SELECT stdin FROM stdin", "SELECT 2"]),
    ]

    static let sqlite: [(script: String, expected: [String])] = [
        ("", []), ("-- x\n /* y; */ ;;", []), ("/* without an end", []), ("SELECT 1;SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';', \";\", [;], `;`; SELECT 'it''s'", ["SELECT ';', \";\", [;], `;`", "SELECT 'it''s'"]),
        ("SELECT '\\'; SELECT x'00'", ["SELECT '\\'", "SELECT x'00'"]),
        ("SELECT /* /* */ 1; -- */\nSELECT 2", ["SELECT /* /* */ 1", "SELECT 2"]),
        (
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE u SET a = CASE WHEN 1 THEN 2 END; DELETE FROM v; END; SELECT 1",
            ["CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE u SET a = CASE WHEN 1 THEN 2 END; DELETE FROM v; END", "SELECT 1"]
        ),
        (
            "create temp trigger g after insert on t begin select 1; end ; SELECT 2",
            ["create temp trigger g after insert on t begin select 1; end", "SELECT 2"]
        ),
        ("BEGIN; SELECT 1; END; SELECT 2", ["BEGIN", "SELECT 1", "END", "SELECT 2"]), ("\u{FEFF}SELECT 'é';", ["SELECT 'é'"]),
        ("SELECT 1e-3, .5, 0x1F, a->>'b' || ?1", ["SELECT 1e-3, .5, 0x1F, a->>'b' || ?1"]),
    ]

    @Test(arguments: postgres) func statementsEndWherePostgreSQLSaysSo(_ script: String, _ expected: [String]) throws {
        try check(script, expected, .postgres)
    }

    @Test(arguments: sqlite) func statementsEndWhereSQLiteSaysSo(_ script: String, _ expected: [String]) throws {
        try check(script, expected, .sqlite)
    }

    private func check(_ script: String, _ expected: [String], _ dialect: SQLDialect) throws {
        let statements = try SQLScript.statements(script, dialect: dialect)
        #expect(statements.map(\.text) == expected)
        for statement in statements { #expect(Array(script.utf8)[statement.offset...].starts(with: statement.text.utf8)) }
        let again = try SQLScript.statements(statements.map(\.text).joined(separator: ";\n"), dialect: dialect)
        #expect(again.map(\.text) == expected)
    }

    // MARK: Places

    @Test(arguments: SQLDialect.allCases) func placesAreThoseOfTheScript(_ dialect: SQLDialect) throws {
        let statements = try SQLScript.statements("\u{FEFF}SELECT 'ü'; SELECT 1;\r\n\n  -- c\n  SELECT 2", dialect: dialect)
        #expect(statements.map(\.line) == [1, 1, 4])
        #expect(statements.map(\.column) == [1, 13, 3])
        #expect(statements.map(\.offset) == [3, 16, 37])
    }

    static let errors: [(script: String, message: String, line: Int, column: Int)] = [
        ("SELECT 'ü';\n  SELCT 2", "syntax error at or near \"SELCT\"", 2, 3),
        ("SELECT '😀éü' FROM FROM t", "syntax error at or near \"FROM\"", 1, 19),
        ("SELECT (1", "syntax error at end of input", 1, 10),
        ("SELECT 1;\nSELECT 'abc", "unterminated quoted string at or near \"'abc\"", 2, 8),
        ("SELECT 1;\n/* /* */", "unterminated /* comment at or near \"/* /* */\"", 2, 1),
        ("SELECT 1\0; DROP TABLE t", "a NUL byte; no database accepts it", 1, 9),
        ("\u{FEFF}SELECT FROM )", "syntax error at or near \")\"", 1, 13),
        (
            "SELECT 1;\n\\restrict abc\nSELECT 2;",
            "\\restrict is a command of psql that pg_dump writes around its dumps; it cannot be run here: remove both lines, "
                + "\\restrict and \\unrestrict", 2, 1
        ),
        ("\\i other.sql", "\\i is a command of psql and cannot be run here; put the text of the file in its place", 1, 1),
        ("  \\set x 1", "\\set is a command of psql and cannot be run here; write it as SQL", 1, 3),
        (
            "SELECT 1;\nCOPY s.t (a) FROM stdin;\n1\tit's\n\\.\n",
            "COPY … FROM STDIN takes its data from the client, which a migration cannot give; write the rows as INSERT, "
                + "for a dump with pg_dump --inserts", 2, 1
        ),
        (
            "COPY t FROM STDIN",
            "COPY … FROM STDIN takes its data from the client, which a migration cannot give; write the rows as INSERT, "
                + "for a dump with pg_dump --inserts", 1, 1
        ),
    ]

    @Test(arguments: errors) func mistakesAreToldWhereTheyStand(_ script: String, _ message: String, _ line: Int, _ column: Int) {
        let error = #expect(throws: ParseError.self) { try SQLScript.statements(script, dialect: .postgres) }
        #expect(error == ParseError(message, line: line, column: column))
    }

    @Test(arguments: [
        ("SELECT 'abc", "a quote without an end", 1, 8),
        ("SELECT 1;\n.read x.sql", ".read is a command of the sqlite3 program and cannot be run here; write it as SQL", 2, 1),
        ("SELECT 1\0", "a NUL byte; no database accepts it", 1, 9), ("SELECT [a", "a quote without an end", 1, 8),
        ("SELECT 1;\nCREATE TABEL t (x);", "near \"TABEL\": syntax error", 2, 8),
        ("CREATE TABLE t (x;", "incomplete input", 1, 18), ("SELECT #;", "unrecognized token: \"#\"", 1, 8),
        ("ALTER TABLE gone ADD COLUMN x INT; ALTER TABLE main.gone DROPP x;", "near \"DROPP\": syntax error", 1, 58),
        ("CREATE TRIGGER g AFTER INSERT ON gone BEGIN DELET FROM gone; END;", "near \"DELET\": syntax error", 1, 45),
    ]) func mistakesOfSQLite(_ script: String, _ message: String, _ line: Int, _ column: Int) {
        let error = #expect(throws: ParseError.self) { try SQLScript.statements(script, dialect: .sqlite) }
        #expect(error == ParseError(message, line: line, column: column))
    }

    @Test(arguments: [
        ("DELETE FROM gone WHERE f(x) = 1", "neither its table nor its function has to be there"),
        ("ALTER TABLE gone RENAME COLUMN a TO b; ALTER TABLE gone DROP COLUMN c", "nor a column"),
        ("CREATE TABLE t (x); CREATE TABLE t (x)", "nothing is made meanwhile"),
        ("ALTER TABLE t ADD COLUMN y; CREATE TABLE t (x)", "not even the table that is spoken of"),
        ("CREATE VIEW v AS SELECT * FROM gone; CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN SELECT 1; END;", "a trigger on a view"),
        ("CREATE VIRTUAL TABLE d USING no_such_module(a, b)", "a module that this library lacks"),
        ("PRAGMA foreign_keys=off; VACUUM; BEGIN; COMMIT; ATTACH 'x' AS x", "nothing is run"),
        ("SELECT " + String(repeating: "(", count: 90) + "1" + String(repeating: ")", count: 90), "deep, and right"),
    ]) func whatLacksOnlyItsSchemaIsRight(_ script: String, _ why: Comment) {
        #expect(throws: Never.self, why) { try SQLScript.statements(script, dialect: .sqlite) }
    }

    // MARK: The outer transaction

    static let wrapped: [(script: String, dialect: SQLDialect, unwrapped: String)] = [
        ("BEGIN;\nCREATE TABLE t (id int);\nCOMMIT;\n", .postgres, "      \nCREATE TABLE t (id int);\n       \n"),
        ("-- up\nSTART TRANSACTION;SELECT 1;\nEND WORK", .postgres, "-- up\n                  SELECT 1;\n        "),
        ("BEGIN /* a;\nb */ ; SELECT 1; COMMIT ;", .postgres, "           \n       SELECT 1;         "),
        ("begin transaction;\ncommit transaction", .postgres, "                  \n                  "),
        ("BEGIN IMMEDIATE; SELECT 1; END", .sqlite, "                 SELECT 1;    "),
    ]

    @Test(arguments: wrapped) func theOuterTransactionIsTakenOutAndLinesStay(_ script: String, _ dialect: SQLDialect, _ expected: String)
        throws
    {
        let (text, control) = try SQLScript.removingOuterTransaction(script, dialect: dialect)
        #expect(text == expected)
        #expect(control.isEmpty)
    }

    static let unwrapped: [(script: String, dialect: SQLDialect, control: [String])] = [
        ("CREATE TABLE t (id int); COMMIT; SELECT 1", .postgres, ["COMMIT"]), ("BEGIN; SELECT 1", .postgres, ["BEGIN"]),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT", .postgres, ["BEGIN ISOLATION LEVEL SERIALIZABLE", "COMMIT"]),
        ("BEGIN; SELECT 1; COMMIT AND CHAIN", .postgres, ["BEGIN", "COMMIT AND CHAIN"]),
        ("BEGIN; SELECT 1; ROLLBACK", .postgres, ["BEGIN", "ROLLBACK"]),
        ("SELECT $$BEGIN; COMMIT;$$", .postgres, []), ("CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;", .sqlite, []),
        ("BEGIN", .postgres, ["BEGIN"]), ("", .postgres, []),
    ]

    @Test(arguments: unwrapped) func whatIsNoOuterTransactionStays(_ script: String, _ dialect: SQLDialect, _ control: [String]) throws {
        let result = try SQLScript.removingOuterTransaction(script, dialect: dialect)
        #expect(result.script == script)
        #expect(result.control.map(\.text) == control)
    }

    @Test func whatElseControlsTransactionsIsToldWithItsPlace() throws {
        let result = try SQLScript.removingOuterTransaction("BEGIN;\nSELECT 1;\n  SAVEPOINT a;\nCOMMIT;", dialect: .postgres)
        #expect(result.control == [Statement(text: "SAVEPOINT a", offset: 19, line: 3, column: 3)])
    }

    // MARK: Fingerprints

    static let same: [(one: String, other: String, isSame: Bool, why: String)] = [
        ("SELECT 1", "select  1 ;; -- x\n", true, "case, blanks, comments"), ("SELECT A", "select a", true, "names fold"),
        ("SELECT 1;\nSELECT 2", "SELECT 1;\r\n\r\nSELECT 2;", true, "line ends"), ("SELECT 1", "SELECT 2", false, "a constant"),
        ("SELECT 'A'", "SELECT 'a'", false, "a constant"), ("SELECT \"A\"", "SELECT \"a\"", false, "a quoted name"),
        ("SELECT 'a b'", "SELECT 'a  b'", false, "blanks in a constant"),
        ("SELECT 'a\nb'", "SELECT 'a\r\nb'", false, "line ends in a constant"),
        ("SELECT a b", "SELECT ab", false, "two words"), ("SELECT 1; SELECT 2", "SELECT 2; SELECT 1", false, "the order"),
        ("SELECT '-- x'", "SELECT ''", false, "no comment"), ("SELECT 1 -- x", "SELECT 1 /* y */", true, "comments"),
    ]

    @Test(arguments: same) func onlyAnEditThatChangesNothingHasTheSameFingerprint(
        _ one: String, _ other: String, _ isSame: Bool, _ why: String
    ) {
        for dialect in SQLDialect.allCases {
            let first = SQLScript.cosmeticFingerprint(one, dialect: dialect)
            #expect(first?.count == 64)
            #expect((first == SQLScript.cosmeticFingerprint(other, dialect: dialect)) == isSame, Comment(rawValue: why))
        }
    }

    @Test func bodiesOfFunctionsMayChangeTheirLineEnds() {
        let body = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\nSELECT 1\n$$"
        let windows = body.split(separator: "\n").joined(separator: "\r\n")
        #expect(SQLScript.cosmeticFingerprint(body, dialect: .postgres) == SQLScript.cosmeticFingerprint(windows, dialect: .postgres))
        #expect(SQLScript.cosmeticFingerprint("SELCT", dialect: .postgres) == nil)
    }
}
