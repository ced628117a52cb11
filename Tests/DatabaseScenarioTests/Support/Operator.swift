import DatabaseServers
import FoundationEssentials
import SQL
import TestPrograms

/// One database with a directory of migrations, and the built program on it as one operator runs it.
struct Operator: Sendable {
    enum Engine: String, Sendable, CaseIterable {
        case sqlite, postgres
    }

    /// Holds the specs, the migrations and the state directories; the file too on SQLite.
    let place: Place
    let engine: Engine
    /// Its name on the server; the path of the file on SQLite.
    var database: String
    /// Tells two operators of one database apart: each has a spec and a state directory of its own.
    var name = "one"
    /// Further fields of `migrations`.
    var settings: [String] = []
    /// Further lines of `spec`, each indented by two.
    var more = ""
    /// Further lines of the database, each indented by six.
    var databaseMore = ""
    /// Added to the environment of the program.
    var variables: [String: String?] = [:]
    /// Where migrations are, beside the spec.
    var directory = "migrations"

    /// Who shares a database sets the same key.
    static let key = "cHJvb2ZzIHByb29mcyBwcm9vZnMgcHJvb2ZzIHByb29mcw=="

    /// - Parameter isPooled: whether the spec's address leads through PgBouncer, and a direct one past it.
    init(_ engine: Engine, isPooled: Bool = false) async throws {
        place = try Place()
        self.engine = engine
        try FileManager.default.createDirectory(atPath: place.path("migrations"), withIntermediateDirectories: true)
        switch engine {
        case .sqlite: database = place.path("shop.db")
        case .postgres:
            database = try await PostgresServer.shared.makeDatabase()
            let direct = try await PostgresServer.shared.url(of: database)
            variables["DATABASE_URL"] = isPooled ? try await PostgresServer.shared.pooledURL(of: database) : direct
            if isPooled { variables["DIRECT_URL"] = direct }
        }
    }

    /// Runs `body` with an operator whose files are taken away afterwards.
    static func with(_ engine: Engine, isPooled: Bool = false, _ body: (inout Operator) async throws -> Void) async throws {
        var made = try await Operator(engine, isPooled: isPooled)
        do {
            try await body(&made)
        } catch {
            try made.place.remove()
            throw error
        }
        try made.place.remove()
    }

    /// The same database, seen by somebody with another spec and another state directory.
    func colleague(_ name: String) -> Operator {
        var copy = self
        copy.name = name
        return copy
    }

    // MARK: - Migrations

    /// Writes a file as dbmate wants it.
    /// - Parameter isTransactional: false: both directions are marked to run outside of a transaction.
    func write(_ stem: String, up: String, down: String, isTransactional: Bool = true) throws {
        let option = isTransactional ? "" : " transaction:false"
        try place.write("\(directory)/\(stem).sql", "-- migrate:up\(option)\n\(up)\n-- migrate:down\(option)\n\(down)\n")
    }

    func holds(_ stem: String) -> Bool { FileManager.default.fileExists(atPath: place.path("\(directory)/\(stem).sql")) }

    func remove(_ stem: String) throws { try FileManager.default.removeItem(atPath: place.path("\(directory)/\(stem).sql")) }

    /// The stem of the migration of that number: `20240101000007_m7`.
    static func stem(_ number: Int, _ name: String = "m") -> String { "\(version(number))_\(name)\(number)" }

    static func version(_ number: Int) -> String { String(20_240_101_000_000 + number) }

    // MARK: - Asking the database

    func connect() async throws -> any SQLConnection {
        switch engine {
        case .sqlite: try await SQLiteConnection(database, mode: .create)
        case .postgres: try await PostgresConnection(PostgresAddress(try await PostgresServer.shared.url(of: database)))
        }
    }

    /// Rows as the vendors' own clients print them.
    @discardableResult func ask(_ sql: String) async throws -> String {
        switch engine {
        case .sqlite:
            let ended = try await BuiltProgram(onSearchPath: "sqlite3").run(["-cmd", ".timeout 10000", database, sql])
            guard ended.status == 0 else { throw PostgresServer.Failure(description: ended.errors) }
            return ended.output.split(separator: "\n").joined(separator: "\n")
        case .postgres: return try await PostgresServer.shared.psql(sql, database: database)
        }
    }

    /// What dbmate's table records, ascending.
    func versions() async throws -> [String] {
        let table = engine == .sqlite ? "schema_migrations" : "public.schema_migrations"
        return try await ask("SELECT version FROM \(table) ORDER BY version").split(separator: "\n").map(String.init)
    }

    /// Names of the tables that migrations made.
    func tables() async throws -> [String] {
        let sql =
            engine == .sqlite
            ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_belay%' ESCAPE '\\' AND name <> 'schema_migrations' "
                + "AND name NOT LIKE 'sqlite%' ORDER BY 1"
            : "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
                + "AND relname <> 'schema_migrations' ORDER BY 1"
        return try await ask(sql).split(separator: "\n").map(String.init)
    }

    /// As if the time had passed after which somebody who was killed keeps nobody out any more.
    func letTheLeaseExpire() async throws {
        switch engine {
        case .postgres:
            guard try await ask("SELECT to_regclass('belay.migration_lease') IS NOT NULL") == "t" else { return }
            try await ask("UPDATE belay.migration_lease SET expires_at = clock_timestamp() - interval '1 second' WHERE holder IS NOT NULL")
        case .sqlite:
            guard try await ask("SELECT count(*) FROM sqlite_master WHERE name = '_belay_migration_lease'") == "1" else { return }
            try await ask("UPDATE _belay_migration_lease SET expires_at = '2000-01-01T00:00:00.000Z' WHERE holder IS NOT NULL")
        }
    }
}
