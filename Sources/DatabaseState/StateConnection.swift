internal import SQL

/// A connection to the database that holds the state: made when it is first needed, and made anew after it failed.
///
/// For one question after the other: whoever uses it waits for the answer before the next.
actor StateConnection {
    private let database: StateDatabase
    private let busy: Duration
    private let limit: Duration
    private var open: (any SQLConnection)?

    /// - Parameters:
    ///   - busy: how long a question waits for somebody else who writes a SQLite file.
    ///   - limit: how long a PostgreSQL server may take for one.
    init(_ database: StateDatabase, busy: Duration = .seconds(5), limit: Duration = .seconds(20)) {
        self.database = database
        self.busy = busy
        self.limit = limit
    }

    /// Asks a question that writes.
    func ask(_ question: Question) async throws(SQLError) -> SQLRows {
        for _ in 0..<5 {
            do throws(SQLError) {
                return try await send(question)
            } catch {
                guard error.meansAgain else { throw error }
            }
        }
        return try await send(question)
    }

    /// The same, for whoever looks into the error.
    func answer(to question: Question) async -> Result<SQLRows, SQLError> {
        do throws(SQLError) { return .success(try await ask(question)) } catch { return .failure(error) }
    }

    /// Makes the tables that are missing.
    func ensure(_ tables: StateTables) async throws(SQLError) {
        do throws(SQLError) {
            try await tables.ensure(on: try await connection())
        } catch {
            await close()
            throw error
        }
    }

    func close() async {
        let closing = open
        open = nil
        await closing?.close()
    }

    private func send(_ question: Question) async throws(SQLError) -> SQLRows {
        let connection = try await connection()
        do throws(SQLError) {
            if let postgres = connection as? PostgresConnection {
                return try await postgres.query(question.sql, question.parameters, within: limit)
            }
            return try await connection.query(question.sql, question.parameters)
        } catch {
            // The next question begins with a fresh one: a file may have been replaced, a server have come back.
            await close()
            throw error
        }
    }

    private func connection() async throws(SQLError) -> any SQLConnection {
        if let open { return open }
        guard let made = try await database.connect(making: true, busy: busy) else {
            throw SQLError(.unreachable, "\(database.id): there is no file")
        }
        open = made
        return made
    }
}
