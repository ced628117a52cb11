import Model
import Planning
import Testing

/// Where repeatable migrations stand in a plan: behind the versioned ones, at no position of the schema.
@Suite struct RepeatableTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var live = "v1"
        var applied: [String] = ["1"]
        var schema = "2"
        var contracts: Set<String> = []
        /// Whose way back only takes away.
        var subtractive: Set<String> = []
        /// In the order in which they run: `c` for contract, a blank, the name.
        var due = ["R__view"]
        var unchanged: [String] = []
        var records: [ReleaseRecord] = []
        var settlement = Settlement.settled
        var work: [String] = []
        var obstacles: [String] = []
        var testDescription: String { why }
    }

    static let cases: [Case] = [
        Case(
            why: "behind the versioned ones, before what may use them",
            work: ["migrate-up/database/main/2", "migrate-up/database/main/R__view", "advance/component/api"]),
        Case(
            why: "at an unchanged pin", live: "v2", applied: ["1", "2"], unchanged: ["R__other"],
            work: ["migrate-up/database/main/R__view"]),
        Case(why: "nothing changed", live: "v2", applied: ["1", "2"], due: [], unchanged: ["R__view"]),
        Case(why: "of the empty schema there is nothing to show", live: "v2", applied: [], schema: "none"),
        Case(
            why: "a way back takes none back and runs those that differ, behind it", live: "v2", applied: ["1", "2", "3"],
            work: ["migrate-down/database/main/3", "migrate-up/database/main/R__view"]),
        Case(
            why: "unless it only takes away, what they show among it", live: "v2", applied: ["1", "2", "3"], schema: "1",
            subtractive: ["2", "3"], due: ["R__view", "c R__last"],
            work: [
                "migrate-down/database/main/R__view", "migrate-down/database/main/3", "migrate-down/database/main/2", "verify/system",
                "contract/database/main/R__last",
            ]),
        Case(
            why: "one that adds decides", live: "v2", applied: ["1", "2", "3"], schema: "1", subtractive: ["3"],
            work: ["migrate-down/database/main/3", "migrate-down/database/main/2", "migrate-up/database/main/R__view"]),
        Case(
            why: "and so does one that is applied then", live: "v2", applied: ["1", "3"], subtractive: ["3"],
            work: ["migrate-down/database/main/3", "migrate-up/database/main/2", "migrate-up/database/main/R__view"]),
        Case(
            why: "what takes something away comes last, and with it what stands behind it", live: "v2", applied: ["1", "2"],
            due: ["R__a", "c R__b", "R__c"],
            work: [
                "migrate-up/database/main/R__a", "verify/system", "contract/database/main/R__b", "contract/database/main/R__c",
            ]),
        Case(
            why: "a contract migration takes away what the view may have shown: the view goes first", schema: "3", contracts: ["3"],
            work: [
                "migrate-up/database/main/2", "migrate-up/database/main/R__view", "advance/component/api", "verify/system",
                "contract/database/main/3",
            ]),
        Case(
            why: "one may be about what waits behind a contract migration, and waits with it", schema: "3", contracts: ["2"],
            work: [
                "advance/component/api", "verify/system", "contract/database/main/2", "contract/database/main/3",
                "contract/database/main/R__view",
            ]),
        Case(
            why: "no position moves: a release that was recorded good at another one is not asked", live: "v2", applied: ["1", "2"],
            records: [.make("v2", schemas: ["main": "1"])], work: ["migrate-up/database/main/R__view"]),
        Case(
            why: "a transition to the same target goes on where it stood", live: "v2", applied: ["1", "2", "3"], schema: "3",
            contracts: ["3"], work: ["migrate-up/database/main/R__view", "verify/system"]),
    ]

    static func plan(_ one: Case) -> Plan {
        let migrations = ["1", "2", "3"].map {
            var migration = DatabaseObservation.Migration(version: $0, class: one.contracts.contains($0) ? .contract : .expand)
            migration.downOnlyTakesAway = one.subtractive.contains($0)
            return migration
        }
        let repeatables =
            one.due.map { name in
                DatabaseObservation.Migration(
                    version: name.hasPrefix("c ") ? String(name.dropFirst(2)) : name, class: name.hasPrefix("c ") ? .contract : .expand,
                    down: nil, repetition: .changed)
            } + one.unchanged.map { DatabaseObservation.Migration(version: $0, down: nil, repetition: .unchanged) }
        let isChecked = !one.contracts.isEmpty || one.due.contains { $0.hasPrefix("c ") }
        return Planning.plan(
            System.make(
                [.make("api", pins: .name("v2"), after: [.database("main")])], databases: [Database(name: "main", schema: one.schema)],
                isChecked: isChecked),
            revision: .make(),
            observed: .make(
                ["api": .make(live: one.live, settlement: one.settlement)],
                databases: [
                    "main": DatabaseObservation(applied: one.applied, migrations: migrations, repeatables: repeatables)
                ]), recorded: RecordedState(isKnown: true, releases: [.component("api"): one.records]))
    }

    @Test(arguments: cases) func theyComeBehindTheVersionedOnes(_ one: Case) {
        let plan = Self.plan(one)
        #expect(plan.work == one.work)
        #expect(plan.obstacles == one.obstacles)
    }

    @Test func oneIsNoPositionOfTheSchema() throws {
        let plan = Self.plan(Case(why: "", live: "v2", applied: ["1", "2"]))
        let step = try #require(plan.step("migrate-up/database/main/R__view"))
        guard case .migrate(let change) = step.action else {
            Issue.record("\(step)")
            return
        }
        #expect(change.isRepeatable && change.isUp)
        #expect(plan.resolutions[.database("main")]?.identity.value == "2")
        #expect(plan.opening?.start[.database("main")]?.value == "2")
        #expect(step.summary == "main: run R__view again: its file is another than the one that was run last")
    }

    @Test(arguments: [
        ("2", "V2__note"), ("1.2", "V1_2__b"), ("1.10", "V1.10__c"), ("V2__note", "V2__note"), ("R__view", nil), ("1_2", nil),
    ]) func aPinOfFlywaysIsTheVersionAsFlywayWritesIt(_ pin: String, _ version: String?) {
        let migrations = ["V1_2__b", "V1.10__c", "V2__note", "Versions__x"].map { DatabaseObservation.Migration(version: $0) }
        #expect(SchemaPin(pin, among: migrations).name(of: .database("main")) == version)
    }

    @Test func oneThatLosesSomethingIsPartOfTheApproval() throws {
        var view = DatabaseObservation.Migration(version: "R__data", class: .contract, down: nil, repetition: .changed)
        view.upScript = DatabaseObservation.Script(hash: "abc", losses: ["rows of t"], rowsAtRisk: 3)
        let plan = Planning.plan(
            System.make([], databases: [Database(name: "main", schema: "1")]), revision: .make(),
            observed: .make(
                [:], databases: ["main": DatabaseObservation(applied: ["1"], migrations: [.init(version: "1")], repeatables: [view])]),
            recorded: RecordedState(isKnown: true))
        #expect(plan.refusal?.reason == "ApprovalNeeded")
        #expect(plan.approval?.items.map(\.version) == ["R__data"])
        #expect(plan.step("contract/database/main/R__data")?.class == .dataLoss)
    }
}
