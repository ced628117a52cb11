public import Model
public import SQL

/// Walks a way of migrations on a copy: there, back, and there again, and compares the schema after every step. Never touches the live
/// database.
public struct Drill: Sendable {
    /// Where the migrations are run.
    public struct Place: Sendable {
        public var connection: any SQLConnection
        /// The copy's address; nil for SQLite.
        public var address: PostgresAddress?
        /// The copy's path; nil for PostgreSQL.
        public var path: String?
    }

    public enum Direction: Sendable { case up, down }

    /// Runs one migration as it will be run, commits it, and returns what it had locked before the commit; see ``locks(on:)``.
    public typealias Step = @Sendable (_ version: String, _ place: Place) async throws(Problem) -> [String]

    private let versions: [String]
    private let direction: Direction
    private let up: Step
    private let down: Step
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - versions: the migrations between the two pins, in the order in which the way there runs them.
    ///   - direction: of the way there: up for a release, down for a rollback.
    public init(
        _ versions: [String], _ direction: Direction = .up, up: @escaping Step, down: @escaping Step,
        now: @escaping @Sendable () -> Timestamp = BackupMachine.systemTime
    ) {
        self.versions = versions
        self.direction = direction
        self.up = up
        self.down = down
        self.now = now
    }

    /// On a scratch database of a PostgreSQL server, dropped afterwards.
    /// - Parameter backup: what is restored into it; nil: nothing.
    public func run(restoring backup: BackupManifest?, with backups: PostgresBackups) async -> DrillReport {
        await timed(backup) { () throws(Problem) in
            if let backup { try await backups.store.verify(backup) }
            let version = try await backups.place.session { connection throws(Problem) in try await connection.serverVersion() }
            let isSuperuser = try await backups.place.isSuperuser()
            return try await ScratchDatabase.using(like: backups.place, id: BackupID(at: now())) { scratch throws(Problem) in
                if let backup {
                    let filling = DatabaseFilling(
                        store: backups.store, target: scratch.place, serverVersion: version, keepsOwners: isSuperuser)
                    try await filling.fill(from: .backup(backup))
                }
                return try await scratch.place.session { connection throws(Problem) in
                    let address = scratch.place.address.withDatabase(scratch.place.database)
                    return try await walk(Place(connection: connection, address: address))
                }
            }
        }
    }

    /// On a copy of a SQLite backup, or on an empty file; removed afterwards.
    public func run(restoring backup: BackupManifest?, with backups: SQLiteBackups) async -> DrillReport {
        await timed(backup) { () throws(Problem) in
            let draft = try await backups.store.begin(BackupID(at: now()), .sqlite)
            do throws(Problem) {
                if let backup {
                    try await backups.store.verify(backup)
                    try await SQLiteFile.copyBytes(backups.store.dump(backup), to: draft.partial, backups.store.thread)
                }
                let migrations = try await SQLiteFile.session(draft.partial, .create) { connection throws(Problem) in
                    try await walk(Place(connection: connection, path: draft.partial))
                }
                try await backups.store.discard(draft)
                return migrations
            } catch {
                try await backups.store.discard(draft)
                throw error
            }
        }
    }

    private func timed(
        _ backup: BackupManifest?, _ work: () async throws(Problem) -> [DrillReport.Migration]
    ) async -> DrillReport {
        let clock = ContinuousClock()
        let begun = clock.now
        var report = DrillReport(backup: backup?.id, migrations: [], begun: now())
        do throws(Problem) {
            report.migrations = try await work()
        } catch {
            report.migrations = versions.map { DrillReport.Migration(version: $0) }
            report.problem = error
        }
        report.milliseconds = Int((clock.now - begun) / .milliseconds(1))
        return report
    }

    // MARK: Walking

    private func walk(_ place: Place) async throws(Problem) -> [DrillReport.Migration] {
        let (there, back) = direction == .up ? (up, down) : (down, up)
        var migrations = versions.map { DrillReport.Migration(version: $0) }
        // The schema before the first migration, and after each.
        var states = [try await SchemaState.read(on: place.connection)]
        for index in versions.indices {
            guard let (milliseconds, locks) = await attempt(there, &migrations[index], place) else { return migrations }
            migrations[index].millisecondsThere = milliseconds
            migrations[index].locks = locks
            states.append(try await SchemaState.read(on: place.connection))
        }
        for index in versions.indices.reversed() {
            guard let (milliseconds, _) = await attempt(back, &migrations[index], place) else { return migrations }
            migrations[index].millisecondsBack = milliseconds
            try await compare(&migrations[index], with: states[index], "back", place)
        }
        for index in versions.indices {
            guard let (milliseconds, _) = await attempt(there, &migrations[index], place) else { return migrations }
            migrations[index].millisecondsAgain = milliseconds
            try await compare(&migrations[index], with: states[index + 1], "again", place)
        }
        return migrations
    }

    private func attempt(_ step: Step, _ migration: inout DrillReport.Migration, _ place: Place) async -> (Int, [String])? {
        let clock = ContinuousClock()
        let begun = clock.now
        do throws(Problem) {
            let locks = try await step(migration.version, place)
            return (Int((clock.now - begun) / .milliseconds(1)), locks)
        } catch {
            migration.result = .failed(error.message)
            return nil
        }
    }

    /// A difference that an earlier step of the chain left is that step's, and is not told of the later ones again.
    private func compare(
        _ migration: inout DrillReport.Migration, with expected: SchemaState, _ way: String, _ place: Place
    ) async throws(Problem) {
        let found = try await SchemaState.read(on: place.connection)
        let differences = found.differences(from: expected.lines).map { "\(way): \($0)" }
        switch migration.result {
        case .notReached: migration.result = differences.isEmpty ? .exact : .inexact(differences)
        case .inexact(let earlier): migration.result = .inexact(earlier + differences)
        case .exact: if !differences.isEmpty { migration.result = .inexact(differences) }
        case .failed: break
        }
    }

    /// What the session's transaction holds of tables and indexes, strongest first: for a step, before it commits. PostgreSQL only.
    public static func locks(on connection: any SQLConnection) async throws(SQLError) -> [String] {
        guard connection.engine == .postgres else { return [] }
        return try await connection.query(
            """
            SELECT DISTINCT l.mode || ' ' || n.nspname || '.' || c.relname FROM pg_catalog.pg_locks l
            JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE l.pid = pg_catalog.pg_backend_pid() AND l.granted AND n.nspname !~ '^pg_'
              AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
            ORDER BY 1
            """, []
        ).rows.compactMap { $0.first ?? nil }
    }
}
