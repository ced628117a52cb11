import Execution
import Model
import Planning
import ProviderKit
import State
import TestDoubles
import Testing

/// Ways of several writes, with configuration and fences along them.
struct PartsTests {
    private let web = ResourceID.component("web")

    @Test func eachPartIsAnIntentOfItsOwnAndTheEndIsOneRelease() async {
        let fleet = Fleet(FakeFleet())
        let result = await fleet.pass()
        #expect(result.verdict == .converged)
        #expect(fleet.world.now.machines == ["v2", "v2", "v2"])
        #expect(
            fleet.session.kinds == [
                "opened", "fence", "fence", "intent", "receipt accepted", "receipt tookEffect", "intent", "receipt accepted",
                "receipt tookEffect", "intent", "receipt accepted", "receipt tookEffect", "reached", "closed",
            ])
        #expect(fleet.session.state.openIntents.isEmpty)
    }

    @Test func keysAreSetBeforeTheReleaseAndEachMachineIsTouchedOnce() async {
        let fleet = Fleet(FakeFleet(.init(settings: ["PLAIN": "old", "OTHER": "stays"])), values: ["PLAIN": "newer", "SECRET_A": "s"])
        let result = await fleet.pass()
        #expect(result.verdict == .converged)
        #expect(fleet.world.parts == ["automation off", "set PLAIN", "set SECRET_A", "machine 0", "machine 1", "machine 2"])
        #expect(fleet.world.now.running.allSatisfy { $0 == ["PLAIN": "newer", "SECRET_A": "s", "OTHER": "stays"] })
        let again = await fleet.pass()
        #expect(again.steps.isEmpty, "what cannot be read back is known by its mark")
    }

    @Test func aChangeOfOneKeyAloneRestartsEachMachineOnce() async {
        let fleet = Fleet(FakeFleet(.init(machines: ["v2", "v2"], settings: ["PLAIN": "old"])), values: ["PLAIN": "newer"])
        let plan = await fleet.planned()
        #expect(plan.steps.contains { $0.summary == "web: set PLAIN of v2 (machine by machine)" })
        #expect(plan.steps.flatMap(\.details).contains("configuration: PLAIN is changed"))
        let result = await fleet.pass()
        #expect(result.verdict == .converged)
        #expect(fleet.world.parts == ["automation off", "set PLAIN", "machine 0", "machine 1"])
    }

    @Test func aSecretThatSomebodyElseChangedIsSetOnceMore() async {
        let fleet = Fleet(FakeFleet(.init(machines: ["v2"])), values: ["SECRET_A": "s"])
        _ = await fleet.pass()
        fleet.world.now.settings["SECRET_A"] = "somebody's"
        fleet.world.now.versions["SECRET_A"] = 7
        fleet.world.now.effects = []
        let result = await fleet.pass()
        #expect(result.verdict == .converged)
        #expect(fleet.world.now.settings["SECRET_A"] == "s")
        #expect(fleet.world.parts.filter { $0.hasPrefix("set") }.count == 1)
        #expect(await fleet.pass().steps.isEmpty)
    }

    @Test func keysThatTheSpecDoesNotNameAreRemovedOnlyIfItSaysSo() async {
        let settings = ["PLAIN": "newer", "OTHER": "x"]
        let lenient = Fleet(FakeFleet(.init(machines: ["v2"], settings: settings)), values: ["PLAIN": "newer"])
        #expect(await lenient.pass().steps.isEmpty)
        let exact = Fleet(FakeFleet(.init(machines: ["v2"], settings: settings)), values: ["PLAIN": "newer"], isExact: true)
        _ = await exact.pass()
        #expect(exact.world.now.settings == ["PLAIN": "newer"])
    }

    @Test func theConfigurationIsRecordedWithTheReleaseWithoutAnyValue() async {
        let fleet = Fleet(FakeFleet(), values: ["PLAIN": "a plain value", "SECRET_A": "a secret value"])
        let result = await fleet.pass()
        let recorded = result.state.releases[web]?.last?.configuration
        #expect(recorded?.keys.sorted() == ["PLAIN", "SECRET_A"])
        #expect(recorded?["SECRET_A"] == ConfigurationEntry(fingerprint: "SECRET_A/14", marker: "1", ran: true))
        #expect(!"\(fleet.session.written)".contains("value\""))
        #expect(!"\(fleet.session.written)".contains("a secret"))
    }

    @Test func whatHasChangedSinceTheReleaseWasRecordedIsToldAndLeftAlone() async {
        let fleet = Fleet(FakeFleet(.init(settings: ["PLAIN": "1", "OTHER": "then"])), values: ["PLAIN": "1"], release: "v1")
        await fleet.recordBaseline()
        fleet.release = "v2"
        _ = await fleet.pass()
        fleet.world.now.settings["OTHER"] = "now, and longer"
        fleet.world.now.settings["MORE"] = "x"
        fleet.release = "v1"
        let plan = await fleet.planned()
        let details = plan.steps.flatMap(\.details)
        #expect(details.contains("configuration: OTHER has been changed since v1 was recorded; it stays as it is"))
        #expect(details.contains("configuration: MORE has been added since v1 was recorded; it stays as it is"))
        _ = await fleet.pass()
        #expect(fleet.world.now.settings["OTHER"] == "now, and longer")
    }

    // MARK: Fences

    @Test func theFenceIsUpBeforeTheFirstWriteAndItsPreviousValueIsRecorded() async {
        let fleet = Fleet(FakeFleet())
        let result = await fleet.pass()
        #expect(fleet.world.parts.first == "automation off")
        #expect(result.state.fences[web]?.previous == "on")
        #expect(result.outcome(of: "guard/component/web/fence") == .succeeded("autoDeploy is off"))
        #expect(result.outcome(of: "finish/component/web/fence") == .succeeded("autoDeploy is off"))
    }

    @Test func nothingThatHasToBeUndoneIsDoneBeforeItIsPromisedThatItWillBe() async {
        let fleet = Fleet(FakeFleet())
        let refusal = Problem("ObjectNotHeld", "shop: its object cannot be made to stay")
        let refused = await fleet.pass(promise: { refusal })
        #expect(refused.outcome(of: "guard/open") == .undecided(refusal))
        #expect(fleet.world.parts.isEmpty && fleet.session.kinds.isEmpty)
        let asked = Counter()
        let result = await fleet.pass(promise: {
            _ = asked.next()
            return nil
        })
        #expect(result.verdict == .converged && fleet.world.parts.first == "automation off")
        #expect(asked.next() == 2, "one promise is for the whole pass")
    }

    @Test func aFenceThatIsPutUpAgainAloneNeedsThePromiseToo() async {
        let fleet = Fleet(FakeFleet())
        _ = await fleet.pass()
        fleet.world.now.automation = "on"
        let refusal = Problem("ObjectNotHeld", "shop: its object cannot be made to stay")
        #expect(await fleet.pass(promise: { refusal }).outcome(of: "guard/component/web/fence") == .undecided(refusal))
        #expect(fleet.world.now.automation == "on")
    }

    @Test func whatNeedsNoUndoingAsksForNoPromise() async {
        let fleet = Fleet(FakeFleet())
        _ = await fleet.pass()
        let asked = Counter()
        _ = await fleet.pass(promise: {
            _ = asked.next()
            return nil
        })
        #expect(asked.next() == 1)
    }

    @Test func withoutAFenceTheAutomationIsLeftAlone() async {
        let fleet = Fleet(FakeFleet(), isFenced: false)
        _ = await fleet.pass()
        #expect(fleet.world.now.automation == "on")
        #expect(fleet.session.state.fences.isEmpty)
    }

    @Test func aComponentThatIsNotActedOnIsNotFenced() async {
        let fleet = Fleet(FakeFleet(.init(machines: ["v2"])))
        #expect(await fleet.pass().steps.isEmpty)
        #expect(fleet.world.now.automation == "on")
    }

    @Test func aFenceThatSomebodySwitchedOnAgainIsPutUpAgain() async {
        let fleet = Fleet(FakeFleet())
        _ = await fleet.pass()
        fleet.world.now.automation = "on"
        let result = await fleet.pass()
        #expect(result.steps.map(\.step.id) == ["guard/component/web/fence"])
        #expect(fleet.world.now.automation == "off")
        #expect(result.state.fences[web]?.previous == "on")
    }

    @Test func aWriteThatSwitchesTheAutomationOnAgainDoesNotLeaveItOn() async {
        let fleet = Fleet(FakeFleet(afterwards: { number, state in if number == 3 { state.automation = "on" } }))
        let result = await fleet.pass()
        #expect(result.verdict == .converged)
        #expect(fleet.world.now.automation == "off")
    }

    @Test func anAutomationThatWasOffBeforeOurOwnWriteSwitchedItOnStaysOffInTheEnd() async {
        let fleet = Fleet(FakeFleet(afterwards: { number, state in if number == 3 { state.automation = "on" } }))
        fleet.world.now.automation = "off"
        #expect(await fleet.pass().verdict == .converged)
        #expect(fleet.world.now.automation == "off")
        #expect(fleet.session.state.fences[web]?.previous == "off", "that is what was there before Belay came")
    }

    @Test func aFenceThatTheSpecNoLongerWantsIsTakenDown() async {
        let fleet = Fleet(FakeFleet())
        _ = await fleet.pass()
        fleet.isFenced = false
        let result = await fleet.pass()
        #expect(result.steps.map(\.step.id) == ["finish/component/web/fence"])
        #expect(fleet.world.now.automation == "on")
        #expect(result.state.fences.isEmpty)
        #expect(await fleet.pass().steps.isEmpty)
    }

    @Test func aFenceWhoseValueSomebodyChangedIsForgottenAndNotTouched() async {
        let fleet = Fleet(FakeFleet())
        _ = await fleet.pass()
        fleet.isFenced = false
        fleet.world.now.automation = "after checks"
        fleet.world.now.effects = []
        let result = await fleet.pass()
        #expect(fleet.world.now.effects.isEmpty)
        #expect(fleet.world.now.automation == "after checks")
        #expect(result.state.fences.isEmpty)
    }

    struct Earlier: Sendable, CustomTestStringConvertible {
        var why: String
        var target: String
        var automation = "off"
        var isFenced = false
        var step: String
        var how: String
        var ends: String
        var testDescription: String { why }
    }

    static let left =
        "its fence at the target that it had before (fake) is left there: autoDeploy stays off; before, it was on"

    @Test(arguments: [
        Earlier(
            why: "the target is written otherwise, and is the same", target: #"{"identity":"web","note":"x"}"#,
            step: "finish/component/web/fence", how: "autoDeploy is on", ends: "on"),
        Earlier(
            why: "the target was another: what is here was not ours", target: #"{"identity":"old"}"#,
            step: "finish/component/web/fence", how: left, ends: "off"),
        Earlier(
            why: "nobody can read where it was", target: "?", step: "finish/component/web/fence", how: left, ends: "off"),
        Earlier(
            why: "a new fence takes the place of an earlier target's, which is told", target: #"{"identity":"old"}"#, automation: "on",
            isFenced: true, step: "guard/component/web/fence", how: "autoDeploy is off; \(left)", ends: "off"),
        Earlier(
            why: "it was taken down, and the process died before that was recorded", target: #"{"identity":"web"}"#, automation: "on",
            step: "finish/component/web/fence", how: "autoDeploy is on already", ends: "on"),
    ])
    func aFenceBelongsToItsTarget(case example: Earlier) async throws {
        let fleet = Fleet(FakeFleet(.init(machines: ["v2"])), isFenced: example.isFenced)
        fleet.world.now.automation = example.automation
        let fence = Fence(name: "autoDeploy", previous: "on", set: "off", target: example.target, provider: "fake")
        try await fleet.session.append(.fence(.init(web, .raised, fence)), at: .example)
        let result = await fleet.pass()
        #expect(result.outcome(of: example.step) == .succeeded(example.how))
        #expect(fleet.world.now.automation == example.ends)
        #expect(result.state.fences.isEmpty == !example.isFenced)
        #expect(await fleet.pass().steps.isEmpty, "it ends")
    }

    // MARK: Crashes

    /// Dying at any boundary, the next passes touch each machine once and write each key once. Only a key that cannot be read back and whose
    /// answer nobody saw is written again, because nothing can tell that it is set.
    @Test(arguments: [false, true])
    func diedAnywhereTheNextPassesEndInTheSameWorld(losesAnswers: Bool) async {
        func life(dyingAt boundary: Int?) async -> (Fleet, boundaries: Int) {
            let fleet = Fleet(
                FakeFleet(.init(settings: ["PLAIN": "old"]), losesAnswers: losesAnswers), values: ["PLAIN": "newer", "SECRET_A": "s"])
            let death = Death(at: boundary)
            var result = await fleet.pass(death)
            for _ in 0..<6 where result.verdict != .converged || boundary != nil && result.state.transition != nil {
                result = await fleet.pass()
            }
            #expect(result.verdict == .converged, "died at \(boundary ?? 0)")
            return (fleet, death.count)
        }
        let (clean, boundaries) = await life(dyingAt: nil)
        #expect(boundaries >= 30)
        for boundary in 1...boundaries {
            let (fleet, _) = await life(dyingAt: boundary)
            #expect(fleet.world.now.machines == ["v2", "v2", "v2"], "died at \(boundary)")
            #expect(fleet.world.now.running == clean.world.now.running, "died at \(boundary)")
            #expect(fleet.world.now.automation == "off", "died at \(boundary)")
            #expect(fleet.session.state.fences[web]?.previous == "on", "died at \(boundary)")
            let machines = fleet.world.parts.filter { $0.hasPrefix("machine") }
            #expect(machines == ["machine 0", "machine 1", "machine 2"], "died at \(boundary): \(fleet.world.parts.prefix(20))")
            #expect(fleet.world.parts.filter { $0 == "set PLAIN" }.count == 1, "died at \(boundary)")
            #expect(await fleet.pass().steps.isEmpty, "died at \(boundary)")
        }
    }

    // MARK: Drift

    @Test func whatSomebodyElseDeployedIsDriftWithItsCause() async {
        let fleet = Fleet(FakeFleet())
        _ = await fleet.pass()
        fleet.world.now.machines = ["v3", "v3", "v3"]
        fleet.world.now.cause = "push of 9f2c1ab"
        let plan = await fleet.planned()
        #expect(
            plan.drifts == [
                Drift(
                    resource: web, expected: "v2", found: "v3", identity: ArtifactIdentity(.image, "v3"), cause: "push of 9f2c1ab")
            ])
        _ = await fleet.pass()
        #expect(fleet.world.now.machines == ["v2", "v2", "v2"])
        #expect(await fleet.planned().drifts.isEmpty)
    }

    @Test func whatIsDeployedInTheMiddleOfARollbackIsOneDriftAndTheEndIsThePin() async {
        let fleet = Fleet(FakeFleet(afterwards: { number, state in if number == 2 { state.machines = ["v3", "v3", "v3"] } }))
        var drifts: Set<String> = []
        var verdict: PassResult.Verdict?
        for _ in 0..<5 where verdict != .converged {
            drifts.formUnion(await fleet.planned().drifts.map(\.found))
            verdict = await fleet.pass().verdict
        }
        #expect(verdict == .converged)
        #expect(fleet.world.now.machines == ["v2", "v2", "v2"])
        #expect(drifts == ["v3"])
        #expect(await fleet.pass().steps.isEmpty)
    }

    @Test func ourOwnWayFromTheStartToTheTargetIsNoDrift() async {
        let fleet = Fleet(FakeFleet(), release: "v1")
        await fleet.recordBaseline()
        fleet.release = "v2"
        #expect(await fleet.planned().drifts.isEmpty)
    }
}
