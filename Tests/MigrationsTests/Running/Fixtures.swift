import DatabaseServers
import MigrationFiles
import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing

/// A database of one test's own, with an adopted table of dbmate's kind.
struct Bench: Sendable {
    var name: String
    var url: String
    var pooledURL: String?
    let connection: PostgresConnection

    init(pooled: Bool = false) async throws {
        let server = PostgresServer.shared
        name = try await server.makeDatabase()
        url = try await server.url(of: name)
        if pooled { pooledURL = try await server.pooledURL(of: name) }
        connection = try await PostgresConnection(PostgresAddress(url))
        try await connection.execute("CREATE TABLE public.schema_migrations (version varchar PRIMARY KEY)")
    }

    func settings(_ run: String = "r1", pooled: Bool = false, direct: Bool = true) -> MigrationSession.Settings {
        let main = pooled ? pooledURL ?? url : url
        let url = url
        var settings = MigrationSession.Settings(table: "public.schema_migrations", run: run, actor: "ann@laptop") {
            isDirect throws(SQLError) in
            if isDirect, !direct { throw SQLError(.misconfigured, "no direct address") }
            return try await PostgresConnection(PostgresAddress(isDirect ? url : main))
        }
        settings.backoff = .milliseconds(20)...(.milliseconds(100))
        settings.orphanGrace = .milliseconds(500)
        return settings
    }

    func session(_ run: String = "r1", pooled: Bool = false, direct: Bool = true) async throws -> MigrationSession {
        try await MigrationSession.open(settings(run, pooled: pooled, direct: direct)).get()
    }

    func scalar(_ sql: String) async throws -> String? { try await connection.query(sql).scalar }

    func state(_ version: String = "1_a") async throws -> ArchiveRow.State? {
        try await Archive(.postgres).state(of: version, on: connection)
    }

    func recorded() async throws -> [String] {
        try await connection.query("SELECT version FROM public.schema_migrations ORDER BY 1").rows.compactMap { $0[0] }
    }

    func events(_ version: String = "1_a") async throws -> [String] {
        try await Archive(.postgres).journal(of: version, on: connection).map(\.event.rawValue)
    }
}

extension MigrationJob {
    static func make(
        _ script: String, version: String = "1_a", isUp: Bool = true, isTransactional: Bool? = nil, firstLine: Int = 1,
        pragmas: [String] = [],
        dialect: SQLDialect = .postgres, records: [SQLRun]? = nil
    ) throws -> MigrationJob {
        let place = dialect == .postgres ? "$1" : "?1"
        let table = dialect == .postgres ? "public.schema_migrations" : "schema_migrations"
        let number = SQLValue.text(String(version.prefix { $0 != "_" }))
        var job = MigrationJob(
            version: version, name: "a", isUp: isUp,
            script: MigrationScript(text: script, firstLine: firstLine, isTransactional: isTransactional, pragmas: pragmas),
            facts: try ScriptFacts(script, dialect: dialect), path: "db/\(version).sql",
            recorded: SQLRun("SELECT 1 FROM \(table) WHERE version = \(place)", [number]),
            records: records ?? [
                SQLRun(
                    isUp ? "INSERT INTO \(table) (version) VALUES (\(place))" : "DELETE FROM \(table) WHERE version = \(place)", [number])
            ], archive: ArchiveRow(version: version, name: "a", sequence: 0, state: .applied, upSQL: isUp ? script : nil).signed([1]))
        job.timeouts.lock = .milliseconds(200)
        return job
    }
}

extension MigrationEnd {
    var isDone: Bool { if case .done = self { true } else { false } }
    var problem: Problem? {
        switch self {
        case .done: nil
        case .failed(let problem), .undecided(let problem): problem
        }
    }
}
