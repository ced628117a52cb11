import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import VercelProvider

/// A simulated Vercel with one project, and a component that pins a release of it.
struct VercelStage {
    static let token = "vcp_0123456789abcdefABCDEF"
    static let url = "https://api.vercel.test"
    static let shaA = "aaaaaaa000000000000000000000000000000001"
    static let shaB = "bbbbbbb000000000000000000000000000000002"
    static let shaC = "ccccccc000000000000000000000000000000003"
    static let shaPreview = "ddddddd000000000000000000000000000000004"
    static let shaStaged = "eeeeeee000000000000000000000000000000005"

    var world: ContractWorld
    let vercel: VercelSimulator

    /// C is live, A and B have served, S is newer and staged, P is a preview.
    static func make(
        pin: Pin = .name("dpl_A"), plan: String = "pro", allowRebuild: Bool = false, team: String? = "acme",
        sensitivePolicy: Bool = false, _ more: (inout JSON) -> Void = { _ in }
    ) throws -> VercelStage {
        var project: JSON = [
            "name": "podcast-web", "repository": "acme/podcast", "domains": ["podcast.example.com", "www.podcast.example.com"],
            "production": "dpl_C",
            "deployments": [
                ["id": "dpl_A", "sha": .string(shaA), "message": "First", "minutesAgo": 300, "url": "podcast-web-a.vercel.app"],
                ["id": "dpl_B", "sha": .string(shaB), "message": "Second", "minutesAgo": 200, "url": "podcast-web-b.vercel.app"],
                ["id": "dpl_P", "sha": .string(shaPreview), "message": "Try", "minutesAgo": 150, "target": "preview"],
                ["id": "dpl_C", "sha": .string(shaC), "message": "Third", "minutesAgo": 100],
                ["id": "dpl_S", "sha": .string(shaStaged), "message": "Fourth", "minutesAgo": 50],
            ],
        ]
        if let team { project["team"] = .string(team) }
        more(&project)
        let clock = ManualClock()
        let vercel = try VercelSimulator(
            world: [
                "plan": .string(plan), "projects": [project], "sensitiveEnvironmentVariablePolicy": .bool(sensitivePolicy),
            ], clock: clock, token: token)
        let transport = SimulatedTransport([url: vercel])
        let environment = ProviderEnvironment(
            variables: ["VERCEL_TOKEN": token, "VERCEL_API_URL": url], transport: transport,
            now: { Timestamp(millisecondsSinceEpoch: clock.milliseconds) })
        func component(_ project: String) -> Component {
            Component(
                name: "web", target: VercelTarget(project: project, team: team), release: pin, allowRebuild: allowRebuild)
        }
        let world = ContractWorld(
            provider: AnyProvider(try VercelProvider.connect(environment).get()), component: component("podcast-web"),
            missing: component("podcast-wbe"), simulator: vercel, transport: transport, clock: clock, token: token,
            settling: .seconds(90), visibility: .seconds(90), budget: 4
        ) {
            await vercel.world["projects"]?[0]?["writes"]?.elements.count { $0["by"]?.string == "api" } ?? 0
        }
        return VercelStage(world: world, vercel: vercel)
    }

    /// The project as the simulator holds it.
    var project: JSON { get async { await vercel.world["projects"]?[0] ?? .null } }

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

    func pass(_ duration: Duration) { world.clock.advance(by: duration) }

    func inject(_ fault: Fault) { world.transport.faults.add(fault) }
}

extension Observation {
    func candidate(_ id: String) -> Candidate? {
        candidates.first { $0.release.names.contains { $0.value == id } }
    }

    func route(to id: String) -> Route? { candidate(id)?.routes.first }

    var failure: Problem? {
        guard case .failed(let problem) = settlement else { return nil }
        return problem
    }

    var progress: String? {
        guard case .progressing(let text) = settlement else { return nil }
        return text
    }
}

extension Release {
    /// The deployment's id.
    var id: String { names.first { $0.kind == .deployment }?.value ?? "" }
}
