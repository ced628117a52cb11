public import SQL

extension Archive {
    /// The layout of the tables that this version of Belay reads and writes.
    public static let layout = 1

    /// Makes what is missing of Belay's own tables. Costs one round trip where nothing is. Two that do it at once both succeed; a role that
    /// may not create anything succeeds where an administrator made the tables. Not inside a transaction.
    ///
    /// Throws ``SQLError/Code/misconfigured`` when the tables were made by a later Belay.
    public func ensure(on connection: any SQLConnection) async throws(SQLError) {
        if try await isCurrent(connection) { return }
        switch engine {
        case .postgres: try await makeOnPostgres(connection)
        case .sqlite: try await makeOnSQLite(connection)
        }
    }

    private func isCurrent(_ connection: any SQLConnection) async throws(SQLError) -> Bool {
        let found: String?
        do throws(SQLError) {
            found = try await connection.query("SELECT version FROM \(tables.layout)").scalar
        } catch {
            guard Self.meansNoTable(error) else { throw error }
            return false
        }
        guard let found, let version = Int(found) else { return false }
        guard version <= Self.layout else {
            throw SQLError(
                .misconfigured,
                "the tables of Belay in this database have layout \(version), and this Belay knows layouts up to \(Self.layout)",
                hint: "run the Belay that made them, or a newer one")
        }
        return version == Self.layout
    }

    /// True if a query failed because its table, or the schema of it, is not there.
    static func meansNoTable(_ error: SQLError) -> Bool {
        error.code == .statement
            && (error.sqlState == "42P01" || error.sqlState == "3F000" || error.message.contains("no such table"))
    }

    /// The lock is polled: one who waits inside a statement would hold up a `CREATE INDEX CONCURRENTLY` of the one who works.
    private func makeOnPostgres(_ connection: any SQLConnection) async throws(SQLError) {
        for _ in 0..<200 {
            try await connection.execute("BEGIN")
            do throws(SQLError) {
                if try await connection.query("SELECT pg_catalog.pg_try_advisory_xact_lock(\(Self.makingKey))").scalar == "t" {
                    let missing = try await missingOnPostgres(connection)
                    try await connection.execute(missing + "COMMIT")
                    return
                }
            } catch {
                try await connection.execute("ROLLBACK")
                throw error
            }
            try await connection.execute("ROLLBACK")
            do {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            } catch {
                throw SQLError(.cancelled, "cancelled while the tables of Belay were being made by somebody else")
            }
        }
        throw SQLError(
            .misconfigured, "somebody else has been making the tables of Belay for 10 s", hint: "look for that session in pg_stat_activity")
    }

    /// `belay` in ASCII.
    private static let makingKey: Int64 = 0x6265_6c61_79

    /// `CREATE` is sent for nothing that exists, not even with `IF NOT EXISTS`: the right to create is checked all the same.
    private func missingOnPostgres(_ connection: any SQLConnection) async throws(SQLError) -> String {
        let names = tables.all
        // These two functions read what the session remembers of the catalogue. Naming a table makes it look whether that is still so, which
        // having got the lock does not.
        let rows = try await connection.query(
            "SELECT pg_catalog.to_regnamespace('belay') IS NULL, "
                + names.map { "pg_catalog.to_regclass('\($0)') IS NULL" }.joined(separator: ", ")
                + " FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog'")
        guard let row = rows.rows.first else { return "" }
        var script = ""
        if row[0] == "t" { script += "CREATE SCHEMA belay; REVOKE ALL ON SCHEMA belay FROM PUBLIC; " }
        for (index, name) in names.enumerated() where row[index + 1] == "t" {
            script += Self.definitions(tables)[name]?.postgres ?? ""
            script += "REVOKE ALL ON TABLE \(name) FROM PUBLIC; "
        }
        return script + """
            INSERT INTO \(tables.lease) (id, epoch, expires_at) VALUES (1, 0, pg_catalog.clock_timestamp()) ON CONFLICT DO NOTHING; \
            INSERT INTO \(tables.layout) (id, version) VALUES (1, \(Self.layout)) ON CONFLICT DO NOTHING; 
            """
    }

    private func makeOnSQLite(_ connection: any SQLConnection) async throws(SQLError) {
        try await connection.execute("BEGIN IMMEDIATE")
        do throws(SQLError) {
            for name in tables.all { try await connection.execute(Self.definitions(tables)[name]?.sqlite ?? "") }
            try await connection.execute(
                "INSERT OR IGNORE INTO \(tables.lease) (id, epoch, expires_at) VALUES (1, 0, \(ArchiveTables.now(.sqlite)))")
            try await connection.execute("INSERT OR IGNORE INTO \(tables.layout) (id, version) VALUES (1, \(Self.layout))")
            try await connection.execute("COMMIT")
        } catch {
            if await connection.transaction != .idle { try await connection.execute("ROLLBACK") }
            throw error
        }
    }
}
