import DatabaseServers
import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing
import Synchronization
import Testing

/// Who may move a schema, and who may not any more.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(2))) struct LeaseTests {
    private static let expire = "UPDATE belay.migration_lease SET expires_at = now() - interval '1 s'"

    @Test func aTableThatCannotBeMadeKeepsNobodyOut() async throws {
        let bench = try await Bench()
        var settings = bench.settings()
        settings.creation = "CREATE TABLE nowhere.schema_migrations (version text)"
        guard case .failure(let problem) = await MigrationSession.open(settings) else { throw CancellationError() }
        #expect(problem.reason == "DatabaseFailed")
        #expect(try await Lease.holding(on: bench.connection) == nil)
    }

    @Test func theRightThatIsMissingIsNamed() async throws {
        let bench = try await Bench()
        try await bench.connection.execute(
            """
            REVOKE CREATE ON SCHEMA public FROM PUBLIC; DROP TABLE public.schema_migrations;
            CREATE ROLE "\(bench.name)_mover"; GRANT CREATE ON DATABASE "\(bench.name)" TO "\(bench.name)_mover"
            """)
        let (url, role) = (bench.url, "\(bench.name)_mover")
        var settings = MigrationSession.Settings(table: "\"public\".\"schema_migrations\"", run: "r1", actor: "ann") {
            _ throws(SQLError) in
            let connection = try await PostgresConnection(PostgresAddress(url))
            try await connection.execute("SET ROLE \"\(role)\"")
            return connection
        }
        settings.creation = "CREATE TABLE public.schema_migrations (version text)"
        guard case .failure(let problem) = await MigrationSession.open(settings) else { throw CancellationError() }
        #expect(problem.reason == "RightMissing")
        #expect(problem.next == "let an administrator run GRANT CREATE ON SCHEMA \"public\" TO <the role of the migrations>")
        #expect(try await Lease.holding(on: bench.connection) == nil)
    }

    @Test func whatSomebodyElseTookBetweenTwoMigrationsIsNotTakenBackUnread() async throws {
        let bench = try await Bench()
        var settings = bench.settings()
        settings.heartbeat = .milliseconds(1)
        let session = try await MigrationSession.open(settings).get()
        #expect(await session.run(try .make("CREATE TABLE a (id int)")).isDone)
        try await bench.connection.execute(Self.expire)
        guard case .taken(let other) = try await Lease.take(on: bench.connection, holder: "bob", for: .seconds(30)) else {
            throw CancellationError()
        }
        let next = try MigrationJob.make("CREATE TABLE b (id int)", version: "2_b")
        let problem = await session.run(next).problem
        #expect(problem?.reason == "LeaseLost")
        #expect(problem?.message.contains("bob") == true)
        try await other.release(on: bench.connection)
        // Even where nobody has it now: what was read of the schema is old.
        #expect(await session.run(next).problem?.reason == "LeaseLost")
        #expect(try await bench.scalar("SELECT to_regclass('b')") == nil)
        await session.close()
    }

    @Test func whatMerelyRanOutIsProlonged() async throws {
        let bench = try await Bench()
        var settings = bench.settings()
        settings.heartbeat = .milliseconds(1)
        let session = try await MigrationSession.open(settings).get()
        #expect(await session.run(try .make("CREATE TABLE a (id int)")).isDone)
        try await bench.connection.execute(Self.expire)
        #expect(await session.run(try .make("CREATE TABLE b (id int)", version: "2_b")).isDone)
        await session.close()
    }

    @Test func aPassThatWaitsBetweenTwoMigrationsKeepsItsLease() async throws {
        let bench = try await Bench()
        var settings = bench.settings()
        settings.heartbeat = .milliseconds(20)
        settings.leaseDuration = .milliseconds(300)
        let session = try await MigrationSession.open(settings).get()
        #expect(await session.run(try .make("CREATE TABLE a (id int)")).isDone)
        // Longer than a lease lasts: as a rollout between two migrations may take.
        for _ in 0..<10 {
            try await Task.sleep(for: .milliseconds(60))
            await session.keep()
        }
        guard case .held = try await Lease.take(on: bench.connection, holder: "bob", for: .seconds(30)) else {
            Issue.record("somebody else could take it")
            return
        }
        #expect(await session.run(try .make("CREATE TABLE b (id int)", version: "2_b")).isDone)
        await session.close()
    }

    @Test func aNewConnectionIsHeldAsTheFirstOneWas() async throws {
        let bench = try await Bench()
        var settings = bench.settings("r1")
        let other = try await PostgresConnection(PostgresAddress(bench.url))
        let begun = Mutex(0)
        let held = Mutex<[String?]>([])
        settings.afterEffect = { effect in
            guard effect == "begin" else { return }
            let isFirst = begun.withLock { count in
                count += 1
                return count == 1
            }
            do {
                let sessions =
                    "FROM pg_stat_activity WHERE application_name LIKE 'belay/r1/%' AND datname = current_database()"
                if isFirst {
                    try await other.execute("SELECT pg_terminate_backend(pid) \(sessions)")
                } else {
                    let rows = try await other.query(
                        "SELECT (SELECT count(*) \(sessions)), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                            + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))")
                    held.withLock { $0 = rows.rows.first ?? [] }
                }
            } catch {
                Issue.record(error)
            }
        }
        let session = try await MigrationSession.open(settings).get()
        #expect(await session.run(try .make("CREATE TABLE a (id int)")).problem?.reason == "ConnectionLost")
        #expect(await session.run(try .make("CREATE TABLE a (id int)")).isDone)
        #expect(held.withLock { $0 } == ["1", "1"])
        await session.close()
    }

    @Test func anAdoptionThatFailsGivesTheLeaseBack() async throws {
        var shop = try await Shop(.postgres)
        try shop.writeThree()
        shop.settings.baseline = "20240101000000_a"
        try await shop.ask(
            """
            CREATE TABLE t_a (id integer); CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON schema_migrations FOR EACH ROW EXECUTE FUNCTION refuse()
            """)
        let driver = shop.driver
        let problem = await driver.adopt(shop.database("20240103000000_c"), shop.request())
        #expect(problem?.message.contains("no") == true)
        let connection = try await PostgresConnection(PostgresAddress(shop.address))
        #expect(try await Lease.holding(on: connection) == nil)
        await connection.close()
    }

    @Test func aRenewalThatFailsIsTriedAgain() async throws {
        let bench = try await Bench()
        try await Archive(.postgres).ensure(on: bench.connection)
        guard case .taken(let lease) = try await Lease.take(on: bench.connection, holder: "ann", for: .seconds(30)) else {
            throw CancellationError()
        }
        let answers = Mutex([true, nil, nil, true, false, true])
        await lease.keep(every: .milliseconds(1), on: ContinuousClock()) { given in
            #expect(given == lease)
            guard let answer = answers.withLock({ $0.removeFirst() }) else { throw SQLError(.lost, "gone") }
            return answer
        }
        #expect(answers.withLock { $0.count } == 1, "it ends when somebody else has it, and not before")
    }
}
