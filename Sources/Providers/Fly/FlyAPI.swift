import HTTPCore
import JSONValues
import Model
import ProviderKit

/// The operations that Belay uses, of the Machines API, the ledger of releases and the registry. Sends each request once.
struct FlyAPI: Sendable {
    struct Connection: Sendable {
        var machines: APIClient
        var ledger: APIClient
        var graphQL: APIClient
        var registry: APIClient
        /// The registry's host, as images name it.
        var registryName: String
        var credential: FlyCredential
    }

    let connection: Connection
    let affinity: FlyAffinity
    let app: String

    var registryName: String { connection.registryName }

    // MARK: - Machines

    typealias Machines = (machines: [FlyMachine], time: Timestamp?)

    /// Every machine of the app, and the provider's clock.
    func machines() async throws(APIError) -> Machines {
        let purpose = "listing machines"
        let answer = try await send(.get, "/machines", query: [("include_leases", "true")], while: purpose)
        guard let rows = answer.body?.array else { throw APIError(missing: "list of machines", purpose: purpose) }
        let machines = rows.compactMap { FlyMachine($0) }
        guard machines.count == rows.count else { throw APIError(missing: "id, state or version of a machine", purpose: purpose) }
        return (machines, answer.time)
    }

    /// How many machines the app says that it has: an empty list alone need not be true.
    func machineCount() async throws(APIError) -> Int {
        let purpose = "reading the app"
        let answer = try await send(.get, "", while: purpose)
        guard answer.body?["name"]?.string != nil else { throw APIError(missing: "app", purpose: purpose) }
        return answer.body?["machine_count"]?.integer ?? 0
    }

    func machine(_ id: String, nonce: String? = nil) async throws(APIError) -> (machine: FlyMachine, time: Timestamp?) {
        let purpose = "reading machine \(id)"
        let answer = try await send(.get, Self.path(id), nonce: nonce, while: purpose)
        guard let machine = answer.body.flatMap({ FlyMachine($0) }) else { throw APIError(missing: "machine", purpose: purpose) }
        return (machine, answer.time)
    }

    /// Its versions with the configs that they were given, the newest first.
    func versions(_ id: String) async throws(APIError) -> [(version: String, config: JSON)] {
        let purpose = "reading the versions of machine \(id)"
        let answer = try await send(.get, Self.path(id) + "/versions", while: purpose)
        guard let rows = answer.body?.array else { throw APIError(missing: "list of versions", purpose: purpose) }
        return rows.compactMap { row in
            guard let version = row["version"]?.string, let config = row["user_config"] else { return nil }
            return (version, config)
        }
    }

    /// - Parameter body: the whole config, never a part of one.
    /// - Returns: the new version.
    func update(_ id: String, _ body: JSON, nonce: String) async throws(APIError) -> String {
        let purpose = "updating machine \(id)"
        let answer = try await send(.post, Self.path(id), body: body, nonce: nonce, while: purpose)
        guard let instance = answer.body?["instance_id"]?.string ?? answer.body?["version"]?.string else {
            throw APIError(missing: "instance_id", purpose: purpose, isWrite: true)
        }
        return instance
    }

    /// Waits at most that many seconds, from 1 to 60, for a version of a machine to get into a state.
    ///
    /// - Returns: false when the time ran out, which is normal.
    func wait(_ id: String, version: String, state: String, seconds: Int, nonce: String) async throws(APIError) -> Bool {
        let seconds = min(60, max(1, seconds))
        do throws(APIError) {
            _ = try await send(
                .get, Self.path(id) + "/wait", query: [("version", version), ("state", state), ("timeout", String(seconds))], nonce: nonce,
                deadline: .seconds(seconds + 15), while: "waiting for machine \(id)")
            return true
        } catch {
            guard error.status == 408 else { throw error }
            return false
        }
    }

    func cordon(_ id: String, nonce: String) async throws(APIError) {
        _ = try await send(.post, Self.path(id) + "/cordon", nonce: nonce, while: "cordoning machine \(id)")
    }

    func start(_ id: String, nonce: String) async throws(APIError) {
        _ = try await send(.post, Self.path(id) + "/start", nonce: nonce, while: "starting machine \(id)")
    }

    func uncordon(_ id: String, nonce: String) async throws(APIError) {
        _ = try await send(.post, Self.path(id) + "/uncordon", nonce: nonce, while: "uncordoning machine \(id)")
    }

    /// Returns before it is stopped.
    func stop(_ id: String, nonce: String) async throws(APIError) {
        _ = try await send(.post, Self.path(id) + "/stop", body: [:], nonce: nonce, while: "stopping machine \(id)")
    }

    func setMetadata(_ id: String, _ key: String, _ value: String) async throws(APIError) {
        _ = try await send(
            .post, Self.path(id) + "/metadata/\(key.percentEncoded)", body: ["value": .string(value)], while: "marking machine \(id)")
    }

    func removeMetadata(_ id: String, _ key: String) async throws(APIError) {
        do throws(APIError) {
            _ = try await send(.delete, Self.path(id) + "/metadata/\(key.percentEncoded)", while: "unmarking machine \(id)")
        } catch {
            // It is not there: what was wanted.
            guard error.code == .notFound else { throw error }
        }
    }

    // MARK: - Leases

    /// Takes a lease, or with its nonce renews it.
    ///
    /// - Returns: the nonce, and the version that the machine has.
    func lease(
        _ id: String, description: String, seconds: Int, nonce: String? = nil
    ) async throws(APIError) -> (nonce: String, version: String?) {
        let purpose = "leasing machine \(id)"
        let answer = try await send(
            .post, Self.path(id) + "/lease", body: ["description": .string(description), "ttl": .integer(seconds)], nonce: nonce,
            while: purpose)
        guard let data = answer.body?["data"], let nonce = data["nonce"]?.string else {
            throw APIError(missing: "nonce", purpose: purpose, isWrite: true)
        }
        return (nonce, data["version"]?.string)
    }

    func release(_ id: String, nonce: String) async throws(APIError) {
        do throws(APIError) {
            _ = try await send(
                .delete, Self.path(id) + "/lease", nonce: nonce, deadline: .seconds(5), while: "releasing the lease of machine \(id)")
        } catch {
            // It has lapsed: what was wanted.
            guard error.code == .notFound else { throw error }
        }
    }

    // MARK: - Secrets

    func secrets() async throws(APIError) -> [FlySecret] {
        let purpose = "listing secrets"
        let answer = try await send(.get, "/secrets", while: purpose)
        guard let rows = answer.body?["secrets"]?.array else { throw APIError(missing: "list of secrets", purpose: purpose) }
        return rows.compactMap { FlySecret($0) }
    }

    /// - Returns: the secret as it is then, and the version of all the app's secrets.
    func setSecret(_ name: String, _ value: Secret) async throws(APIError) -> (secret: FlySecret?, version: Int?) {
        do throws(APIError) {
            let values = JSON.object(JSONObject([(name, .string(value.reveal()))]))
            let answer = try await send(
                .post, "/secrets", body: .object(JSONObject([("values", values)])), while: "setting secret \(name)")
            let secret = (answer.body?["secrets"]?.elements ?? []).compactMap { FlySecret($0) }.first { $0.name == name }
            return (secret, answer.body?["version"]?.integer ?? answer.body?["Version"]?.integer)
        } catch {
            throw error.hiding(value)
        }
    }

    /// - Returns: the version of all the app's secrets, and the provider's clock; nil where the answer does not tell.
    func removeSecret(_ name: String) async throws(APIError) -> (version: Int?, time: Timestamp?) {
        do throws(APIError) {
            let answer = try await send(.delete, "/secrets/\(name.percentEncoded)", while: "removing secret \(name)")
            return (answer.body?["version"]?.integer, answer.time)
        } catch {
            guard error.code == .notFound, error.body != nil else { throw error }
            return (nil, nil)
        }
    }

    // MARK: - One request

    private static func path(_ machine: String) -> String { "/machines/\(machine.percentEncoded)" }

    private func send(
        _ method: HTTPMethod, _ path: String, query: [(name: String, value: String?)] = [], body: JSON? = nil, nonce: String? = nil,
        deadline: Duration? = nil, while purpose: String
    ) async throws(APIError) -> APIAnswer {
        var headers: HTTPHeaders = [:]
        // The holder of a lease is locked out like everybody else without it.
        if let nonce { headers["fly-machine-lease-nonce"] = nonce }
        if let cookie = affinity[app] { headers["Cookie"] = cookie }
        var client = connection.machines
        if let deadline { client.deadline = deadline }
        let answer = try await exchange(client, method, "/v1/apps/\(app.percentEncoded)\(path)", query, body, headers, while: purpose)
        if let cookie = answer.headers["Set-Cookie"] { affinity.keep(cookie, for: app) }
        return answer
    }

    func exchange(
        _ client: APIClient, _ method: HTTPMethod, _ path: String, _ query: [(name: String, value: String?)] = [], _ body: JSON? = nil,
        _ headers: HTTPHeaders = [:], while purpose: String
    ) async throws(APIError) -> APIAnswer {
        do throws(APIError) {
            return try await client.send(method, path, query: query, body: body, headers: headers, while: purpose)
        } catch {
            throw connection.credential.parts.reduce(error.hiding(connection.credential.basic)) { $0.hiding($1) }
        }
    }
}

/// A secret of an app: its value is never told.
struct FlySecret: Sendable, Hashable {
    var name: String
    var digest: String
    var updated: Timestamp?

    init?(_ json: JSON) {
        guard let name = json["name"]?.string, !name.isEmpty else { return nil }
        self.name = name
        digest = json["digest"]?.string ?? ""
        updated = (json["updated_at"] ?? json["created_at"])?.string.flatMap { Timestamp($0) }
    }

    /// It changes with every write, the value's digest with every other value.
    var mark: String { "\(digest) \(updated?.description ?? "")" }
}
