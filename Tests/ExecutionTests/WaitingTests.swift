import Execution
import Model
import State
import TestDoubles
import Testing

struct WaitingTests {
    private let web = ResourceID.component("web")
    private let step = "advance/component/web"

    @Test func thePausesGrowToTenSeconds() async {
        let pass = Pass()
        let world = pass.world(["web": .init(settlements: Array(repeating: .progressing("rolling out"), count: 9))])
        #expect(await pass.run(world).verdict == .converged)
        let looks = world["web"].looks.suffix(10)
        let pauses = zip(looks.dropFirst(), looks).map { $0 - $1 }
        #expect(
            pauses == [1000, 1500, 2250, 3375, 5062.5, 7593.75, 10_000, 10_000, 10_000].map { Duration.milliseconds($0) })
    }

    @Test func progressIsToldWhenItChanges() async {
        let pass = Pass()
        let world = pass.world(["web": .init(settlements: [.progressing("1 of 2"), .progressing("1 of 2"), .progressing("2 of 2")])])
        _ = await pass.run(world)
        let told = pass.events.all.compactMap { event -> String? in
            guard case .stepProgress(_, let text) = event else { return nil }
            return text
        }
        #expect(told == ["1 of 2", "2 of 2"])
    }

    @Test func aReleaseThatCannotArriveFailsAtOnce() async {
        let pass = Pass()
        let problem = Problem("ImagePullBackOff", "kubernetes/web: no such image")
        let world = pass.world(["web": .init(settlements: [.progressing("rolling out"), .failed(problem)])])
        let result = await pass.run(world)
        #expect(result.verdict == .failed)
        #expect(result.outcome(of: step) == .failed(problem))
        #expect(pass.time.now.offset == .seconds(1))
        #expect(result.state.transition != nil)
    }

    @Test func whatWasBrokenBeforeDoesNotFailWhatHealsIt() async {
        let pass = Pass()
        let world = pass.world(
            ["web": .init(lag: 4)],
            look: { _, _, observation in
                var observation = observation
                if observation.live.declared?.label == "v1" { observation.settlement = .failed(Problem("CrashLoopBackOff", "v1 crashes")) }
                return observation
            })
        #expect(await pass.run(world).verdict == .converged)
    }

    @Test func aWriteThatBreaksWhatWasHealthyFailsAtOnce() async {
        let pass = Pass()
        let problem = Problem("BuildFailed", "the build failed")
        let world = pass.world(
            ["web": .init(lag: 1000)],
            look: { _, number, observation in
                var observation = observation
                if number > 4 { observation.settlement = .failed(problem) }
                return observation
            })
        #expect(await pass.run(world).outcome(of: step) == .failed(problem))
    }

    @Test func aWriteThatFailedFailsThoughTheComponentWasBrokenBefore() async {
        let pass = Pass()
        let before = Problem("SplitProduction", "production is split")
        let failed = Problem("JobFailed", "the rollback failed")
        let world = pass.world(
            ["web": .init(lag: 1000)],
            look: { _, number, observation in
                var observation = observation
                observation.settlement = .failed(before)
                // The job has ended and shows; asked without the intent, the provider says only how production is.
                if observation.fate == .inFlight {
                    observation.fate = .tookEffect
                    observation.settlement = .failed(failed)
                }
                return observation
            })
        let result = await pass.run(world)
        #expect(result.outcome(of: step) == .failed(failed))
        #expect(result.state.openIntents.isEmpty)
    }

    @Test func whatCannotBeReadWhileWaitingIsReadAgain() async {
        let pass = Pass()
        let world = pass.world(look: { _, number, observation in
            (3...8).contains(number) ? .unknown(Problem("ProviderError", "fake/web: 502")) : observation
        })
        #expect(await pass.run(world).verdict == .converged)
    }

    @Test func aReleaseThatNeverBecomesHealthyFailsAtItsDeadline() async {
        let pass = Pass()
        let world = pass.world(["web": .init(settlements: Array(repeating: .progressing("1 of 2 replicas updated"), count: 1000))])
        let result = await pass.run(world)
        #expect(pass.time.now.offset == .seconds(600))
        #expect(
            result.outcome(of: step)
                == .failed(
                    Problem(
                        "DeadlineExceeded",
                        "component/web: v2 is not served and healthy after 600.0 seconds: 1 of 2 replicas updated",
                        next: "look at what holds it up, pin another release, or raise the component's timeout")))
        #expect(result.state.openIntents.isEmpty, "that it was declared was seen")
    }

    @Test func aPhaseLastsAsLongAsTheComponentThatMayTakeLongest() async {
        var pass = Pass()
        var (slow, next) = (Component.make("slow"), Component.make("next", after: [.component("slow")]))
        slow.timeout = .seconds(5400)
        next.timeout = .seconds(600)
        pass.system = .make(slow, next)
        let world = pass.world([
            "slow": .init(settlements: Array(repeating: .progressing("building"), count: 450)), "next": .init(),
        ])
        let result = await pass.run(world)
        #expect(pass.time.now.offset > pass.pace.phase, "the slow one arrives after what bounds a phase of quick steps")
        #expect(pass.time.now.offset < .seconds(5400))
        #expect(result.verdict == .converged)
    }

    @Test func theChecksOfAComponentMayTakeWhatThePhaseHasLeft() async {
        var pass = Pass()
        var component = Component.make(verify: [.make(within: .seconds(3600))])
        component.timeout = .seconds(900)
        pass.system = .make(component)
        pass.pace.phase = .seconds(60)
        pass.transport = FakeTransport.status(503)
        #expect(await pass.run(pass.world()).verdict == .failed)
        #expect(pass.time.now.offset == .seconds(900))
    }

    @Test func aLookThatHangsEndsWithTheStep() async {
        let pass = Pass()
        let world = pass.world(look: { _, number, observation in
            guard number > 2 else { return observation }
            try? await pass.time.sleep(until: .init(offset: .seconds(100_000)), tolerance: nil)
            return .unknown(Problem("ProviderUnreachable", "fake/web: cancelled"))
        })
        #expect(await pass.run(world).verdict == .undecided)
        #expect(pass.time.now.offset == .seconds(600))
    }

    @Test func newIdentitiesOfTheLiveReleaseAreRemembered() async {
        let pass = Pass()
        let world = pass.world(look: { _, _, observation in
            var observation = observation
            if case .release(var declared, _) = observation.live, declared.label == "v2" {
                declared.lineage = [ArtifactIdentity(.image, "v2@sha256:c")]
                observation.live = .release(declared: declared, serving: [declared])
            }
            return observation
        })
        let result = await pass.run(world)
        #expect(result.state.resolutions[web]?.lineage == [ArtifactIdentity(.image, "v2@sha256:c")])
        #expect(result.state.releases[web]?.last?.resolution.lineage == [ArtifactIdentity(.image, "v2@sha256:c")])
    }

    @Test func somebodysOperationIsAwaitedAndNothingIsWritten() async {
        let pass = Pass()
        let world = pass.world(
            ["web": .init(declared: "v2")],
            look: { _, number, observation in
                var observation = observation
                if number < 4 { observation.settlement = .progressing("rolling out") }
                return observation
            })
        let result = await pass.run(world)
        #expect(result.steps.map(\.step.id) == [step])
        #expect(result.verdict == .converged)
        #expect(world["web"].writes.isEmpty)
    }

    @Test func anOperationThatEndsElsewhereIsPlannedAnew() async {
        let pass = Pass()
        let wait = Plan(
            system: pass.system.id, revision: .example,
            steps: [Step(id: step, phase: .advance, resource: web, action: .await(.make()), summary: "web: wait for v2")])
        let result = await pass.run(pass.world(), wait)
        #expect(result.outcome(of: step)?.problem?.reason == "OperationEnded")
        #expect(result.verdict == .undecided)
    }

    /// Of a rollout that was started without them, nothing else is begun before it has ended; of one with them, nothing differs at its end.
    @Test(arguments: [(12, "converged"), (3, "OperationEnded")])
    func aRolloutUnderWayIsWaitedForThoughKeysStillDiffer(untilLook last: Int, ends: String) async {
        let pass = Pass()
        let world = pass.world(
            ["web": .init(declared: "v2")],
            look: { _, number, observation in
                var observation = observation
                if number < last { observation.settlement = .progressing("1 of 2") }
                if number < last || ends != "converged" {
                    observation.configuration = ObservedConfiguration(differences: [ConfigurationDifference("API_URL", .notApplied)])
                }
                return observation
            })
        let result = await pass.run(world)
        guard ends != "converged" else { return #expect(result.verdict == .converged) }
        guard case .undecided(let problem) = result.outcome(of: step) else { return #expect(Bool(false), "\(result.steps)") }
        #expect(problem.reason == ends)
    }
}
