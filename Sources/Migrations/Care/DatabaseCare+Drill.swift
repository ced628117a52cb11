public import Model
internal import ProviderKit
internal import SQL

extension DatabaseCare {
    /// Which migrations lead from what is observed to the database's pin, in their order.
    public typealias Way = @Sendable (Database, DatabaseObservation) -> Result<[MigrationChange], Problem>

    /// Restores a backup into a scratch copy, walks there to a pin, back, and there again, and compares the schema after every step. Takes no
    /// lock: it must never be in the way of a rollback. The report is kept beside the backups, for `status`.
    ///
    /// Where the copy stands at the pin already, its last migration is taken back and applied again.
    /// - Parameter pin: nil: the one of the spec.
    public func drill(
        to pin: String?, from backup: BackupManifest, way: @escaping Way, progress: @escaping @Sendable (String) -> Void
    ) async throws(Problem) -> DrillReport {
        let place = try await place()
        let drill = Drill(
            way: { copy throws(Problem) in try await find(pin, on: copy, way) },
            run: { change, copy throws(Problem) in try await run(change, on: copy) }, now: machine.now, progress: progress)
        progress("restoring the backup \(backup.id) into a scratch database")
        let report =
            switch place {
            case .postgres(let postgres): await drill.hold(restoring: backup, with: backups(at: postgres))
            case .sqlite(let path):
                await drill.hold(restoring: backup, with: SQLiteBackups(store: store, path: path, machine: machine))
            }
        // What never found its way tells nothing of the migrations.
        if !report.to.isEmpty { try await store.record(report, of: database.name) }
        return report
    }

    private func find(_ pin: String?, on copy: Drill.Place, _ way: Way) async throws(Problem) -> Drill.Way {
        func look(_ pin: String) async throws(Problem) -> (DatabaseObservation, [String], [MigrationChange]) {
            let database = scratch(copy, pin: pin)
            let observation = await driver(for: copy).observe(database, scratchRequest)
            guard let applied = observation.applied else {
                throw observation.problem ?? Problem("NotObserved", "\(self.database.id): the copy could not be read")
            }
            return (observation, applied, try way(database, observation).get())
        }
        var target = pin ?? database.schema
        var (observation, applied, changes) = try await look(target)
        var notes: [String] = []
        if changes.isEmpty, let last = applied.last {
            target = applied.dropLast().last ?? Database.emptySchema
            notes.append("the backup stands at the pin: its last migration, \(last), is taken back and applied again")
            (observation, applied, changes) = try await look(target)
        }
        if changes.isEmpty { notes.append("there is no migration to walk") }
        // `"public"."schema_migrations" (dbmate)`
        let table: String? = observation.summary.table.split(separator: " ").first.map { String($0.filter { $0 != "\"" }) }
        return Drill.Way(
            changes: changes, from: applied.last ?? Database.emptySchema, to: target, excluded: [table].compactMap(\.self), notes: notes)
    }

    private func run(_ change: MigrationChange, on copy: Drill.Place) async throws(Problem) {
        let driver = driver(for: copy)
        let end = await driver.migrate(change, of: scratch(copy, pin: database.schema), scratchRequest, progress: { _ in })
        // Every step is a pass of its own: the next one reads anew what is there.
        await driver.end(scratchRequest)
        switch end {
        case .done: return
        case .failed(let problem), .undecided(let problem): throw problem
        }
    }

    /// The database as the spec has it, in another place: what is lost there is nobody's, and what is compared is compared by the drill.
    private func scratch(_ copy: Drill.Place, pin: String) -> Database {
        var database = database
        database.connection = copy.database
        database.schema = pin
        database.migrations.backup = .none
        database.migrations.verify = .off
        // Nothing is restored over the copy: what has no way back is what a drill is to tell.
        if database.migrations.onIrreversible == .restore { database.migrations.onIrreversible = .block }
        return database
    }

    private var scratchRequest: SchemaRequest {
        var request = request
        request.approvedRows = .max
        return request
    }

    private func driver(for copy: Drill.Place) -> MigrationsDriver {
        let text = copy.address?.revealed ?? ""
        return MigrationsDriver(history: history) { _, _ in .success(Secret(text)) }
    }
}
