internal import MigrationFiles
internal import Model
internal import SQL
internal import SQLParsing

extension MigrationSession {
    /// Names a session past poolers for those who look at the server, and takes the advisory lock for as long as the session lasts. Returns
    /// who else holds it, when that one does not let go.
    func holdSession(_ connection: any SQLConnection) async -> Problem? {
        let lock = lock
        do throws(SQLError) {
            try await connection.execute(sessionSettings())
            return try await poll(connection) { () throws(SQLError) in try await connection.query(lock.forSession).scalar == "t" }
        } catch {
            return Self.problem(error)
        }
    }

    /// What is set for the session itself; through a pooler nothing may be, because the next client would inherit it.
    func sessionSettings() -> String {
        let name = InlineSQL.write(.text(SessionName.make(run: settings.run, epoch: lease?.epoch ?? 0)))
        // https://www.postgresql.org/docs/current/runtime-config-connection.html: without it a statement outlives its client.
        let check = version >= 140_000 ? ", pg_catalog.set_config('client_connection_check_interval', '2000', false)" : ""
        // A role's own limit is for its queries, not for these.
        return "SELECT pg_catalog.set_config('application_name', \(name), false), "
            + "pg_catalog.set_config('statement_timeout', '60000', false)\(check)"
    }

    /// What is set for one transaction.
    func transactionSettings(_ timeouts: MigrationSettings.Timeouts, isSession: Bool) -> String {
        var values = [
            ("lock_timeout", String(timeouts.lock.wholeMilliseconds)), ("statement_timeout", String(timeouts.statement.wholeMilliseconds)),
            ("idle_in_transaction_session_timeout", "60000"),
        ]
        if !isSession { values.append(("application_name", SessionName.make(run: settings.run, epoch: lease?.epoch ?? 0))) }
        return "SELECT "
            + values.map { "pg_catalog.set_config('\($0.0)', \(InlineSQL.write(.text($0.1))), true)" }.joined(separator: ", ")
    }

    /// Undoes what a script set: a `search_path` that it emptied must not reach the record, nor the next migration.
    func resetting(isSession: Bool) -> [String] {
        ["RESET SESSION AUTHORIZATION", "RESET ROLE"] + (isSession ? ["RESET ALL", sessionSettings()] : [])
    }

    /// Tries until it is had: a runner that is gone may still have a statement under way, which is waited for, and ended after the grace; a
    /// runner that is alive is waited for as long as the patience lasts.
    private func poll(
        _ connection: any SQLConnection, _ attempt: () async throws(SQLError) -> Bool
    ) async throws(SQLError) -> Problem? {
        let clock = ContinuousClock()
        let start = clock.now
        var wait = Duration.milliseconds(50)
        while true {
            if try await attempt() { return nil }
            let holders = try await connection.query(lock.holders).rows
            let orphans = holders.filter { row in
                guard row.count == 4, let epoch = row[1].flatMap(SessionName.epoch) else { return false }
                return epoch < (lease?.epoch ?? 0)
            }
            let waited = clock.now - start
            if waited >= settings.orphanGrace {
                for orphan in orphans {
                    guard let process = orphan[0].flatMap({ Int64($0) }) else { continue }
                    _ = try await connection.query("SELECT pg_catalog.pg_terminate_backend($1::int)", [.integer(process)])
                }
            }
            if waited >= max(settings.patience, settings.orphanGrace + .seconds(10))
                || (orphans.isEmpty && waited >= settings.patience + .seconds(2))
            {
                let who = holders.map { "process \($0[0] ?? "?") \($0[1] ?? "") (\($0[2] ?? ""))" }.joined(separator: ", ")
                return Problem(
                    "DatabaseBusy", "the lock for moving this schema is held by \(who.isEmpty ? "a session that cannot be seen" : who)",
                    next: "look at these sessions in pg_stat_activity")
            }
            try await pause(wait)
            wait = min(wait * 2, .seconds(2))
        }
    }

    /// The lock of one transaction, through a pooler: tried in transactions of its own until one would have it.
    func awaitTransactionLock(_ connection: any SQLConnection) async throws(SQLError) -> Problem? {
        let lock = lock
        return try await poll(connection) { () throws(SQLError) in
            try await connection.query(lock.forTransaction).scalar == "t"
        }
    }

    /// A connection on which a session is one. Opened when it is first needed.
    func sessionConnection(for what: String) async -> Result<any SQLConnection, Problem> {
        if archive.engine == .sqlite || !isPooled, let main { return .success(main) }
        if let direct, await direct.transaction == .idle { return .success(direct) }
        await direct?.close()
        direct = nil
        func needed(_ why: String) -> Problem {
            Problem(
                "DirectConnectionNeeded", "\(what), and the connection goes through a pooler; \(why)",
                next: "give the database a directUrl past the pooler: Supabase port 5432 instead of 6543, Neon the host without -pooler, "
                    + "RDS Proxy the instance's own endpoint, PgBouncer the server's port 5432")
        }
        do throws(SQLError) {
            let connection = try await settings.connect(true)
            if let postgres = connection as? PostgresConnection, try await postgres.isThroughPooler() {
                await connection.close()
                return .failure(needed("the direct connection does as well"))
            }
            direct = connection
            if let problem = await holdSession(connection) {
                await connection.close()
                direct = nil
                return .failure(problem)
            }
            return .success(connection)
        } catch {
            guard error.code != .misconfigured else { return .failure(needed("there is no direct one")) }
            return .failure(Self.problem(error))
        }
    }

    /// The first statement that changes the session beyond its transaction, which through a pooler would reach other clients.
    static func changesSession(_ statements: [Statement]) -> Int? {
        statements.firstIndex { statement in
            let words = statement.text.lowercased().split(maxSplits: 3) { !($0.isLetter || $0.isNumber || $0 == "_") }
            switch words.first {
            case "set": return words.count > 1 && !["local", "constraints", "transaction"].contains(words[1])
            case "reset", "discard", "listen", "unlisten", "load", "prepare": return true
            case "create": return words.count > 1 && ["temp", "temporary"].contains(words[1])
            default:
                let text = statement.text.lowercased()
                return text.contains("set_config") || text.contains("pg_advisory_lock") || text.contains("pg_try_advisory_lock")
            }
        }
    }
}
