import Model
import Planning
import Testing

/// Several components: what waits for what, and what blocks what.
@Suite struct OrderTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        /// `web` needs `api`, and `api` needs `auth`; every pin is v2.
        var web = Observation.make(live: "v2")
        var api = Observation.make(live: "v2")
        var auth = Observation.make(live: "v2")
        var work: [String] = []
        /// What each step waits for, without guard and preflight.
        var needs: [String: [String]] = [:]
        var obstacles: [String] = []
        var testDescription: String { why }
    }

    static let newer = Observation.make(live: "v3")
    static let older = Observation.make(live: "v1")
    static let unknown = Observation.unknown(.make("Unknown"))
    static let owned = Observation.make(live: "v3", blocker: .make("Owned"))

    static let cases: [Case] = [
        Case(
            why: "going forward, dependencies come first", web: older, api: older, auth: older,
            work: ["advance/component/auth", "advance/component/api", "advance/component/web"],
            needs: ["advance/component/web": ["advance/component/api"], "advance/component/api": ["advance/component/auth"]]),
        Case(
            why: "going back, dependents leave first", web: newer, api: newer, auth: newer,
            work: ["retreat/component/web", "retreat/component/api", "retreat/component/auth"],
            needs: ["retreat/component/api": ["retreat/component/web"], "retreat/component/auth": ["retreat/component/api"]]),
        Case(
            why: "a dependency that goes back is awaited by a dependent that goes forward", web: older, api: newer,
            work: ["retreat/component/api", "advance/component/web"], needs: ["advance/component/web": ["retreat/component/api"]]),
        Case(
            why: "a dependent that goes back does not wait for a dependency that goes forward", web: newer, api: older,
            work: ["retreat/component/web", "advance/component/api"]),
        Case(
            why: "what is in place between two does not tie them together", web: older, auth: older,
            work: ["advance/component/auth", "advance/component/web"]),
        Case(
            why: "going forward needs a dependency that is known", web: older, api: unknown,
            obstacles: ["api: failure Unknown", "web: dependency DependencyNotReady"]),
        Case(
            why: "the blocked block along the chain", web: older, api: older, auth: unknown,
            obstacles: ["api: dependency DependencyNotReady", "auth: failure Unknown", "web: dependency DependencyNotReady"]),
        Case(
            why: "going back needs nobody that it depends on", web: newer, api: unknown, work: ["retreat/component/web"],
            obstacles: ["api: failure Unknown"]),
        Case(
            why: "an unknown dependent does not hold an undo back", web: unknown, api: newer, work: ["retreat/component/api"],
            obstacles: ["web: failure Unknown"]),
        Case(
            why: "a dependent that is known to have to leave first holds an undo back", web: owned, api: newer,
            obstacles: ["api: dependency DependencyNotReady", "web: decision Owned"]),
        Case(
            why: "unless what the undo leaves is broken: then it is what heals", web: owned,
            api: .make(live: "v3", settlement: .failed(.make())), work: ["retreat/component/api"], obstacles: ["web: decision Owned"]),
        Case(
            why: "unknown is not broken: what may be healthy does not go back under a dependent that stays", web: owned,
            api: .make(live: "v3", settlement: .unknown(.make())),
            obstacles: ["api: dependency DependencyNotReady", "web: decision Owned"]),
        Case(
            why: "a dependency that is still rolling out is awaited", web: older,
            api: .make(live: "v2", settlement: .progressing("1 of 2")),
            work: ["advance/component/api", "advance/component/web"], needs: ["advance/component/web": ["advance/component/api"]]),
        Case(
            why: "a dependent that went back and is not healthy yet holds nothing back: it may need the old dependency",
            web: .make(live: "v2", settlement: .failed(.make())), api: newer, work: ["retreat/component/api", "advance/component/web"],
            needs: ["advance/component/web": ["retreat/component/api"]]),
        Case(
            why: "nothing waits for a broken system to become healthy", web: .make(live: "v3", settlement: .failed(.make())),
            api: .make(live: "v3", settlement: .failed(.make())), work: ["retreat/component/web", "retreat/component/api"],
            needs: ["retreat/component/api": ["retreat/component/web"]]),
    ]

    static func system(_ pins: String = "v2") -> System {
        .make([
            .make("web", pins: .name(pins), after: [.component("api")]), .make("api", pins: .name(pins), after: [.component("auth")]),
            .make("auth", pins: .name(pins)),
        ])
    }

    @Test(arguments: cases) func stepsWaitForWhatTheyNeed(_ one: Case) {
        let plan = plan(
            Self.system(), revision: .make(), observed: .make(["web": one.web, "api": one.api, "auth": one.auth]),
            recorded: RecordedState(isKnown: true))
        #expect(plan.work == one.work)
        #expect(plan.obstacles == one.obstacles)
        for step in plan.steps where one.work.contains(step.id) {
            let needs = step.after.filter { !$0.hasPrefix("guard/") && !$0.hasPrefix("preflight/") }
            #expect(needs == one.needs[step.id] ?? [], "\(step.id)")
            if plan.opening != nil { #expect(step.after.contains("guard/open"), "\(step.id)") }
        }
    }

    @Test func theGuardWaitsForEveryConfirmationAndTheEndForEverything() throws {
        let system = System.make(
            [.make("web", pins: .name("v2"), after: [.component("api")]), .make("api", pins: .name("v2"))], isChecked: true)
        let plan = plan(
            system, revision: .make(), observed: .make(["web": Self.newer, "api": Self.newer]), recorded: RecordedState(isKnown: true))
        #expect(
            plan.ids == [
                "preflight/component/api", "preflight/component/web", "guard/open", "retreat/component/web", "retreat/component/api",
                "verify/system", "finish/close",
            ])
        #expect(try #require(plan.step("guard/open")).after == ["preflight/component/api", "preflight/component/web"])
        #expect(try #require(plan.step("verify/system")).after == ["retreat/component/web", "retreat/component/api"])
        #expect(try #require(plan.step("finish/close")).after == ["retreat/component/web", "retreat/component/api", "verify/system"])
    }

    @Test func whatNeedsItselfInACircleIsRefusedByName() {
        let system = System.make([
            .make("web", pins: .name("v2"), after: [.component("api")]), .make("api", pins: .name("v2"), after: [.component("web")]),
            .make("docs", pins: .name("v2")),
        ])
        let plan = plan(
            system, revision: .make(), observed: .make(["web": Self.older, "api": Self.older, "docs": Self.older]),
            recorded: RecordedState(isKnown: true))
        #expect(plan.work == ["advance/component/docs"])
        #expect(plan.obstacles == ["api: decision DependencyCycle", "web: decision DependencyCycle"])
        #expect(plan.blocked.first?.problem.message == "component/api: components need each other in a circle: api → web → api")
    }

    @Test func aLongChainIsOrderedWithoutRecursion() {
        let count = 20_000
        var components = [Component.make("c0", pins: .name("v2"))]
        for index in 1..<count { components.append(.make("c\(index)", pins: .name("v2"), after: [.component("c\(index - 1)")])) }
        var world = World.make(["c0": Self.older, "c\(count - 1)": Self.older])
        for index in 1..<count - 1 { world.components[.component("c\(index)")] = .make(live: "v2") }
        let plan = plan(.make(components.reversed()), revision: .make(), observed: world, recorded: RecordedState(isKnown: true))
        #expect(plan.work == ["advance/component/c0", "advance/component/c\(count - 1)"])
    }
}

@Suite struct AgeTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var pinned: Release
        var live: Release
        var others: [Release] = []
        var recorded: [String] = []
        var phase: Phase
        var testDescription: String { why }
    }

    static func untimed(_ version: String) -> Release { .make(version, created: .some(nil)) }

    static let cases: [Case] = [
        Case(why: "the older by the provider's clock goes back", pinned: .make("v1"), live: .make("v2"), phase: .retreat),
        Case(why: "the newer goes forward", pinned: .make("v2"), live: .make("v1"), phase: .advance),
        Case(
            why: "what was live at the first contact is not the oldest for that", pinned: .make("v2"), live: .make("v1"),
            recorded: ["v2", "v1"], phase: .advance),
        Case(
            why: "without times the recorded order tells", pinned: untimed("v1"), live: untimed("v2"), recorded: ["v1", "v2"],
            phase: .retreat),
        Case(
            why: "without times, forward", pinned: untimed("v2"), live: untimed("v1"), recorded: ["v1", "v2", "v1"], phase: .advance),
        Case(
            why: "the time of a copy is not the artifact's: its first one counts", pinned: .make("v2"),
            live: .make("copy", lineage: [.make("v1")], created: 9), others: [.make("v1")], phase: .advance),
        Case(
            why: "where only a copy is left, the recorded order tells", pinned: .make("v2"),
            live: .make("copy", lineage: [.make("v1")], created: 9), recorded: ["v1", "v2", "v1"], phase: .advance),
        Case(why: "nothing tells, and no schema moves: forward", pinned: untimed("v1"), live: untimed("v2"), phase: .advance),
    ]

    @Test(arguments: cases) func theOlderGoesBackAndTheNewerForward(_ one: Case) {
        let observation = Observation(
            live: .release(declared: one.live, serving: [one.live]),
            candidates: ([one.live, one.pinned] + one.others).map { Candidate($0, routes: [.make()]) })
        let plan = plan(
            .make([.make("web", pins: .name(one.pinned.label))]), revision: .make(), observed: .make(["web": observation]),
            recorded: RecordedState(isKnown: true, releases: [.component("web"): one.recorded.map { .make($0) }]))
        #expect(plan.steps.filter(\.action.isWrite).map(\.phase) == [one.phase])
    }
}
