import HTTPCore
import JSONValues
import Model
import Planning
import ProviderContract
import ProviderKit
import RenderProvider
import Simulators

/// A simulated Render with two services, and a component that pins a release of one of them.
struct RenderStage {
    static let token = "rnd_0123456789abcdefABCDEF"
    static let url = "https://api.render.test"
    static let shaA = "aaaaaaa000000000000000000000000000000001"
    static let shaB = "bbbbbbb000000000000000000000000000000002"
    static let shaC = "ccccccc000000000000000000000000000000003"
    static let digest1 = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
    static let digest2 = "sha256:2222222222222222222222222222222222222222222222222222222222222222"

    var world: ContractWorld
    let render: RenderSimulator
    let service: String

    /// `api`, from Git: A and B have served, X failed, C is live. `worker`, from an image: v1 has served, v2 is live. `night`: a cron job.
    static func make(
        _ service: String = "api", pin: Pin = .name("dep-a"), allowRebuild: Bool = false, target: String? = nil,
        _ more: (inout JSON) -> Void = { _ in }, api: (inout JSON) -> Void = { _ in }, worker: (inout JSON) -> Void = { _ in },
        night: (inout JSON) -> Void = { _ in }
    ) throws -> RenderStage {
        var first: JSON = [
            "name": "api", "env": ["LEVEL": "new", "KEY": "secret-value"], "envGroups": ["shared"],
            "deploys": [
                ["id": "dep-a", "commit": .string(shaA), "message": "First\nand more", "env": ["LEVEL": "old"], "minutesAgo": 300],
                ["id": "dep-b", "commit": .string(shaB), "message": "Second", "minutesAgo": 200],
                ["id": "dep-x", "commit": "dddddddd00000000000000000000000000000004", "status": "build_failed", "minutesAgo": 150],
                ["id": "dep-c", "commit": .string(shaC), "message": "Third", "minutesAgo": 100],
            ],
        ]
        var second: JSON = [
            "name": "worker", "type": "background_worker", "imagePath": "ghcr.io/acme/worker:v2",
            "deploys": [
                ["id": "dep-1", "tag": "v1", "sha": .string(digest1), "minutesAgo": 200],
                ["id": "dep-2", "tag": "v2", "sha": .string(digest2), "minutesAgo": 100],
            ],
        ]
        var third: JSON = [
            "name": "night", "type": "cron_job", "imagePath": "ghcr.io/acme/night:v2",
            "deploys": [
                ["id": "dep-n1", "tag": "v1", "sha": .string(digest1), "minutesAgo": 200],
                ["id": "dep-n2", "tag": "v2", "sha": .string(digest2), "minutesAgo": 100],
            ],
        ]
        api(&first)
        worker(&second)
        night(&third)
        var world: JSON = [
            "envGroups": [["name": "shared", "env": ["LEVEL": "group", "TEAM": "blue"]]], "services": [first, second, third],
        ]
        more(&world)
        let clock = ManualClock()
        let render = try RenderSimulator(world: world, clock: clock, token: token)
        let transport = SimulatedTransport([url: render])
        let environment = ProviderEnvironment(
            variables: ["RENDER_API_KEY": token, "RENDER_API_URL": url], transport: transport,
            now: { Timestamp(millisecondsSinceEpoch: clock.milliseconds) })
        func component(_ service: String) -> Component {
            Component(name: "web", target: RenderTarget(service: service), release: pin, allowRebuild: allowRebuild)
        }
        let id = target ?? (service == "night" ? "crn-night" : "srv-\(service)")
        let contract = ContractWorld(
            provider: AnyProvider(try RenderProvider.connect(environment).get()), component: component(id),
            missing: component("srv-none"), simulator: render, transport: transport, clock: clock, token: token,
            settling: .seconds(180), visibility: .seconds(90), budget: 4
        ) {
            await render.world["services"]?.elements.first { $0["name"]?.string == service }?["writes"]?.elements
                .count { $0["by"]?.string == "api" } ?? 0
        }
        return RenderStage(world: contract, render: render, service: service)
    }

    /// The service as the simulator holds it.
    var state: JSON { get async { await render.world["services"]?.elements.first { $0["name"]?.string == service } ?? .null } }

    /// What runs.
    var live: JSON { get async { await state["live"] ?? .null } }

    /// What the API was made to do, in its order: `env.put LEVEL`, `rollback`.
    var operations: [String] {
        get async {
            (await state["writes"]?.elements ?? []).filter { $0["by"]?.string == "api" }.map { entry in
                [entry["operation"]?.string, entry["key"]?.string, entry["commit"]?.string.map { String($0.prefix(7)) }].compactMap(\.self)
                    .joined(separator: " ") + (entry["deployOnly"]?.bool == true ? " only" : "")
            }
        }
    }

    func observe(
        _ pin: Pin? = nil, resolution: Resolution? = nil, intent: Intent? = nil, depth: ObservationRequest.Depth = .pin
    ) async -> Observation {
        var component = world.component
        if let pin { component.release = pin }
        return await world.observe(component, resolution: resolution, intent: intent, depth: depth)
    }

    /// Observes, and sends the write that leads to the pin.
    func go() async throws -> (result: ApplyResult, change: ReleaseChange, intent: Intent) {
        let (change, intent) = try world.change(after: await observe())
        return (await world.apply(change, intent), change, intent)
    }

    func pass(_ seconds: Int) { world.clock.advance(by: .seconds(seconds)) }

    func inject(_ fault: Fault) { world.transport.faults.add(fault) }

    /// Methods and paths, without queries, of what was sent since then.
    func sent(since count: Int = 0) -> [String] {
        world.transport.received.dropFirst(count).map { "\($0.method.rawValue) \($0.path.prefix { $0 != "?" })" }
    }
}

extension Observation {
    func candidate(_ id: String) -> Candidate? { candidates.first { $0.release.names.contains { $0.value == id } } }

    func routes(to id: String) -> [Route] { candidate(id)?.routes ?? [] }

    var failure: Problem? {
        guard case .failed(let problem) = settlement else { return nil }
        return problem
    }

    var differing: [String] { configuration?.differences.map { "\($0.key) \($0.kind.rawValue)" } ?? [] }
}

extension Release {
    /// The deploy's id.
    var id: String { names.first { $0.kind == .deployment }?.value ?? "" }
}
