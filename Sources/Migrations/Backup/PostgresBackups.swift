public import Model
public import SQL

/// Takes backups of a PostgreSQL database with its own `pg_dump`, in the custom format.
public struct PostgresBackups: Sendable {
    let store: BackupStore
    let place: PostgresPlace
    let machine: BackupMachine
    /// How long `pg_dump` waits for somebody's exclusive lock.
    private let lockWait: Duration

    public init(store: BackupStore, place: PostgresPlace, machine: BackupMachine = BackupMachine(), lockWait: Duration = .seconds(30)) {
        self.store = store
        self.place = place
        self.machine = machine
        self.lockWait = lockWait
    }

    // MARK: Tables

    /// Saves some tables as one transaction sees them. To be called between `LOCK TABLE … IN SHARE ROW EXCLUSIVE MODE` with
    /// `pg_export_snapshot()` and the first statement that endangers them, on the connection whose transaction holds both: then no write is
    /// lost between the backup and the statement, and reading goes on (contract migrations.md §1.3).
    ///
    /// Partitions and inheriting tables are saved with their parents. A failure leaves the transaction open; nothing is left in the store.
    ///
    /// - Parameters:
    ///   - snapshot: what `pg_export_snapshot()` answered after the locks were taken.
    ///   - connection: holds the transaction; it is asked for sizes and counts.
    ///   - progress: bytes written so far.
    public func scoped(
        _ tables: [TableName], snapshot: String, on connection: any SQLConnection, _ request: BackupRequest,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws(Problem) -> BackupManifest {
        guard !tables.isEmpty else {
            throw Problem("BackupFailed", "no table was named for a backup of some tables", next: "report this as a bug of Belay")
        }
        let relations = try await TableCensus.expanding(tables, on: connection)
        try machine.requireRoom(for: relations.reduce(0) { $0 + $1.table.bytes }, in: store.path)
        let counted = try await TableCensus.counting(relations, on: connection)
        let facts = try await ServerFacts.read(on: connection)
        var manifest = self.manifest(.scoped, counted, facts, request)
        manifest.lsn = facts.lsn
        let patterns = relations.map { "--table=\($0.table.name.pattern)" }
        return try await dump(manifest, snapshot: snapshot, facts, patterns, relations, schemaLines: nil, progress)
    }

    // MARK: The whole database

    /// Saves the whole database, Belay's own records with it, as one snapshot sees it. Writing goes on meanwhile.
    public func full(_ request: BackupRequest, progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws(Problem)
        -> BackupManifest
    {
        try await place.session { connection throws(Problem) in
            try await connection.ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", for: "cannot begin a backup")
            for setting in [
                // Policies would hide rows: better an error.
                "row_security = off", "statement_timeout = 0", "idle_in_transaction_session_timeout = 0",
            ] {
                try await connection.ask("SET LOCAL \(setting)", for: "cannot begin a backup")
            }
            let answer = try await connection.ask("SELECT pg_catalog.pg_export_snapshot()", for: "cannot export a snapshot")
            guard let snapshot = answer.scalar else { throw Problem("BackupFailed", "the server exported no snapshot") }
            let relations = try await TableCensus.all(on: connection)
            let facts = try await ServerFacts.read(on: connection)
            try machine.requireRoom(for: max(relations.reduce(0) { $0 + $1.table.bytes }, 0), in: store.path)
            let schema = try await SchemaLines.read(on: connection)
            var manifest = self.manifest(.full, try await TableCensus.counting(relations, on: connection), facts, request)
            manifest.fingerprint = schema.hash
            manifest.schemas = facts.schemas
            return try await dump(manifest, snapshot: snapshot, facts, [], relations, schemaLines: schema.lines, progress)
        }
    }

    private func manifest(
        _ kind: BackupManifest.Kind, _ tables: [BackupManifest.Table], _ facts: ServerFacts, _ request: BackupRequest
    ) -> BackupManifest {
        let now = machine.now()
        var manifest = BackupManifest(
            id: BackupID(at: now), system: request.system, database: request.database, engine: .postgres, engineVersion: facts.version,
            kind: kind, tables: tables, taken: now, lsn: facts.lsn, applied: request.applied, beforeVersion: request.beforeVersion,
            run: request.run)
        manifest.beforeRestore = request.beforeRestore
        return manifest
    }

    private func dump(
        _ manifest: BackupManifest, snapshot: String, _ facts: ServerFacts, _ patterns: [String], _ relations: [TableCensus.Relation],
        schemaLines: [String]?, _ progress: @escaping @Sendable (Int) -> Void
    ) async throws(Problem) -> BackupManifest {
        // Found before a file is made.
        _ = try await place.programs.path(of: .dump, serverVersion: facts.versionNumber)
        let draft = try await store.begin(manifest.id, .postgres)
        do throws(Problem) {
            var finished = manifest
            let arguments =
                [
                    "--format=custom", "--no-password", "--snapshot=\(snapshot)",
                    "--lock-wait-timeout=\(Int(lockWait / .milliseconds(1)))", "--file=\(draft.partial)",
                ] + patterns
            try await watching(draft.partial, progress) { () throws(Problem) in
                _ = try await place.run(.dump, serverVersion: facts.versionNumber, arguments)
            }
            let contents = try await DumpContents.read(draft.partial, place, facts.versionNumber)
            try contents.require(relations)
            (finished.bytes, finished.sha256) = try await store.seal(draft)
            progress(finished.bytes)
            return try await store.finish(draft, finished, schemaLines: schemaLines)
        } catch {
            try await store.discard(draft)
            throw Problem(
                error.reason == "ProgramFailed" ? "BackupFailed" : error.reason,
                "\(manifest.kind == .full ? "the whole database" : "the tables") could not be saved: \(error.message)",
                next: error.next ?? "nothing was changed; look at the message of the program")
        }
    }

    /// Tells how long a file has become, twice a second, while something else goes on.
    private func watching(
        _ file: String, _ progress: @escaping @Sendable (Int) -> Void, _ work: () async throws(Problem) -> Void
    ) async throws(Problem) {
        let outcome: Result<Void, Problem> = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var last = 0
                while !Task.isCancelled {
                    do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
                    guard let size = Files.size(file), size != last else { continue }
                    last = size
                    progress(size)
                }
            }
            defer { group.cancelAll() }
            do throws(Problem) {
                return .success(try await work())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }
}

/// What is recorded of the server beside the tables.
struct ServerFacts: Sendable {
    /// `150020`
    var versionNumber: Int
    /// `15.20`
    var version: String
    var lsn: String?
    var schemas: [String]

    static func read(on connection: any SQLConnection) async throws(Problem) -> ServerFacts {
        let row = try await connection.ask(
            """
            SELECT pg_catalog.current_setting('server_version_num'), pg_catalog.current_setting('server_version'),
              CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END
            """, for: "cannot read the server's version"
        ).rows.first
        let schemas = try await connection.ask(
            "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1",
            for: "cannot list the schemas")
        return ServerFacts(
            versionNumber: row?[0].flatMap { Int($0) } ?? 0,
            // Debian's says more: `15.20 (Debian 15.20-0+deb12u1)`.
            version: row?[1].map { String($0.prefix { $0 != " " }) } ?? "", lsn: row?[2] ?? nil,
            schemas: schemas.rows.compactMap { $0.first ?? nil })
    }
}
