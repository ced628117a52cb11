import MigrationFiles
import Model
import SQL
import SQLParsing

/// One migration in one transaction: its statements, its record in the adopted table, and what Belay remembers of it are there together, or
/// not at all.
struct TransactionalRun: Sendable {
    let database: Database
    let change: MigrationChange
    let resolved: SchemaReading.Resolved
    /// In the adopted table's own layout, with the making of the table where it is not there yet.
    let records: [String]
    /// One row if the migration is recorded as applied.
    let isRecorded: @Sendable (any SQLConnection) async throws(SQLError) -> Bool
    let row: ArchiveRow
    let lock: AdvisoryLock?
    let lease: Lease
    let approvedRows: Int?
    /// Saves tables as they are in the snapshot; nil where the policy wants nothing saved.
    let backup: (@Sendable (_ tables: [String], _ snapshot: String?) async -> Problem?)?

    /// Why a transaction was given up.
    enum Ending: Error {
        case done(String)
        case failed(Problem)
        case sql(SQLError)
        /// COMMIT was sent and not answered.
        case undecided(transaction: String?, SQLError)
    }

    /// Runs it once. The connection is left without a transaction, unless it was lost.
    func run(on connection: any SQLConnection) async -> Ending {
        let ending = await attempt(on: connection)
        if case .done = ending { return ending }
        if await connection.transaction != .idle, await connection.transaction != .unknown {
            do throws(SQLError) { try await connection.execute("ROLLBACK") } catch { return .sql(error) }
        }
        return ending
    }

    private func attempt(on connection: any SQLConnection) async -> Ending {
        let isPostgres = connection.engine == .postgres
        do throws(SQLError) {
            for pragma in resolved.script.pragmas where !isPostgres { try await connection.execute("PRAGMA \(pragma)") }
            try await connection.execute(isPostgres ? "BEGIN;" + settings : "BEGIN IMMEDIATE")
            if let lock, try await connection.query(lock.forTransaction).scalar != "t" {
                return .sql(SQLError(.statement, "somebody else migrates this database", sqlState: "55P03"))
            }
            // Under the lock: whoever was faster has done it.
            if try await isRecorded(connection) == change.isUp {
                try await connection.execute("ROLLBACK")
                return .done(change.isUp ? "it was applied already" : "it was taken back already")
            }
            if let problem = try await save(on: connection) { return .failed(problem) }
            let transaction = isPostgres ? try await connection.query("SELECT pg_catalog.pg_current_xact_id()").scalar : nil
            for statement in resolved.facts.statements {
                do throws(SQLError) {
                    _ = try await connection.execute(statement.text)
                } catch {
                    guard error.code == .statement, !Self.retried.contains(error.sqlState ?? "") else { throw error }
                    return .failed(failure(statement, error))
                }
                guard await connection.transaction == .inTransaction else { return .failed(escaped(statement)) }
            }
            if isPostgres {
                guard try await connection.query("SELECT pg_catalog.pg_current_xact_id()").scalar == transaction else {
                    return .failed(escaped(nil))
                }
                // A script may have wiped the search path, or changed a limit.
                try await connection.execute("RESET ALL;" + settings)
            } else if !resolved.script.pragmas.isEmpty {
                let broken = try await connection.query("PRAGMA foreign_key_check")
                if let first = broken.rows.first {
                    return .failed(
                        Problem(
                            "ForeignKeyViolated",
                            "\(database.id): \(resolved.path): it leaves references of \(first[0] ?? "") to rows that are not there",
                            next: "mend the script"))
                }
            }
            for record in records { try await connection.execute(record) }
            let archive = Archive(connection.engine)
            let write = change.isUp ? archive.write(row, .application) : archive.setState(.reverted, of: row.version)
            _ = try await connection.query(write.sql, write.parameters)
            guard try await !connection.query(lease.fence.sql, lease.fence.parameters).rows.isEmpty else {
                return .failed(
                    Problem(
                        "LeaseLost", "\(database.id): somebody else took over while \(change.version) was run; it was rolled back",
                        next: "the next pass looks at what they did"))
            }
            do throws(SQLError) {
                try await connection.execute("COMMIT")
            } catch {
                guard error.code != .statement else { throw error }
                return .undecided(transaction: transaction, error)
            }
            for pragma in resolved.script.pragmas where !isPostgres && pragma.contains("foreign_keys") {
                try await connection.execute("PRAGMA foreign_keys=ON")
            }
            return .done(change.isUp ? "applied" : "taken back")
        } catch {
            return .sql(error)
        }
    }

    /// What is lost is locked, counted again and saved before it is.
    private func save(on connection: any SQLConnection) async throws(SQLError) -> Problem? {
        guard !resolved.facts.losses.isEmpty else { return nil }
        let before = try await LossCount(resolved.facts.losses, on: connection)
        guard !before.words.isEmpty else { return nil }
        if connection.engine == .postgres, !before.tables.isEmpty {
            try await connection.execute("LOCK TABLE \(before.tables.joined(separator: ", ")) IN SHARE ROW EXCLUSIVE MODE")
        }
        let losses = try await LossCount(resolved.facts.losses, on: connection)
        if let approvedRows, let rows = losses.rows, rows > approvedRows {
            return Problem(
                "MoreRowsThanApproved",
                "\(database.id): \(change.version): \(rows) rows would be lost, and at most \(approvedRows) are approved",
                next: "look at the plan again and approve its new digest")
        }
        guard let backup, !losses.tables.isEmpty else { return nil }
        let snapshot = connection.engine == .postgres ? try await connection.query("SELECT pg_catalog.pg_export_snapshot()").scalar : nil
        return await backup(losses.tables, snapshot)
    }

    private var settings: String {
        let timeouts = database.migrations.timeouts
        return """
            SET LOCAL lock_timeout = \(timeouts.lock.wholeMilliseconds); SET LOCAL statement_timeout = \(timeouts.statement.wholeMilliseconds); \
            SET LOCAL idle_in_transaction_session_timeout = \(timeouts.migration.wholeMilliseconds)
            """
    }

    /// A lock that was not had, a deadlock, a conflict of transactions: the whole transaction is tried again.
    static let retried: Set<String> = ["55P03", "40P01", "40001", "SQLITE_BUSY", "SQLITE_LOCKED"]

    private func failure(_ statement: Statement, _ error: SQLError) -> Problem {
        let place = ScriptPlaceInFile(statement, error.position, firstLine: resolved.script.firstLine)
        let isTimeout = error.sqlState == "57014"
        return Problem(
            isTimeout ? "StatementTimeout" : "MigrationFailed",
            "\(database.id): \(resolved.path):\(place.line):\(place.column): \(error.message)" + (error.detail.map { " (\($0))" } ?? "")
                + "; nothing of \(change.version) is left",
            next: isTimeout ? "raise migrations.timeouts.statement, or make the statement cheaper" : error.hint ?? "mend the script")
    }

    private func escaped(_ statement: Statement?) -> Problem {
        Problem(
            "TransactionEscaped",
            "\(database.id): \(resolved.path)\(statement.map { ":\($0.line + resolved.script.firstLine - 1)" } ?? ""): the script ended the transaction that it runs in",
            next: "see what of it is there; take transaction control out of the script")
    }
}

/// Where in its file something of a statement stands.
struct ScriptPlaceInFile {
    private(set) var line: Int
    private(set) var column: Int

    /// - Parameter position: in the statement, in characters from 1.
    init(_ statement: Statement, _ position: Int?, firstLine: Int) {
        line = statement.line + firstLine - 1
        column = statement.column
        for scalar in statement.text.unicodeScalars.prefix(max(0, (position ?? 1) - 1)) {
            if scalar == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
        }
    }
}
