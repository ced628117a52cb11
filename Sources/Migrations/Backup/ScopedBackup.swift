internal import FoundationEssentials
internal import Model
internal import ProviderKit
internal import SQL

/// Saves what a migration endangers from inside its transaction, so that no write is lost in between; and the whole database, where the
/// policy asks for that. Both become backups of the system's store.
struct ScopedBackup: Sendable {
    /// Holds a folder of backups for each system.
    var directory: String
    var system: SystemID
    var database: String
    /// The migration that is about to run.
    var version: String
    var run: String
    /// What manifests are signed with.
    var key: [UInt8]
    /// The migrations that are applied, in order; nil: as the database remembers them.
    var applied: [String]?
    var machine = BackupMachine()
    var programs = PostgresPrograms(environment: ProcessInfo.processInfo.environment)

    init(_ database: Database, version: String, _ request: SchemaRequest) {
        self.init(
            directory: request.backups, system: request.system, database: database.name, version: version, run: request.run,
            key: request.key)
    }

    init(directory: String, system: SystemID, database: String, version: String, run: String, key: [UInt8]) {
        self.directory = directory
        self.system = system
        self.database = database
        self.version = version
        self.run = run
        self.key = key
    }

    private var store: BackupStore { BackupStore(directory: directory, system: system, key: key) }

    /// Saves the tables that are locked. Returns the rows of `belay.backup` that are to be written in the migration's own transaction: then
    /// the record is there exactly when the migration is. After a failure nothing is left in the store.
    ///
    /// - Parameter connection: holds the transaction, with the tables locked.
    func save(_ moment: MigrationJob.BackupMoment, from connection: any SQLConnection) async -> Result<[SQLRun], Problem> {
        do throws(Problem) {
            let request = try await request(on: connection)
            let manifest: BackupManifest
            switch connection {
            case let postgres as PostgresConnection:
                guard let snapshot = moment.snapshot else {
                    throw Problem("BackupFailed", "the transaction exported no snapshot", next: "report this as a bug of Belay")
                }
                let tables = try await Self.names(moment.tables, on: postgres)
                manifest = try await backups(at: postgres.address).scoped(tables, snapshot: snapshot, on: postgres, request)
            case let sqlite as SQLiteConnection:
                manifest = try await SQLiteBackups(store: store, path: sqlite.path, machine: machine).save(.scoped, request)
            default: throw Problem("BackupFailed", "this kind of connection cannot be saved from", next: "report this as a bug of Belay")
            }
            return .success(try await record(manifest, on: connection))
        } catch {
            return .failure(failed("what \(version) would lose", error))
        }
    }

    /// Saves the whole database as one snapshot sees it, and sees that what was written can be read. Refuses to begin without room for half
    /// as much again as the tables take.
    ///
    /// - Parameter connection: with the server itself, outside of a transaction; the record of the backup is written through it.
    func saveAll(from connection: any SQLConnection, progress: @escaping @Sendable (String) -> Void) async -> Result<BackupID, Problem> {
        let told: @Sendable (Int) -> Void = { progress("saving the whole database: \(ByteCount($0))") }
        do throws(Problem) {
            let request = try await request(on: connection)
            let manifest: BackupManifest
            switch connection {
            case let postgres as PostgresConnection:
                manifest = try await backups(at: postgres.address).full(request, progress: told)
            case let sqlite as SQLiteConnection:
                manifest = try await SQLiteBackups(store: store, path: sqlite.path, machine: machine).save(.full, request, progress: told)
            default: throw Problem("BackupFailed", "this kind of connection cannot be saved from", next: "report this as a bug of Belay")
            }
            do throws(Problem) {
                for run in try await record(manifest, on: connection) {
                    try await connection.ask(run.sql, run.parameters, for: "cannot record the backup")
                }
            } catch {
                // The manifest is what counts; a role that may only read can take backups all the same.
                progress("the backup \(manifest.id) is not recorded in the database itself: \(error.message)")
            }
            return .success(manifest.id)
        } catch {
            return .failure(failed("the whole database", error))
        }
    }

    private func backups(at address: PostgresAddress) throws(Problem) -> PostgresBackups {
        PostgresBackups(store: store, place: try PostgresPlace(address, run: run, programs: programs), machine: machine)
    }

    private func request(on connection: any SQLConnection) async throws(Problem) -> BackupRequest {
        var known = applied
        if known == nil { known = try await Archive(connection.engine).standing(on: connection) }
        return BackupRequest(
            system: system.description, database: database, run: run, applied: known ?? [], beforeVersion: version.isEmpty ? nil : version)
    }

    private func record(_ manifest: BackupManifest, on connection: any SQLConnection) async throws(Problem) -> [SQLRun] {
        do throws(SQLError) {
            return try await BackupRecord(manifest, in: store).writing(on: connection)
        } catch {
            throw Problem(sql: error, "cannot look for the table of backups")
        }
    }

    /// Tables as the catalogue spells them, from how SQL names them.
    private static func names(_ tables: [String], on connection: any SQLConnection) async throws(Problem) -> [TableName] {
        var names: [TableName] = []
        for table in tables {
            let row = try await connection.ask(
                """
                SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.oid = pg_catalog.to_regclass($1)
                """, [.text(table)], for: "cannot find \(table)"
            ).rows.first
            guard let schema = row?[0], let name = row?[1] else {
                throw Problem("BackupFailed", "\(table) is not there", next: "plan again: the schema has changed since")
            }
            names.append(TableName(schema: schema, name: name))
        }
        return names
    }

    private func failed(_ what: String, _ problem: Problem) -> Problem {
        Problem(
            "BackupFailed", "database/\(database): \(what) could not be saved: \(problem.message); nothing was lost",
            next: problem.next ?? "mend what is said, or set migrations.backup: none")
    }
}

extension Archive {
    /// The versioned migrations that are remembered as applied, in order; empty where Belay never wrote. Also inside a transaction.
    func standing(on connection: any SQLConnection) async throws(Problem) -> [String] {
        let what = "cannot read what is applied"
        if engine == .postgres {
            let isThere = try await connection.ask("SELECT pg_catalog.to_regclass('\(tables.archive)') IS NOT NULL", for: what)
            guard isThere.scalar == "t" else { return [] }
        }
        do throws(SQLError) {
            let rows = try await connection.query(
                "SELECT version, format FROM \(tables.archive) WHERE state IN ('applied', 'presumed') ORDER BY seq, version")
            return rows.rows.compactMap { row in
                guard row.count == 2, let version = row[0] else { return nil }
                return ArchiveRow.isRepeatable(version, format: row[1]) ? nil : version
            }
        } catch {
            guard Self.meansNoTable(error) else { throw Problem(sql: error, what) }
            return []
        }
    }
}
