internal import SQL

extension StateTables {
    private var all: [(name: String, columns: String)] {
        let (number, time) = engine == .postgres ? ("bigint", "timestamptz") : ("INTEGER", "TEXT")
        return [
            (journal, "system text NOT NULL, seq \(number) NOT NULL, line text NOT NULL, PRIMARY KEY (system, seq)"),
            (
                lease,
                "system text PRIMARY KEY, id text, holder text, epoch \(number) NOT NULL, since \(time), expires_at \(time) NOT NULL, "
                    + "lease_ms \(number) NOT NULL"
            ),
            (key, "system text PRIMARY KEY, key text NOT NULL"),
        ]
    }

    /// Makes what is missing. Costs one round trip where nothing is. Two that do it at once both succeed; a role that may not create anything
    /// succeeds where an administrator made the tables.
    func ensure(on connection: any SQLConnection) async throws(SQLError) {
        switch engine {
        case .postgres:
            if try await missing(on: connection).isEmpty { return }
            try await makeOnPostgres(connection)
        case .sqlite:
            let count = try await connection.query(
                "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?1, ?2, ?3)", all.map { .text($0.name) })
            if count.scalar == "3" { return }
            let connection = connection
            try await connection.withTransaction("BEGIN IMMEDIATE") { () throws(SQLError) in
                for table in all { try await connection.execute("CREATE TABLE IF NOT EXISTS \(table.name) (\(table.columns))") }
            }
        }
    }

    /// `belay` in ASCII. The tables of migrations are made under the same lock: both make the schema.
    private static let makingKey: Int64 = 0x6265_6c61_79

    private func makeOnPostgres(_ connection: any SQLConnection) async throws(SQLError) {
        for _ in 0..<200 {
            let isMade = try await connection.withTransaction { () throws(SQLError) -> Bool in
                // Tried and never waited for inside a statement: a waiting one would hold up a CREATE INDEX CONCURRENTLY.
                guard try await connection.query("SELECT pg_catalog.pg_try_advisory_xact_lock(\(Self.makingKey))").scalar == "t" else {
                    return false
                }
                for statement in try await missing(on: connection) { _ = try await connection.query(statement) }
                return true
            }
            if isMade { return }
            do {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            } catch {
                throw SQLError(.cancelled, "cancelled while somebody else was making the tables of the state")
            }
        }
        throw SQLError(
            .statement, "somebody else has been making the tables of Belay for 10 s", hint: "look for that session in pg_stat_activity")
    }

    /// What makes the missing parts. `CREATE` is sent for nothing that exists, not even with `IF NOT EXISTS`: the right to create is checked
    /// all the same.
    private func missing(on connection: any SQLConnection) async throws(SQLError) -> [String] {
        // These two functions read what the session remembers of the catalogue. Naming a table makes it look whether that is still so, which
        // having got the lock does not.
        let rows = try await connection.query(
            "SELECT pg_catalog.to_regnamespace('belay') IS NULL, "
                + all.map { "pg_catalog.to_regclass('\($0.name)') IS NULL" }.joined(separator: ", ")
                + " FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog'")
        let isMissing = rows.rows.first?.map { $0 == "t" } ?? []
        guard isMissing.count == 4 else { return [] }
        var statements: [String] = []
        if isMissing[0] { statements += ["CREATE SCHEMA belay", "REVOKE ALL ON SCHEMA belay FROM PUBLIC"] }
        for (table, isMissing) in zip(all, isMissing.dropFirst()) where isMissing {
            statements += ["CREATE TABLE \(table.name) (\(table.columns))", "REVOKE ALL ON TABLE \(table.name) FROM PUBLIC"]
        }
        return statements
    }
}
