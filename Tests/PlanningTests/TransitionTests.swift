import Model
import Planning
import Testing

/// Open transitions: what is still owed, and what a newer target takes over.
@Suite struct TransitionTests {
    let web = ResourceID.component("web")
    let api = ResourceID.component("api")

    func system(web: String = "v2", api: String = "v2", isChecked: Bool = true) -> System {
        .make(
            [
                .make("web", pins: .name(web), after: [.component("api")], isChecked: isChecked),
                .make("api", pins: .name(api), isChecked: isChecked),
            ], isChecked: isChecked)
    }

    func plan(_ system: System, web: String, api: String, _ transition: Transition?, revision: Revision = .make()) -> Plan {
        Planning.plan(
            system, revision: revision, observed: .make(["web": .make(live: web), "api": .make(live: api)]),
            recorded: RecordedState(isKnown: true, transition: transition))
    }

    func toV2(_ directions: [String: Direction], _ obligations: [Obligation]) -> Transition {
        .make(start: ["web": "v3", "api": "v3"], target: ["web": "v2", "api": "v2"], directions: directions, obligations: obligations)
    }

    @Test func anOpeningHoldsStartTargetDirectionsAndWhatIsOwed() {
        let plan = plan(system(), web: "v3", api: "v1", nil)
        #expect(
            plan.opening
                == Plan.Opening(
                    start: [web: .make("v3"), api: .make("v1")], target: [web: .make("v2", of: "web"), api: .make("v2", of: "api")],
                    directions: [web: .retreat, api: .advance], obligations: [.check(api), .check(web), .systemChecks]))
    }

    @Test func withoutChecksNothingIsOwed() {
        #expect(plan(system(isChecked: false), web: "v3", api: "v2", nil).opening?.obligations == [])
    }

    @Test func whileItIsOpenThePlanIsNotEmptyThoughEverythingIsInPlace() {
        let plan = plan(system(), web: "v2", api: "v2", toV2(["web": .retreat, "api": .retreat], [.check(web), .systemChecks]))
        #expect(plan.ids == ["retreat/component/web", "verify/system", "finish/close"])
        #expect(plan.step("retreat/component/web")?.action == .check)
        #expect(plan.opening == nil)
        #expect(plan.verdict == .changes)
    }

    @Test func whenNothingIsOwedItIsOnlyClosed() {
        let plan = plan(system(), web: "v2", api: "v2", toV2(["web": .retreat], []))
        #expect(plan.ids == ["finish/close"])
        #expect(plan.closingLine == "Plan: a transition to close.")
    }

    @Test func itsDirectionsStandThoughHistoryTellsOtherwise() {
        let plan = plan(system(), web: "v3", api: "v2", toV2(["web": .advance], [.check(web)]))
        #expect(plan.work == ["advance/component/web", "verify/system"])
        #expect(plan.opening == nil)
    }

    @Test func aNewRevisionWithTheSameTargetContinuesIt() {
        let plan = plan(system(), web: "v2", api: "v2", toV2(["web": .retreat], [.systemChecks]), revision: .make("bbbbbbbbbbbb"))
        #expect(plan.opening == nil)
        #expect(plan.ids == ["verify/system", "finish/close"])
    }

    @Test func driftThatItDoesNotCoverOpensItAnew() {
        let plan = plan(system(), web: "v2", api: "v1", toV2(["web": .retreat], [.check(web)]))
        #expect(plan.opening?.directions == [web: .retreat, api: .advance])
        #expect(plan.opening?.obligations == [.check(api), .check(web), .systemChecks])
        #expect(plan.opening?.start == [web: .make("v3"), api: .make("v3")])
    }

    @Test func driftOfWhatWasCheckedAlreadyIsCheckedAgain() {
        let plan = plan(system(), web: "v3", api: "v1", toV2(["web": .retreat, "api": .advance], [.check(api), .systemChecks]))
        #expect(plan.opening?.obligations == [.check(api), .check(web), .systemChecks])
        #expect(plan.opening?.directions == [web: .retreat, api: .advance])
    }

    @Test func aNewerTargetTakesOverWhatIsOwedForPinsThatStayed() {
        let open = toV2(["web": .retreat, "api": .retreat], [.check(web), .check(api), .systemChecks])
        let plan = plan(system(web: "v2", api: "v1"), web: "v2", api: "v2", open)
        #expect(plan.opening?.obligations == [.check(api), .check(web), .systemChecks])
        #expect(plan.opening?.target == [web: .make("v2", of: "web"), api: .make("v1", of: "api")])
        #expect(plan.work == ["retreat/component/web", "retreat/component/api", "verify/system"])
        #expect(plan.step("retreat/component/web")?.action == .check)
        #expect(plan.step("guard/open")?.summary == "supersede the open transition by the one to aaaaaaaaaaaa")
    }

    @Test func aNewerTargetDropsWhatWasOwedForAnotherPin() {
        let plan = plan(system(web: "v3", api: "v2"), web: "v3", api: "v2", toV2(["web": .retreat], [.check(web)]))
        #expect(plan.opening?.obligations == [])
        #expect(plan.ids == ["guard/open", "finish/close"])
    }

    @Test func checksThatTheSpecNoLongerHasAreNotOwed() {
        let plan = plan(system(isChecked: false), web: "v2", api: "v2", toV2(["web": .retreat], [.check(web), .systemChecks]))
        #expect(plan.ids == ["finish/close"])
    }

    @Test func aComponentThatLeftTheSpecIsLetGo() {
        let system = System.make([.make("web", pins: .name("v2"), isChecked: true)])
        let plan = plan(system, web: "v2", api: "v3", toV2(["web": .retreat, "api": .retreat], [.check(api)]))
        #expect(plan.opening?.target == [web: .make("v2", of: "web")])
        #expect(plan.opening?.obligations == [])
    }

    @Test func whileSomethingIsBlockedItStaysOpen() {
        let plan = Planning.plan(
            system(), revision: .make(), observed: .make(["web": .unknown(.make("Unknown")), "api": .make(live: "v3")]),
            recorded: RecordedState(isKnown: true))
        #expect(plan.ids == ["preflight/component/api", "guard/open", "retreat/component/api"])
        #expect(
            plan.notes == [
                "the transition stays open: the system's checks, contract migrations and finish wait until nothing is blocked"
            ])
        #expect(
            plan.step("retreat/component/api")?.details.contains("component/web needs it and its state is unknown: it is not waited for")
                == true)
    }

    @Test func contractMigrationsNeedTheChecksOnce() {
        let system = System.make(
            [.make("web", pins: .name("v2"), after: [.database("main")])], databases: [Database(name: "main", schema: "2")], isChecked: true
        )
        let migrations = [DatabaseObservation.Migration(version: "1"), DatabaseObservation.Migration(version: "2", class: .contract)]
        let world = World.make(
            ["web": .make(live: "v2")], databases: ["main": DatabaseObservation(applied: ["1"], migrations: migrations)])
        var recorded = RecordedState(isKnown: true)
        let whole = Planning.plan(system, revision: .make(), observed: world, recorded: recorded)
        #expect(whole.work == ["verify/system", "contract/database/main/2"])
        #expect(whole.step("contract/database/main/2")?.after == ["verify/system"])
        guard let opening = whole.opening else {
            Issue.record("expected an opening")
            return
        }
        recorded.transition = Transition(
            id: "t", revision: .make(), start: opening.start, target: opening.target, directions: opening.directions, obligations: [],
            opened: Timestamp(millisecondsSinceEpoch: 0))
        #expect(Planning.plan(system, revision: .make(), observed: world, recorded: recorded).work == ["contract/database/main/2"])
    }
    /// What passed before passed for another target: a component in place is checked again before something is taken away under it.
    @Test func contractMigrationsOfANewTargetNeedTheChecksOfComponentsInPlace() {
        let web = Component.make("web", pins: .name("v2"), after: [.database("main")], isChecked: true)
        let system = System.make([web], databases: [Database(name: "main", schema: "2")])
        let migrations = [DatabaseObservation.Migration(version: "1"), DatabaseObservation.Migration(version: "2", class: .contract)]
        let world = World.make(
            ["web": .make(live: "v2")], databases: ["main": DatabaseObservation(applied: ["1"], migrations: migrations)])
        let whole = Planning.plan(system, revision: .make(), observed: world, recorded: RecordedState(isKnown: true))
        #expect(whole.work == ["advance/component/web", "contract/database/main/2"])
        #expect(whole.step("contract/database/main/2")?.after == ["advance/component/web"])
        #expect(whole.opening?.obligations == [.check(web.id)])
    }

    @Test func aWindowHoldsFromTheMomentAReleaseIsPinned() {
        var next = Component.make("web", pins: .name("v2"), after: [.database("main")])
        next.requires = ["main": VersionWindow(lowest: "2")]
        let database = Database(name: "main", schema: "2")
        let migrations = ["1", "2"].map { DatabaseObservation.Migration(version: $0) }
        func world(_ live: String, _ applied: [String]) -> World {
            World.make(["web": .make(live: live)], databases: ["main": DatabaseObservation(applied: applied, migrations: migrations)])
        }
        var recorded = RecordedState(isKnown: true)
        let opening = Planning.plan(
            System.make([next], databases: [database]), revision: .make(), observed: world("v1", ["1"]), recorded: recorded
        ).opening
        guard let opening else {
            Issue.record("expected an opening")
            return
        }
        #expect(opening.pinned[next.id]?.map(\.requires) == [next.requires])
        recorded.transition = Transition(
            id: "t", revision: .make(), start: opening.start, target: opening.target, directions: opening.directions,
            obligations: opening.obligations, pinned: opening.pinned, opened: Timestamp(millisecondsSinceEpoch: 0))
        // It never came up, and the release before it says only now that it does not tolerate the new schema: nothing can go first.
        var former = Component.make("web", pins: .name("v1"), after: [.database("main")])
        former.requires = ["main": VersionWindow(highest: "1")]
        let back = Planning.plan(
            System.make([former], databases: [Database(name: "main", schema: "1")]), revision: .make(), observed: world("v2", ["1", "2"]),
            recorded: recorded)
        #expect(back.blocked.first?.problem.reason == "IncompatibleWindows")
    }
}
