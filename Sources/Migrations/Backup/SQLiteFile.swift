internal import Model
internal import SQL

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Calls on whole SQLite files.
enum SQLiteFile {
    static func open(_ path: String, _ mode: SQLiteConnection.Mode = .readWrite, busy: Duration = .seconds(5)) async throws(Problem)
        -> SQLiteConnection
    {
        do throws(SQLError) {
            return try await SQLiteConnection(path, mode: mode, busy: busy, foreignKeys: false)
        } catch {
            throw Problem(sql: error, "cannot open \(path)")
        }
    }

    /// Throws unless a file begins as SQLite's do; an empty one is a database without tables.
    static func requireDatabase(_ path: String, _ thread: FileThread) async throws(Problem) {
        let isOne = try await thread.run { () throws(Problem) in
            if Files.size(path) == 0 { return true }
            return try BackupFile(path, O_RDONLY).begins(with: Array("SQLite format 3\0".utf8))
        }
        guard isOne else {
            throw Problem(
                "NotADatabase", "\(path) is no SQLite database", next: "name a copy of the file, or a backup of reconcile backup list")
        }
    }

    static func session<Value>(
        _ path: String, _ mode: SQLiteConnection.Mode = .readWrite, busy: Duration = .seconds(5),
        _ work: (SQLiteConnection) async throws(Problem) -> Value
    ) async throws(Problem) -> Value {
        let connection = try await open(path, mode, busy: busy)
        do throws(Problem) {
            let value = try await work(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Copies what is committed, through SQLite itself: a file that is written to cannot be copied byte by byte.
    static func copy(_ path: String, to other: String) async throws(Problem) {
        try await session(path) { connection throws(Problem) -> Void in
            do throws(SQLError) { try await connection.backup(to: other) } catch { throw Problem(sql: error, "cannot copy \(path)") }
        }
    }

    /// Copies a file that nobody writes to.
    static func copyBytes(_ path: String, to other: String, _ thread: FileThread) async throws(Problem) {
        try await thread.run { () throws(Problem) in
            let target = try BackupFile(other, O_RDWR | O_CREAT | O_TRUNC)
            try BackupFile(path, O_RDONLY).copy(to: target)
            try target.synchronize()
        }
    }

    /// Checks the integrity of a copy, and reads what is in it.
    static func examine(_ path: String) async throws(Problem) -> (schema: SchemaLines, tables: [BackupManifest.Table]) {
        try await session(path) { connection throws(Problem) in
            let rows: SQLRows
            do throws(SQLError) {
                rows = try await connection.query("PRAGMA integrity_check")
            } catch {
                throw Problem("DatabaseDamaged", "\(path) is not a whole database: \(error)", next: "use another backup")
            }
            let answers = rows.rows.compactMap { $0.first ?? nil }
            guard answers == ["ok"] else {
                throw Problem(
                    "DatabaseDamaged", "\(path) is damaged: \(answers.prefix(3).joined(separator: "; "))", next: "use another backup")
            }
            let relations = try await TableCensus.all(on: connection)
            return (try await SchemaLines.read(on: connection), try await TableCensus.counting(relations, on: connection))
        }
    }

    static func synchronize(_ path: String, _ thread: FileThread) async throws(Problem) {
        try await thread.run { () throws(Problem) in try BackupFile(path, O_RDONLY).synchronize() }
    }

    /// The processes beside this one that have a file open, as far as this user may see: `process 4711`.
    /// - Parameter identity: device and inode.
    static func otherHolders(of identity: String?) -> [String] {
        guard let identity, let names = try? Files.names(in: "/proc") else { return [] }  // Elsewhere the lock has to do.
        let own = String(getpid())
        return names.filter { name in
            guard name != own, Int(name) != nil else { return false }
            guard let open = try? Files.names(in: "/proc/\(name)/fd") else { return false }  // Somebody else's, or gone.
            return open.contains { Files.identity("/proc/\(name)/fd/\($0)") == identity }
        }.map { "process \($0)" }
    }
}
