import Model

extension StepWriter {
    /// Guard: the whole database is saved where the policy asks for it and something would be lost.
    mutating func backUp() {
        for move in moves where move.database.migrations.backup == .full && move.isDestructive {
            steps.append(
                Step(
                    id: Self.backup(move.id), phase: .guard, resource: move.id, action: .backUp, after: before(move.id),
                    summary: "\(move.database.name): back up the whole database", deadline: .seconds(4 * 3600)))
        }
    }

    /// The backup that a destructive migration waits for.
    func saved(_ move: SchemaMove) -> [String] {
        steps.contains { $0.id == Self.backup(move.id) } ? [Self.backup(move.id)] : []
    }

    /// True if the component leaves for a schema that goes back with it: then nobody asks for its health before the schema is there.
    func isAwaitedLater(_ subject: Subject) -> Bool {
        guard subject.direction == .retreat, !subject.stops else { return false }
        let compatibility = draft.compatibility(of: subject.component)
        return draft.moves.contains { $0.goesBack && $0.blocked == nil && compatibility.concerns($0.database) }
    }

    /// In `advance`: the release that came in `retreat` is served and healthy at its schema, and its checks pass.
    mutating func awaitAfterSchema(_ subject: Subject) {
        guard let resolution = subject.resolution else { return }
        let retreat = Self.component(.retreat, subject.id)
        let compatibility = draft.compatibility(of: subject.component)
        let schemas = moves.filter { compatibility.concerns($0.database) }.compactMap { schemaSteps[$0.id] }
        steps.append(
            Step(
                id: Self.component(.advance, subject.id), phase: .advance, resource: subject.id, action: .await(resolution),
                after: (steps.contains { $0.id == retreat } ? [retreat] : before(subject.id)) + schemas + arrivals(before: subject),
                summary: "\(subject.component.name): see that \(resolution.label) is healthy at its schema",
                deadline: subject.component.timeout))
    }

    /// Verify: the questions to the data. Returns what comes next waits for.
    mutating func checkData(after last: [String]) -> [String] {
        let owing = Set(
            draft.inherited.compactMap { obligation -> ResourceID? in
                guard case .check(let id) = obligation, id.kind == .database else { return nil }
                return id
            })
        var checks: [String] = []
        for database in draft.survey.system.databases.sorted(by: { $0.name < $1.name }) where !database.checks.isEmpty {
            guard draft.hasChanges && !isOnlyContracting || owing.contains(database.id) else { continue }
            let id = "verify/\(database.id)"
            let count = database.checks.count
            steps.append(
                Step(
                    id: id, phase: .verify, resource: database.id, action: .check, after: last,
                    summary: "\(database.name): ask the data \(count == 1 ? "its check" : "its \(count) checks")", deadline: .seconds(300)))
            checks.append(id)
        }
        return checks.isEmpty ? last : last.filter { $0 == Self.verify } + checks
    }

    private static func backup(_ id: ResourceID) -> String { "guard/\(id)/backup" }
}

extension SchemaMove {
    /// True if something is lost on the way.
    var isDestructive: Bool {
        downs.contains { $0.downScript?.isDestructive ?? ($0.down == .dataLoss) }
            || (preludes + expands + contracts).contains { $0.upScript?.isDestructive ?? false }
    }
}

extension DatabaseObservation.Migration {
    func what(isUp: Bool) -> String {
        switch repetition {
        case nil:
            if !isUp, let backup = downScript?.restoredBackup {
                "restore the backup \(backup), to before \(version)"
            } else {
                "migrate \(isUp ? "up to" : "down from") \(version)"
            }
        case .new: "run \(version), which is repeatable"
        case .changed, .unchanged: "run \(version) again: its file is another than the one that was run last"
        }
    }
}

extension DatabaseObservation.Script {
    /// What a reader of the plan should know before the script is run.
    func details(backup: MigrationSettings.Backup) -> [String] {
        var lines: [String] = []
        switch origin {
        case .file: break
        case .archive: lines.append("its file is gone: the script is the signed copy that the database kept")
        case .git(let commit): lines.append("its file is gone: the script is that of commit \(commit.prefix(12))")
        case .synthesized: lines.append("derived from the statements of the way up")
        case .restore: return restoreDetails
        }
        if isDestructive {
            lines.append("loses \(losses.joined(separator: ", "))")
            lines.append(rowsAtRisk.map { "\($0) \($0 == 1 ? "row" : "rows") at risk" } ?? "rows at risk: cannot be counted")
            switch backup {
            case .none: lines.append("nothing is saved before: migrations.backup is none")
            case .scoped, .full:
                lines.append(
                    backupBytes.map { "saved before\(isTransactional ? ", in the same transaction" : ""): \(Self.size($0))" }
                        ?? "nothing is saved before: no table is known whose rows it takes")
            }
        }
        if !isTransactional { lines.append("outside of a transaction: statement by statement") }
        return lines + summary.map { "runs \($0)" } + cautions.map { "caution: \($0)" }
    }

    /// Of a backup that is restored instead of running anything.
    private var restoreDetails: [String] {
        ["loses \(losses.joined(separator: ", "))"]
            + [rowsAtRisk.map { "\($0) \($0 == 1 ? "row is" : "rows are") newer than the backup" } ?? "newer rows: cannot be counted"]
            + summary + cautions.map { "caution: \($0)" }
    }

    private static func size(_ bytes: Int) -> String {
        if bytes < 10_000 { return "\(bytes) bytes" }
        return bytes < 10_000_000 ? "\(bytes / 1000) kB" : "\(bytes / 1_000_000) MB"
    }
}
