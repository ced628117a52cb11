import DatabaseServers
import FoundationEssentials
import JSONValues
import SandboxServer
import TestPrograms

/// A store of flags that a sandboxed system can name, and somebody's hand in it.
struct FlagPlace: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case flagd, configMap, edgeConfig, sqlite, postgres

        /// Where a server program is missing, the others are tested all the same.
        static var here: [Kind] { allCases.filter { $0 != .postgres || PostgresServer.isAvailable } }
    }

    let kind: Kind
    let system: SandboxedSystem
    /// Of PostgreSQL.
    private let database: String

    init(_ kind: Kind, _ system: SandboxedSystem) async throws {
        self.kind = kind
        self.system = system
        database = kind == .postgres ? try await PostgresServer.shared.makeDatabase() : ""
        if kind == .flagd { try system.place.write("flags.json", Self.definition) }
        if kind == .sqlite || kind == .postgres {
            try system.place.write(
                "specs/migrations/001_flags.up.sql",
                """
                CREATE TABLE feature_flags (
                    flag_name VARCHAR(255) PRIMARY KEY, status VARCHAR(50) NOT NULL DEFAULT 'disabled', rollout_percentage INTEGER DEFAULT 0);
                INSERT INTO feature_flags (flag_name, status, rollout_percentage) VALUES ('known', 'enabled', 100);
                """)
            try system.place.write("specs/migrations/001_flags.down.sql", "DROP TABLE feature_flags;")
        }
    }

    static let definition = """
        {"flags": {
          "known": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
          "stranger": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}
        }}

        """

    /// The sandbox's world with what the stores need.
    static let world =
        SandboxedSystem.world.replacing(
            "vercel:\n",
            with: "vercel:\n  edgeConfigs:\n    - {id: ecfg_flags, team: acme, items: {flags: {known: true, stranger: true}}}\n")
        + "\n  configMaps:\n    - namespace: prod\n      name: flags\n      data:\n        flags.json: |\n"
        + definition.split(separator: "\n").map { "          " + $0 }.joined(separator: "\n") + "\n"

    var variables: [String: String?] {
        get async throws {
            kind == .postgres ? ["DATABASE_URL": try await PostgresServer.shared.url(of: database)] : [:]
        }
    }

    /// What a spec says under `spec`, with these values of flags, as YAML in flow style.
    func spec(_ values: String) -> String {
        let store: String
        var databases = ""
        switch kind {
        case .flagd: store = "flagd: {file: ../flags.json}"
        case .configMap: store = "configMap: {namespace: prod, name: flags}"
        case .edgeConfig: store = "edgeConfig: {id: ecfg_flags, team: acme}"
        case .sqlite, .postgres:
            store = "sql: {database: main}"
            let connection = kind == .sqlite ? "sqlite: {path: ../app.db}" : "postgres: {url: {fromEnv: DATABASE_URL}}"
            databases =
                "  databases:\n    main: {\(connection), migrations: {path: migrations, format: golang-migrate}, schema: 001_flags}\n"
        }
        return databases + "  flags:\n    store: {\(store)}\n    propagation: 1s\n    values: {\(values)}\n"
    }

    /// What the store holds of a flag, in its own words.
    func shown(_ flag: String) async throws -> String {
        switch kind {
        case .flagd: return Self.shown(flag, in: try JSON(parsing: try system.place.read("flags.json")))
        case .configMap: return Self.shown(flag, in: try await configMap())
        case .edgeConfig:
            let flags = try await request("VERCEL_API_URL", "/v1/edge-config/ecfg_flags/item/flags?slug=acme", try token)["value"]
            return flags?[flag].map { ($0.bool ?? $0["enabled"]?.bool) == true ? "on" : "off" } ?? "missing"
        case .sqlite, .postgres:
            let status = try await sql("SELECT status FROM feature_flags WHERE flag_name = '\(flag)'")
            return ["enabled": "on", "disabled": "off", "": "missing"][status] ?? status
        }
    }

    /// Somebody switches a flag off by hand.
    func switchOff(_ flag: String) async throws {
        switch kind {
        case .flagd:
            var document = try JSON(parsing: try system.place.read("flags.json"))
            document["flags"]?[flag]?["defaultVariant"] = "off"
            try system.place.write("flags.json", document.pretty)
        case .configMap:
            var document = try await configMap()
            document["flags"]?[flag]?["defaultVariant"] = "off"
            _ = try await request(
                nil, "/api/v1/namespaces/prod/configmaps/flags?fieldManager=ann", try clusterToken,
                patch: ["data": ["flags.json": .string(document.pretty)]], "application/merge-patch+json")
        case .edgeConfig:
            var flags =
                try await request("VERCEL_API_URL", "/v1/edge-config/ecfg_flags/item/flags?slug=acme", try token)["value"] ?? [:]
            flags[flag] = false
            _ = try await request(
                "VERCEL_API_URL", "/v1/edge-config/ecfg_flags/items?slug=acme", try token,
                patch: ["items": [["operation": "update", "key": "flags", "value": flags]]], "application/json")
        case .sqlite, .postgres: _ = try await sql("UPDATE feature_flags SET status = 'disabled' WHERE flag_name = '\(flag)'")
        }
    }

    // MARK: - Private details

    private static func shown(_ flag: String, in document: JSON) -> String {
        document["flags"]?[flag]?["defaultVariant"]?.string ?? "missing"
    }

    private func sql(_ statement: String) async throws -> String {
        if kind == .postgres {
            return try await PostgresServer.shared.psql(statement, database: database).trimmingSpace
        }
        let code = """
            import sqlite3, sys
            connection = sqlite3.connect(sys.argv[1])
            print("\\n".join(str(row[0]) for row in connection.execute(sys.argv[2])))
            connection.commit()
            """
        let ended = try await BuiltProgram(onSearchPath: "python3").run(["-c", code, system.place.path("app.db"), statement])
        guard ended.status == 0 else { throw Failure(text: ended.errors) }
        return ended.output.trimmingSpace
    }

    private func configMap() async throws -> JSON {
        let map = try await request(nil, "/api/v1/namespaces/prod/configmaps/flags", try clusterToken)
        return try JSON(parsing: map["data"]?["flags.json"]?.string ?? "{}")
    }

    /// - Parameter variable: with the vendor's address; nil for the cluster.
    private func request(
        _ variable: String?, _ path: String, _ token: String, patch: JSON? = nil, _ type: String = "application/json"
    ) async throws -> JSON {
        let base = variable.flatMap { name in system.sandbox.environment.first { $0.name == name }?.value }
        let url = (base ?? system.sandbox.server.urls["kubernetes"] ?? "") + path
        var arguments = ["-sf", "--noproxy", "*", "-H", "Authorization: Bearer \(token)", url]
        if let patch { arguments += ["-X", "PATCH", "-H", "Content-Type: \(type)", "-d", patch.description] }
        let ended = try await BuiltProgram(onSearchPath: "curl").run(arguments)
        guard ended.status == 0 else { throw Failure(text: "\(path): curl ended with \(ended.status)") }
        return try JSON(parsing: ended.output)
    }

    private var token: String {
        get throws {
            guard let token = system.sandbox.environment.first(where: { $0.name == "VERCEL_TOKEN" })?.value else {
                throw Failure(text: "no VERCEL_TOKEN")
            }
            return token
        }
    }

    private var clusterToken: String {
        get throws {
            guard let path = system.sandbox.environment.first(where: { $0.name == "KUBECONFIG" })?.value,
                let text = FileManager.default.contents(atPath: path).map({ String(decoding: $0, as: UTF8.self) }),
                let range = text.firstRange(of: "token: \"")
            else { throw Failure(text: "no token in the kubeconfig") }
            return String(text[range.upperBound...].prefix { $0 != "\"" })
        }
    }

    struct Failure: Error { var text: String }
}

extension String {
    fileprivate var trimmingSpace: String { split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
