import DatabaseServers
import Migrations
import Model
import ProviderKit
import Testing

/// What users of other tools were bitten by (contract migrations.md §2.1), on real databases.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct PathTests {
    @Test(arguments: Shop.Engine.allCases) func upAndDownByOnePin(_ engine: Shop.Engine) async throws {
        let shop = try await Shop(engine)
        try shop.writeThree()
        #expect(await shop.move(to: "20240103000000_c") == nil)
        #expect(try await shop.tables() == ["t_a", "t_b", "t_c"])
        #expect(try await shop.versions() == ["20240101000000", "20240102000000", "20240103000000"])
        #expect(await shop.plan("20240103000000_c").isInSync)
        #expect(await shop.move(to: "20240101000000") == nil)
        #expect(try await shop.tables() == ["t_a"])
        #expect(await shop.move(to: "none") == nil)
        #expect(try await shop.tables() == [])
        #expect(try await shop.versions() == [])
    }

    @Test(arguments: Shop.Engine.allCases) func revertingTheCommitThatRemovesTheFileTakesTheRightMigrationBack(_ engine: Shop.Engine)
        async throws
    {
        let shop = try await Shop(engine)
        try shop.writeThree()
        #expect(await shop.move(to: "20240103000000_c") == nil)
        try shop.remove("20240103000000_c")
        #expect(await shop.move(to: "20240102000000_b") == nil)
        #expect(try await shop.tables() == ["t_a", "t_b"])
        #expect(try await shop.versions() == ["20240101000000", "20240102000000"])
    }

    @Test(arguments: Shop.Engine.allCases) func aCopyThatWasTamperedWithIsNotRun(_ engine: Shop.Engine) async throws {
        let shop = try await Shop(engine)
        try shop.writeThree()
        #expect(await shop.move(to: "20240103000000_c") == nil)
        try shop.remove("20240103000000_c")
        let table = engine == .sqlite ? "_belay_migration_archive" : "belay.migration_archive"
        try await shop.ask("UPDATE \(table) SET down_sql = 'DROP TABLE t_a' WHERE version LIKE '%_c'")
        #expect(await shop.move(to: "20240102000000_b") == "ArchiveTampered")
        #expect(try await shop.tables() == ["t_a", "t_b", "t_c"])
    }

    @Test(arguments: Shop.Engine.allCases) func somethingIrreversibleInTheMiddleStopsBeforeAnythingRuns(_ engine: Shop.Engine) async throws
    {
        let shop = try await Shop(engine)
        try shop.writeThree()
        try shop.write("20240102000000_b", up: "CREATE TABLE t_b (id integer);", down: "-- nothing leads back")
        #expect(await shop.move(to: "20240103000000_c") == nil)
        let plan = await shop.plan("20240101000000_a")
        #expect(plan.blocked.first?.problem.reason == "Irreversible")
        #expect(plan.blocked.first?.problem.next?.contains("20240102000000_b") == true)
        #expect(try await shop.tables() == ["t_a", "t_b", "t_c"])
    }

    @Test(arguments: Shop.Engine.allCases) func aFileGoneBelowThePinIsNeverTakenBackByItself(_ engine: Shop.Engine) async throws {
        var shop = try await Shop(engine)
        try shop.writeThree()
        #expect(await shop.move(to: "20240103000000_c") == nil)
        try shop.remove("20240102000000_b")
        #expect(await shop.move(to: "20240103000000_c") == "MissingBelowPin")
        shop.settings.revert = ["20240102000000_b"]
        #expect(await shop.move(to: "20240103000000_c") == nil)
        #expect(try await shop.tables() == ["t_a", "t_c"])
    }

    @Test(arguments: Shop.Engine.allCases) func anEditBlocksUnlessItChangesNothing(_ engine: Shop.Engine) async throws {
        var shop = try await Shop(engine)
        try shop.writeThree()
        #expect(await shop.move(to: "20240103000000_c") == nil)
        try shop.write("20240103000000_c", up: "-- a comment\nCREATE TABLE   t_c (id integer);\r\n", down: "DROP TABLE t_c;")
        #expect(await shop.plan("20240103000000_c").isInSync)
        try shop.write("20240103000000_c", up: "CREATE TABLE t_c (id integer, more text);", down: "DROP TABLE t_c;")
        let problem = await shop.plan("20240103000000_c").blocked.first?.problem
        #expect(problem?.reason == "ChecksumMismatch")
        let digest = problem?.next?.split(separator: " ").last.map { $0.filter(\.isHexDigit) } ?? ""
        shop.settings.acceptEdited = ["20240103000000_c": digest]
        #expect(await shop.plan("20240103000000_c").isInSync)
    }

    @Test(arguments: Shop.Engine.allCases) func whatComesTooLateIsToldAndAppliedOnlyWhereAllowed(_ engine: Shop.Engine) async throws {
        var shop = try await Shop(engine)
        try shop.writeThree()
        #expect(await shop.move(to: "20240103000000_c") == nil)
        try shop.write("20240102120000_late", up: "CREATE TABLE t_late (id integer);", down: "DROP TABLE t_late;")
        #expect(await shop.move(to: "20240103000000_c") == "OutOfOrder")
        shop.settings.outOfOrder = .apply
        #expect(await shop.move(to: "20240103000000_c") == nil)
        #expect(await shop.observe("20240103000000_c").applied?.last == "20240102120000_late")
        // Back in the order in which they were applied: the late one first.
        let downs = await shop.plan("20240101000000_a").steps(in: .migrateDown).compactMap { $0.id.split(separator: "/").last }
        #expect(downs.first == "20240102120000_late")
    }

    @Test(arguments: Shop.Engine.allCases) func aDatabaseWithTablesAndWithoutRecordsIsNotMigrated(_ engine: Shop.Engine) async throws {
        let shop = try await Shop(engine)
        try shop.writeThree()
        try await shop.ask("CREATE TABLE orders (id integer)")
        #expect(await shop.move(to: "20240103000000_c") == "UnadoptedDatabase")
    }

    @Test(arguments: Shop.Engine.allCases) func aFailedMigrationLeavesNothingAndSaysWhere(_ engine: Shop.Engine) async throws {
        let shop = try await Shop(engine)
        try shop.writeThree()
        try shop.write("20240102000000_b", up: "CREATE TABLE t_b (id integer);\nINSERT INTO t_nowhere VALUES (1);", down: "DROP TABLE t_b;")
        let plan = await shop.plan("20240102000000_b")
        let changes = plan.steps.compactMap { step -> MigrationChange? in
            guard case .migrate(let change) = step.action else { return nil }
            return change
        }
        let database = shop.database("20240102000000_b")
        let (driver, request) = (shop.driver, shop.request())
        guard case .done = await driver.migrate(changes[0], of: database, request, progress: { _ in }),
            case .failed(let problem) = await driver.migrate(changes[1], of: database, request, progress: { _ in })
        else {
            Issue.record("it went through")
            return
        }
        #expect(problem.message.contains("20240102000000_b.sql:3:"))
        #expect(try await shop.tables() == ["t_a"])
        #expect(try await shop.versions() == ["20240101000000"])
    }
}

/// What happens to a database that was there before Belay.
@Suite struct AdoptionTests {
    /// Two of three applied by another tool.
    private func adopted(_ engine: Shop.Engine) async throws -> Shop {
        let shop = try await Shop(engine)
        try shop.writeThree()
        try await shop.ask("CREATE TABLE t_a (id integer)")
        try await shop.ask("CREATE TABLE t_b (id integer)")
        try await shop.ask("CREATE TABLE schema_migrations (version \(engine == .sqlite ? "varchar(128)" : "varchar") PRIMARY KEY)")
        try await shop.ask("INSERT INTO schema_migrations VALUES ('20240101000000'), ('20240102000000')")
        return shop
    }

    @Test(arguments: Shop.Engine.allCases) func copiesOfWhatWasAppliedAreKeptBeforeAFileIsGone(_ engine: Shop.Engine) async throws {
        let shop = try await adopted(engine)
        let (driver, request, database) = (shop.driver, shop.request(), shop.database("20240102000000_b"))
        #expect(await driver.observe(database, request).summary.unkept == 2)
        #expect(await driver.adopt(database, request) == nil)
        await driver.end(request)
        #expect(await driver.observe(database, request).summary.unkept == 0)
        try shop.remove("20240102000000_b")
        #expect(await shop.move(to: "20240101000000_a") == nil)
        #expect(try await shop.tables() == ["t_a"])
        #expect(try await shop.versions() == ["20240101000000"])
    }

    @Test(arguments: Shop.Engine.allCases) func aBaselineIsRecordedInTheToolsOwnTable(_ engine: Shop.Engine) async throws {
        var shop = try await Shop(engine)
        try shop.writeThree()
        try await shop.ask("CREATE TABLE t_a (id integer)")
        try await shop.ask("CREATE TABLE t_b (id integer)")
        shop.settings.baseline = "20240102000000_b"
        let (driver, request, database) = (shop.driver, shop.request(), shop.database("20240103000000_c"))
        let observation = await driver.observe(database, request)
        #expect(observation.applied == ["20240101000000_a", "20240102000000_b"])
        #expect(observation.blockers == [])
        #expect(await driver.adopt(database, request) == nil)
        await driver.end(request)
        #expect(try await shop.versions() == ["20240101000000", "20240102000000"])
        #expect(await shop.move(to: "20240103000000_c") == nil)
        #expect(try await shop.tables() == ["t_a", "t_b", "t_c"])
        #expect(await shop.move(to: "none") == nil)
        #expect(try await shop.tables() == [])
    }

    @Test(arguments: Shop.Engine.allCases) func whatSomebodyChangedByHandIsToldAndNotWalkedOver(_ engine: Shop.Engine) async throws {
        let shop = try await Shop(engine)
        try shop.writeThree()
        #expect(await shop.move(to: "20240103000000_c") == nil)
        #expect(await shop.observe("20240103000000_c").summary.drift == [])
        try await shop.ask("ALTER TABLE t_c ADD COLUMN note text")
        let drifted = await shop.observe("20240103000000_c")
        #expect(drifted.summary.drift?.count == 1)
        #expect(drifted.summary.drift?.first?.contains("t_c.note") == true)
        #expect(await shop.move(to: "20240102000000_b") == "SchemaDrift")
        try await shop.ask("ALTER TABLE t_c DROP COLUMN note")
        #expect(await shop.move(to: "20240102000000_b") == nil)
    }

    @Test(arguments: Shop.Engine.allCases) func aWayBackThatLeavesSomethingIsRolledBackWhereThatIsWanted(_ engine: Shop.Engine) async throws
    {
        var shop = try await Shop(engine)
        shop.settings.verify = .strict
        try shop.write(
            "20240101000000_a", up: "CREATE TABLE t_a (id integer);\nCREATE TABLE t_left (id integer);", down: "DROP TABLE t_a;")
        #expect(await shop.move(to: "20240101000000_a") == nil)
        #expect(await shop.move(to: "none") == "SchemaDiffers")
        #expect(try await shop.tables() == ["t_a", "t_left"])
        shop.settings.verify = .warn
        #expect(await shop.move(to: "none") == nil)
        #expect(try await shop.tables() == ["t_left"])
    }
}
