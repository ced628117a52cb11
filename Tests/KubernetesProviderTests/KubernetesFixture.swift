import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators

@testable import KubernetesProvider

/// A simulated cluster with a Deployment of three releases, and a provider before it.
struct Cluster {
    static let token = "kt-secret-4711"
    static let server = "https://cluster.test:6443"

    let clock = ManualClock()
    let simulator: KubernetesSimulator
    let transport: SimulatedTransport
    let provider: AnyProvider

    init(_ workloads: [JSON], _ more: JSON = [:], pageSize: Int = 500) throws {
        var world = more
        world["workloads"] = .array(workloads)
        simulator = KubernetesSimulator(world: world, clock: clock, token: Self.token)
        transport = SimulatedTransport([Self.server: simulator])
        provider = AnyProvider(KubernetesProvider(try Self.environment(transport, clock), pageSize: pageSize))
    }

    func environment() throws -> ProviderEnvironment { try Self.environment(transport, clock) }

    private static func environment(_ transport: SimulatedTransport, _ clock: ManualClock) throws -> ProviderEnvironment {
        ProviderEnvironment(
            variables: ["KUBECONFIG": try kubeconfig()], transport: transport,
            now: { Timestamp(millisecondsSinceEpoch: clock.milliseconds) })
    }

    private static func kubeconfig() throws -> String {
        try TemporaryFile.write(
            """
            {"clusters": [{"name": "test", "cluster": {"server": "\(server)"}}],
             "users": [{"name": "belay", "user": {"token": "\(token)"}}],
             "contexts": [{"name": "test", "context": {"cluster": "test", "user": "belay"}}], "current-context": "test"}
            """, named: "kubeconfig-simulated")
    }

    static let target = KubernetesTarget(namespace: "prod", .deployment("backend"))

    static func workload(
        kind: String = "Deployment", name: String = "backend", replicas: Int = 3,
        images: [String] = ["v1.41.2", "v1.41.3", "v1.42.0"], managedBy: String = "kubectl-client-side-apply", _ more: JSON = [:]
    ) -> JSON {
        var workload = more
        workload["namespace"] = workload["namespace"] ?? "prod"
        workload["kind"] = .string(kind)
        workload["name"] = .string(name)
        workload["replicas"] = .integer(replicas)
        workload["managedBy"] = .string(managedBy)
        if workload["containers"] == nil { workload["containers"] = [["name": "api"]] }
        if workload["history"] == nil {
            workload["history"] = .array(
                images.map { tag -> JSON in
                    [
                        "image": .string("registry.test/api:\(tag)"), "changeCause": .string("release \(tag)"),
                        "env": ["RELEASE": .string(tag)], "container": "api",
                    ]
                })
        }
        return workload
    }

    // MARK: - What a pass does

    func component(_ pin: Pin, target: KubernetesTarget = Cluster.target, takeOwnership: Bool = false) -> Component {
        Component(name: "api", target: target, release: pin, takeOwnership: takeOwnership)
    }

    func observe(
        _ component: Component, resolution: Resolution? = nil, intent: Intent? = nil, depth: ObservationRequest.Depth = .pin
    ) async -> Observation {
        await provider.observe(
            component,
            ObservationRequest(
                component: component.name, pin: component.release, resolution: resolution, openIntent: intent, depth: depth,
                takeOwnership: component.takeOwnership))
    }

    func apply(_ change: ReleaseChange, _ component: Component) async -> ApplyResult {
        await provider.apply(
            change, to: component, ApplyRequest(component: component.name, intent: intent(change, component), revision: .test))
    }

    func intent(_ change: ReleaseChange, _ component: Component) -> Intent {
        Intent(
            id: "intent-1", resource: component.id, route: change.route, resolution: change.resolution, providerTime: nil,
            written: Timestamp(millisecondsSinceEpoch: clock.milliseconds))
    }

    /// Writes that really took effect.
    func effects() async -> Int { await simulator.world["changes"]?.integer ?? -1 }

    func object(_ kind: String, _ name: String) async -> JSON? {
        await simulator.world["objects"]?.elements.first { $0["kind"]?.string == kind && $0["metadata"]?["name"]?.string == name }
    }
}

extension Revision {
    static let test = Revision(.commit, "c1a0000000000000000000000000000000000000")
}

extension Observation {
    /// The change that a plan would hold for the first candidate that carries this name.
    func change(to name: String, pin: Pin) -> ReleaseChange? {
        for candidate in candidates {
            guard let found = candidate.release.names.first(where: { $0.value == name }), let route = candidate.routes.first else {
                continue
            }
            return ReleaseChange(
                from: live.declared, to: candidate.release,
                resolution: Resolution(pin: pin, identity: found.denotes, label: candidate.release.label, revision: .test), route: route)
        }
        return nil
    }
}

struct KubernetesFixture: ProviderFixture {
    /// Deployments of the namespace that are observed along with the component: enough of them, and all come with one list.
    var others: [String] = []

    func makeWorld() async throws -> ContractWorld {
        let workloads = [Cluster.workload()] + others.map { Cluster.workload(name: $0) }
        return try await Self.world(of: Cluster(workloads), others)
    }

    static func world(of cluster: Cluster, _ others: [String] = []) async throws -> ContractWorld {
        let missing = KubernetesTarget(namespace: "prod", .deployment("nobody"))
        var world = ContractWorld(
            provider: cluster.provider, component: cluster.component(.name("v1.41.3")),
            missing: cluster.component(.name("v1.41.3"), target: missing), simulator: cluster.simulator, transport: cluster.transport,
            clock: cluster.clock, token: Cluster.token, settling: .seconds(60), visibility: .seconds(60),
            budget: others.isEmpty ? 3 : 1 + 2 * (1 + others.count), effects: { await cluster.effects() })
        world.companions = others.map {
            Component(name: $0, target: KubernetesTarget(namespace: "prod", .deployment($0)), release: .name("v1.42.0"))
        }
        return world
    }
}
