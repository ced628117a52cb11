import ControlPlane
import HTTPCore
import JSONValues
import KubernetesAPI
import KubernetesProvider
import Model
import ProviderKit
import Simulators
import Testing

/// The same scenario in the simulator and on a real API server: what Belay reads must be the same.
@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)))
struct LikenessTests {
    /// One of the two, with what the scenario needs of it.
    private struct Side {
        var client: KubernetesClient
        var provider: AnyProvider
        /// Lets the controllers work until the condition holds.
        var wait: (@escaping (Observation) -> Bool, Component) async throws -> Observation
    }

    private static func real(_ test: String) async throws -> (Side, namespace: String) {
        let cluster = try await RealCluster(test)
        return (
            Side(
                client: cluster.client, provider: cluster.provider,
                wait: { condition, component in try await cluster.wait(component, until: condition) }),
            cluster.namespace
        )
    }

    private static func simulated(_ namespace: String) throws -> Side {
        let clock = ManualClock()
        let simulator = KubernetesSimulator(
            world: ["namespaces": [.string(namespace)], "nodes": 1, "brokenImages": [":broken"], "crashingImages": [":crash"]], clock: clock
        )
        let transport = SimulatedTransport(["https://simulated.test": simulator])
        let kubeconfig = try TemporaryFile.write(
            """
            {"clusters": [{"name": "c", "cluster": {"server": "https://simulated.test"}}],
             "contexts": [{"name": "x", "context": {"cluster": "c"}}], "current-context": "x"}
            """, named: "kubeconfig-likeness-\(namespace)")
        let environment = ProviderEnvironment(
            variables: ["KUBECONFIG": kubeconfig], transport: transport, now: { Timestamp(millisecondsSinceEpoch: clock.milliseconds) })
        let connection = try ClusterConnection.load(
            context: nil, environment: ClusterEnvironment(variables: environment.variables, now: environment.now))
        let provider = AnyProvider(KubernetesProvider(environment))
        return Side(client: KubernetesClient(connection, transport: transport), provider: provider) { condition, component in
            for _ in 0..<600 {
                let observation = await observe(component, provider)
                if condition(observation) { return observation }
                clock.advance(by: .milliseconds(100))
            }
            throw ControlPlane.Failure(description: "the simulator does not get there: \(await observe(component, provider))")
        }
    }

    private static func observe(_ component: Component, _ provider: AnyProvider) async -> Observation {
        await provider.observe(component, ObservationRequest(component: component.name, pin: component.release))
    }

    private static func object(_ resource: KubernetesResource, _ tag: String) -> JSON {
        var spec: JSON = ["selector": ["matchLabels": ["app": "api"]]]
        if resource != .daemonSets { spec["replicas"] = 2 }
        if resource == .statefulSets { spec["serviceName"] = "api" }
        spec["template"] = [
            "metadata": ["labels": ["app": "api"]],
            "spec": ["containers": [["name": "api", "image": .string("registry.test/api:\(tag)")]]],
        ]
        return [
            "apiVersion": "apps/v1", "kind": .string(resource.kind),
            "metadata": ["name": "api", "annotations": ["kubernetes.io/change-cause": .string(tag)]], "spec": spec,
        ]
    }

    /// What of an observation does not depend on hashes, times and names of pods.
    private static func essence(_ observation: Observation) -> [String] {
        var lines = [
            "declared \(observation.live.declared?.label ?? "nothing")", "serving \(observation.live.serving.map(\.label).sorted())",
            "blocker \(observation.blocker?.reason ?? "none")", "notes \(observation.notes)",
        ]
        switch observation.settlement {
        case .failed(let problem): lines.append("failed \(problem.reason)")
        case .settled: lines.append("settled")
        case .progressing, .unknown: lines.append("on its way")
        }
        for candidate in observation.candidates {
            let names = candidate.release.names.map { "\($0.kind) \($0.kind == .revision || $0.kind == .image ? $0.value : "")" }
            let routes = candidate.routes.map { "\($0.means) \($0.cautions)" }
            lines.append("\(candidate.release.label): \(names) \(routes) \(candidate.release.note ?? "")")
        }
        return lines
    }

    @Test(arguments: [KubernetesResource.deployments, .statefulSets, .daemonSets], ["broken", "crash"])
    func aHistoryOfReleasesLooksTheSame(_ resource: KubernetesResource, _ bad: String) async throws {
        let (real, namespace) = try await Self.real("alike\(resource.plural)\(bad)")
        let sides = [real, try Self.simulated(namespace)]
        let workload: Workload =
            resource == .deployments ? .deployment("api") : resource == .statefulSets ? .statefulSet("api") : .daemonSet("api")
        let component = Component(name: "api", target: KubernetesTarget(namespace: namespace, workload), release: .name("v1"))
        var told: [[[String]]] = []
        for side in sides {
            var lines: [[String]] = []
            for (index, tag) in ["v1", "v2", "v1", "v3", bad].enumerated() {
                if index == 0 {
                    _ = try await side.client.create(resource, namespace: namespace, Self.object(resource, tag), fieldManager: "helm")
                } else {
                    _ = try await side.client.patch(
                        resource, namespace: namespace, name: "api", .strategicMerge(Self.object(resource, tag)), fieldManager: "helm")
                }
                let observation = try await side.wait(
                    { observation in
                        switch observation.settlement {
                        case .failed: tag == bad
                        case .settled: observation.live.serving.count == 1 && tag != bad
                        case .progressing, .unknown: false
                        }
                    }, component)
                lines.append(Self.essence(observation))
            }
            told.append(lines)
        }
        for (index, (real, simulated)) in zip(told[0], told[1]).enumerated() { #expect(real == simulated, "step \(index)") }
    }

    @Test func refusalsAreTheSameWordForWord() async throws {
        let (real, namespace) = try await Self.real("refusals")
        var told: [[String]] = []
        for side in [real, try Self.simulated(namespace)] {
            let client = side.client
            _ = try await client.create(.deployments, namespace: namespace, Self.object(.deployments, "v1"), fieldManager: "helm")
            let component = Component(name: "api", target: KubernetesTarget(namespace: namespace, .deployment("api")), release: .name("v1"))
            _ = try await side.wait({ $0.settlement == .settled }, component)
            let applied: JSON = [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "api"],
                "spec": ["replicas": 3, "template": ["spec": ["containers": [["name": "api", "image": "registry.test/api:v9"]]]]],
            ]
            let patches: [KubernetesPatch] = [
                .merge(["metadata": ["resourceVersion": "1"], "spec": ["replicas": 1]]), .apply(applied, force: false),
                .json([["op": "test", "path": "/spec/replicas", "value": 9]]),
                .json([["op": "replace", "path": "/spec/none/of", "value": 9]]),
                .strategicMerge(["spec": ["template": ["spec": ["containers": [["name": "api", "image": ""]]]]]]),
                .merge(["metadata": ["uid": "00000000-1111-2222-3333-444444444444"], "spec": ["replicas": 1]]),
            ]
            var lines: [String] = []
            for patch in patches {
                lines.append(
                    await Self.words { () async throws(KubernetesError) in
                        _ = try await client.patch(.deployments, namespace: namespace, name: "api", patch)
                    })
            }
            lines.append(
                await Self.words { () async throws(KubernetesError) in
                    _ = try await client.get(.deployments, namespace: namespace, name: "b")
                })
            lines.append(
                await Self.words { () async throws(KubernetesError) in
                    _ = try await client.get(.deployments, namespace: "nowhere", name: "b")
                })
            lines.append(
                await Self.words { () async throws(KubernetesError) in
                    _ = try await client.create(.deployments, namespace: namespace, Self.object(.deployments, "v1"))
                })
            told.append(lines)
        }
        #expect(told[0] == told[1])
    }

    /// Status, reason, words and causes, without what is of one server.
    private static func words(_ body: () async throws(KubernetesError) -> Void) async -> String {
        do throws(KubernetesError) {
            try await body()
            return "accepted"
        } catch {
            let said = error.message.split(separator: "): ", maxSplits: 1).last.map(String.init) ?? ""
            func general(_ text: String) -> String { text.replacing(#/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/#, with: "UID") }
            // The real one says some things twice.
            let causes = Set(error.causes.map { "\($0.reason) \(general($0.message)) \($0.field)" }).sorted()
            return "\(error.status ?? 0) \(error.reason ?? "") \(general(said)) \(causes)"
        }
    }
}
