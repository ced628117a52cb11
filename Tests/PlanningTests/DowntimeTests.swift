import Model
import Planning
import Testing

/// `api` runs v1, which tolerates schema 1 alone, and pins v2, which tolerates 2 alone; downtime is allowed.
@Suite struct DowntimeTests {
    static func plan(
        _ observation: Observation, pins: String = "v2", schema: String = "2", applied: [String] = ["1"], windows: Bool = true,
        others: [Component] = [], databases: [Database] = [], allowsDowntime: Bool = true, transition: Transition? = nil
    ) -> Plan {
        let own = ["v1": SchemaTests.window(nil, "1"), "v2": SchemaTests.window("2", "2")]
        let api = Component.make("api", pins: .name(pins), after: [.database("main")], requires: own[pins].map { ["main": $0] } ?? [:])
        let system = System.make(
            [api] + others, databases: [Database(name: "main", schema: schema, allowsDowntime: allowsDowntime)] + databases)
        var world = World.make(["api": observation])
        for other in others { world.components[other.id] = .make(live: "v1") }
        for database in system.databases {
            world.databases[database.id] = DatabaseObservation(
                applied: applied,
                migrations: ["1", "2", "3"].map { DatabaseObservation.Migration(version: $0, class: .expand, down: .instant) })
        }
        let records = own.sorted { $0.key < $1.key }.map { ReleaseRecord.make($0, requires: ["main": $1]) }
        return Planning.plan(
            system, revision: .make(), observed: world,
            recorded: RecordedState(isKnown: true, transition: transition, releases: [api.id: records]))
    }

    /// As the cluster shows a workload that was scaled to 0: the old template, and no pod.
    static func stopped(
        _ live: String = "v1", _ stoppage: Stoppage = .stopped(start: Stoppage.startRoute), serving: [String] = []
    ) -> Observation {
        .make(live: live, settlement: .progressing("stopped"), serving: serving, stoppage: stoppage)
    }

    static let around = ["retreat/component/api", "migrate-up/database/main/2", "advance/component/api"]

    @Test func theStopSaysWhatItCostsAndHowItIsDone() throws {
        let web = Component.make("web", pins: .name("v1"), after: [.component("api")])
        let observation = Observation.make(
            live: "v1", stoppage: .possible(means: "scale from 3 to 0", memory: "3", cautions: ["an autoscaler pauses"]))
        let plan = Self.plan(observation, others: [web])
        #expect(plan.work == Self.around)
        let stop = try #require(plan.step("retreat/component/api"))
        #expect(stop.action == .stop)
        #expect(stop.class == .downtime)
        #expect(stop.summary == "api: stop until the schema has moved (scale from 3 to 0)")
        #expect(
            stop.details == [
                "stopped while the schema moves: v1 (needs 1 or earlier) does not tolerate 2 of main (2), "
                    + "and v2 (needs 2 to 2) does not tolerate 1 of main",
                "while it is stopped, nothing answers web", "caution: an autoscaler pauses",
            ])
    }

    @Test func whatCannotBeStoppedIsRefusedWithTheReasonAndTheWaysOut() throws {
        let cannot = Problem("CannotStop", "vercel/api: a project has no stop", next: "detach its domains by hand")
        let cases: [(Stoppage?, String, String)] = [
            (
                .impossible(cannot), "; downtime is allowed, but vercel/api: a project has no stop",
                "pin an intermediate release that tolerates both, or detach its domains by hand"
            ),
            (nil, "; downtime is allowed, but its provider cannot stop it", "pin an intermediate release that tolerates both"),
        ]
        for (stoppage, end, next) in cases {
            let plan = Self.plan(.make(live: "v1", stoppage: stoppage))
            #expect(plan.steps.isEmpty)
            let problem = try #require(plan.blocked(.component("api"))).problem
            #expect(problem.reason == "IncompatibleWindows")
            #expect(problem.message.hasSuffix("and v2 (needs 2 to 2) does not tolerate 1 of main" + end), "\(problem.message)")
            #expect(problem.next == next)
        }
    }

    @Test func onlyDatabasesThatRefuseDowntimeAreNamed() throws {
        let stats = Database(name: "stats", schema: "2", allowsDowntime: false)
        var plan = Self.plan(.make(live: "v1"), databases: [stats])
        #expect(plan.blocked.isEmpty, "api has no edge to stats: that it refuses downtime says nothing")
        plan = Self.plan(.make(live: "v1"), allowsDowntime: false)
        #expect(plan.blocked(.component("api"))?.problem.next?.hasSuffix("set downtime: allowed for main") == true)
    }

    struct Middle: CustomTestStringConvertible, Sendable {
        var why: String
        var observation: Observation
        var pins = "v2"
        var schema = "2"
        var applied = ["1"]
        var work: [String]
        var testDescription: String { why }
    }

    static let middles = [
        Middle(
            why: "stopped, and the schema has not moved: it moves, then the release comes", observation: stopped(),
            work: Array(around[1...])),
        Middle(
            why: "it still runs in part: it is stopped first",
            observation: stopped("v1", .stopping("1 pod is ending", start: Stoppage.startRoute), serving: ["v1"]), work: around),
        Middle(why: "somebody has started it by hand: stopped again", observation: .make(live: "v1"), work: around),
        Middle(why: "the schema has moved", observation: stopped(), applied: ["1", "2"], work: [around[2]]),
        Middle(why: "the release is there and has not been started", observation: stopped("v2"), applied: ["1", "2"], work: [around[2]]),
        Middle(
            why: "the pin went back before the schema moved: it is started", observation: stopped(), pins: "v1", schema: "1",
            work: ["advance/component/api"]),
        Middle(
            why: "the pin went back after the schema has moved: the schema goes back first", observation: stopped(), pins: "v1",
            schema: "1",
            applied: ["1", "2"], work: ["migrate-down/database/main/2", "advance/component/api"]),
    ]

    @Test(arguments: middles) func theNextPassGoesOnWithWhatIsStopped(_ one: Middle) throws {
        let transition = Transition.make(start: ["api": "v1"], target: ["api": "v2"], directions: ["api": .advance])
        for transition in [transition, nil] {
            let plan = Self.plan(one.observation, pins: one.pins, schema: one.schema, applied: one.applied, transition: transition)
            #expect(plan.work == one.work)
            #expect(plan.blocked.isEmpty)
            guard case .release(let change) = plan.step("advance/component/api")?.action else {
                Issue.record("nothing starts it again")
                continue
            }
            #expect(change.to.label == one.pins)
        }
    }

    @Test func aStoppedReleaseThatStaysIsStartedAgain() throws {
        let plan = Self.plan(Self.stopped(), pins: "v1", schema: "1")
        let step = try #require(plan.step("advance/component/api"))
        #expect(step.summary == "api: start v1 again (scale to 3)")
        #expect(plan.opening != nil, "it is a change: its checks are owed")
    }

    @Test func aStoppedComponentThatTheSpecNoLongerNamesIsTold() {
        let recorded = RecordedState(
            isKnown: true, stops: [.component("old"): Stop(memory: "3", means: "scale from 3 to 0", target: "", provider: "place")])
        let plan = Planning.plan(.make([]), revision: .make(), observed: World(), recorded: recorded)
        #expect(
            plan.notes == [
                "component/old is not in the spec any more, and Belay has stopped it (scale from 3 to 0); "
                    + "name it again to have it started, or start it by hand"
            ])
    }

    @Test func whatComesAfterTheSchemaNeedNotLiveWithTheStatesBefore() {
        // 3 goes back for the sake of 2, which was never applied, and comes again: v2 needs 3, and comes when that is there.
        var database = Database(name: "main", schema: "3", allowsDowntime: false)
        database.migrations.outOfOrder = .rebase
        let api = Component.make(
            "api", pins: .name("v2"), after: [database.id], requires: ["main": SchemaTests.window("2", nil)])
        let migrations = ["1", "2", "3"].map { DatabaseObservation.Migration(version: $0, class: .expand, down: .instant) }
        let plan = Planning.plan(
            .make([api], databases: [database]), revision: .make(),
            observed: .make(
                ["api": .make(live: "v1")], databases: ["main": DatabaseObservation(applied: ["1", "3"], migrations: migrations)]),
            recorded: RecordedState(isKnown: true))
        #expect(plan.blocked.isEmpty)
        #expect(
            plan.work == [
                "migrate-down/database/main/3", "migrate-up/database/main/2", "migrate-up/database/main/3", "advance/component/api",
            ])
    }
}
