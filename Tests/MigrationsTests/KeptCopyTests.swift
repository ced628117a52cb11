import DatabaseServers
import FoundationEssentials
import Migrations
import Model
import ProviderKit
import SQL
import TestPrograms
import Testing

/// The copy of a way back outlives its file, and the way back itself.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct KeptCopyTests {
    private func row(_ shop: Shop, _ version: String) async throws -> ArchiveRow? {
        let connection: any SQLConnection =
            switch shop.engine {
            case .postgres: try await PostgresConnection(PostgresAddress(shop.address))
            case .sqlite: try await SQLiteConnection(shop.address, mode: .readOnly)
            }
        let row = try await Archive(connection.engine).row(of: version, on: connection)
        await connection.close()
        return row
    }

    enum Loss: String, CaseIterable {
        case file, down
    }

    @Test(arguments: Shop.Engine.allCases, Loss.allCases)
    func aWayBackLeavesTheCopyAsItWas(_ engine: Shop.Engine, _ loss: Loss) async throws {
        var shop = try await Shop(engine)
        let stem = "20240101000000_a"
        let (up, down) = ("CREATE TABLE t_a (id integer);", "DROP TABLE t_a;")
        switch loss {
        case .file: try shop.write(stem, up: up, down: down)
        case .down:
            shop.settings.format = "golang-migrate"
            try shop.place.write("migrations/\(stem).up.sql", up)
            try shop.place.write("migrations/\(stem).down.sql", down)
        }
        #expect(await shop.move(to: stem) == nil)
        let before = try #require(try await row(shop, stem))
        try shop.remove(loss == .file ? stem : "\(stem).down")
        #expect(await shop.move(to: "none") == nil)
        #expect(try await shop.tables() == [])
        let after = try #require(try await row(shop, stem))
        #expect(after.state == .reverted)
        #expect(after.upSQL == before.upSQL && after.downSQL == before.downSQL && after.downSQL?.contains("DROP TABLE t_a;") == true)
        #expect(after.sourcePath == before.sourcePath && after.format == before.format && after.sourceCommit == before.sourceCommit)
        #expect(ArchiveSignature.isSigned(after, key: shop.key))
    }

    @Test func anInterruptedWayBackGoesOnWithoutItsFile() async throws {
        var shop = try await Shop(.postgres)
        shop.settings.verify = .off
        let (first, second) = ("20240101000000_a", "20240102000000_i")
        try shop.write(first, up: "CREATE TABLE t_a (id integer);", down: "DROP TABLE t_a;")
        try shop.place.write(
            "migrations/\(second).sql",
            """
            -- migrate:up transaction:false
            CREATE INDEX CONCURRENTLY i ON t_a (id);
            -- migrate:down transaction:false
            COMMENT ON TABLE t_a IS 'going back';
            DROP INDEX CONCURRENTLY i;
            ALTER TABLE t_gate ADD COLUMN open boolean;

            """)
        #expect(await shop.move(to: second) == nil)
        try shop.remove(second)
        #expect(await shop.move(to: first) == "MigrationFailed")
        let open = try #require(try await row(shop, second))
        #expect(open.state == .applyingDown)
        #expect(open.downSQL?.contains("t_gate") == true && !open.downIsTransactional)
        #expect(ArchiveSignature.isSigned(open, key: shop.key))
        try await shop.ask("CREATE TABLE t_gate (id integer)")
        #expect(await shop.move(to: first) == nil)
        #expect(try await shop.versions() == ["20240101000000"])
        #expect(try await shop.ask("SELECT to_regclass('i') IS NULL AND (SELECT count(open) FROM t_gate) = 0") == "t")
    }
}
