import ControlLoop
import Execution
import Model
import State
import Synchronization
import TestDoubles
import Testing

/// A loop that shares its systems with others.
@Suite(.timeLimit(.minutes(1))) struct DutyTests {
    /// Runs a loop over two systems, and sets its duty at these moments.
    private func loop(
        _ stage: Stage, _ duties: [(Duration, Set<String>)], _ script: [(Duration, ScriptedSource.Moment)], for length: Duration
    ) async -> [String] {
        let (duty, time) = (Duty(), stage.time)
        return await time.run {
            async let told = stage.loop(script, for: length, duty: duty)
            for (moment, names) in duties {
                do { try await time.sleep(for: moment - time.now.offset) } catch { break }
                duty.set { names.contains($0.name) }
            }
            return await told
        }
    }

    private static let both: ScriptedSource.Moment = .parts(["a": .holds(["shop": "web v1"]), "b": .holds(["blog": "api v1"])])

    @Test func beforeItHasADutyItDoesNothing() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await loop(stage, [], [(.zero, Self.both)], for: .seconds(1000))
        #expect(told == ["0 loaded shop", "0 loaded blog", "1000 stopping []", "1000 stopped"])
        #expect(stage.world["web"].looks.isEmpty && stage.world["api"].looks.isEmpty)
    }

    @Test func whatBecomesItsOwnIsLookedAtAtOnceAndWhatDoesNotIsLeft() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await loop(
            stage, [(.seconds(50), ["shop"]), (.seconds(400), ["blog"]), (.seconds(1000), [])], [(.zero, Self.both)], for: .seconds(2000))
        #expect(stage.world["web"].looks == [.seconds(50), .seconds(350)])
        #expect(stage.world["api"].looks == [.seconds(400), .seconds(700)])
        #expect(told.contains("50 shop: in sync, nothing to do") && told.contains("400 blog: in sync, nothing to do"), "\(told)")
    }

    @Test func whatComesBackIsLookedAtAgainAndTold() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let told = await loop(
            stage, [(.seconds(1), ["shop"]), (.seconds(10), []), (.seconds(20), ["shop"])], [(.zero, Self.both)], for: .seconds(30))
        #expect(stage.world["web"].looks == [.seconds(1), .seconds(20)], "\(told)")
        #expect(told.filter { $0.contains("in sync") } == ["1 shop: in sync, nothing to do", "20 shop: in sync, nothing to do"])
    }

    @Test func aNewRevisionIsForWhoeverHasTheSystem() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        try await stage.accept()
        let changed: ScriptedSource.Moment = .parts(["a": .holds(["shop": "web v2"]), "b": .holds(["blog": "api v2"])])
        let told = await loop(stage, [(.seconds(1), ["shop"])], [(.zero, Self.both), (.seconds(10), changed)], for: .seconds(30))
        #expect(stage.world["web"].writes == [.seconds(10)], "\(told)")
        #expect(stage.world["api"].writes.isEmpty)
    }
}
