import HTTPCore
import JSONValues

/// One operation of the API.
struct RenderRoute: Sendable {
    /// The rate limit that an operation counts against.
    enum Bucket: Sendable {
        case reads
        /// Shared by everything that changes one service's settings or version.
        case deploys
        case writes
    }

    typealias Handler = @Sendable (inout RenderState, RenderCall) throws(RenderFailure) -> RenderAnswer

    var method: HTTPMethod
    /// Segments below `/v1`; those with a leading colon are parameters.
    var pattern: [String]
    var bucket: Bucket
    var handle: Handler

    init(_ method: HTTPMethod, _ path: String, _ bucket: Bucket = .reads, _ handle: @escaping Handler) {
        self.method = method
        pattern = path.split(separator: "/").map(String.init)
        self.bucket = bucket
        self.handle = handle
    }

    static let all: [RenderRoute] = services + deploys + environment + groups + rest

    private static let services: [RenderRoute] = [
        RenderRoute(.get, "/services") { state, call throws(RenderFailure) in try state.listServices(call) },
        RenderRoute(.get, "/services/:service") { state, call throws(RenderFailure) in try state.getService(call) },
        RenderRoute(.patch, "/services/:service", .deploys) { state, call throws(RenderFailure) in try state.patchService(call) },
        RenderRoute(.post, "/services/:service/restart", .deploys) { state, call throws(RenderFailure) in try state.restart(call) },
        RenderRoute(.post, "/services/:service/suspend", .deploys) { state, call throws(RenderFailure) in try state.suspend(call) },
        RenderRoute(.post, "/services/:service/resume", .deploys) { state, call throws(RenderFailure) in try state.resume(call) },
        RenderRoute(.post, "/services/:service/scale", .deploys) { state, call throws(RenderFailure) in try state.scale(call) },
        RenderRoute(.get, "/services/:service/instances") { state, call throws(RenderFailure) in try state.listInstances(call) },
        RenderRoute(.get, "/services/:service/events") { state, call throws(RenderFailure) in try state.listEvents(call) },
    ]

    private static let deploys: [RenderRoute] = [
        RenderRoute(.get, "/services/:service/deploys") { state, call throws(RenderFailure) in try state.listDeploys(call) },
        RenderRoute(.get, "/services/:service/deploys/:deploy") { state, call throws(RenderFailure) in try state.getDeploy(call) },
        RenderRoute(.post, "/services/:service/deploys", .deploys) { state, call throws(RenderFailure) in try state.createDeploy(call) },
        RenderRoute(.post, "/services/:service/deploys/:deploy/cancel", .writes) { state, call throws(RenderFailure) in
            try state.cancelDeploy(call)
        },
        RenderRoute(.post, "/services/:service/rollback", .deploys) { state, call throws(RenderFailure) in try state.rollback(call) },
    ]

    private static let environment: [RenderRoute] = [
        RenderRoute(.get, "/services/:service/env-vars") { state, call throws(RenderFailure) in try state.listRows(.variables, call) },
        RenderRoute(.put, "/services/:service/env-vars", .writes) { state, call throws(RenderFailure) in
            try state.replaceRows(.variables, call)
        },
        RenderRoute(.get, "/services/:service/env-vars/:key") { state, call throws(RenderFailure) in try state.getRow(.variables, call) },
        RenderRoute(.put, "/services/:service/env-vars/:key", .writes) { state, call throws(RenderFailure) in
            try state.putRow(.variables, call)
        },
        RenderRoute(.delete, "/services/:service/env-vars/:key", .writes) { state, call throws(RenderFailure) in
            try state.deleteRow(.variables, call)
        },
        RenderRoute(.get, "/services/:service/secret-files") { state, call throws(RenderFailure) in try state.listRows(.files, call) },
        RenderRoute(.put, "/services/:service/secret-files", .writes) { state, call throws(RenderFailure) in
            try state.replaceRows(.files, call)
        },
        RenderRoute(.get, "/services/:service/secret-files/:key") { state, call throws(RenderFailure) in try state.getRow(.files, call) },
        RenderRoute(.put, "/services/:service/secret-files/:key", .writes) { state, call throws(RenderFailure) in
            try state.putRow(.files, call)
        },
        RenderRoute(.delete, "/services/:service/secret-files/:key", .writes) { state, call throws(RenderFailure) in
            try state.deleteRow(.files, call)
        },
    ]

    private static let groups: [RenderRoute] = [
        RenderRoute(.get, "/env-groups") { state, call throws(RenderFailure) in try state.listGroups(call) },
        RenderRoute(.post, "/env-groups", .writes) { state, call throws(RenderFailure) in try state.createGroup(call) },
        RenderRoute(.get, "/env-groups/:group") { state, call throws(RenderFailure) in try state.getGroup(call) },
        RenderRoute(.patch, "/env-groups/:group", .writes) { state, call throws(RenderFailure) in try state.renameGroup(call) },
        RenderRoute(.delete, "/env-groups/:group", .writes) { state, call throws(RenderFailure) in try state.deleteGroup(call) },
        RenderRoute(.post, "/env-groups/:group/services/:service", .writes) { state, call throws(RenderFailure) in
            try state.linkGroup(call)
        },
        RenderRoute(.delete, "/env-groups/:group/services/:service", .writes) { state, call throws(RenderFailure) in
            try state.unlinkGroup(call)
        },
        RenderRoute(.get, "/env-groups/:group/env-vars/:key") { state, call throws(RenderFailure) in
            try state.getGroupRow(.variables, call)
        },
        RenderRoute(.put, "/env-groups/:group/env-vars/:key", .writes) { state, call throws(RenderFailure) in
            try state.putGroupRow(.variables, call)
        },
        RenderRoute(.delete, "/env-groups/:group/env-vars/:key", .writes) { state, call throws(RenderFailure) in
            try state.deleteGroupRow(.variables, call)
        },
        RenderRoute(.get, "/env-groups/:group/secret-files/:key") { state, call throws(RenderFailure) in
            try state.getGroupRow(.files, call)
        },
        RenderRoute(.put, "/env-groups/:group/secret-files/:key", .writes) { state, call throws(RenderFailure) in
            try state.putGroupRow(.files, call)
        },
        RenderRoute(.delete, "/env-groups/:group/secret-files/:key", .writes) { state, call throws(RenderFailure) in
            try state.deleteGroupRow(.files, call)
        },
    ]

    private static let rest: [RenderRoute] = [
        RenderRoute(.get, "/users") { _, _ throws(RenderFailure) in RenderAnswer(200, ["email": "ada@example.com", "name": "Ada"]) },
        RenderRoute(.get, "/owners") { state, call throws(RenderFailure) in
            try state.page([state.owner], call, "owner") { (state.ownerJSON, $0) }
        },
        RenderRoute(.get, "/owners/:owner") { state, call throws(RenderFailure) in
            guard call["owner"] == state.owner else { throw .notFound(call["owner"]) }
            return RenderAnswer(200, state.ownerJSON)
        },
        RenderRoute(.get, "/maintenance") { state, call throws(RenderFailure) in try state.listMaintenance(call) },
        RenderRoute(.get, "/maintenance/:run") { state, call throws(RenderFailure) in try state.getMaintenance(call) },
    ]

    static func find(_ request: HTTPRequest, _ now: Int64) throws(RenderFailure) -> (RenderRoute, RenderCall) {
        let target = RequestTarget(url: request.url)
        guard target.path.first == "v1" else { throw RenderFailure(404, "not found") }
        let path = Array(target.path.dropFirst())
        for route in all where route.method == request.method {
            guard let parameters = route.parameters(of: path) else { continue }
            var body: JSON?
            if !request.body.isEmpty {
                do throws(JSONError) {
                    body = try JSON(parsing: request.body)
                } catch {
                    throw RenderFailure.wrong("invalid JSON")
                }
            }
            return (route, RenderCall(parameters: parameters, query: target, body: body, now: now))
        }
        throw RenderFailure(404, "not found")
    }

    private func parameters(of path: [String]) -> [String: String]? {
        guard path.count == pattern.count else { return nil }
        var found: [String: String] = [:]
        for (segment, expected) in zip(path, pattern) {
            if expected.hasPrefix(":") {
                found[String(expected.dropFirst())] = segment
            } else if segment != expected {
                return nil
            }
        }
        return found
    }
}

/// One request, taken apart.
struct RenderCall: Sendable {
    var parameters: [String: String]
    var query: RequestTarget
    /// Nil: there is none; ``JSON/null``: the body says so.
    var body: JSON?
    var now: Int64

    subscript(name: String) -> String { parameters[name] ?? "" }

    /// An array in one parameter, separated by commas; nil when it is not given.
    func list(_ name: String) -> [String]? { query[name].map { $0.split(separator: ",").map(String.init) } }

    /// A parameter that is repeated; nil when it is not given.
    func repeated(_ name: String) -> [String]? {
        let values = query.query.filter { $0.name == name }.map(\.value)
        return values.isEmpty ? nil : values
    }

    func time(_ name: String) throws(RenderFailure) -> RenderTime? {
        guard let text = query[name] else { return nil }
        guard let time = RenderTime(text) else { throw .wrong("invalid value for \(name): expected a date-time") }
        return time
    }

    /// The body, which must be an object.
    func object() throws(RenderFailure) -> JSON {
        guard let body, body.object != nil else { throw .wrong("invalid request body: expected an object") }
        return body
    }
}

extension RenderState {
    /// One page of rows, each with its cursor.
    ///
    /// - Parameter shown: a row's JSON, and what its cursor stands for: a version of the row, so that a cursor ends with it.
    func page<Row>(_ rows: [Row], _ call: RenderCall, _ name: String, _ shown: (Row) -> (JSON, String)) throws(RenderFailure)
        -> RenderAnswer
    {
        var limit = 20
        if let text = call.query["limit"] {
            guard let number = Int(text), (1...100).contains(number) else { throw .wrong("limit must be between 1 and 100") }
            limit = number
        }
        let all = rows.map { row in
            let (json, version) = shown(row)
            return (json: json, cursor: RenderText.letters("cursor \(name) \(version)", 32))
        }
        var rest = all[...]
        if let cursor = call.query["cursor"], !cursor.isEmpty {
            guard let place = all.firstIndex(where: { $0.cursor == cursor }) else { throw .wrong("invalid cursor") }
            rest = all[(place + 1)...]
        }
        return RenderAnswer(200, .array(rest.prefix(limit).map { .members([(name, $0.json), ("cursor", .string($0.cursor))]) }))
    }

    /// The position of the service that the path names.
    func service(_ call: RenderCall) throws(RenderFailure) -> Int {
        guard let index = services.firstIndex(where: { $0.id == call["service"] }) else { throw .notFound(call["service"]) }
        guard !services[index].isForbidden else { throw RenderFailure(403, "forbidden") }
        return index
    }

    var ownerJSON: JSON {
        ["id": .string(owner), "name": "Acme", "email": "ada@example.com", "type": "team", "twoFactorAuthEnabled": true]
    }
}
