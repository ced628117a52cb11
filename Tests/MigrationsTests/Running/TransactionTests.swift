import DatabaseServers
import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing
import Synchronization
import Testing

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(2))) struct TransactionTests {
    @Test func aMigrationItsRecordAndItsArchiveAreThereTogether() async throws {
        let bench = try await Bench()
        let session = try await bench.session()
        let job = try MigrationJob.make("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
        #expect(await session.run(job) == .done("applied 1_a (2 statements)"))
        #expect(await session.run(job) == .done("1_a is applied already"))
        #expect(try await bench.recorded() == ["1"])
        let row = try #require(try await Archive(.postgres).row(of: "1_a", on: bench.connection))
        #expect(row.state == .applied && row.sequence == 1 && row.run == "r1" && row.appliedAt != nil && row.milliseconds != nil)
        #expect(ArchiveSignature.isSigned(row, key: [1]) && !ArchiveSignature.isSigned(row, key: [2]))
        let down = try MigrationJob.make("DROP TABLE t", isUp: false)
        #expect(await session.run(down).isDone)
        #expect(await session.run(down) == .done("1_a is taken back already"))
        #expect(try await bench.recorded() == [])
        #expect(try await bench.state() == .reverted)
        #expect(try await bench.events() == ["applied", "reverted"])
        await session.close()
    }

    @Test(arguments: [false, true]) func aFailureLeavesNothingAndNamesItsPlace(oneByOne: Bool) async throws {
        let bench = try await Bench()
        var settings = bench.settings()
        if oneByOne { settings.afterEffect = { _ in } }
        let session = try await MigrationSession.open(settings).get()
        let job = try MigrationJob.make("CREATE TABLE t (id int);\n\nINSERT INTO t\n  SELECT nothing;", firstLine: 4)
        let problem = await session.run(job).problem
        #expect(problem?.reason == "MigrationFailed")
        #expect(problem?.message.hasPrefix("db/1_a.sql:7:10: ") == true, "\(problem?.message ?? "")")
        let runtime = try MigrationJob.make("CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\n SELECT 1/count(*) FROM t WHERE id = 2;")
        #expect(await session.run(runtime).problem?.message.hasPrefix("db/1_a.sql:3:2: ") == true)
        #expect(try await bench.scalar("SELECT to_regclass('t')") == nil)
        #expect(try await bench.state() == nil)
        #expect(try await bench.events() == ["failed", "failed"])
        #expect(await session.run(try .make("CREATE TABLE t (id int)")).isDone)
        await session.close()
    }

    @Test(arguments: [false, true]) func aScriptThatWipesTheSearchPathReachesNeitherItsRecordNorTheNextOne(pooled: Bool) async throws {
        guard !pooled || PostgresServer.isPoolerAvailable else { return }
        let bench = try await Bench(pooled: pooled)
        let session = try await bench.session(pooled: pooled)
        let dump = """
            SET statement_timeout = 0; SET client_encoding = 'UTF8'; SELECT pg_catalog.set_config('search_path', '', false);
            CREATE TABLE public.t (id int);
            """
        // The record's own table is named without a schema here.
        let first = try MigrationJob.make(dump, records: [SQLRun("INSERT INTO schema_migrations VALUES ($1)", ["1"])])
        #expect(await session.run(first).problem == nil)
        #expect(await session.run(try .make("ALTER TABLE t ADD n int", version: "2_b")).problem == nil)
        #expect(try await bench.recorded() == ["1", "2"])
        await session.close()
    }

    @Test func throughAPoolerSettingsOfTheSessionNeedADirectConnection() async throws {
        guard PostgresServer.isPoolerAvailable else { return }
        let bench = try await Bench(pooled: true)
        let session = try await bench.session(pooled: true, direct: false)
        let problem = await session.run(try .make("CREATE TABLE t (id int);\nSET search_path = ''")).problem
        #expect(problem?.reason == "DirectConnectionNeeded")
        #expect(problem?.next?.contains("directUrl") == true)
        #expect(await session.run(try .make("CREATE INDEX CONCURRENTLY i ON t (id)")).problem?.reason == "DirectConnectionNeeded")
        #expect(await session.run(try .make("CREATE TABLE t (id int)")).isDone)
        await session.close()
    }

    @Test func aLockThatIsNotHadIsTriedAgain() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE t (id int)")
        let session = try await bench.session()
        try await bench.connection.execute("BEGIN; LOCK TABLE t IN ACCESS SHARE MODE")
        var job = try MigrationJob.make("ALTER TABLE t ADD n int")
        job.timeouts.lockRetries = 1
        #expect(await session.run(job).problem?.reason == "LockTimeout")
        job.timeouts.lockRetries = 50
        async let end = session.run(job)
        try await Task.sleep(for: .milliseconds(500))
        try await bench.connection.execute("COMMIT")
        #expect(await end.isDone)
        await session.close()
    }

    @Test func aStatementThatTakesTooLongIsToldAndTheRolesOwnLimitDoesNotCount() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("ALTER DATABASE \(bench.name) SET statement_timeout = '1s'")
        let session = try await bench.session()
        #expect(await session.run(try .make("SELECT pg_sleep(1.5)")).isDone)
        var job = try MigrationJob.make("SELECT pg_sleep(5)", version: "2_b")
        job.timeouts.statement = .milliseconds(200)
        #expect(await session.run(job).problem?.reason == "StatementTimeout")
        job.timeouts.statement = .seconds(60)
        job.timeouts.migration = .milliseconds(300)
        #expect(await session.run(job).problem?.reason == "MigrationTimeout")
        #expect(try await bench.recorded() == ["1"])
        await session.close()
    }

    @Test func whoLostTheLeaseRollsBack() async throws {
        let bench = try await Bench()
        var settings = bench.settings()
        let other = try await PostgresConnection(PostgresAddress(bench.url))
        settings.afterEffect = { effect in
            guard effect == "statement 0" else { return }
            do {
                try await other.execute("UPDATE belay.migration_lease SET expires_at = now() - interval '1 s'")
                guard case .taken = try await Lease.take(on: other, holder: "bob", for: .seconds(30)) else { return }
            } catch {
                Issue.record(error)
            }
        }
        let session = try await MigrationSession.open(settings).get()
        #expect(await session.run(try .make("CREATE TABLE t (id int)")).problem?.reason == "LeaseLost")
        #expect(try await bench.scalar("SELECT to_regclass('t')") == nil)
        let again = await session.run(try .make("CREATE TABLE t (id int)")).problem
        #expect(again?.reason == "LeaseLost", "what it knows of the schema is old")
        #expect(again?.message.contains("bob") == true)
        await session.close()
    }

    @Test func transactionControlIsRefusedAndABlockCannotEndTheTransaction() async throws {
        let bench = try await Bench()
        let session = try await bench.session()
        let problem = await session.run(try .make("CREATE TABLE t (id int);\nCOMMIT;\nCREATE TABLE u (id int)")).problem
        #expect(problem?.reason == "TransactionControlInMigration")
        #expect(problem?.message.hasPrefix("db/1_a.sql:2:1: ") == true)
        let block = await session.run(try .make("CREATE TABLE t (id int); DO $$ BEGIN COMMIT; END $$")).problem
        #expect(block?.reason == "MigrationFailed")
        #expect(try await bench.scalar("SELECT to_regclass('t')") == nil)
        await session.close()
    }

    /// The parser would have to be wrong: its facts are taken away here.
    @Test(arguments: [false, true]) func aTransactionThatWasLeftIsFoundOut(oneByOne: Bool) async throws {
        let bench = try await Bench()
        var settings = bench.settings()
        if oneByOne { settings.afterEffect = { _ in } }
        let session = try await MigrationSession.open(settings).get()
        var job = try MigrationJob.make("CREATE TABLE t (id int); COMMIT; BEGIN; CREATE TABLE u (id int)")
        for index in job.facts.facts.indices { job.facts.facts[index].control = nil }
        #expect(await session.run(job).problem?.reason == "TransactionEscaped")
        #expect(try await bench.state() == .stuck)
        #expect(try await bench.recorded() == [])
        #expect(await session.run(job).problem?.reason == "MigrationStuck")
        #expect(await session.resolve("1_a", .done) == nil)
        #expect(await session.run(job).isDone)
        #expect(try await bench.recorded() == ["1"])
        await session.close()
    }

    @Test func aLossIsLockedCountedAndSavedBeforeItHappens() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 3)")
        let session = try await bench.session()
        var job = try MigrationJob.make("DROP TABLE t")
        job.tablesAtRisk = ["t", "gone"]
        job.count = { connection throws(SQLError) in
            MigrationJob.AtRisk(rows: Int(try await connection.query("SELECT count(*) FROM t").scalar ?? ""), tables: ["public.t"])
        }
        job.approvedRows = 2
        #expect(await session.run(job).problem?.reason == "MoreRowsThanApproved")
        job.approvedRows = 3
        let url = bench.url
        let saved = Mutex<String?>(nil)
        job.backup = { moment, _ in
            do {
                #expect(moment.tables == ["public.t"])
                let reader = try await PostgresConnection(PostgresAddress(url))
                try await reader.execute(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '\(moment.snapshot ?? "")'")
                let count = try await reader.query("SELECT count(*) FROM t").scalar
                saved.withLock { $0 = count }
                try await reader.execute("COMMIT; SET lock_timeout = '100ms'")
                await #expect(throws: SQLError.self) { try await reader.execute("INSERT INTO t VALUES (4)") }
                await reader.close()
                return .success([])
            } catch {
                return .failure(Problem("BackupFailed", "\(error)"))
            }
        }
        #expect(await session.run(job).problem == nil)
        #expect(saved.withLock { $0 } == "3")
        await session.close()
    }

    @Test func aWayBackThatDoesNotRestoreTheSchemaIsRolledBackWhereThatIsWanted() async throws {
        let bench = try await Bench()
        let session = try await bench.session()
        #expect(await session.run(try .make("CREATE TABLE t (id int)")).isDone)
        var job = try MigrationJob.make("ALTER TABLE t ADD n int", isUp: false)
        job.fingerprint = { connection throws(SQLError) in
            let lines = try await connection.query("SELECT string_agg(relname, E'\\n' ORDER BY relname) FROM pg_class WHERE relname = 't'")
                .scalar
            return MigrationJob.SchemaState(hash: lines ?? "", lines: lines)
        }
        job.expected = MigrationJob.SchemaState(hash: "", lines: "")
        job.verify = .strict
        let problem = await session.run(job).problem
        #expect(problem?.reason == "SchemaDiffers")
        #expect(problem?.message.contains("+ t") == true)
        #expect(try await bench.recorded() == ["1"])
        job.verify = .warn
        guard case .done(let text) = await session.run(job) else { throw CancellationError() }
        #expect(text.contains("does not restore"))
        await session.close()
    }

    @Test func aPlainMigrationCostsOneRoundTrip() async throws {
        let bench = try await Bench()
        let trips = Mutex(0)
        let url = bench.url
        var settings = MigrationSession.Settings(table: "public.schema_migrations", run: "r1", actor: "ann") { _ throws(SQLError) in
            CountingConnection(try await PostgresConnection(PostgresAddress(url))) { trips.withLock { $0 += 1 } }
        }
        settings.leaseDuration = .seconds(600)
        settings.heartbeat = .seconds(300)
        let session = try await MigrationSession.open(settings).get()
        let opening = trips.withLock { $0 }
        for number in 1...100 {
            let job = try MigrationJob.make(
                "CREATE TABLE t\(number) (id int); INSERT INTO t\(number) VALUES (1)", version: "\(number)_a")
            #expect(await session.run(job).isDone)
        }
        #expect(trips.withLock { $0 } == opening + 100)
        #expect(opening < 20)
        #expect(try await bench.scalar("SELECT max(seq) FROM belay.migration_archive") == "100")
        await session.close()
    }

    @Test func twoMakeTheTablesAtOnce() async throws {
        let bench = try await Bench()
        let url = bench.url
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let connection = try await PostgresConnection(PostgresAddress(url))
                    try await Archive(.postgres).ensure(on: connection)
                    await connection.close()
                }
            }
            try await group.waitForAll()
        }
        #expect(try await bench.scalar("SELECT count(*) FROM belay.migration_lease") == "1")
    }
}

actor CountingConnection: SQLConnection {
    nonisolated let engine = SQLEngine.postgres
    private let inner: PostgresConnection
    private let count: @Sendable () -> Void

    init(_ inner: PostgresConnection, count: @escaping @Sendable () -> Void) {
        self.inner = inner
        self.count = count
    }

    func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows {
        count()
        return try await inner.query(sql, parameters)
    }

    func execute(_ script: String) async throws(SQLError) {
        count()
        try await inner.execute(script)
    }

    var transaction: SQLTransactionState { get async { await inner.transaction } }
    func close() async { await inner.close() }
}
