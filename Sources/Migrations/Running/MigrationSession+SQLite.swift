internal import MigrationFiles
internal import Model
internal import SQL
internal import SQLParsing

extension MigrationSession {
    /// The write lock is had before anything else, so that nobody changes what is saved and counted. Another connection can read what was
    /// committed last all that time, in both journal modes: that is when the backup is taken.
    func attemptOnSQLite(_ job: MigrationJob, _ connection: any SQLConnection) async -> TransactionAttempt {
        var restore: [String] = []
        let attempt: TransactionAttempt
        do throws(SQLError) {
            for pragma in job.script.pragmas {
                // `PRAGMA foreign_keys` does nothing inside a transaction: https://www.sqlite.org/pragma.html#pragma_foreign_keys
                let name = pragma.split(separator: "=").first.map { $0.split(separator: " ").joined() } ?? pragma
                if let value = try await connection.query("PRAGMA \(name)").scalar { restore.append("PRAGMA \(name) = \(value)") }
                try await connection.execute("PRAGMA \(pragma)")
            }
            attempt = await insideSQLite(job, connection)
        } catch {
            return .failed(error, index: nil, position: nil)
        }
        if case .committed = attempt {} else { await rollBack(connection) }
        do throws(SQLError) {
            for pragma in restore { try await connection.execute(pragma) }
        } catch {
            // A session whose settings are not known is not used again.
            await drop()
        }
        return attempt
    }

    private func insideSQLite(_ job: MigrationJob, _ connection: any SQLConnection) async -> TransactionAttempt {
        var notes = [done(job)]
        var index: Int?
        do throws(SQLError) {
            try await connection.execute("PRAGMA busy_timeout = \(job.timeouts.lock.wholeMilliseconds)")
            try await connection.execute("BEGIN IMMEDIATE")
            await effect("begin")
            switch try await archive.state(of: job.version, on: connection) {
            case .applyingUp, .applyingDown, .stuck: return .interrupted
            default: break
            }
            let isRecorded = !(try await connection.query(job.recorded.sql, job.recorded.parameters).rows.isEmpty)
            if isRecorded == job.isUp { return .recorded }
            let before = job.isUp ? try await job.fingerprint?(connection) : nil
            let saved: [SQLRun]
            switch try await protect(job, connection) {
            case .success(let runs): saved = runs
            case .failure(let problem): return .refused(problem)
            }
            let checksKeys = job.script.pragmas.contains { $0.lowercased().contains("foreign_keys") }
            let broken = checksKeys ? Set(try await connection.query("PRAGMA foreign_key_check").rows) : []
            for (place, statement) in job.facts.statements.enumerated() {
                index = place
                try await connection.execute(statement.text)
                await effect("statement \(place)")
                guard await connection.transaction == .inTransaction else {
                    await markStuck(job, connection)
                    return .refused(Self.escapeProblem(job, at: place))
                }
            }
            index = nil
            if checksKeys, let row = try await connection.query("PRAGMA foreign_key_check").rows.first(where: { !broken.contains($0) }) {
                return .refused(
                    Problem(
                        "ForeignKeyViolated",
                        "\(job.path): row \(row[1] ?? "?") of \(row[0] ?? "?") refers to a row of \(row.count > 2 ? row[2] ?? "?" : "?") that is not there; "
                            + "everything was rolled back", next: "mend the script: it runs with foreign_keys off"))
            }
            let after = try await job.fingerprint?(connection)
            if let problem = compare(job, after, &notes) { return .refused(problem) }
            for run in saved + recording(job, before: before, after: after) {
                _ = try await connection.query(run.sql, run.parameters)
                await effect("record")
            }
            if let lease, try await connection.query(lease.fence.sql, lease.fence.parameters).rows.isEmpty {
                self.lease = nil
                return .refused(
                    Problem("LeaseLost", "\(job.path): somebody else took over the lease of this database; everything was rolled back"))
            }
            await effect("fence")
            try await connection.execute("COMMIT")
            await effect("commit")
            return .committed([notes.joined(separator: "; ")])
        } catch {
            return .failed(error, index: index, position: index == nil ? nil : error.position)
        }
    }
}
