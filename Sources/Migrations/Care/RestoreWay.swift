internal import Model

/// The way back over a migration that nothing takes back: the whole database as it was before (contract migrations.md §3.2).
///
/// It begins with the first migration that is applied and not in the backup, and takes back everything that was applied from there on,
/// whichever way back the others have.
struct RestoreWay: Sendable {
    let backup: BackupManifest
    /// What is applied now and was not when the backup was taken, in the order in which it was applied. Never empty.
    let undone: [String]

    /// What is approved: this backup, for exactly these migrations.
    var hash: String { ArchiveSignature.hash("restore \(backup.id) \(backup.sha256)\n" + undone.joined(separator: "\n")) }

    enum Search: Sendable {
        /// Everything that has to go back has a way back.
        case notNeeded
        case found(RestoreWay)
        case missing(Problem)
    }

    /// The newest backup of the whole database in which everything is applied that stays, and nothing yet that has no way back.
    ///
    /// - Parameters:
    ///   - path: what has to go back.
    ///   - entries: of this database, newest first.
    static func search(
        _ observation: DatabaseObservation, _ path: MigrationPath, _ database: Database, among entries: [BackupStore.Entry]
    ) -> Search {
        guard let applied = observation.applied else { return .notNeeded }
        let wayless = Set(observation.migrations.filter { $0.down == nil }.map(\.version))
        guard let first = applied.firstIndex(where: { path.downs.contains($0) && wayless.contains($0) }) else { return .notNeeded }
        let staying = Set(applied.filter { !path.downs.contains($0) })
        let backups = entries.compactMap { entry -> BackupManifest? in
            guard case .backup(let manifest) = entry, manifest.isWhole, manifest.beforeRestore == nil else { return nil }
            return manifest
        }
        for backup in backups where backup.applied.count <= first {
            let then = Set(applied.prefix(backup.applied.count))
            guard then == Set(backup.applied), staying.isSubset(of: then) else { continue }
            return .found(RestoreWay(backup: backup, undone: Array(applied.dropFirst(backup.applied.count))))
        }
        return .missing(missing(applied[first], observation, database, newest: backups.first, damaged: entries.count(where: \.isDamaged)))
    }

    private static func missing(
        _ version: String, _ observation: DatabaseObservation, _ database: Database, newest: BackupManifest?, damaged: Int
    ) -> Problem {
        let before = observation.applied?.prefix { $0 != version }.last
        let wanted = before.map { "with \($0) as the last one that was applied" } ?? "with nothing applied"
        var known = newest.map { "the newest one, \($0.id), was taken with \($0.applied.last ?? "nothing") applied" } ?? "there is none"
        if damaged > 0 { known += "; \(damaged == 1 ? "one" : "\(damaged)") cannot be read" }
        let isInSource = observation.migrations.first { $0.version == version }?.isInSource ?? false
        return Problem(
            "BackupMissing",
            "\(database.id): \(version) has no down migration, and no backup of the whole database is from before it, taken \(wanted): \(known)",
            next: (isInSource ? "pin \(version), the nearest that can be reached" : "restore the file of \(version)")
                + ", or write its down migration, or restore by command what you have: reconcile restore PATH")
    }

    /// What the plan shows of it.
    func script(_ plan: RestorePlan, besides records: String, occasion: Int) -> DatabaseObservation.Script {
        let size = ByteCount(backup.bytes)
        let isFile = backup.engine == .sqlite
        return DatabaseObservation.Script(
            hash: hash, origin: .restore(backup: backup.id.description),
            losses: ["everything written since the backup \(backup.id)"], rowsAtRisk: newerRows(plan, besides: records),
            backupBytes: plan.liveBytes, occasion: occasion,
            summary: [
                "takes back \(undone.reversed().joined(separator: ", "))",
                "the backup is of \(backup.taken), \(size), \(backup.isProved ? "proved" : "not proved yet: that is done first")",
                isFile
                    ? "the file as it is now is saved, and kept beside the one that takes its place"
                    : "the database as it is now is saved, and kept under another name; the restored one takes its place",
            ],
            cautions: [
                isFile
                    ? "refused while another process has the file open"
                    : "every session with the database is ended when the two change places",
                "changed rows do not show in the number of newer ones",
            ] + plan.manual)
    }

    /// Rows that are there now and more than the backup has, table by table; nil where a table was too large to be counted.
    /// - Parameter records: the adopted table, as `schema.name` or `name`.
    func newerRows(_ plan: RestorePlan, besides records: String) -> Int? {
        let saved = Dictionary(backup.tables.map { ($0.name, $0) }) { first, _ in first }
        var sum = 0
        for table in plan.now where !table.name.isBelays && table.name.description != records && table.name.name != records {
            guard let now = table.rows else { return nil }
            if let then = saved[table.name] {
                guard let rows = then.rows else { return nil }
                sum += max(0, now - rows)
            } else {
                sum += now
            }
        }
        return sum
    }
}

extension BackupStore.Entry {
    fileprivate var isDamaged: Bool { if case .damaged = self { true } else { false } }
}
