import DatabaseServers
import MigrationFiles
import Model
import SQL
import SQLParsing

@testable import Migrations

/// A directory of migrations in dbmate's format unless another is named, with the database it is for.
struct SchemaFixture {
    var sources: [(path: String, text: String)]
    var format: MigrationFormat?
    var settings = MigrationSettings(path: "db")
    var pin: String
    static let key: [UInt8] = Array("a key".utf8)

    init(_ sources: [(String, String)], format: MigrationFormat? = nil, pin: String) {
        self.sources = sources.map { (path: $0.0, text: $0.1) }
        self.format = format
        self.pin = pin
    }

    /// `1_a`, `2_b` and so on: each makes a table of its name's last letter.
    static func tables(_ names: String..., pin: String) -> SchemaFixture {
        SchemaFixture(
            names.map { name in
                let table = String(name.suffix(1))
                return ("\(name).sql", "-- migrate:up\nCREATE TABLE \(table) (id int);\n-- migrate:down\nDROP TABLE \(table);\n")
            }, format: .dbmate, pin: pin)
    }

    func without(_ path: String) -> SchemaFixture {
        var copy = self
        copy.sources.removeAll { $0.path == path }
        return copy
    }

    func directory(_ dialect: SQLDialect) throws -> MigrationDirectory {
        try MigrationDirectory(
            reading: sources.map { MigrationSource(path: $0.path, bytes: Array($0.text.utf8)) }, format: format,
            order: settings.order.flatMap(MigrationOrder.init),
            dialect: dialect)
    }

    var database: Database { Database(name: "main", schema: pin, migrations: settings) }

    /// Finds the table and reads everything.
    func reading(_ connection: any SQLConnection, archive: [ArchiveRow] = []) async throws -> SchemaReading {
        let dialect: SQLDialect = connection.engine == .postgres ? .postgres : .sqlite
        let directory = try directory(dialect)
        let search = try await AdoptedTable.find(
            on: connection, named: settings.table, format: directory.format, database: database.id)
        var set = AppliedSet()
        let table: AdoptedTable
        switch search {
        case .refused(let problem): throw problem
        case .none(let absent): table = absent
        case .found(let found):
            table = found
            set = found.read(
                try await connection.query(found.query), files: directory.migrations, archive: archive, database: database.id)
        }
        let isInhabited = try await AdoptedTable.hasUserTables(connection, besides: table.name)
        return SchemaReading(
            database, directory: directory, table: table, tableExists: search == .found(table), set: set, archive: archive,
            dialect: dialect,
            isInhabited: isInhabited, isSigned: { ArchiveSignature.isSigned($0, key: Self.key) })
    }

    func observe(_ connection: any SQLConnection, archive: [ArchiveRow] = []) async throws -> DatabaseObservation {
        try await reading(connection, archive: archive).observation(on: connection, engine: "test")
    }

    /// Runs an up script and records it in the table, which is made where it is missing.
    func apply(_ stem: String, on connection: any SQLConnection) async throws {
        let reading = try await reading(connection)
        guard let file = reading.file(stem) else { throw Problem("NoFile", stem) }
        if !reading.tableExists { try await connection.execute(reading.table.creation) }
        try await connection.execute(file.up.text)
        for statement in reading.table.recordUp(.init(file)) { try await connection.execute(statement) }
    }

    func takeBack(_ stem: String, on connection: any SQLConnection) async throws {
        let reading = try await reading(connection)
        guard let entry = reading.entry(stem) else { throw Problem("NoEntry", stem) }
        let previous = reading.set.applied.map(\.entry).last { $0.stem != stem }
        for statement in reading.table.recordDown(entry, previous: previous) { try await connection.execute(statement) }
    }

    static func row(
        _ version: String, sequence: Int, up: String? = nil, down: String? = nil, state: ArchiveRow.State = .applied
    ) -> ArchiveRow {
        ArchiveRow(
            version: version, name: version, sequence: sequence, state: state, upSQL: up, downSQL: down,
            upFingerprint: up.flatMap { SQLScript.cosmeticFingerprint($0, dialect: .sqlite) }, sourcePath: "\(version).sql"
        ).signed(key)
    }

    static func sqlite() async throws -> SQLiteConnection { try await SQLiteConnection(":memory:", mode: .create) }

    static func postgres() async throws -> PostgresConnection {
        let name = try await PostgresServer.shared.makeDatabase()
        return try await PostgresConnection(PostgresAddress(try await PostgresServer.shared.url(of: name)))
    }
}
