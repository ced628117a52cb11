package import HTTPCore
package import JSONValues
package import KubernetesAPI
import Model
import Synchronization

/// An API server that keeps objects of any kind, with their versions, and does nothing with them. Its answers can be lost.
package final class FakeCluster: Transport {
    /// What happens to one request.
    package enum Fault: Sendable {
        /// It never arrives.
        case lostBefore
        /// It takes effect, and the answer is lost.
        case lostAfter
        /// It is lost, and can be delivered later.
        case delayed
        case answer(Int, reason: String, message: String)
        /// As a server does that does not know the group.
        case unknownKind
    }

    /// One request that was sent.
    package struct Sent: Sendable {
        /// As RBAC names it.
        package var verb: String
        /// Of the object, or of the collection for `create` and `list`.
        package var path: String
        package var body: [UInt8]

        package var json: JSON { (try? JSON(parsing: body)) ?? .null }  // A request without a body.
    }

    private struct State {
        var objects: [String: JSON] = [:]
        var version = 1000
        var sent: [Sent] = []
        var delayed: [HTTPRequest] = []
    }

    private let state = Mutex(State())
    private let limit: Int
    private let fault: @Sendable (Sent, _ number: Int) -> Fault?

    /// - Parameters:
    ///   - limit: bytes of an object that etcd would refuse.
    ///   - fault: asked for each request, with how many were sent before it.
    package init(limit: Int = 1_572_864, fault: @escaping @Sendable (Sent, Int) -> Fault? = { _, _ in nil }) {
        self.limit = limit
        self.fault = fault
    }

    package var sent: [Sent] { state.withLock { $0.sent } }

    /// Objects by their path.
    package subscript(path: String) -> JSON? {
        get { state.withLock { $0.objects[path] } }
        set {
            state.withLock { state in
                state.version += 1
                var object = newValue
                object?["metadata"]?["resourceVersion"] = .string(String(state.version))
                state.objects[path] = object
            }
        }
    }

    package var paths: [String] { state.withLock { $0.objects.keys.sorted() } }

    /// What was delayed arrives, and its answers, which nobody hears.
    package func deliver() -> [Int] {
        let requests = state.withLock { state in
            defer { state.delayed = [] }
            return state.delayed
        }
        return requests.map { answer(to: $0, as: Self.sent($0)).status }
    }

    /// A client of this server.
    package func client(user: String = "ann") throws(KubernetesError) -> KubernetesClient {
        KubernetesClient(try ClusterConnection.load(context: nil, environment: Self.environment), transport: self, deadline: .seconds(5))
    }

    /// With a kubeconfig that leads here.
    package static var environment: ClusterEnvironment {
        ClusterEnvironment(
            variables: ["KUBECONFIG": "/kubeconfig"], now: { Timestamp(millisecondsSinceEpoch: 0) },
            read: { $0 == "/kubeconfig" ? Array(Self.kubeconfig.utf8) : nil })
    }

    private static let kubeconfig = """
        apiVersion: v1
        kind: Config
        clusters: [{name: fake, cluster: {server: "http://fake.test"}}]
        users: [{name: ann, user: {token: the-token}}]
        contexts: [{name: fake, context: {cluster: fake, user: ann}}]
        current-context: fake
        """

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let sent = Self.sent(request)
        let number = state.withLock { state in
            state.sent.append(sent)
            return state.sent.count - 1
        }
        let lost = TransportError(.connectionLost, "connection reset", mayHaveTakenEffect: true)
        switch fault(sent, number) {
        case nil: return answer(to: request, as: sent)
        case .lostBefore: throw lost
        case .lostAfter:
            _ = answer(to: request, as: sent)
            throw lost
        case .delayed:
            state.withLock { $0.delayed.append(request) }
            throw lost
        case .answer(let status, let reason, let message)?: return Self.failure(status, reason, message)
        case .unknownKind:
            return HTTPResponse(status: 404, headers: ["Content-Type": "text/plain"], body: Array("404 page not found\n".utf8))
        }
    }

    package func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        throw TransportError(.badURL, "this server has no watches", mayHaveTakenEffect: false)
    }

    // MARK: - Answers

    private static func sent(_ request: HTTPRequest) -> Sent {
        let path = String(request.url.dropFirst("http://fake.test".count).prefix { $0 != "?" })
        let isCollection = path.split(separator: "/").last.map { ["systemstates", "leases"].contains($0) } ?? false
        let verb =
            switch request.method {
            case .get, .head: isCollection ? "list" : "get"
            case .post: "create"
            case .put: "update"
            case .patch: "patch"
            case .delete: "delete"
            }
        return Sent(verb: verb, path: path, body: request.body)
    }

    private func answer(to request: HTTPRequest, as sent: Sent) -> HTTPResponse {
        let isPartial = request.headers["Accept"]?.contains("as=PartialObjectMetadata") ?? false
        return state.withLock { state in
            switch sent.verb {
            case "get":
                guard let object = state.objects[sent.path] else { return Self.notFound(sent) }
                return Self.success(200, object, isPartial)
            case "list":
                let items = state.objects.filter { $0.key.hasPrefix(sent.path + "/") }.sorted { $0.key < $1.key }.map(\.value)
                let metadata: JSON = ["resourceVersion": .string(String(state.version))]
                return Self.success(200, ["kind": "List", "metadata": metadata, "items": .array(items)], false)
            case "create":
                var object = sent.json
                let path = sent.path + "/" + (object["metadata"]?["name"]?.string ?? "")
                guard state.objects[path] == nil else { return Self.failure(409, "AlreadyExists", "\(path) already exists") }
                object["metadata"]?["uid"] = .string("uid-\(state.version)")
                return store(object, path, &state, 201, isPartial)
            case "patch":
                guard let before = state.objects[sent.path] else { return Self.notFound(sent) }
                let patch = sent.json
                if let version = patch["metadata"]?["resourceVersion"], version != before["metadata"]?["resourceVersion"] {
                    return Self.failure(409, "Conflict", "the object has been modified; please apply your changes to the latest version")
                }
                return store(Self.merged(patch, into: before), sent.path, &state, 200, isPartial)
            case "delete":
                guard let before = state.objects[sent.path] else { return Self.notFound(sent) }
                if let version = sent.json["preconditions"]?["resourceVersion"], version != before["metadata"]?["resourceVersion"] {
                    return Self.failure(409, "Conflict", "the object has been modified")
                }
                state.objects[sent.path] = nil
                return Self.success(200, ["kind": "Status", "status": "Success"], false)
            default: return Self.failure(405, "MethodNotAllowed", sent.verb)
            }
        }
    }

    private func store(_ object: JSON, _ path: String, _ state: inout State, _ status: Int, _ isPartial: Bool) -> HTTPResponse {
        guard object.bytes.count <= limit else { return Self.failure(500, "", "etcdserver: request is too large") }
        state.version += 1
        var object = object
        object["metadata"]?["resourceVersion"] = .string(String(state.version))
        state.objects[path] = object
        return Self.success(status, object, isPartial)
    }

    /// RFC 7386.
    private static func merged(_ patch: JSON, into target: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var result = target.object == nil ? JSON.object(JSONObject()) : target
        for (key, value) in changes.members {
            if case .null = value { result[key] = nil } else { result[key] = merged(value, into: result[key] ?? .null) }
        }
        return result
    }

    private static func success(_ status: Int, _ object: JSON, _ isPartial: Bool) -> HTTPResponse {
        let part: JSON = ["kind": "PartialObjectMetadata", "metadata": object["metadata"] ?? [:]]
        return HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: (isPartial ? part : object).bytes)
    }

    private static func notFound(_ sent: Sent) -> HTTPResponse {
        failure(404, "NotFound", "\(sent.path.split(separator: "/").last ?? "") not found")
    }

    private static func failure(_ status: Int, _ reason: String, _ message: String) -> HTTPResponse {
        let body: JSON = [
            "kind": "Status", "status": "Failure", "code": .integer(status), "reason": .string(reason), "message": .string(message),
        ]
        return HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: body.bytes)
    }
}
