extension SQLConnection {
    /// Runs work inside a transaction of its own, which is committed if the work returns, and taken back if it throws or is cancelled.
    ///
    /// An error of the commit itself with code ``SQLError/Code/lost`` or ``SQLError/Code/cancelled`` leaves open whether it happened.
    /// - Parameter begin: for instance `BEGIN IMMEDIATE` on SQLite.
    public func withTransaction<Value: Sendable>(
        _ begin: String = "BEGIN", _ work: () async throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        try await execute(begin)
        let value: Value
        do throws(SQLError) {
            value = try await work()
        } catch {
            try await takeBack(because: error)
        }
        // PostgreSQL answers the commit of a failed transaction with success, and rolls back.
        guard await transaction == .inTransaction else {
            try await takeBack(because: SQLError(.statement, "the transaction failed or was ended inside", sqlState: "25P02"))
        }
        try await execute("COMMIT")
        return value
    }

    private func takeBack(because error: SQLError) async throws(SQLError) -> Never {
        let state = await transaction
        if state == .inTransaction || state == .failed {
            do throws(SQLError) {
                try await execute("ROLLBACK")
            } catch {
                // The server takes back what a session that ended had open.
                await close()
            }
        }
        throw error
    }
}
