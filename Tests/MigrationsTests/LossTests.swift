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
        let files = try FileManager.default.contentsOfDirectory(atPath: shop.place.path("backups"))
        #expect(files.count == 1)
        let file = shop.place.path("backups/\(files.first ?? "")")
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
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
        let directory = shop.place.path("backups")
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: directory).first)
        let copy = try await PostgresServer.shared.makeDatabase()
        let port = try await PostgresServer.shared.port()
        try await restore("\(directory)/\(file)", into: copy, port)
        #expect(try await PostgresServer.shared.psql("SELECT count(*) FROM t_users", database: copy) == String(1000 + written))
    }
}
