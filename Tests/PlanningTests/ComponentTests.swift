import Model
import Planning
import Testing

/// One component that pins v2: what is done about each state in which it can be found.
@Suite struct ComponentTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var observation: Observation
        var intent: Intent?
        /// Ids of what happens to the component.
        var work: [String] = []
        var action: String?
        var obstacles: [String] = []
        var opens = false
        var testDescription: String { why }
    }

    static let elsewhere = Model.Operation(summary: "deploy of v3", leadsTo: [.make("v3")])
    static let here = Model.Operation(summary: "rollback to v2", leadsTo: [.make("v2")])
    static let nowhere = Model.Operation(summary: "something", leadsTo: [])
    static let refused = Route.make(.redeploy, class: .minutes, refusal: .make("Rebuild"))

    static let cases: [Case] = [
        Case(why: "in place", observation: .make(live: "v2")),
        Case(
            why: "in place, and somebody else owns the field: nothing to write, nothing to say",
            observation: .make(live: "v2", blocker: .make())),
        Case(
            why: "right pin, still rolling out: wait, and open nothing, because nobody changed it",
            observation: .make(live: "v2", settlement: .progressing("1 of 2")), work: ["advance/component/web"], action: "await"),
        Case(
            why: "right pin, broken: the wait reports it at once", observation: .make(live: "v2", settlement: .failed(.make())),
            work: ["advance/component/web"], action: "await"),
        Case(
            why: "right pin, health unknown: not taken for healthy", observation: .make(live: "v2", settlement: .unknown(.make())),
            work: ["advance/component/web"], action: "await"),
        Case(
            why: "a newer release runs: go back before the schema would", observation: .make(live: "v3"), work: ["retreat/component/web"],
            action: "release", opens: true),
        Case(
            why: "an older release runs: go forward", observation: .make(live: "v1"), work: ["advance/component/web"], action: "release",
            opens: true),
        Case(
            why: "never deployed: go forward", observation: .make(live: nil), work: ["advance/component/web"], action: "release",
            opens: true),
        Case(
            why: "what runs is broken: the undo that heals it is not blocked by that",
            observation: .make(live: "v3", settlement: .failed(.make())), work: ["retreat/component/web"], action: "release", opens: true),
        Case(
            why: "what runs is in a state that nobody knows, but it is known: the undo goes ahead",
            observation: .make(live: "v3", settlement: .unknown(.make())), work: ["retreat/component/web"], action: "release", opens: true),
        Case(
            why: "nobody knows what runs", observation: .unknown(.make("TokenMissing")), obstacles: ["web: failure TokenMissing"]),
        Case(
            why: "another reconciler owns the field", observation: .make(live: "v3", blocker: .make("OwnedByArgo")),
            obstacles: ["web: decision OwnedByArgo"]),
        Case(
            why: "somebody's operation leads to the pin: adopted, not overlapped", observation: .make(live: "v3", operation: here),
            work: ["retreat/component/web"], action: "await", opens: true),
        Case(
            why: "somebody's operation leads elsewhere: waited for", observation: .make(live: "v3", operation: elsewhere),
            obstacles: ["web: waiting OperationInFlight"]),
        Case(
            why: "the pin is declared and an operation leads away from it: drift in flight",
            observation: .make(live: "v2", operation: elsewhere), obstacles: ["web: waiting OperationInFlight"]),
        Case(
            why: "nobody can tell where an operation leads: not overlapped", observation: .make(live: "v3", operation: nowhere),
            obstacles: ["web: waiting OperationInFlight"]),
        Case(
            why: "our write took effect: planned by what is observed", observation: .make(live: "v2", fate: .tookEffect),
            intent: .make("web", leadsTo: "v2")),
        Case(
            why: "our write is void: it may be sent again", observation: .make(live: "v3", fate: .void),
            intent: .make("web", leadsTo: "v2"), work: ["retreat/component/web"], action: "release", opens: true),
        Case(
            why: "our write is in flight: awaited", observation: .make(live: "v3", fate: .inFlight), intent: .make("web", leadsTo: "v2"),
            work: ["retreat/component/web"], action: "await", opens: true),
        Case(
            why: "our write to an earlier pin is in flight: not overlapped", observation: .make(live: "v3", fate: .inFlight),
            intent: .make("web", leadsTo: "v1"), obstacles: ["web: waiting OperationInFlight"]),
        Case(
            why: "our write may still take effect: never a second one", observation: .make(live: "v3", fate: .undecided("no trace")),
            intent: .make("web", leadsTo: "v2"), obstacles: ["web: waiting AnswerLost"]),
        Case(
            why: "the provider has not told what became of our write", observation: .make(live: "v3"),
            intent: .make("web", leadsTo: "v2"), obstacles: ["web: waiting AnswerLost"]),
        Case(
            why: "the pin is declared, but a write of ours may still change it",
            observation: .make(live: "v2", fate: .undecided("no trace")),
            intent: .make("web", leadsTo: "v3"), obstacles: ["web: waiting AnswerLost"]),
        Case(
            why: "only a rebuild is left, and it is not allowed", observation: .make(live: "v3", routes: [refused]),
            obstacles: ["web: decision Rebuild"]),
        Case(
            why: "the artifact is gone", observation: .make(live: "v3", routes: []), obstacles: ["web: decision ArtifactGone"]),
    ]

    @Test(arguments: cases) func everyStateHasItsAnswer(_ one: Case) {
        var recorded = RecordedState(isKnown: true)
        recorded.openIntents[.component("web")] = one.intent
        let plan = plan(
            .make([.make("web", pins: .name("v2"))]), revision: .make(), observed: .make(["web": one.observation]), recorded: recorded)
        #expect(plan.work == one.work)
        #expect(plan.obstacles == one.obstacles)
        #expect((plan.opening != nil) == one.opens)
        #expect(plan.ids.contains("guard/open") == one.opens)
        #expect(plan.ids.contains("finish/close") == one.opens)
        #expect(plan.ids.contains("preflight/component/web") == (one.action == "release"))
        if let id = one.work.first, let step = plan.step(id) {
            switch step.action {
            case .release: #expect(one.action == "release")
            case .await: #expect(one.action == "await")
            default: Issue.record("unexpected \(step.action)")
            }
        }
    }

    @Test func aComponentThatWasNotObservedIsUnknown() {
        let plan = plan(.make([.make("web", pins: .name("v2"))]), revision: .make(), observed: World(), recorded: RecordedState())
        #expect(plan.obstacles == ["web: failure NotObserved"])
    }

    @Test func aLostAnswerSaysWhatWasSentAndWhatIsWaitedFor() throws {
        var recorded = RecordedState(isKnown: true)
        recorded.openIntents[.component("web")] = .make("web", leadsTo: "v2")
        let observation = Observation.make(live: "v3", fate: .undecided("the provider shows nothing for 12 s"))
        let plan = plan(
            .make([.make("web", pins: .name("v2"))]), revision: .make(), observed: .make(["web": observation]), recorded: recorded)
        let problem = try #require(plan.blocked.first).problem
        #expect(
            problem.message
                == "component/web: the answer to instant rollback to v2 was lost, and it may still take effect: the provider shows nothing for 12 s"
        )
        #expect(problem.next == "run again in a while; nothing is sent a second time until the provider shows what became of it")
    }
}
