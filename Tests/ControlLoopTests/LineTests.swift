import ControlLoop
import Execution
import Metering
import Model
import ProviderKit
import Synchronization
import TestDoubles
import Testing

/// What reaches a running loop from outside, and what it tells whoever measures it.
@Suite(.timeLimit(.minutes(2))) struct LineTests {
    /// Runs a loop for some virtual time, beside `body`.
    private static func run(
        _ stage: Stage, _ script: [(Duration, ScriptedSource.Moment)], for length: Duration, line: LoopLine = LoopLine(),
        metrics: LoopMetrics? = nil, probe: LoopProbe = LoopProbe(), beside body: @escaping @Sendable () async throws -> Void = {}
    ) async {
        let (time, stop) = (stage.time, StopSignal())
        let loop = Loop(
            reconciler: stage.reconciler, source: ScriptedSource(script, time), options: stage.options(adopts: true), jitter: { 0 },
            line: line, probe: metrics?.probe ?? probe, load: ScriptedSource.load)
        await time.run {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await loop.run(until: stop) { metrics?.take($0) } }
                group.addTask { do { try await body() } catch {} }
                group.addTask {
                    do { try await time.sleep(for: length) } catch { return }
                    stop.raise()
                }
            }
        }
    }

    @Test func aHintIsLookedAtAheadOfTheResyncAndNotTooOften() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let line = LoopLine()
        let time = stage.time
        await Self.run(stage, [(.zero, .holds(["shop": "web v1", "blog": "api v1"]))], for: .seconds(200), line: line) {
            for second in [100, 101, 102, 150] {
                try await time.sleep(until: VirtualTime.Instant(offset: .seconds(second)), tolerance: nil)
                line.look { $0.id.name == "shop" }
            }
        }
        #expect(stage.world["web"].looks == [.zero, .seconds(100), .seconds(105), .seconds(150)])
        #expect(stage.world["api"].looks == [.zero], "nobody meant it")
    }

    @Test func itIsToldWhenNothingIsUnderWayAnyMore() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let time = stage.time
        let rests = Log<Duration>()
        let probe = LoopProbe(resting: { rests.append(time.now.offset) })
        await Self.run(stage, [(.zero, .holds(["shop": "web v1", "blog": "api v1"]))], for: .seconds(500), probe: probe)
        #expect(rests.all == [.zero, .seconds(300)], "once for both systems, and after every resync")
    }

    @Test func aHintDoesNotEndAPauseAfterAFailure() async throws {
        let limited = Problem("RateLimited", "fake/web: 429", retryAfter: .seconds(60))
        let stage = try Stage(look: { _, number, observation in number == 1 ? .unknown(limited) : observation })
        try await stage.accept()
        let line = LoopLine()
        let time = stage.time
        await Self.run(stage, [(.zero, .holds(["shop": "web v1"]))], for: .seconds(100), line: line) {
            try await time.sleep(for: .seconds(20))
            line.look { _ in true }
        }
        #expect(stage.world["web"].looks == [.zero, .seconds(60)])
    }

    @Test func aLoopAnswersWhileItRunsAndNotOtherwise() async throws {
        let stage = try Stage()
        let line = LoopLine()
        let time = stage.time
        let pulses = Log<LoopPulse?>()
        #expect(await line.pulse(within: .milliseconds(1)) == nil && !line.isRunning)
        await Self.run(stage, [(.zero, .holds(["shop": "web v1"]))], for: .seconds(10), line: line) {
            try await time.sleep(for: .seconds(5))
            pulses.append(await line.pulse(within: .seconds(1), time))
        }
        #expect(pulses.all == [LoopPulse(systems: 1, working: 0, due: [:], longestWait: .zero, isStopping: false)])
        #expect(await line.pulse(within: .milliseconds(1)) == nil && !line.isRunning)
    }

    @Test func whatIsDueAndCannotBeginIsTheDepthOfTheQueue() async throws {
        let box = Log<VirtualTime>()
        let stage = try Stage(
            Dictionary(uniqueKeysWithValues: (0..<12).map { ("s\($0)", FakeWorld.Place()) }),
            look: { _, _, observation in
                if let time = box.all.first { do { try await time.sleep(for: .seconds(10)) } catch {} }
                return observation
            })
        box.append(stage.time)
        let line = LoopLine()
        let time = stage.time
        let pulses = Log<LoopPulse?>()
        let systems = Dictionary(uniqueKeysWithValues: (0..<12).map { ("s\($0)", "s\($0) v1") })
        await Self.run(stage, [(.zero, .holds(systems))], for: .seconds(100), line: line) {
            try await time.sleep(for: .seconds(3))
            pulses.append(await line.pulse(within: .seconds(1), time))
        }
        #expect(pulses.all == [LoopPulse(systems: 12, working: 8, due: [.change: 4], longestWait: .seconds(3), isStopping: false)])
    }

    @Test func theNumbersTellHowPassesWent() async throws {
        let stage = try Stage()
        let registry = MetricRegistry()
        let metrics = LoopMetrics(registry, now: { .example })
        let time = stage.time
        let line = LoopLine()
        let pulses = Log<LoopPulse?>()
        await Self.run(
            stage,
            [(.zero, .holds(["shop": "web v1"])), (.seconds(100), .holds(["shop": "web v2"])), (.seconds(150), .isBroken)],
            for: .seconds(200),
            line: line, metrics: metrics
        ) {
            try await time.sleep(for: .seconds(160))
            pulses.append(await line.pulse(within: .seconds(1), time))
        }
        let name = "default/shop"
        #expect(registry.value(of: .passes, name, "in-sync") == 2)
        #expect(registry.value(of: .passDuration, "in-sync") == 2)
        #expect(registry.value(of: .queueWait, "change") == 2)
        #expect(registry.value(of: .systemState, name, "in-sync") == 1 && registry.value(of: .systemState, name, "failure") == 0)
        #expect(registry.value(of: .lastSuccess, name) == Double(Timestamp.example.millisecondsSinceEpoch) / 1000)
        #expect(registry.value(of: .transitionDuration, "forward") == 1, "the one change")
        #expect(registry.value(of: .transitionSince, name) == nil, "which is over")
        #expect(registry.value(of: .phaseDuration, "advance") == 1 && registry.value(of: .steps, "advance", "succeeded") == 1)
        #expect(registry.value(of: .sourceReads, "ok") == 3)
        let pulse = pulses.all.first ?? nil
        #expect(pulse?.parts == 1 && pulse?.partsNotApplied == 1, "the last one does not load")
    }

    @Test(arguments: [(false, Double?.none), (true, Double(Timestamp.example.millisecondsSinceEpoch) / 1000)])
    func driftIsToldSinceWhenUntilItIsGone(isStuck: Bool, shown: Double?) async throws {
        let stage = try Stage(answer: { _, _, _ in isStuck ? .without(.refused(.unreachable)) : .accepted })
        try await stage.accept()
        let registry = MetricRegistry()
        let metrics = LoopMetrics(registry, now: { .example })
        let time = stage.time
        await Self.run(stage, [(.zero, .holds(["shop": "web v1"]))], for: .seconds(310), metrics: metrics) {
            try await time.sleep(for: .seconds(10))
            stage.world["web"].declared = "v3"
        }
        #expect(registry.value(of: .drifts, "default/shop") == 1)
        #expect(registry.value(of: .driftSince, "default/shop", "component/web") == shown, "nil where the pass that found it has healed it")
    }

    @Test func aSystemThatIsLeftInTheMiddleOfItsPassKeepsNoSeries() async throws {
        let box = Log<VirtualTime>()
        let stage = try Stage(
            ["web": .init(), "api": .init()],
            look: { _, _, observation in
                if let time = box.all.first { do { try await time.sleep(for: .seconds(10)) } catch {} }
                return observation
            })
        box.append(stage.time)
        let registry = MetricRegistry()
        let metrics = LoopMetrics(registry, now: { .example })
        await Self.run(
            stage, [(.zero, .holds(["shop": "web v1", "blog": "api v1"])), (.seconds(5), .holds(["blog": "api v1"]))], for: .seconds(100),
            metrics: metrics)
        let text = registry.text(.prometheus)
        #expect(!text.contains("default/shop") && text.contains("default/blog"), "\(text)")
    }
}
