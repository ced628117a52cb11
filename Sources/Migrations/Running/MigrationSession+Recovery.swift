internal import MigrationFiles
internal import Model
internal import ProviderKit
internal import SQL
internal import SQLParsing

extension MigrationSession {
    /// Finds out whether a migration was committed whose answer was lost: by the transaction's number, else by what is recorded once nobody
    /// works on it any more.
    func settle(_ job: MigrationJob, _ error: SQLError, transaction: String?) async -> MigrationEnd {
        let undecided = MigrationEnd.undecided(
            Problem("ConnectionLost", "\(job.path): the connection broke at the end of the migration: \(error.message)"))
        await main?.close()
        await direct?.close()
        (main, direct) = (nil, nil)
        let clock = ContinuousClock()
        let deadline = clock.now + settings.orphanGrace
        while !Task.isCancelled {
            do throws(SQLError) {
                let connection = try await settings.connect(false)
                try await prepare(connection)
                if let transaction {
                    switch try await status(transaction, connection, until: deadline) {
                    case "committed":
                        // Where it is not had, the next migration asks for it again.
                        _ = await hold(connection)
                        return .done("\(done(job)); the connection broke at its end, and the server says that it was committed")
                    case "in progress": return undecided
                    default: break
                    }
                }
                // Whoever has the lock is alone: the lost session has ended, and what it committed can be seen.
                let problem = isPooled ? try await awaitTransactionLock(connection) : await hold(connection)
                if problem != nil { return undecided }
                let row = try await archive.row(of: job.version, on: connection)
                let isRecorded = !(try await connection.query(job.recorded.sql, job.recorded.parameters).rows.isEmpty)
                guard isRecorded == job.isUp, row?.run == settings.run, row?.state == (job.isUp ? .applied : .reverted) else {
                    let problem = Problem(
                        "ConnectionLost", "\(job.path): the connection broke: \(error.message); nothing of the migration is left")
                    await tell(job, problem, sqlState: error.sqlState)
                    return .failed(problem)
                }
                return .done("\(done(job)); the connection broke at its end, and its record is there")
            } catch {
                await drop()
                guard clock.now < deadline, !Task.isCancelled else { return undecided }
                do throws(SQLError) { try await pause(.milliseconds(500)) } catch { return undecided }
            }
        }
        return undecided
    }

    /// Waits while the transaction is in progress. Nil where the server does not know it any more, or never did.
    private func status(
        _ transaction: String, _ connection: any SQLConnection, until deadline: ContinuousClock.Instant
    ) async throws(SQLError) -> String? {
        while true {
            let answer: String?
            do throws(SQLError) {
                answer = try await connection.query("SELECT pg_catalog.txid_status($1::bigint)", [.text(transaction)]).scalar
            } catch {
                // In the future of this server: another one than before.
                guard error.code == .statement else { throw error }
                return nil
            }
            guard answer == "in progress", ContinuousClock.now < deadline else { return answer }
            try await pause(.milliseconds(200))
        }
    }
}
