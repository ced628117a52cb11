public import JSONValues
public import Model
import Planning

/// One database's pin against what is applied.
public struct DatabaseStatus: Sendable, Hashable {
    public var name: String
    public var pinned: String
    /// The migration that was applied last; nil when none is, or when that is unknown.
    public var last: String?
    public var applied: Int?
    /// Files at or below the pin that are not applied.
    public var pending: [String]
    /// Repeatable migrations whose files are others than the ones that were run last.
    public var repeatable: [String]
    /// Applied and above the pin: they are to go back.
    public var toRevert: [String]
    /// Applied, and their files are gone.
    public var missing: [String]
    public var edited: [String]
    /// How many of what is applied could be taken back.
    public var reversible: Int
    public var presumed: Int
    /// How the schema differs from what its last migration left; nil where that was not compared.
    public var drift: [String]?
    /// What the reader should know.
    public var notes: [String]
    /// The repository that its migrations are read from, and what was read; nil where they stand beside the spec.
    public var repository: MigrationRepository?
    public var engine: String
    public var table: String
    public var lastBackup: DatabaseObservation.Summary.Backup?
    public var lastDrill: DatabaseObservation.Summary.Drill?
    /// Why it is not as pinned, or unknown; nil when it is in place.
    public var problem: Problem?

    public init(_ database: Database, _ observation: DatabaseObservation?, _ plan: Plan) {
        name = database.name
        pinned = database.schema
        let observation = observation ?? .unknown(Problem("NotObserved", "\(database.id): it was not observed", next: "run again"))
        last = observation.applied?.last
        applied = observation.applied?.count
        func versions(up: Bool, repeatable: Bool = false) -> [String] {
            plan.steps.compactMap { step in
                guard step.resource == database.id, case .migrate(let change) = step.action, change.isUp == up,
                    change.isRepeatable == repeatable
                else { return nil }
                return change.version
            }
        }
        pending = versions(up: true)
        repeatable = versions(up: true, repeatable: true)
        toRevert = versions(up: false)
        let standing = Set(observation.applied ?? [])
        missing = observation.migrations.filter { standing.contains($0.version) && !$0.isInSource }.map(\.version)
        edited = observation.summary.edited
        reversible = observation.summary.reversible
        presumed = observation.migrations.count { $0.isPresumed }
        drift = observation.summary.drift
        notes = observation.notes
        repository = database.migrations.git
        engine = observation.summary.engine
        table = observation.summary.table
        lastBackup = observation.summary.lastBackup
        lastDrill = observation.summary.lastDrill
        problem = plan.blocked.first { $0.resource == database.id }?.problem ?? observation.problem
    }

    public var isKnown: Bool { applied != nil }

    /// Why nobody knows whether its migrations are the newest; nil where they are.
    public var staleness: String? {
        guard case .commit(_, let trouble?)? = repository?.reading else { return nil }
        return trouble
    }

    /// The commit that its migrations are read from; nil where that is the spec's own, or none could be read.
    public var commit: String? {
        guard case .commit(let commit, _)? = repository?.reading else { return nil }
        return commit
    }

    /// A line for the reader, and what should be known beside it.
    var lines: [String] {
        guard let applied else { return ["database \(name): pinned \(pinned): unknown: \(problem?.description ?? "")"] }
        let state =
            pending.isEmpty && repeatable.isEmpty && toRevert.isEmpty && problem == nil
            ? "in sync" : problem == nil ? "out of sync" : "blocked"
        var lines = ["database \(name): pinned \(pinned), last applied \(last ?? "nothing"): \(state)"]
        lines.append("  \(engine), \(table): \(applied) applied, \(reversible) of them with a way back")
        if let repository, let commit {
            lines.append("  migrations of \(repository.name) at \(commit.prefix(12))\(staleness.map { "; \($0)" } ?? "")")
        }
        func list(_ what: String, _ versions: [String]) {
            if !versions.isEmpty { lines.append("  \(what): \(versions.joined(separator: ", "))") }
        }
        list("to apply", pending)
        list("repeatable: changed", repeatable)
        list("to take back", toRevert)
        list("without a file", missing)
        list("edited since", edited)
        if let drift, !drift.isEmpty {
            lines.append("  the schema was changed by hand since its last migration:")
            lines += drift.map { "    \($0)" }
        }
        if let lastBackup {
            let proof = lastBackup.proved.map { "proved \($0.wholeSecond)" } ?? "never proved"
            lines.append("  last backup \(lastBackup.id) (\(lastBackup.kind), \(lastBackup.taken.wholeSecond)), \(proof)")
        }
        if let lastDrill {
            let way = "from \(lastDrill.from) to \(lastDrill.to)"
            lines.append("  last drill \(lastDrill.taken.wholeSecond), \(way): \(lastDrill.isPassed ? "passed" : "failed")")
        }
        lines += notes.map { "  \($0)" }
        if let problem { lines.append("  \(problem.description)") }
        return lines
    }

    public var json: JSON {
        func list(_ versions: [String]) -> JSON { .array(versions.map(JSON.string)) }
        var json: JSON = [
            "name": .string(name), "pinned": .string(pinned), "last": .optional(last), "applied": applied.map { .integer($0) } ?? .null,
            "pending": list(pending), "repeatable": list(repeatable), "toRevert": list(toRevert), "missing": list(missing),
            "edited": list(edited),
            "reversible": .integer(reversible), "presumed": .integer(presumed), "engine": .string(engine), "table": .string(table),
            "drift": drift.map { list($0) } ?? .null, "notes": list(notes),
            "lastBackup": lastBackup.map { backup in
                [
                    "id": .string(backup.id), "kind": .string(backup.kind), "taken": .string(backup.taken.description),
                    "proved": .optional(backup.proved?.description),
                ]
            } ?? .null,
            "lastDrill": lastDrill.map { drill in
                [
                    "taken": .string(drill.taken.description), "from": .string(drill.from), "to": .string(drill.to),
                    "passed": .bool(drill.isPassed),
                ]
            } ?? .null,
            "problem": problem.map { ["reason": .string($0.reason), "message": .string($0.message), "next": .optional($0.next)] } ?? .null,
        ]
        if let repository {
            json["migrations"] = [
                "url": .string(repository.url), "ref": .optional(repository.ref), "path": .string(repository.path),
                "commit": .optional(commit), "stale": .optional(staleness),
            ]
        }
        return json
    }
}
