import SQL
import TestPrograms
import Testing

@Suite struct SQLiteTests {
    @Test func valuesErrorsAndTransactions() async throws {
        let place = try Place()
        defer { try? place.remove() }
        let connection = try await SQLiteConnection(place.path("a.db"), mode: .create)
        try await connection.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT, raw BLOB); INSERT INTO t VALUES (1, 'it''s', x'00ff');")
        #expect(try await connection.query("SELECT id, note, raw, NULL FROM t WHERE id = ?1", [1]).rows == [["1", "it's", "\\x00ff", nil]])
        let error = await #expect(throws: SQLError.self) {
            try await connection.execute("INSERT INTO t VALUES (2, 'b', NULL);\nSELECT nope FROM t")
        }
        #expect(error?.position == 45)
        #expect(try await connection.query("SELECT count(*) FROM t").scalar == "2")
        try await connection.execute("BEGIN IMMEDIATE")
        #expect(await connection.transaction == .inTransaction)
        try await connection.execute("ROLLBACK")
        let duplicate = await #expect(throws: SQLError.self) { try await connection.query("INSERT INTO t VALUES (1, '', NULL)") }
        #expect(duplicate?.sqlState == "SQLITE_CONSTRAINT_PRIMARYKEY")
        let missing = await #expect(throws: SQLError.self) { try await SQLiteConnection(place.path("none/b.db")) }
        #expect(missing?.code == .unreachable)
    }

    @Test(.timeLimit(.minutes(1))) func cancellingATaskInterruptsItsStatement() async throws {
        let connection = try await SQLiteConnection(":memory:", mode: .create)
        let task = Task {
            try await connection.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
        }
        task.cancel()
        let error = await #expect(throws: SQLError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try await connection.query("SELECT 7").scalar == "7")
    }

    @Test func aBackupIsACopyOfTheMoment() async throws {
        let place = try Place()
        defer { try? place.remove() }
        let connection = try await SQLiteConnection(place.path("a.db"), mode: .create)
        try await connection.execute("CREATE TABLE t (id); INSERT INTO t VALUES (1)")
        try await connection.backup(to: place.path("b.db"))
        try await connection.execute("INSERT INTO t VALUES (2)")
        let copy = try await SQLiteConnection(place.path("b.db"), mode: .readOnly)
        #expect(try await copy.query("SELECT count(*) FROM t").scalar == "1")
        await #expect(throws: SQLError.self) { try await copy.execute("DELETE FROM t") }
    }

    @Test(arguments: [
        ("", []), ("  -- nothing\n", ["  -- nothing\n"]), ("SELECT 1; SELECT ';' ;", ["SELECT 1;", " SELECT ';' ;"]),
        (
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; SELECT 1; END; SELECT 2",
            ["CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; SELECT 1; END;", " SELECT 2"]
        ), ("SELECT 1 /* ; */ ; SELECT \"a;b\"", ["SELECT 1 /* ; */ ;", " SELECT \"a;b\""]),
    ]) func scriptsAreSplitLikeSQLitesShellDoes(_ script: String, _ statements: [String]) {
        #expect(sqliteStatements(of: script).map(\.text) == statements)
    }
}
