internal import MigrationFiles
internal import Model
internal import ProviderKit
internal import SQL
internal import SQLParsing

/// How one try at a migration in one transaction ended. Except for ``committed(_:)`` nothing is left of it.
enum TransactionAttempt: Sendable {
    case committed([String])
    /// There is nothing to do.
    case recorded
    /// Its script was begun without a transaction, or waits for somebody's decision.
    case interrupted
    case locked
    case refused(Problem)
    case failed(SQLError, index: Int?, position: Int?)
    /// The connection broke when it may have been committed.
    case inDoubt(SQLError, transaction: String?)
}

extension MigrationSession {
    /// One migration as one transaction (contract migrations.md §3.4), repeated where a lock was not to be had.
    func runInTransaction(_ job: MigrationJob) async -> MigrationEnd {
        let clock = ContinuousClock()
        let deadline = clock.now + job.timeouts.migration
        var tries = 0
        while true {
            let connection: any SQLConnection
            switch await connectionForTransaction(job) {
            case .success(let found): connection = found
            case .failure(let problem): return .failed(problem)
            }
            let isSession = archive.engine == .postgres && (!isPooled || connection === direct)
            let attempt = await limited(to: deadline) { await self.attempt(job, connection, isSession: isSession) }
            let isLate = clock.now >= deadline
            if case .committed(let notes) = attempt {
                return .done(notes.first ?? "")
            }
            if case .inDoubt(let error, let transaction) = attempt {
                await connection.close()
                let end = await settle(job, error, transaction: transaction)
                if isLate, case .failed = end { return .failed(lateProblem(job)) }
                return end
            }
            await rollBack(connection)
            switch attempt {
            case .committed, .inDoubt: break
            case .recorded: return .done("\(job.version) is \(job.isUp ? "applied" : "taken back") already")
            case .interrupted: return await runInSteps(job)
            case .locked:
                do throws(SQLError) {
                    if let problem = try await awaitTransactionLock(connection) { return .failed(problem) }
                } catch {
                    return .failed(Self.problem(error))
                }
            case .refused(let problem):
                await tell(job, problem, sqlState: nil)
                return .failed(problem)
            case .failed(let error, let index, let position):
                if isLate {
                    let problem = lateProblem(job)
                    await tell(job, problem, sqlState: error.sqlState)
                    return .failed(problem)
                }
                guard ["55P03", "40P01", "40001"].contains(error.sqlState) || error.sqlState == "SQLITE_BUSY",
                    tries < job.timeouts.lockRetries
                else {
                    let problem = job.problem(error, at: index, position: position)
                    await tell(job, problem, sqlState: error.sqlState)
                    return .failed(problem)
                }
                tries += 1
                settings.progress("\(job.version): waits for a lock, attempt \(tries + 1): \(error.message)")
                do throws(SQLError) {
                    try await pause(backoff(tries))
                } catch {
                    return .failed(Self.problem(error))
                }
            }
        }
    }

    private func lateProblem(_ job: MigrationJob) -> Problem {
        Problem(
            "MigrationTimeout", "\(job.path): the migration took longer than timeouts.migration, \(job.timeouts.migration)",
            next: "raise it, or split the migration; nothing of it is left")
    }

    /// Doubled with every try, and at random between half of that and all of it.
    func backoff(_ tries: Int) -> Duration {
        let full = min(settings.backoff.lowerBound * (1 << min(tries - 1, 16)), settings.backoff.upperBound)
        return full * Double.random(in: 0.5...1)
    }

    private func connectionForTransaction(_ job: MigrationJob) async -> Result<any SQLConnection, Problem> {
        if isPooled, let index = Self.changesSession(job.facts.statements) {
            let line = job.script.firstLine + job.facts.statements[index].line - 1
            return await sessionConnection(for: "\(job.path):\(line) changes settings of the session")
        }
        // It holds the lock already, which a transaction on another connection would wait for in vain.
        if isPooled, direct != nil { return await sessionConnection(for: job.path) }
        do throws(SQLError) {
            if main == nil {
                let connection = try await settings.connect(false)
                do throws(SQLError) {
                    try await prepare(connection)
                } catch {
                    await drop()
                    throw error
                }
                if let problem = await hold(connection) { return .failure(problem) }
            }
            return .success(try mainConnection())
        } catch {
            return .failure(Self.problem(error))
        }
    }

    private func limited(
        to deadline: ContinuousClock.Instant, _ work: @escaping @Sendable () async -> TransactionAttempt
    ) async -> TransactionAttempt {
        await withTaskGroup(of: TransactionAttempt?.self) { group in
            group.addTask { await work() }
            group.addTask {
                do { try await ContinuousClock().sleep(until: deadline) } catch { return nil }
                return nil
            }
            var result: TransactionAttempt?
            for await ended in group {
                if let ended { result = ended }
                group.cancelAll()
            }
            return result ?? .failed(SQLError(.cancelled, "cancelled"), index: nil, position: nil)
        }
    }

    private func attempt(_ job: MigrationJob, _ connection: any SQLConnection, isSession: Bool) async -> TransactionAttempt {
        switch archive.engine {
        case .sqlite: return await attemptOnSQLite(job, connection)
        case .postgres:
            // A script that resets settings makes the check for its escape say so although nothing happened.
            let resets = job.facts.statements.contains { $0.text.lowercased().contains("reset") }
            if !resets, settings.afterEffect == nil, version >= 130_000 {
                if job.isPlain { return await attemptAtOnce(job, connection, isSession: isSession) }
                if job.isHarmless, let question = job.question, let postgres = connection as? PostgresConnection {
                    return await attemptWithSchema(job, question, postgres, isSession: isSession)
                }
            }
            return await attemptByStatement(job, connection, isSession: isSession)
        }
    }

    /// Only after a rollback that was confirmed is a connection used again.
    func rollBack(_ connection: any SQLConnection) async {
        switch await connection.transaction {
        case .idle: return
        case .inTransaction, .failed:
            do throws(SQLError) {
                try await connection.execute("ROLLBACK")
                if await connection.transaction == .idle { return }
            } catch {
                // The server rolls back when the connection ends.
            }
        case .unknown: break
        }
        await connection.close()
        if connection === main { main = nil }
        if connection === direct { direct = nil }
    }

    /// Writes a failure into the journal, outside of what failed.
    func tell(_ job: MigrationJob, _ problem: Problem, sqlState: String?) async {
        do throws(SQLError) {
            let run = archive.append(entry(job, .failed, sqlState: sqlState, message: problem.message))
            _ = try await mainConnection().query(run.sql, run.parameters)
        } catch {
            // The caller is told of the failure itself; a database that cannot be written to has nothing to remember.
        }
    }

    func entry(
        _ job: MigrationJob, _ event: MigrationJournalEntry.Event, index: Int? = nil, hash: String? = nil, sqlState: String? = nil,
        message: String? = nil
    ) -> MigrationJournalEntry {
        MigrationJournalEntry(
            run: settings.run, epoch: lease?.epoch, version: job.version, isUp: job.isUp, event: event, index: index, hash: hash,
            sqlState: sqlState, message: message, actor: settings.actor, commit: settings.commit)
    }

    /// What is written when a migration has taken effect, in its transaction: the adopted table's record, the archive, the journal.
    func recording(
        _ job: MigrationJob, before: MigrationJob.SchemaState? = nil, after: MigrationJob.SchemaState? = nil, note: String? = nil
    ) -> [SQLRun] {
        var row = job.archive
        row.version = job.version
        row.name = job.name
        row.state = job.isUp ? .applied : .reverted
        row.run = settings.run
        row.appliedBy = settings.actor
        row.fingerprintBefore = job.isUp ? before?.hash : nil
        row.fingerprintAfter = job.isUp ? after?.hash : nil
        row.linesBefore = job.isUp ? before?.lines : nil
        row.linesAfter = job.isUp ? after?.lines : nil
        // What a repeatable migration left is not what is there any more.
        let witness = job.isUp ? nil : job.witness.map { archive.setSchema(after?.hash, lines: after?.lines, of: $0) }
        return job.records + [
            archive.write(row, job.isUp ? .application : .other),
            archive.append(entry(job, job.isUp ? .applied : .reverted, hash: job.hash, message: note)),
        ] + [witness].compactMap(\.self)
    }
}
