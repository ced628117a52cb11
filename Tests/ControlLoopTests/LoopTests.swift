import ControlLoop
import Execution
import Model
import State
import Synchronization
import TestDoubles
import Testing

@Suite(.timeLimit(.minutes(2))) struct LoopTests {
    @Test func aChangeOfTheSpecsIsReconciledWhenItComes() async throws {
        let stage = try Stage()
        let told = await stage.loop([(.zero, .holds(["shop": "web v1"])), (.seconds(100), .holds(["shop": "web v2"]))], for: .seconds(200))
        #expect(stage.world["web"].writes == [.seconds(100)])
        #expect(
            told == [
                "0 loaded shop", "0 shop: in sync, nothing to do", "100 loaded shop", "100 shop: converged, 1 change made",
                "200 stopping []", "200 stopped",
            ])
    }

    @Test func whatIsInSyncIsLookedAtNowAndThenAndToldOnce() async throws {
        let stage = try Stage()
        let told = await stage.loop([(.zero, .holds(["shop": "web v1"]))], for: .seconds(1000))
        #expect(stage.world["web"].looks == [.zero, .seconds(300), .seconds(600), .seconds(900)])
        #expect(told.filter { $0.contains("in sync") } == ["0 shop: in sync, nothing to do"])
    }

    @Test func driftIsHealedByAResync() async throws {
        let stage = try Stage()
        try await stage.accept()
        let time = stage.time
        let told = await time.run {
            async let told = stage.loop([(.zero, .holds(["shop": "web v1"]))], for: .seconds(700))
            do { try await time.sleep(for: .seconds(10)) } catch {}
            stage.world["web"].declared = "v3"
            return await told
        }
        #expect(stage.world["web"].declared == "v1")
        #expect(told.contains("300 shop: converged, 1 change made"), "\(told)")
    }

    @Test func whatOftenPassesIsTriedAgainEverMoreSeldomUpToALimit() async throws {
        let stage = try Stage(look: { _, number, observation in number < 13 ? .unknown(.unreachable) : observation })
        try await stage.accept()
        let told = await stage.loop([(.zero, .holds(["shop": "web v1"]))], for: .seconds(3000))
        let pauses = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
        let times = pauses.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
        #expect(stage.world["web"].looks.prefix(13).map(\.components.seconds) == times.map(Int64.init))
        #expect(told.filter { $0.contains("failed") } == ["0 shop: failed, again in 1 s"], "the same failure is told once")
        #expect(told.contains { $0.hasSuffix("shop: in sync, nothing to do") })
    }

    @Test(arguments: [
        (Duration.seconds(60), Int64(60), "what a provider asks for is waited"),
        (.seconds(86_400), 3600, "a day is not: somebody may have mended it"),
    ])
    func aProviderThatAsksForAPauseGetsIt(asked: Duration, waited: Int64, why: String) async throws {
        let limited = Problem("RateLimited", "fake/web: 429", retryAfter: asked)
        let stage = try Stage(look: { _, number, observation in number == 1 ? .unknown(limited) : observation })
        try await stage.accept()
        _ = await stage.loop([(.zero, .holds(["shop": "web v1"]))], for: .seconds(3700))
        #expect(stage.world["web"].looks.dropFirst().first?.components.seconds == waited, "\(why)")
    }

    @Test func aChangeDoesNotWaitForABackoff() async throws {
        let stage = try Stage(look: { _, number, observation in number < 8 ? .unknown(.unreachable) : observation })
        try await stage.accept()
        // After 63 s the next look would be at 127 s.
        _ = await stage.loop([(.zero, .holds(["shop": "web v1"])), (.seconds(70), .holds(["shop": "web v2"]))], for: .seconds(100))
        #expect(stage.world["web"].looks.contains(.seconds(70)))
    }

    @Test func whatWaitsForSomebodyIsLookedAtSlowly() async throws {
        let stage = try Stage()
        let told = await stage.loop([(.zero, .holds(["shop": "web v2"]))], for: .seconds(700), adopts: false)
        #expect(stage.world["web"].looks == [.zero, .seconds(300), .seconds(600)])
        #expect(stage.world["web"].writes.isEmpty)
        #expect(told.filter { $0.contains("blocked") }.count == 1)
    }

    @Test func aRevisionThatDoesNotLoadIsToldAndNothingIsApplied() async throws {
        let stage = try Stage()
        try await stage.accept()
        let time = stage.time
        let told = await time.run {
            async let told = stage.loop(
                [
                    (.zero, .holds(["shop": "web v1"])), (.seconds(10), .isBroken), (.seconds(1000), .holds(["shop": "web v1"])),
                ], for: .seconds(1100))
            do { try await time.sleep(for: .seconds(20)) } catch {}
            stage.world["web"].declared = "v3"
            do { try await time.sleep(for: .seconds(970)) } catch {}
            #expect(stage.world["web"].writes.isEmpty, "the last good revision is only looked at")
            return await told
        }
        #expect(
            told == [
                "0 loaded shop", "0 shop: in sync, nothing to do", "10 rejected shop:1:1: broken, watching [\"shop\"]",
                "300 shop: observed, 1 changes", "1000 loaded shop", "1000 shop: converged, 1 change made", "1100 stopping []",
                "1100 stopped",
            ])
    }

    @Test(arguments: [
        (ScriptedSource.Moment.isBroken, "0 rejected shop:1:1: broken, watching [\"shop\"]", "a revision that does not load"),
        (.cannotBeRead, "0 rejected it is not signed, watching [\"shop\"]", "one that is not read"),
    ])
    func afterARestartWhatLoadedBeforeIsLookedAt(moment: ScriptedSource.Moment, told: String, why: String) async throws {
        let stage = try Stage()
        try await stage.accept()
        stage.world["web"].declared = "v3"
        let all = await stage.loop(
            [(.zero, moment), (.seconds(100), .holds(["shop": "web v1"]))], for: .seconds(200), before: .holds(["shop": "web v1"]))
        #expect(
            all == [
                told, "0 shop: observed, 1 changes", "100 loaded shop", "100 shop: converged, 1 change made", "200 stopping []",
                "200 stopped",
            ], "\(why)")
        #expect(stage.world["web"].writes == [.seconds(100)], "nothing is applied before something loads")
    }

    @Test func theSourceIsToldWhatLoads() async throws {
        let stage = try Stage()
        let source = ScriptedSource(
            [(.zero, .holds(["shop": "web v1"])), (.seconds(10), .isBroken), (.seconds(20), .holds(["shop": "web v2"]))], stage.time)
        _ = await stage.loop([], for: .seconds(30), source: source)
        #expect(source.acceptedRevisions == ["0", "2"])
    }

    @Test func specsThatAreGoneAreToldAndNothingIsApplied() async throws {
        let stage = try Stage()
        let told = await stage.loop(
            [(.zero, .isGone), (.seconds(50), .holds(["shop": "web v1"])), (.seconds(60), .isGone)], for: .seconds(70))
        #expect(
            told == [
                "0 unreadable specs: no such file or directory", "50 loaded shop", "50 shop: in sync, nothing to do",
                "60 unreadable specs: no such file or directory", "70 stopping []", "70 stopped",
            ])
    }

    @Test func aPartThatDoesNotLoadStopsNoOther() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let good: ScriptedSource.Moment = .parts(["a": .holds(["shop": "web v1"]), "b": .holds(["blog": "api v1"])])
        let told = await stage.loop(
            [
                (.zero, good), (.seconds(10), .parts(["a": .isBroken, "b": .holds(["blog": "api v2"])])),
                (.seconds(20), .parts(["a": .isGone, "b": .holds(["blog": "api v3"])])), (.seconds(30), good),
            ], for: .seconds(40))
        #expect(
            // Two systems at the same moment are told in no order.
            told.sorted()
                == [
                    "0 loaded shop", "0 loaded blog", "0 shop: in sync, nothing to do", "0 blog: in sync, nothing to do",
                    "10 rejected a shop:1:1: broken, watching [\"shop\"]", "10 loaded blog", "10 blog: converged, 1 change made",
                    "20 unreadable a specs: no such file or directory", "20 loaded blog", "20 blog: converged, 1 change made",
                    "30 loaded shop", "30 loaded blog", "30 blog: converged, 1 change made", "40 stopping []", "40 stopped",
                ].sorted())
    }

    @Test func aPartThatIsGoneTakesItsSystemsAlong() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await stage.loop(
            [
                (.zero, .parts(["a": .holds(["shop": "web v1"]), "b": .holds(["blog": "api v1"])])),
                (.seconds(10), .parts(["b": .holds(["blog": "api v1"])])),
            ], for: .seconds(400))
        #expect(told.contains("10 left shop"))
        #expect(stage.world["web"].looks == [.zero] && stage.world["api"].looks.count == 2)
    }

    @Test(arguments: [
        ("shop", "a system default/shop stands already at b", "one name in two parts"),
        ("blog", "spec.components.web: fake web belongs to component/web of default/shop already", "one target in two parts"),
    ])
    func whatTwoPartsClaimBelongsToTheFirstUntilItGoes(name: String, mistake: String, why: String) async throws {
        let stage = try Stage()
        let other: ScriptedSource.Moment = .holds([name: "web v2"])
        let told = await stage.loop(
            [
                (.zero, .parts(["b": .holds(["shop": "web v1"])])), (.seconds(10), .parts(["a": other, "b": .holds(["shop": "web v1"])])),
                (.seconds(20), .parts(["a": other])),
            ], for: .seconds(30))
        #expect(
            told == [
                "0 loaded shop", "0 shop: in sync, nothing to do",
                "10 rejected a \(mistake), watching []", "20 left shop",
                "20 loaded \(name)", "20 \(name): converged, 1 change made", "30 stopping []", "30 stopped",
            ], "\(why)")
    }

    @Test func aTargetMayMoveFromOneSystemToAnotherOfTheSamePart() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await stage.loop(
            [
                (.zero, .holds(["blog": "api v1", "shop": "web v1"])), (.seconds(10), .holds(["blog": "web v1", "shop": "api v1"])),
            ], for: .seconds(20))
        #expect(!told.contains { $0.contains("rejected") }, "\(told)")
    }

    @Test func aHostThatDoesNotAnswerIsToldAndWhatItHeldIsKept() async throws {
        let stage = try Stage()
        try await stage.accept()
        let time = stage.time
        let shop = ["shop": "web v1"]
        let told = await time.run {
            async let told = stage.loop(
                [(.zero, .holds(shop)), (.seconds(10), .isOutOfReach(shop)), (.seconds(500), .holds(shop))], for: .seconds(600))
            do { try await time.sleep(for: .seconds(20)) } catch {}
            stage.world["web"].declared = "v3"
            return await told
        }
        #expect(
            told == [
                "0 loaded shop", "0 shop: in sync, nothing to do", "10 out of reach: git.example does not answer",
                "300 shop: converged, 1 change made", "500 in reach", "500 unmoved shop", "500 loaded shop", "600 stopping []",
                "600 stopped",
            ])
    }

    @Test func aNewerRevisionTakesOverBetweenTwoSteps() async throws {
        let slow = Array(repeating: Settlement.progressing("1 of 2"), count: 8)
        let stage = try Stage(["api": .init(settlements: slow), "web": .init()])
        try await stage.accept()
        let told = await stage.loop(
            [
                (.zero, .holds(["shop": "api v1, web v1 api"])), (.seconds(10), .holds(["shop": "api v2, web v2 api"])),
                (.seconds(12), .holds(["shop": "api v2, web v3 api"])),
            ], for: .seconds(300))
        #expect(stage.world["api"].effects.count == 1, "the step under way is finished, and not repeated")
        #expect(stage.world["web"].effects.count == 1, "the one that had not begun is left to the newer revision")
        #expect(stage.world["web"].declared == "v3")
        #expect(told.contains { $0.contains("shop: left to a newer revision") }, "\(told)")
    }

    @Test func aRevisionThatChangesAnotherSystemDisturbsNobody() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await stage.loop(
            [
                (.zero, .holds(["shop": "web v1", "blog": "api v1"])), (.seconds(100), .holds(["shop": "web v1", "blog": "api v2"])),
            ], for: .seconds(200))
        #expect(stage.world["web"].looks == [.zero])
        #expect(stage.world["api"].writes == [.seconds(100)])
        #expect(
            told.filter { $0.contains("unmoved") || $0.contains("loaded") } == [
                "0 loaded blog,shop", "100 unmoved shop", "100 loaded blog,shop",
            ])
    }

    @Test func aSystemThatTheSpecsNameNoMoreIsLeftAsItIs() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await stage.loop(
            [(.zero, .holds(["shop": "web v1", "blog": "api v1"])), (.seconds(100), .holds(["shop": "web v1"]))], for: .seconds(1000))
        #expect(told.contains("100 left blog"))
        #expect(stage.world["api"].looks == [.zero] && stage.world["web"].looks.count == 4)
    }

    @Test func noMoreSystemsThanAllowedAreWorkedOnAtOnce() async throws {
        let names = (0..<12).map { "s\($0)" }
        let now = Mutex(0)
        let most = Mutex(0)
        let box = Log<VirtualTime>()
        let stage = try Stage(
            Dictionary(uniqueKeysWithValues: names.map { ($0, FakeWorld.Place()) }),
            look: { _, _, observation in
                let count = now.withLock { count in
                    count += 1
                    return count
                }
                most.withLock { $0 = max($0, count) }
                if let time = box.all.first { do { try await time.sleep(for: .seconds(1)) } catch {} }
                now.withLock { $0 -= 1 }
                return observation
            })
        box.append(stage.time)
        let systems = Dictionary(uniqueKeysWithValues: names.map { ($0, "\($0) v1") })
        _ = await stage.loop([(.zero, .holds(systems))], for: .seconds(60), pace: LoopPace(concurrency: 3))
        #expect(most.withLock { $0 } == 3)
        #expect(names.allSatisfy { stage.world[$0].looks.count == 1 })
        #expect(names.compactMap { stage.world[$0].looks.last }.max() == .seconds(3), "twelve by threes")
    }

    @Test func whoHoldsTheLockIsToldAndWaitedFor() async throws {
        let stage = try Stage()
        try await stage.accept()
        let session = try await stage.store.lock(.make(), patience: .seconds(5), clock: ContinuousClock())
        let time = stage.time
        let told = await time.run {
            async let told = stage.loop([(.zero, .holds(["shop": "web v2"]))], for: .seconds(300))
            do { try await time.sleep(for: .seconds(100)) } catch {}
            await time.outside { await session.release() }
            return await told
        }
        #expect(told.filter { $0.contains("blocked, nothing was changed, again in 1 s") }.count == 1, "\(told)")
        let write = try #require(stage.world["web"].writes.first)
        #expect(write > .seconds(100) && write < .seconds(135), "the pause is half a minute at most")
    }

    @Test(arguments: [
        (6, 10, "the step under way is finished"), (1000, 28, "a step that takes too long ends at its safe point when the grace is over"),
    ])
    func beingStoppedFinishesWhatIsUnderWay(looks: Int, end: Int, why: String) async throws {
        let slow = Array(repeating: Settlement.progressing("1 of 2"), count: looks)
        let stage = try Stage(["api": .init(settlements: slow), "web": .init()])
        try await stage.accept()
        let told = await stage.loop([(.zero, .holds(["shop": "api v2, web v2 api"]))], for: .seconds(3))
        #expect(stage.world["api"].effects.count == 1 && stage.world["web"].effects.isEmpty, "\(why)")
        #expect(stage.world["api"].declared == "v2", "\(why)")
        #expect(told.dropFirst().first == "3 stopping [\"shop\"]", "\(told)")
        #expect(told.suffix(2).map { $0.drop { $0.isNumber } } == [" shop: interrupted", " stopped"], "\(told)")
        let ended = try #require(told.last.flatMap { Int($0.prefix { $0.isNumber }) })
        #expect(looks == 6 ? (4...20).contains(ended) : ended == end, "\(why): \(told)")
        let session = try await stage.store.lock(.make(), patience: .zero, clock: ContinuousClock())
        #expect(await session.state.transition != nil, "the next start goes on from there")
        await session.release()
    }
}
