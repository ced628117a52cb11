import Execution
import Model
import Synchronization
import TestDoubles
import Testing

struct ConfirmingTests {
    /// What may have happened between planning and writing.
    struct Change: Sendable, CustomTestStringConvertible {
        var name: String
        var problem: Problem
        var apply: @Sendable (inout Observation) -> Void
        var testDescription: String { name }
    }

    private static func changed(_ what: String) -> Problem {
        Problem(
            "WorldChanged", "component/web: the world changed since it was planned: \(what)",
            next: "nothing was written; the next pass plans anew")
    }

    private static let trouble = Problem("Managed", "kubernetes/web: Argo CD owns the image")

    static let changes = [
        Change(name: "somebody deployed", problem: changed("v3 is there now, instead of v1")) {
            $0.live = .release(declared: .fake("v3"), serving: [.fake("v3")])
        },
        Change(name: "it was removed", problem: changed("v1 is gone")) { $0.live = .nothing },
        Change(name: "somebody's operation is under way", problem: changed("an operation is under way: deploy of v3")) {
            $0.operation = Operation(summary: "deploy of v3", leadsTo: [])
        },
        Change(name: "the artifact was deleted", problem: changed("the way to v2 (fake rollback) is gone")) { $0.candidates = [] },
        Change(name: "the way is another one", problem: changed("the way to v2 (fake rollback) is gone")) {
            $0.candidates = [Candidate(.fake("v2"), routes: [.fake("other")])]
        },
        Change(name: "the way is refused now", problem: trouble) {
            var route = Route.fake("v2")
            route.refusal = trouble
            $0.candidates = [Candidate(.fake("v2"), routes: [route])]
        },
        Change(name: "somebody took it over", problem: trouble) { $0.blocker = trouble },
        Change(name: "it cannot be read", problem: trouble) { $0.live = .unknown(trouble) },
    ]

    @Test(arguments: changes)
    func whatChangedSinceThePlanIsNotWrittenTo(change: Change) async {
        let pass = Pass()
        let world = pass.world(look: { _, number, observation in
            var observation = observation
            if number > 1 { change.apply(&observation) }
            return observation
        })
        let result = await pass.run(world)
        #expect(result.outcome(of: "preflight/component/web") == .failed(change.problem))
        #expect(result.outcome(of: "advance/component/web")?.isSuccess == false)
        #expect(world["web"].writes.isEmpty)
        #expect(pass.session.written.isEmpty)
    }

    @Test(arguments: changes)
    func aConfirmationThatIsOldIsMadeAgainBeforeTheWrite(change: Change) async {
        var pass = Pass()
        pass.pace.freshness = .zero - .seconds(1)
        let world = pass.world(look: { _, number, observation in
            var observation = observation
            if number > 2 { change.apply(&observation) }
            return observation
        })
        let result = await pass.run(world)
        #expect(result.outcome(of: "advance/component/web") == .failed(change.problem))
        #expect(world["web"].writes.isEmpty)
        #expect(pass.session.kinds == ["opened"])
    }

    @Test func aFreshConfirmationServesTheWrite() async {
        let pass = Pass()
        let world = pass.world()
        _ = await pass.run(world)
        #expect(world["web"].looks.count == 3, "planning, confirming, and one look that finds it there")
    }

    @Test func aFirstReleaseIsConfirmedByNothingBeingThere() async {
        let pass = Pass()
        let world = pass.world(["web": .init(declared: nil)])
        #expect(await pass.run(world).verdict == .converged)
        #expect(world["web"].effects.count == 1)
    }
}
