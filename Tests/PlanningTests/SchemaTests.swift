import Model
import Planning
import Testing

/// One component, `api`, that needs the database `main`.
@Suite struct SchemaTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var live = "v1"
        var pins = "v2"
        /// The window of the pinned release.
        var needs: VersionWindow?
        var records: [ReleaseRecord] = []
        var applied: [String]? = ["1"]
        var schema = "2"
        var contracts: Set<String> = []
        var irreversible: Set<String> = []
        var allowsDowntime = false
        var observation: Observation?
        var work: [String] = []
        var obstacles: [String] = []
        var testDescription: String { why }
    }

    static func window(_ lowest: String?, _ highest: String?) -> VersionWindow { VersionWindow(lowest: lowest, highest: highest) }
    static func record(_ version: String, _ lowest: String?, _ highest: String?) -> ReleaseRecord {
        .make(version, requires: ["main": window(lowest, highest)])
    }

    static let cases: [Case] = [
        Case(
            why: "forward, nothing declared: a newer release comes after the schema",
            work: ["migrate-up/database/main/2", "advance/component/api"]),
        Case(
            why: "back, nothing declared: an older release leaves before the schema", live: "v2", pins: "v1", applied: ["1", "2"],
            schema: "1",
            work: ["retreat/component/api", "migrate-down/database/main/2", "advance/component/api"]),
        Case(
            why: "down migrations go in reverse order", live: "v2", pins: "v1", applied: ["1", "2", "3"], schema: "1",
            work: ["retreat/component/api", "migrate-down/database/main/3", "migrate-down/database/main/2", "advance/component/api"]),
        Case(
            why: "the new release does not tolerate the old schema: after", live: "v3", pins: "v2", needs: window("2", nil),
            work: ["migrate-up/database/main/2", "advance/component/api"]),
        Case(
            why: "the live release does not tolerate the new schema: before, though newer", records: [record("v1", nil, "1")],
            work: ["retreat/component/api", "migrate-up/database/main/2"]),
        Case(
            why: "neither tolerates the other's schema: refused", needs: window("2", nil), records: [record("v1", nil, "1")],
            obstacles: ["api: decision IncompatibleWindows", "main: dependency DependencyNotReady"]),
        Case(
            why: "neither, and downtime is allowed: stopped around the schema", needs: window("2", nil), records: [record("v1", nil, "1")],
            allowsDowntime: true, work: ["retreat/component/api", "migrate-up/database/main/2", "advance/component/api"]),
        Case(
            why: "the pinned release does not tolerate the pinned schema: refused", needs: window(nil, "1"),
            obstacles: ["api: decision IncompatibleWindows", "main: dependency DependencyNotReady"]),
        Case(
            why: "also when the schema does not move", needs: window(nil, "1"), applied: ["1", "2"],
            obstacles: ["api: decision IncompatibleWindows"]),
        Case(
            why: "a bound that no migration has is tolerated nowhere", needs: window("nine", nil),
            obstacles: ["api: decision IncompatibleWindows", "main: dependency DependencyNotReady"]),
        Case(
            why: "only the schema moves, and what runs does not tolerate it", live: "v2", needs: window(nil, "1"),
            obstacles: ["main: decision IncompatibleWindows"]),
        Case(why: "only the schema moves", live: "v2", work: ["migrate-up/database/main/2"]),
        Case(
            why: "the last position recorded good is a window: the live release leaves first",
            records: [.make("v1", schemas: ["main": "1"])], work: ["retreat/component/api", "migrate-up/database/main/2"]),
        Case(
            why: "what was only served is no evidence of a window",
            records: [.make("v1", quality: .servedUnverified, schemas: ["main": "1"])],
            work: ["migrate-up/database/main/2", "advance/component/api"]),
        Case(
            why: "contract migrations come last", schema: "3", contracts: ["3"],
            work: ["migrate-up/database/main/2", "advance/component/api", "verify/system", "contract/database/main/3"]),
        Case(
            why: "what stands behind a contract migration waits with it, because the order holds", schema: "3", contracts: ["2"],
            work: ["advance/component/api", "verify/system", "contract/database/main/2", "contract/database/main/3"]),
        Case(
            why: "a missing down migration blocks before anything moves under it", live: "v2", pins: "v2", applied: ["1", "2", "3"],
            schema: "1",
            irreversible: ["2"], obstacles: ["main: decision Irreversible"]),
        Case(
            why: "an undo goes ahead though its schema cannot follow", live: "v2", pins: "v1", applied: ["1", "2"], schema: "1",
            irreversible: ["2"], work: ["retreat/component/api"], obstacles: ["main: decision Irreversible"]),
        Case(
            why: "going forward needs the schema", applied: nil,
            obstacles: ["api: dependency DependencyNotReady", "main: failure NotObserved"]),
        Case(
            why: "an undo is safe whatever an unknown schema is", live: "v2", pins: "v1", applied: nil, work: ["retreat/component/api"],
            obstacles: ["main: failure NotObserved"]),
        Case(
            why: "unless its release does not tolerate every schema", live: "v2", pins: "v1", needs: window(nil, "1"), applied: nil,
            obstacles: ["api: dependency DependencyNotReady", "main: failure NotObserved"]),
        Case(
            why: "a schema does not move under what is unknown", observation: .unknown(.make("Unknown")),
            obstacles: ["api: failure Unknown", "main: dependency DependencyNotReady"]),
        Case(
            why: "a schema does not move back under a release that cannot leave", live: "v2", pins: "v1", applied: ["1", "2"], schema: "1",
            observation: .make(live: "v2", blocker: .make("Owned")),
            obstacles: ["api: decision Owned", "main: dependency DependencyNotReady"]),
        Case(
            why: "a broken release leaves before the schema: its health is not asked", live: "v2", pins: "v1", applied: ["1", "2"],
            schema: "1",
            observation: .make(live: "v2", settlement: .failed(.make())),
            work: ["retreat/component/api", "migrate-down/database/main/2", "advance/component/api"]),
        Case(
            why: "old code that may still start stands in the way", live: "v2", records: [record("v1", nil, "1")],
            observation: .make(live: "v2", serving: ["v2", "v1"]), obstacles: ["main: dependency DependencyNotReady"]),
        Case(why: "an unknown pin", live: "v2", schema: "22", obstacles: ["main: failure PinNotFound"]),
        Case(
            why: "what was applied above the pin goes back, then what is missing below it comes", live: "v2", applied: ["1", "3"],
            work: ["migrate-down/database/main/3", "migrate-up/database/main/2"]),
        Case(
            why: "missing, though a later one at or below the pin is applied", live: "v2", applied: ["2"],
            obstacles: ["main: decision OutOfOrder"]),
        Case(why: "everything in place", live: "v2", needs: window("1", "2"), applied: ["1", "2"]),
    ]

    static func plan(_ one: Case, created: Bool = true) -> Plan {
        let observation = one.observation ?? .make(live: one.live)
        let migrations = ["1", "2", "3"].map {
            DatabaseObservation.Migration(
                version: $0, class: one.contracts.contains($0) ? .contract : .expand, down: one.irreversible.contains($0) ? nil : .instant)
        }
        let system = System.make(
            [.make("api", pins: .name(one.pins), after: [.database("main")], requires: one.needs.map { ["main": $0] } ?? [:])],
            databases: [Database(name: "main", schema: one.schema, allowsDowntime: one.allowsDowntime)], isChecked: !one.contracts.isEmpty)
        return Planning.plan(
            system, revision: .make(),
            observed: .make(["api": observation], databases: ["main": DatabaseObservation(applied: one.applied, migrations: migrations)]),
            recorded: RecordedState(isKnown: true, releases: [.component("api"): one.records]))
    }

    @Test(arguments: cases) func aReleaseMovesBeforeOrAfterTheSchema(_ one: Case) {
        let plan = Self.plan(one)
        #expect(plan.work == one.work)
        #expect(plan.obstacles == one.obstacles)
    }

    @Test func aRefusalNamesReleaseMigrationAndTheWaysOut() throws {
        let plan = Self.plan(Case(why: "", needs: Self.window("2", nil), records: [Self.record("v1", nil, "1")]))
        let problem = try #require(plan.blocked(.component("api"))).problem
        #expect(
            problem.message
                == "component/api: there is no valid order: v1 (needs 1 or earlier) does not tolerate 2 of main (2), "
                + "and v2 (needs 2 or later) does not tolerate 1 of main")
        #expect(problem.next == "pin an intermediate release that tolerates both, or set downtime: allowed for main")
    }

    @Test func anAssumedWindowIsSaidToBeAssumed() throws {
        let plan = Self.plan(Case(why: "", records: [.make("v1", schemas: ["main": "1"])]))
        let step = try #require(plan.step("retreat/component/api"))
        #expect(step.details.contains("assumed, because no window is declared for main: v1 (last recorded good at 1)"))
    }

    @Test func whenNothingTellsTheOrderThePlanAsks() throws {
        let releases = ["v2", "v1"].map { Release.make($0, created: .some(nil)) }
        let observation = Observation(
            live: .release(declared: releases[1], serving: [releases[1]]), candidates: releases.map { Candidate($0, routes: [.make()]) })
        let plan = Self.plan(Case(why: "", observation: observation))
        #expect(plan.steps.isEmpty)
        let problem = try #require(plan.blocked(.component("api"))).problem
        #expect(problem.reason == "OrderUnknown")
        #expect(
            problem.message
                == "component/api: must v2 replace v1 before or after the schema of main moves? Neither windows nor history tell which of the two is older"
        )
        #expect(problem.next == "declare requires: {main: …} for api")
    }

    @Test func anIrreversibleMigrationIsToldWithTheNearestPosition() throws {
        let plan = Self.plan(Case(why: "", live: "v2", applied: ["1", "2", "3"], schema: "1", irreversible: ["2"]))
        let problem = try #require(plan.blocked.first).problem
        #expect(problem.message == "database/main: 2 has no down migration, so 1 cannot be reached; nothing was begun")
        #expect(problem.next == "pin 2, the nearest that can be reached, or write its down migration")
    }

    @Test func aSchemaWaitsForWhatLeavesAndIsAwaitedByWhatComes() throws {
        let plan = Self.plan(Case(why: "", needs: Self.window("2", nil), records: [Self.record("v1", nil, "1")], allowsDowntime: true))
        let stop = try #require(plan.step("retreat/component/api"))
        #expect(stop.action == .stop)
        #expect(stop.class == .downtime)
        #expect(try #require(plan.step("migrate-up/database/main/2")).after == ["guard/open", "retreat/component/api"])
        #expect(
            try #require(plan.step("advance/component/api")).after
                == ["guard/open", "retreat/component/api", "migrate-up/database/main/2"])
    }
}
