import DatabaseServers
import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing
import Testing

/// A script outside of a transaction that goes on where it was interrupted.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(2))) struct ResumeTests {
    private static let twoTables = """
        CREATE SCHEMA app; CREATE TABLE app.t (a int); INSERT INTO app.t VALUES (1), (1); CREATE TABLE public.t (a int)
        """

    @Test(arguments: [
        ("SET search_path TO app", "a setting of the session"),
        ("SELECT pg_catalog.set_config('search_path', 'app', false)", "the same as a function"),
        ("CREATE TEMP TABLE scratch (a int); SET search_path = app", "what the session still has is made anew"),
        ("SET search_path TO public; SET search_path TO app", "the last one counts"),
    ])
    func whatItSetForItsSessionHolds(setting: String, why: String) async throws {
        for staysOpen in [false, true] {
            let bench = try await Bench()
            try await bench.connection.execute(Self.twoTables)
            var session = try await bench.session()
            let job = try MigrationJob.make("\(setting); CREATE UNIQUE INDEX CONCURRENTLY u ON t (a)", isTransactional: false)
            #expect(await session.run(job).problem?.reason == "MigrationFailed", "\(why)")
            if !staysOpen {
                await session.close()
                session = try await bench.session("r2")
            }
            try await bench.connection.execute("DELETE FROM app.t")
            #expect(await session.run(job).problem == nil, "\(why)")
            #expect(try await bench.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.u'::regclass") == "t", "\(why)")
            #expect(try await bench.scalar("SELECT to_regclass('public.u')") == nil, "\(why)")
            await session.close()
            await bench.connection.close()
        }
    }

    @Test func aBlockThatSetsSomethingIsNotRunTwice() async throws {
        let bench = try await Bench()
        try await bench.connection.execute(Self.twoTables)
        let session = try await bench.session()
        let job = try MigrationJob.make(
            """
            DO $$ BEGIN INSERT INTO app.t VALUES (2); PERFORM set_config('search_path', 'app', false); END $$;
            CREATE UNIQUE INDEX CONCURRENTLY u ON t (a)
            """, isTransactional: false)
        #expect(await session.run(job).problem?.reason == "MigrationFailed")
        try await bench.connection.execute("DELETE FROM app.t WHERE a = 1")
        let problem = await session.run(job).problem
        #expect(problem?.reason == "SessionNotRestored")
        #expect(problem?.message.hasPrefix("db/1_a.sql:1:1: ") == true, "\(problem?.message ?? "")")
        #expect(problem?.next?.contains("--undo") == true)
        #expect(try await bench.scalar("SELECT count(*) FROM app.t") == "1")
        #expect(try await bench.scalar("SELECT to_regclass('public.u')") == nil)
        await session.close()
    }

    /// Ends the session at the first statement that is sent outside of a transaction.
    private func killed(_ bench: Bench, _ run: String, _ job: MigrationJob) async throws {
        var settings = bench.settings(run)
        let killer = try await PostgresConnection(PostgresAddress(bench.url))
        settings.afterEffect = { effect in
            guard effect == "begun" else { return }
            do {
                try await killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'belay/\(run)/%' "
                        + "AND datname = current_database()")
            } catch {
                Issue.record(error)
            }
        }
        let session = try await MigrationSession.open(settings).get()
        let end = await session.run(job)
        guard case .undecided = end else {
            Issue.record("not interrupted: \(end)")
            return
        }
        await session.close()
        try await bench.connection.execute("UPDATE belay.migration_lease SET holder = NULL")
        await killer.close()
    }

    @Test func oneRetryIsNotAnother() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE t (id int)")
        let job = try MigrationJob.make("DO $$ BEGIN INSERT INTO t VALUES (2); END $$", isTransactional: false)
        try await killed(bench, "a", job)
        let first = try await bench.session("b")
        #expect(await first.run(job).problem?.reason == "MigrationStuck")
        #expect(await first.resolve("1_a", .retry) == nil)
        await first.close()
        try await killed(bench, "c", job)
        let second = try await bench.session("d")
        #expect(await second.run(job).problem?.reason == "MigrationStuck", "nobody asked for this run")
        #expect(await second.resolve("1_a", .retry) == nil)
        #expect(await second.run(job).problem == nil)
        #expect(try await bench.scalar("SELECT count(*) FROM t") == "1")
        await second.close()
    }

    private func watched(_ job: MigrationJob) -> MigrationJob {
        var job = job
        job.fingerprint = { connection throws(SQLError) in
            let lines = try await connection.query(
                "SELECT coalesce(string_agg(attname, ',' ORDER BY attname), '') FROM pg_attribute "
                    + "WHERE attrelid = 'public.t'::regclass AND attnum > 0 AND NOT attisdropped"
            ).scalar
            return MigrationJob.SchemaState(hash: lines ?? "", lines: lines)
        }
        return job
    }

    @Test(arguments: [.warn, .strict] as [MigrationSettings.Verification])
    func aWayBackOutsideOfATransactionIsNotSaidToBeRolledBack(verify: MigrationSettings.Verification) async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE t (a int)")
        let session = try await bench.session()
        #expect(await session.run(try .make("ALTER TABLE t ADD b int")).isDone)
        var down = watched(try .make("ALTER TABLE t ADD c int", isUp: false, isTransactional: false))
        (down.verify, down.expected) = (verify, MigrationJob.SchemaState(hash: "a", lines: "a"))
        guard case .done(let text) = await session.run(down) else { throw CancellationError() }
        #expect(text.contains("does not restore the schema"))
        #expect(!text.contains("everything was rolled back"))
        #expect(text.contains("it was not rolled back: it ran outside of a transaction") == (verify == .strict), "\(text)")
        await session.close()
    }

    @Test func howTheSchemaWasBeforeIsKeptAcrossAnInterruption() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE t (a int)")
        let session = try await bench.session()
        #expect(await session.run(watched(try .make("ALTER TABLE t ADD b int", isTransactional: false))).isDone)
        let whole = try await Archive(.postgres).row(of: "1_a", on: bench.connection)
        #expect(whole?.fingerprintBefore == "a" && whole?.linesBefore == "a" && whole?.fingerprintAfter == "a,b")
        let job = watched(
            try .make("ALTER TABLE t ADD c int; CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", version: "2_b", isTransactional: false))
        try await bench.connection.execute("INSERT INTO t VALUES (1), (1)")
        #expect(await session.run(job).problem?.reason == "MigrationFailed")
        try await bench.connection.execute("DELETE FROM t")
        #expect(await session.run(job).isDone)
        let resumed = try await Archive(.postgres).row(of: "2_b", on: bench.connection)
        #expect(resumed?.fingerprintBefore == "a,b" && resumed?.linesBefore == "a,b" && resumed?.fingerprintAfter == "a,b,c")
        await session.close()
    }
}
