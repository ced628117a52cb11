public import Model
internal import SQL

extension PostgresRestore {
    /// How often the switch is tried before sessions that come back at once are told of.
    private static let attempts = 5
    /// What to do where a swap is not possible.
    static let instead = "or restore with --in-place, which needs no other database"

    func swap(_ plan: RestorePlan, _ progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> RestoreResult {
        let names = SwapNames(database: place.database, id: plan.id)
        let stamps = try await place.maintenance { connection throws(Problem) in
            try await RestoreStamp.all(of: place.database, on: connection).filter { $0.stamp.restore == plan.id }
        }
        let manifest = plan.backup
        if let former = stamps.first(where: { $0.stamp.stage == .former }) {
            return try await result(plan, former.stamp.safety, former.name)
        }
        var safety = stamps.first(where: { $0.stamp.stage == .filled })?.stamp.safety
        if safety == nil {
            let taken = try await save(before: plan.id, progress)
            safety = taken
            await reached(.saved)
            var stamp = RestoreStamp(restore: plan.id, origin: plan.origin, database: place.database, stage: .filling, safety: taken)
            try await removeLeftovers(except: names)
            do throws(Problem) {
                try await fill(plan, manifest, names, &stamp, progress)
            } catch {
                // Also when this task was cancelled. What cannot be dropped now is dropped by the next run.
                await Task { try? await place.dropDatabase(names.filling) }.value
                throw error
            }
        }
        let stamp = RestoreStamp(restore: plan.id, origin: plan.origin, database: place.database, stage: .former, safety: safety)
        progress("switching over")
        // Once begun it is carried through: it takes seconds, and an answer that nobody waited for would have to be found out.
        let switching = Task { () async -> Problem? in
            do throws(Problem) {
                try await switchOver(from: place.database, to: names.former, taking: names.filling, stamp: stamp)
                return nil
            } catch {
                return error
            }
        }
        if let problem = await switching.value { throw problem }
        await reached(.switched)
        return try await result(plan, safety, names.former)
    }

    /// Drops what interrupted runs filled half, or made and could not even mark. The lease says that none of them lives.
    private func removeLeftovers(except names: SwapNames) async throws(Problem) {
        let isShortened = !names.filling.hasPrefix(place.database + "__restore_")
        let rows = try await place.maintenance { connection throws(Problem) in
            try await connection.ask(
                "SELECT datname, pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database",
                for: "cannot list the databases")
        }
        for row in rows.rows {
            guard let name = row[0], name != names.filling, let mark = name.firstRange(of: "__restore_") else { continue }
            guard let id = BackupID(inDatabaseName: String(name[mark.upperBound...])),
                SwapNames(database: place.database, id: id).filling == name
            else { continue }
            if let comment = row[1] {
                guard let stamp = RestoreStamp(comment: comment), stamp.database == place.database, stamp.stage == .filling else {
                    continue
                }
            } else if isShortened, backups.machine.now() - id.time < ScratchDatabase.leftoverAge {
                // It may be of another database whose name begins alike, and be made at this moment.
                continue
            }
            try await place.dropDatabase(name)
        }
    }

    private func fill(
        _ plan: RestorePlan, _ manifest: BackupManifest?, _ names: SwapNames, _ stamp: inout RestoreStamp,
        _ progress: @escaping @Sendable (String) -> Void
    ) async throws(Problem) {
        // A run that was killed before it could stamp its database left it under this plan's own name: empty, and of nobody else.
        try await place.dropDatabase(names.filling)
        try await place.createDatabase(names.filling, withTablespace: true, next: Self.instead)
        let mark = try RestoreStamp.setting(stamp.text(), on: names.filling)
        try await place.session { connection throws(Problem) -> Void in
            try await connection.ask(mark, for: "cannot mark \(names.filling)")
        }
        await reached(.created)
        progress("filling \(names.filling)")
        let filling = DatabaseFilling(
            store: store, target: place.at(names.filling), serverVersion: try await serverVersion(), keepsOwners: true)
        try await filling.fill(from: try source(of: plan))
        await reached(.filled)
        if manifest == nil, !plan.allowsNothing {
            let relations = try await place.at(names.filling).session { connection throws(Problem) in
                try await TableCensus.all(on: connection)
            }
            if relations.isEmpty { throw plan.nothing }
        }
        if let manifest {
            let report = try await filling.compare(with: manifest)
            guard report.isProved else {
                throw Problem(
                    "RestoreDiffers",
                    "what was restored is not what was saved: \(report.differences.prefix(5).joined(separator: "; "))",
                    next: "the live database was not changed; restore another backup")
            }
        }
        await reached(.compared)
        stamp.stage = .filled
        let done = try RestoreStamp.setting(stamp.text(), on: names.filling)
        try await place.session { connection throws(Problem) -> Void in
            try await connection.ask(done, for: "cannot mark \(names.filling)")
        }
        await reached(.stamped)
    }

    /// Renames both databases and gives the new one what belongs to the old one, in one transaction: there is no moment without a live
    /// database, and nothing half done is left by a crash. Meanwhile nobody can connect: the server holds new sessions back until the commit
    /// and then sends them away from the old name's database.
    private func switchOver(
        from live: String, to former: String, taking filled: String, stamp: RestoreStamp
    ) async throws(Problem) {
        var attempt = 1
        while true {
            do throws(Problem) {
                // No session can look once the rename has begun: it has the time that this gives it.
                try await confirmLease()
                return try await place.maintenance { connection throws(Problem) in
                    try await place.maintenance { other throws(Problem) in
                        try await switchOnce(live, former, filled, stamp, connection, other)
                    }
                }
            } catch {
                // Somebody connected between the last ended session and the lock.
                guard error.reason == "DatabaseInUse", attempt < Self.attempts else { throw error }
                attempt += 1
            }
        }
    }

    private func switchOnce(
        _ live: String, _ former: String, _ filled: String, _ stamp: RestoreStamp, _ connection: any SQLConnection,
        _ other: any SQLConnection
    ) async throws(Problem) {
        let settings = try await DatabaseSettings.read(of: live, on: connection)
        var stamp = stamp
        stamp.comment = settings.comment
        let id = try await connection.ask(
            "SELECT oid FROM pg_catalog.pg_database WHERE datname = \(SQLLiteral.quoted(live, for: .postgres))", for: "cannot find \(live)")
        guard let id = id.scalar else { throw Problem("DatabaseMissing", "there is no database \(live)") }
        try await connection.ask("BEGIN", for: "cannot begin the switch")
        try await connection.ask("SET LOCAL lock_timeout = 10000", for: "cannot begin the switch")
        // The rename takes the lock that new sessions wait for, then waits a few seconds for the old ones to go.
        let ending = SessionEnding(database: id, connection: other)
        try await ending.during { () throws(Problem) in
            do throws(SQLError) {
                _ = try await connection.query(
                    "ALTER DATABASE \(SQLIdentifier.quoted(live)) RENAME TO \(SQLIdentifier.quoted(former))")
            } catch {
                guard error.sqlState == "55006" else { throw Problem(sql: error, "cannot rename \(live)") }
                throw Problem(
                    "DatabaseInUse", "sessions with \(live) cannot be ended: \(error)",
                    next: "stop what uses it, or use a role that may end the sessions of others (pg_signal_backend)")
            }
        }
        try await connection.ask(
            "ALTER DATABASE \(SQLIdentifier.quoted(filled)) RENAME TO \(SQLIdentifier.quoted(live))", for: "cannot rename \(filled)")
        for statement in settings.statements(for: live) {
            try await connection.ask(statement, for: "cannot give the restored database the settings of the former one")
        }
        try await connection.ask(try RestoreStamp.setting(stamp.text(), on: former), for: "cannot mark \(former)")
        await reached(.switching)
        try await connection.ask("COMMIT", for: "whether the databases were switched is not known; run the restore again, it looks first")
    }

    private func result(_ plan: RestorePlan, _ safety: BackupID?, _ former: String) async throws(Problem) -> RestoreResult {
        func count(_ database: String) async throws(Problem) -> [BackupManifest.Table] {
            try await place.at(database).session { connection throws(Problem) in
                try await TableCensus.counting(TableCensus.all(on: connection), on: connection)
            }
        }
        let changes = RestorePlan.changes(saved: try await count(place.database), now: try await count(former))
        return RestoreResult(
            plan: plan, safety: safety, keptAs: former, tables: changes,
            lines: ["\(place.database) is what was restored; \(former) is what was there before"])
    }

    // MARK: Swapping back

    /// Takes a swap back: the former database gets its name again, the restored one is kept under another. In one commit, as the swap was.
    /// One that was taken back already is left alone.
    public func undoSwap(_ id: BackupID) async throws(Problem) {
        let names = SwapNames(database: place.database, id: id)
        let stamped = try await place.maintenance { connection throws(Problem) in
            try await RestoreStamp.all(of: place.database, on: connection).filter { $0.stamp.restore == id }
        }
        if stamped.contains(where: { $0.stamp.stage == .undone }) { return }
        guard let former = stamped.first(where: { $0.stamp.stage == .former }) else {
            throw Problem(
                "NothingToUndo",
                "no former database of the restore \(id) is there: it was dropped, or the restore did not come to its switch",
                next: "restore the backup that was taken before it")
        }
        // It was put aside with the lease of the restore in it.
        try await place.at(former.name).session { connection throws(Problem) -> Void in try await connection.forgetLease() }
        var attempt = 1
        while true {
            do throws(Problem) {
                try await confirmLease()
                return try await place.maintenance { connection throws(Problem) in
                    try await place.maintenance { other throws(Problem) in
                        try await undoOnce(former, names, connection, other)
                    }
                }
            } catch {
                guard error.reason == "DatabaseInUse", attempt < Self.attempts else { throw error }
                attempt += 1
            }
        }
    }

    private func undoOnce(
        _ former: RestoreStamp.Stamped, _ names: SwapNames, _ connection: any SQLConnection, _ other: any SQLConnection
    ) async throws(Problem) {
        let live = place.database
        try await connection.ask("BEGIN", for: "cannot begin to swap back")
        try await connection.ask("SET LOCAL lock_timeout = 10000", for: "cannot begin to swap back")
        for (from, to) in [(live, names.undone), (former.name, live)] {
            let id = try await connection.ask(
                "SELECT oid FROM pg_catalog.pg_database WHERE datname = \(SQLLiteral.quoted(from, for: .postgres))",
                for: "cannot find \(from)")
            guard let id = id.scalar else { throw Problem("DatabaseMissing", "there is no database \(from)") }
            try await SessionEnding(database: id, connection: other).during { () throws(Problem) in
                do throws(SQLError) {
                    _ = try await connection.query("ALTER DATABASE \(SQLIdentifier.quoted(from)) RENAME TO \(SQLIdentifier.quoted(to))")
                } catch {
                    throw Problem(
                        sql: error, "cannot rename \(from)",
                        next: error.sqlState == "55006" ? "stop what uses it" : nil,
                        reason: error.sqlState == "55006" ? "DatabaseInUse" : nil)
                }
            }
        }
        try await connection.ask(RestoreStamp.setting(former.stamp.comment, on: live), for: "cannot restore the comment")
        var stamp = former.stamp
        stamp.stage = .undone
        try await connection.ask(try RestoreStamp.setting(stamp.text(), on: names.undone), for: "cannot mark \(names.undone)")
        try await connection.ask("COMMIT", for: "whether the databases were swapped back is not known; run it again, it looks first")
    }
}

/// Ends the sessions of a database again and again while something needs it for itself.
struct SessionEnding: Sendable {
    /// Its oid.
    var database: String
    var connection: any SQLConnection

    func during(_ work: () async throws(Problem) -> Void) async throws(Problem) {
        let outcome: Result<Void, Problem> = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    do {
                        // A right that is missing shows in what the work says of the sessions that stay.
                        _ = try await connection.query(
                            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE datid = \(database)")
                        try await Task.sleep(for: .milliseconds(50))
                    } catch let error as SQLError {
                        guard error.code == .statement else { return }
                        do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
                    } catch {
                        return
                    }
                }
            }
            defer { group.cancelAll() }
            do throws(Problem) { return .success(try await work()) } catch { return .failure(error) }
        }
        try outcome.get()
    }
}
