import DatabaseServers
import Migrations
import Model
import Planning
import ProviderKit
import Testing

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct ConcurrencyTests {
    @Test(arguments: Shop.Engine.allCases) func twoAtOnceApplyNothingTwice(_ engine: Shop.Engine) async throws {
        let shop = try await Shop(engine)
        for number in 10..<22 {
            try shop.write("202401\(number)000000_m", up: "CREATE TABLE t_\(number) (id integer);", down: "DROP TABLE t_\(number);")
        }
        let pin = "20240121000000_m"
        for _ in 0..<30 {
            async let first = shop.move(to: pin)
            async let second = shop.move(to: pin)
            for reason in [await first, await second] {
                // Whoever came second is told that somebody is at work, or that its plan has become too old.
                if let reason { #expect(["DatabaseBusy", "StatementFailed", "LockTimeout"].contains(reason), "\(reason)") }
            }
            if await shop.plan(pin).isInSync { break }
        }
        #expect(try await shop.versions().count == 12)
        #expect(try await shop.tables().count == 12)
    }

    @Test func aLockThatIsNotHadIsTriedAgain() async throws {
        var shop = try await Shop(.postgres)
        shop.settings.timeouts = .init(lock: .milliseconds(200), lockRetries: 30)
        try shop.write("20240101000000_t", up: "CREATE TABLE t_users (id integer);", down: "DROP TABLE t_users;")
        #expect(await shop.move(to: "20240101000000_t") == nil)
        try shop.write("20240102000000_c", up: "ALTER TABLE t_users ADD COLUMN a text;", down: "ALTER TABLE t_users DROP COLUMN a;")
        async let holder = shop.ask("BEGIN; LOCK TABLE t_users; SELECT pg_sleep(1.5); COMMIT")
        while try await shop.ask("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted") == "0" {}
        #expect(await shop.move(to: "20240102000000_c") == nil)
        _ = try await holder
    }

    @Test func aStatementThatTakesTooLongIsToldAsThat() async throws {
        var shop = try await Shop(.postgres)
        shop.settings.timeouts = .init(statement: .milliseconds(200))
        try shop.write("20240101000000_t", up: "CREATE TABLE t_a AS SELECT 1 AS x FROM pg_sleep(5);", down: "DROP TABLE t_a;")
        let reason = await shop.move(to: "20240101000000_t")
        #expect(reason == "StatementTimeout")
        #expect(try await shop.tables() == [])
    }

    @Test func aScriptThatWipesTheSearchPathHarmsNobodyElse() async throws {
        let shop = try await Shop(.postgres)
        try shop.write(
            "20240101000000_dump", up: "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.t_a (id integer);",
            down: "DROP TABLE t_a;")
        try shop.write("20240102000000_b", up: "CREATE TABLE t_b (id integer);", down: "DROP TABLE t_b;")
        #expect(await shop.move(to: "20240102000000_b") == nil)
        #expect(try await shop.tables() == ["t_a", "t_b"])
        #expect(await shop.move(to: "none") == nil)
    }

    @Test func whatCannotRunInATransactionRunsOutsideOfOne() async throws {
        let shop = try await Shop(.postgres)
        try shop.write("20240101000000_t", up: "CREATE TABLE t_a (id integer);", down: "DROP TABLE t_a;")
        try shop.write("20240102000000_i", up: "CREATE INDEX CONCURRENTLY i ON t_a (id);", down: "DROP INDEX i;")
        #expect(await shop.move(to: "20240102000000_i") == nil)
        #expect(try await shop.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == "t")
        #expect(await shop.move(to: "none") == nil)
        #expect(try await shop.versions() == [])
    }

    @Test func whatCannotRunInATransactionMustBeAloneInItsFile() async throws {
        let shop = try await Shop(.postgres)
        try shop.write("20240101000000_t", up: "CREATE TABLE t_a (id integer);", down: "DROP TABLE t_a;")
        try shop.write(
            "20240102000000_i", up: "CREATE TABLE t_b (id integer);\nCREATE INDEX CONCURRENTLY i ON t_a (id);", down: "DROP TABLE t_b;")
        #expect(await shop.move(to: "20240102000000_i") == "NonTransactionalStatement")
        #expect(try await shop.tables() == [])
    }

    @Test func aWrongTableIsToldAsWhoseItIs() async throws {
        let shop = try await Shop(.postgres)
        try shop.writeThree()
        try await shop.ask("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
        let observation = await shop.observe("none")
        #expect(observation.problem?.reason == "WrongMigrationsTable")
        #expect(observation.problem?.message.contains("golang-migrate") == true)
    }

    @Test(.enabled(if: PostgresServer.isPoolerAvailable, "\(PostgresServer.poolerNeed)"))
    func throughAPoolerOnlyWhatFitsIntoATransactionIsBegun() async throws {
        let shop = try await Shop(.postgres)
        try shop.writeThree()
        try shop.write("20240104000000_i", up: "CREATE INDEX CONCURRENTLY i ON t_a (id);", down: "DROP INDEX i;")
        let pooled = try await PostgresServer.shared.pooledURL(of: String(shop.address.split(separator: "/").last ?? ""))
        let driver = MigrationsDriver { _, _ in .success(Secret(pooled)) }
        let changes = ["20240101000000_a", "20240104000000_i"].map { MigrationChange($0, isUp: true) }
        let (database, request) = (shop.database("20240104000000_i"), shop.request())
        #expect(await driver.confirm(changes, of: database, request)?.reason == "DirectConnectionNeeded")
        #expect(await driver.confirm([changes[0]], of: database, request) == nil)
        guard case .done = await driver.migrate(changes[0], of: database, request, progress: { _ in }) else {
            Issue.record("it was not run")
            return
        }
        await driver.end(request)
        #expect(try await shop.tables() == ["t_a"])
    }
}
