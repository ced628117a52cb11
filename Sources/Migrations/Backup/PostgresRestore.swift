public import Model
internal import SQL

/// Brings a PostgreSQL database back to a backup, beside the live one or in one transaction; nothing is ever restored over a live schema.
public struct PostgresRestore: Sendable {
    /// What was just done, for whoever wants to know, or to interrupt.
    public enum Step: String, Sendable, CaseIterable {
        /// The current state is backed up.
        case saved
        case created
        case filled
        case compared
        case stamped
        /// Everything is ready; the next thing is the one commit that switches over.
        case switching
        case switched
    }

    let backups: PostgresBackups
    let request: BackupRequest
    /// Under which this is done: looked at before what cannot be taken back.
    let lease: Lease?
    let reached: @Sendable (Step) async -> Void

    var place: PostgresPlace { backups.place }
    var store: BackupStore { backups.store }

    /// - Parameters:
    ///   - request: for the backup of the current state.
    ///   - lease: of the database, which the caller holds and keeps. Once somebody else has it, nothing is changed any more.
    ///   - reached: called after each step, before the next one begins.
    public init(
        _ backups: PostgresBackups, _ request: BackupRequest, lease: Lease? = nil,
        reached: @escaping @Sendable (Step) async -> Void = { _ in }
    ) {
        self.backups = backups
        self.request = request
        self.lease = lease
        self.reached = reached
    }

    // MARK: Planning

    /// What would happen. Reads and counts; changes nothing.
    ///
    /// - Parameters:
    ///   - strategy: nil: swap where this role may make databases, in place otherwise.
    ///   - id: of an earlier plan that is carried on; nil begins anew, unless an unfinished restore of the same backup is found.
    public func plan(
        _ origin: RestorePlan.Origin, strategy: RestorePlan.Strategy? = nil, id: BackupID? = nil
    ) async throws(Problem) -> RestorePlan {
        var backup: BackupManifest?
        let dumpBytes: Int
        switch origin {
        case .backup(let id):
            let manifest = try await store.manifest(id)
            guard manifest.engine == .postgres else {
                throw Problem("WrongEngine", "the backup \(id) is of a SQLite file", next: "name a backup of this database")
            }
            (backup, dumpBytes) = (manifest, manifest.bytes)
        case .path(let path):
            guard let size = Files.size(path) else {
                throw Problem("BackupNotFound", "there is no file \(path)", next: "name a backup of reconcile backup list, or a file")
            }
            dumpBytes = size
        }
        let obstacle = try await obstacleToSwap()
        let chosen = try await self.strategy(strategy, backup, origin, obstacle)
        let standing = chosen == .tables ? try await self.standing(backup) : []
        return try await place.session { connection throws(Problem) in
            let now = try await TableCensus.counting(TableCensus.all(on: connection), on: connection)
            let size = try await connection.ask(
                "SELECT pg_catalog.pg_database_size(pg_catalog.current_database())", for: "cannot read the size of the database")
            let stamps = try await RestoreStamp.all(of: place.database, on: connection)
            let open = stamps.last { stamped in
                if let id { return stamped.stamp.restore == id }
                return stamped.stamp.origin == origin && [.filling, .filled].contains(stamped.stamp.stage)
            }
            let restore = id ?? open?.stamp.restore ?? BackupID(at: backups.machine.now())
            let names = SwapNames(database: place.database, id: restore)
            var plan = RestorePlan(
                id: restore, origin: origin, backup: backup, database: place.database, strategy: standing.isEmpty ? chosen : .beside,
                liveBytes: size.scalar.flatMap { Int($0) } ?? 0, dumpBytes: dumpBytes,
                tables: chosen == .tables ? Self.both(backup, now) : RestorePlan.changes(saved: backup?.tables, now: now))
            plan.now = now
            if case .path(let path) = origin { plan.isOfNothing = Files.size(path) == 0 }
            if chosen == .inPlace, strategy == nil, let obstacle { plan.cautions.append("not by swap: \(obstacle.message)") }
            switch open?.stamp.stage {
            case .filled: plan.stage = .filled
            case .former: plan.stage = .done
            case .filling, .undone, nil: plan.stage = .fresh
            }
            plan.manual = try await manualWork(connection)
            describe(&plan, names)
            if !standing.isEmpty { plan.cautions.insert("there already, and left as it is: \(standing.joined(separator: ", "))", at: 0) }
            return plan
        }
    }

    private func strategy(
        _ wanted: RestorePlan.Strategy?, _ backup: BackupManifest?, _ origin: RestorePlan.Origin, _ obstacle: Problem?
    ) async throws(Problem) -> RestorePlan.Strategy {
        if backup?.kind == .scoped { return .tables }
        if let wanted {
            if wanted == .inPlace, case .path(let path) = origin, try !isArchive(path) {
                throw Problem(
                    "ScriptInPlace",
                    "\(path) is an SQL script: what it does is not known before it has run, so it goes into a database of its own",
                    next: "restore it by swap, with a role that may make databases")
            }
            guard wanted == .swap || wanted == .inPlace else {
                throw Problem(
                    "WrongStrategy", "\(wanted.rawValue) is no way to restore a whole PostgreSQL database", next: "use swap or in-place")
            }
            if wanted == .swap, let obstacle { throw obstacle }
            return wanted
        }
        return obstacle == nil ? .swap : .inPlace
    }

    /// Why this role cannot restore by swap; nil where it can, as far as the catalogue tells.
    private func obstacleToSwap() async throws(Problem) -> Problem? {
        let row = try await place.session { connection throws(Problem) in
            try await connection.ask(
                """
                SELECT r.rolsuper, r.rolcreatedb, pg_catalog.pg_has_role(d.datdba, 'USAGE'), pg_catalog.pg_get_userbyid(d.datdba),
                  d.dattablespace = n.dattablespace OR pg_catalog.has_tablespace_privilege(d.dattablespace, 'CREATE'), t.spcname, current_user
                FROM pg_catalog.pg_roles r, pg_catalog.pg_database d, pg_catalog.pg_database n, pg_catalog.pg_tablespace t
                WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database() AND n.datname = 'template0'
                  AND t.oid = d.dattablespace
                """, for: "cannot read what this role may do"
            ).rows.first
        }
        guard let row, row.count == 7, row[0] != "t", let owner = row[3], let tablespace = row[5], let role = row[6] else { return nil }
        func problem(_ why: String, _ right: String) -> Problem {
            Problem(
                "SwapNotAllowed", "\(place.database) cannot be restored by swap: the role \(role) \(why)", next: "\(right), \(Self.instead)"
            )
        }
        let name = SQLIdentifier.quoted(role)
        if row[1] != "t" { return problem("may not make databases", "ALTER ROLE \(name) CREATEDB") }
        if row[2] != "t" {
            return problem(
                "may not rename \(place.database), which is \(owner)'s", "GRANT \(SQLIdentifier.quoted(owner)) TO \(name)")
        }
        if row[4] != "t" {
            return problem(
                "may not put a database into the tablespace \(tablespace)",
                "GRANT CREATE ON TABLESPACE \(SQLIdentifier.quoted(tablespace)) TO \(name)")
        }
        return nil
    }

    /// Every table of a scoped backup with the rows that it has now, differing or not.
    private static func both(_ backup: BackupManifest?, _ now: [BackupManifest.Table]) -> [RestorePlan.TableChange] {
        (backup?.tables ?? []).map { saved in
            RestorePlan.TableChange(name: saved.name, saved: saved.rows, now: now.first { $0.name == saved.name }?.rows)
        }.sorted { $0.name < $1.name }
    }

    /// True for `pg_dump`'s custom format, which begins with `PGDMP`.
    func isArchive(_ path: String) throws(Problem) -> Bool { try BackupFile(path, 0).begins(with: Array("PGDMP".utf8)) }

    private func manualWork(_ connection: any SQLConnection) async throws(Problem) -> [String] {
        try await connection.ask(
            """
            SELECT 'publication ' || pubname || ': its subscribers must copy again' FROM pg_catalog.pg_publication
            UNION ALL SELECT 'subscription ' || subname || ': make it again' FROM pg_catalog.pg_stat_subscription
            UNION ALL SELECT 'replication slot ' || slot_name || ': make it again' FROM pg_catalog.pg_replication_slots
              WHERE database = pg_catalog.current_database() ORDER BY 1
            """, for: "cannot look for replication"
        ).rows.compactMap { $0.first ?? nil }
    }

    private func describe(_ plan: inout RestorePlan, _ names: SwapNames) {
        let what =
            switch plan.origin {
            case .backup(let id): "the backup \(id)"
            case .path(let path): path
            }
        let save = "save \(plan.database) as it is now"
        switch plan.strategy {
        case .swap, .file:
            plan.keptAs = names.former
            plan.steps =
                plan.stage == .filled
                ? ["\(names.filling) was filled and compared by an earlier run"]
                : [save, "fill a new database \(names.filling) from \(what) and compare it"]
            plan.steps += [
                "end every session with \(plan.database)",
                "in one commit: \(plan.database) becomes \(names.former), \(names.filling) becomes \(plan.database)",
            ]
            if plan.stage == .done { plan.steps = ["nothing: it was done, \(names.former) is what was there before"] }
        case .inPlace:
            plan.steps = [save, "in one transaction: drop every schema, restore \(what), compare, commit"]
            plan.cautions.append("nobody can read or write while the transaction runs")
        case .tables:
            plan.steps = [save, "in one transaction: put the tables of \(what) back, which must not be there"]
        case .beside:
            plan.steps = [
                "in one transaction: put the tables of \(what) into the schema \(besideSchema(plan.backup)), without keys and constraints",
                "print the SQL that brings rows and columns back from there, for you to run",
            ]
        }
        if case .path = plan.origin {
            plan.cautions.append("nothing is known of where \(what) comes from, and it has no fingerprint to compare")
        }
        if plan.backup?.isProved == false { plan.cautions.append("a restore of this backup was never proved") }
        if plan.rowsNewer > 0, plan.strategy == .swap || plan.strategy == .inPlace { plan.cautions.append(plan.newerRows) }
    }

    // MARK: Carrying out

    /// Carries a plan out, or carries on with it where an earlier run was interrupted. After an error the live database is as it was.
    public func run(_ plan: RestorePlan, progress: @escaping @Sendable (String) -> Void = { _ in }) async throws(Problem) -> RestoreResult {
        if let backup = plan.backup { try await store.verify(backup) }
        switch plan.strategy {
        case .swap: return try await swap(plan, progress)
        case .inPlace: return try await replaceInPlace(plan, progress)
        case .tables: return try await putBack(plan, progress)
        case .beside: return try await putBeside(plan, progress)
        case .file: throw Problem("WrongStrategy", "a PostgreSQL database is not a file", next: "report this as a bug of Belay")
        }
    }

    func save(before restore: BackupID, _ progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> BackupID {
        progress("saving \(place.database) as it is now")
        var request = request
        request.beforeRestore = restore
        return try await backups.full(request) { progress("saving \(place.database): \(ByteCount($0))") }.id
    }

    /// Longer than a switch may take.
    static let leaseDuration = Duration.seconds(60)

    /// Throws if somebody else has the lease.
    func confirmLease() async throws(Problem) {
        guard let lease else { return }
        try await place.session { connection throws(Problem) in try await lease.confirm(for: Self.leaseDuration, on: connection) }
    }

    func source(of plan: RestorePlan) throws(Problem) -> DatabaseFilling.Source {
        switch plan.origin {
        case .backup(let id):
            guard let backup = plan.backup, backup.id == id else {
                throw Problem("BackupNotFound", "the plan does not hold the backup \(id)", next: "plan again")
            }
            return .backup(backup)
        case .path(let path): return try isArchive(path) ? .archive(path) : .script(path)
        }
    }

    func serverVersion() async throws(Problem) -> Int {
        try await place.session { connection throws(Problem) in try await connection.serverVersion() }
    }

    /// The tables of a scoped backup, all or none.
    private func putBack(_ plan: RestorePlan, _ progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> RestoreResult {
        guard let backup = plan.backup else { throw Problem("BackupNotFound", "the plan holds no backup", next: "plan again") }
        let standing = try await standing(backup)
        guard standing.isEmpty else {
            throw Problem(
                "TablesExist", "\(standing.joined(separator: ", ")) would be restored over what is there",
                next: "plan again: it was not there when this restore was planned")
        }
        let safety = try await save(before: plan.id, progress)
        await reached(.saved)
        progress("restoring \(backup.tables.count) tables")
        try await confirmLease()
        do throws(Problem) {
            _ = try await place.run(
                .restore, serverVersion: try await serverVersion(),
                ["--single-transaction", "--exit-on-error", "--no-password", "--dbname=\(place.connectionText)", store.dump(backup)])
        } catch {
            throw error.asRestoreFailure(of: store.dump(backup))
        }
        await reached(.switched)
        return RestoreResult(
            plan: plan, safety: safety, keptAs: nil, lines: ["\(backup.tables.count) tables are back, \(backup.rows) rows"])
    }
}
