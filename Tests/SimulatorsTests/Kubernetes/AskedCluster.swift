import HTTPCore
import JSONValues
import Simulators

/// A simulated cluster with a Deployment that refers to nothing, and a way to ask its API.
struct AskedCluster {
    static let apps = "/apis/apps/v1/namespaces/prod"
    static let core = "/api/v1/namespaces/prod"
    static let strategic = "application/strategic-merge-patch+json"
    static let apply = "application/apply-patch+yaml"

    let clock = ManualClock()
    let simulator: KubernetesSimulator

    /// - Parameter more: further members of the world.
    init(_ more: JSON = [:], containers: JSON = [["name": "api"]], history: JSON = [["image": "r/api:v1"]]) {
        var world = more
        world["workloads"] = [
            [
                "namespace": "prod", "name": "api", "replicas": 2, "managedBy": "helm", "containers": containers, "history": history,
            ]
        ]
        simulator = KubernetesSimulator(world: world, clock: clock)
    }

    func send(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, type: String = "application/json"
    ) async throws -> (status: Int, body: JSON) {
        let request = HTTPRequest(method, "https://x\(path)", headers: ["Content-Type": type], body: body?.bytes ?? [])
        guard case .whole(let response) = await simulator.answer(request) else { return (0, [:]) }
        return (response.status, try JSON(parsing: response.body))
    }

    // MARK: - Configuration

    func create(_ kind: String, _ name: String, _ more: JSON) async throws -> (status: Int, body: JSON) {
        var body = more
        body["apiVersion"] = "v1"
        body["kind"] = .string(kind)
        body["metadata"] = ["name": .string(name)]
        return try await send(.post, "\(Self.core)/\(kind.lowercased())s?fieldManager=me", body)
    }

    func applyConfigMap(_ data: JSON, by manager: String, _ name: String = "settings") async throws -> (status: Int, body: JSON) {
        let body: JSON = ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .string(name)], "data": data]
        return try await send(.patch, "\(Self.core)/configmaps/\(name)?fieldManager=\(manager)", body, type: Self.apply)
    }

    // MARK: - The Deployment

    static func container(_ env: JSON?, _ more: JSON = [:]) -> JSON {
        var container: JSON = ["name": "api"]
        container["env"] = env
        for (name, value) in more.object?.members ?? [] { container[name] = value }
        return ["spec": ["template": ["spec": ["containers": [container]]]]]
    }

    func setEnv(_ env: JSON, by manager: String = "kubectl-set") async throws -> (status: Int, body: JSON) {
        try await send(.patch, "\(Self.apps)/deployments/api?fieldManager=\(manager)", Self.container(env), type: Self.strategic)
    }

    func applyEnv(_ env: JSON?, by manager: String, force: Bool = false) async throws -> (status: Int, body: JSON) {
        var body = Self.container(env)
        body["apiVersion"] = "apps/v1"
        body["kind"] = "Deployment"
        return try await send(
            .patch, "\(Self.apps)/deployments/api?fieldManager=\(manager)&force=\(force)", body, type: Self.apply)
    }

    func deployment() async throws -> JSON { try await send(.get, "\(Self.apps)/deployments/api").body }

    /// The container's environment as the Deployment has it.
    func env() async throws -> [JSON] { try await deployment().env }

    /// What containers wait for, with the kubelet's words, each once.
    func waiting() async throws -> [String] {
        let pods = try await send(.get, "\(Self.core)/pods").body["items"]?.elements ?? []
        let waiting = pods.compactMap { $0["status"]?["containerStatuses"]?[0]?["state"]?["waiting"] }
        return Set(waiting.map { "\($0["reason"]?.string ?? ""): \($0["message"]?.string ?? "")" }).sorted()
    }

    func readyPods() async throws -> Int { try await deployment()["status"]?["readyReplicas"]?.integer ?? -1 }

    func changes() async -> Int { await simulator.world["changes"]?.integer ?? -1 }
}

extension JSON {
    var env: [JSON] { self["spec"]?["template"]?["spec"]?["containers"]?[0]?["env"]?.elements ?? [] }

    /// The managers that own a field of the container's environment: `RELEASE value`.
    func owners(_ name: String, _ field: String) -> [String] {
        (self["metadata"]?["managedFields"]?.elements ?? []).filter { entry in
            let containers = entry["fieldsV1"]?["f:spec"]?["f:template"]?["f:spec"]?["f:containers"]
            return containers?["k:{\"name\":\"api\"}"]?["f:env"]?["k:{\"name\":\"\(name)\"}"]?["f:\(field)"] != nil
        }.compactMap { $0["manager"]?.string }.sorted()
    }
}
