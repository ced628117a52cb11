import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing

@Suite struct RenderContractTests {
    struct FromGit: ProviderFixture {
        func makeWorld() async throws -> ContractWorld { try RenderStage.make().world }
    }

    /// Its settings name the pinned image already, and another one runs: what is left is one write.
    struct FromAnImage: ProviderFixture {
        func makeWorld() async throws -> ContractWorld {
            try RenderStage.make(
                "worker", pin: .name(RenderStage.digest1),
                worker: {
                    $0["imagePath"] = .string("ghcr.io/acme/worker@\(RenderStage.digest1)")
                }
            ).world
        }
    }

    struct ConfiguredImage: ProviderFixture {
        func makeWorld() async throws -> ContractWorld {
            try await configured(
                RenderStage.make("worker", pin: .name("v1"), worker: { $0["env"] = env }))
        }
    }

    private static let env: JSON = ["LEVEL": "quiet-level", "KEY": "secret-value"]

    private static func configured(_ stage: RenderStage) async throws -> ContractWorld {
        var world = stage.world
        world.configuration = ContractConfiguration(
            present: [.init("LEVEL", "quiet-level"), .init("KEY", "secret-value")],
            wanted: [.init("LEVEL", "newer-value", isReference: false), .init("ADDED", "another-secret")],
            holds: { key, text in await stage.state["settings"]?["env"]?[key]?.string == RenderSimulator.marker(of: text) },
            setByHand: { key, text in stage.render.setVariable(stage.service, key, text, deploys: true) },
            deployments: { await stage.state["deploys"]?.elements.count ?? 0 })
        return world
    }

    @Test(arguments: Clause.configuration) func keepsTheConfigurationOfAnImage(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: ConfiguredImage())
        #expect(violation == nil)
    }

    @Test(arguments: Clause.all) func keeps(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: FromGit())
        #expect(violation == nil)
    }

    struct FromAnotherImage: ProviderFixture {
        func makeWorld() async throws -> ContractWorld { try RenderStage.make("worker", pin: .name(RenderStage.digest1)).world }
    }

    @Test(arguments: Clause.stopping) func keepsWhatIsPromisedOfStopping(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: FromAnotherImage())
        #expect(violation == nil)
    }

    @Test func whatIsBuiltFromGitCannotBeStopped() async throws {
        for (service, why) in [
            ("api", "render/web: Render has a resumed service run what it ran before, until another deploy takes its place"),
            ("night", "render/web: Render cannot end what runs of a cron_job"),
        ] {
            let observation = try await RenderStage.make(service).world.observe()
            #expect(observation.stoppage == .impossible(Problem("CannotStop", why)))
        }
    }

    @Test func whatSomebodyElseSuspendedIsNotBelays() async throws {
        let stage = try RenderStage.make("worker", pin: .name(RenderStage.digest1), worker: { $0["suspended"] = "billing" })
        let stop = Stop(memory: "dep-2", means: "suspend the service", target: "", provider: "render")
        let observation = await stage.world.observe(stop: stop)
        #expect(observation.blocker?.reason == "ServiceSuspended")
        #expect(observation.stoppage?.start == nil)
    }

    @Test(arguments: Clause.all) func keepsForAnImage(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: FromAnImage())
        #expect(violation == nil)
    }
}
