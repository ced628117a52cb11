import Model
import Planning
import Testing

/// Where flags are kept, in these tests.
struct FlagPlace: FlagTarget {
    static let store = "place"
    var identity = "flags"
    var database: String?
}

extension FlagSetting {
    static let on = FlagSetting(isOn: true)
    static func on(for percent: Int) -> FlagSetting { FlagSetting(isOn: true, rollout: percent) }
}

extension FlagObservation {
    static func set(_ setting: FlagSetting) -> FlagObservation { FlagObservation(setting: setting, marker: "m") }
    static let missing = FlagObservation()
    /// flagd's DISABLED.
    static let nothing = FlagObservation(marker: "m")
    static let unknown = FlagObservation(problem: Problem("StoreUnreachable", "place/flags: no answer", next: "mend it"))
}

/// One flag, `f`, and perhaps a component `api` and a database `main` that it needs.
@Suite struct FlagTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var why: String
        var pins = FlagSetting.on
        var kill: Bool?
        var `guard`: FlagGuard?
        /// What the store says.
        var store = FlagObservation.set(.on)
        /// How it was pinned and set when it was last seen to be so.
        var record: FlagRecord?
        var live = "v2"
        var release = "v2"
        var broken = false
        var applied = ["1"]
        var schema = "1"
        /// Of the flag and what depends on it, in the order of the plan.
        var work: [String] = []
        var obstacles: [String] = []
        var state: FlagStanding.State
        var drift: String?
        var testDescription: String { why }
    }

    static let apiGuard = FlagGuard(component: "api", release: ">=v2")
    static let schemaGuard = FlagGuard(database: "main", schema: "2")

    static func record(
        _ setting: FlagSetting = .on, pins: FlagSetting = .on, kill: Bool? = nil, guard: FlagGuard? = nil, reason: String? = nil
    ) -> FlagRecord {
        FlagRecord(flag: FeatureFlag(name: "f", setting: pins, kill: kill, guard: `guard`), setting: setting, reason: reason)
    }

    static let byHand = "somebody switched it off by hand"

    static let cases: [Case] = [
        Case(why: "as pinned: nothing to do", state: .inSync),
        Case(why: "off, and pinned on: it goes on last", store: .set(.off), work: ["enable on"], state: .outOfSync),
        Case(why: "on, and pinned off: it goes off first", pins: .off, work: ["disable off"], state: .outOfSync),
        Case(why: "a smaller share goes first", pins: .on(for: 10), work: ["disable on for 10 %"], state: .outOfSync),
        Case(why: "a larger one last", pins: .on(for: 50), store: .set(.on(for: 10)), work: ["enable on for 50 %"], state: .outOfSync),
        Case(why: "the store does not know it: made", store: .missing, work: ["enable on"], state: .outOfSync),
        Case(
            why: "not known and pinned off: made, because applications have a default of their own", pins: .off, store: .missing,
            work: ["disable off"], state: .outOfSync),
        Case(
            why: "it serves no value of its own: that is not off", pins: .off, store: .nothing, work: ["disable off"], state: .outOfSync),
        Case(why: "it serves no value of its own: that is not on either", store: .nothing, work: ["enable on"], state: .outOfSync),
        Case(
            why: "what is said of a flag that is off is kept for later", pins: FlagSetting(isOn: false, rollout: 25), store: .set(.off),
            state: .inSync),
        Case(why: "killed by the spec: off whatever else is said", kill: true, work: ["disable off"], state: .killed),
        Case(why: "killed by the spec, and off", kill: true, store: .set(.off), state: .killed),
        Case(
            why: "killed by hand: it stays off", store: .set(.off), record: record(), state: .killedOutOfBand, drift: "off instead of on"),
        Case(
            why: "a share of nobody is a kill, too", pins: .on(for: 10), store: .set(.on(for: 0)),
            record: record(.on(for: 10), pins: .on(for: 10)), state: .killedOutOfBand, drift: "on for 0 % instead of on for 10 %"),
        Case(
            why: "disabled by hand in a store where that serves nothing: never switched on again, never said to be off", store: .nothing,
            record: record(), state: .killedOutOfBand, drift: "no value of its own instead of on"),
        Case(
            why: "another share in the spec is no word about the kill", pins: .on(for: 50), store: .set(.off), record: record(),
            state: .killedOutOfBand, drift: "off instead of on for 50 %"),
        Case(why: "kill: false clears it", kill: false, store: .set(.off), record: record(), work: ["enable on"], state: .outOfSync),
        Case(
            why: "kill: false that was there already does not", kill: false, store: .set(.off), record: record(kill: false),
            state: .killedOutOfBand, drift: "off instead of on"),
        Case(
            why: "going back to before kill: false does not", store: .set(.off), record: record(kill: false), state: .killedOutOfBand,
            drift: "off instead of on"),
        Case(
            why: "a kill of the spec that is taken out was no hand's", store: .set(.off), record: record(.off, kill: true),
            work: ["enable on"], state: .outOfSync),
        Case(
            why: "killed by hand through Belay: with the reason", store: .set(.off), record: record(.off, reason: "melts (ann@mac)"),
            state: .killedOutOfBand, drift: "off instead of on"),
        Case(
            why: "a commit that pins it on after one that pinned it off", store: .set(.off), record: record(.off, pins: .off),
            work: ["enable on"], state: .outOfSync),
        Case(
            why: "another share by hand is set back, and told", pins: .on(for: 50), store: .set(.on(for: 10)),
            record: record(.on(for: 50), pins: .on(for: 50)), work: ["enable on for 50 %"], state: .outOfSync,
            drift: "on for 10 % instead of on for 50 %"),
        Case(
            why: "switched on by hand, against its kill", kill: true, record: record(.off, kill: true), work: ["disable off"],
            state: .killed,
            drift: "on instead of off"),
        Case(
            why: "taken out of the store by hand: made again", store: .missing, record: record(), work: ["enable on"], state: .outOfSync,
            drift: "not there instead of on"),
        Case(why: "the store cannot tell", store: .unknown, obstacles: ["f: failure StoreUnreachable"], state: .unknown),

        // Guards
        Case(why: "its guard holds", guard: apiGuard, state: .inSync),
        Case(
            why: "back: off before the release that it needs leaves", guard: apiGuard, release: "v1",
            work: ["disable off", "retreat/component/api"], state: .guarded),
        Case(
            why: "forward: on when the release is there", guard: apiGuard, store: .set(.off),
            record: record(.off, guard: apiGuard), live: "v1", work: ["advance/component/api", "enable on"], state: .outOfSync),
        Case(
            why: "recorded as off by its guard, and a crash came before the write: no kill, no drift", guard: apiGuard,
            record: record(.off, guard: apiGuard), state: .inSync),
        Case(why: "held off by its guard, and off", guard: apiGuard, store: .set(.off), live: "v1", release: "v1", state: .guarded),
        Case(
            why: "killed by hand before its guard failed: that stays known", guard: apiGuard, store: .set(.off),
            record: record(guard: apiGuard), live: "v1", release: "v1", state: .killedOutOfBand, drift: "off instead of on"),
        Case(
            why: "forward with its schema: on after the migration", guard: schemaGuard, store: .set(.off), schema: "2",
            work: ["migrate-up/database/main/2", "enable on"], state: .outOfSync),
        Case(
            why: "back with its schema: off before the migration", guard: schemaGuard, applied: ["1", "2"],
            work: ["disable off", "migrate-down/database/main/2"], state: .guarded),
        Case(
            why: "nobody knows whether it is off: the release that it needs stays", guard: apiGuard, store: .unknown, release: "v1",
            obstacles: ["api: dependency FlagUnknown", "f: failure StoreUnreachable"], state: .unknown),
        Case(
            why: "nobody knows, and what it needs is broken: going back heals it", guard: apiGuard, store: .unknown, release: "v1",
            broken: true, work: ["retreat/component/api"], obstacles: ["f: failure StoreUnreachable"], state: .unknown),
        Case(
            why: "nobody knows, and its guard holds: nothing waits", guard: apiGuard, store: .unknown, live: "v1",
            work: ["advance/component/api"], obstacles: ["f: failure StoreUnreachable"], state: .unknown),
        Case(
            why: "nobody knows whether it is off: its schema stays", guard: schemaGuard, store: .unknown, applied: ["1", "2"],
            obstacles: ["main: dependency FlagUnknown", "f: failure StoreUnreachable"], state: .unknown),
        Case(
            why: "no version can be told from the names: a flag that is on stays, as nothing leaves",
            guard: FlagGuard(component: "api", release: ">=blue"), obstacles: ["f: decision GuardUndecided"], state: .blocked),
        Case(
            why: "no version can be told, and the release leaves: off is safe", guard: FlagGuard(component: "api", release: ">=blue"),
            release: "v1", work: ["disable off", "retreat/component/api"], obstacles: ["f: decision GuardUndecided"], state: .blocked),
        Case(
            why: "the guard names a migration that there is not", guard: FlagGuard(database: "main", schema: "9"), store: .set(.off),
            obstacles: ["f: decision GuardUndecided"], state: .blocked),
    ]

    @Test(arguments: cases) func aFlagGoesWhereItsPinSays(_ example: Case) {
        let plan = Self.plan(example)
        #expect(plan.flagWork == example.work)
        #expect(plan.obstacles == example.obstacles)
        let standing = plan.flags.first
        #expect(standing?.state == example.state && plan.flags.count == 1)
        #expect(plan.drifts.first.map { "\($0.found) instead of \($0.expected)" } == example.drift)
    }

    private static func plan(_ example: Case, database: String? = nil) -> Plan {
        var system = System.make([.make("api", pins: .name(example.release))], databases: [Database(name: "main", schema: example.schema)])
        system.flags = FeatureFlags(
            store: FlagPlace(database: database),
            flags: [FeatureFlag(name: "f", setting: example.pins, kill: example.kill, guard: example.guard)])
        var world = World.make(
            [
                "api": .make(
                    live: example.live,
                    settlement: example.broken ? .failed(.make("CrashLoopBackOff")) : .settled)
            ],
            databases: [
                "main": DatabaseObservation(
                    applied: example.applied,
                    migrations: ["1", "2"].map { DatabaseObservation.Migration(version: $0, class: .expand, down: .instant) })
            ])
        world.flags = [.flag("f"): example.store]
        var recorded = RecordedState(isKnown: true)
        recorded.flags["f"] = example.record
        return Planning.plan(system, revision: .make(), observed: world, recorded: recorded)
    }

    @Test func aKillByHandIsInSyncAndTold() {
        let plan = Self.plan(
            Case(why: "", store: .set(.off), record: Self.record(.off, reason: "melts (ann@mac)"), state: .killedOutOfBand))
        #expect(plan.isInSync)
        #expect(plan.drifts.first?.sentence == "flag/f: off instead of on: it was switched off by hand: melts (ann@mac)")
        #expect(
            plan.notes == [
                "flag/f: it stays as it is until a commit says otherwise (kill: false is enough), or somebody says: reconcile flag f on --now"
            ])
    }

    @Test func aTableThatAMigrationBringsIsWaitedFor() {
        let missing = FlagObservation(problem: Problem("TableMissing", "place/flags: there is no table"))
        let plan = Self.plan(Case(why: "", store: missing, schema: "2", state: .unknown), database: "main")
        #expect(plan.obstacles == ["f: waiting SchemaAwaited"])
        #expect(plan.flagWork == ["migrate-up/database/main/2"])
        let later = Self.plan(Case(why: "", store: missing, applied: ["1", "2"], schema: "2", state: .unknown), database: "main")
        #expect(later.obstacles == ["f: failure TableMissing"], "the migrations did not bring it")
    }

    @Test func aFlagThatNobodyCanTellOfHoldsNoOtherBack() {
        var system = System.make([.make("api", pins: .name("v2"))], isChecked: true)
        system.flags = FeatureFlags(store: FlagPlace(), flags: ["a", "b"].map { FeatureFlag(name: $0, setting: .on) })
        var world = World.make(["api": .make(live: "v2")])
        world.flags = [.flag("a"): .unknown, .flag("b"): .set(.off)]
        let plan = Planning.plan(system, revision: .make(), observed: world, recorded: RecordedState(isKnown: true))
        #expect(plan.work == ["verify/system", "enable/flags", "enable/checks"])
        #expect(plan.obstacles == ["a: failure StoreUnreachable"])
        #expect(plan.steps(in: .finish).isEmpty, "the transition stays open")
    }

    @Test func checksRunOnceMoreWithTheFlagsOn() {
        var system = System.make([.make("api", pins: .name("v2"))], isChecked: true)
        system.flags = FeatureFlags(store: FlagPlace(), flags: [FeatureFlag(name: "a", setting: .on)])
        var world = World.make(["api": .make(live: "v1")])
        world.flags = [.flag("a"): .set(.off)]
        let plan = Planning.plan(system, revision: .make(), observed: world, recorded: RecordedState(isKnown: true))
        #expect(plan.work == ["advance/component/api", "verify/system", "enable/flags", "enable/checks"])
        #expect(plan.step("enable/checks")?.after == ["enable/flags"])
        #expect(plan.step("enable/flags")?.details == ["a: from off to on"])
    }
}

extension Plan {
    /// What happens to flags, as `enable on`, and the other work.
    fileprivate var flagWork: [String] {
        steps.flatMap { step -> [String] in
            guard step.phase != .preflight, step.phase != .guard, step.phase != .finish else { return [] }
            let changes = step.action.flagChanges
            return changes.isEmpty ? [step.id] : changes.map { "\(step.phase.rawValue) \($0.to)" }
        }
    }
}
