import DatabaseServers
import Flags
import FoundationEssentials
import HTTPCore
import JSONValues
import Model
import ProviderKit
import SQL
import Simulators
import TestPrograms

/// The stores that must keep the same contract.
enum Kept: String, CaseIterable, Sendable {
    case postgres, sqlite, flagd, configMap, edgeConfig

    /// Where a server program is missing, the others are tested all the same.
    static var here: [Kept] { allCases.filter { $0 != .postgres || PostgresServer.isAvailable } }
}

/// A store that knows the flag `known`, which is on, and `stranger`, which is somebody else's.
struct Stage: Sendable {
    static let token = "secret-token-4711"
    static let api = "https://api.vercel.test"
    static let cluster = "https://cluster.test:6443"

    let store: AnyFlagStore
    let target: any FlagTarget
    /// All that the store holds.
    let content: @Sendable () async throws -> String
    /// What somebody else does: turns `known` off.
    let meddle: @Sendable () async throws -> Void
    /// Must be in the content, whatever happens.
    let strangers: String

    static func make(_ kept: Kept) async throws -> Stage {
        switch kept {
        case .postgres: try await postgres()
        case .sqlite: try await sqlite()
        case .flagd: try flagd()
        case .configMap: try configMap()
        case .edgeConfig: try edgeConfig()
        }
    }

    func observe(_ name: String) async -> FlagObservation {
        await store.observe([name], in: target)[name] ?? FlagObservation(problem: Problem("Missing", "no entry for \(name)"))
    }

    /// The change that a plan would hold.
    func change(_ name: String, to setting: FlagSetting) async -> FlagChange {
        let now = await observe(name)
        return FlagChange(name: name, from: now.setting, to: setting, marker: now.marker)
    }

    @discardableResult
    func set(_ name: String, to setting: FlagSetting) async -> ApplyResult { await apply([await change(name, to: setting)]) }

    func apply(_ changes: [FlagChange]) async -> ApplyResult { await store.apply(changes, to: target, reason: "a test") }
}

// MARK: - Documents

extension Stage {
    static let definition = """
        {
            "$schema": "https://flagd.dev/schema/v0/flags.json",
            "flags": {
                "known":    {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"},
                "stranger": {"state": "DISABLED", "variants": {"a": 1.10, "b": 2},   "defaultVariant": "a"}
            },
            "$evaluators": { "staff": {"ends_with": [{"var": "email"}, "@example.com"]} }
        }

        """
    private static let stranger = #""stranger": {"state": "DISABLED", "variants": {"a": 1.10, "b": 2},   "defaultVariant": "a"}"#

    private static func store(
        for target: any FlagTarget, _ variables: [String: String] = [:], _ transport: any Transport = SimulatedTransport([:])
    ) throws -> AnyFlagStore {
        let environment = ProviderEnvironment(
            variables: variables, transport: transport, now: { Timestamp(millisecondsSinceEpoch: 1_795_392_000_000) })
        return try FlagStores(environment).store(for: target) { name in .failure(Problem("NoDatabase", "no database \(name)")) }.get()
    }

    private static func meddled(_ text: String) -> String {
        text.replacing(#""defaultVariant": "on""#, with: #""defaultVariant": "off""#)
    }

    static func flagd(_ text: String = definition, at place: Place? = nil) throws -> Stage {
        let place = try place ?? Place()
        let target = FlagdTarget(file: try place.write("flags.json", text))
        return Stage(
            store: try store(for: target), target: target, content: { try place.read("flags.json") },
            meddle: { try place.write("flags.json", meddled(try place.read("flags.json"))) }, strangers: stranger)
    }

    struct Cluster: Sendable {
        let simulator: KubernetesSimulator
        let transport: SimulatedTransport
        let stage: Stage
    }

    static func configMap() throws -> Stage { try configMapStage().stage }

    static func configMapStage(
        _ map: JSON = ["namespace": "prod", "name": "flags", "data": ["flags.json": .string(definition), "else": "kept"]],
        _ target: ConfigMapFlagTarget = ConfigMapFlagTarget(namespace: "prod", name: "flags"), _ more: JSON = [:]
    ) throws -> Cluster {
        var world = more
        world["configMaps"] = [map]
        world["namespaces"] = ["prod"]
        let simulator = KubernetesSimulator(world: world, clock: ManualClock(), token: token)
        let transport = SimulatedTransport([cluster: simulator])
        let kubeconfig = try Place().write(
            "config",
            """
            {"clusters": [{"name": "test", "cluster": {"server": "\(cluster)"}}],
             "users": [{"name": "belay", "user": {"token": "\(token)"}}],
             "contexts": [{"name": "test", "context": {"cluster": "test", "user": "belay"}}], "current-context": "test"}
            """)
        let data: @Sendable () async -> JSON? = {
            await simulator.world["objects"]?.elements.first {
                $0["kind"]?.string == "ConfigMap" && $0["metadata"]?["name"]?.string == "flags"
            }?["data"]
        }
        let stage = Stage(
            store: try store(for: target, ["KUBECONFIG": kubeconfig], transport), target: target,
            content: { await data()?["flags.json"]?.string ?? "" },
            meddle: {
                let text = meddled(await data()?["flags.json"]?.string ?? "")
                var request = HTTPRequest(.patch, "\(cluster)/api/v1/namespaces/prod/configmaps/flags?fieldManager=ann")
                request.headers = ["Authorization": "Bearer \(token)", "Content-Type": "application/merge-patch+json"]
                request.body = (["data": ["flags.json": .string(text)]] as JSON).bytes
                _ = await simulator.answer(request)
            }, strangers: stranger)
        return Cluster(simulator: simulator, transport: transport, stage: stage)
    }

    struct Account: Sendable {
        let vercel: VercelSimulator
        let transport: SimulatedTransport
        let stage: Stage
    }

    static func edgeConfig() throws -> Stage { try edgeConfigStage().stage }

    static func edgeConfigStage(
        _ items: JSON = ["flags": ["known": true, "stranger": ["enabled": false, "owner": "ann"]], "else": 1], missing: Int = 204,
        _ target: EdgeConfigTarget = EdgeConfigTarget(id: "ecfg_a", team: "acme"), recording: ((VercelSimulator) -> any Simulator)? = nil,
        rateLimits: JSON = []
    ) throws -> Account {
        let vercel = try VercelSimulator(
            world: [
                "edgeConfigs": [["id": "ecfg_a", "team": "acme", "items": items, "missing": .integer(missing)]], "rateLimits": rateLimits,
            ], clock: ManualClock(), token: token)
        let transport = SimulatedTransport([api: recording?(vercel) ?? vercel])
        let stage = Stage(
            store: try store(for: target, ["VERCEL_TOKEN": token, "VERCEL_API_URL": api], transport), target: target,
            content: { await vercel.world["edgeConfigs"]?[0]?["items"]?.description ?? "" },
            meddle: {
                var flags = await vercel.world["edgeConfigs"]?[0]?["items"]?["flags"] ?? [:]
                flags["known"] = false
                vercel.editEdgeConfig("ecfg_a", item: "flags", to: flags)
            }, strangers: #""stranger":{"enabled":false,"owner":"ann"}"#)
        return Account(vercel: vercel, transport: transport, stage: stage)
    }
}

// MARK: - Tables

extension Stage {
    /// As the runbook makes it, but for tenants, which are only their ids here.
    static let postgresTable = """
        CREATE TABLE feature_flags (
            flag_id UUID PRIMARY KEY DEFAULT gen_random_uuid(), flag_name VARCHAR(255) NOT NULL UNIQUE,
            status VARCHAR(50) NOT NULL DEFAULT 'disabled' CHECK (status IN ('enabled', 'disabled', 'gradual_rollout')),
            rollout_percentage INTEGER DEFAULT 0, tenant_id UUID, metadata JSONB,
            created_at TIMESTAMPTZ NOT NULL DEFAULT NOW(), updated_at TIMESTAMPTZ NOT NULL DEFAULT NOW());
        INSERT INTO feature_flags (flag_name, status, metadata) VALUES ('known', 'enabled', '{"owner": "ann"}'), ('stranger', 'gradual_rollout', '{"b": 1}')
        """
    static let tenant = "11111111-2222-3333-4444-555555555555"

    static func postgres(_ script: String = postgresTable, _ target: SQLFlagTarget = SQLFlagTarget(database: "main")) async throws -> Stage
    {
        let database = try await PostgresServer.shared.makeDatabase()
        _ = try await PostgresServer.shared.psql(script, database: database)
        return try await postgres(in: database, target)
    }

    static func postgres(
        in database: String, _ target: SQLFlagTarget = SQLFlagTarget(database: "main"), user: String = "postgres", loses: String? = nil
    ) async throws -> Stage {
        let address = try PostgresAddress(try await PostgresServer.shared.url(of: database, user: user))
        return try stage(target, meddling: "feature_flags", loses: loses) { () throws(SQLError) in try await PostgresConnection(address) }
    }

    static func sqlite(
        _ script: String = """
        CREATE TABLE feature_flags (flag_id TEXT PRIMARY KEY NOT NULL, flag_name TEXT NOT NULL UNIQUE, status TEXT NOT NULL DEFAULT 'disabled',
            rollout_percentage INTEGER DEFAULT 0, tenant_id TEXT, metadata TEXT, updated_at TEXT);
        INSERT INTO feature_flags (flag_id, flag_name, status, metadata) VALUES
            ('1', 'known', 'enabled', '{"owner": "ann"}'), ('2', 'stranger', 'gradual_rollout', '{"b": 1}')
        """
    ) async throws -> Stage {
        let path = try Place().path("app.db")
        let connection = try await SQLiteConnection(path, mode: .create)
        try await connection.execute(script)
        await connection.close()
        return try stage(SQLFlagTarget(database: "main"), meddling: "feature_flags") { () throws(SQLError) in
            try await SQLiteConnection(path, busy: .milliseconds(200))
        }
    }

    private static func stage(
        _ target: SQLFlagTarget, meddling table: String, loses: String? = nil,
        open: @escaping @Sendable () async throws(SQLError) -> any SQLConnection
    ) throws -> Stage {
        let connect: FlagDatabaseConnector = { _ in
            do throws(SQLError) {
                let connection = try await open()
                return .success(loses.map { LosingConnection(connection, $0) } ?? connection)
            } catch {
                return .failure(Problem("DatabaseUnreachable", "\(error)"))
            }
        }
        let environment = ProviderEnvironment(
            variables: [:], transport: SimulatedTransport([:]), now: { Timestamp(millisecondsSinceEpoch: 0) })
        return Stage(
            store: try FlagStores(environment).store(for: target, connect: connect).get(), target: target,
            content: {
                let connection = try await open()
                let rows = try await connection.query("SELECT * FROM \(target.table) ORDER BY flag_name").rows
                await connection.close()
                return rows.map { $0.map { $0 ?? "NULL" }.joined(separator: "|") }.joined(separator: "\n")
            },
            meddle: {
                let connection = try await open()
                try await connection.execute("UPDATE \(table) SET status = 'disabled' WHERE flag_name = 'known'")
                await connection.close()
            }, strangers: "|stranger|gradual_rollout|0|NULL|{\"b\": 1}|")
    }
}

/// A session that is lost when a statement that begins with some words has been carried out.
final class LosingConnection: SQLConnection {
    private let inner: any SQLConnection
    private let words: String

    init(_ inner: any SQLConnection, _ words: String) {
        self.inner = inner
        self.words = words
    }

    var engine: SQLEngine { inner.engine }
    var transaction: SQLTransactionState { get async { await inner.transaction } }

    func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows {
        let rows = try await inner.query(sql, parameters)
        try await lose(sql)
        return rows
    }

    func execute(_ script: String) async throws(SQLError) {
        try await inner.execute(script)
        try await lose(script)
    }

    func close() async { await inner.close() }

    private func lose(_ sql: String) async throws(SQLError) {
        guard sql.hasPrefix(words) else { return }
        await inner.close()
        throw SQLError(.lost, "main at 127.0.0.1: the connection was closed")
    }
}
