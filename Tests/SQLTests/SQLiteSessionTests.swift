import FoundationEssentials
import SQL
import TestPrograms
import Testing

@Suite struct SQLiteSessionTests {

    @Test func everyValueComesBack() async throws {
        let connection = try await SQLiteConnection(":memory:", mode: .create)
        let text = "it's \"q\" \\ \u{0} ünï 🪢"
        let rows = try await connection.query(
            "SELECT ?1, ?2, ?3, ?4, ?5, ?6, typeof(?4), typeof(?1), 1.5",
            [.text(text), -42, true, .bytes([]), .bytes([0, 255]), nil])
        #expect(rows.rows == [[text, "-42", "1", "\\x", "\\x00ff", nil, "blob", "text", "1.5"]])
        let large = String(repeating: "ü;'", count: 1_000_000)
        #expect(try await connection.query("SELECT length(?1)", [.text(large)]).scalar == "3000000")
        #expect(try await connection.query("SELECT \(SQLLiteral.quoted("a'b\\c", for: .sqlite))").scalar == "a'b\\c")
        #expect(try await connection.query("SELECT \(SQLLiteral.quoted(.bytes([1, 254]), for: .sqlite))").scalar == "\\x01fe")
        let name = "we\"ird ' \\ [name]"
        try await connection.execute("CREATE TABLE \(SQLIdentifier.quoted(name)) (id)")
        #expect(try await connection.query("SELECT name FROM sqlite_schema").scalar == name)
    }

    @Test func whatChangedIsCounted() async throws {
        let connection = try await SQLiteConnection(":memory:", mode: .create)
        try await connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        #expect(try await connection.query("INSERT INTO t VALUES (1), (2), (3)").affected == 3)
        #expect(try await connection.query("SELECT * FROM t").affected == 0)
        #expect(try await connection.query("CREATE TABLE u (id)").affected == 0)
        #expect(try await connection.query("UPDATE t SET id = id + 10").affected == 3)
        #expect(try await connection.query("  -- nothing\n;").rows.isEmpty)
    }

    @Test(
        arguments: [
            ("SELECT 1; SELECT 2", [], "SQLITE_ERROR", "two statements are not one"),
            ("SELECT ?1", [], "SQLITE_RANGE", "a parameter that is missing is not null"),
            ("SELECT 1", [1], "SQLITE_RANGE", "a parameter too many"),
            ("SELECT 1\0; DROP TABLE t", [], "SQLITE_ERROR", "the rest would be ignored in silence"),
            ("SELECT nope", [], "SQLITE_ERROR", "no such column"),
            ("INSERT INTO child VALUES (9)", [], "SQLITE_CONSTRAINT_FOREIGNKEY", "references are enforced"),
            ("INSERT INTO t VALUES (1, 'a')", [], "SQLITE_CONSTRAINT_UNIQUE", "extended results are told by name"),
        ] as [(String, [SQLValue], String, Comment)])
    func aRefusalNamesItsReason(_ sql: String, _ parameters: [SQLValue], _ state: String, _ why: Comment) async throws {
        let connection = try await SQLiteConnection(":memory:", mode: .create)
        try await connection.execute(
            """
            CREATE TABLE t (id INTEGER PRIMARY KEY, name UNIQUE); INSERT INTO t VALUES (7, 'a');
            CREATE TABLE child (parent REFERENCES t (id));
            """)
        let error = await failure { _ = try await connection.query(sql, parameters) }
        #expect(error?.code == .statement && error?.sqlState == state, why)
        #expect(try await connection.query("SELECT 7").scalar == "7")
    }

    @Test func aScriptTellsWhichStatementFailed() async throws {
        let connection = try await SQLiteConnection(":memory:", mode: .create)
        let error = await failure {
            try await connection.execute(
                "CREATE TABLE t (id UNIQUE); -- ü\nINSERT INTO t VALUES (1);\n\n INSERT INTO t VALUES (1); SELECT 1")
        }
        #expect(error?.position == 62, "where the statement begins, in characters")
        #expect(try await connection.query("SELECT count(*) FROM t").scalar == "1", "what came before stays")
    }

    @Test func aFileThatIsNoDatabase() async throws {
        let place = try Place()
        defer { try? place.remove() }
        let path = try place.write("a.db", String(repeating: "no database ", count: 100))
        let connection = try await SQLiteConnection(path)
        let error = await failure { _ = try await connection.query("SELECT * FROM sqlite_schema") }
        #expect(error?.code == .misconfigured && error?.sqlState == "SQLITE_NOTADB")
    }

    @Test(.timeLimit(.minutes(1))) func waitingForALockEndsWithItsTimeOrTheTask() async throws {
        let place = try Place()
        defer { try? place.remove() }
        let holder = try await SQLiteConnection(place.path("a.db"), mode: .create)
        try await holder.execute("CREATE TABLE t (id); BEGIN IMMEDIATE")
        let hasty = try await SQLiteConnection(place.path("a.db"), busy: .milliseconds(30))
        let busy = await failure { try await hasty.execute("BEGIN IMMEDIATE") }
        #expect(busy?.code == .statement && busy?.sqlState == "SQLITE_BUSY")

        let patient = try await SQLiteConnection(place.path("a.db"), busy: .seconds(3600))
        let task = Task { try await patient.execute("BEGIN IMMEDIATE") }
        try await Task.sleep(for: .milliseconds(50))
        task.cancel()
        let cancelled = await failure { try await task.value }
        #expect(cancelled?.code == .cancelled)
        try await holder.execute("ROLLBACK")
        try await patient.execute("BEGIN IMMEDIATE; ROLLBACK")
    }

    @Test func aCancelledTaskCanStillRollBack() async throws {
        let connection = try await SQLiteConnection(":memory:", mode: .create)
        try await connection.execute("CREATE TABLE t (id)")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect(throws: SQLError.self) { try await connection.execute("INSERT INTO t VALUES (1)") }
            try await connection.execute(" rollback ;\n")
        }
        try await connection.execute("BEGIN")
        try await task.value
        #expect(await connection.transaction == .idle)
        #expect(try await connection.query("SELECT count(*) FROM t").scalar == "0")
    }

    @Test func aBackupReplacesItsTargetAndLeavesItAloneWhenItIsCancelled() async throws {
        let place = try Place()
        defer { try? place.remove() }
        let connection = try await SQLiteConnection(place.path("a.db"), mode: .create)
        try await connection.execute(
            """
            PRAGMA journal_mode=WAL; CREATE TABLE t (id, pad);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) INSERT INTO t SELECT i, hex(zeroblob(500)) FROM n
            """)
        let old = try await SQLiteConnection(place.path("b.db"), mode: .create)
        try await old.execute("CREATE TABLE old (id)")
        await old.close()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await connection.backup(to: place.path("b.db"))
        }
        let cancelled = await failure { try await task.value }
        #expect(cancelled?.code == .cancelled)
        #expect(await connection.transaction == .idle)
        let after = try await SQLiteConnection(place.path("b.db"), mode: .readOnly)
        #expect(try await after.query("SELECT name FROM sqlite_schema").scalar == "old")
        await after.close()

        try await connection.backup(to: place.path("b.db"))
        let copy = try await SQLiteConnection(place.path("b.db"))
        #expect(try await copy.query("SELECT count(*) FROM t").scalar == "20000")
        #expect(try await copy.query("PRAGMA integrity_check").scalar == "ok")
        try await connection.execute("BEGIN; DELETE FROM t")
        let locked = await failure { try await connection.backup(to: place.path("c.db")) }
        #expect(locked?.sqlState == "SQLITE_LOCKED", "not with a write of its own under way")
    }

    @Test func nothingOfAScriptIsLostWhenItIsSplit() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            ";", ";", "'", "''", "\"", "`", "[", "]", "--", "\n", "/*", "*/", "*", "/", " ", "CREATE TRIGGER x ", "TEMP", "BEGIN ", "END",
            "EXPLAIN ",
            "SELECT 1", "ü", "-",
        ]
        for _ in 0..<3000 {
            let script = (0..<Int.random(in: 1...14, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let statements = sqliteStatements(of: script)
            var place = 0
            for statement in statements {
                #expect(statement.offset == place, "\(script)")
                place += statement.text.utf8.count
            }
            let rest = String(decoding: script.utf8.dropFirst(place), as: UTF8.self)
            #expect(statements.map(\.text).joined() + rest == script)
            #expect(rest.utf8.allSatisfy { $0 <= 0x20 }, "\(script)")
        }
        let large = "INSERT INTO t VALUES ('" + String(repeating: "a;b", count: 300_000) + "'); SELECT 1"
        #expect(sqliteStatements(of: large).count == 2, "and at once")
    }
}
