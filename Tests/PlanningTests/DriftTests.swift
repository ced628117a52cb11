import JSONValues
import Model
import Planning
import Testing

/// When what is declared counts as somebody else's doing.
@Suite struct DriftTests {
    static let web = ResourceID.component("web")

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var pin = "v2"
        /// Nil: nothing has ever run there.
        var live: String? = "v3"
        var isUnknown = false
        var fate: IntentFate?
        var intent: String?
        var recorded: RecordedState
        /// `found instead of expected`; nil when it is no drift.
        var drift: String?
        var testDescription: String { why }
    }

    /// The pin was `v2`, and that was reached.
    static func reached(_ more: String..., as resolved: String? = "v2", isKnown: Bool = true, scope: String? = nil) -> RecordedState {
        RecordedState(
            isKnown: isKnown, releases: [web: (["v1", "v2"] + more).map { .make($0) }],
            resolutions: resolved.map { [web: .make($0, of: scope)] } ?? [:])
    }

    static func moving(from start: [String: String], to target: [String: String]) -> RecordedState {
        var recorded = reached("v1")
        recorded.resolutions[web] = target["web"].map { .make($0) }
        recorded.transition = .make(start: start, target: target)
        return recorded
    }

    static let cases = [
        Case(why: "something else is live than what was reached", recorded: reached(), drift: "v3 instead of v2"),
        Case(why: "the pin is live", live: "v2", recorded: reached()),
        Case(why: "before the first contact nothing is expected", recorded: reached(isKnown: false)),
        Case(why: "nobody knows what is live", isUnknown: true, recorded: reached()),
        Case(why: "nothing is live", live: nil, recorded: reached()),
        Case(why: "the pin has moved, and what was reached is live", pin: "v1", live: "v2", recorded: reached()),
        Case(why: "the pin has moved, and something third is live", pin: "v1", recorded: reached(), drift: "v3 instead of v2"),
        Case(why: "the pin has moved to what somebody made live", pin: "v3", recorded: reached()),
        Case(why: "it was never resolved", recorded: reached(as: nil)),
        Case(why: "it was resolved for another target", recorded: reached(scope: "elsewhere")),
        Case(why: "it was resolved for this target", recorded: reached(scope: "web"), drift: "v3 instead of v2"),
        Case(why: "it was resolved and never reached: another one was the last", recorded: reached("v1")),
        Case(
            why: "a write of ours is under way, and what is seen is its trace", fate: .inFlight, intent: "v2", recorded: reached()),
        Case(why: "a write of ours has had an effect", fate: .tookEffect, intent: "v2", recorded: reached()),
        Case(
            why: "a write of ours has left no trace: what is live is not ours", fate: .void, intent: "v2", recorded: reached(),
            drift: "v3 instead of v2"),
        Case(
            why: "a write of ours may still appear: what is live is not ours", fate: .undecided("no trace"), intent: "v2",
            recorded: reached(), drift: "v3 instead of v2"),
        Case(why: "on the way: where it began is live", live: "v1", recorded: moving(from: ["web": "v1"], to: ["web": "v2"])),
        Case(why: "on the way: where it leads is live", live: "v2", recorded: moving(from: ["web": "v1"], to: ["web": "v2"])),
        Case(
            why: "on the way: something third is live", recorded: moving(from: ["web": "v1"], to: ["web": "v2"]), drift: "v3 instead of v2"),
        Case(
            why: "on the way, and the pin has moved: where it led is live", pin: "v1", live: "v2",
            recorded: moving(from: ["web": "v3"], to: ["web": "v2"])),
        Case(
            why: "on the way, and in place when it began: nothing tells what was there",
            recorded: moving(from: [:], to: ["web": "v2"])),
        Case(
            why: "a way of other components: what was reached counts",
            recorded: {
                var recorded = reached()
                recorded.transition = .make(start: ["api": "v1"], target: ["api": "v2"])
                return recorded
            }(), drift: "v3 instead of v2"),
    ]

    @Test(arguments: cases)
    func whatSomebodyElseChangedIsDrift(case example: Case) {
        let plan = Self.plan(example)
        #expect(plan.drifts.map { "\($0.found) instead of \($0.expected)" } == (example.drift.map { [$0] } ?? []))
        #expect(plan.drifts.allSatisfy { $0.resource == Self.web && $0.identity == .make("v3") && $0.cause == "push by ann" })
    }

    static func plan(_ example: Case) -> Plan {
        var recorded = example.recorded
        recorded.openIntents[web] = example.intent.map { .make("web", leadsTo: $0) }
        return Planning.plan(
            .make([.make("web", pins: .name(example.pin))]), revision: .make(),
            observed: .make([
                "web": example.isUnknown
                    ? .unknown(.make()) : .make(live: example.live, fate: example.fate, cause: "push by ann")
            ]), recorded: recorded)
    }

    @Test func driftStandsOnTopOfThePlan() {
        let plan = Self.plan(Self.cases[0])
        let sentence = "component/web: v3 is live instead of v2: push by ann"
        #expect(plan.text(colour: false).hasPrefix("Plan for default/shop at aaaaaaaaaaaa\ndrift: \(sentence)\n\n 1 preflight\n"))
        #expect(plan.markdown.contains("\n- **Drift:** \(sentence)\n"))
        #expect(
            plan.json["drifts"] == [
                [
                    "resource": "component/web", "expected": "v2", "found": "v3", "identity": "image:v3", "cause": "push by ann",
                ]
            ])
        var drift = plan.drifts[0]
        drift.cause = nil
        #expect(drift.sentence == "component/web: v3 is live instead of v2, and nobody tells who did it")
    }
}
