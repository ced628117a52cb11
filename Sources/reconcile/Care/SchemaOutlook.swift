import JSONValues
import Migrations
import Model
import Planning
import ProviderKit
import TextLayout

/// What a restore means for the pin: what the schema is then, and what the next pass would do about it.
struct SchemaOutlook: Sendable {
    /// The pin that fits; nil where it is not known, or not changed.
    var pin: String?
    var pinned: String
    /// The next pass would migrate: why that is, and what to do.
    var conflict: Problem?

    /// Of a plan: as far as the backup's manifest tells.
    init(after plan: RestorePlan, _ work: DatabaseWork) async {
        if plan.strategy == .file, plan.backup == nil, case .path(let file) = plan.origin {
            var observation = await work.care.observe(file: file)
            observation.blockers = []
            self.init(observation, work)
            return
        }
        guard let backup = plan.backup, ![.tables, .beside].contains(plan.strategy) else {
            self.init(pinned: work.database.schema)
            return
        }
        var observation = await work.care.observe()
        observation.applied = backup.applied
        observation.blockers = []
        observation.problem = nil
        let known = Set(observation.migrations.map(\.version))
        observation.migrations =
            backup.applied.filter { !known.contains($0) }.map { .init(version: $0, isInSource: false) } + observation.migrations
        // Whether there is a way back of what is not applied now was not looked at: what the pass would do counts, not whether it could.
        for index in observation.migrations.indices where observation.migrations[index].down == nil {
            observation.migrations[index].down = .instant
        }
        self.init(observation, work)
    }

    /// Of what is there.
    init(now work: DatabaseWork) async { self.init(await work.care.observe(), work) }

    private init(pinned: String) { self.pinned = pinned }

    private init(_ observation: DatabaseObservation, _ work: DatabaseWork) {
        pinned = work.database.schema
        guard let applied = observation.applied else {
            conflict = observation.problem
            return
        }
        let pin = applied.last ?? Database.emptySchema
        self.pin = pin
        let (changes, blocked) = migrationWay(work.system.id, work.database, observation)
        guard !changes.isEmpty || blocked != nil else { return }
        let what =
            blocked.map { "the next pass would be blocked: \($0.message)" }
            ?? "the next pass would \(changes.map { "\($0.isUp ? "apply" : "take back") \($0.version)" }.joined(separator: ", "))"
        let isInSource = pin == Database.emptySchema || observation.migrations.contains { $0.version == pin && $0.isInSource }
        conflict = Problem(
            "PinConflict", "\(work.database.id): the backup's schema is \(pin), and the spec pins \(pinned): \(what)",
            next: "pin it in the spec: schema: \(pin)" + (isInSource ? "" : ", with the commit that has its file"))
    }

    func text(_ style: TextStyle) -> String {
        guard let pin else { return "" }
        guard let conflict else { return "  the schema is at \(pin.printable), as the spec pins it\n" }
        return "  \(style.yellow("!")) \(conflict.message.printable)\n  " + style.cyan("→ \(conflict.next?.printable ?? "")") + "\n"
    }

    var json: JSON {
        ["pin": .optional(pin), "pinned": .string(pinned), "conflict": .optional(conflict?.message)]
    }
}

/// The migrations between what is observed and the pin, in the order of a pass, without what is only repeated behind them; and what stands in the way.
func migrationWay(
    _ system: SystemID, _ database: Database, _ observation: DatabaseObservation
) -> (changes: [MigrationChange], blocked: Problem?) {
    let plan = Planning.plan(
        System(id: system, databases: [database]), revision: Revision(.digest, ""),
        observed: World(databases: [database.id: observation]), recorded: RecordedState(isKnown: true))
    let changes = plan.steps.compactMap { step -> MigrationChange? in
        guard case .migrate(let change) = step.action, !change.isRepeatable || step.phase == .migrateDown else {
            return nil
        }
        return change
    }
    return (changes, plan.blocked.first?.problem)
}
