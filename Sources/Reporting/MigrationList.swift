public import JSONValues
public import Model
import Planning
public import TextLayout

/// Every migration that is known of one database, and how each stands to the pin.
public struct MigrationList: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public enum State: String, Sendable {
            case applied
            /// At or below the pin, and not applied.
            case pending
            /// Like pending, and a later one is applied.
            case outOfOrder = "out of order"
            /// Applied, and above the pin.
            case toRevert = "to take back"
            /// Above the pin, and not applied.
            case later
            /// Repeatable, and its file is another one than the one that was run last.
            case changed
        }

        public var version: String
        public var state: State
        public var isContract: Bool
        /// Run again whenever its file changes; at no place among the others.
        public var isRepeatable = false
        /// Applied, and nothing takes it back.
        public var isIrreversible: Bool
        /// Its file changed since it was applied.
        public var isEdited: Bool
        /// Its file is gone.
        public var isMissing: Bool
        /// Nobody wrote down that it was applied.
        public var isPresumed: Bool
        /// What taking it back loses, where that was looked at.
        public var losses: [String]
    }

    public var system: SystemID
    public var database: String
    public var pinned: String
    /// In their order; nil when nothing is known.
    public var entries: [Entry]?
    /// What was applied last.
    public var last: String?
    /// How many of the migrations that were applied last could be taken back one after another.
    public var depth: Int
    public var summary: DatabaseObservation.Summary
    /// Why nothing is known, or what keeps the schema from being moved.
    public var problems: [Problem]
    public var notes: [String]

    public init(_ database: Database, of system: SystemID, _ observation: DatabaseObservation) {
        self.system = system
        self.database = database.name
        pinned = database.schema
        summary = observation.summary
        notes = observation.notes
        var problems = [observation.problem].compactMap(\.self) + observation.blockers
        last = observation.applied?.last
        let all = observation.migrations
        let applied = Set(observation.applied ?? [])
        let byVersion = Dictionary(all.map { ($0.version, $0) }) { first, _ in first }
        let backwards = (observation.applied ?? []).reversed()
        depth = backwards.prefix { byVersion[$0]?.down != nil }.count
        guard observation.applied != nil else {
            self.problems = problems
            return
        }
        var target: Int?
        switch SchemaPin(database.schema, among: all).position(of: database.id) {
        case .success(let position): target = position
        case .failure(let problem): problems.append(problem)
        }
        self.problems = problems
        let edited = Set(observation.summary.edited)
        let highest = all.lastIndex { applied.contains($0.version) } ?? -1
        entries = all.enumerated().map { index, migration in
            let isBelow = target.map { index <= $0 }
            let state: Entry.State =
                if applied.contains(migration.version) {
                    isBelow == false ? .toRevert : .applied
                } else if isBelow == true {
                    index < highest ? .outOfOrder : .pending
                } else {
                    .later
                }
            return Entry(
                version: migration.version, state: state, isContract: migration.class == .contract,
                isIrreversible: applied.contains(migration.version) && migration.down == nil, isEdited: edited.contains(migration.version),
                isMissing: !migration.isInSource, isPresumed: migration.isPresumed, losses: migration.downScript?.losses ?? [])
        }
        entries? += observation.repeatables.map { migration in
            let state: Entry.State =
                switch migration.repetition {
                case .new: target.map { $0 >= 0 } == true ? .pending : .later
                case .changed: .changed
                case .unchanged, nil: .applied
                }
            return Entry(
                version: migration.version, state: state, isContract: migration.class == .contract, isRepeatable: true,
                isIrreversible: false, isEdited: false, isMissing: false, isPresumed: false, losses: migration.upScript?.losses ?? [])
        }
    }

    public var isKnown: Bool { entries != nil }

    private func count(_ state: Entry.State) -> Int { entries?.count { $0.state == state } ?? 0 }
}

extension MigrationList.Entry {
    /// What should be known beside its state.
    fileprivate var remarks: [String] {
        [
            isEdited ? "edited since" : nil, isMissing ? "its file is gone" : nil, isIrreversible ? "no way back" : nil,
            isPresumed ? "only presumed" : nil, isRepeatable ? "repeatable" : nil, isContract ? "contract" : nil,
            losses.isEmpty ? nil : "loses \(losses.joined(separator: ", "))",
        ].compactMap(\.self)
    }
}

extension MigrationList {
    private var headline: String {
        "\(system) database \(database): pinned \(pinned), last applied \(last ?? (isKnown ? "nothing" : "unknown"))"
    }

    private var facts: [String] {
        var lines = ["\(summary.engine), \(summary.table), format \(summary.format)"]
        let counts: [(Entry.State, String)] = [
            (.applied, "applied"), (.pending, "pending"), (.outOfOrder, "out of order"), (.toRevert, "to take back"),
            (.later, "above the pin"), (.changed, "changed"),
        ]
        lines.append(counts.map { "\(count($0.0)) \($0.1)" }.filter { !$0.hasPrefix("0 ") }.joined(separator: ", "))
        lines.append("rollback depth \(depth): so many of the last applied can be taken back one after another")
        if let backup = summary.lastBackup {
            lines.append(
                "last backup \(backup.id) (\(backup.kind)), taken \(backup.taken.wholeSecond)"
                    + (backup.proved.map { ", proved \($0.wholeSecond)" } ?? ", never proved"))
        }
        return lines.filter { !$0.isEmpty }
    }

    public func text(_ style: TextStyle) -> String {
        var text = style.bold(headline.printable) + "\n"
        if let entries {
            for line in facts { text += "  \(line.printable)\n" }
            var table = TextTable(header: ["STATE", "MIGRATION", ""], style: style, indent: 2)
            for entry in entries {
                let emphasis: @Sendable (String) -> String =
                    switch entry.state {
                    case .applied: { style.green($0) }
                    case .pending, .toRevert, .changed: { style.yellow($0) }
                    case .outOfOrder: { style.red($0) }
                    case .later: { style.dim($0) }
                    }
                table.add([.init(entry.state.rawValue, emphasis), .init(entry.version), .init(entry.remarks.joined(separator: ", "))])
            }
            text += entries.isEmpty ? "  no migrations\n" : table.rendered()
        }
        for problem in problems { text += "  \(style.red("!")) \(problem.description.printable)\n" }
        for note in notes { text += "  note: \(note.printable)\n" }
        return text
    }

    /// A table for a comment or a job summary.
    public var markdown: String {
        var text = "### \(headline.markdownEscaped)\n\n"
        if let entries {
            for line in facts { text += "- \(line.markdownEscaped)\n" }
            text += "\n| State | Migration | |\n|---|---|---|\n"
            for entry in entries {
                text +=
                    "| \(entry.state.rawValue) | \(entry.version.markdownEscaped) | \(entry.remarks.joined(separator: ", ").markdownEscaped) |\n"
            }
        }
        if !problems.isEmpty || !notes.isEmpty { text += "\n" }
        for line in problems.map(\.description) + notes { text += "- \(line.markdownEscaped)\n" }
        return text + "\n"
    }

    public var json: JSON {
        [
            "system": .string(system.description), "database": .string(database), "pinned": .string(pinned), "last": .optional(last),
            "rollbackDepth": .integer(depth),
            "engine": .string(summary.engine), "table": .string(summary.table), "format": .string(summary.format),
            "migrations": entries.map { entries in
                .array(
                    entries.map { entry in
                        [
                            "version": .string(entry.version), "state": .string(entry.state.rawValue), "contract": .bool(entry.isContract),
                            "repeatable": .bool(entry.isRepeatable),
                            "irreversible": .bool(entry.isIrreversible), "edited": .bool(entry.isEdited), "missing": .bool(entry.isMissing),
                            "presumed": .bool(entry.isPresumed), "losses": .array(entry.losses.map(JSON.string)),
                        ]
                    })
            } ?? .null,
            "problems": .array(
                problems.map { ["reason": .string($0.reason), "message": .string($0.message), "next": .optional($0.next)] }),
            "notes": .array(notes.map(JSON.string)),
        ]
    }
}
