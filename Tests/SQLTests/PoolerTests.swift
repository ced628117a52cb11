import DatabaseServers
import SQL
import Testing

@Suite(.enabled(if: PostgresServer.isPoolerAvailable, "\(PostgresServer.poolerNeed)")) struct PoolerTests {
    private let server = PostgresServer.shared

    private func connect(_ name: String, mode: String = "transaction") async throws -> PostgresConnection {
        try await PostgresConnection(PostgresAddress(try await server.pooledURL(of: name, mode: mode)))
    }

    @Test(arguments: ["transaction", "session"]) func aPoolerIsRecognisedInEitherMode(_ mode: String) async throws {
        #expect(try await connect(try await server.makeDatabase(), mode: mode).isThroughPooler())
    }

    @Test func parametersDoNotNeedASessionOfTheServer() async throws {
        let name = try await server.makeDatabase()
        let connections = [try await connect(name), try await connect(name), try await connect(name), try await connect(name)]
        for round in 0..<20 {
            for (index, connection) in connections.enumerated() {
                let sum = try await connection.query("SELECT $1::int + $2::int", [.integer(Int64(round)), .integer(Int64(index))]).scalar
                #expect(sum == String(round + index))
            }
        }
    }

    @Test func aLockOfASessionExcludesNobody() async throws {
        let name = try await server.makeDatabase()
        let (first, second) = (try await connect(name), try await connect(name))
        #expect(try await first.query("SELECT pg_try_advisory_lock(7)").scalar == "t")
        #expect(try await second.query("SELECT pg_try_advisory_lock(7)").scalar == "t", "the pooler gave it the same backend")
        try await first.execute("BEGIN")
        try await second.execute("BEGIN")
        #expect(try await first.query("SELECT pg_try_advisory_xact_lock(8)").scalar == "t")
        #expect(try await second.query("SELECT pg_try_advisory_xact_lock(8)").scalar == "f", "a transaction has a backend of its own")
        try await first.execute("ROLLBACK")
        try await second.execute("ROLLBACK")
    }

    @Test func theApplicationsNameIsGivenAndNeverLeftBehind() async throws {
        let name = try await server.makeDatabase()
        let pooled = try await connect(name)
        #expect(try await pooled.query("SHOW application_name").scalar == "belay")
        try await pooled.setApplicationName("left behind")
        #expect(try await pooled.query("SHOW application_name").scalar == "belay")
    }

    @Test(.timeLimit(.minutes(1))) func aCancelledStatementEndsBehindThePoolerToo() async throws {
        let pooled = try await connect(try await server.makeDatabase())
        let late = await #expect(throws: SQLError.self) { try await pooled.query("SELECT pg_sleep(600)", within: .milliseconds(50)) }
        #expect(late?.code == .cancelled)
        #expect(try await pooled.query("SELECT 7").scalar == "7")
    }

    @Test func aDatabaseThatIsNotThere() async throws {
        let error = await #expect(throws: SQLError.self) { try await connect("no_such_database") }
        #expect(error?.code == .refusedLogin)
    }
}
