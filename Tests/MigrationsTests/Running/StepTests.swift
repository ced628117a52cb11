import DatabaseServers
import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing
import Testing

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(2))) struct StepTests {
    @Test func anInvalidIndexIsRepairedEvenWhereTheStatementWouldPassItOver() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)")
        await #expect(throws: SQLError.self) { try await bench.connection.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON t (id)") }
        #expect(try await bench.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == "f")
        try await bench.connection.execute("DELETE FROM t")
        let session = try await bench.session()
        let job = try MigrationJob.make("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (id)")
        #expect(await session.run(job).problem == nil)
        #expect(try await bench.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == "t")
        #expect(try await bench.recorded() == ["1"])
        #expect(try await bench.events() == ["intent", "begun", "statement", "applied"])
        await session.close()
    }

    @Test func anIndexThatCannotBeBuiltIsToldAndBuiltOnceItCan() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)")
        let session = try await bench.session()
        let job = try MigrationJob.make("CREATE UNIQUE INDEX CONCURRENTLY i ON t (id)")
        #expect(await session.run(job).problem?.reason == "MigrationFailed")
        #expect(try await bench.state() == .applyingUp)
        try await bench.connection.execute("DELETE FROM t")
        #expect(await session.run(job).problem == nil)
        #expect(try await bench.state() == .applied)
        await session.close()
    }

    @Test func aPartitionThatTheTimeRanOutForIsDetachedToTheEnd() async throws {
        let bench = try await Bench()
        try await bench.connection.execute(
            "CREATE TABLE events (at int) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (2)")
        let other = try await PostgresConnection(PostgresAddress(bench.url))
        try await other.execute("BEGIN; SELECT * FROM events")
        let session = try await bench.session()
        var job = try MigrationJob.make("ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY")
        job.timeouts.statement = .milliseconds(300)
        job.timeouts.lock = .seconds(5)
        #expect(await session.run(job).problem?.reason == "StatementTimeout")
        try await other.execute("ROLLBACK")
        let end = await session.run(job)
        #expect(end.isDone, "\(end)")
        #expect(try await bench.scalar("SELECT count(*) FROM pg_inherits") == "0")
        await session.close()
    }

    @Test func somethingHalfDoneIsTakenBackByTheOtherScript() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)")
        let session = try await bench.session()
        let up = try MigrationJob.make(
            "ALTER TABLE t ADD n int; CREATE UNIQUE INDEX CONCURRENTLY i ON t (id); ALTER TABLE t ADD m int", isTransactional: false)
        #expect(await session.run(up).problem?.reason == "MigrationFailed")
        let down = try MigrationJob.make(
            "ALTER TABLE t DROP COLUMN m; DROP INDEX CONCURRENTLY i; ALTER TABLE t DROP COLUMN n", isUp: false, isTransactional: false)
        #expect(await session.run(down).problem == nil)
        #expect(
            try await bench.scalar("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped")
                == "1")
        #expect(try await bench.scalar("SELECT to_regclass('i')") == nil)
        #expect(try await bench.state() == .reverted)
        await session.close()
    }

    /// Interrupted while a block was under way: nothing tells whether it took effect.
    private func stuck(_ bench: Bench) async throws -> (MigrationSession, MigrationJob) {
        try await bench.connection.execute("CREATE TABLE t (id int)")
        let job = try MigrationJob.make(
            "INSERT INTO t VALUES (1); DO $$ BEGIN INSERT INTO t VALUES (2); END $$; INSERT INTO t VALUES (3)", isTransactional: false)
        let url = bench.url
        var settings = bench.settings("r0")
        let killer = try await PostgresConnection(PostgresAddress(url))
        settings.afterEffect = { effect in
            guard effect == "begun" else { return }
            do {
                try await killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'belay/r0/%' "
                        + "AND datname = current_database()")
            } catch {
                Issue.record(error)
            }
        }
        let first = try await MigrationSession.open(settings).get()
        guard case .undecided = await first.run(job) else { throw CancellationError() }
        await first.close()
        try await bench.connection.execute("UPDATE belay.migration_lease SET holder = NULL")
        let session = try await bench.session()
        let problem = await session.run(job).problem
        #expect(problem?.reason == "MigrationStuck")
        #expect(problem?.message.hasPrefix("db/1_a.sql:1:27: ") == true, "\(problem?.message ?? "")")
        #expect(try await bench.state() == .stuck)
        #expect(try await bench.recorded() == [])
        #expect(await session.run(job).problem?.reason == "MigrationStuck")
        return (session, job)
    }

    @Test func doneGoesOnBehindIt() async throws {
        let bench = try await Bench()
        let (session, job) = try await stuck(bench)
        #expect(await session.resolve("1_a", .done) == nil)
        #expect(await session.run(job).problem == nil)
        #expect(try await bench.scalar("SELECT string_agg(id::text, ',' ORDER BY id) FROM t") == "1,3")
        #expect(try await bench.recorded() == ["1"])
        #expect(await session.resolve("1_a", .done)?.reason == "NothingToResolve")
        await session.close()
    }

    @Test func retryRunsItAgain() async throws {
        let bench = try await Bench()
        let (session, job) = try await stuck(bench)
        #expect(await session.resolve("1_a", .retry) == nil)
        #expect(await session.run(job).problem == nil)
        #expect(try await bench.scalar("SELECT string_agg(id::text, ',' ORDER BY id) FROM t") == "1,2,3")
        await session.close()
    }

    @Test func undoRunsTheOtherScript() async throws {
        let bench = try await Bench()
        let (session, _) = try await stuck(bench)
        #expect(await session.resolve("1_a", .undo) == nil)
        #expect(try await bench.state() == .applyingDown)
        let down = try MigrationJob.make("DROP TABLE t", isUp: false, isTransactional: false)
        #expect(await session.run(down).problem == nil)
        #expect(try await bench.scalar("SELECT to_regclass('t')") == nil)
        #expect(try await bench.state() == .reverted)
        await session.close()
    }

    @Test(arguments: [false, true]) func ofTwoOperatorsOneWorksAndNothingHappensTwice(pooled: Bool) async throws {
        guard !pooled || PostgresServer.isPoolerAvailable else { return }
        let bench = try await Bench(pooled: pooled)
        let scripts = [
            "CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 20000)", "CREATE INDEX CONCURRENTLY i ON t (id)",
            "INSERT INTO t VALUES (0)", "CREATE INDEX CONCURRENTLY j ON t (id)", "INSERT INTO t VALUES (-1)",
        ]
        let jobs = try scripts.enumerated().map { try MigrationJob.make($1, version: "\($0 + 1)_a") }
        let problems = await withTaskGroup(of: [String].self) { group in
            for run in ["a", "b", "c"] {
                var settings = bench.settings(run, pooled: pooled)
                settings.patience = .seconds(30)
                group.addTask { [settings] in
                    switch await MigrationSession.open(settings) {
                    case .failure(let problem): return ["\(problem)"]
                    case .success(let session):
                        var problems: [String] = []
                        for job in jobs { if let problem = await session.run(job).problem { problems.append("\(problem)") } }
                        await session.close()
                        return problems
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(problems == [])
        #expect(try await bench.recorded() == ["1", "2", "3", "4", "5"])
        #expect(try await bench.scalar("SELECT count(*) FROM t") == "20002")
        #expect(try await bench.scalar("SELECT count(*) FROM belay.migration_journal WHERE event = 'applied'") == "5")
        #expect(try await bench.scalar("SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 't'::regclass") == "t")
    }

    @Test func whoeverIsBusyIsNamed() async throws {
        let bench = try await Bench()
        let session = try await bench.session("first")
        guard case .failure(let problem) = await MigrationSession.open(bench.settings("second")) else {
            Issue.record("two at once")
            return
        }
        #expect(problem.reason == "DatabaseBusy")
        #expect(problem.message.contains("ann@laptop, run first"))
        await session.close()
        let second = try await bench.session("second")
        await second.close()
    }
}
