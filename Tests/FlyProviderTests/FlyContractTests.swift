import FlyProvider
import JSONValues
import Model
import ProviderContract
import Simulators
import Testing

@Suite struct FlyContractTests {
    struct Fixture: ProviderFixture {
        func makeWorld() async throws -> ContractWorld { try FlyStage.make(.name("v86"), .immediate).world }
    }

    @Test(arguments: Clause.all) func keeps(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: Fixture())
        #expect(violation == nil)
    }

    /// Three machines of which one was stopped before, and one had no traffic; the proxy may start any of them.
    struct FleetFixture: ProviderFixture {
        func makeWorld() async throws -> ContractWorld {
            try FlyStage.make(.name("v86"), .immediate) { app in
                app["machines"] = [
                    ["id": .string(FlyStage.first)], ["id": .string(FlyStage.second), "state": "stopped"],
                    ["id": .string(FlyStage.third), "cordoned": true],
                ]
            }.world
        }
    }

    @Test(arguments: Clause.stopping) func keepsWhatIsPromisedOfStopping(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: FleetFixture())
        #expect(violation == nil)
    }

    /// One machine with variables and secrets, of which some are to be changed.
    struct ConfiguredFixture: ProviderFixture {
        func makeWorld() async throws -> ContractWorld {
            let stage = try FlyStage.make(.name("v86"), .immediate) { app in
                app["env"] = ["LOG_LEVEL": "info-present", "REGION_HINT": "fra-present"]
                app["secrets"] = ["DATABASE_URL": "postgres://present", "OTHER_KEY": "other-present"]
            }
            var world = stage.world
            let effects = world.effects
            let present = [
                ContractConfiguration.Value("LOG_LEVEL", "info-present", isReference: false),
                .init("REGION_HINT", "fra-present", isReference: false),
                .init("DATABASE_URL", "postgres://present"), .init("OTHER_KEY", "other-present"),
            ]
            let wanted = [
                ContractConfiguration.Value("LOG_LEVEL", "debug-wanted", isReference: false),
                .init("NEW_LITERAL", "literal-wanted", isReference: false),
                .init("DATABASE_URL", "postgres://wanted"), .init("API_KEY", "key-wanted"),
            ]
            world.configuration = ContractConfiguration(
                present: present, wanted: wanted,
                holds: { key, text in await stage.holds(key, text) },
                setByHand: { key, text in
                    if wanted.contains(where: { $0.key == key && $0.isReference }) {
                        stage.fly.stageSecret("worker", key, text)
                        try? await stage.change { _ in }  // What it fails of, the clause sees.
                    } else {
                        try? await stage.change { $0["env"]?[key] = .string(text) }
                    }
                },
                deployments: { await effects() })
            return world
        }
    }

    @Test(arguments: Clause.configuration) func keepsConfiguration(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: ConfiguredFixture())
        #expect(violation == nil)
    }
}
