import DatabaseServers
import MigrationFiles
import Model
import SQL
import Testing

@testable import Migrations

struct AdoptedTableTests {
    static let directories: [(MigrationFormat, [(String, String)], [String])] = [
        (
            .runbook,
            [
                ("20240101000000_a.sql", "-- UP MIGRATION\nBEGIN;\nSELECT 1;\nCOMMIT;\n-- DOWN MIGRATION\nSELECT 2;\n"),
                ("20240102000000_b.sql", "-- UP MIGRATION\nSELECT 1;\n-- DOWN MIGRATION\nSELECT 2;\n"),
            ], ["20240101000000_a", "20240102000000_b"]
        ),
        (
            .dbmate,
            [
                ("1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"),
                ("2_b.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n"),
            ],
            ["1_a", "2_b"]
        ),
        (
            .golangMigrate,
            [("000001_a.up.sql", "SELECT 1;"), ("000001_a.down.sql", "SELECT 2;"), ("000002_b.up.sql", "SELECT 1;")],
            ["000001_a", "000002_b"]
        ),
        (.goose, [("00001_a.sql", "-- +goose Up\nSELECT 1;\n"), ("00002_b.sql", "-- +goose Up\nSELECT 1;\n")], ["00001_a", "00002_b"]),
        (.sqlMigrate, [("1_a.sql", "-- +migrate Up\nSELECT 1;\n"), ("2_b.sql", "-- +migrate Up\nSELECT 1;\n")], ["1_a", "2_b"]),
        (.sqlx, [("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", "SELECT 2;"), ("2_b.up.sql", "SELECT 1;")], ["1_a", "2_b"]),
        (
            .diesel, [("2024-01-01-000000_a/up.sql", "SELECT 1;"), ("2024-01-02-000000_b/up.sql", "SELECT 1;")],
            ["2024-01-01-000000_a", "2024-01-02-000000_b"]
        ),
        (
            .nodePgMigrate, [("1_a.sql", "-- Up Migration\nSELECT 1;\n-- Down Migration\n"), ("2_b.sql", "-- Up Migration\nSELECT 1;\n")],
            ["1_a", "2_b"]
        ),
        (.flyway, [("V1__a.sql", "SELECT 1;"), ("V1_1__b.sql", "SELECT 1;")], ["V1__a", "V1_1__b"]),
        (.tern, [("001_a.sql", "SELECT 1;"), ("002_b.sql", "SELECT 1;")], ["001_a", "002_b"]),
        (.stem, [("0001_a.up.sql", "SELECT 1;"), ("0001_b.up.sql", "SELECT 1;")], ["0001_a", "0001_b"]),
    ]

    @Test(arguments: directories) func whatIsWrittenIsReadBackOnSQLite(
        _ format: MigrationFormat, _ sources: [(String, String)], _ stems: [String]
    ) async throws {
        try await roundTrip(format, sources, stems, try await SchemaFixture.sqlite())
    }

    @Test(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), arguments: directories)
    func whatIsWrittenIsReadBackOnPostgres(_ format: MigrationFormat, _ sources: [(String, String)], _ stems: [String]) async throws {
        let connection = try await SchemaFixture.postgres()
        // A dump's script wipes the search path: records are qualified.
        _ = try await connection.query("SELECT set_config('search_path', '', false)")
        try await roundTrip(format, sources, stems, connection)
    }

    private func roundTrip(
        _ format: MigrationFormat, _ sources: [(String, String)], _ stems: [String], _ connection: any SQLConnection
    ) async throws {
        let fixture = SchemaFixture(sources, format: format, pin: stems[1])
        #expect(try await fixture.reading(connection).tableExists == false)
        for (index, stem) in stems.enumerated() {
            try await fixture.apply(stem, on: connection)
            let reading = try await fixture.reading(connection)
            #expect(reading.tableExists)
            #expect(reading.set.problems.isEmpty)
            #expect(reading.set.applied.map(\.entry.stem) == Array(stems[...index]))
            #expect(reading.set.applied.allSatisfy { $0.checksumAgrees != false })
        }
        for count in [1, 0] {
            try await fixture.takeBack(stems[count], on: connection)
            #expect(try await fixture.reading(connection).set.applied.map(\.entry.stem) == Array(stems[..<count]))
        }
    }

    @Test(arguments: [
        (
            "another tool's", ["CREATE TABLE schema_migrations (version bigint primary key, dirty boolean)"], "WrongMigrationsTable",
            "golang-migrate"
        ),
        ("Ecto's", ["CREATE TABLE schema_migrations (version bigint primary key, inserted_at timestamp)"], "WrongMigrationsTable", "Ecto"),
        (
            "Rails' has dbmate's shape, and a companion",
            ["CREATE TABLE schema_migrations (version varchar primary key)", "CREATE TABLE ar_internal_metadata (key text, value text)"],
            "WrongMigrationsTable", "Rails"
        ),
        ("alembic's under its own name", ["CREATE TABLE alembic_version (version_num varchar(32))"], "WrongMigrationsTable", "alembic"),
        (
            "Prisma's",
            ["CREATE TABLE _prisma_migrations (id text, checksum text, migration_name text, applied_steps_count int, finished_at text)"],
            "WrongMigrationsTable", "Prisma"
        ),
        (
            "goose's beside a directory of dbmate", ["CREATE TABLE goose_db_version (id int, version_id int, is_applied int, tstamp text)"],
            "WrongMigrationsTable", "goose"
        ),
        ("a table of nobody's", ["CREATE TABLE schema_migrations (a int, b int)"], "WrongMigrationsTable", "columns a, b"),
    ]) func anotherToolsTableIsRefused(_ why: String, _ script: [String], _ reason: String, _ named: String) async throws {
        let connection = try await SchemaFixture.sqlite()
        for statement in script { try await connection.execute(statement) }
        let problem = await #expect(throws: Problem.self) {
            _ = try await SchemaFixture.tables("1_a", pin: "1_a").reading(connection)
        }
        #expect(problem?.reason == reason)
        #expect(problem?.message.contains(named) == true, "\(why): \(problem?.message ?? "")")
    }

    @Test func anotherToolsTableDoesNotMatterWhereTheTableIsNamed() async throws {
        let connection = try await SchemaFixture.sqlite()
        try await connection.execute("CREATE TABLE alembic_version (version_num text)")
        var fixture = SchemaFixture.tables("1_a", pin: "1_a")
        fixture.settings.table = "belay_versions"
        #expect(try await fixture.reading(connection).table.name == "\"belay_versions\"")
    }

    @Test(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) func tablesInTwoSchemasAreAQuestion() async throws {
        let connection = try await SchemaFixture.postgres()
        try await connection.execute(
            "CREATE SCHEMA app; CREATE TABLE app.schema_migrations (version text); CREATE TABLE schema_migrations (version text)")
        var fixture = SchemaFixture.tables("1_a", pin: "1_a")
        let problem = await #expect(throws: Problem.self) { _ = try await fixture.reading(connection) }
        #expect(problem?.reason == "MigrationsTableAmbiguous")
        fixture.settings.table = "app.schema_migrations"
        #expect(try await fixture.reading(connection).table.name == "\"app\".\"schema_migrations\"")
    }

    @Test func aTableOfRecordsIsNoData() async throws {
        let connection = try await SchemaFixture.sqlite()
        try await connection.execute("CREATE TABLE schema_migrations (version text)")
        #expect(try await !AdoptedTable.hasUserTables(connection, besides: "\"schema_migrations\""))
        try await connection.execute("CREATE TABLE orders (id int)")
        #expect(try await AdoptedTable.hasUserTables(connection, besides: "\"schema_migrations\""))
    }
}
