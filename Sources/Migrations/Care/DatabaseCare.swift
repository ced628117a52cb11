public import Model
public import ProviderKit
internal import SQL

/// What is done for one database beside migrating it: backups, restores and drills. For commands; a pass does not need it.
///
/// Nothing is remembered between two calls but what the store of backups and the server hold: any of them may be killed and called again.
public struct DatabaseCare: Sendable {
    public let database: Database
    public let store: BackupStore
    let request: SchemaRequest
    let variables: [String: String]
    let machine: BackupMachine
    let clock: any Clock<Duration>
    let driver: MigrationsDriver
    /// Where a drill looks for ways back, as a pass does.
    let history: (@Sendable (Database) async -> (any MigrationHistory)?)?
    let address: @Sendable (Configuration.Source, _ database: String) async -> Result<Secret, Problem>

    /// - Parameters:
    ///   - request: says whose backups these are, where they are kept and what they are signed with.
    ///   - variables: of the environment: where PostgreSQL's programs are.
    ///   - address: reads the value that a spec refers to.
    public init(
        _ database: Database, _ request: SchemaRequest, variables: [String: String], machine: BackupMachine = BackupMachine(),
        clock: any Clock<Duration> = ContinuousClock(), history: (@Sendable (Database) async -> (any MigrationHistory)?)? = nil,
        address: @escaping @Sendable (Configuration.Source, _ database: String) async -> Result<Secret, Problem>
    ) {
        self.database = database
        self.request = request
        self.variables = variables
        self.machine = machine
        self.clock = clock
        self.history = history
        self.address = address
        store = BackupStore(directory: request.backups, system: request.system, key: request.key)
        driver = MigrationsDriver(address: address)
    }

    // MARK: Backups

    /// The backups of this database, newest first, and those of the system's store that cannot be read: nobody knows whose they are.
    public func backups() async throws(Problem) -> [BackupStore.Entry] {
        try await store.list().filter { entry in
            guard case .backup(let manifest) = entry else { return true }
            return isOwn(manifest)
        }
    }

    /// One backup of this database. Throws when it is another one's, or damaged.
    public func backup(_ id: BackupID) async throws(Problem) -> BackupManifest {
        let manifest = try await store.manifest(id)
        guard isOwn(manifest) else {
            throw Problem(
                "WrongDatabase", "the backup \(id) is of \(manifest.system), database \(manifest.database)",
                next: "name that one with --database, or another backup")
        }
        return manifest
    }

    /// The newest backup that holds the whole database. Not one that was taken before a restore: it holds what was to be got rid of.
    public func newestWhole() async throws(Problem) -> BackupManifest {
        let newest = try await store.newest { isOwn($0) && $0.isWhole && $0.beforeRestore == nil }
        guard let newest else {
            throw Problem(
                "BackupNotFound", "there is no backup of the whole \(database.id) in \(store.path)",
                next: "take one with reconcile backup create, or give the path of a dump")
        }
        return newest
    }

    private func isOwn(_ manifest: BackupManifest) -> Bool {
        manifest.system == request.system.description && manifest.database == database.name
    }

    /// Saves the whole database. Migrations wait meanwhile; who uses it does not.
    public func create(progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> BackupManifest {
        let place = try await place()
        let id = try await withLease(at: place, "a backup", mayLack: true, progress) { _ throws(Problem) in
            try await save(from: place, progress)
        }
        return try await store.manifest(id)
    }

    /// To be called with the lease held.
    private func save(from place: CarePlace, _ progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> BackupID {
        var backup = ScopedBackup(database, version: "", request)
        backup.applied = await applied()
        backup.machine = machine
        backup.programs = PostgresPrograms(environment: variables)
        return try await place.session { connection throws(Problem) in try await backup.saveAll(from: connection, progress: progress).get()
        }
    }

    /// Restores a backup into a scratch database, compares it with what was saved and records the result with it.
    ///
    /// A difference is a report that does not prove, not an error. The live database is only read.
    public func prove(_ manifest: BackupManifest, progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> BackupManifest {
        let place = try await place()
        progress("restoring the backup \(manifest.id) into a scratch database")
        let proved =
            switch place {
            case .postgres(let postgres): try await backups(at: postgres).prove(manifest)
            case .sqlite(let path): try await SQLiteBackups(store: store, path: path, machine: machine).prove(manifest)
            }
        do throws(Problem) {
            try await place.session { connection throws(Problem) -> Void in
                let runs: [SQLRun]
                do throws(SQLError) { runs = try await BackupRecord(proved, in: store).writing(on: connection) } catch {
                    throw Problem(sql: error, "cannot look for the table of backups")
                }
                for run in runs { try await connection.ask(run.sql, run.parameters, for: "cannot record the proof") }
            }
        } catch {
            // The manifest is what counts.
            progress("the proof is not recorded in the database itself: \(error.message)")
        }
        return proved
    }

    // MARK: Places

    /// Where the database is. Throws where only a pooler leads to it.
    func place() async throws(Problem) -> CarePlace {
        switch database.connection {
        case .sqlite(let path): return .sqlite(path)
        case .postgres(let url, let direct):
            let secret = try await address(direct ?? url, database.name).get()
            let address: PostgresAddress
            do throws(SQLError) { address = try PostgresAddress(secret.reveal()) } catch {
                throw Problem(sql: error, "\(database.id)", next: error.hint)
            }
            let place = try PostgresPlace(address, run: request.run, programs: PostgresPrograms(environment: variables))
            let isPooled = try await place.session { connection throws(Problem) in
                do throws(SQLError) { return try await connection.isThroughPooler() } catch {
                    throw Problem(sql: error, "cannot look at the connection")
                }
            }
            guard !isPooled else {
                throw Problem(
                    "DirectConnectionNeeded",
                    "\(database.id): its address leads through a pooler, and backups and restores need the server itself",
                    next: "set directUrl: PgBouncer's server port, Supabase port 5432 instead of 6543, Neon's host without -pooler")
            }
            return .postgres(place)
        }
    }

    func backups(at place: PostgresPlace) -> PostgresBackups { PostgresBackups(store: store, place: place, machine: machine) }

    /// The migrations that are applied, in order; nil where that cannot be told.
    func applied() async -> [String]? { await driver.observe(database, request).applied }
}

/// Where the database of a care is.
enum CarePlace: Sendable {
    case postgres(PostgresPlace)
    case sqlite(String)

    /// Opens a session, hands it to `work` and closes it whatever happens.
    func session<Value>(_ work: (any SQLConnection) async throws(Problem) -> Value) async throws(Problem) -> Value {
        switch self {
        case .postgres(let place): return try await place.session { connection throws(Problem) in try await work(connection) }
        case .sqlite(let path):
            guard Files.exists(path) else {
                throw Problem("DatabaseUnreachable", "there is no file \(path)", next: "check the path of the database")
            }
            return try await SQLiteFile.session(path) { connection throws(Problem) in try await work(connection) }
        }
    }
}

extension DatabaseCare {
    /// The backups that are not needed when the newest of each kind are kept, newest first. The newest proved one of the whole database is
    /// always kept.
    public func superfluous(keeping count: Int) async throws(Problem) -> [BackupManifest] {
        var seen: [String: Int] = [:]
        var hasProved = false
        return try await backups().compactMap { entry in
            guard case .backup(let manifest) = entry else { return nil }
            let kind = manifest.beforeRestore == nil ? manifest.kind.rawValue : "restore"
            seen[kind, default: 0] += 1
            if !hasProved, manifest.isProved, manifest.kind == .full {
                hasProved = true
                return nil
            }
            return seen[kind, default: 0] > count ? manifest : nil
        }
    }
}
