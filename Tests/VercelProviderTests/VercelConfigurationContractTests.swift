import JSONValues
import Model
import ProviderContract
import Simulators
import Testing

@Suite struct VercelConfigurationContractTests {
    /// The promises of configuration and of the switch, for a project that may be built anew.
    struct Fixture: ProviderFixture {
        func makeWorld() async throws -> ContractWorld {
            func variable(_ key: String, _ value: String, _ type: String) -> JSON {
                ["key": .string(key), "value": .string(value), "type": .string(type), "target": ["production"]]
            }
            let stage = try VercelStage.make(allowRebuild: true) {
                $0["env"] = [
                    variable("REGION", "near-the-sea", "plain"), variable("MODE", "slow-and-safe", "encrypted"),
                    variable("DSN", "dsn-of-old-4711", "sensitive"),
                ]
            }
            var world = stage.world
            world.configuration = ContractConfiguration(
                present: [.init("REGION", "near-the-sea"), .init("MODE", "slow-and-safe"), .init("DSN", "dsn-of-old-4711")],
                wanted: [
                    .init("MODE", "fast-and-risky", isReference: false), .init("DSN", "dsn-of-new-0815"), .init("TOKEN", "added-for-all"),
                ],
                holds: { key, text in
                    let held = await stage.project["env"]?.elements.first { $0["key"]?.string == key }
                    // Every simulator marks a value alike.
                    return held?["value"]?.string == RenderSimulator.marker(of: text)
                },
                setByHand: { key, text in stage.vercel.setVariable("podcast-web", key, text) },
                deployments: {
                    await stage.project["writes"]?.elements.count {
                        ["create", "rollback"].contains($0["operation"]?.string) && $0["by"]?.string == "api"
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
