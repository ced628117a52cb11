import DatabaseServers
import FoundationEssentials
import Migrations
import Model
import ProviderKit
import TestPrograms
import Testing

/// What is lost is counted, approved and saved first.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct LossTests {
    private static func shop(_ engine: Shop.Engine) async throws -> Shop {
        let shop = try await Shop(engine)
        try shop.write("20240101000000_t", up: "CREATE TABLE t_users (id integer, note text);", down: "DROP TABLE t_users;")
        #expect(await shop.move(to: "20240101000000_t") == nil)
        return shop
    }

    @Test(arguments: Shop.Engine.allCases) func rowsAreCountedAndAnEmptyTableLosesNothing(_ engine: Shop.Engine) async throws {
        let shop = try await Self.shop(engine)
        #expect(await shop.plan("none").approval == nil)
        try await shop.ask("INSERT INTO t_users VALUES (1, 'a'), (2, NULL), (3, NULL)")
        let plan = await shop.plan("none")
        #expect(plan.approval?.rows == 10)
        #expect(plan.refusal?.reason == "ApprovalNeeded")
        let step = try #require(plan.steps(in: .migrateDown).first)
        #expect(step.class == .dataLoss)
        #expect(step.details.contains("3 rows at risk"))
    }

    @Test(arguments: Shop.Engine.allCases) func theTablesAreSavedBeforeTheyGo(_ engine: Shop.Engine) async throws {
        let shop = try await Self.shop(engine)
        try await shop.ask("INSERT INTO t_users VALUES (1, 'kept-value')")
        #expect(await shop.move(to: "none") == nil)
        #expect(try await shop.tables() == [])
        let store = shop.store
        guard case .backup(let manifest)? = try await store.list().first else {
            _ = Issue.record("no backup")
            return
        }
        #expect(manifest.kind == .scoped && manifest.beforeVersion == "20240101000000_t" && manifest.applied == ["20240101000000_t"])
        try await store.verify(manifest)
        for name in try FileManager.default.contentsOfDirectory(atPath: store.path) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(store.path)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name) is its owner's alone")
        }
        for path in [store.path, shop.place.path("backups")] {
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
        }
        let table = engine == .postgres ? "belay.backup" : "_belay_backup"
        let row = try await shop.ask("SELECT kind, before_version, bytes FROM \(table)")
        #expect(row == "scoped|20240101000000_t|\(manifest.bytes)", "the record is there with the migration's")
        #expect(try await store.lastBackup(system: SystemID(name: "shop"), database: "main")?.id == manifest.id.description)
        #expect(try await store.lastBackup(system: SystemID(name: "shop"), database: "other") == nil)
    }

    @Test(arguments: Shop.Engine.allCases) func whatIsRolledBackLeavesNoRecordOfABackup(_ engine: Shop.Engine) async throws {
        let shop = try await Shop(engine)
        try shop.write(
            "20240101000000_t", up: "CREATE TABLE t_users (id integer);", down: "DROP TABLE t_users; SELECT * FROM nowhere;")
        #expect(await shop.move(to: "20240101000000_t") == nil)
        try await shop.ask("INSERT INTO t_users VALUES (1)")
        #expect(await shop.move(to: "none") == "MigrationFailed")
        #expect(try await shop.ask("SELECT count(*) FROM \(engine == .postgres ? "belay.backup" : "_belay_backup")") == "0")
        #expect(try await shop.tables() == ["t_users"])
    }

    @Test(arguments: Shop.Engine.allCases) func aWholeDatabaseIsSavedAndRecorded(_ engine: Shop.Engine) async throws {
        let shop = try await Self.shop(engine)
        try await shop.ask("INSERT INTO t_users VALUES (1, 'a')")
        let id = try await shop.driver.backUp(shop.database("none"), shop.request(), progress: { _ in }).get()
        guard case .backup(let manifest)? = try await shop.store.list().first else {
            _ = Issue.record("no backup")
            return
        }
        #expect(manifest.id.description == id && manifest.kind == .full && manifest.applied == ["20240101000000_t"])
        #expect(manifest.fingerprint != nil && manifest.beforeVersion == nil)
        let users = manifest.tables.first { $0.name.name == "t_users" }
        #expect(users?.rows == 1)
        #expect(try await shop.ask("SELECT kind FROM \(engine == .postgres ? "belay.backup" : "_belay_backup")") == "full")
    }

    @Test(arguments: Shop.Engine.allCases) func aPartialFileIsNoBackupAndGoesWithTheNextOne(_ engine: Shop.Engine) async throws {
        let shop = try await Self.shop(engine)
        let left = "20240101T000000Z-00000001.\(engine == .postgres ? "dump" : "sqlite").partial"
        try shop.place.write("backups/default.shop/\(left)", "half of it")
        try shop.place.write("backups/default.shop/notes.txt", "somebody's own")
        _ = try await shop.driver.backUp(shop.database("none"), shop.request(), progress: { _ in }).get()
        let names = try FileManager.default.contentsOfDirectory(atPath: shop.store.path)
        #expect(!names.contains(left) && names.contains("notes.txt"))
        #expect(try await shop.store.list().count == 1)
    }

    @Test(arguments: Shop.Engine.allCases) func moreRowsThanApprovedStopIt(_ engine: Shop.Engine) async throws {
        let shop = try await Self.shop(engine)
        try await shop.ask("INSERT INTO t_users VALUES (1, 'a'), (2, 'b')")
        #expect(await shop.move(to: "none", approved: 1) == "MoreRowsThanApproved")
        #expect(try await shop.tables() == ["t_users"])
    }

    @Test(arguments: Shop.Engine.allCases) func withoutRoomForABackupNothingIsLost(_ engine: Shop.Engine) async throws {
        let shop = try await Self.shop(engine)
        try await shop.ask("INSERT INTO t_users VALUES (1, 'a')")
        // A file where the directory should be.
        try shop.place.write("backups", "in the way")
        #expect(await shop.move(to: "none") == "BackupFailed")
        #expect(try await shop.tables() == ["t_users"])
        #expect(try await shop.versions() == ["20240101000000"])
    }

    @Test func noWriteIsLostBetweenBackupAndDrop() async throws {
        let shop = try await Self.shop(.postgres)
        try await shop.ask("INSERT INTO t_users SELECT n, 'old' FROM generate_series(1, 1000) n")
        let writer = Task {
            var written = 0
            while !Task.isCancelled {
                do { try await shop.ask("INSERT INTO t_users VALUES (0, 'new')") } catch { break }
                written += 1
            }
            return written
        }
        #expect(await shop.move(to: "none") == nil)
        writer.cancel()
        let written = await writer.value
        let directory = shop.store.path
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: directory).first { $0.hasSuffix(".dump") })
        let copy = try await PostgresServer.shared.makeDatabase()
        let port = try await PostgresServer.shared.port()
        try await restore("\(directory)/\(file)", into: copy, port)
        #expect(try await PostgresServer.shared.psql("SELECT count(*) FROM t_users", database: copy) == String(1000 + written))
    }
}
