internal import Model
internal import SQL

/// Walks a way of migrations on a copy: there, back, and there again, and compares the schema after every step. Never touches the live
/// database.
struct Drill: Sendable {
    /// The copy.
    struct Place: Sendable {
        var connection: any SQLConnection
        var database: Database.Connection
        /// How ``database`` is reached; nil for SQLite.
        var address: PostgresAddress?
    }

    /// What is walked, as the copy has it.
    struct Way: Sendable {
        /// In the order in which the way there runs them.
        var changes: [MigrationChange]
        var from: String
        var to: String
        /// Tables that are no part of the schema: the migrations' own records.
        var excluded: [String]
        var notes: [String] = []
    }

    /// Finds the way on the copy.
    let way: @Sendable (Place) async throws(Problem) -> Way
    /// Runs one migration as it is run in a pass.
    let run: @Sendable (MigrationChange, Place) async throws(Problem) -> Void
    let now: @Sendable () -> Timestamp
    let progress: @Sendable (String) -> Void

    /// On a scratch database of a PostgreSQL server, dropped afterwards.
    func hold(restoring backup: BackupManifest, with backups: PostgresBackups) async -> DrillReport {
        await timed(backup) { (report) throws(Problem) in
            try await backups.store.verify(backup)
            let version = try await backups.place.session { connection throws(Problem) in try await connection.serverVersion() }
            let isSuperuser = try await backups.place.isSuperuser()
            return try await ScratchDatabase.using(like: backups.place, id: BackupID(at: now())) { scratch throws(Problem) in
                let filling = DatabaseFilling(
                    store: backups.store, target: scratch.place, serverVersion: version, keepsOwners: isSuperuser)
                let restored = try await measured { () throws(Problem) in try await filling.fill(from: .backup(backup)) }
                return try await scratch.place.session { connection throws(Problem) in
                    let address = scratch.place.address.withDatabase(scratch.place.database)
                    let place = Place(
                        connection: connection, database: .postgres(url: .environment("BELAY_DRILL"), direct: nil), address: address)
                    var walked = try await walk(place, report)
                    walked.millisecondsRestored = restored
                    return walked
                }
            }
        }
    }

    /// On a copy of a SQLite backup, removed afterwards.
    func hold(restoring backup: BackupManifest, with backups: SQLiteBackups) async -> DrillReport {
        await timed(backup) { (report) throws(Problem) in
            let draft = try await backups.store.begin(BackupID(at: now()), .sqlite)
            do throws(Problem) {
                try await backups.store.verify(backup)
                let restored = try await measured { () throws(Problem) in
                    try await SQLiteFile.copyBytes(backups.store.dump(backup), to: draft.partial, backups.store.thread)
                }
                var walked = try await SQLiteFile.session(draft.partial) { connection throws(Problem) in
                    try await connection.forgetLease()
                    return try await walk(Place(connection: connection, database: .sqlite(draft.partial)), report)
                }
                walked.millisecondsRestored = restored
                try await backups.store.discard(draft)
                return walked
            } catch {
                try await backups.store.discard(draft)
                throw error
            }
        }
    }

    private func timed(_ backup: BackupManifest, _ work: (DrillReport) async throws(Problem) -> DrillReport) async -> DrillReport {
        let clock = ContinuousClock()
        let begun = clock.now
        var report = DrillReport(backup: backup.id, begun: now())
        do throws(Problem) { report = try await work(report) } catch { report.problem = error }
        report.milliseconds = Int((clock.now - begun) / .milliseconds(1))
        return report
    }

    private func measured(_ work: () async throws(Problem) -> Void) async throws(Problem) -> Int {
        let clock = ContinuousClock()
        let begun = clock.now
        try await work()
        return Int((clock.now - begun) / .milliseconds(1))
    }

    // MARK: Walking

    private func walk(_ place: Place, _ begun: DrillReport) async throws(Problem) -> DrillReport {
        let way = try await way(place)
        var report = begun
        (report.from, report.to, report.notes) = (way.from, way.to, way.notes)
        report.migrations = way.changes.map { DrillReport.Migration(version: $0.version, isUp: $0.isUp) }
        func state() async throws(Problem) -> SchemaLines { try await SchemaLines.read(on: place.connection, excluding: way.excluded) }
        // The schema before the first migration, and after each.
        var states = [try await state()]
        for index in way.changes.indices {
            let change = way.changes[index]
            // What stood there before it was applied, as the database remembers it.
            let remembered = change.isUp ? nil : try await remembered(change.version, place)
            progress("there: \(change.isUp ? "applying" : "taking back") \(change.version)")
            switch await attempt(change, place) {
            case .failure(let problem):
                fail("there: \(problem.message)", &report, index)
                return report
            case .success(let milliseconds): report.migrations[index].millisecondsThere = milliseconds
            }
            states.append(try await state())
            if change.isRepeatable { report.migrations[index].result = .oneWay("repeatable: nothing takes it back") }
            if let remembered { note(states[index + 1].differences(from: remembered), "back to before it", &report, index) }
        }
        var lowest = way.changes.startIndex
        for index in way.changes.indices.reversed() {
            // Nothing takes it back, and what it left is no obstacle to those that are applied again.
            if way.changes[index].isRepeatable { continue }
            let change = MigrationChange(way.changes[index].version, isUp: !way.changes[index].isUp)
            progress("back: \(change.isUp ? "applying" : "taking back") \(change.version)")
            switch await attempt(change, place) {
            case .failure(let problem) where change.isUp && problem.reason == "ScriptMissing":
                // The way back of a rollback whose commit took the files along: it leads there, which is what it is for.
                for index in way.changes.indices.prefix(through: index)
                where !report.migrations[index].result.isInexact && !way.changes[index].isRepeatable {
                    report.migrations[index].result = .oneWay("its file is gone: it cannot be applied again")
                }
                lowest = index + 1
            case .failure(let problem):
                fail("back: \(problem.message)", &report, index)
                return report
            case .success(let milliseconds):
                report.migrations[index].millisecondsBack = milliseconds
                note(try await state().differences(from: states[index].lines), "back", &report, index)
                continue
            }
            break
        }
        for index in way.changes.indices where index >= lowest {
            let change = way.changes[index]
            progress("there again: \(change.isUp ? "applying" : "taking back") \(change.version)")
            switch await attempt(change, place) {
            case .failure(let problem):
                fail("there again: \(problem.message)", &report, index)
                return report
            case .success(let milliseconds):
                report.migrations[index].millisecondsAgain = milliseconds
                note(try await state().differences(from: states[index + 1].lines), "there again", &report, index)
            }
        }
        return report
    }

    private func remembered(_ version: String, _ place: Place) async throws(Problem) -> [String]? {
        do throws(SQLError) {
            let row = try await Archive(place.connection.engine).row(of: version, on: place.connection)
            return row?.linesBefore.map { $0.split(separator: "\n").map(String.init) }
        } catch {
            throw Problem(sql: error, "cannot read what is remembered of \(version)")
        }
    }

    private func attempt(_ change: MigrationChange, _ place: Place) async -> Result<Int, Problem> {
        do throws(Problem) {
            return .success(try await measured { () throws(Problem) in try await run(change, place) })
        } catch {
            return .failure(error)
        }
    }

    /// What was found different before stays said: it is most often why.
    private func fail(_ why: String, _ report: inout DrillReport, _ index: Int) {
        if case .inexact(let lines) = report.migrations[index].result {
            report.migrations[index].result = .inexact(lines + [why])
        } else {
            report.migrations[index].result = .failed(why)
        }
        // Only the way there of these was compared.
        for index in report.migrations.indices
        where report.migrations[index].result == .exact && report.migrations[index].millisecondsBack == nil {
            report.migrations[index].result = .notReached
        }
    }

    /// A difference that an earlier step left is that step's, and is not told of the later ones again.
    private func note(_ differences: [String], _ way: String, _ report: inout DrillReport, _ index: Int) {
        let told = Set(report.migrations.flatMap(\.told))
        let new = differences.filter { !told.contains($0) }.map { "\(way): \($0)" }
        report.migrations[index].told += differences
        switch report.migrations[index].result {
        case .notReached, .oneWay: report.migrations[index].result = new.isEmpty ? .exact : .inexact(new)
        case .exact: if !new.isEmpty { report.migrations[index].result = .inexact(new) }
        case .inexact(let earlier): report.migrations[index].result = .inexact(earlier + new)
        case .failed: break
        }
    }
}
