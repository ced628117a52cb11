import HTTPCore
import JSONValues
import KubernetesAPI
import Model
import Synchronization

/// An API server of one collection, whose answers a test gives: lists in their order, and watches that it holds open.
final class FakeAPI: Transport {
    /// How a watch goes.
    enum Watch: Sendable {
        /// Events, and then the server ends it.
        case ends([JSON])
        /// Events, and then the connection breaks.
        case breaks([JSON])
        /// Events, and then nothing more.
        case stays([JSON])
        case refused(Int, JSON)
        case noAnswer
    }

    private struct State {
        var lists: [HTTPResponse?]
        var watches: [Watch]
        var requests: [String] = []
        var open: [AsyncThrowingStream<[UInt8], any Error>.Continuation] = []
    }

    private let state: Mutex<State>

    /// A list that is nil is one without an answer; after the last of them, the last one again.
    init(lists: [HTTPResponse?], watches: [Watch] = []) { state = Mutex(State(lists: lists, watches: watches)) }

    /// Paths with their queries, without the host.
    var requests: [String] { state.withLock { $0.requests } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let answer = state.withLock { state in
            state.requests.append("\(request.method.rawValue) " + request.url.replacing("https://cluster.test", with: ""))
            return state.lists.count > 1 ? state.lists.removeFirst() : state.lists.first ?? nil
        }
        guard let answer else { throw TransportError(.connect, "connection refused", mayHaveTakenEffect: false) }
        return answer
    }

    func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        let next = state.withLock { state in
            state.requests.append("WATCH " + request.url.replacing("https://cluster.test", with: ""))
            return state.watches.isEmpty ? Watch.stays([]) : state.watches.removeFirst()
        }
        let (chunks, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        func tell(_ events: [JSON]) { for event in events { continuation.yield(event.bytes + [0x0A]) } }
        switch next {
        case .ends(let events):
            tell(events)
            continuation.finish()
        case .breaks(let events):
            tell(events)
            continuation.finish(throwing: TransportError(.connectionLost, "reset by peer", mayHaveTakenEffect: false))
        case .stays(let events):
            tell(events)
            state.withLock { $0.open.append(continuation) }
        case .refused(let status, let body):
            continuation.yield(body.bytes)
            continuation.finish()
            return HTTPStream(status: status, headers: [:], chunks: chunks)
        case .noAnswer: throw TransportError(.connect, "connection refused", mayHaveTakenEffect: false)
        }
        return HTTPStream(status: 200, headers: [:], chunks: chunks)
    }

    var client: KubernetesClient {
        get throws {
            let kubeconfig = """
                {apiVersion: v1, kind: Config, current-context: test,
                 contexts: [{name: test, context: {cluster: c, user: u}}],
                 clusters: [{name: c, cluster: {server: "https://cluster.test"}}], users: [{name: u, user: {token: secret-token}}]}
                """
            let environment = ClusterEnvironment(
                variables: ["KUBECONFIG": "/kubeconfig"], now: { Timestamp(millisecondsSinceEpoch: 1_795_392_000_000) },
                read: { $0 == "/kubeconfig" ? Array(kubeconfig.utf8) : nil })
            return KubernetesClient(try ClusterConnection.load(context: nil, environment: environment), transport: self)
        }
    }
}

extension JSON {
    static func system(
        _ name: String, _ release: String = "v1", generation: Int = 1, version: Int, uid: String? = nil, status: JSON? = nil,
        metadata: [String: JSON] = [:]
    ) -> JSON {
        var json: JSON = [
            "apiVersion": "belay.dev/v1alpha1", "kind": "System",
            "metadata": [
                "name": .string(name), "namespace": "shop", "uid": .string(uid ?? "uid-\(name)"), "generation": .integer(generation),
                "resourceVersion": .string(String(version)), "creationTimestamp": "2026-11-30T10:00:00Z",
            ],
            "spec": ["components": ["web": ["fake": ["identity": .string(name)], "release": .string(release)]]],
        ]
        json["status"] = status
        for (key, value) in metadata { json["metadata"]?[key] = value }
        return json
    }

    static func event(_ type: String, _ object: JSON) -> JSON { ["type": .string(type), "object": object] }
    static func bookmark(_ version: Int) -> JSON {
        .event("BOOKMARK", ["kind": "System", "metadata": ["resourceVersion": .string(String(version))]])
    }
    static let gone: JSON = .event("ERROR", ["kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"])
}

extension HTTPResponse {
    static func list(_ items: [JSON], version: Int, next: String? = nil) -> HTTPResponse {
        var metadata: JSON = ["resourceVersion": .string(String(version))]
        metadata["continue"] = next.map { .string($0) }
        let list: JSON = ["kind": "SystemList", "apiVersion": "belay.dev/v1alpha1", "metadata": metadata, "items": .array(items)]
        return HTTPResponse(status: 200, headers: [:], body: list.bytes)
    }

    static func status(_ code: Int, _ reason: String, _ message: String) -> HTTPResponse {
        let body: JSON = ["kind": "Status", "code": .integer(code), "reason": .string(reason), "message": .string(message)]
        return HTTPResponse(status: code, headers: [:], body: body.bytes)
    }
}
