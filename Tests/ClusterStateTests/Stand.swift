import ControlPlane
import CurlTransport
import FakeCluster
import FoundationEssentials
import JSONValues
import KubernetesAPI
import Model
import State
import StateContract
import Testing

@testable import ClusterState

/// A place for states in a cluster: a made-up API server, or the real one.
struct Stand: Sendable {
    let namespace: String
    let client: KubernetesClient
    var headLimit = 32 << 10

    /// On a made-up server.
    init(_ cluster: FakeCluster, headLimit: Int = 32 << 10) throws {
        namespace = "default"
        client = try cluster.client()
        self.headLimit = headLimit
    }

    private init(namespace: String, client: KubernetesClient) {
        self.namespace = namespace
        self.client = client
    }

    /// On the real server, in a namespace of its own.
    static func real() async throws -> Stand {
        let running = try await ControlPlane.shared.running()
        let now: @Sendable () -> Timestamp = { Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000)) }
        let connection = try ClusterConnection.load(
            context: nil, environment: ClusterEnvironment(variables: ["KUBECONFIG": running.kubeconfig], now: now))
        let client = KubernetesClient(connection, transport: CurlTransport())
        let namespace = "state-\(UInt32.random(in: .min ... .max))"
        try await install(with: client)
        _ = try await client.create(.namespaces, ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)]])
        return Stand(namespace: namespace, client: client)
    }

    static func kubeconfig() async throws -> String { try await ControlPlane.shared.running().kubeconfig }

    private static let definitions = KubernetesResource(
        group: "apiextensions.k8s.io", plural: "customresourcedefinitions", kind: "CustomResourceDefinition", isNamespaced: false)

    /// Makes the kind known, and waits until it is.
    private static func install(with client: KubernetesClient) async throws {
        do throws(KubernetesError) {
            _ = try await client.create(definitions, ClusterStates.definition)
        } catch {
            guard error.reason == "AlreadyExists" else { throw error }
        }
        for _ in 0..<200 {
            do throws(KubernetesError) {
                _ = try await client.list(StateObjects.resource)
                return
            } catch {
                guard error.code == .notFound else { throw error }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the cluster does not learn the kind SystemState")
    }

    /// - Parameter memory: nil for a process of its own.
    func store(_ system: String = "shop", lease: Duration = .seconds(15), memory: JournalMemory? = nil) -> ClusterStateStore {
        var store = ClusterStateStore(
            StateObjects(SystemID(namespace: namespace, name: system), in: namespace, client), lease: lease,
            memory: memory ?? JournalMemory())
        store.headLimit = headLimit
        return store
    }

    func lock(_ user: String = "ann", lease: Duration = .seconds(15), memory: JournalMemory? = nil) async throws -> any StateSession {
        try await store(lease: lease, memory: memory).lock(.make(user), patience: .zero, clock: ContinuousClock())
    }

    func world(memory: JournalMemory? = nil, lease: Duration = .milliseconds(1200)) -> StateWorld {
        StateWorld(lease: lease, expires: true) { store($0, lease: lease, memory: memory) }
    }
}

/// Where the head of `shop` is on a made-up server.
let headPath = "/apis/belay.dev/v1alpha1/namespaces/default/systemstates/shop"
