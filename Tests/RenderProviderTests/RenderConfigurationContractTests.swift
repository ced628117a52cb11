import JSONValues
import Model
import ProviderContract
import Simulators
import Testing

@Suite struct RenderConfigurationContractTests {
    /// The promises of configuration and of the switch, for a service built from Git.
    struct Fixture: ProviderFixture {
        func makeWorld() async throws -> ContractWorld {
            let stage = try RenderStage.make(allowRebuild: true) { _ in
            } api: {
                $0["env"] = ["REGION": "near-the-sea", "MODE": "slow-and-safe"]
                $0["envGroups"] = []
            }
            var world = stage.world
            world.configuration = ContractConfiguration(
                present: [.init("REGION", "near-the-sea"), .init("MODE", "slow-and-safe")],
                wanted: [.init("MODE", "fast-and-risky", isReference: false), .init("DSN", "dsn-of-new-0815")],
                holds: { key, text in
                    await stage.state["settings"]?["env"]?[key]?.string == RenderSimulator.marker(of: text)
                },
                setByHand: { key, text in stage.render.setVariable("api", key, text, deploys: true) },
                deployments: {
                    await stage.state["writes"]?.elements.count {
                        ["deploy", "rollback", "restart"].contains($0["operation"]?.string) && $0["by"]?.string == "api"
                    } ?? 0
                })
            return world
        }
    }

    @Test(arguments: Clause.configuration + Clause.automation) func keeps(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: Fixture())
        #expect(violation == nil)
    }
}
