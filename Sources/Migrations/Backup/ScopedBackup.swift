import FoundationEssentials
import Model
import ProviderKit
import SQL
import Subprocess
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Tables saved before a migration takes something of them away: from the transaction's own snapshot, so that no write is lost in between.
struct ScopedBackup: Sendable {
    var directory: String
    var system: SystemID
    var database: String
    var version: String
    var run: String

    init(_ database: Database, version: String, _ request: SchemaRequest) {
        directory = request.backups
        system = request.system
        self.database = database.name
        self.version = version
        run = request.run
    }

    func save(_ moment: MigrationJob.BackupMoment, from connection: any SQLConnection) async -> Result<[SQLRun], Problem> {
        var problem: Problem?
        if let postgres = connection as? PostgresConnection {
            problem = await save(moment.tables, snapshot: moment.snapshot, from: postgres.address)
        } else if let sqlite = connection as? SQLiteConnection {
            problem = await save(sqlite)
        }
        return problem.map { .failure($0) } ?? .success([])
    }

    func saveAll(from connection: any SQLConnection, progress: @escaping @Sendable (String) -> Void) async -> Result<String, Problem> {
        await save(MigrationJob.BackupMoment(snapshot: nil, tables: []), from: connection).map { _ in "full-\(run)" }
    }

    /// Saves tables of PostgreSQL with `pg_dump`, and sees that the file can be read back. Returns what stands in the way.
    func save(_ tables: [String], snapshot: String?, from address: PostgresAddress) async -> Problem? {
        let path = "\(directory)/\(name).dump"
        guard let problem = prepare() else {
            var arguments = ["--format=custom", "--no-password", "--file=\(path).part"]
            if let snapshot { arguments.append("--snapshot=\(snapshot)") }
            // A pattern in double quotes matches that name only.
            arguments += tables.map { "--table=\($0)" }
            if let problem = await program("pg_dump", arguments, address.environment) { return discard(path, problem) }
            if let problem = await program("pg_restore", ["--list", "\(path).part"], [:]) { return discard(path, problem) }
            return finish(path)
        }
        return problem
    }

    /// Saves a whole SQLite file.
    func save(_ source: SQLiteConnection) async -> Problem? {
        let path = "\(directory)/\(name).sqlite"
        if let problem = prepare() { return problem }
        do throws(SQLError) {
            let reader = try await SQLiteConnection(source.path, mode: .readOnly)
            try await reader.backup(to: "\(path).part")
            await reader.close()
            let copy = try await SQLiteConnection("\(path).part", mode: .readOnly)
            let check = try await copy.query("PRAGMA integrity_check").scalar
            await copy.close()
            guard check == "ok" else { return discard(path, failed("the copy is damaged: \(check ?? "")")) }
        } catch {
            return discard(path, failed(error.description))
        }
        return finish(path)
    }

    private var name: String { "\(system.namespace)-\(system.name)-\(database)-\(version)-\(run)" }

    private func prepare() -> Problem? {
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            return nil
        } catch {
            return failed("\(directory) cannot be made")
        }
    }

    private func finish(_ path: String) -> Problem? {
        do {
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(path).part")
            let file = try FileDescriptor.open("\(path).part", .readOnly)
            try file.closeAfter { guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) } }
            try FileManager.default.moveItem(atPath: "\(path).part", toPath: path)
            return nil
        } catch {
            return discard(path, failed("\(path) cannot be written"))
        }
    }

    private func discard(_ path: String, _ problem: Problem) -> Problem {
        try? FileManager.default.removeItem(atPath: "\(path).part")  // What cannot be removed has no final name and counts for nothing.
        return problem
    }

    /// The password travels in the environment: arguments can be read by everybody.
    private func program(_ name: String, _ arguments: [String], _ variables: [String: String]) async -> Problem? {
        do {
            let result = try await Subprocess.run(
                .name(name), arguments: Arguments(arguments),
                environment: .inherit.updating(
                    Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
                output: .discarded, error: .string(limit: 1 << 16))
            guard !result.terminationStatus.isSuccess else { return nil }
            let lines = result.standardError.split(separator: "\n").map(String.init)
            return failed("\(name): \(lines.last ?? "it failed")")
        } catch {
            return failed("\(name) cannot be run; install PostgreSQL's client programs")
        }
    }

    private func failed(_ why: String) -> Problem {
        Problem(
            "BackupFailed", "database/\(database): what \(version) would lose could not be saved: \(why); nothing was lost",
            next: "make room or mend what is said, or set migrations.backup: none")
    }
}
