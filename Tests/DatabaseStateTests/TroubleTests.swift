import DatabaseServers
import FoundationEssentials
import Model
import SQL
import State
import StateContract
import Synchronization
import Testing

@testable import DatabaseState

/// What can happen to a PostgreSQL database, and to the way there, while it holds the state.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(2))) struct TroubleTests {
    private func lock(_ store: DatabaseStateStore, _ user: String = "ann") async throws -> any StateSession {
        try await store.lock(.make(user), patience: .zero, clock: ContinuousClock())
    }

    // MARK: Answers that are lost

    enum Loss: CaseIterable {
        case before, after
    }

    @Test(arguments: Loss.allCases) func anAppendWhoseAnswerIsLostIsThereOnce(_ loss: Loss) async throws {
        let stand = try await Stand.postgres()
        let tried = Mutex(0)
        let store = stand.store { connection in
            LossyConnection(connection) { sql in
                guard sql.contains("INSERT INTO belay.state_journal") else { return nil }
                return tried.withLock { count in
                    count += 1
                    return count == 2 ? (loss == .before ? .before : .after) : nil
                }
            }
        }
        let session = try await lock(store)
        for digit in "123" { try await session.append(.accepted(digit), at: .example) }
        await session.release()
        #expect(tried.withLock { $0 } == (loss == .before ? 4 : 3), "what is there is not sent again")
        #expect(try await stand.store().history().map(\.entry) == "123".map { .accepted($0) })
    }

    @Test func whatIsStillOnItsWayWhenItIsReadBackTakesNoEffectLater() async throws {
        let stand = try await Stand.postgres()
        let stray = Mutex<(String, [SQLValue])?>(nil)
        let store = stand.store { connection in
            LossyConnection(connection, hold: { sql, parameters in stray.withLock { $0 = $0 ?? (sql, parameters) } }) { sql in
                sql.contains("INSERT INTO belay.state_journal") && stray.withLock { $0 == nil } ? .before : nil
            }
        }
        let session = try await lock(store)
        try await session.append(.accepted("1"), at: .example)
        try await session.append(.accepted("2"), at: .example)
        let (sql, parameters) = try #require(stray.withLock { $0 })
        // It arrives at last, and another time when its number is free.
        let connection = try await PostgresConnection(PostgresAddress(stand.url))
        #expect(try await connection.query(sql, parameters).rows == [])
        _ = try await connection.query("DELETE FROM belay.state_journal")
        #expect(try await connection.query(sql, parameters).rows == [])
        await session.release()
    }

    @Test func aSessionThatIsEndedInTheMiddleGoesOnWithAnother() async throws {
        let stand = try await Stand.postgres()
        let session = try await lock(stand.store())
        try await session.append(.accepted("1"), at: .example)
        _ = try await PostgresServer.shared.psql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(stand.name)' AND application_name = 'belay/state'",
            database: "postgres")
        try await session.append(.accepted("2"), at: .example)
        try await session.renew()
        await session.release()
        #expect(try await stand.store().history().count == 2)
    }

    @Test func aSessionThatEndsInsideCommitIsSentAgain() async throws {
        let stand = try await Stand.postgres()
        let session = try await lock(stand.store())
        // A deferred trigger runs inside COMMIT: once, because a sequence does not go back with its transaction.
        _ = try await PostgresServer.shared.psql(
            """
            CREATE SEQUENCE once;
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF nextval('public.once') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON belay.state_journal DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION die();
            """, database: stand.name)
        try await session.append(.accepted("1"), at: .example)
        await session.release()
        #expect(try await stand.ask("SELECT last_value FROM once") == "2")
        #expect(try await stand.store().history().map(\.entry) == [.accepted("1")])
    }

    @Test func aServerThatIsGoneEndsTheSessionWithItsName() async throws {
        let server = PostgresServer()
        let name = try await server.makeDatabase()
        let stand = Stand(at: try await server.url(of: name), name)
        let session = try await stand.store(lease: .seconds(1)).lock(.make(), patience: .zero, clock: ContinuousClock())
        try await session.append(.accepted("1"), at: .example)
        try await server.stop()
        // A beat that fails is not yet the end: the server may come back.
        try await session.renew()
        let error = try await stateError { try await session.append(.accepted("2"), at: .example) }
        #expect(error.code == .unreachable)
        #expect(
            error.message.hasPrefix("the state in database/main could not be read back after an answer was lost: \(name) at 127.0.0.1:"))
        #expect(error.next == "check that it runs and that its address is right")
        await session.release()
    }

    // MARK: Somebody else's hands

    @Test func aLineThatWasChangedByHandIsNamedAndNothingIsOverwritten() async throws {
        let stand = try await Stand.postgres()
        let session = try await lock(stand.store())
        for digit in "123" { try await session.append(.accepted(digit), at: .example) }
        await session.release()
        _ = try await stand.ask("UPDATE belay.state_journal SET line = replace(line, '2222', '2223') WHERE seq = 2")
        for body in [{ _ = try await stand.store().load() }, { _ = try await lock(stand.store()) }] {
            let error = try await stateError(body)
            #expect(error.code == .damaged && error.line == 2)
            #expect(
                error.message
                    == "belay.state_journal in database/main, system default/shop: line 2 is damaged: its hash does not fit its text; nothing was changed"
            )
        }
        #expect(try await stand.store().holder() == nil, "who could not use the lock gave it back")
        #expect(try await stand.ask("SELECT count(*) FROM belay.state_journal") == "3")
    }

    @Test(arguments: [
        ("DROP SCHEMA belay CASCADE", "the schema went away"),
        ("DELETE FROM belay.state_journal", "a restore took the journal with it"),
        ("DELETE FROM belay.state_journal WHERE seq = 2", "the journal was restored as it was earlier"),
        ("UPDATE belay.state_lease SET id = 'other'", "somebody has it now"),
        ("INSERT INTO belay.state_journal VALUES ('default/shop', 3, '')", "somebody wrote without the lock"),
    ])
    func whoseJournalWasTakenAwayWritesNothingMore(_ statement: String, why: String) async throws {
        let stand = try await Stand.postgres()
        let session = try await lock(stand.store())
        for digit in "12" { try await session.append(.accepted(digit), at: .example) }
        _ = try await PostgresServer.shared.psql(statement, database: stand.name)
        for _ in 0..<2 {
            let error = try await stateError { try await session.append(.accepted("3"), at: .example) }
            #expect(error.code == .lockLost, "\(why)")
            #expect(error.next == "the next pass goes on from what is recorded")
        }
        await session.release()
    }

    @Test func aJournalThatIsGoneIsAFirstContact() async throws {
        let stand = try await Stand.postgres()
        let session = try await lock(stand.store())
        try await session.append(.accepted("1"), at: .example)
        await session.release()
        _ = try await PostgresServer.shared.psql("DROP SCHEMA belay CASCADE", database: stand.name)
        #expect(try await stand.store().load() == RecordedState())
        let next = try await lock(stand.store())
        #expect(await next.state == RecordedState())
        await next.release()
    }

    // MARK: Rights

    @Test func readingMakesNothing() async throws {
        let stand = try await Stand.postgres()
        #expect(try await stand.store().load() == RecordedState())
        #expect(try await stand.store().holder() == nil)
        #expect(try await stand.store().hashKey(making: false) == nil)
        #expect(try await stand.ask("SELECT to_regnamespace('belay')") == nil)
    }

    @Test func aRoleThatMayOnlyReadReads() async throws {
        let stand = try await Stand.postgres()
        let user = "reader_\(stand.name)"
        _ = try await PostgresServer.shared.psql("CREATE ROLE \(user) LOGIN", database: stand.name)
        let reading = Stand(at: try await PostgresServer.shared.url(of: stand.name, user: user), stand.name).store()
        #expect(try await reading.load() == RecordedState(), "an empty database is one where nothing is recorded")

        let refused = try await stateError { _ = try await lock(reading) }
        #expect(refused.code == .notPermitted)
        #expect(refused.next == "give the role its rights on the tables of the state; docs/state.md lists them")

        let session = try await lock(stand.store())
        try await session.append(.accepted("1"), at: .example)
        await session.release()
        #expect(try await stateError { _ = try await reading.load() }.code == .notPermitted, "the tables are not everybody's")
        _ = try await PostgresServer.shared.psql(
            "GRANT USAGE ON SCHEMA belay TO \(user); GRANT SELECT ON ALL TABLES IN SCHEMA belay TO \(user)", database: stand.name)
        #expect(try await reading.load().isKnown)
        #expect(try await reading.holder() == nil)
    }

    @Test func aRoleThatMayOnlyWriteTheTablesWorks() async throws {
        let stand = try await Stand.postgres()
        let user = "writer_\(stand.name)"
        // The tables are made by an administrator, as the page about state shows it.
        _ = try await PostgresServer.shared.psql("CREATE ROLE \(user) LOGIN; " + (try Self.page(user)), database: stand.name)
        let writing = Stand(at: try await PostgresServer.shared.url(of: stand.name, user: user), stand.name).store()
        let session = try await lock(writing)
        try await session.append(.accepted("1"), at: .example)
        await session.release()
        #expect(try await writing.hashKey(making: true)?.count == 32)
        #expect(try await writing.load().isKnown)
    }

    /// The statements of docs/state.md for an administrator.
    private static func page(_ user: String) throws -> String {
        let place = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOf: URL(filePath: "/\(place)/docs/state.md"), encoding: .utf8)
        let block = try #require(text.split(separator: "```sql\n").dropFirst().first?.split(separator: "```").first)
        return String(block).replacing("belay_role", with: user)
    }

    @Test func aReplicaIsNotWritten() async throws {
        let stand = try await Stand.postgres()
        _ = try await PostgresServer.shared.psql(
            "ALTER DATABASE \(stand.name) SET default_transaction_read_only = on", database: "postgres")
        let error = try await stateError { _ = try await lock(stand.store()) }
        #expect(error.code == .notPermitted)
        #expect(error.next == "give the address of the primary server, and a role that may write")
    }

    // MARK: Settings of a database

    @Test(arguments: [
        "default_transaction_isolation = 'serializable'", "synchronous_commit = off", "search_path = ''", "bytea_output = 'escape'",
    ])
    func aSettingOfTheDatabaseChangesNothing(_ setting: String) async throws {
        let stand = try await Stand.postgres()
        _ = try await PostgresServer.shared.psql("ALTER DATABASE \(stand.name) SET \(setting)", database: "postgres")
        let session = try await lock(stand.store())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for digit in "12345678" {
                group.addTask { try await session.append(.accepted(digit), at: .example) }
                group.addTask { try await session.renew() }
            }
            try await group.waitForAll()
        }
        await session.release()
        #expect(try await stand.store().history().count == 8)
    }

    @Test func anAppendIsDurableWhereTheServerAnswersBeforeItIs() async throws {
        let stand = try await Stand.postgres()
        _ = try await PostgresServer.shared.psql("ALTER DATABASE \(stand.name) SET synchronous_commit = off", database: "postgres")
        let said = Mutex<String?>(nil)
        let store = stand.store { connection in
            LossyConnection(
                connection,
                answered: { sql, rows in
                    if sql.contains("INSERT INTO belay.state_journal") { said.withLock { $0 = rows.rows.first?.last ?? nil } }
                }
            ) { _ in nil }
        }
        let session = try await lock(store)
        try await session.append(.accepted("1"), at: .example)
        await session.release()
        #expect(said.withLock { $0 } == "on", "for this transaction the server was told to wait for its disk")
    }

    // MARK: Secrets

    @Test(arguments: [
        "postgres://ann:hunter2-hunter2@127.0.0.1:1/main", "postgres://ann:hunter2-hunter2@127.0.0.1:\\/x",
        "hunter2-hunter2 hunter2-hunter2",
        "postgres://ann:hunter2-hunter2@no-such-host.invalid/main",
    ])
    func noErrorHoldsAPassword(_ url: String) async throws {
        for body in [{ _ = try await Stand(at: url).store().load() }, { _ = try await lock(Stand(at: url).store()) }] {
            let error = try await stateError(body)
            #expect(!"\(error) \(error.problem)".contains("hunter2"))
            #expect([.unreachable, .noPlace].contains(error.code))
            #expect(error.message.hasPrefix("the state in database/main cannot be "))
        }
    }

    @Test func anAddressThatCannotBeReadIsSaid() async throws {
        let store = DatabaseStateStore(SystemID(name: "shop"), in: Stand(at: "").database) { _ in
            .failure(Problem("ValueMissing", "database/main: its address: the variable URL is not set", next: "set it"))
        }
        let error = try await stateError { _ = try await store.load() }
        #expect(
            error.description
                == "the state in database/main cannot be read: database/main: its address: the variable URL is not set; set it")
    }
}

/// Loses answers: of what was never sent, or of what took effect.
actor LossyConnection: SQLConnection {
    enum Loss { case before, after }

    nonisolated let engine: SQLEngine
    private let inner: any SQLConnection
    private let hold: @Sendable (String, [SQLValue]) -> Void
    private let answered: @Sendable (String, SQLRows) -> Void
    private let loss: @Sendable (String) -> Loss?

    init(
        _ inner: any SQLConnection, hold: @escaping @Sendable (String, [SQLValue]) -> Void = { _, _ in },
        answered: @escaping @Sendable (String, SQLRows) -> Void = { _, _ in }, loss: @escaping @Sendable (String) -> Loss?
    ) {
        self.inner = inner
        engine = inner.engine
        self.hold = hold
        self.answered = answered
        self.loss = loss
    }

    func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows {
        let loss = loss(sql)
        if loss == .before {
            hold(sql, parameters)
            await inner.close()
            throw SQLError(.lost, "the connection was closed")
        }
        let rows = try await inner.query(sql, parameters)
        answered(sql, rows)
        guard loss == .after else { return rows }
        await inner.close()
        throw SQLError(.lost, "the connection was closed")
    }

    func execute(_ script: String) async throws(SQLError) { try await inner.execute(script) }
    var transaction: SQLTransactionState { get async { await inner.transaction } }
    func close() async { await inner.close() }
}
