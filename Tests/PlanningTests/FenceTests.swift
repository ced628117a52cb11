import Model
import Planning
import Testing

/// When an automation is switched off, and when it is brought back.
@Suite struct FenceTests {
    static let web = ResourceID.component("web")

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        /// What is live; the pin is `v2`.
        var live = "v1"
        var automation: Automation? = .make()
        var isFenced = true
        /// Whether Belay has put a fence up before.
        var isUp = false
        var fenceProvider = "place"
        var fenceName = "autoDeploy"
        var blocker: Problem?
        var transition: Transition?
        /// Every step but preflight: `guard/fence raise commit no`.
        var steps: [String]
        var testDescription: String { why }
    }

    static let guarded = "guard/component/web/fence raise commit no"
    static let kept = "finish/component/web/fence raise no no"
    static let change = ["guard/open", "advance/component/web", "finish/close"]

    static let cases = [
        Case(
            why: "it is up before the first write, and looked at again at the end",
            steps: ["guard/open", guarded, "advance/component/web", kept, "finish/close"]),
        Case(why: "what is not acted on is not fenced", live: "v2", steps: []),
        Case(why: "what the spec does not want fenced is not", isFenced: false, steps: change),
        Case(why: "what has no switch is only watched", automation: .make(off: nil), steps: change),
        Case(why: "what deploys nothing by itself needs no fence", automation: nil, steps: change),
        Case(
            why: "what is off already is seen to at the end alone: the way may switch it on", automation: .make("no"),
            steps: ["guard/open", "advance/component/web", "finish/component/web/fence raise no no", "finish/close"]),
        Case(why: "what is blocked is not fenced", blocker: .make("Owned"), steps: []),
        Case(why: "one that is up and stays so needs nothing", live: "v2", automation: .make("no"), isUp: true, steps: []),
        Case(why: "one that somebody took down is put up again", live: "v2", isUp: true, steps: [guarded]),
        Case(
            why: "one that somebody took down is put up again once, though the release changes", isUp: true,
            steps: ["guard/open", guarded, "advance/component/web", kept, "finish/close"]),
        Case(
            why: "one that somebody took down is put up again where the release is blocked", isUp: true, blocker: .make("Owned"),
            steps: [guarded]),
        Case(
            why: "one that the spec does not want any more is taken down", live: "v2", automation: .make("no"), isFenced: false, isUp: true,
            steps: ["finish/component/web/fence lower no commit"]),
        Case(
            why: "one that the spec does not want any more is taken down after the release", automation: .make("no"), isFenced: false,
            isUp: true, steps: ["guard/open", "advance/component/web", "finish/component/web/fence lower no commit", "finish/close"]),
        Case(why: "a fence of another provider is none of this component", live: "v2", isUp: true, fenceProvider: "vercel", steps: []),
        Case(why: "a fence of another switch is none of this one", live: "v2", isUp: true, fenceName: "autoAssign", steps: []),
        Case(
            why: "what an interrupted way has switched on is switched off", live: "v2",
            transition: .make(start: ["web": "v1"], target: ["web": "v2"], directions: ["web": .advance]), steps: [guarded, "finish/close"]),
        Case(
            why: "what an open transition had nothing to do with is left alone", live: "v2",
            transition: .make(target: ["web": "v2"]), steps: ["finish/close"]),
    ]

    @Test(arguments: cases)
    func aFenceIsRaisedKeptAndLowered(case example: Case) {
        let plan = Self.plan(example)
        let steps = plan.steps.filter { $0.phase != .preflight }.map { step -> String in
            guard case .fence(let change) = step.action else { return step.id }
            return "\(step.id) \(change.purpose.rawValue) \(change.from) \(change.to)"
        }
        #expect(steps == example.steps)
    }

    static func plan(_ example: Case) -> Plan {
        var recorded = RecordedState(isKnown: true, transition: example.transition)
        if example.isUp {
            var fence = Fence.make()
            (fence.provider, fence.name) = (example.fenceProvider, example.fenceName)
            recorded.fences[web] = fence
        }
        return Planning.plan(
            .make([.make("web", pins: .name("v2"), isFenced: example.isFenced)]), revision: .make(),
            observed: .make([
                "web": .make(live: example.live, among: ["v2", "v1"], blocker: example.blocker, automation: example.automation)
            ]), recorded: recorded)
    }

    @Test func nothingIsWrittenBeforeTheFenceIsUpAndNothingClosesBeforeItIsSeen() {
        let plan = Self.plan(Case(why: "", steps: []))
        #expect(plan.step("guard/component/web/fence")?.after == ["guard/open"])
        #expect(plan.step("advance/component/web")?.after == ["guard/open", "guard/component/web/fence"])
        #expect(plan.step("finish/component/web/fence")?.after == ["advance/component/web"])
        #expect(plan.step("finish/close")?.after == ["advance/component/web", "finish/component/web/fence"])
    }

    @Test func aFenceReadsWell() {
        func summaries(_ example: Case) -> [String] {
            Self.plan(example).steps.filter { $0.action.isFence }.flatMap { [$0.summary] + $0.details }
        }
        #expect(
            summaries(Case(why: "", steps: [])) == [
                "web: fence: switch autoDeploy off (commit to no)", "it deploys every push to main",
                "web: fence: see that autoDeploy is no",
            ])
        #expect(
            summaries(Case(why: "", live: "v2", automation: .make("no"), isFenced: false, isUp: true, steps: [])) == [
                "web: take the fence down: bring autoDeploy back to commit"
            ])
    }

    /// One that cannot be observed may have any automation.
    @Test func aFenceOfAComponentThatIsNotInTheSpecAnyMoreIsTold() {
        var recorded = RecordedState(isKnown: true)
        recorded.fences[.component("docs")] = Fence(
            name: "autoDeploy", previous: "commit", set: "no", target: "", provider: "place")
        let plan = Planning.plan(System.make([]), revision: Revision.make(), observed: World(), recorded: recorded)
        #expect(plan.isInSync)
        #expect(
            plan.notes == [
                "component/docs is not in the spec any more, and its fence is still up (autoDeploy was commit); reconcile forget docs takes it down"
            ])
    }

    @Test func whatIsUnknownIsNotFenced() {
        var recorded = RecordedState(isKnown: true)
        recorded.fences[Self.web] = .make()
        for isFenced in [true, false] {
            let plan = Planning.plan(
                .make([.make("web", pins: .name("v2"), isFenced: isFenced)]), revision: .make(),
                observed: .make(["web": .unknown(.make())]), recorded: recorded)
            #expect(plan.steps.isEmpty)
        }
    }
}
