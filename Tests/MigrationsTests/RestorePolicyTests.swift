import DatabaseServers
import FoundationEssentials
import Migrations
import Model
import Planning
import ProviderKit
import TestPrograms
import Testing

/// `migrations.onIrreversible: restore`: where nothing takes a migration back, the backup from before it takes the database's place.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(3))) struct RestorePolicyTests {
    private static let (a, b, c) = ("20240101000000_a", "20240102000000_b", "20240103000000_c")

    /// Three tables, a migration each; nothing takes the second one back.
    private func shop(_ engine: Shop.Engine, _ policy: MigrationSettings.OnIrreversible = .restore) async throws -> Shop {
        var shop = try await Shop(engine)
        try shop.writeThree()
        try shop.write(Self.b, up: "CREATE TABLE t_b (id integer); DROP TABLE t_old;", down: "")
        try shop.write(
            Self.a, up: "CREATE TABLE t_a (id integer); CREATE TABLE t_old (id integer); INSERT INTO t_old VALUES (7);",
            down: "DROP TABLE t_a; DROP TABLE t_old;")
        shop.settings.onIrreversible = policy
        return shop
    }

    private func change(_ plan: Plan) throws -> MigrationChange {
        let changes = plan.steps.compactMap { step -> MigrationChange? in
            guard case .migrate(let change) = step.action else { return nil }
            return change
        }
        try #require(changes.count == 1)
        return changes[0]
    }

    @Test(arguments: Shop.Engine.allCases) func theBackupFromBeforeItComesBackAndTheDatabaseIsKept(_ engine: Shop.Engine) async throws {
        let shop = try await shop(engine)
        #expect(await shop.move(to: Self.a) == nil)
        try await shop.ask("INSERT INTO t_a VALUES (1)")
        #expect(await shop.move(to: Self.c) == nil)
        try await shop.ask("INSERT INTO t_a VALUES (2); INSERT INTO t_c VALUES (3)")

        // The newest of those from before it, and everything later goes with it.
        let plan = await shop.plan(Self.a)
        let change = try change(plan)
        #expect(change.version == Self.b)
        let backup = try #require(change.restoredBackup)
        let manifest = try await shop.store.manifest(try #require(BackupID(backup)))
        #expect(manifest.applied == [Self.a])
        #expect(manifest.beforeVersion == Self.b)
        let step = try #require(plan.steps.first { $0.phase == .migrateDown })
        #expect(step.class == .dataLoss)
        #expect(step.summary == "main: restore the backup \(backup), to before \(Self.b)")
        #expect(
            step.details.prefix(3) == [
                "loses everything written since the backup \(backup)", "2 rows are newer than the backup",
                "takes back \(Self.c), \(Self.b)",
            ])
        #expect(plan.refusal?.reason == "ApprovalNeeded")

        #expect(await shop.move(to: Self.a) == nil)
        #expect(try await shop.tables() == ["t_a", "t_old"])
        #expect(try await shop.ask("SELECT count(*) FROM t_a") == "1")
        #expect(try await shop.ask("SELECT id FROM t_old") == "7")
        #expect(try await shop.versions() == ["20240101000000"])
        #expect(try await shop.store.manifest(manifest.id).isProved)
        switch engine {
        case .postgres:
            let name = String(shop.address.split(separator: "/").last ?? "")
            #expect(try await shop.ask("SELECT count(*) FROM pg_database WHERE datname LIKE '\(name.prefix(26))\\_\\_old\\_%'") == "1")
        case .sqlite:
            let files = try FileManager.default.contentsOfDirectory(atPath: shop.place.root)
            #expect(files.count { $0.hasPrefix("shop.db.old-") } == 1)
        }
        // And forward again, from what is there now.
        #expect(await shop.move(to: Self.c) == nil)
        #expect(try await shop.tables() == ["t_a", "t_b", "t_c"])
        try shop.place.remove()
    }

    @Test(arguments: Shop.Engine.allCases) func withoutSuchABackupItIsRefused(_ engine: Shop.Engine) async throws {
        var shop = try await shop(engine, .block)
        #expect(await shop.move(to: Self.b) == nil)
        #expect(await shop.move(to: Self.c) == nil)
        shop.settings.onIrreversible = .restore
        let blocked = try #require(await shop.plan(Self.a).blocked.first?.problem)
        #expect(blocked.reason == "BackupMissing")
        #expect(
            blocked.message.hasPrefix(
                "database/main: \(Self.b) has no down migration, and no backup of the whole database is from before it, taken with \(Self.a) "
                    + "as the last one that was applied: "), "\(blocked.message)")
        #expect(blocked.next?.hasPrefix("pin \(Self.b), the nearest that can be reached, or write its down migration") == true)
        #expect(try await shop.tables() == ["t_a", "t_b", "t_c"])
        try shop.place.remove()
    }

    @Test func theNewestFromBeforeItIsTakenAndTheRestGoesBackByScript() async throws {
        var shop = try await shop(.sqlite, .block)
        #expect(await shop.move(to: Self.a) == nil)
        // Of before the one in between: it would take back what is to stay where that is pinned.
        try shop.write("20240101500000_between", up: "CREATE TABLE t_between (id integer);", down: "DROP TABLE t_between;")
        let request = shop.request()
        _ = try await shop.driver.backUp(shop.database(Self.a), request, progress: { _ in }).get()
        #expect(await shop.move(to: Self.c) == nil)
        shop.settings.onIrreversible = .restore
        // SQLite saves the whole file before what the second one drops: with the one in between applied.
        let backup = try #require(try change(await shop.plan("20240101500000_between")).restoredBackup)
        #expect(try await shop.store.manifest(try #require(BackupID(backup))).applied == [Self.a, "20240101500000_between"])
        // From before the one in between both will do, and the newer one is taken; then the other goes back by its script.
        let changes = await shop.plan(Self.a).steps.compactMap { step -> String? in
            guard case .migrate(let change) = step.action else { return nil }
            return change.version + (change.restoredBackup == nil ? "" : " by restore")
        }
        #expect(changes == ["\(Self.b) by restore", "20240101500000_between"])
        try shop.place.remove()
    }

    @Test func moreNewerRowsThanApprovedEndItBeforeAnythingIsDone() async throws {
        let shop = try await shop(.sqlite)
        #expect(await shop.move(to: Self.c) == nil)
        try await shop.ask("INSERT INTO t_a VALUES (1); INSERT INTO t_a VALUES (2)")
        #expect(await shop.move(to: Self.a, approved: 1) == "MoreRowsThanApproved")
        #expect(try await shop.tables() == ["t_a", "t_b", "t_c"])
        #expect(try await shop.ask("SELECT count(*) FROM t_a") == "2")
        try shop.place.remove()
    }

    @Test func aDumpThatWasChangedIsFoundOutBeforeAnythingMoves() async throws {
        let shop = try await shop(.sqlite)
        #expect(await shop.move(to: Self.c) == nil)
        let id = try #require(try change(await shop.plan(Self.a)).restoredBackup)
        let path = "\(shop.store.path)/\(id).sqlite"
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(filePath: path))
        let plan = await shop.plan(Self.a)
        #expect(await shop.driver.confirm([try change(plan)], of: shop.database(Self.a), shop.request())?.reason == "BackupDamaged")
        #expect(try await shop.tables() == ["t_a", "t_b", "t_c"])
        try shop.place.remove()
    }

    @Test func theStateIsNotTakenBackWithTheData() async throws {
        let shop = try await shop(.sqlite)
        #expect(await shop.move(to: Self.c) == nil)
        let database = shop.database(Self.a)
        let plan = Planning.plan(
            System(id: SystemID(name: "shop"), components: [], databases: [database], statePlace: .database("main")),
            revision: shop.request().revision, observed: World(databases: [database.id: await shop.observe(Self.a)]),
            recorded: RecordedState(isKnown: true))
        #expect(plan.blocked.first?.problem.reason == "StateInside")
        try shop.place.remove()
    }
}
