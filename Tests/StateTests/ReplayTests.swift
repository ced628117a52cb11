import Model
import State
import Testing

struct ReplayTests {
    private let web = ResourceID.component("web")

    private func state(_ entries: JournalEntry...) -> RecordedState {
        var state = RecordedState()
        for entry in entries { state.apply(entry) }
        return state
    }

    @Test func nothingIsKnownBeforeTheFirstEntry() {
        #expect(RecordedState(replaying: []) == RecordedState())
    }

    @Test func anAcceptanceIsTheBaseline() {
        let state = state(oneOfEach[0])
        #expect(state.isKnown)
        #expect(state.accepted == .make("1"))
        #expect(state.resolutions[web] == .make("v1"))
        #expect(state.releases[web]?.map(\.quality) == [.servedUnverified])
    }

    @Test func whatWasWrittenOfAConfigurationIsKnownUntilTheReleaseIsRecordedWithIt() {
        let written = ["A": ConfigurationEntry(fingerprint: "1", marker: "m")]
        let afterReceipt = state(.receipt(.init(.make(), .accepted, configuration: written)))
        #expect(afterReceipt.configurations[web] == written)
        var record = ReleaseRecord.make()
        record.configuration = ["A": ConfigurationEntry(fingerprint: "1", marker: "m"), "B": ConfigurationEntry(fingerprint: "2")]
        let afterRecord = state(
            .receipt(.init(.make(), .accepted, configuration: written)), .reached(.init(web, record)), .reached(.init(web, .make())))
        #expect(afterRecord.configurations[web] == record.configuration, "a record without one forgets nothing")
    }

    @Test func aFenceIsKnownFromBeforeItIsUpUntilItIsDown() {
        #expect(state(.fence(.init(web, .raising, .make()))).fences[web] == .make())
        #expect(state(.fence(.init(web, .raised, .make())), .fence(.init(web, .lowering, .make()))).fences[web] == .make())
        #expect(state(.fence(.init(web, .raised, .make())), .fence(.init(web, .lowered, .make()))).fences[web] == nil)
    }

    @Test func aDriftIsRememberedUntilThePinIsReachedAgain() {
        #expect(state(.drift(.make())).drifts[web] == .make())
        #expect(state(.drift(.make()), .reached(.init(web, .make()))).drifts[web] == nil)
    }

    @Test func openingATransitionAcceptsItsRevision() {
        let state = state(oneOfEach[1])
        #expect(state.isKnown)
        #expect(state.accepted == .make())
        #expect(state.transition?.obligations == [.check(web)])
    }

    @Test(arguments: JournalEntry.Receipt.Ending.allCases)
    func aReceiptClosesTheIntentUnlessTheEffectIsStillToBeSeen(ending: JournalEntry.Receipt.Ending) {
        let state = state(.intent(.make()), .receipt(.init(.make(), ending)))
        #expect((state.openIntents[web] != nil) == (ending == .accepted || ending == .unknown))
    }

    @Test func theReceiptOfAnotherIntentClosesNothing() {
        #expect(state(.intent(.make("i2")), .receipt(.init(.make("i1"), .void))).openIntents[web]?.id == "i2")
    }

    @Test func checksThatPassedMakeTheReleaseGood() {
        let state = state(
            oneOfEach[1], .reached(.init(web, .make())),
            .paid(.init(transition: "t1", .check(web), releases: [web: .make(.make(), .good)])))
        #expect(state.transition?.obligations == [])
        #expect(state.releases[web]?.map(\.quality) == [.good])
    }

    @Test func aPaymentForAnotherTransitionPaysNothing() {
        #expect(state(oneOfEach[1], .paid(.init(transition: "t0", .check(web)))).transition?.obligations == [.check(web)])
    }

    @Test func closingAnotherTransitionLeavesThisOneOpen() {
        #expect(state(oneOfEach[1], .closed(.init(transition: "t0", releases: [:]))).transition != nil)
        #expect(state(oneOfEach[1], .closed(.init(transition: "t1", releases: [:]))).transition == nil)
    }

    @Test func theLineageOfAReachedReleaseReachesItsResolutionAndItsTarget() {
        var grown = Resolution.make(lineage: ["dpl_9"])
        grown.lineage.append(ArtifactIdentity(.image, "v2@sha256:1"))
        let state = state(oneOfEach[1], .reached(.init(web, .make(grown))))
        // The pinned artifact is an image: a deployment of it is not that artifact.
        #expect(state.resolutions[web]?.lineage == [ArtifactIdentity(.image, "v2@sha256:1")])
        #expect(state.transition?.target[web]?.lineage == [ArtifactIdentity(.image, "v2@sha256:1")])
    }

    @Test func recordsOfOneReleaseInARowAreOne() {
        let state = state(
            .reached(.init(web, .make(.make("v1")))), .reached(.init(web, .make(.make("v2")))),
            .reached(.init(web, .make(.make("v2", lineage: ["x"])))), .reached(.init(web, .make(.make("v1")))))
        #expect(state.releases[web]?.map(\.resolution.label) == ["v1", "v2", "v1"])
    }

    @Test func applyingAnEntryTwiceIsApplyingItOnce() {
        var once = RecordedState()
        var twice = RecordedState()
        for entry in oneOfEach {
            once.apply(entry)
            twice.apply(entry)
            twice.apply(entry)
            #expect(once == twice, "\(entry.kind)")
        }
    }
}
