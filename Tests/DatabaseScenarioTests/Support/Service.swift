import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import Simulators
import Synchronization
import TestPrograms
import Testing

/// A component in a simulated cluster, its health check, and the database that it uses: released and rolled back together.
struct Service: Sendable {
    let sandbox: Sandbox
    let health: HealthSimulator
    private let healthServer: RunningSandbox
    var ship: Operator

    /// How much faster than real time the cluster lives.
    static let speed = 50.0

    static func with(
        _ engine: Operator.Engine, images: [String] = ["v1"], crashing: [String] = [], _ body: (inout Service) async throws -> Void
    ) async throws {
        try await Operator.with(engine) { ship in
            let sandbox = try await Sandbox.start(
                world: WorldFile(reading: Array(world(images, crashing).utf8), file: "world.yaml"), speed: speed)
            let health = HealthSimulator()
            let server = try await SandboxServer.start(simulators: [health])
            var service = Service(sandbox: sandbox, health: health, healthServer: server, ship: ship)
            for (name, value) in sandbox.environment { service.ship.variables[name] = value }
            let result: Result<Void, any Error>
            do { result = .success(try await body(&service)) } catch { result = .failure(error) }
            try await sandbox.stop()
            await server.stop()
            try result.get()
        }
    }

    /// Pins the release; the schema is pinned where the program is run.
    /// - Parameter requires: its window for the database.
    mutating func pin(_ release: String, requires: String? = nil, isChecked: Bool = false) {
        ship.more = """
              components:
                api:
                  kubernetes: {namespace: prod, deployment: backend, container: api}
                  release: \(release)
                  after: [main]
                  timeout: 5s
            """
        if let requires { ship.more += "\n      requires: {main: \"\(requires)\"}" }
        if isChecked {
            ship.more += "\n      verify: [{http: {url: \"\(healthServer.urls["health"] ?? "")/health\", within: 10s, every: 1s}}]"
        }
    }

    /// Images of every pod that there is, whether it is well or not.
    func images() async throws -> Set<String> {
        let url = (sandbox.server.urls["kubernetes"] ?? "") + "/_sandbox/world"
        let answer = try await BuiltProgram(onSearchPath: "curl").run(["-sf", "--noproxy", "*", url])
        let world = try JSON(parsing: answer.output)
        let objects = (world["kubernetes"] ?? world)["objects"]?.elements ?? []
        return Set(
            objects.filter { $0["kind"]?.string == "Pod" }.flatMap { pod in
                (pod["spec"]?["containers"]?.elements ?? []).compactMap { $0["image"]?.string?.split(separator: ":").last.map(String.init) }
            })
    }

    private static func world(_ images: [String], _ crashing: [String]) -> String {
        func image(_ tag: String) -> String { "registry.example.com/shop:\(tag)" }
        return """
            apiVersion: sandbox.belay.dev/v1alpha1
            kind: World
            kubernetes:
              rolloutSeconds: 5
              crashingImages: [\(crashing.map { "\"\(image($0))\"" }.joined(separator: ", "))]
              workloads:
                - namespace: prod
                  kind: Deployment
                  name: backend
                  replicas: 2
                  containers: [{name: api}]
                  history: [\(images.map { "{image: \"\(image($0))\"}" }.joined(separator: ", "))]
            """
    }
}

/// A health endpoint that answers as the test says.
final class HealthSimulator: Simulator {
    let name = "health"
    private struct State {
        var isHealthy = true
        var passed = 0
    }
    private let state = Mutex(State())

    /// How often it has said that all is well since this was last set.
    var passed: Int {
        get { state.withLock { $0.passed } }
        set { state.withLock { $0.passed = newValue } }
    }
    var isHealthy: Bool {
        get { state.withLock { $0.isHealthy } }
        set { state.withLock { $0.isHealthy = newValue } }
    }
    var world: JSON { [:] }

    func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        let isHealthy = state.withLock { state in
            if state.isHealthy { state.passed += 1 }
            return state.isHealthy
        }
        return .json(isHealthy ? 200 : 503, [:])
    }
}
