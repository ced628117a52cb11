internal import Model
internal import SQL

extension MigrationSession {
    /// Before something is lost: keeps writers away, counts anew, and has it saved as it is now. In the migration's transaction; returns what
    /// records the backup.
    func protect(_ job: MigrationJob, _ connection: any SQLConnection) async throws(SQLError) -> Result<[SQLRun], Problem> {
        guard job.count != nil || job.backup != nil else { return .success([]) }
        var locked = try await lock(job.tablesAtRisk, besides: [], connection)
        var risk = try await job.count?(connection) ?? MigrationJob.AtRisk(rows: nil, tables: job.tablesAtRisk)
        // What goes with it is locked as well, and then nothing that was counted can change any more.
        let more = try await lock(risk.tables, besides: locked, connection)
        if !more.isEmpty {
            locked.formUnion(more)
            risk = try await job.count?(connection) ?? risk
        }
        await effect("lock")
        if let problem = excess(risk, job) { return .failure(problem) }
        guard let backup = job.backup, !risk.tables.isEmpty else { return .success([]) }
        return try await save(risk.tables, backup, connection)
    }

    /// The same for a script that runs outside of a transaction: what is written between the backup and the statement that loses it is not in
    /// the backup.
    func protectOutside(_ job: MigrationJob, _ connection: any SQLConnection) async throws(SQLError) -> Result<[SQLRun], Problem> {
        guard job.count != nil || job.backup != nil else { return .success([]) }
        let isPostgres = archive.engine == .postgres
        try await connection.execute(isPostgres ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "BEGIN")
        let result = try await saved(job, connection)
        try await connection.execute("COMMIT")
        return result
    }

    private func saved(_ job: MigrationJob, _ connection: any SQLConnection) async throws(SQLError) -> Result<[SQLRun], Problem> {
        let risk = try await job.count?(connection) ?? MigrationJob.AtRisk(rows: nil, tables: job.tablesAtRisk)
        if let problem = excess(risk, job) { return .failure(problem) }
        guard let backup = job.backup, !risk.tables.isEmpty else { return .success([]) }
        return try await save(risk.tables, backup, connection)
    }

    /// Has tables saved as the connection's transaction sees them.
    private func save(
        _ tables: [String], _ backup: @Sendable (MigrationJob.BackupMoment, any SQLConnection) async -> Result<[SQLRun], Problem>,
        _ connection: any SQLConnection
    ) async throws(SQLError) -> Result<[SQLRun], Problem> {
        settings.progress("saves \(tables.count == 1 ? tables[0] : "\(tables.count) tables")")
        guard archive.engine == .postgres else {
            let result = await backup(MigrationJob.BackupMoment(snapshot: nil, tables: tables), connection)
            await effect("backup")
            return result
        }
        // The session stands idle while another program reads.
        try await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        let snapshot = try await connection.query("SELECT pg_catalog.pg_export_snapshot()").scalar
        let result = await backup(MigrationJob.BackupMoment(snapshot: snapshot, tables: tables), connection)
        try await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 60000")
        await effect("backup")
        return result
    }

    /// Locks the tables that are there, in the order of their names, and returns them.
    private func lock(
        _ names: [String], besides locked: Set<String>, _ connection: any SQLConnection
    ) async throws(SQLError) -> Set<String> {
        guard archive.engine == .postgres else { return [] }
        var tables: Set<String> = []
        for name in names {
            let found = try await connection.query(
                """
                SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE c.oid = pg_catalog.to_regclass($1::text) AND c.relkind IN ('r', 'p')
                """, [.text(name)])
            if let table = found.scalar, !locked.contains(table) { tables.insert(table) }
        }
        guard !tables.isEmpty else { return [] }
        try await connection.execute("LOCK TABLE \(tables.sorted().joined(separator: ", ")) IN SHARE ROW EXCLUSIVE MODE")
        return tables
    }

    private func excess(_ risk: MigrationJob.AtRisk, _ job: MigrationJob) -> Problem? {
        guard let ceiling = job.approvedRows, let rows = risk.rows, rows > ceiling else { return nil }
        return Problem(
            "MoreRowsThanApproved", "\(job.path): \(rows) rows would be lost or changed, and \(ceiling) are approved",
            next: "look at the plan again and approve it as it is now")
    }
}
