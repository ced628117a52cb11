import HarbourProvider
import HarbourSimulator
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing

struct HarbourContractTests {
    @Test(arguments: Clause.all + Clause.configuration + Clause.automation)
    func clauseIsKept(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: HarbourFixture())
        #expect(violation == nil)
    }
}

/// A service with three releases, the newest live, and three variables.
struct HarbourFixture: ProviderFixture {
    static let token = "hbr_0123456789abcdef"

    func makeWorld() async throws -> ContractWorld { try Self.make().world }

    static func make() throws -> (world: ContractWorld, harbour: HarbourSimulator) {
        let clock = ManualClock()
        var service = HarbourState("web", versions: ["v1.41.2", "v1.41.3", "v1.42.0"], now: clock.milliseconds)
        service.start(with: "LOG_LEVEL", "info-of-old")
        service.start(with: "API_KEY", "key-of-old-0123", isSecret: true)
        service.start(with: "REGION", "fra-4711")
        let harbour = HarbourSimulator(service, clock: clock, token: token)
        let transport = SimulatedTransport(["https://api.harbour.example": harbour])
        let environment = ProviderEnvironment(
            variables: ["HARBOUR_TOKEN": token], transport: transport, now: { Timestamp(millisecondsSinceEpoch: clock.milliseconds) })
        // From the simulator's own books.
        let releases: @Sendable () async -> Int = { await harbour.world["releases"]?.integer ?? 0 }
        let configuration = ContractConfiguration(
            present: [
                .init("LOG_LEVEL", "info-of-old"), .init("API_KEY", "key-of-old-0123"), .init("REGION", "fra-4711"),
            ],
            wanted: [
                .init("LOG_LEVEL", "debug-of-new", isReference: false), .init("API_KEY", "key-of-new-4567"),
                .init("DATABASE_URL", "postgres://new.example"),
            ],
            holds: { key, text in harbour.change { $0.value(of: key) == text } },
            setByHand: { key, text in harbour.change { $0.start(with: key, text, isSecret: key != "LOG_LEVEL") } },
            deployments: releases)
        let world = ContractWorld(
            provider: AnyProvider(try HarbourProvider.connect(environment).get()), component: component("web"), missing: component("wbe"),
            simulator: harbour, transport: transport, clock: clock, token: token, settling: .seconds(60), visibility: .seconds(60),
            budget: 1, configuration: configuration,
            effects: releases)
        return (world, harbour)
    }

    static func component(_ service: String) -> Component {
        Component(name: "web", target: HarbourTarget(service: service), release: .name("v1.41.3"))
    }
}
