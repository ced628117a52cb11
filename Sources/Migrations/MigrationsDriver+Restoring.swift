internal import FoundationEssentials
internal import Model
internal import ProviderKit
internal import SQL

/// Where a migration has no way back and the policy is to restore: the backup from before it takes the database's place.
extension MigrationsDriver {
    private func care(of database: Database, _ request: SchemaRequest) -> DatabaseCare {
        DatabaseCare(database, request, variables: ProcessInfo.processInfo.environment, history: history, address: address)
    }

    /// Gives the migration at which the way back becomes a restore the backup as its script; or says which backup is missing.
    func addRestore(to observation: inout DatabaseObservation, _ reading: SchemaReading, _ request: SchemaRequest) async {
        let database = reading.database
        guard database.migrations.onIrreversible == .restore else { return }
        let care = care(of: database, request)
        do throws(Problem) {
            switch RestoreWay.search(observation, MigrationPath(reading), database, among: try await care.backups()) {
            case .notNeeded: return
            case .missing(let problem): observation.blockers.append(problem)
            case .found(let way):
                let plan = try await care.planRestore(way.backup)
                guard let first = way.undone.first, let index = observation.migrations.firstIndex(where: { $0.version == first }) else {
                    return
                }
                observation.migrations[index].downScript = way.script(
                    plan, besides: reading.table.plainName, occasion: reading.archive[first]?.sequence ?? 0)
                observation.migrations[index].down = .dataLoss
                observation.migrations[index].downOnlyTakesAway = false
            }
        } catch {
            observation.blockers.append(reading.naming(error))
        }
    }

    /// Sees, before the first write of a plan, that the backup is what was saved and can be restored. Returns what stands in the way.
    func proof(of id: String, _ database: Database, _ request: SchemaRequest) async -> Problem? {
        let care = care(of: database, request)
        do throws(Problem) {
            let manifest = try await care.backup(named: id)
            guard !manifest.isProved else {
                try await care.store.verify(manifest)
                return nil
            }
            let proved = try await care.prove(manifest, progress: { _ in })
            guard !proved.isProved else { return nil }
            let differences = proved.report?.differences.prefix(5).joined(separator: "; ") ?? ""
            return Problem(
                "BackupUnproved", "\(database.id): what the backup \(id) restores is not what was saved: \(differences)",
                next: "pin what is applied now, or restore another backup by command")
        } catch {
            return Problem(error.reason, "\(database.id): \(error.message)", next: error.next)
        }
    }

    /// Puts the backup in the place of the database. What is there is saved, and kept.
    func restore(
        _ id: String, _ change: MigrationChange, of database: Database, _ request: SchemaRequest,
        _ progress: @escaping @Sendable (String) -> Void
    ) async -> MigrationEnd {
        // The restore takes the lease itself, and ends every session.
        await end(MoveKey(database, request))
        let care = care(of: database, request)
        do throws(Problem) {
            let manifest = try await care.backup(named: id)
            let plan = try await care.planRestore(manifest)
            let result = try await care.restore(
                plan, if: { () throws(Problem) in try await agree(with: change, id, database, request) }, progress: progress)
            return .done("the backup \(id) is restored: \(result.lines.joined(separator: "; "))")
        } catch {
            if error.reason == Self.alreadyBack { return .done(error.message) }
            let problem = Problem(error.reason, "\(database.id): \(error.message)", next: error.next)
            return error.reason == "ConnectionLost" ? .undecided(problem) : .failed(problem)
        }
    }

    private static let alreadyBack = "AlreadyTakenBack"

    /// Throws unless the database is what the plan saw. With the lease held.
    private func agree(
        with change: MigrationChange, _ id: String, _ database: Database, _ request: SchemaRequest
    ) async throws(Problem) {
        let now = await observe(database, request)
        guard let applied = now.applied else {
            throw now.problem ?? Problem("NotObserved", "which migrations are applied could not be read", next: "run it again")
        }
        guard applied.contains(change.version) else { throw Problem(Self.alreadyBack, "\(change.version) is taken back already") }
        guard let script = now.migrations.first(where: { $0.version == change.version })?.downScript, script.hash == change.script?.hash
        else {
            throw Problem(
                "WorldChanged", "what is applied, or which backup is from before \(change.version), changed since it was planned",
                next: "nothing was restored; the next pass plans anew")
        }
        guard let ceiling = request.approvedRows, let rows = script.rowsAtRisk, rows > ceiling else { return }
        throw Problem(
            "MoreRowsThanApproved", "\(rows) rows are newer than the backup \(id), and \(ceiling) are approved",
            next: "look at the plan again and approve it as it is now")
    }
}

extension DatabaseCare {
    fileprivate func backup(named id: String) async throws(Problem) -> BackupManifest {
        guard let known = BackupID(id) else { throw Problem("BackupNotFound", "\(id) is not the id of a backup", next: "plan again") }
        return try await backup(known)
    }

    /// Always so that the former database is kept: never in place.
    fileprivate func planRestore(_ manifest: BackupManifest) async throws(Problem) -> RestorePlan {
        try await planRestore(.backup(manifest.id), strategy: manifest.engine == .postgres ? .swap : nil)
    }
}
