public import Model
internal import SQL

/// Brings a SQLite file back to a backup: a checked copy takes its place by one rename, and the former file is kept beside it.
public struct SQLiteRestore: Sendable {
    private let backups: SQLiteBackups
    private let request: BackupRequest
    /// Under which this is done: looked at before the file is exchanged.
    private let lease: Lease?

    /// - Parameters:
    ///   - request: for the backup of the current state.
    ///   - lease: of the database, which the caller holds and keeps. Once somebody else has it, the file stays.
    public init(_ backups: SQLiteBackups, _ request: BackupRequest, lease: Lease? = nil) {
        self.backups = backups
        self.request = request
        self.lease = lease
    }

    private var path: String { backups.path }

    /// What would happen; changes nothing.
    public func plan(_ origin: RestorePlan.Origin) async throws(Problem) -> RestorePlan {
        var backup: BackupManifest?
        let file: String
        switch origin {
        case .backup(let id):
            let manifest = try await backups.store.manifest(id)
            guard manifest.engine == .sqlite else {
                throw Problem("WrongEngine", "the backup \(id) is of a PostgreSQL database", next: "name a backup of this file")
            }
            backup = manifest
            file = backups.store.dump(manifest)
        case .path(let path): file = path
        }
        guard let size = Files.size(file) else {
            throw Problem("BackupNotFound", "there is no file \(file)", next: "name a backup of reconcile backup list, or a file")
        }
        let now =
            Files.exists(path)
            ? try await SQLiteFile.session(path, .readOnly) { connection throws(Problem) in
                try await TableCensus.counting(TableCensus.all(on: connection), on: connection)
            } : []
        var held = backup?.tables
        if backup == nil {
            try await SQLiteFile.requireDatabase(file, backups.store.thread)
            held = try await SQLiteFile.session(file, .readOnly) { connection throws(Problem) in
                try await TableCensus.counting(TableCensus.all(on: connection), on: connection)
            }
        }
        let id = BackupID(at: backups.machine.now())
        let kept = "\(path).old-\(id)"
        var plan = RestorePlan(
            id: id, origin: origin, backup: backup, database: path, strategy: .file, liveBytes: Files.size(path) ?? 0, dumpBytes: size,
            tables: RestorePlan.changes(saved: held, now: now),
            steps: [
                "save \(path) as it is now", "copy \(file) beside it and check the copy",
                "refuse if another process has \(path) open", "rename the copy to \(path); \(kept) is what was there before",
            ], keptAs: Files.exists(path) ? kept : nil)
        plan.now = now
        plan.isOfNothing = held?.isEmpty ?? true
        if plan.rowsNewer > 0 { plan.cautions.append(plan.newerRows) }
        if backup?.isProved == false { plan.cautions.append("a restore of this backup was never proved") }
        return plan
    }

    /// Carries a plan out. After an error the live file is as it was. A crash leaves the old file or the new one, each whole.
    public func run(_ plan: RestorePlan, progress: @escaping @Sendable (String) -> Void = { _ in }) async throws(Problem) -> RestoreResult {
        let file: String
        if let backup = plan.backup {
            try await backups.store.verify(backup)
            file = backups.store.dump(backup)
        } else if case .path(let path) = plan.origin {
            file = path
        } else {
            throw Problem("BackupNotFound", "the plan holds no backup", next: "plan again")
        }
        let isThere = Files.exists(path)
        var safety: BackupID?
        if isThere {
            progress("saving \(path)")
            var request = request
            request.beforeRestore = plan.id
            safety = try await backups.save(.full, request).id
        }
        let copy = "\(path).belay-restore-\(plan.id)"
        try backups.machine.requireRoom(for: plan.dumpBytes, in: Files.directory(of: path))
        progress("copying \(file)")
        do throws(Problem) {
            // Through SQLite where the origin may be in use; a backup of ours never is.
            if plan.backup != nil {
                try await SQLiteFile.copyBytes(file, to: copy, backups.store.thread)
            } else {
                try await SQLiteFile.copy(file, to: copy)
            }
            let (schema, tables) = try await SQLiteFile.examine(copy)
            if plan.backup == nil, tables.isEmpty, !plan.allowsNothing { throw plan.nothing }
            if let manifest = plan.backup {
                let report = try await DatabaseFilling.report(schema, tables, manifest, backups.store)
                guard report.isProved else {
                    throw Problem(
                        "RestoreDiffers", "the copy is not what was saved: \(report.differences.prefix(5).joined(separator: "; "))",
                        next: "the live file was not changed; restore another backup")
                }
            }
            try await SQLiteFile.session(copy) { connection throws(Problem) -> Void in try await connection.forgetLease() }
            if isThere { try Files.copyRights(from: path, to: copy) }
            try await SQLiteFile.synchronize(copy, backups.store.thread)
            if isThere {
                try await replace(with: copy, keeping: plan.keptAs)
            } else {
                try Files.rename(copy, to: path)
                try Files.synchronizeDirectory(Files.directory(of: path))
            }
        } catch {
            try Files.remove(copy)
            throw error
        }
        return RestoreResult(
            plan: plan, safety: safety, keptAs: plan.keptAs, tables: plan.tables,
            lines: ["\(path) is what was restored"] + (plan.keptAs.map { ["\($0) is what was there before"] } ?? []))
    }

    private func replace(with copy: String, keeping kept: String?) async throws(Problem) {
        let inUse = "stop what uses it, and restore again"
        let identity = Files.identity(path)
        try await SQLiteFile.session(path, busy: .seconds(1)) { connection throws(Problem) in
            do throws(SQLError) {
                // In exclusive mode the lock stays until the session ends, and with a write-ahead log no other session may be open at all.
                for statement in ["PRAGMA locking_mode = EXCLUSIVE", "PRAGMA wal_checkpoint(TRUNCATE)", "BEGIN EXCLUSIVE"] {
                    _ = try await connection.query(statement)
                }
            } catch {
                throw Problem("DatabaseInUse", "\(path) is in use: \(error)", next: inUse)
            }
            try await lease?.confirm(inTransactionOf: connection)
            // A session that is open without a transaction holds no lock, and would go on writing to the former file.
            let holders = SQLiteFile.otherHolders(of: identity)
            guard holders.isEmpty else {
                throw Problem("DatabaseInUse", "\(path) is open in \(holders.joined(separator: ", "))", next: inUse)
            }
            if let kept { try Files.link(path, to: kept) }
            // Emptied by the checkpoint above: it would otherwise be taken for the new file's.
            try Files.rename(copy, to: path)
            try Files.remove(path + "-wal")
            try Files.remove(path + "-shm")
            try Files.synchronizeDirectory(Files.directory(of: path))
        }
        try Files.remove(path + "-journal")
    }
}
