import Execution
import Model
import ProviderKit
import State
import Synchronization
import TestDoubles
import Testing

struct WritingTests {
    private let web = ResourceID.component("web")

    @Test func aReleaseIsWrittenOnceAndRecorded() async throws {
        let pass = Pass(system: .make(.make(verify: [.make()])))
        let world = pass.world(["web": .init(settlements: [.progressing("1 of 2 replicas updated")])])
        let result = await pass.run(world)
        #expect(result.verdict == .converged)
        #expect(pass.session.kinds == ["opened", "intent", "receipt accepted", "receipt tookEffect", "reached", "paid", "closed"])
        #expect(world["web"].effects.count == 1)
        #expect(result.state.transition == nil)
        #expect(result.state.accepted == .example)
        #expect(result.state.releases[web]?.map(\.quality) == [.good])
        #expect(result.state.openIntents.isEmpty)
    }

    @Test func aReleaseWithoutChecksIsNeverRecordedAsGood() async {
        let pass = Pass()
        let result = await pass.run(pass.world())
        #expect(result.verdict == .converged)
        #expect(result.state.releases[web]?.map(\.quality) == [.servedUnverified])
    }

    @Test func theIntentIsDurableBeforeTheWriteIsSent() async {
        let pass = Pass()
        let seen = Mutex<[String]>([])
        let world = pass.world(answer: { _, _, request in
            seen.withLock { $0 = pass.session.kinds }
            #expect(pass.session.state.openIntents[.component("web")] == request.intent)
            return .accepted
        })
        _ = await pass.run(world)
        #expect(seen.withLock { $0 } == ["opened", "intent"])
    }

    @Test func theIntentCarriesTheProvidersClock() async {
        let pass = Pass()
        let time = Mutex<Timestamp?>(nil)
        _ = await pass.run(
            pass.world(answer: { _, _, request in
                time.withLock { $0 = request.intent.providerTime }
                return .accepted
            }))
        #expect(time.withLock { $0 } == Timestamp(millisecondsSinceEpoch: 1))
    }

    @Test(arguments: [(JournalEntry.Kind.opened, "guard/open"), (.intent, "advance/component/web")])
    func whatCannotBeRecordedIsNotSent(kind: JournalEntry.Kind, step: String) async {
        let pass = Pass(session: MemorySession { $0.kind == kind ? .full : nil })
        let world = pass.world()
        let result = await pass.run(world)
        #expect(result.verdict == .failed)
        #expect(world["web"].writes.isEmpty)
        #expect(
            result.outcome(of: step)
                == .failed(Problem("DiskFull", "cannot write journal.jsonl: No space left on device", next: "make room there")))
    }

    @Test func aReceiptThatCannotBeRecordedLeavesTheIntentOpen() async {
        let pass = Pass(session: MemorySession { $0.kind == .receipt ? .full : nil })
        let world = pass.world()
        let result = await pass.run(world)
        #expect(result.verdict == .undecided)
        #expect(world["web"].effects.count == 1)
        #expect(result.state.openIntents[web] != nil)
        #expect(
            result.outcome(of: "advance/component/web")?.problem?.message
                == "component/web: a write was sent, and what became of it cannot be recorded: "
                + "cannot write journal.jsonl: No space left on device")
    }

    @Test func aRefusedWriteFails() async {
        let pass = Pass()
        let problem = Problem("Forbidden", "fake/web: 403 while writing")
        let result = await pass.run(pass.world(answer: { _, _, _ in .without(.refused(problem)) }))
        #expect(result.verdict == .failed)
        #expect(result.outcome(of: "advance/component/web") == .failed(problem))
        #expect(result.state.openIntents.isEmpty)
        #expect(result.state.transition != nil)
    }

    @Test func whatIsSoAlreadyIsVerifiedByLooking() async {
        let pass = Pass()
        let world = pass.world(answer: { _, _, _ in FakeWorld.Answer(takesEffect: true, result: .alreadySo) })
        let result = await pass.run(world)
        #expect(result.verdict == .converged)
        #expect(pass.session.kinds == ["opened", "intent", "receipt alreadySo", "reached", "closed"])
    }

    // MARK: Throttling

    private func throttled(_ retryAfter: Duration?) -> FakeWorld.Answer {
        .without(.throttled(Problem("RateLimited", "fake/web: 429 while writing", retryAfter: retryAfter)))
    }

    @Test func aThrottledWriteIsSentAgainAfterTheTimeThatWasAskedFor() async {
        let pass = Pass()
        let world = pass.world(answer: { [self] _, number, _ in number == 1 ? throttled(.seconds(20)) : .accepted })
        let result = await pass.run(world)
        #expect(result.verdict == .converged)
        #expect(world["web"].writes == [.zero, .seconds(20)])
        #expect(pass.session.kinds.prefix(5) == ["opened", "intent", "receipt throttled", "intent", "receipt accepted"])
    }

    @Test(
        arguments: [
            (Duration.seconds(20), 2, "only once"), (.seconds(121), 1, "not longer than the cap"),
            (nil, 1, "not without being told how long"),
        ] as [(Duration?, Int, Comment)])
    func throttlingIsLeftToTheNextPass(case arguments: (retryAfter: Duration?, writes: Int, why: Comment)) async {
        let pass = Pass()
        let world = pass.world(answer: { [self] _, _, _ in throttled(arguments.retryAfter) })
        let result = await pass.run(world)
        #expect(result.verdict == .undecided, arguments.why)
        #expect(result.retryAfter == arguments.retryAfter)
        #expect(world["web"].writes.count == arguments.writes, arguments.why)
        #expect(result.state.openIntents.isEmpty)
    }

    // MARK: Lost answers

    @Test func aLostAnswerOfAWriteThatTookEffectIsFound() async {
        let pass = Pass()
        let world = pass.world(["web": .init(lag: 3)], answer: { _, _, _ in .lost(takesEffect: true) })
        let result = await pass.run(world)
        #expect(result.verdict == .converged)
        #expect(pass.session.kinds == ["opened", "intent", "receipt unknown", "receipt tookEffect", "reached", "closed"])
        #expect(world["web"].writes.count == 1)
    }

    @Test func aWriteWithoutATraceIsClosedAsVoidAndLeftToTheNextPass() async {
        let pass = Pass()
        let world = pass.world(answer: { _, number, _ in number == 1 ? .lost(takesEffect: false) : .accepted })
        let first = await pass.run(world)
        #expect(first.verdict == .undecided)
        #expect(pass.session.kinds == ["opened", "intent", "receipt unknown", "receipt void"])
        #expect(world["web"].writes.count == 1)
        #expect(await pass.run(world).verdict == .converged)
        #expect(world["web"].effects.count == 1)
    }

    @Test func anUndecidedWriteKeepsItsIntentAndIsNotSentAgain() async {
        let pass = Pass()
        let world = pass.world(
            answer: { _, _, _ in .lost(takesEffect: false) },
            look: { _, _, observation in
                var observation = observation
                if observation.fate == .void { observation.fate = .undecided("it may still appear") }
                return observation
            })
        let result = await pass.run(world)
        #expect(result.verdict == .undecided)
        #expect(pass.time.now.offset == .seconds(600))
        #expect(result.state.openIntents[web] != nil)
        #expect(
            result.outcome(of: "advance/component/web")
                == .undecided(
                    Problem(
                        "DeadlineExceeded",
                        "component/web: after 600.0 seconds it is not known whether v2 will be served: v2 is not there yet",
                        next: "the next pass reads the world back")))
        var planned = await pass.planned(pass.world())
        planned.steps.removeAll { $0.action != .confirm && !$0.action.isWrite }
        #expect(await pass.run(world, planned).outcome(of: "advance/component/web")?.isSuccess != true)
        #expect(world["web"].writes.count == 1)
    }

    @Test func aWriteThatIsNeverAnsweredEndsWithTheStep() async {
        let pass = Pass()
        let world = pass.world(answer: { _, _, _ in
            try? await pass.time.sleep(until: .init(offset: .seconds(100_000)), tolerance: nil)
            return .lost(takesEffect: true)
        })
        let result = await pass.run(world)
        #expect(pass.time.now.offset <= .seconds(610))
        #expect(pass.session.kinds.contains("receipt unknown"))
        #expect(world["web"].writes.count == 1)
        #expect(result.verdict != .failed)
    }
}
