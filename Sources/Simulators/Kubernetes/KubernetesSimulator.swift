public import HTTPCore
public import JSONValues
import Synchronization

/// A Kubernetes API server with its controllers and nodes: Deployments, StatefulSets and DaemonSets that roll out as the clock moves, and
/// the ConfigMaps and Secrets that their containers refer to.
///
/// The world names the workloads and their past:
/// ```json
/// {"workloads": [{"namespace": "prod", "name": "backend", "replicas": 3, "managedBy": "kubectl-client-side-apply",
///   "containers": [{"name": "api"}],
///   "history": [{"image": "registry.example.com/api:v1.41.3", "changeCause": "first"}, {"image": "registry.example.com/api:v1.42.0"}]}],
///  "configMaps": [{"namespace": "prod", "name": "backend", "data": {"LOG_LEVEL": "info"}, "immutable": true, "managedBy": "helm"}],
///  "secrets": [{"namespace": "prod", "name": "backend", "stringData": {"DSN": "…"}}],
///  "rolloutSeconds": 10, "brokenImages": [":v9"], "crashingImages": [":v8"],
///  "forbidden": [{"verb": "list", "resource": "pods"}]}
/// ```
/// The last entry of a history is what runs. Kubelets pull any image but those of which `brokenImages` names a part.
///
/// A container may have `env`, as Kubernetes writes it or as a mapping from names to values, where `{"configMapKeyRef": …}` refers to one;
/// the `env` of a history's entry lies over it, name by name. Containers whose references lead nowhere hang, as those of kubelets do.
public final class KubernetesSimulator: Simulator {
    public let name = "kubernetes"
    private let clock: any SimulatedClock
    private let token: String?
    private let state: Mutex<ClusterState>
    private let denials: [Denial]

    private struct Denial: Sendable {
        var verb: String?
        var resource: String?
        var namespace: String?
    }

    /// - Parameter token: what a request must show; nil takes any, or the world's own `token`.
    public init(world: JSON, clock: any SimulatedClock, token: String? = nil) {
        self.clock = clock
        self.token = token ?? world["token"]?.string
        denials = (world["forbidden"]?.elements ?? []).map {
            Denial(verb: $0["verb"]?.string, resource: $0["resource"]?.string, namespace: $0["namespace"]?.string)
        }
        var state = ClusterState(now: clock.milliseconds)
        state.build(world, until: clock.milliseconds)
        self.state = Mutex(state)
    }

    /// Every object, and how many writes through the API changed something. Of a Secret only its keys, each with a marker that changes
    /// with the value.
    public var world: JSON {
        get async {
            state.withLock { state in
                state.advance(to: clock.milliseconds)
                let objects = state.objects.sorted {
                    ($0.key.resource, $0.key.namespace, $0.key.name) < ($1.key.resource, $1.key.namespace, $1.key.name)
                }
                let shown = objects.map { $0.key.resource == "secrets" ? SecretData.shown($0.value) : $0.value }
                return ["changes": .integer(state.changes), "objects": .array(shown)]
            }
        }
    }

    /// Forgets the past: watches that begin before now are answered with 410, as are further pages of lists that were begun before.
    public func compact() { state.withLock { $0.compact() } }

    public func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        var response: SimulatedResponse
        do throws(APIFailure) {
            response = try route(request)
        } catch {
            response = error.answer
        }
        if case .whole(var whole) = response {
            whole.headers["Date"] = clock.httpDate
            response = .whole(whole)
        }
        return response
    }

    // MARK: - Routing

    private func route(_ request: HTTPRequest) throws(APIFailure) -> SimulatedResponse {
        let target = RequestTarget(url: request.url)
        var path = target.path[...]
        if ["healthz", "readyz", "livez"].contains(path.first ?? "") {
            return .whole(HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: Array("ok".utf8)))
        }
        if let token, request.headers["Authorization"] != "Bearer \(token)" { throw .unauthorized }
        if path.elementsEqual(["version"]) {
            return .json(200, ["major": "1", "minor": "36", "gitVersion": "v1.36.0", "platform": "linux/amd64"])
        }
        let isCore: Bool
        if path.starts(with: ["api", "v1"]) {
            isCore = true
            path = path.dropFirst(2)
        } else if path.starts(with: ["apis", "apps", "v1"]) {
            isCore = false
            path = path.dropFirst(3)
        } else {
            throw .noSuchPath
        }
        var namespace: String?
        if path.first == "namespaces", path.count > 2 {
            namespace = path[path.startIndex + 1]
            path = path.dropFirst(2)
        }
        guard let resource = path.first, ClusterState.kinds[resource] != nil, ClusterState.isCore(resource) == isCore, path.count <= 3
        else {
            throw .noSuchPath
        }
        let name = path.dropFirst().first
        let subresource = path.dropFirst(2).first
        let isWatch = target["watch"] == "true" || target["watch"] == "1"
        let verb =
            switch request.method {
            case .get, .head: name != nil ? "get" : isWatch ? "watch" : "list"
            case .post: "create"
            case .put: "update"
            case .patch: "patch"
            case .delete: "delete"
            }
        for denial in denials
        where denial.verb ?? verb == verb && denial.resource ?? resource == resource
            && (denial.namespace == nil || denial.namespace == namespace)
        {
            throw .forbidden(verb, resource, namespace, name)
        }
        let key = ClusterState.Key(resource: resource, namespace: namespace ?? "", name: name ?? "")
        switch (verb, name) {
        case ("get", _?): return .json(200, try read { state throws(APIFailure) in try state.object(key) })
        case ("list", nil): return .json(200, try list(resource, namespace, target))
        case ("watch", nil): return try watch(resource, namespace, target)
        case ("create", nil), ("patch", _?), ("delete", _?): return try write(verb, key, subresource, request, target)
        default:
            throw APIFailure(
                code: 405, reason: "MethodNotAllowed", message: "the server does not allow this method on the requested resource")
        }
    }

    private func read<Value: Sendable>(_ body: (inout ClusterState) throws(APIFailure) -> Value) throws(APIFailure) -> Value {
        let result: Result<Value, APIFailure> = state.withLock { state in
            state.advance(to: clock.milliseconds)
            do throws(APIFailure) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func write(
        _ verb: String, _ key: ClusterState.Key, _ subresource: String?, _ request: HTTPRequest, _ target: RequestTarget
    ) throws(APIFailure) -> SimulatedResponse {
        var body: JSON = [:]
        if !request.body.isEmpty {
            do throws(JSONError) { body = try JSON(parsing: request.body) } catch {
                throw .badRequest("the object provided is unrecognized: \(error)")
            }
        }
        let agent = request.headers["User-Agent"]?.split(separator: "/").first.map(String.init) ?? "unknown"
        let manager = target["fieldManager"] ?? agent
        switch verb {
        case "create":
            var key = key
            key.name = body["metadata"]?["name"]?.string ?? ""
            guard !key.name.isEmpty else { throw .badRequest("name or generateName is required") }
            return .json(201, try read { state throws(APIFailure) in try state.create(key, body, by: manager) })
        case "delete":
            try read { state throws(APIFailure) in try state.delete(key, preconditions: body["preconditions"]) }
            return .json(200, ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success"])
        default:
            let type = request.headers["Content-Type"] ?? ""
            if type == ClusterState.applyType {
                guard target["fieldManager"] != nil else { throw .badRequest("fieldManager is required for apply patch") }
                let (object, isNew) = try read { state throws(APIFailure) in
                    try state.apply(key, body, by: manager, force: target["force"] == "true", subresource: subresource)
                }
                return .json(isNew ? 201 : 200, object)
            }
            return .json(
                200,
                try read { state throws(APIFailure) in
                    try state.patch(
                        key, body, contentType: type, by: manager, force: target["force"] == "true", subresource: subresource)
                })
        }
    }

    // MARK: - Collections

    private func list(_ resource: String, _ namespace: String?, _ target: RequestTarget) throws(APIFailure) -> JSON {
        let selector = try LabelSelector(target["labelSelector"] ?? "")
        return try read { state throws(APIFailure) in
            let all = state.list(resource, namespace: namespace).filter { selector.matches($0.value["metadata"]?["labels"]) }
            let position = try target["continue"].map { text throws(APIFailure) in try PagePosition(text, of: state) }
            let rest = position.map { position in all.drop { !position.isBefore($0.key) } } ?? all[...]
            let limit = target["limit"].flatMap(Int.init) ?? 0
            let page = limit > 0 ? rest.prefix(limit) : rest
            let version = position?.version ?? state.version
            var metadata: JSON = ["resourceVersion": .string(String(version))]
            if page.count < rest.count, let last = page.last {
                metadata["continue"] = .string(PagePosition(version: version, after: last.key, in: state).text)
                // Nobody counts the rest of a selection.
                if target["labelSelector"] == nil { metadata["remainingItemCount"] = .integer(rest.count - page.count) }
            }
            let items = page.map { item in item.value.with("kind", nil).with("apiVersion", nil) }
            return [
                "kind": .string((ClusterState.kinds[resource] ?? "") + "List"),
                "apiVersion": ClusterState.isCore(resource) ? "v1" : "apps/v1",
                "metadata": metadata, "items": .array(items),
            ]
        }
    }

    /// Events as they happen. The stream looks at the clock every 20 ms of real time, because a simulator has no timers.
    private func watch(_ resource: String, _ namespace: String?, _ target: RequestTarget) throws(APIFailure) -> SimulatedResponse {
        let selector = try LabelSelector(target["labelSelector"] ?? "")
        let from = target["resourceVersion"].flatMap(Int.init)
        let end = clock.milliseconds + Int64(target["timeoutSeconds"].flatMap(Int.init) ?? 1800) * 1000
        let wantsBookmarks = target["allowWatchBookmarks"] == "true"
        let start = try read { state throws(APIFailure) in
            let from = from ?? state.version
            // Without the events in between a watch would be silent about them.
            if from < state.version, from + 1 < (state.events.first?.version ?? .max) {
                throw APIFailure(code: 410, reason: "Expired", message: "too old resource version: \(from) (\(state.version))")
            }
            return from
        }
        let position = Mutex((version: start, bookmark: clock.milliseconds))
        let kind = ClusterState.kinds[resource] ?? ""
        let chunks = AsyncStream<[UInt8]> { [self] in
            while !Task.isCancelled, clock.milliseconds < end {
                let seen = position.withLock { $0 }
                let (events, version) = state.withLock { state in
                    state.advance(to: clock.milliseconds)
                    return (state.events.filter { $0.version > seen.version }, state.version)
                }
                var lines: [UInt8] = []
                for event in events
                where event.key.resource == resource && (namespace == nil || event.key.namespace == namespace)
                    && selector.matches(event.object["metadata"]?["labels"])
                {
                    lines += (["type": .string(event.type), "object": event.object] as JSON).bytes + [0x0A]
                }
                var bookmark = seen.bookmark
                if wantsBookmarks, lines.isEmpty, clock.milliseconds - bookmark >= 60_000 {
                    bookmark = clock.milliseconds
                    let object: JSON = ["kind": .string(kind), "metadata": ["resourceVersion": .string(String(version))]]
                    lines = (["type": "BOOKMARK", "object": object] as JSON).bytes + [0x0A]
                }
                position.withLock { $0 = (max(version, seen.version), bookmark) }
                if !lines.isEmpty { return lines }
                do { try await Task.sleep(for: .milliseconds(20)) } catch { return nil }
            }
            return nil
        }
        return .stream(status: 200, headers: ["Content-Type": "application/json", "Date": clock.httpDate], chunks: chunks)
    }
}
