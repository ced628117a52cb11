import Execution
import FoundationEssentials
import Model
import Planning
import ProviderKit
import State
import TestDoubles
import Testing

/// A component that is stopped before a schema moves and comes back after it. The schema is none here: the plan is written by hand.
struct StoppingTests {
    static let stop = Step(
        id: "retreat/component/web", phase: .retreat, resource: .component("web"), action: .stop, after: ["guard/open"], class: .downtime,
        summary: "web: stop")

    static func plan(from: String = "v1", to: String = "v2") -> Plan {
        var plan = Plan(system: SystemID(name: "shop"), revision: .example)
        let resolution = Resolution.make(to)
        plan.resolutions = [.component("web"): resolution]
        plan.opening = Plan.Opening(start: [:], target: plan.resolutions, directions: [.component("web"): .advance], obligations: [])
        let change = ReleaseChange(from: .fake(from), to: .fake(to), resolution: resolution, route: .fake(to))
        plan.steps = [
            Step(id: "preflight/component/web", phase: .preflight, resource: .component("web"), action: .confirm, summary: "confirm"),
            Step(id: "guard/open", phase: .guard, action: .open, after: ["preflight/component/web"], summary: "open"), stop,
            Step(
                id: "advance/component/web", phase: .advance, resource: .component("web"), action: .release(change), after: [stop.id],
                summary: "web: v2"),
            Step(
                id: "finish/close", phase: .finish, action: .close, after: ["advance/component/web"], summary: "close"),
        ]
        return plan
    }

    @Test func itIsStoppedThenComesBackAndNothingRemembersIt() async {
        let pass = Pass()
        let world = pass.world(["web": .init(isStopped: false)])
        world["web"].stopLag = 2
        let result = await pass.run(world, Self.plan())
        #expect(result.verdict == .converged)
        #expect(world["web"].stops == 1)
        #expect(world["web"].isStopped == false)
        #expect(world["web"].declared == "v2")
        #expect(pass.session.state.stops.isEmpty)
        let stages = pass.session.written.compactMap { entry -> JournalEntry.Stopping.Stage? in
            guard case .stop(let stopping) = entry else { return nil }
            #expect(stopping.stop.memory == "3", "what brings it back is durable")
            return stopping.stage
        }
        #expect(stages == [.stopping, .stopped])
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var isStopped: Bool?
        var answer = FakeWorld.Answer.accepted
        var outcome: String
        var isRemembered: Bool
        var testDescription: String { why }
    }

    static let cases: [Case] = [
        Case(why: "it cannot be stopped", isStopped: nil, outcome: "failed CannotStop", isRemembered: false),
        Case(why: "it is stopped already: nothing is sent", isStopped: true, outcome: "succeeded", isRemembered: false),
        Case(
            why: "refused: certainly without effect", isStopped: false, answer: .without(.refused(Problem("Forbidden", "no"))),
            outcome: "failed Forbidden", isRemembered: false),
        Case(
            why: "throttled: certainly without effect", isStopped: false, answer: .without(.throttled(Problem("RateLimited", "slow"))),
            outcome: "undecided RateLimited", isRemembered: false),
        Case(
            why: "lost, and it took effect: read back", isStopped: false, answer: .lost(takesEffect: true), outcome: "succeeded",
            isRemembered: true),
        Case(
            why: "lost without effect: it is not known in the end, and what brings it back stays durable", isStopped: false,
            answer: .lost(takesEffect: false), outcome: "undecided StopNotSeen", isRemembered: true),
    ]

    @Test(arguments: cases) func aStopEndsAsTheWorldShows(_ one: Case) async {
        let pass = Pass()
        let world = pass.world(["web": .init(isStopped: one.isStopped)], answer: { _, _, _ in one.answer })
        var plan = Self.plan()
        plan.steps.removeAll { $0.phase > .retreat }
        let result = await pass.run(world, plan)
        let outcome =
            switch result.outcome(of: Self.stop.id) {
            case .succeeded: "succeeded"
            case .failed(let problem): "failed \(problem.reason)"
            case .undecided(let problem): "undecided \(problem.reason)"
            case let other: "\(String(describing: other))"
            }
        #expect(outcome == one.outcome)
        #expect((pass.session.state.stops[.component("web")] != nil) == one.isRemembered)
        #expect(world["web"].writes.count == (one.isStopped == false ? 1 : 0))
    }

    /// The process dies at every boundary of a stop and of what follows it. The next pass plans by what it sees.
    @Test func whereverTheProcessDiesTheNextPassesBringItBack() async throws {
        for pins in ["v2", "v1"] {
            var boundary = 1
            while true {
                let folder = FileManager.default.temporaryDirectory.path + "/belay-stop-\(UInt64.random(in: .min ... .max))"
                defer { try? FileManager.default.removeItem(atPath: folder) }
                let time = VirtualTime()
                let world = FakeWorld(["web": .init(isStopped: false)], now: { time.now.offset })
                let death = Death(at: boundary)
                let first = Self.plan()
                _ = try await Self.pass(folder, world, time, death) { _, _ in first }
                if boundary > death.count { break }
                // Afterwards the pin is v2, or has gone back to v1: the planner decides by what is there.
                let system = System.make(.make("web", pins))
                var verdict: PassResult.Verdict?
                for _ in 0..<4 where verdict != .converged {
                    verdict = try await Self.pass(folder, world, time, Death(at: nil)) { observed, recorded in
                        Planning.plan(system, revision: .example, observed: observed, recorded: recorded)
                    }
                }
                #expect(verdict == .converged, "died at boundary \(boundary), then pinned \(pins)")
                #expect(world["web"].isStopped == false, "died at boundary \(boundary), then pinned \(pins)")
                #expect(world["web"].declared == pins, "died at boundary \(boundary), then pinned \(pins)")
                #expect(world["web"].stops <= 1)
                boundary += 1
            }
            #expect(boundary > 10)
        }
    }

    private static func pass(
        _ folder: String, _ world: FakeWorld, _ time: VirtualTime, _ death: Death,
        _ plan: @escaping @Sendable (World, RecordedState) -> Plan
    ) async throws -> PassResult.Verdict {
        let system = System.make()
        let store = DirectoryStateStore(StateDirectory(root: folder, system: system.id))
        let holder = LockHolder(user: "ann", host: "h", boot: "b", pid: 1, command: "test", since: .example)
        let inner = try await store.lock(holder, patience: .seconds(5), clock: ContinuousClock())
        let session = MortalSession(inner: inner, death: death, time: time)
        let provider = AnyProvider(MortalProvider(inner: world, death: death))
        let verdict = await time.run {
            var observed = World()
            let component = Component.make()
            observed.components[component.id] = await provider.observe(
                component, ObservationRequest(component, recorded: await session.state))
            do {
                let recorded = try await session.settleIntents(in: observed, at: .example)
                let made = plan(observed, recorded)
                guard !made.steps.isEmpty else { return made.blocked.isEmpty ? PassResult.Verdict.converged : .failed }
                let executor = Executor(providers: ["fake": provider], transport: FakeTransport(), clock: time, now: { .example })
                var pinned = system
                if let pin = made.resolutions[component.id]?.pin { pinned.components[0].release = pin }
                return await executor.run(made, system: pinned, in: session).verdict
            } catch {
                return PassResult.Verdict.failed
            }
        }
        await inner.release()
        return verdict
    }
}
