internal import Crypto
internal import FoundationEssentials
internal import MigrationFiles
public import Model
public import ProviderKit
internal import SQL
internal import SQLParsing

/// Moves schemas of PostgreSQL and SQLite through the files and tables of the tools that people already use.
///
/// What cannot run inside a transaction is refused at planning.
public struct MigrationsDriver: SchemaDriver {
    /// Reads where a database is.
    private let address: @Sendable (Configuration.Source, _ database: String) async -> Result<Secret, Problem>
    private let clock: any Clock<Duration>

    /// - Parameter address: reads the value that a spec refers to.
    public init(
        clock: any Clock<Duration> = ContinuousClock(),
        address: @escaping @Sendable (Configuration.Source, _ database: String) async -> Result<Secret, Problem>
    ) {
        self.address = address
        self.clock = clock
    }

    // MARK: - Looking

    public func observe(_ database: Database, _ request: SchemaRequest) async -> DatabaseObservation {
        switch await withConnection(
            to: database, writes: false,
            run: { connection in
                await observation(of: database, on: connection, request)
            })
        {
        case .success(let observation): observation
        case .failure(let problem): .unknown(problem)
        }
    }

    public func confirm(_ changes: [MigrationChange], of database: Database, _ request: SchemaRequest) async -> Problem? {
        let found = await withConnection(to: database, writes: false) { connection -> Problem? in
            switch await reading(of: database, on: connection, request) {
            case .failure(let problem): return problem
            case .success(let reading):
                for change in changes { if let problem = disagreement(change, reading) { return problem } }
                return await rightsProblem(database, connection)
            }
        }
        switch found {
        case .success(let problem): return problem
        case .failure(let problem): return problem
        }
    }

    public func check(_ checks: [DataCheck], of database: Database) async -> Problem? {
        let found = await withConnection(to: database, writes: false) { connection -> Problem? in
            for check in checks { if let problem = await answer(check, of: database, on: connection) { return problem } }
            return nil
        }
        switch found {
        case .success(let problem): return problem
        case .failure(let problem): return problem
        }
    }

    private func answer(_ check: DataCheck, of database: Database, on connection: any SQLConnection) async -> Problem? {
        let isPostgres = connection.engine == .postgres
        let shown = check.sql.split { $0.isWhitespace }.joined(separator: " ").prefix(100)
        do throws(SQLError) {
            try await connection.execute(
                isPostgres ? "BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = 60000" : "PRAGMA query_only = ON")
            let result: Result<String?, SQLError>
            do throws(SQLError) { result = .success(try await connection.query(check.sql).scalar) } catch { result = .failure(error) }
            try await connection.execute(isPostgres ? "ROLLBACK" : "PRAGMA query_only = OFF")
            let found = try result.get()
            guard Self.isSame(found ?? "", check.expect) else {
                return Problem(
                    "DataCheckFailed", "\(database.id): \(shown): the answer is \(found ?? "nothing"), expected \(check.expect)",
                    next: "look at the data, or pin another release; the next pass asks again")
            }
            return nil
        } catch {
            return Problem("DataCheckFailed", "\(database.id): \(shown): \(error)", next: "mend the check, or what it asks")
        }
    }

    /// `t` and `true` are the same answer.
    private static func isSame(_ found: String, _ expected: String) -> Bool {
        found == expected || (found == "t" && expected == "true") || (found == "f" && expected == "false")
    }

    // MARK: - Moving

    public func migrate(
        _ change: MigrationChange, of database: Database, _ request: SchemaRequest, progress: @escaping @Sendable (String) -> Void
    ) async -> MigrationEnd {
        // Once begun it is carried through: what a cancelled statement left would have to be found out again.
        let work = Task {
            await withConnection(to: database, writes: true) { connection in
                await migrate(change, of: database, on: connection, request, progress)
            }
        }
        switch await work.value {
        case .success(let end): return end
        case .failure(let problem): return .failed(problem)
        }
    }

    private func migrate(
        _ change: MigrationChange, of database: Database, on connection: any SQLConnection, _ request: SchemaRequest,
        _ progress: @escaping @Sendable (String) -> Void
    ) async -> MigrationEnd {
        let archive = Archive(connection.engine)
        do throws(SQLError) {
            try await archive.ensure(on: connection)
            let lease: Lease
            switch try await Lease.take(
                on: connection, holder: "\(request.actor), run \(request.run)", for: Self.leaseDuration)
            {
            case .taken(let taken): lease = taken
            case .held(let holding):
                return .failed(
                    Problem(
                        "DatabaseBusy",
                        "\(database.id): \(holding.holder) migrates it since \(holding.since), until \(holding.expires) at the latest",
                        next: "wait until it has ended"))
            }
            let end = await withTaskGroup(of: Void.self) { group in
                // On SQLite the write lock holds the row, and the fence does not ask how old the lease is.
                if connection.engine == .postgres { group.addTask { await keep(lease, of: database) } }
                let end = await locked(change, of: database, on: connection, lease, request, progress)
                group.cancelAll()
                return end
            }
            do throws(SQLError) { try await lease.release(on: connection) } catch {
                progress("the lease of the database could not be given back; it expires by itself")
            }
            return end
        } catch {
            return .failed(Self.problem(database, error))
        }
    }

    /// How long a killed process keeps others out.
    private static let leaseDuration = Duration.seconds(30)

    /// Prolongs the lease until it is cancelled, on a session of its own. What fails here is found out by the fence before COMMIT.
    private func keep(_ lease: Lease, of database: Database) async {
        _ = await withConnection(to: database, writes: true) { connection in
            do {
                while try await lease.renew(on: connection, for: Self.leaseDuration) { try await clock.sleep(for: .seconds(5)) }
            } catch {
                return
            }
        }
    }

    private func locked(
        _ change: MigrationChange, of database: Database, on connection: any SQLConnection, _ lease: Lease, _ request: SchemaRequest,
        _ progress: @escaping @Sendable (String) -> Void
    ) async -> MigrationEnd {
        let run: TransactionalRun
        switch await prepared(change, of: database, on: connection, lease, request) {
        case .success(let prepared): run = prepared
        case .failure(let problem): return .failed(problem)
        }
        let limits = database.migrations.timeouts
        let start = ContinuousClock.now
        var pause = Duration.milliseconds(200)
        for attempt in 0...limits.lockRetries {
            switch await run.run(on: connection) {
            case .done(let text): return .done(text)
            case .failed(let problem): return .failed(problem)
            case .undecided(_, let error):
                return await fate(of: change, of: database, request, error)
            case .sql(let error):
                guard TransactionalRun.retried.contains(error.sqlState ?? ""), attempt < limits.lockRetries,
                    ContinuousClock.now - start < limits.migration
                else { return .failed(Self.problem(database, error)) }
                progress("waits for a lock, attempt \(attempt + 2): \(error.message)")
                do { try await clock.sleep(for: pause * Double.random(in: 0.7...1.3)) } catch {
                    return .undecided(Self.interrupted(database))
                }
                pause = min(pause * 2, .seconds(30))
            }
        }
        return .failed(Problem("LockTimeout", "\(database.id): \(change.version): no lock was had", next: "run it again"))
    }

    /// COMMIT was sent and not answered: whether the record is there tells what became of it.
    private func fate(of change: MigrationChange, of database: Database, _ request: SchemaRequest, _ error: SQLError) async -> MigrationEnd
    {
        let found = await withConnection(to: database, writes: false) { connection -> Bool? in
            guard case .success(let reading) = await reading(of: database, on: connection, request) else { return nil }
            return reading.set.applied.contains { $0.entry.stem == change.version }
        }
        guard case .success(let isApplied?) = found, isApplied == change.isUp else {
            return .undecided(
                Problem(
                    "CommitUndecided", "\(database.id): \(change.version): the answer to COMMIT was lost: \(error.message)",
                    next: "the next pass reads what the database says"))
        }
        return .done("the answer to COMMIT was lost; it took effect")
    }

    private func prepared(
        _ change: MigrationChange, of database: Database, on connection: any SQLConnection, _ lease: Lease, _ request: SchemaRequest
    ) async -> Result<TransactionalRun, Problem> {
        let reading: SchemaReading
        switch await self.reading(of: database, on: connection, request) {
        case .success(let read): reading = read
        case .failure(let problem): return .failure(problem)
        }
        if let problem = disagreement(change, reading) { return .failure(problem) }
        guard let entry = reading.entry(change.version), let resolved = Self.resolve(change, reading) else {
            return .failure(Self.gone(change, database))
        }
        guard resolved.isTransactional else {
            return .failure(
                Problem(
                    "NonTransactionalMigration", "\(database.id): \(resolved.path) must run outside of a transaction",
                    next: "run it by hand"))
        }
        let before = reading.set.applied.map(\.entry).filter { $0.stem != change.version }.last
        let records =
            (reading.tableExists ? [] : [reading.table.creation])
            + (change.isUp ? reading.table.recordUp(entry) : reading.table.recordDown(entry, previous: before))
        let isPostgres = connection.engine == .postgres
        let lock = isPostgres ? AdvisoryLock(table: reading.table.name, database: database.name) : nil
        let run = TransactionalRun(
            database: database, change: change, resolved: resolved, records: records,
            isRecorded: { connection throws(SQLError) in
                guard case .success(let now) = await self.reading(of: database, on: connection, request) else {
                    throw SQLError(.statement, "\(database.id): what is applied could not be read again")
                }
                return now.set.applied.contains { $0.entry.stem == change.version }
            },
            row: Self.row(change, entry, reading, request), lock: lock, lease: lease, approvedRows: request.approvedRows,
            backup: backup(change, of: database, connection, request))
        return .success(run)
    }

    private func backup(
        _ change: MigrationChange, of database: Database, _ connection: any SQLConnection, _ request: SchemaRequest
    ) -> (@Sendable ([String], String?) async -> Problem?)? {
        guard database.migrations.backup != .none else { return nil }
        let backup = ScopedBackup(
            directory: request.backups, system: request.system, database: database.name, version: change.version, run: request.run,
            key: request.key)
        return { tables, snapshot in
            switch await backup.save(MigrationJob.BackupMoment(snapshot: snapshot, tables: tables), from: connection) {
            case .failure(let problem): return problem
            case .success(let runs):
                do throws(SQLError) {
                    for run in runs { _ = try await connection.query(run.sql, run.parameters) }
                    return nil
                } catch {
                    return Self.problem(database, error)
                }
            }
        }
    }

    public func backUp(
        _ database: Database, _ request: SchemaRequest, progress: @escaping @Sendable (String) -> Void
    ) async -> Result<String, Problem> {
        await withConnection(to: database, writes: true) { connection -> Result<String, Problem> in
            let backup = ScopedBackup(
                directory: request.backups, system: request.system, database: database.name, version: "", run: request.run,
                key: request.key)
            return await backup.saveAll(from: connection, progress: progress).map(\.description)
        }.flatMap(\.self)
    }
}

// MARK: - Private

extension MigrationsDriver {
    private func observation(
        of database: Database, on connection: any SQLConnection, _ request: SchemaRequest
    ) async -> DatabaseObservation {
        switch await reading(of: database, on: connection, request) {
        case .failure(let problem): return .unknown(problem)
        case .success(let reading):
            do throws(SQLError) {
                var observation = try await reading.observation(on: connection, engine: await Self.engine(connection))
                if reading.set.applied.isEmpty, database.migrations.baseline == nil,
                    try await AdoptedTable.hasUserTables(connection, besides: reading.table.name),
                    reading.archive.isEmpty
                {
                    observation.blockers.insert(Self.unadopted(database, reading.table.name), at: 0)
                }
                let store = BackupStore(directory: request.backups, system: request.system, key: request.key)
                do throws(Problem) {
                    observation.summary.lastBackup = try await store.lastBackup(system: request.system, database: database.name)
                    observation.summary.lastDrill = try await store.lastDrill(database.name)?.summary
                } catch {
                    observation.notes.append("the backups could not be looked at: \(error.message)")
                }
                return observation
            } catch {
                return .unknown(Self.problem(database, error))
            }
        }
    }

    private func reading(
        of database: Database, on connection: any SQLConnection, _ request: SchemaRequest
    ) async -> Result<SchemaReading, Problem> {
        let dialect: SQLDialect = connection.engine == .postgres ? .postgres : .sqlite
        let settings = database.migrations
        let directory: MigrationDirectory
        do throws(MigrationFileErrors) {
            let sources = try MigrationSource.all(under: settings.path)
            var format = settings.format.flatMap(MigrationFormat.init)
            if format == nil { format = await fittingTable(MigrationFormat.fitting(sources), database, connection) }
            directory = try MigrationDirectory(
                reading: sources, format: format, order: settings.order.flatMap(MigrationOrder.init), dialect: dialect)
        } catch {
            return .failure(Self.problem(database, error, settings.path))
        }
        do throws(SQLError) {
            let archive = try await Archive(connection.engine).load(on: connection, withLines: false)
            switch try await AdoptedTable.find(on: connection, named: settings.table, format: directory.format, database: database.id) {
            case .refused(let problem): return .failure(problem)
            case .none(let table):
                let isInhabited = try await needsBaseline(settings, AppliedSet(), archive, table, connection)
                return .success(
                    SchemaReading(
                        database, directory: directory, table: table, tableExists: false, set: AppliedSet(), archive: archive,
                        dialect: dialect, isInhabited: isInhabited,
                        isSigned: { ArchiveSignature.isSigned($0, key: request.key) }))
            case .found(let table):
                let set = table.read(
                    try await connection.query(table.query), files: directory.migrations, archive: archive, database: database.id)
                let isInhabited = try await needsBaseline(settings, set, archive, table, connection)
                return .success(
                    SchemaReading(
                        database, directory: directory, table: table, tableExists: true, set: set, archive: archive, dialect: dialect,
                        isInhabited: isInhabited,
                        isSigned: { ArchiveSignature.isSigned($0, key: request.key) }))
            }
        } catch {
            return .failure(Self.problem(database, error))
        }
    }

    /// True where nothing is recorded of a database that is not empty, and the spec says up to where it was brought otherwise.
    private func needsBaseline(
        _ settings: MigrationSettings, _ set: AppliedSet, _ archive: [ArchiveRow], _ table: AdoptedTable, _ connection: any SQLConnection
    ) async throws(SQLError) -> Bool {
        guard settings.baseline != nil, set.applied.isEmpty, set.problems.isEmpty else { return false }
        if !archive.isEmpty { return true }
        return try await AdoptedTable.hasUserTables(connection, besides: table.name)
    }

    /// Of several formats that the files fit, the one whose table is there; nil where that does not decide.
    private func fittingTable(_ formats: [MigrationFormat], _ database: Database, _ connection: any SQLConnection) async -> MigrationFormat?
    {
        guard formats.count > 1 else { return nil }
        var found: [MigrationFormat] = []
        for format in formats {
            let search = try? await AdoptedTable.find(  // What cannot be asked now is told by the next question.
                on: connection, named: database.migrations.table, format: format, database: database.id)
            if case .found? = search { found.append(format) }
        }
        return found.count == 1 ? found[0] : nil
    }

    /// What is not any more as the plan saw it.
    private func disagreement(_ change: MigrationChange, _ reading: SchemaReading) -> Problem? {
        guard let planned = change.script else { return nil }
        guard let resolved = Self.resolve(change, reading) else { return Self.gone(change, reading.database) }
        guard resolved.hash != planned.hash else { return nil }
        return Problem(
            "WorldChanged", "\(reading.database.id): the script of \(change.version) changed since it was planned",
            next: "nothing was run; the next pass plans anew")
    }

    private static func resolve(_ change: MigrationChange, _ reading: SchemaReading) -> SchemaReading.Resolved? {
        do throws(ParseError) {
            return change.isUp ? try reading.up(change.version) : try reading.down(change.version)
        } catch {
            return nil
        }
    }

    /// A pooler may give the session's settings and its locks to somebody else (contract migrations.md §3.6).
    private static func needsDirectURL(_ database: Database) -> Problem {
        Problem(
            "DirectConnectionNeeded", "\(database.id): its address leads through a pooler, and migrations need a session of their own",
            next:
                "set directUrl to the server itself: PgBouncer's server port, Supabase port 5432 instead of 6543, Neon's host without -pooler"
        )
    }

    private func rightsProblem(_ database: Database, _ connection: any SQLConnection) async -> Problem? {
        guard let postgres = connection as? PostgresConnection else { return nil }
        do throws(SQLError) {
            if case .postgres(_, nil) = database.connection, try await postgres.isThroughPooler() { return Self.needsDirectURL(database) }
            let row =
                try await postgres.query(
                    "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), "
                        + "pg_catalog.to_regnamespace('belay') IS NOT NULL"
                ).rows.first ?? []
            if row.first == "t" {
                return Problem(
                    "ReadOnlyReplica", "\(database.id): this server is a replica", next: "give the address of the primary server")
            }
            if row.count == 3, row[1] == "f", row[2] == "f" {
                return Problem(
                    "RightsMissing", "\(database.id): the role may not create the schema belay, where Belay remembers what it applied",
                    next: "GRANT CREATE ON DATABASE to it, or have somebody create the schema belay for it")
            }
            return nil
        } catch {
            return Self.problem(database, error)
        }
    }

    private static func row(
        _ change: MigrationChange, _ entry: AdoptedTable.Entry, _ reading: SchemaReading, _ request: SchemaRequest
    ) -> ArchiveRow {
        let file = reading.file(change.version)
        return ArchiveRow(
            version: change.version, name: entry.name, sequence: 0, state: .applied, upSQL: file?.up.text, downSQL: file?.down?.text,
            upIsTransactional: file?.up.isTransactional ?? true, downIsTransactional: file?.down?.isTransactional ?? true,
            upFingerprint: file.flatMap { SQLScript.cosmeticFingerprint($0.up.text, dialect: reading.dialect) },
            sourceCommit: request.revision.kind == .commit ? request.revision.id : nil, sourcePath: entry.path,
            format: reading.directory.format.rawValue, appliedBy: request.actor, run: request.run
        ).signed(request.key)
    }

    private func withConnection<Value: Sendable>(
        to database: Database, writes: Bool, run work: (any SQLConnection) async -> Value
    ) async -> Result<Value, Problem> {
        let connection: any SQLConnection
        switch await connect(to: database, writes: writes) {
        case .success(let made): connection = made
        case .failure(let problem): return .failure(problem)
        }
        let value = await work(connection)
        await connection.close()
        return .success(value)
    }

    private func connect(to database: Database, writes: Bool) async -> Result<any SQLConnection, Problem> {
        do throws(SQLError) {
            switch database.connection {
            case .sqlite(let path):
                // Where there is no file yet, there is an empty database to look at; the first migration makes the file.
                if !writes, !FileManager.default.fileExists(atPath: path) {
                    return .success(try await SQLiteConnection(":memory:", mode: .create))
                }
                return .success(try await SQLiteConnection(path, mode: writes ? .create : .readOnly))
            case .postgres(let url, let direct):
                switch await address(writes ? direct ?? url : url, database.name) {
                case .failure(let problem): return .failure(problem)
                case .success(let secret):
                    return .success(try await PostgresConnection(PostgresAddress(secret.reveal())))
                }
            }
        } catch {
            return .failure(Self.problem(database, error))
        }
    }

    private static func engine(_ connection: any SQLConnection) async -> String {
        guard let postgres = connection as? PostgresConnection else { return "sqlite \(SQLiteConnection.version)" }
        let version = await postgres.serverVersion
        return "postgres \(version / 10000).\(version % 10000)"
    }

    // MARK: Problems

    private static func problem(_ database: Database, _ error: SQLError) -> Problem {
        let (reason, next): (String, String?) =
            switch error.code {
            case .unreachable: ("DatabaseUnreachable", "check that it runs and that the address is right")
            case .refusedLogin: ("LoginRefused", "check user, password and database in the address")
            case .misconfigured: ("DatabaseMisconfigured", error.hint)
            case .lost: ("ConnectionLost", "run it again; the database itself says what took effect")
            case .cancelled: ("Interrupted", "run it again")
            case .statement: ("StatementFailed", error.hint ?? "see what the database says")
            }
        return Problem(reason, "\(database.id): \(error.message)" + (error.detail.map { " (\($0))" } ?? ""), next: next)
    }

    private static func problem(_ database: Database, _ error: MigrationFileErrors, _ path: String) -> Problem {
        let lines = error.mistakes.map { mistake in
            let place = [
                mistake.path.isEmpty ? path : "\(path)/\(mistake.path)", mistake.line.map(String.init), mistake.column.map(String.init),
            ]
            return place.compactMap(\.self).joined(separator: ":") + ": \(mistake.message)"
        }
        return Problem(
            error.mistakes.first?.reason ?? "MigrationsUnreadable", "\(database.id): \(lines.joined(separator: "\n"))",
            next: "mend the migrations")
    }

    private static func gone(_ change: MigrationChange, _ database: Database) -> Problem {
        Problem(
            "ScriptMissing", "\(database.id): there is no script any more to \(change.isUp ? "apply" : "take back") \(change.version)",
            next: "restore its file; nothing was run")
    }

    private static func interrupted(_ database: Database) -> Problem {
        Problem("Interrupted", "\(database.id): the wait for a lock was interrupted", next: "the next pass goes on")
    }

    private static func unadopted(_ database: Database, _ table: String) -> Problem {
        Problem(
            "UnadoptedDatabase",
            "\(database.id): the database has tables, and \(table) records no migration: this may be the wrong migrations table",
            next: "set migrations.table or migrations.format to what records them; if none of them is applied through migrations yet, "
                + "record them with their own tool first")
    }
}
