public import Model
internal import ProviderKit
internal import SQL

/// A restore that was done, begun or taken back, as the server and the store of backups tell it.
public struct PastRestore: Sendable, Hashable {
    public enum Stage: String, Sendable, Hashable {
        /// Its new database is filled and compared, and was not switched to: the same restore, run again, carries on.
        case unfinished
        case done
        case undone
        /// Ended with an error: the database is as it was.
        case failed
        /// Nobody lived to say how it ended, and nothing but what was saved before it is left.
        case interrupted
    }

    public var id: BackupID
    public var stage: Stage
    /// Where what was there before is: a database or a file; nil when only ``safety`` is left of it.
    public var keptAs: String?
    /// The backup that was taken before it.
    public var safety: BackupID?

    public init(id: BackupID, stage: Stage, keptAs: String? = nil, safety: BackupID? = nil) {
        self.id = id
        self.stage = stage
        self.keptAs = keptAs
        self.safety = safety
    }
}

extension DatabaseCare {
    // MARK: Planning

    /// What a restore would do. Changes nothing.
    /// - Parameter strategy: nil: the best that this role can.
    public func planRestore(_ origin: RestorePlan.Origin, strategy: RestorePlan.Strategy?) async throws(Problem) -> RestorePlan {
        if case .backup(let id) = origin { _ = try await backup(id) }
        switch try await place() {
        case .postgres(let place):
            var plan = try await PostgresRestore(backups(at: place), safetyRequest(nil)).plan(origin, strategy: strategy)
            if let earlier = try await repeated(plan, at: place) { plan.repeats = earlier }
            return plan
        case .sqlite(let path):
            guard strategy == nil || strategy == .swap else {
                throw Problem(
                    "WrongStrategy", "a SQLite file is not restored in place: a checked copy takes its place by one rename",
                    next: "leave --in-place out")
            }
            return try await SQLiteRestore(SQLiteBackups(store: store, path: path, machine: machine), safetyRequest(nil)).plan(origin)
        }
    }

    /// The newest restore, if it brought the same back: whoever runs it again after a crash need not do it twice.
    private func repeated(_ plan: RestorePlan, at place: PostgresPlace) async throws(Problem) -> BackupID? {
        guard plan.strategy == .swap, plan.stage == .fresh else { return nil }
        let last = try await place.session { connection throws(Problem) in
            try await RestoreStamp.all(of: place.database, on: connection).last
        }
        guard let stamp = last?.stamp, stamp.stage == .former, stamp.origin == plan.origin else { return nil }
        return stamp.restore
    }

    private func safetyRequest(_ applied: [String]?) -> BackupRequest {
        BackupRequest(system: request.system.description, database: database.name, run: request.run, applied: applied ?? [])
    }

    // MARK: Carrying out

    /// Carries a plan out, or carries on with it where an earlier run was interrupted. What is there now is saved first. After an error the
    /// live database is as it was.
    /// - Parameter condition: looked at once the lease is held; what it throws ends the restore before anything is done.
    public func restore(
        _ plan: RestorePlan, if condition: @Sendable () async throws(Problem) -> Void = {},
        progress: @escaping @Sendable (String) -> Void
    ) async throws(Problem) -> RestoreResult {
        do throws(Problem) {
            let result = try await carryOut(plan, condition, progress)
            await note(.done, of: plan.id, progress)
            return result
        } catch {
            await note(.failed, of: plan.id, progress)
            throw error
        }
    }

    /// Writes how a restore ended beside what was saved before it. Also for a task that was cancelled.
    private func note(_ end: BackupManifest.RestoreEnd, of restore: BackupID, _ progress: @escaping @Sendable (String) -> Void) async {
        await Task {
            do throws(Problem) {
                for case .backup(var manifest) in try await backups() where manifest.beforeRestore == restore {
                    manifest.restoreEnd = end
                    try await store.update(manifest)
                }
            } catch {
                progress("how the restore ended is not recorded with the backup that was taken before it: \(error.message)")
            }
        }.value
    }

    private func carryOut(
        _ plan: RestorePlan, _ condition: @Sendable () async throws(Problem) -> Void, _ progress: @escaping @Sendable (String) -> Void
    ) async throws(Problem) -> RestoreResult {
        let place = try await place()
        let request = safetyRequest(await applied())
        switch place {
        case .postgres(let postgres):
            return try await withLease(at: place, "a restore", progress) { lease throws(Problem) in
                try await condition()
                return try await PostgresRestore(backups(at: postgres), request, lease: lease).run(plan, progress: progress)
            }
        case .sqlite(let path):
            let backups = SQLiteBackups(store: store, path: path, machine: machine)
            guard Files.exists(path) else { return try await SQLiteRestore(backups, request).run(plan, progress: progress) }
            return try await withLease(at: place, "a restore", progress) { lease throws(Problem) in
                try await condition()
                return try await SQLiteRestore(backups, request, lease: lease).run(plan, progress: progress)
            }
        }
    }

    // MARK: Afterwards

    /// The restores of this database that left something, newest first.
    public func restores() async throws(Problem) -> [PastRestore] {
        var found: [BackupID: PastRestore] = [:]
        for case .backup(let manifest) in try await backups() {
            guard let id = manifest.beforeRestore else { continue }
            let stage: PastRestore.Stage =
                switch manifest.restoreEnd {
                case .done: .done
                case .failed: .failed
                case nil: .interrupted
                }
            found[id] = PastRestore(id: id, stage: stage, safety: manifest.id)
        }
        switch try await place() {
        case .postgres(let place):
            let stamps = try await place.session { connection throws(Problem) in
                try await RestoreStamp.all(of: place.database, on: connection)
            }
            for stamped in stamps {
                let stage: PastRestore.Stage =
                    switch stamped.stamp.stage {
                    case .filling, .filled: .unfinished
                    case .former: .done
                    case .undone: .undone
                    }
                let safety = stamped.stamp.safety ?? found[stamped.stamp.restore]?.safety
                found[stamped.stamp.restore] = PastRestore(
                    id: stamped.stamp.restore, stage: stage, keptAs: stamped.name, safety: safety)
            }
        case .sqlite(let path):
            for id in found.keys {
                let kept = "\(path).old-\(id)"
                guard Files.exists(kept) else { continue }
                found[id]?.keptAs = kept
                found[id]?.stage = .done
            }
        }
        return found.values.sorted { $0.id > $1.id }
    }

    /// Takes a restore back: the former database, or the former file, takes its place again. Only the newest one that was done can be.
    ///
    /// What was restored is kept: as a database under another name on PostgreSQL, as a file on SQLite. Returns where, and what was done.
    public func undo(_ id: BackupID, progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> [String] {
        let past = try await undoable(id)
        let place = try await place()
        switch place {
        case .postgres(let postgres):
            try await withLease(at: place, "the undoing of a restore", progress) { lease throws(Problem) -> Void in
                try await PostgresRestore(backups(at: postgres), safetyRequest(nil), lease: lease).undoSwap(id)
            }
            let undone = SwapNames(database: postgres.database, id: id).undone
            return [
                "\(postgres.database) is what was there before the restore \(id)",
                "\(undone) is what was restored, with what was written since",
            ]
        case .sqlite:
            guard let kept = past.keptAs else { return [] }
            var plan = try await planRestore(.path(kept), strategy: nil)
            // What was there before comes back whatever it was.
            plan.allowsNothing = true
            return try await restore(plan, progress: progress).lines
        }
    }

    /// The restore, if it can be taken back.
    /// - Parameter place: what a command that is named has to say of where the database is.
    public func undoable(_ id: BackupID, place: String = "") async throws(Problem) -> PastRestore {
        let all = try await restores()
        guard let past = all.first(where: { $0.id == id }) else {
            throw Problem("RestoreNotFound", "there is no restore \(id) of \(database.id)", next: "see reconcile restore --list")
        }
        let again = past.safety.map { "restore what was saved before it: reconcile restore \($0)\(place)" } ?? "restore a backup"
        switch past.stage {
        case .undone: throw Problem("NothingToUndo", "the restore \(id) was taken back already", next: "see reconcile restore --list")
        case .unfinished:
            throw Problem(
                "NothingToUndo", "the restore \(id) did not come to its switch: \(database.id) was not changed by it",
                next: "run the same restore again to carry on")
        case .failed:
            throw Problem(
                "NothingToUndo", "the restore \(id) failed: \(database.id) was not changed by it", next: "see reconcile restore --list")
        case .done, .interrupted: break
        }
        if let newer = all.first(where: { $0.stage == .done && $0.id > id && $0.keptAs != nil }) {
            throw Problem(
                "NotTheNewest", "the restore \(newer.id) came after \(id)", next: "take that one back first, or \(again)")
        }
        guard past.keptAs != nil else {
            throw Problem("NothingToUndo", "what was there before the restore \(id) is not kept as a database or a file", next: again)
        }
        return past
    }

    /// What a SQLite file beside the live one would be to a pass.
    public func observe(file: String) async -> DatabaseObservation {
        var other = database
        other.connection = .sqlite(file)
        // One of its own: what another has open is the live file.
        let driver = MigrationsDriver(history: history, address: address)
        let observation = await driver.observe(other, request)
        await driver.end(request)
        return observation
    }

    /// What is applied now and known of the migrations: for what a restore means for the pin.
    public func observe() async -> DatabaseObservation { await driver.observe(database, request) }
}
