public import Model
internal import SQL

/// What was there before a restore, or what was restored and taken back: kept as a database or a file of its own.
public struct FormerDatabase: Sendable, Hashable {
    public var restore: BackupID
    /// The name of the database, or the path of the file.
    public var name: String
    /// On disk; nil where that could not be read.
    public var bytes: Int?
}

extension DatabaseCare {
    /// What restores left, newest first. Not what an interrupted one filled: the same restore, run again, carries on with it.
    public func formers() async throws(Problem) -> [FormerDatabase] {
        let kept = try await restores().filter { $0.stage == .done || $0.stage == .undone }
        let place = try await place()
        var found: [FormerDatabase] = []
        for restore in kept {
            guard let name = restore.keptAs else { continue }
            found.append(FormerDatabase(restore: restore.id, name: name, bytes: try await Self.bytes(of: name, at: place)))
        }
        return found
    }

    private static func bytes(of name: String, at place: CarePlace) async throws(Problem) -> Int? {
        guard case .postgres(let postgres) = place else { return Files.size(name) }
        return try await postgres.session { connection throws(Problem) in
            // Only who may connect to a database is told its size.
            try await connection.ask(
                """
                SELECT CASE WHEN pg_catalog.has_database_privilege(oid, 'CONNECT') THEN pg_catalog.pg_database_size(oid) END
                FROM pg_catalog.pg_database WHERE datname = $1
                """, [.text(name)], for: "cannot read the size of \(name)"
            ).scalar.flatMap { Int($0) }
        }
    }

    /// Drops one for good: the restore can no longer be taken back by its name. One that is gone already is left alone.
    ///
    /// Throws where it is not what a restore left, whatever it is called.
    public func drop(_ former: FormerDatabase) async throws(Problem) {
        guard try await restores().contains(where: { $0.keptAs == former.name && ($0.stage == .done || $0.stage == .undone) }) else {
            return
        }
        switch try await place() {
        case .postgres(let postgres): try await postgres.dropDatabase(former.name)
        case .sqlite: for ending in ["", "-wal", "-shm", "-journal"] { try Files.remove(former.name + ending) }
        }
    }
}
