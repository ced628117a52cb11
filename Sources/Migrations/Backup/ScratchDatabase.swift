internal import Model
internal import SQL

/// A database of the server that is made for one purpose and dropped after it.
struct ScratchDatabase: Sendable {
    static let prefix = "belay_scratch_"
    /// One that no session has used for this long belongs to a run that was killed.
    static let leftoverAge: Duration = .seconds(600)

    /// The server and the scratch database.
    var place: PostgresPlace

    /// Makes an empty database with the encoding and locale of the live one, hands it to `work`, and drops it whatever happens. A session
    /// with it stays open meanwhile: it tells other runs that somebody lives.
    static func using<Value>(
        like live: PostgresPlace, id: BackupID, _ work: (ScratchDatabase) async throws(Problem) -> Value
    ) async throws(Problem) -> Value {
        try await removeLeftovers(live, now: id.time)
        let name = prefix + id.inDatabaseName
        try await live.createDatabase(
            name, withTablespace: false, next: "or take a role that has it into url or directUrl; backups themselves need no such right")
        let scratch = ScratchDatabase(place: live.at(name))
        let outcome: Result<Value, Problem>
        do throws(Problem) {
            outcome = .success(
                try await scratch.place.session { (_) throws(Problem) in
                    try await work(scratch)
                })
        } catch {
            outcome = .failure(error)
        }
        // Also when this task was cancelled: a statement of a cancelled task would not be sent.
        let dropping = Task { () async -> Problem? in
            do throws(Problem) { try await live.dropDatabase(name) } catch { return error }
            return nil
        }
        if let problem = await dropping.value, case .success = outcome { throw problem }
        return try outcome.get()
    }

    /// Drops the scratch databases that killed runs left. Those that a session uses, and young ones, are left alone.
    @discardableResult
    static func removeLeftovers(_ live: PostgresPlace, now: Timestamp, age: Duration = leftoverAge) async throws(Problem) -> [String] {
        try await live.session { connection throws(Problem) in
            let rows = try await connection.ask(
                """
                SELECT d.datname FROM pg_catalog.pg_database d
                WHERE pg_catalog.left(d.datname, \(prefix.count)) = '\(prefix)'
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)
                ORDER BY 1
                """, for: "cannot look for scratch databases")
            var dropped: [String] = []
            for name in rows.rows.compactMap({ $0.first ?? nil }) {
                guard let id = BackupID(inDatabaseName: String(name.dropFirst(prefix.count))), now - id.time > age else { continue }
                // Another run may have dropped it, or another role owns it: neither stands in the way of this one.
                do throws(SQLError) {
                    _ = try await connection.query("DROP DATABASE IF EXISTS \(SQLIdentifier.quoted(name))")
                    dropped.append(name)
                } catch {
                    guard ["55006", "42501", "3D000"].contains(error.sqlState) else {
                        throw Problem(sql: error, "cannot drop the scratch database \(name)")
                    }
                }
            }
            return dropped
        }
    }
}

extension PostgresPlace {
    /// Makes an empty database with the encoding, the locale and, where asked for, the tablespace of ``database``.
    /// - Parameter next: what else may be done where this role may not: a half sentence after `ALTER ROLE … CREATEDB`.
    func createDatabase(_ name: String, withTablespace: Bool, next: String) async throws(Problem) {
        try await session { connection throws(Problem) -> Void in
            let version = try await connection.serverVersion()
            // The collation's provider came with 15, its rules with 16, the builtin locale's name with 17.
            let provider = version >= 150_000 ? "d.datlocprovider" : "'c'"
            let locale = version >= 170_000 ? "d.datlocale" : version >= 150_000 ? "d.daticulocale" : "NULL"
            let rules = version >= 160_000 ? "d.daticurules" : "NULL"
            let row = try await connection.ask(
                """
                SELECT pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, \(provider), \(locale), \(rules),
                  CASE WHEN d.dattablespace <> n.dattablespace THEN t.spcname END, current_user
                FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace,
                  pg_catalog.pg_database n
                WHERE d.datname = pg_catalog.current_database() AND n.datname = 'template0'
                """, for: "cannot read how \(database) was made"
            ).rows.first
            guard let row, row.count == 8, let encoding = row[0], let collate = row[1], let type = row[2] else {
                throw Problem("StatementFailed", "the server does not say how \(database) was made")
            }
            func quoted(_ text: String) -> String { SQLLiteral.quoted(text, for: .postgres) }
            var options = ["TEMPLATE = template0", "ENCODING = \(quoted(encoding))", "LC_COLLATE = \(quoted(collate))"]
            options.append("LC_CTYPE = \(quoted(type))")
            switch row[3] {
            case "i": options += ["LOCALE_PROVIDER = icu"] + (row[4].map { ["ICU_LOCALE = \(quoted($0))"] } ?? [])
            case "b": options += ["LOCALE_PROVIDER = builtin"] + (row[4].map { ["BUILTIN_LOCALE = \(quoted($0))"] } ?? [])
            default: if version >= 150_000 { options.append("LOCALE_PROVIDER = libc") }
            }
            if let rules = row[5] { options.append("ICU_RULES = \(quoted(rules))") }
            // Naming even the default one takes a right of its own; the template's is taken without.
            if withTablespace, let tablespace = row[6] { options.append("TABLESPACE = \(SQLIdentifier.quoted(tablespace))") }
            do throws(SQLError) {
                _ = try await connection.query("CREATE DATABASE \(SQLIdentifier.quoted(name)) \(options.joined(separator: " "))")
            } catch {
                guard error.sqlState == "42501" else { throw Problem(sql: error, "cannot make the database \(name)") }
                let role = row[7].map(SQLIdentifier.quoted) ?? "…"
                let isTablespace = error.description.contains("tablespace")
                let right =
                    isTablespace
                    ? "GRANT CREATE ON TABLESPACE \(SQLIdentifier.quoted(row[6] ?? "…")) TO \(role)" : "ALTER ROLE \(role) CREATEDB"
                throw Problem(
                    "CreateDatabaseNotAllowed", "cannot make the database \(name), which a backup is restored into: \(error)",
                    next: "\(right), \(next)")
            }
        }
    }

    /// One that is not there is dropped already. Sessions with it are ended.
    func dropDatabase(_ name: String) async throws(Problem) {
        try await session { connection throws(Problem) -> Void in
            let force = try await connection.serverVersion() >= 130_000 ? " WITH (FORCE)" : ""
            try await connection.ask(
                "DROP DATABASE IF EXISTS \(SQLIdentifier.quoted(name))\(force)", for: "cannot drop the database \(name); drop it by hand")
        }
    }

    func isSuperuser() async throws(Problem) -> Bool {
        try await session { connection throws(Problem) in
            try await connection.ask("SELECT pg_catalog.current_setting('is_superuser')", for: "cannot read who this is").scalar == "on"
        }
    }
}
