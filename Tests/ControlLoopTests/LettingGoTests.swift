import ControlLoop
import Execution
import Model
import State
import TestDoubles
import Testing

/// Letting go of a whole system: what was switched off for it is switched on again, and what runs stays.
@Suite(.timeLimit(.minutes(1))) struct LettingGoTests {
    private func stage(_ problem: Problem? = nil) async throws -> Stage {
        let stage = try Stage(look: { _, _, observation in problem.map { .unknown($0) } ?? observation })
        stage.world.automation = .init(value: "off", isStuck: false)
        try await stage.accept(
            .fence(
                .init(
                    .component("web"), .raised,
                    Fence(name: "autoDeploy", previous: "commit", set: "off", target: #"{"identity":"web"}"#, provider: "fake"))))
        return stage
    }

    private func letGo(_ stage: Stage, leavesFence: Bool = false) async -> LettingGo {
        await stage.time.run { [reconciler = stage.reconciler] in
            await reconciler.letGo(of: .make(), ForgetOptions(leavesFence: leavesFence, holder: .make()))
        }
    }

    @Test func theFenceComesDownAndReleasesAreRemembered() async throws {
        let stage = try await stage()
        let ended = await letGo(stage)
        #expect(ended.problems.isEmpty && ended.done == ["component/web: its fence is down: autoDeploy is commit"])
        #expect(stage.world.automation?.value == "commit" && stage.world["web"].writes.isEmpty)
        let state = try await stage.store.load()
        #expect(state.fences.isEmpty && state.isKnown, "it may come back")
        #expect(await letGo(stage).done.isEmpty, "once")
    }

    @Test func anOpenTransitionEndsWhereItIs() async throws {
        let stage = try Stage()
        let transition = Transition(
            id: "t1", revision: .example, start: [:], target: [:], directions: [:], obligations: [.systemChecks], opened: .example)
        try await stage.accept(.opened(.init(transition: transition, resolutions: [:])))
        let ended = await letGo(stage)
        #expect(ended.problems.isEmpty && ended.done == ["the open transition to \(Revision.example) ends where it is"])
        #expect(try await stage.store.load().transition == nil)
    }

    @Test func aProviderThatDoesNotAnswerKeepsItUntilSomebodySaysNotTo() async throws {
        let stage = try await stage(.unreachable)
        let ended = await letGo(stage)
        #expect(ended.problems.map(\.reason) == ["ProviderError"])
        #expect(ended.problems.first?.next?.contains("belay.dev/leave-fences=true") == true, "\(ended)")
        #expect(try await stage.store.load().fences.count == 1)
        let left = await letGo(stage, leavesFence: true)
        #expect(left.problems.isEmpty && left.done.first?.contains("its fence is left") == true, "\(left)")
        #expect(try await stage.store.load().fences.isEmpty)
    }

    @Test func whatAnotherSystemHasIsLetGoOfAsWell() async throws {
        let stage = try Stage()
        let parts: ScriptedSource.Moment = .parts(["a": .holds(["shop": "web v1"]), "b": .holds(["blog": "web v1"])])
        let told = await stage.loop([(.zero, parts), (.seconds(20), .leaving(parts))], for: .seconds(30))
        #expect(told.contains { $0.hasPrefix("0 rejected b") }, "\(told)")
        #expect(told.contains("20 let go blog: ") && told.contains("20 let go shop: "), "\(told)")
    }

    @Test func ofTwoThatClaimTheSameEachIsTold() {
        var shop = System.make(.make("web", "v1"))
        shop.id = SystemID(name: "shop")
        var blog = shop
        blog.id = SystemID(name: "blog")
        var other = System.make(.make("api", "v1"))
        other.id = SystemID(name: "other")
        let found = contests(among: [shop, blog, other])
        #expect(
            found == [
                blog.id: ["spec.components.web: fake web belongs to component/web of default/shop already"],
                shop.id: ["spec.components.web: fake web belongs to component/web of default/blog already"],
            ])
    }

    @Test func aLoopLetsGoOfWhatIsToLeaveAndTriesAgainWhereItCannot() async throws {
        let stage = try await stage(.unreachable)
        let parts: ScriptedSource.Moment = .parts(["a": .holds(["shop": "web v1"])])
        let told = await stage.loop([(.zero, .leaving(parts)), (.seconds(20), .parts([:]))], for: .seconds(30))
        #expect(
            told == [
                "0 loaded shop", "0 let go shop: ProviderError", "20 left shop", "30 stopping []", "30 stopped",
            ], "the same trouble is told once: \(told)")
        #expect(stage.world["web"].looks.count >= 3 && stage.world["web"].writes.isEmpty)
    }
}
