import DatabaseServers
import FoundationEssentials
import Migrations
import Model
import Planning
import ProviderKit
import TestPrograms

/// One database with a directory of migrations, moved as a pass moves it: observe, plan, confirm, migrate.
struct Shop {
    enum Engine: String, Sendable, CaseIterable {
        case sqlite, postgres
    }

    let place: Place
    var address: String
    let engine: Engine
    var settings: MigrationSettings
    var key: [UInt8] = Array(repeating: 7, count: 32)

    init(_ engine: Engine) async throws {
        place = try Place()
        self.engine = engine
        settings = MigrationSettings(path: place.path("migrations"))
        switch engine {
        case .sqlite: address = place.path("shop.db")
        case .postgres: address = try await PostgresServer.shared.url(of: try await PostgresServer.shared.makeDatabase())
        }
    }

    func write(_ stem: String, up: String, down: String) throws {
        try place.write("migrations/\(stem).sql", "-- migrate:up\n\(up)\n-- migrate:down\n\(down)\n")
    }

    func remove(_ stem: String) throws { try FileManager.default.removeItem(atPath: place.path("migrations/\(stem).sql")) }

    /// `a`, `b`, `c`: a table each.
    func writeThree() throws {
        for (index, name) in ["a", "b", "c"].enumerated() {
            try write("2024010\(index + 1)000000_\(name)", up: "CREATE TABLE t_\(name) (id integer);", down: "DROP TABLE t_\(name);")
        }
    }

    var driver: MigrationsDriver {
        let address = address
        return MigrationsDriver { _, _ in .success(Secret(address)) }
    }

    func database(_ pin: String) -> Database {
        Database(
            name: "main", connection: engine == .sqlite ? .sqlite(address) : .postgres(url: .environment("URL"), direct: nil), schema: pin,
            migrations: settings)
    }

    func request(approved: Int? = 1_000_000) -> SchemaRequest {
        SchemaRequest(
            system: SystemID(name: "shop"), revision: Revision(.commit, String(repeating: "a", count: 40)),
            run: "run\(UInt32.random(in: 0 ... .max))",
            actor: "test", key: key, approvedRows: approved, backups: place.path("backups"))
    }

    var store: BackupStore { BackupStore(directory: place.path("backups"), system: SystemID(name: "shop"), key: key) }

    func observe(_ pin: String) async -> DatabaseObservation { await driver.observe(database(pin), request()) }

    func plan(_ pin: String) async -> Plan {
        let database = database(pin)
        return Planning.plan(
            System(id: SystemID(name: "shop"), components: [], databases: [database]), revision: request().revision,
            observed: World(databases: [database.id: await observe(pin)]), recorded: RecordedState(isKnown: true))
    }

    /// Carries out what a plan says of the schema. Returns the reason of the first problem, nil when all went well.
    func move(to pin: String, approved: Int? = 1_000_000) async -> String? {
        let plan = await plan(pin)
        if let blocked = plan.blocked.first { return blocked.problem.reason }
        let changes = plan.steps.compactMap { step -> MigrationChange? in
            guard case .migrate(let change) = step.action else { return nil }
            return change
        }
        let request = request(approved: approved)
        let driver = driver
        if let problem = await driver.confirm(changes, of: database(pin), request) { return problem.reason }
        for change in changes {
            switch await driver.migrate(change, of: database(pin), request, progress: { _ in }) {
            case .done: continue
            case .failed(let problem), .undecided(let problem):
                await driver.end(request)
                return problem.reason
            }
        }
        await driver.end(request)
        return nil
    }

    /// Names of the tables that the migrations made.
    func tables() async throws -> [String] {
        let sql =
            engine == .sqlite
            ? "SELECT name FROM sqlite_master WHERE name LIKE 't\\_%' ESCAPE '\\' ORDER BY 1"
            : "SELECT relname FROM pg_class WHERE relname LIKE 't\\_%' AND relkind = 'r' ORDER BY 1"
        return try await ask(sql).split(separator: "\n").map(String.init)
    }

    /// Rows as the vendors' own clients print them.
    @discardableResult func ask(_ sql: String) async throws -> String {
        switch engine {
        case .sqlite:
            let ended = try await BuiltProgram(onSearchPath: "sqlite3").run([address, sql])
            guard ended.status == 0 else { throw PostgresServer.Failure(description: ended.errors) }
            return ended.output.split(separator: "\n").joined(separator: "\n")
        case .postgres: return try await PostgresServer.shared.psql(sql, database: String(address.split(separator: "/").last ?? ""))
        }
    }

    func versions() async throws -> [String] {
        try await ask("SELECT version FROM schema_migrations ORDER BY version").split(separator: "\n").map(String.init)
    }
}

/// Brings a backup back with the vendor's own program.
func restore(_ file: String, into database: String, _ port: Int) async throws {
    let ended = try await BuiltProgram(onSearchPath: "pg_restore").run([
        "--exit-on-error", "--no-owner", "-h", "127.0.0.1", "-p", String(port), "-U", "postgres", "-d", database, file,
    ])
    guard ended.status == 0 else { throw PostgresServer.Failure(description: ended.errors) }
}
