import Model
import Planning
import Testing

@Suite struct PinProblemTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var pin: Pin
        var among: [String]
        var message: String
        var next: String
        var testDescription: String { why }
    }

    static let cases: [Case] = [
        Case(
            why: "the newest few are offered, and how many more there are", pin: .name("release"), among: ["v5", "v4", "v3", "v2", "v1"],
            message: "component/web: no release is called release", next: "pin one of: v5, v4, v3 and 2 more"),
        Case(
            why: "a typo is met with the name that was meant", pin: .name("v1.41.2x"), among: ["v1.42.0", "v1.41.2"],
            message: "component/web: no release is called v1.41.2x",
            next: "did you mean v1.41.2? Else pin one of: v1.42.0, v1.41.2"),
        Case(
            why: "too short a commit is told so", pin: .commit("3f2"), among: ["release-one"],
            message: "component/web: no release is called commit 3f2",
            next: "give at least seven digits of the commit; pin one of: release-one"),
        Case(
            why: "a component that never had a release", pin: .name("v1"), among: [],
            message: "component/web: there is no release v1, because the provider lists none",
            next: "deploy the component once, then pin that release"),
    ]

    @Test(arguments: cases) func anUnresolvedPinSaysWhatThereIs(_ one: Case) throws {
        let live: String? = nil
        let plan = plan(
            .make([.make("web", pins: one.pin)]), revision: .make(), observed: .make(["web": .make(live: live, among: one.among)]),
            recorded: RecordedState())
        let blocked = try #require(plan.blocked(.component("web")))
        #expect(blocked.kind == .failure)
        #expect(blocked.problem.reason == "PinNotFound")
        #expect(blocked.problem.message == one.message)
        #expect(blocked.problem.next == one.next)
        #expect(plan.steps.isEmpty)
        #expect(plan.resolutions.isEmpty)
    }

    @Test func anAmbiguousPinListsWhatItCouldMean() {
        var observation = Observation.make(live: "v1")
        observation.candidates = [
            Candidate(.make("new", names: [ReleaseName(.image, "stable", denotes: .make("2"))]), routes: [.make()]),
            Candidate(.make("old", names: [ReleaseName(.image, "stable", denotes: .make("1"))]), routes: [.make()]),
        ]
        let plan = plan(
            .make([.make("web", pins: .name("stable"))]), revision: .make(), observed: .make(["web": observation]),
            recorded: RecordedState())
        #expect(
            plan.blocked == [
                Blocked(
                    .component("web"), .failure,
                    Problem(
                        "PinAmbiguous", "component/web: stable denotes several releases: new, old", next: "pin one of them by its own id"))
            ])
    }

    @Test func onlyReleasesThatAWayLeadsToAreOffered() {
        var observation = Observation.make(live: "v1")
        observation.candidates = [
            Candidate(.make("failed-build"), routes: [.make(refusal: .make())]), Candidate(.make("gone"), routes: [], gone: .make()),
            Candidate(.make("v1"), routes: [.make()]),
        ]
        let plan = plan(
            .make([.make("web", pins: .name("zzzzzz"))]), revision: .make(), observed: .make(["web": observation]),
            recorded: RecordedState())
        #expect(plan.blocked.first?.problem.next == "pin one of: v1")
    }

    @Test func theLiveReleaseResolvesItsPinThoughTheProviderDidNotListIt() {
        let plan = plan(
            .make([.make("web", pins: .name("v1"))]), revision: .make(), observed: .make(["web": .make(live: "v1", among: [])]),
            recorded: RecordedState())
        #expect(plan.isInSync)
        #expect(plan.resolutions == [.component("web"): .make("v1", of: "web")])
    }
}

@Suite struct PinMemoryTests {
    let web = ResourceID.component("web")
    let system = System.make([.make("web", pins: .name("stable"))])

    /// `stable` denotes v2 now; v1 is the artifact that it denoted.
    func moved(live: String) -> World {
        var observation = Observation.make(live: live, among: ["v2", "v1"])
        observation.candidates[0].release.names.append(ReleaseName(.image, "stable", denotes: .make("v2")))
        return .make(["web": observation])
    }

    func known(_ version: String, at revision: Revision) -> Resolution { .make(version, pin: .name("stable"), revision: revision) }

    static let note =
        "component/web: stable denotes image:v2 (v2) now; it was resolved to image:v1 at aaaaaaaaaaaa. "
        + "The move is reported, not followed: pin v2 to go there"

    @Test func aTagThatMovedIsReportedAndNotFollowed() {
        let recorded = RecordedState(isKnown: true, resolutions: [web: known("v1", at: .make())])
        for revision in [Revision.make(), .make("bbbbbbbbbbbb")] {
            let plan = plan(system, revision: revision, observed: moved(live: "v1"), recorded: recorded)
            #expect(plan.isInSync)
            #expect(plan.notes == [Self.note])
            #expect(plan.resolutions[web] == known("v1", at: revision))
        }
    }

    @Test func goingBackToAnOldPinGoesBackToItsArtifactThoughItsTagMoved() throws {
        var record = ReleaseRecord.make("v1")
        record.resolution = known("v1", at: .make())
        let recorded = RecordedState(isKnown: true, releases: [web: [record]], resolutions: [web: .make("v2")])
        let plan = plan(system, revision: .make("bbbbbbbbbbbb"), observed: moved(live: "v2"), recorded: recorded)
        guard case .release(let change) = try #require(plan.step("retreat/component/web")).action else {
            Issue.record("expected a release")
            return
        }
        #expect(change.to.label == "v1")
        #expect(plan.notes == [Self.note])
    }

    @Test func aPinThatTheProviderNoLongerListsKeepsItsMeaning() {
        let recorded = RecordedState(isKnown: true, resolutions: [web: known("v1", at: .make())])
        let plan = plan(
            system, revision: .make("bbbbbbbbbbbb"), observed: .make(["web": .make(live: "v1", among: [])]), recorded: recorded)
        #expect(plan.isInSync)
        #expect(plan.notes.isEmpty)
    }

    @Test func anotherPinIsResolvedAnew() {
        let recorded = RecordedState(isKnown: true, resolutions: [web: .make("v1")])
        let plan = plan(system, revision: .make(), observed: moved(live: "v2"), recorded: recorded)
        #expect(plan.isInSync)
        #expect(plan.resolutions[web] == .make("v2", pin: .name("stable"), of: "web"))
    }

    @Test func whatAPinMeantForAnotherTargetIsForgotten() {
        var earlier = known("v1", at: .make())
        earlier.scope = "fake/another-container"
        var record = ReleaseRecord.make("v1")
        record.resolution = earlier
        let recorded = RecordedState(isKnown: true, releases: [web: [record]], resolutions: [web: earlier])
        for revision in [Revision.make(), .make("bbbbbbbbbbbb")] {
            let plan = plan(system, revision: revision, observed: moved(live: "v2"), recorded: recorded)
            #expect(plan.isInSync, "stable is v2 here: v1 was what it meant in the other container")
            #expect(plan.resolutions[web]?.identity == .make("v2"))
            #expect(plan.resolutions[web]?.scope == system.components[0].target.scope)
        }
    }

    @Test func aWriteToAnotherTargetIsNotWaitedFor() {
        var intent = Intent.make("web", leadsTo: "v1")
        intent.resolution.scope = "vercel/acme/shop"
        let recorded = RecordedState(isKnown: true, openIntents: [web: intent])
        #expect(plan(system, revision: .make(), observed: moved(live: "v2"), recorded: recorded).isInSync)
    }

    @Test func aReleaseUnderANewIdIsTheSameArtifact() {
        let recorded = RecordedState(isKnown: true, resolutions: [web: known("v1", at: .make())])
        var observation = Observation.make(live: "v2")
        observation.live = .release(declared: .make("copy", lineage: [.make("v1")]), serving: [])
        #expect(plan(system, revision: .make(), observed: .make(["web": observation]), recorded: recorded).isInSync)
    }

    @Test func whatTheSpecDoesNotNameHasNoMeaning() {
        let recorded = RecordedState(isKnown: true, resolutions: [web: known("v1", at: .make()), .component("gone"): .make("v1")])
        let plan = plan(system, revision: .make(), observed: .make(["web": .make(live: "v1")]), recorded: recorded)
        #expect(plan.resolutions.keys.map(\.name) == ["web"])
    }
}
