import FlyProvider
import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
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

    /// A worker beside two other process groups of its app, which are observed along with it.
    struct GroupsFixture: ProviderFixture {
        func makeWorld() async throws -> ContractWorld {
            var world = try FlyStage.make(.name("v86"), .immediate, group: "app") { app in
                app["machines"] = [
                    ["id": .string(FlyStage.first)], ["id": .string(FlyStage.second), "group": "web"],
                    ["id": .string(FlyStage.third), "group": "cron"],
                ]
            }.world
            world.companions = ["web", "cron"].map {
                Component(name: $0, target: FlyTarget(app: "worker", processGroup: $0), release: .name("v87"))
            }
            // The machines once, and for each what its pin may name.
            world.budget = 1 + 3 * 3
            return world
        }
    }

    @Test(arguments: Clause.all + Clause.stopping) func keepsBesideOtherGroupsOfItsApp(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: GroupsFixture())
        #expect(violation == nil)
    }

    @Test func machinesOfAnAppAreListedOnceForAllOfItsGroups() async throws {
        let world = try await GroupsFixture().makeWorld()
        let questions = ([world.component] + world.companions).map {
            (component: $0, request: ObservationRequest(component: $0.name, pin: $0.release))
        }
        let together = await world.provider.observe(all: questions)
        #expect(world.transport.received.count { $0.path.contains("/machines?") } == 1)
        for (question, observation) in zip(questions, together) {
            #expect(await world.provider.observe(question.component, question.request) == observation)
        }
    }

    /// Three machines of which one was stopped before, and one had no traffic; the proxy may start any of them.
    struct FleetFixture: ProviderFixture {
        /// Of the requests that a stop sends, the one that faults hit.
        var path = "/metadata/"

        func makeWorld() async throws -> ContractWorld {
            var world = try FlyStage.make(.name("v86"), .immediate) { app in
                app["machines"] = [
                    ["id": .string(FlyStage.first)], ["id": .string(FlyStage.second), "state": "stopped"],
                    ["id": .string(FlyStage.third), "cordoned": true],
                ]
            }.world
            world.aim = { [path] fault in
                guard fault.method == .post else { return [] }
                var own = fault
                own.path = path
                return [own]
            }
            return world
        }
    }

    @Test(arguments: Clause.stopping) func keepsWhatIsPromisedOfStopping(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: FleetFixture())
        #expect(violation == nil)
    }

    /// Of several requests, one that is refused after others took effect is no refusal of the stop.
    @Test(arguments: ["/cordon", "/stop"]) func aStopThatIsHalfDoneIsUnknown(_ path: String) async throws {
        let world = try await FleetFixture(path: path).makeWorld()
        let stop = Stop(memory: FlyStage.first, means: "", target: "", provider: "fly")
        let intent = Intent(
            id: "i1", resource: world.component.id,
            route: Route(.redeploy, means: "", class: .downtime, token: "", isIdempotent: true),
            resolution: Resolution(
                pin: .name("v86"), identity: ArtifactIdentity(.deployment, ""), label: "", revision: Revision(.commit, "c1a0")),
            providerTime: nil, written: Timestamp(millisecondsSinceEpoch: 0))
        let request = ApplyRequest(component: "worker", intent: intent, revision: Revision(.commit, "c1a0"))
        for fault in world.aim(Fault(method: .post, .answer(status: 403, headers: [:], body: "{}"))) { world.transport.faults.add(fault) }
        let answer = await world.provider.stop(world.component, as: stop, request)
        guard case .unknown = answer else {
            Issue.record("it gave \(answer)")
            return
        }
        guard case .stopping = await world.observe(stop: stop).stoppage else {
            Issue.record("a machine is marked, and the observation does not say so")
            return
        }
        let again = await world.provider.stop(world.component, as: stop, request)
        guard case .accepted = again else {
            Issue.record("it gave \(again)")
            return
        }
        world.clock.advance(by: world.settling)
        guard case .stopped = await world.observe(stop: stop).stoppage else {
            Issue.record("asked again, it is not stopped")
            return
        }
    }

    /// The proxy starts a stopped machine for the next request, and so it could any that Belay has stopped.
    @Test func theProxyDoesNotStartWhatIsStopped() async throws {
        let stage = try FlyStage.make(.name("v86"), .immediate) { $0["autostop"] = "stop" }
        let stop = Stop(memory: FlyStage.first, means: "", target: "", provider: "fly")
        let (change, intent) = try stage.world.change(after: await stage.world.observe())
        _ = await stage.world.provider.stop(
            stage.world.component, as: stop, ApplyRequest(component: "worker", intent: intent, revision: change.resolution.revision))
        stage.world.clock.advance(by: stage.world.settling)
        stage.fly.autostart("worker", FlyStage.first)
        stage.world.clock.advance(by: stage.world.settling)
        guard case .stopped = await stage.world.observe(stop: stop).stoppage else {
            Issue.record("the proxy has started it")
            return
        }
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
