import ControlLoop
import Execution
import Model
import Planning
import Sources
import State
import Synchronization
import TestDoubles
import Testing

struct OnceTests {
    /// Cannot be read, but by the looks of these numbers.
    private static func unreadable(_ problem: Problem = .unreachable, but readable: Set<Int> = [])
        -> @Sendable (
            String, Int, Observation
        ) async -> Observation
    {
        { _, number, observation in readable.contains(number) ? observation : .unknown(problem) }
    }

    /// A write's fate is open until this look.
    private static func open(until look: Int) -> @Sendable (String, Int, Observation) async -> Observation {
        { _, number, observation in
            var observation = observation
            if number < look { observation.fate = .undecided("no trace yet") }
            return observation
        }
    }

    @Test func whatOftenPassesIsTriedFiveTimes() async throws {
        let stage = try Stage(look: Self.unreadable())
        try await stage.accept()
        let waits = Log<Duration>()
        let report = await stage.reconcile(waits: waits)
        #expect(report.verdict == .failure && report.problems == [.unreachable])
        #expect(stage.world["web"].looks.count == 5)
        #expect(waits.all.count == 4)
        for (wait, seconds) in zip(waits.all, [1.0, 2, 4, 8]) {
            #expect(wait >= .seconds(seconds * 0.8) && wait <= .seconds(seconds * 1.2), "\(wait) for \(seconds) s")
        }
        #expect(stage.time.now.offset == waits.all.reduce(.zero, +))
    }

    @Test func twoSystemsDoNotWaitInStep() async throws {
        var first: Set<Duration> = []
        for _ in 0..<3 {
            let waits = Log<Duration>()
            let stage = try Stage(look: Self.unreadable(but: [2]))
            _ = await stage.reconcile(.make(.make("web", "v1")), waits: waits)
            first.formUnion(waits.all.prefix(1))
        }
        #expect(first.count == 3)
    }

    @Test func whatAProviderAsksForIsWaited() async throws {
        let problem = Problem("RateLimited", "fake/web: 429", retryAfter: .seconds(30))
        let stage = try Stage(look: Self.unreadable(problem, but: [3]))
        let waits = Log<Duration>()
        let report = await stage.reconcile(.make(.make("web", "v1")), waits: waits)
        #expect(report.verdict == .inSync)
        #expect(waits.all == [.seconds(30), .seconds(30)])
    }

    @Test func askingForLongerThanThereIsTimeEndsAtOnce() async throws {
        let problem = Problem("RateLimited", "fake/web: 429", retryAfter: .seconds(3600))
        let stage = try Stage(look: Self.unreadable(problem))
        let report = await stage.reconcile()
        #expect(report.problems.map(\.reason) == ["RateLimited", "TimeIsOver"])
        #expect(stage.time.now.offset == .zero)
    }

    @Test func whatIsUnderWayIsWatchedAtThePace() async throws {
        let stage = try Stage(look: Self.open(until: 12))
        try await stage.accept(.intent(.example))
        let waits = Log<Duration>()
        let report = await stage.reconcile(waits: waits)
        #expect(report.verdict == .inSync)
        #expect(stage.world["web"].effects.count == 1)
        let milliseconds: [Duration] = [1000, 1500, 2250, 3375, 5062.5, 7593.75, 10_000, 10_000, 10_000, 10_000, 10_000].map {
            .milliseconds($0)
        }
        #expect(waits.all == milliseconds)
    }

    @Test func whatIsUnderWayEndsARowOfSetbacks() async throws {
        let stage = try Stage(look: { _, number, observation in
            guard number % 5 == 0 else { return .unknown(.unreachable) }
            var observation = observation
            observation.fate = .undecided("no trace yet")
            return observation
        })
        try await stage.accept(.intent(.example))
        let waits = Log<Duration>()
        let report = await stage.reconcile(within: .seconds(100), waits: waits)
        #expect(report.problems.last?.reason == "TimeIsOver")
        #expect(waits.all.count > 15)
        #expect(waits.all.allSatisfy { $0 <= .seconds(9.6) })
    }

    @Test func itEndsWhenTheTimeIsOver() async throws {
        let stage = try Stage(look: Self.open(until: .max))
        try await stage.accept(.intent(.example))
        let report = await stage.reconcile(within: .seconds(60))
        #expect(report.verdict == .failure)
        #expect(
            report.problems.last
                == Problem(
                    "TimeIsOver", "default/shop: not converged within 60 s",
                    next: "run it again, it goes on from here; --timeout allows more"))
        #expect(stage.time.now.offset > .seconds(45) && stage.time.now.offset < .seconds(60))
    }

    @Test func aPassThatTakesLongerEndsAtItsNextSafePoint() async throws {
        let stage = try Stage(["web": .init(settlements: Array(repeating: .progressing("1 of 2"), count: 1000))])
        try await stage.accept()
        let report = await stage.reconcile(within: .seconds(30))
        #expect(stage.time.now.offset == .seconds(30))
        #expect(report.verdict == .failure)
        #expect(report.problems.map(\.reason) == ["Interrupted", "TimeIsOver"])
        #expect(try await stage.store.load().transition != nil)
        #expect(stage.world["web"].effects.count == 1)
    }

    @Test func aStateThatDoesNotAnswerIsTriedAgain() async throws {
        let stage = try Stage()
        try await stage.accept()
        let misses = Mutex(2)
        var reconciler = stage.reconciler
        let store = reconciler.store
        reconciler.store = { system throws(StateError) in
            let isAway = misses.withLock { left in
                left -= 1
                return left >= 0
            }
            if isAway { throw StateError(.unreachable, "the state does not answer") }
            return try store(system)
        }
        let (options, waits) = (stage.options(), Log<Duration>())
        let report = await stage.time.run { [reconciler] in
            await reconciler.reconcile(
                .make(.make("web", "v1")), of: Snapshot(revision: .example, files: []), from: FakeSource(relation: .same),
                within: .seconds(1800), options, waiting: { waits.append($1) }, events: { _ in })
        }
        #expect(report.verdict == .inSync, "\(report.problems)")
        #expect(waits.all.count == 2)
    }

    @Test func aRefusalIsNotTriedAgain() async throws {
        let stage = try Stage()
        let waits = Log<Duration>()
        #expect(await stage.reconcile(waits: waits).verdict == .blocked)
        #expect(waits.all.isEmpty && stage.world["web"].looks.count == 1)
    }

    @Test func aNewerRevisionEndsIt() async throws {
        let stage = try Stage()
        try await stage.accept()
        let waits = Log<Duration>()
        #expect(await stage.reconcile(stage.options(isSuperseded: { true }), waits: waits).verdict == .blocked)
        #expect(waits.all.isEmpty)
    }

    @Test func beingCancelledWhileItWaitsEndsIt() async throws {
        let stage = try Stage(look: Self.unreadable())
        try await stage.accept()
        let task = Mutex<Task<PassReport, Never>?>(nil)
        let report = await cancellable(stage, task) { await stage.reconcile(waiting: { task.withLock { $0?.cancel() } }) }
        #expect(report.problems == [.unreachable])
        #expect(stage.world["web"].looks.count == 1)
        #expect(stage.time.now.offset == .zero)
    }

    @Test func beingCancelledWhileAPassRunsEndsIt() async throws {
        let task = Mutex<Task<PassReport, Never>?>(nil)
        let stage = try Stage(
            ["web": .init(settlements: Array(repeating: .progressing("1 of 2"), count: 1000))],
            look: { _, number, observation in
                if number == 6 { task.withLock { $0?.cancel() } }
                return observation
            })
        try await stage.accept()
        let report = await cancellable(stage, task) { await stage.reconcile() }
        #expect(report.problems.map(\.reason) == ["Interrupted"])
        #expect(stage.world["web"].looks.count == 6)
        #expect(try await stage.store.load().transition != nil)
        let session = try await stage.store.lock(.make(), patience: .seconds(5), clock: ContinuousClock())
        await session.release()
    }

    private func cancellable(
        _ stage: Stage, _ task: borrowing Mutex<Task<PassReport, Never>?>, _ body: @escaping @Sendable () async -> PassReport
    ) async -> PassReport {
        let running = task.withLock { slot in
            let running = Task(executorPreference: stage.time) { await body() }
            slot = running
            return running
        }
        return await running.value
    }
}

extension Stage {
    fileprivate func reconcile(_ options: PassOptions, waits: Log<Duration>) async -> PassReport {
        await reconcile(.make(), options, waits: waits)
    }
}
