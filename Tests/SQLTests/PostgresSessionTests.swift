import DatabaseServers
import SQL
import Testing

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct PostgresSessionTests {
    private func connect() async throws -> PostgresConnection { try await PostgresTests.connect() }

    /// Returns once the server works on a statement that holds this text.
    private func waitUntilRunning(_ text: String) async throws {
        let question = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%\(text)%' AND pid <> pg_backend_pid()"
        while try await PostgresServer.shared.psql(question, database: "postgres") == "0" {}
    }

    @Test(
        arguments: [
            ("SELECT $1::text", [.text("a\0b")], "22021", "a text would end at the zero byte"),
            ("SELECT 1\0; DROP TABLE t", [], "22021", "the rest would be ignored in silence"),
            ("SELECT 1; SELECT 2", [], "42601", "two statements are not one"),
            ("SELECT $1::int", [], "08P01", "a parameter that is missing: the session is not lost, whatever the class of the state says"),
            ("SELECT nope", [], "42703", "no such column"),
            ("SELECT $1::int", [.text("secret value")], "22P02", "what the server says of a parameter"),
        ] as [(String, [SQLValue], String, Comment)])
    func aRefusalNamesItsReason(_ sql: String, _ parameters: [SQLValue], _ state: String, _ why: Comment) async throws {
        let connection = try await connect()
        let error = await failure { _ = try await connection.query(sql, parameters) }
        #expect(error?.code == .statement && error?.sqlState == state, why)
        #expect(try await connection.query("SELECT 7").scalar == "7", why)
    }

    @Test func hintDetailAndPositionAreKept() async throws {
        let connection = try await connect()
        try await connection.execute("CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'a')")
        let duplicate = await failure { _ = try await connection.query("INSERT INTO t VALUES (1, 'b')") }
        #expect(duplicate?.detail == "Key (id)=(1) already exists.")
        let near = await failure { _ = try await connection.query("SELECT 'ü', nam FROM t") }
        #expect(near?.position == 13, "in characters")
        #expect(near?.hint == "Perhaps you meant to reference the column \"t.name\".")
    }

    @Test func whatChangedIsCounted() async throws {
        let connection = try await connect()
        #expect(try await connection.query("CREATE TABLE t AS SELECT generate_series(1, 3) AS id").affected == 0)
        #expect(try await connection.query("INSERT INTO t VALUES (4), (5)").affected == 2)
        #expect(try await connection.query("UPDATE t SET id = id RETURNING id").affected == 5)
        #expect(try await connection.query("SELECT * FROM t").affected == 0)
        #expect(try await connection.query("DELETE FROM t WHERE id > 1").affected == 4)
    }

    @Test func bytesAreHexadecimalWhateverTheServerPrefers() async throws {
        let connection = try await connect()
        try await connection.execute("SET bytea_output = 'escape'")
        let bytes = (0...255).map { UInt8($0) }
        let rows = try await connection.query("SELECT $1::bytea, ''::bytea, $2::bytea", [.bytes(bytes), .bytes(Array("plain".utf8))]).rows
        #expect(rows[0][0]?.hasPrefix("\\x000102") == true && rows[0][0]?.count == 514)
        #expect(rows[0][1...] == ["\\x", "\\x706c61696e"])
    }

    @Test(arguments: ["it's", "a\\b", "\\", "'", "\\'", "E'x'", "ünï 🪢\n", "$1 %", ""]) func textsInStatementsMeanThemselves(
        _ text: String
    ) async throws {
        let connection = try await connect()
        for setting in ["on", "off"] {
            try await connection.execute("SET standard_conforming_strings = \(setting); SET escape_string_warning = off")
            #expect(try await connection.query("SELECT \(SQLLiteral.quoted(text, for: .postgres))").scalar == text)
        }
    }

    @Test func aStatementOfManyMegabytesAndItsAnswer() async throws {
        let connection = try await connect()
        let large = String(repeating: "0123456789abcdef", count: 1 << 20)
        #expect(try await connection.query("SELECT $1::text", [.text(large)]).scalar == large)
        try await connection.execute("CREATE TABLE t AS SELECT '\(large)' AS a")
        #expect(try await connection.query("SELECT length(a) FROM t").scalar == "16777216")
    }

    @Test func noticesAreKeptForWhoeverAsks() async throws {
        let connection = try await connect()
        try await connection.execute("BEGIN; BEGIN; ROLLBACK")
        #expect(await connection.takeNotices() == ["WARNING:  there is already a transaction in progress"])
        try await connection.execute("DO $$ BEGIN FOR i IN 1..200 LOOP RAISE NOTICE '%', i; END LOOP; END $$")
        let notices = await connection.takeNotices()
        #expect(notices.count == 50 && notices.last == "NOTICE:  200")
        #expect(await connection.takeNotices().isEmpty)
    }

    @Test func factsOfTheServer() async throws {
        let connection = try await connect()
        let version = try await connection.query("SHOW server_version_num").scalar
        #expect(await String(connection.serverVersion) == version)
        #expect(try await connection.isInRecovery() == false)
        #expect(try await connection.query("SHOW application_name").scalar == "belay")
        try await connection.setApplicationName("belay/run 'x'")
        #expect(try await connection.query("SHOW application_name").scalar == "belay/run 'x'")
        #expect(try await connection.query("SHOW client_encoding").scalar == "UTF8")
    }

    // MARK: Giving up

    @Test(.timeLimit(.minutes(1))) func aStatementThatTakesTooLongIsCancelled() async throws {
        let connection = try await connect()
        let late = await failure { _ = try await connection.query("SELECT pg_sleep(600)", within: .milliseconds(50)) }
        #expect(late?.code == .cancelled && late?.sqlState == "57014")
        let script = await failure { try await connection.execute("SELECT pg_sleep(600)", within: .milliseconds(50)) }
        #expect(script?.code == .cancelled)
        try await connection.execute("SET statement_timeout = 50")
        let timeout = await failure { try await connection.execute("SELECT pg_sleep(600)") }
        #expect(timeout?.code == .statement && timeout?.sqlState == "57014", "the server's own limit is no cancellation")
    }

    @Test(.timeLimit(.minutes(1))) func aCancelledTaskSendsNothingButARollback() async throws {
        let connection = try await connect()
        try await connection.execute("CREATE TABLE t (id int)")
        try await connection.execute("BEGIN; INSERT INTO t VALUES (1)")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            await #expect(throws: SQLError.self) { try await connection.execute("COMMIT") }
            try await connection.execute("ROLLBACK;")
        }
        try await task.value
        #expect(await connection.transaction == .idle)
        #expect(try await connection.query("SELECT count(*) FROM t").scalar == "0")
    }

    @Test(.timeLimit(.minutes(1))) func theCancellationOfOneStatementNeverMeetsTheNext() async throws {
        let connection = try await connect()
        for round in 0..<30 {
            let task = Task { try await connection.query("SELECT pg_sleep(0.02 * random())") }
            try await Task.sleep(for: .milliseconds(round))
            task.cancel()
            _ = await task.result
            #expect(try await connection.query("SELECT 7").scalar == "7")
        }
    }

    @Test(.timeLimit(.minutes(1))) func anEndlessCopyIsStopped() async throws {
        let connection = try await connect()
        let copy = await failure {
            try await connection.execute("COPY (SELECT repeat('x', 1000) FROM pg_class a, pg_class b, pg_class c) TO STDOUT")
        }
        #expect(copy?.code == .statement && copy?.sqlState == "0A000")
        #expect(try await connection.query("SELECT 7").scalar == "7")
    }

    @Test(.timeLimit(.minutes(1))) func aStatementWhoseBackendIsKilledIsLost() async throws {
        let connection = try await connect()
        let backend = await connection.backendID
        let task = Task { try await connection.query("SELECT pg_sleep(600), 'killed'") }
        try await waitUntilRunning("killed")
        _ = try await PostgresServer.shared.psql("SELECT pg_terminate_backend(\(backend), 5000)", database: "postgres")
        let lost = await failure { _ = try await task.value }
        #expect(lost?.code == .lost && lost?.sqlState == "57P01")
        #expect(await connection.transaction == .unknown)
        let again = await failure { _ = try await connection.query("SELECT 1") }
        #expect(again?.code == .lost)
    }

    @Test(.timeLimit(.minutes(1))) func aServerThatLosesPowerLosesItsSessions() async throws {
        let server = PostgresServer()
        let connection = try await PostgresConnection(PostgresAddress(try await server.url(of: "postgres")))
        let task = Task { try await connection.query("SELECT pg_sleep(600)") }
        while try await server.psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%sleep(600)' ", database: "postgres") == "0" {}
        let url = try await server.url(of: "postgres")
        try await server.stop()
        #expect(await failure { _ = try await task.value }?.code == .lost)
        let refused = await failure { _ = try await PostgresConnection(PostgresAddress(url)) }
        #expect(refused?.code == .unreachable)
    }

    // MARK: Logging in

    @Test(
        arguments: [
            ("guarded", "wr0ng-password", "postgres", "28P01", "a wrong password"), ("guarded", nil, "postgres", nil, "no password"),
            ("nobody", nil, "postgres", "28000", "no such user"), ("postgres", nil, "no_such_database", "3D000", "no such database"),
        ] as [(String, String?, String, String?, Comment)])
    func aRefusedLogin(_ user: String, _ password: String?, _ database: String, _ state: String?, _ why: Comment) async throws {
        let url = try await PostgresServer.shared.url(of: database, user: user, password: password)
        let error = await failure { _ = try await PostgresConnection(PostgresAddress(url)) }
        #expect(error?.code == .refusedLogin && error?.sqlState == state, why)
        #expect(error?.description.contains("wr0ng") == false && error?.description.contains(".c:") == false, why)
    }

    @Test func aServerInAnotherLanguageRefusesAsClearly() async throws {
        let name = try await PostgresServer.shared.makeDatabase()
        let url = try await PostgresServer.shared.url(of: name, user: "limited")
        _ = try await PostgresServer.shared.psql("REVOKE CONNECT ON DATABASE \(name) FROM PUBLIC", database: "postgres")
        let error = await failure { _ = try await PostgresConnection(PostgresAddress(url)) }
        #expect(error?.code == .unreachable && error?.sqlState == "42501", "the login was good; what it may do is not")
        #expect(error?.message.contains("permission denied for database") == true)
    }

    // MARK: Transactions

    @Test func aTransactionIsCommittedOrTakenBack() async throws {
        let connection = try await connect()
        try await connection.execute("CREATE TABLE t (id int)")
        try await connection.withTransaction { () throws(SQLError) in try await connection.execute("INSERT INTO t VALUES (1)") }
        let thrown = await failure {
            try await connection.withTransaction { () throws(SQLError) in
                try await connection.execute("INSERT INTO t VALUES (2)")
                try await connection.execute("SELECT 1/0")
            }
        }
        #expect(thrown?.sqlState == "22012")
        let swallowed = await failure {
            try await connection.withTransaction { () throws(SQLError) in
                try await connection.execute("INSERT INTO t VALUES (3)")
                do { try await connection.execute("SELECT 1/0") } catch {}
            }
        }
        #expect(swallowed?.sqlState == "25P02", "the server would answer COMMIT with success, and roll back")
        #expect(await connection.transaction == .idle)
        #expect(try await connection.query("SELECT array_agg(id) FROM t").scalar == "{1}")
    }
}
