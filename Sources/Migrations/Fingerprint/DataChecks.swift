public import Model
public import SQL

/// Asks the data questions that a spec declares.
public enum DataChecks {
    /// Asks each in a read-only transaction of its own and returns the first wrong answer, with reason `DataCheckFailed`; nil when all are right.
    ///
    /// A check that writes, that fails or that takes longer than the timeout is a wrong answer too. Throws only where the connection does not
    /// answer. Not for a session with an open transaction.
    /// - Parameter timeout: for one check; SQLite has none, there the caller cancels.
    public static func run(
        _ checks: [DataCheck], on connection: any SQLConnection, timeout: Duration = .seconds(30)
    ) async throws(SQLError) -> Problem? {
        for check in checks {
            if let problem = try await run(check, on: connection, timeout) { return problem }
        }
        return nil
    }

    private static func run(
        _ check: DataCheck, on connection: any SQLConnection, _ timeout: Duration
    ) async throws(SQLError) -> Problem? {
        let milliseconds = max(1, timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000)
        switch connection.engine {
        case .postgres: try await connection.execute("BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = \(milliseconds)")
        case .sqlite:
            try await connection.execute("PRAGMA query_only=ON")
        }
        let answer: Result<SQLRows, SQLError>
        do throws(SQLError) { answer = .success(try await connection.query(check.sql)) } catch { answer = .failure(error) }
        if case .failure(let error) = answer, error.code == .lost { throw error }
        switch connection.engine {
        case .postgres: try await connection.execute("ROLLBACK")
        case .sqlite:
            // A check may have opened a transaction.
            if await connection.transaction != .idle { try await connection.execute("ROLLBACK") }
            try await connection.execute("PRAGMA query_only=OFF")
        }
        switch answer {
        case .success(let rows):
            if !rows.rows.isEmpty, isSame(rows.scalar ?? "", check.expect) { return nil }
            let came = rows.rows.isEmpty ? "no row" : rows.scalar.map { "\"\(shortened($0))\"" } ?? "null"
            return Problem(
                "DataCheckFailed", "the check \"\(shortened(check.sql))\" returned \(came), expected \"\(shortened(check.expect))\"",
                next: "look at the data, or correct the check in the spec")
        case .failure(let error):
            if error.code == .cancelled { throw error }
            return Problem(
                "DataCheckFailed", "the check \"\(shortened(check.sql))\" failed: \(error.message)", next: "correct the check in the spec")
        }
    }

    /// `t` and `true` are the same answer.
    private static func isSame(_ found: String, _ expected: String) -> Bool {
        found == expected || (found == "t" && expected == "true") || (found == "f" && expected == "false")
    }

    private static func shortened(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count > 80 ? line.prefix(79) + "…" : line
    }
}
