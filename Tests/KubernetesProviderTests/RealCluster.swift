import ControlPlane
import CurlTransport
import FoundationEssentials
import HTTPCore
import JSONValues
import KubernetesAPI
import KubernetesProvider
import Model
import ProviderKit
import Testing

/// The real API server, and a namespace of one test's own in it.
struct RealCluster {
    let running: ControlPlane.Running
    let namespace: String
    let client: KubernetesClient
    let provider: AnyProvider
    let environment: ProviderEnvironment

    init(_ test: String = #function, context: String = "kt") async throws {
        running = try await ControlPlane.shared.running()
        namespace = "t-" + String(test.prefix { $0.isLetter || $0.isNumber }).lowercased().prefix(60)
        environment = ProviderEnvironment(
            variables: ["KUBECONFIG": running.kubeconfig], transport: CurlTransport(),
            now: { Timestamp(millisecondsSinceEpoch: Int64(Date().timeIntervalSince1970 * 1000)) })
        let connection = try ClusterConnection.load(
            context: context, environment: ClusterEnvironment(variables: environment.variables, now: environment.now))
        client = KubernetesClient(connection, transport: environment.transport)
        provider = AnyProvider(KubernetesProvider(environment))
        _ = try await client.create(.namespaces, ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)]])
    }

    /// Makes a workload with one image after the other, as `manager` would, each rolled out before the next.
    func release(
        _ resource: KubernetesResource, _ name: String, _ images: [String], replicas: Int = 2,
        by manager: String = "kubectl-client-side-apply",
        labels: JSON = [:], spec: JSON = [:]
    ) async throws {
        for (index, image) in images.enumerated() {
            let metadata: JSON = [
                "name": .string(name), "labels": labels, "annotations": ["kubernetes.io/change-cause": .string("release \(image)")],
            ]
            let variables: JSON = [["name": "RELEASE", "value": .string(image)]]
            var body: JSON = spec
            body["selector"] = ["matchLabels": ["app": .string(name)]]
            body["template"] = [
                "metadata": ["labels": ["app": .string(name)]],
                "spec": ["containers": [["name": "api", "image": .string("registry.test/api:\(image)"), "env": variables]]],
            ]
            if resource != .daemonSets { body["replicas"] = .integer(replicas) }
            if resource == .statefulSets { body["serviceName"] = .string(name) }
            let object: JSON = ["apiVersion": "apps/v1", "kind": .string(resource.kind), "metadata": metadata, "spec": body]
            if index == 0 {
                _ = try await client.create(resource, namespace: namespace, object, fieldManager: manager)
            } else {
                _ = try await client.patch(resource, namespace: namespace, name: name, .strategicMerge(object), fieldManager: manager)
            }
            if image.hasPrefix("v") { try await settle(component(.image(image), target(resource, name))) }
        }
    }

    func target(_ resource: KubernetesResource, _ name: String) -> KubernetesTarget {
        let workload: Workload =
            resource == .deployments ? .deployment(name) : resource == .statefulSets ? .statefulSet(name) : .daemonSet(name)
        return KubernetesTarget(namespace: namespace, workload)
    }

    func component(_ pin: Pin, _ target: KubernetesTarget, takeOwnership: Bool = false) -> Component {
        Component(name: "api", target: target, release: pin, takeOwnership: takeOwnership)
    }

    func observe(
        _ component: Component, resolution: Resolution? = nil, depth: ObservationRequest.Depth = .pin
    ) async -> Observation {
        await provider.observe(
            component,
            ObservationRequest(
                component: component.name, pin: component.release, resolution: resolution, depth: depth,
                takeOwnership: component.takeOwnership))
    }

    func apply(_ change: ReleaseChange, _ component: Component) async -> ApplyResult {
        let intent = Intent(
            id: "i", resource: component.id, route: change.route, resolution: change.resolution, providerTime: nil,
            written: Timestamp(millisecondsSinceEpoch: 0))
        return await provider.apply(change, to: component, ApplyRequest(component: component.name, intent: intent, revision: .test))
    }

    /// Observes until the condition holds: real controllers take their time, and tell nobody when they are done.
    @discardableResult
    func wait(_ component: Component, until condition: (Observation) -> Bool) async throws -> Observation {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let observation = await observe(component)
            if condition(observation) { return observation }
            guard ContinuousClock.now < deadline else {
                throw ControlPlane.Failure(description: "not within 60 s; last seen: \(observation)")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    @discardableResult
    func settle(_ component: Component) async throws -> Observation {
        try await wait(component) { observation in
            guard case .settled = observation.settlement, let declared = observation.live.declared else { return false }
            // The pods of the release before may take a moment to be gone.
            return observation.live.serving.allSatisfy { $0.identities == declared.identities }
        }
    }

    func object(_ resource: KubernetesResource, _ name: String) async throws -> JSON {
        try await client.get(resource, namespace: namespace, name: name).body
    }
}
