import HTTPCore
import JSONValues

/// One operation of one of the APIs.
struct FlyRoute: Sendable {
    typealias Handler = @Sendable (inout FlyState, FlyCall) throws(FlyFailure) -> FlyAnswer

    /// Which service answers: they differ in credentials and in how they refuse.
    enum Door: Sendable { case machines, releases, graphQL, registry }

    var door: Door
    var method: HTTPMethod
    /// Segments; those with a leading colon are parameters, and one with a leading `*` takes as many as there are.
    var pattern: [String]
    /// What it counts as among the rate limits; nil: it is not limited.
    var action: String?
    /// True if only the holder of a lease may use it while there is one.
    var isLeased: Bool
    var handle: Handler

    init(
        _ method: HTTPMethod, _ path: String, _ action: String?, door: Door = .machines, leased: Bool = false, _ handle: @escaping Handler
    ) {
        self.door = door
        self.method = method
        pattern = path.split(separator: "/").map(String.init)
        self.action = action
        isLeased = leased
        self.handle = handle
    }

    static let all: [FlyRoute] = apps + machines + lifecycle + metadata + secrets + releases + registry

    private static let apps: [FlyRoute] = [
        FlyRoute(.get, "/v1/apps", "apps") { state, call throws(FlyFailure) in try state.listApps(call) },
        FlyRoute(.get, "/v1/apps/:app", "app") { state, call throws(FlyFailure) in try state.showApp(call) },
        FlyRoute(.get, "/v1/tokens/current", "token") { state, call throws(FlyFailure) in state.showToken(call) },
        FlyRoute(.get, "/v1/orgs/:org/machines", "org") { state, call throws(FlyFailure) in try state.listOrganization(call) },
    ]

    private static let machines: [FlyRoute] = [
        FlyRoute(.get, "/v1/apps/:app/machines", "list") { state, call throws(FlyFailure) in try state.listMachines(call) },
        FlyRoute(.post, "/v1/apps/:app/machines", "create") { state, call throws(FlyFailure) in try state.createMachine(call) },
        FlyRoute(.get, machine, "get") { state, call throws(FlyFailure) in try state.showMachine(call) },
        FlyRoute(.post, machine, "update", leased: true) { state, call throws(FlyFailure) in try state.updateMachine(call) },
        FlyRoute(.delete, machine, "delete", leased: true) { state, call throws(FlyFailure) in try state.deleteMachine(call) },
        FlyRoute(.get, "\(machine)/versions", "versions") { state, call throws(FlyFailure) in try state.listVersions(call) },
        FlyRoute(.get, "\(machine)/events", "events") { state, call throws(FlyFailure) in try state.listEvents(call) },
        // A real wait lasts: a client that asks again as soon as one has ended is within the limits.
        FlyRoute(.get, "\(machine)/wait", nil) { state, call throws(FlyFailure) in try state.wait(call) },
        FlyRoute(.get, "\(machine)/lease", "lease") { state, call throws(FlyFailure) in try state.showLease(call) },
        FlyRoute(.post, "\(machine)/lease", "lease") { state, call throws(FlyFailure) in try state.takeLease(call) },
        FlyRoute(.delete, "\(machine)/lease", "release") { state, call throws(FlyFailure) in try state.releaseLease(call) },
    ]

    private static let lifecycle: [FlyRoute] = [
        FlyRoute(.post, "\(machine)/start", "start", leased: true) { state, call throws(FlyFailure) in try state.start(call) },
        FlyRoute(.post, "\(machine)/stop", "stop", leased: true) { state, call throws(FlyFailure) in try state.stop(call) },
        FlyRoute(.post, "\(machine)/restart", "restart", leased: true) { state, call throws(FlyFailure) in try state.restart(call) },
        FlyRoute(.post, "\(machine)/suspend", "suspend", leased: true) { state, call throws(FlyFailure) in try state.suspend(call) },
        FlyRoute(.post, "\(machine)/cordon", "cordon", leased: true) { state, call throws(FlyFailure) in try state.cordon(call, true) },
        FlyRoute(.post, "\(machine)/uncordon", "cordon", leased: true) { state, call throws(FlyFailure) in try state.cordon(call, false) },
        FlyRoute(.post, "\(machine)/exec", "exec", leased: true) { state, call throws(FlyFailure) in try state.execute(call) },
    ]

    private static let metadata: [FlyRoute] = [
        FlyRoute(.get, "\(machine)/metadata", "metadata") { state, call throws(FlyFailure) in try state.showMetadata(call) },
        FlyRoute(.put, "\(machine)/metadata", "set-metadata") { state, call throws(FlyFailure) in
            try state.writeMetadata(call, replacing: true)
        },
        FlyRoute(.patch, "\(machine)/metadata", "set-metadata") { state, call throws(FlyFailure) in
            try state.writeMetadata(call, replacing: false)
        },
        FlyRoute(.get, "\(machine)/metadata/:key", "metadata") { state, call throws(FlyFailure) in try state.showMetadataKey(call) },
        FlyRoute(.post, "\(machine)/metadata/:key", "set-metadata") { state, call throws(FlyFailure) in try state.setMetadataKey(call) },
        FlyRoute(.delete, "\(machine)/metadata/:key", "set-metadata") { state, call throws(FlyFailure) in
            try state.deleteMetadataKey(call)
        },
    ]

    private static let secrets: [FlyRoute] = [
        FlyRoute(.get, "/v1/apps/:app/secrets", "secrets") { state, call throws(FlyFailure) in try state.listSecrets(call) },
        FlyRoute(.post, "/v1/apps/:app/secrets", "set-secrets") { state, call throws(FlyFailure) in try state.updateSecrets(call) },
        FlyRoute(.get, "/v1/apps/:app/secrets/:secret", "secrets") { state, call throws(FlyFailure) in try state.showSecret(call) },
        FlyRoute(.post, "/v1/apps/:app/secrets/:secret", "set-secrets") { state, call throws(FlyFailure) in try state.setSecret(call) },
        FlyRoute(.delete, "/v1/apps/:app/secrets/:secret", "set-secrets") { state, call throws(FlyFailure) in try state.deleteSecret(call)
        },
    ]

    private static let releases: [FlyRoute] = [
        FlyRoute(.get, "/api/v1/apps/:app/releases", nil, door: .releases) { state, call throws(FlyFailure) in
            try state.listReleases(call)
        },
        FlyRoute(.get, "/api/v1/apps/:app/releases/current", nil, door: .releases) { state, call throws(FlyFailure) in
            try state.currentRelease(call)
        },
        FlyRoute(.get, "/api/v1/releases/all_current", nil, door: .releases) { state, call throws(FlyFailure) in state.allCurrent() },
        FlyRoute(.post, "/api/v1/releases", nil, door: .releases) { state, call throws(FlyFailure) in try state.createRelease(call) },
        FlyRoute(.patch, "/api/v1/releases/:release", nil, door: .releases) { state, call throws(FlyFailure) in
            try state.updateRelease(call)
        },
        FlyRoute(.post, "/graphql", nil, door: .graphQL) { state, call throws(FlyFailure) in state.query(call) },
    ]

    private static let registry: [FlyRoute] = [
        FlyRoute(.get, "/v2", nil, door: .registry) { _, _ throws(FlyFailure) in FlyAnswer([:]) },
        FlyRoute(.get, "/v2/*repository/manifests/:reference", nil, door: .registry) { state, call throws(FlyFailure) in
            try state.manifest(call)
        },
        FlyRoute(.head, "/v2/*repository/manifests/:reference", nil, door: .registry) { state, call throws(FlyFailure) in
            try state.manifest(call)
        },
    ]

    private static let machine = "/v1/apps/:app/machines/:machine"

    static func find(_ method: HTTPMethod, _ path: [String]) -> (route: FlyRoute, parameters: [String: String])? {
        for route in all where route.method == method {
            if let parameters = route.parameters(of: path) { return (route, parameters) }
        }
        return nil
    }

    private func parameters(of path: [String]) -> [String: String]? {
        var path = path[...]
        var found: [String: String] = [:]
        for (position, expected) in pattern.enumerated() {
            if expected.hasPrefix("*") {
                let count = path.count - (pattern.count - position - 1)
                guard count > 0 else { return nil }
                found[String(expected.dropFirst())] = path.prefix(count).joined(separator: "/")
                path = path.dropFirst(count)
                continue
            }
            guard let segment = path.popFirst() else { return nil }
            if expected.hasPrefix(":") { found[String(expected.dropFirst())] = segment } else if segment != expected { return nil }
        }
        return path.isEmpty ? found : nil
    }
}

/// One request, taken apart.
struct FlyCall: Sendable {
    var parameters: [String: String]
    var query: RequestTarget
    var headers: HTTPHeaders
    var body: [UInt8]
    var now: Int64

    subscript(name: String) -> String { parameters[name] ?? "" }

    var nonce: String? { headers["fly-machine-lease-nonce"].flatMap { $0.isEmpty ? nil : $0 } }

    /// The body, which must be an object; an empty one when there is none.
    ///
    /// - Parameter type: what the vendor's program calls it, as its refusal names it.
    func object(_ type: String) throws(FlyFailure) -> JSON {
        guard !body.isEmpty else { return [:] }
        let value: JSON
        do throws(JSONError) { value = try JSON(parsing: body) } catch {
            throw FlyFailure(400, "invalid_argument: unable to decode JSON body")
        }
        let kind: String
        switch value {
        case .object: return value
        case .null: return [:]
        case .array: kind = "array"
        case .string: kind = "string"
        case .number: kind = "number"
        case .bool: kind = "bool"
        }
        throw FlyFailure(400, "json: cannot unmarshal \(kind) into Go value of type main.\(type)")
    }

    /// A whole number of the body or of the query; nil when it is not there.
    func number(_ name: String, in body: JSON = [:]) throws(FlyFailure) -> Int? {
        if let value = body[name] {
            guard let number = value.integer else {
                throw FlyFailure(400, "invalid_argument: json: cannot unmarshal field \(name) into Go value of type int")
            }
            return number
        }
        guard let text = query[name] else { return nil }
        guard let number = Int(text) else { throw FlyFailure(400, "invalid_argument: invalid \(name): must be a number") }
        return number
    }

    func flag(_ name: String) -> Bool { ["true", "1"].contains(query[name] ?? "") }

    /// All values of a parameter, which may be repeated or separated by commas.
    func words(_ name: String) -> [String] {
        query.query.filter { $0.name == name }.flatMap { $0.value.split(separator: ",").map(String.init) }
    }
}
