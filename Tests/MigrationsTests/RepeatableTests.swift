import DatabaseServers
import Migrations
import Model
import Planning
import ProviderKit
import TestPrograms
import Testing

/// Flyway's repeatable migrations on real databases: run as Flyway runs them, recorded so that Flyway would see nothing to do.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct RepeatableTests {
    private static let above100 = "DROP VIEW IF EXISTS big_orders;\nCREATE VIEW big_orders AS SELECT id FROM orders WHERE total > 100;\n"
    private static let above500 = "DROP VIEW IF EXISTS big_orders;\nCREATE VIEW big_orders AS SELECT id FROM orders WHERE total > 500;\n"

    /// Orders of 200 and 700, and a view of the big ones; the second migration adds a column.
    private func shop(_ engine: Shop.Engine) async throws -> Shop {
        let shop = try await Shop(engine)
        try shop.file(
            "V1__orders", "CREATE TABLE orders (id integer, total integer);\nINSERT INTO orders VALUES (1, 200), (2, 700);\n")
        try shop.file("U1__orders", "DROP TABLE orders;\n")
        try second(shop)
        try shop.file("R__big_orders", Self.above100)
        return shop
    }

    private func second(_ shop: Shop) throws {
        try shop.file("V2__note", "ALTER TABLE orders ADD COLUMN note text;\n")
        try shop.file("U2__note", "ALTER TABLE orders DROP COLUMN note;\n")
    }

    @Test(arguments: Shop.Engine.allCases) func theyRunBehindTheVersionedOnesInTheOrderOfTheirDescriptions(_ engine: Shop.Engine)
        async throws
    {
        let shop = try await shop(engine)
        // A blank comes before a letter, and an underscore would come behind it.
        try shop.file("R__zA", "SELECT 1;")
        try shop.file("R__z_b", "SELECT 2;")
        #expect(await shop.move(to: "2") == nil)
        // The checksums are those of Python's zlib.crc32 over the lines.
        #expect(
            try await shop.history() == [
                "1 1 orders SQL V1__orders.sql ok", "2 2 note SQL V2__note.sql ok", "3 - big orders SQL R__big_orders.sql ok",
                "4 - z b SQL R__z_b.sql ok", "5 - zA SQL R__zA.sql ok",
            ])
        #expect(try await shop.ask("SELECT checksum FROM flyway_schema_history WHERE installed_rank = 3") == "-25135514")
        #expect(try await shop.ask("SELECT count(*) FROM big_orders") == "2")
        #expect(await shop.plan("2").isInSync)
    }

    @Test(arguments: Shop.Engine.allCases) func aChangedFileIsRunAgainAtAnUnchangedPin(_ engine: Shop.Engine) async throws {
        let shop = try await shop(engine)
        #expect(await shop.move(to: "2") == nil)
        try shop.file("R__big_orders", Self.above100.replacing("\n", with: "\r\n"))
        #expect(await shop.plan("2").isInSync, "line ends are no difference to Flyway")
        try shop.file("R__big_orders", Self.above500)
        let plan = await shop.plan("2")
        #expect(
            plan.steps(in: .migrateUp).map(\.summary) == [
                "main: run R__big_orders again: its file is another than the one that was run last"
            ])
        #expect(plan.steps(in: .contract).isEmpty, "a view that is dropped and made anew is replaced, and nothing is taken away")
        #expect(await shop.move(to: "2") == nil)
        #expect(try await shop.ask("SELECT count(*) FROM big_orders") == "1")
        #expect(
            try await shop.history().suffix(2) == ["3 - big orders SQL R__big_orders.sql ok", "4 - big orders SQL R__big_orders.sql ok"])
        #expect(try await shop.ask("SELECT checksum FROM flyway_schema_history WHERE installed_rank = 4") == "1910694193")
        let observation = await shop.observe("2")
        #expect(observation.applied == ["V1__orders", "V2__note"], "they stand at no position of the schema")
        #expect(observation.repeatables.map(\.repetition) == [.unchanged])
        #expect(observation.summary.drift == [], "what they changed is not taken for somebody's hand")
        // Back to what was run before the last time is a change as well.
        try shop.file("R__big_orders", Self.above100)
        #expect(await shop.move(to: "2") == nil)
        #expect(try await shop.ask("SELECT count(*) FROM big_orders") == "2")
    }

    @Test(arguments: Shop.Engine.allCases) func aPinThatGoesBackBringsTheViewOfItsCommitBack(_ engine: Shop.Engine) async throws {
        var shop = try await shop(engine)
        shop.settings.verify = .strict
        #expect(await shop.move(to: "1") == nil)
        #expect(await shop.move(to: "2") == nil)
        try shop.file("R__big_orders", Self.above500)
        try shop.file(
            "R__small_orders", "DROP VIEW IF EXISTS small_orders;\nCREATE VIEW small_orders AS SELECT id FROM orders WHERE total < 300;\n")
        #expect(await shop.move(to: "2") == nil)
        // The older commit: its files only.
        for name in ["V2__note", "U2__note", "R__small_orders"] { try shop.remove(name) }
        try shop.file("R__big_orders", Self.above100)
        let plan = await shop.plan("1")
        #expect(
            plan.steps(in: .migrateDown).map(\.id)
                == ["migrate-down/database/main/R__big_orders", "migrate-down/database/main/V2__note"])
        #expect(await shop.move(to: "1") == nil, "strict: what the views changed since is no fault of the way back")
        #expect(try await shop.ask("SELECT count(*) FROM big_orders") == "2")
        #expect(try await shop.ask("SELECT count(*) FROM small_orders") == "1", "a way back never takes one back")
        #expect(await shop.plan("1").isInSync)
        #expect(await shop.observe("1").summary.drift == [])
        try second(shop)
        #expect(await shop.move(to: "2") == nil)
        #expect(await shop.move(to: "1") == nil, "no view was changed meanwhile: compared in full")
        #expect(await shop.observe("1").summary.drift == [])
    }

    @Test(arguments: Shop.Engine.allCases) func aViewThatShowsAColumnGoesBackBeforeTheColumnIsDropped(_ engine: Shop.Engine) async throws {
        var shop = try await shop(engine)
        shop.settings.verify = .strict
        #expect(await shop.move(to: "1") == nil)
        try shop.file("R__big_orders", "DROP VIEW IF EXISTS big_orders;\nCREATE VIEW big_orders AS SELECT id, note FROM orders;\n")
        #expect(await shop.move(to: "2") == nil)
        #expect(try await shop.ask("SELECT count(note) FROM big_orders") == "0")
        // With the files of the newer commit there is no way: its view needs the column.
        #expect(await shop.move(to: "1") == "MigrationFailed")
        for name in ["V2__note", "U2__note"] { try shop.remove(name) }
        try shop.file("R__big_orders", Self.above500)
        #expect(await shop.move(to: "1") == nil)
        #expect(try await shop.ask("SELECT count(*) FROM big_orders") == "1")
        #expect(await shop.plan("1").isInSync)
        #expect(await shop.observe("1").summary.drift == [])
    }

    @Test(arguments: Shop.Engine.allCases) func aViewWaitsForTheColumnThatAWayBackBringsBack(_ engine: Shop.Engine) async throws {
        let shop = try await shop(engine)
        try shop.file("V2__note", "ALTER TABLE orders ADD COLUMN note text;\n")
        try shop.file("V3__no_note", "ALTER TABLE orders DROP COLUMN note;\n")
        try shop.file("U3__no_note", "ALTER TABLE orders ADD COLUMN note text;\n")
        #expect(await shop.move(to: "3") == nil)
        try shop.file("R__big_orders", "DROP VIEW IF EXISTS big_orders;\nCREATE VIEW big_orders AS SELECT id, note FROM orders;\n")
        #expect(await shop.move(to: "2") == nil)
        #expect(try await shop.ask("SELECT count(*) FROM big_orders") == "2")
    }

    @Test(arguments: Shop.Engine.allCases) func whatAWayBackLeavesBehindIsStillTold(_ engine: Shop.Engine) async throws {
        var shop = try await shop(engine)
        shop.settings.verify = .strict
        try shop.file("U2__note", "ALTER TABLE orders ADD COLUMN left_behind text;\n")
        #expect(await shop.move(to: "2") == nil)
        try shop.file("R__big_orders", Self.above500)
        #expect(await shop.move(to: "2") == nil)
        #expect(await shop.move(to: "1") == "SchemaDiffers")
    }

    @Test(arguments: Shop.Engine.allCases) func whatFlywayRanItselfCounts(_ engine: Shop.Engine) async throws {
        let shop = try await shop(engine)
        #expect(await shop.move(to: "2") == nil)
        try shop.file("R__big_orders", Self.above500)
        try await shop.insert(rank: 4, checksum: "1910694193")
        #expect(await shop.plan("2").isInSync, "Flyway was quicker")
        try await shop.insert(rank: 5, checksum: "1")
        #expect(await shop.plan("2").steps(in: .migrateUp).count == 1, "the latest row counts")
        try await shop.insert(rank: 6, checksum: "1910694193", type: "DELETE")
        #expect(await shop.plan("2").steps(in: .migrateUp).map(\.summary) == ["main: run R__big_orders, which is repeatable"])
        try await shop.insert(rank: 7, checksum: "1910694193", succeeded: false)
        #expect(
            await shop.plan("2").blocked.map(\.problem.reason) == ["DirtyDatabase"], "Flyway refuses this as well, until it is repaired")
        try await shop.ask("DELETE FROM flyway_schema_history WHERE installed_rank > 4")
        try await shop.insert(rank: 0, checksum: nil, type: "SCHEMA", description: "<< Flyway Schema Creation >>")
        #expect(await shop.plan("2").isInSync)
    }

    @Test(arguments: Shop.Engine.allCases) func aFailedOneLeavesNothing(_ engine: Shop.Engine) async throws {
        let shop = try await shop(engine)
        #expect(await shop.move(to: "2") == nil)
        try shop.file("R__big_orders", Self.above500 + "INSERT INTO nowhere VALUES (1);\n")
        #expect(await shop.move(to: "2") == "MigrationFailed")
        #expect(try await shop.ask("SELECT count(*) FROM big_orders") == "2")
        #expect(try await shop.history().count == 3)
        try shop.file("R__big_orders", Self.above500)
        #expect(await shop.move(to: "2") == nil)
        #expect(try await shop.ask("SELECT count(*) FROM big_orders") == "1")
    }

    @Test(arguments: Shop.Engine.allCases) func oneThatWasRunMeanwhileIsNotRunTwice(_ engine: Shop.Engine) async throws {
        let shop = try await shop(engine)
        #expect(await shop.move(to: "2") == nil)
        try shop.file("R__big_orders", Self.above500)
        let changes = await shop.plan("2").steps.compactMap { step -> MigrationChange? in
            guard case .migrate(let change) = step.action else { return nil }
            return change
        }
        let change = try #require(changes.first)
        #expect(changes.map(\.version) == ["R__big_orders"])
        for expected in ["applied R__big_orders (2 statements)", "R__big_orders is applied already"] {
            let (driver, request) = (shop.driver, shop.request())
            #expect(await driver.migrate(change, of: shop.database("2"), request, progress: { _ in }) == .done(expected))
            await driver.end(request)
        }
        #expect(try await shop.history().count == 4)
    }

    @Test(arguments: Shop.Engine.allCases) func nothingIsRunForTheEmptySchema(_ engine: Shop.Engine) async throws {
        let shop = try await shop(engine)
        #expect(await shop.plan("none").isInSync)
        #expect(await shop.observe("none").repeatables.map(\.repetition) == [.new])
    }

    @Test(arguments: Shop.Engine.allCases) func oneThatLosesRowsNeedsAnApprovalEachTime(_ engine: Shop.Engine) async throws {
        let shop = try await shop(engine)
        #expect(await shop.move(to: "2") == nil)
        try shop.file("R__cleaned", "DELETE FROM orders WHERE total < 300;\n")
        let first = await shop.plan("2")
        #expect(first.refusal?.reason == "ApprovalNeeded")
        #expect(await shop.move(to: "2") == nil)
        try shop.file("R__cleaned", "DELETE FROM orders WHERE total < 300;\n-- changed\n")
        let second = await shop.plan("2")
        #expect(second.approval?.items != first.approval?.items, "an approval is for one occasion")
        try shop.file("R__cleaned", "DROP VIEW big_orders;\n")
        #expect(await shop.plan("2").steps(in: .contract).map(\.id) == ["contract/database/main/R__cleaned"], "it takes something away")
    }

    @Test func oneThatIsStuckWaitsForAWordAndIsNeverTakenBack() async throws {
        let shop = try await shop(.postgres)
        try shop.file("R__tidy", "VACUUM orders;\nDO $$ BEGIN COMMIT; PERFORM 1 / 0; END $$;\n")
        try shop.place.write("migrations/R__tidy.sql.conf", "executeInTransaction=false\n")
        #expect(await shop.move(to: "2") == "MigrationFailed")
        // What the block did before it failed nobody can tell.
        #expect(await shop.move(to: "2") == "MigrationStuck")
        #expect(await shop.plan("2").blocked.map(\.problem.reason) == ["MigrationStuck"])
        #expect(await shop.driver.resolve("R__tidy", .undo, of: shop.database("2"), shop.request())?.reason == "Irreversible")
        #expect(await shop.driver.resolve("R__tidy", .done, of: shop.database("2"), shop.request()) == nil)
        #expect(await shop.plan("2").steps(in: .migrateUp).map(\.id) == ["migrate-up/database/main/R__tidy"], "its record is missing")
        #expect(await shop.move(to: "2") == nil)
        #expect(await shop.plan("2").isInSync)
        #expect(try await shop.history().last == "4 - tidy SQL R__tidy.sql ok")
    }

    @Test func oneThatCannotRunInATransactionIsRunAgainAsWell() async throws {
        let shop = try await shop(.postgres)
        try shop.file("R__tidy", "VACUUM orders;\n")
        #expect(await shop.move(to: "2") == nil)
        #expect(await shop.plan("2").isInSync)
        try shop.file("R__tidy", "VACUUM (ANALYZE) orders;\n")
        #expect(await shop.move(to: "2") == nil)
        #expect(await shop.plan("2").isInSync)
        #expect(try await shop.history().suffix(2) == ["4 - tidy SQL R__tidy.sql ok", "5 - tidy SQL R__tidy.sql ok"])
    }
}

extension Shop {
    fileprivate func file(_ stem: String, _ text: String) throws { try place.write("migrations/\(stem).sql", text) }

    /// Flyway's table, without times and checksums.
    fileprivate func history() async throws -> [String] {
        try await ask(
            """
            SELECT installed_rank || ' ' || coalesce(version, '-') || ' ' || description || ' ' || type || ' ' || script || ' ' \
            || CASE WHEN success THEN 'ok' ELSE 'failed' END FROM flyway_schema_history ORDER BY installed_rank
            """
        ).split(separator: "\n").map(String.init)
    }

    /// A row as Flyway writes it for a repeatable migration.
    fileprivate func insert(
        rank: Int, checksum: String?, type: String = "SQL", succeeded: Bool = true, description: String = "big orders"
    ) async throws {
        try await ask(
            """
            INSERT INTO flyway_schema_history (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success) \
            VALUES (\(rank), NULL, '\(description)', '\(type)', 'R__big_orders.sql', \(checksum ?? "NULL"), 'flyway', 3, \
            \(engine == .postgres ? "\(succeeded)" : succeeded ? "1" : "0"))
            """)
    }
}
