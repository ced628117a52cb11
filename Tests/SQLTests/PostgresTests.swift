import DatabaseServers
import SQL
import Testing

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct PostgresTests {
    static func connect(_ database: String? = nil) async throws -> PostgresConnection {
        let server = PostgresServer.shared
        let name = if let database { database } else { try await server.makeDatabase() }
        return try await PostgresConnection(PostgresAddress(try await server.url(of: name)))
    }

    @Test func valuesComeBackAsTheyWereGiven() async throws {
        let connection = try await Self.connect()
        let text = "it's \"quoted\" \\ back ünïcödé 🪢 \n line"
        let rows = try await connection.query(
            "SELECT $1::text, $2::bigint, $3::bool, $4::bytea, $5::text AS nothing", [.text(text), -42, true, .bytes([0, 255, 16]), nil])
        #expect(rows.rows == [[text, "-42", "t", "\\x00ff10", nil]])
        #expect(rows.columns.last == "nothing")
        #expect(try await connection.query("SELECT \(SQLLiteral.quoted(text, for: .postgres))").scalar == text)
        let name = "we\"ird ' \\ name"
        try await connection.execute("CREATE TABLE \(SQLIdentifier.quoted(name)) (id int)")
        #expect(try await connection.query("SELECT relname FROM pg_class WHERE relname = $1", [.text(name)]).scalar == name)
    }

    @Test func aScriptIsOneTransactionAndTellsWhatFailed() async throws {
        let connection = try await Self.connect()
        let error = await #expect(throws: SQLError.self) { try await connection.execute("CREATE TABLE t (id int); SELECT nothing FROM t") }
        #expect(error?.code == .statement)
        #expect(error?.sqlState == "42703")
        #expect(error?.position == 33)
        #expect(try await connection.query("SELECT to_regclass('t')").scalar == nil)
        #expect(await connection.transaction == .idle)
        try await connection.execute("BEGIN; CREATE TABLE t (id int)")
        #expect(await connection.transaction == .inTransaction)
        await #expect(throws: SQLError.self) { try await connection.execute("SELECT 1/0") }
        #expect(await connection.transaction == .failed)
        try await connection.execute("ROLLBACK")
    }

    @Test(.timeLimit(.minutes(1))) func cancellingATaskCancelsItsStatementAndLeavesTheSessionUsable() async throws {
        let connection = try await Self.connect()
        let task = Task { try await connection.query("SELECT pg_sleep(60)") }
        while try await PostgresServer.shared.psql(
            "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'", database: "postgres") == "0"
        {
        }
        task.cancel()
        let error = await #expect(throws: SQLError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(try await connection.query("SELECT 7").scalar == "7")
    }

    @Test func aSessionThatTheServerEndsIsLost() async throws {
        let connection = try await Self.connect()
        let backend = await connection.backendID
        _ = try await PostgresServer.shared.psql("SELECT pg_terminate_backend(\(backend), 5000)", database: "postgres")
        let error = await #expect(throws: SQLError.self) { try await connection.query("SELECT 1") }
        #expect(error?.code == .lost)
    }

    @Test func aRefusedLoginShowsNoPassword() async throws {
        let url = try await PostgresServer.shared.url(of: "postgres", user: "guarded", password: "wr0ng-password")
        let error = await #expect(throws: SQLError.self) { try await PostgresConnection(PostgresAddress(url)) }
        #expect(error?.code == .refusedLogin)
        #expect(error?.description.contains("wr0ng") == false)
        let right = try PostgresAddress(try await PostgresServer.shared.url(of: "postgres", user: "guarded", password: "s3cret-of-a-test"))
        #expect("\(right)".contains("s3cret") == false)
        #expect(right.environment["PGPASSWORD"] == "s3cret-of-a-test")
        _ = try await PostgresConnection(right)
    }

    @Test func nobodyListening() async throws {
        let error = await #expect(throws: SQLError.self) {
            try await PostgresConnection(PostgresAddress("postgres://u@127.0.0.1:1/main"), deadline: .seconds(2))
        }
        #expect(error?.code == .unreachable)
        #expect(error?.message.hasPrefix("main at 127.0.0.1:1: ") == true)
    }

    @Test(arguments: ["postgres://a b", "postgres://u:p@ss:word@host:notaport/x", "x=1"]) func anAddressThatCannotBeReadShowsNothingOfIt(
        _ text: String
    ) {
        let error = #expect(throws: SQLError.self) { try PostgresAddress(text) }
        #expect(error?.code == .misconfigured)
        #expect(error?.message.contains("word") == false)
    }

    @Test(.enabled(if: PostgresServer.isPoolerAvailable, "\(PostgresServer.poolerNeed)")) func aPoolerIsRecognised() async throws {
        let server = PostgresServer.shared
        let name = try await server.makeDatabase()
        #expect(try await Self.connect(name).isThroughPooler() == false)
        let pooled = try await PostgresConnection(PostgresAddress(try await server.pooledURL(of: name)))
        #expect(try await pooled.isThroughPooler())
        #expect(try await pooled.query("SELECT $1::int + 1", [41]).scalar == "42")
    }

    @Test func manyRowsAndSideBySide() async throws {
        let (first, second) = (try await Self.connect(), try await Self.connect())
        async let slow = first.query("SELECT pg_sleep(0.3), repeat('x', 1000000)")
        let rows = try await second.query("SELECT n, 'row ' || n FROM generate_series(1, 10000) n")
        #expect(rows.rows.count == 10000)
        #expect(rows.rows.last == ["10000", "row 10000"])
        #expect(try await slow.rows[0][1]?.count == 1_000_000)
        await first.close()
        let error = await #expect(throws: SQLError.self) { try await first.query("SELECT 1") }
        #expect(error?.code == .lost)
    }

    @Test func copyIsRefusedInsteadOfHanging() async throws {
        let connection = try await Self.connect()
        try await connection.execute("CREATE TABLE t (id int)")
        await #expect(throws: SQLError.self) { try await connection.execute("COPY t FROM STDIN") }
        await #expect(throws: SQLError.self) { try await connection.execute("COPY t TO STDOUT") }
        #expect(try await connection.query("SELECT count(*) FROM t").scalar == "0")
        #expect(try await connection.query("").rows.isEmpty)
    }
}
