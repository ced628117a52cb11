import ControlLoop
import Execution
import Model
import State
import Synchronization
import TestDoubles
import Testing

/// A loop that shares its systems with others.
@Suite(.timeLimit(.minutes(1))) struct DutyTests {
    private static let both: ScriptedSource.Moment = .parts(["a": .holds(["shop": "web v1"]), "b": .holds(["blog": "api v1"])])

    @Test func beforeItHasADutyItDoesNothing() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await stage.loop([(.zero, Self.both)], for: .seconds(1000), duties: [])
        #expect(told == ["0 loaded shop", "0 loaded blog", "1000 stopping []", "1000 stopped"])
        #expect(stage.world["web"].looks.isEmpty && stage.world["api"].looks.isEmpty)
    }

    @Test func whatBecomesItsOwnIsLookedAtAtOnceAndWhatDoesNotIsLeft() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await stage.loop(
            [(.zero, Self.both)], for: .seconds(2000), duties: [(.seconds(50), ["shop"]), (.seconds(400), ["blog"]), (.seconds(1000), [])])
        #expect(stage.world["web"].looks == [.seconds(50), .seconds(350)])
        #expect(stage.world["api"].looks == [.seconds(400), .seconds(700)])
        #expect(told.contains("50 shop: in sync, nothing to do") && told.contains("400 blog: in sync, nothing to do"), "\(told)")
    }

    @Test func whatComesBackIsLookedAtAgainAndTold() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await stage.loop(
            [(.zero, Self.both)], for: .seconds(30), duties: [(.seconds(1), ["shop"]), (.seconds(10), []), (.seconds(20), ["shop"])])
        #expect(stage.world["web"].looks == [.seconds(1), .seconds(20)], "\(told)")
        #expect(told.filter { $0.contains("in sync") } == ["1 shop: in sync, nothing to do", "20 shop: in sync, nothing to do"])
    }

    @Test func aNewRevisionIsForWhoeverHasTheSystem() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let changed: ScriptedSource.Moment = .parts(["a": .holds(["shop": "web v2"]), "b": .holds(["blog": "api v2"])])
        let told = await stage.loop([(.zero, Self.both), (.seconds(10), changed)], for: .seconds(30), duties: [(.seconds(1), ["shop"])])
        #expect(stage.world["web"].writes == [.seconds(10)], "\(told)")
        #expect(stage.world["api"].writes.isEmpty)
    }

    @Test func whatWasReadBeforeASystemBecameItsOwnIsToldThenAndOnce() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let script: ScriptedSource.Moment = .parts(["shop": .isBroken, "blog": .holds(["blog": "api v1"]), "docs": .isGone])
        let told = await stage.loop(
            [(.zero, script)], for: .seconds(100),
            duties: [
                (.seconds(10), ["blog"]), (.seconds(20), ["blog", "shop"]), (.seconds(30), ["blog", "shop"]), (.seconds(40), ["docs"]),
            ])
        #expect(
            told.filter { $0.contains("took over") } == [
                "10 took over blog: loaded blog", "20 took over shop: rejected shop shop:1:1: broken, watching []",
                "40 took over docs: unreadable docs specs: no such file or directory",
            ])
    }
}
