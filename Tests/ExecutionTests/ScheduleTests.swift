import Execution
import Model
import ProviderKit
import State
import Synchronization
import TestDoubles
import Testing

struct ScheduleTests {
    private func step(_ id: String, _ phase: Phase, _ action: Step.Action, _ resource: ResourceID? = nil, after: [String] = []) -> Step {
        Step(id: id, phase: phase, resource: resource, action: action, after: after, summary: id)
    }

    private func release(_ id: String, _ phase: Phase, _ component: String, after: [String] = []) -> Step {
        step(
            id, phase,
            .release(ReleaseChange(from: .fake("v1"), to: .fake("v2"), resolution: .make(), route: .fake("v2"))), .component(component),
            after: after)
    }

    private func pass(_ components: String..., session: MemorySession = MemorySession()) -> Pass {
        Pass(
            system: System(id: SystemID(name: "shop"), components: components.map { Component.make($0) }),
            session: session)
    }

    private func plan(_ pass: Pass, _ steps: Step...) -> Plan {
        Plan(system: pass.system.id, revision: .example, steps: steps, resolutions: [:])
    }

    private let refusal = Problem("Rejected", "no")

    @Test func whatDependsOnAFailureIsSkippedAndTheRestGoesOn() async {
        let pass = pass("a", "b", "c", "d")
        let world = pass.world(
            Dictionary(uniqueKeysWithValues: ["a", "b", "c", "d"].map { ($0, .init()) }),
            answer: { [refusal] name, _, _ in name == "a" ? .without(.refused(refusal)) : .accepted })
        let result = await pass.run(
            world,
            plan(
                pass, release("a", .advance, "a"), release("b", .advance, "b", after: ["a"]), release("c", .advance, "c"),
                step("verify", .verify, .check, after: ["b"]), release("d", .contract, "d", after: ["c"])))
        #expect(result.verdict == .failed)
        #expect(result.outcome(of: "a") == .failed(refusal))
        #expect(result.outcome(of: "b") == .skipped("a did not succeed"))
        #expect(result.outcome(of: "c")?.isSuccess == true)
        #expect(result.outcome(of: "verify") == .skipped("b did not succeed"))
        #expect(result.outcome(of: "d")?.isSuccess == true)
        #expect(world["b"].writes.isEmpty)
        let ended = pass.events.all.compactMap { event -> String? in
            guard case .stepEnded(let step, _) = event else { return nil }
            return step.id
        }
        #expect(ended.sorted() == ["a", "b", "c", "d", "verify"])
    }

    @Test func stepsOfAPhaseRunSideBySideUnlessTheyWaitForOneAnother() async {
        let pass = pass("a", "b", "c")
        let slow = FakeWorld.Place(settlements: Array(repeating: .progressing("…"), count: 4))
        let world = pass.world(["a": slow, "b": slow, "c": slow])
        _ = await pass.run(
            world, plan(pass, release("a", .advance, "a"), release("b", .advance, "b"), release("c", .advance, "c", after: ["a"])))
        #expect(world["a"].writes == [.zero])
        #expect(world["b"].writes == [.zero])
        #expect(world["c"].writes == [.milliseconds(1000 + 1500 + 2250 + 3375)])
    }

    @Test func phasesComeInTheirOrder() async {
        let pass = pass("a", "b")
        let world = pass.world(["a": .init(settlements: [.progressing("…")]), "b": .init()])
        _ = await pass.run(world, plan(pass, release("b", .advance, "b"), release("a", .retreat, "a")))
        #expect(world["b"].writes == [.seconds(1)])
        let phases = pass.events.all.compactMap { event -> Phase? in
            guard case .phaseEntered(let phase) = event else { return nil }
            return phase
        }
        #expect(phases == [.retreat, .advance])
    }

    @Test func stepsThatWaitForOneAnotherOrForNothingAreSkipped() async {
        let pass = pass("a", "b", "c")
        let world = pass.world()
        let result = await pass.run(
            world,
            plan(
                pass, release("a", .advance, "a", after: ["b"]), release("b", .advance, "b", after: ["a"]),
                release("c", .advance, "c", after: ["gone"])))
        #expect(result.outcome(of: "a") == .skipped("it waits for b"))
        #expect(result.outcome(of: "c") == .skipped("it waits for gone"))
        #expect(result.verdict == .undecided)
        #expect(world["a"].writes.isEmpty && world["c"].writes.isEmpty)
    }

    @Test func aNewerRevisionTakesOverBetweenTwoSteps() async {
        let asked = Counter()
        var pass = pass("a", "b")
        pass.isSuperseded = { asked.next() > 1 }
        let world = pass.world(["a": .init(settlements: [.progressing("…")]), "b": .init()])
        let result = await pass.run(world, plan(pass, release("a", .retreat, "a"), release("b", .advance, "b", after: ["a"])))
        #expect(result.outcome(of: "a")?.isSuccess == true, "what was begun is finished")
        #expect(result.outcome(of: "b") == .superseded)
        #expect(result.verdict == .superseded)
        #expect(world["b"].writes.isEmpty)
    }

    @Test func aPhaseEndsWithTheLongestDeadlineOfItsSteps() async {
        var pass = pass("a", "b")
        pass.pace.phase = .seconds(30)
        let world = pass.world(["a": .init(settlements: Array(repeating: .progressing("slow"), count: 100)), "b": .init()])
        let result = await pass.run(world, plan(pass, release("a", .advance, "a"), release("b", .verify, "b")))
        #expect(result.outcome(of: "a")?.problem?.reason == "DeadlineExceeded")
        #expect(result.outcome(of: "b")?.isSuccess == true)
        #expect(world["b"].writes == [.seconds(600)], "what bounds a phase of quick steps does not cut a longer timeout short")
    }

    @Test func interruptionEndsAtASafePointAndTheJournalGoesOn() async {
        let pass = pass("a", "b")
        let world = pass.world(["a": .init(settlements: Array(repeating: .progressing("…"), count: 100)), "b": .init()])
        let chosen = plan(pass, release("a", .retreat, "a"), release("b", .advance, "b", after: ["a"]))
        let result = await pass.time.run {
            await withTaskGroup(of: PassResult?.self) { group in
                group.addTask { await pass.run(world, chosen) }
                group.addTask {
                    try? await pass.time.sleep(until: .init(offset: .seconds(20)), tolerance: nil)
                    return nil
                }
                var result: PassResult?
                for await next in group {
                    if let next { result = next } else { group.cancelAll() }
                }
                return result
            }
        }
        #expect(pass.time.now.offset == .seconds(20))
        #expect(result?.outcome(of: "a")?.problem?.reason == "Interrupted")
        #expect(result?.verdict == .undecided)
        #expect(world["b"].writes.isEmpty)
        #expect(pass.session.kinds == ["intent", "receipt accepted", "receipt tookEffect"])
    }

    // MARK: What no plan may leave out

    @Test func nothingIsWrittenBeforeTheTransitionIsOpen() async {
        let pass = pass("a", session: MemorySession { $0.kind == .opened ? .full : nil })
        let world = pass.world()
        var chosen = plan(pass, step("open", .guard, .open), release("a", .advance, "a"))
        chosen.opening = Plan.Opening(start: [:], target: [:], directions: [:], obligations: [])
        let result = await pass.run(world, chosen)
        #expect(result.outcome(of: "a") == .skipped("open did not succeed"))
        #expect(world["a"].writes.isEmpty)
    }

    @Test func nothingIsClosedWhileAnythingIsUndone() async {
        let pass = pass("a", session: MemorySession([opened([])]))
        let world = pass.world(answer: { [refusal] _, _, _ in .without(.refused(refusal)) })
        let result = await pass.run(world, plan(pass, release("a", .advance, "a"), step("close", .finish, .close)))
        #expect(result.outcome(of: "close") == .skipped("a did not succeed"))
        #expect(result.state.transition != nil)
    }

    private func opened(_ obligations: [Obligation]) -> JournalEntry {
        let transition = Transition(
            id: "t0", revision: .example, start: [:], target: [:], directions: [:], obligations: obligations, opened: .example)
        return .opened(.init(transition: transition, resolutions: [:]))
    }

    @Test func aTransitionThatOwesSomethingStaysOpen() async {
        let session = MemorySession([opened([.systemChecks])])
        let pass = Pass(system: .make(.make("a"), verify: [.make()]), session: session)
        let result = await pass.run(pass.world(), plan(pass, step("close", .finish, .close)))
        #expect(
            result.outcome(of: "close")
                == .failed(
                    Problem(
                        "TransitionOpen", "the transition cannot be closed: it still owes checks of the system",
                        next: "the next pass goes on with it")))
        #expect(result.obligations == [.systemChecks])
    }

    @Test func whatTheSpecNoLongerChecksIsNotOwed() async {
        let session = MemorySession([opened([.systemChecks, .check(.component("a")), .check(.component("gone"))])])
        let pass = Pass(system: .make(.make("a")), session: session)
        let result = await pass.run(pass.world(), plan(pass, step("close", .finish, .close)))
        #expect(result.verdict == .converged)
        #expect(result.state.transition == nil)
    }

    @Test func aNewTransitionSaysWhichOneItSupersedes() async throws {
        let pass = pass("a", session: MemorySession([opened([])]))
        var chosen = plan(pass, step("open", .guard, .open))
        chosen.opening = Plan.Opening(start: [:], target: [:], directions: [:], obligations: [.systemChecks])
        let result = await pass.run(pass.world(), chosen)
        guard case .opened(let opened) = try #require(pass.session.written.last) else {
            Issue.record("nothing was opened")
            return
        }
        #expect(opened.supersedes == "t0")
        #expect(result.obligations == [.systemChecks])
        #expect(result.state.transition?.id == opened.transition.id)
    }

    @Test func whatIsBlockedKeepsThePassFromConverging() async {
        let pass = pass("a")
        var chosen = plan(pass, release("a", .advance, "a"))
        chosen.blocked = [Blocked(.component("b"), .decision, refusal)]
        #expect(await pass.run(pass.world(), chosen).verdict == .blocked)
    }

    @Test func aStepOfAnUnknownProviderFails() async {
        let pass = pass("a")
        let result = await pass.run(pass.world(), plan(pass, release("z", .advance, "z")))
        #expect(result.outcome(of: "z")?.problem?.message == "z: there is no provider for component/z")
    }
}
