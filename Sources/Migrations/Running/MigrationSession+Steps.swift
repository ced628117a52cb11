internal import MigrationFiles
internal import Model
internal import ProviderKit
internal import SQL
internal import SQLParsing

extension MigrationSession {
    /// A statement that can share a transaction with its line in the journal needs no catalogue to tell whether it took effect. The others
    /// cannot run in one, or may end it themselves.
    private static func isAtomic(_ facts: StatementFacts, _ text: String) -> Bool {
        let word = text.prefix { $0.isLetter }.uppercased()
        return !facts.isNonTransactional && !["DO", "CALL", "PRAGMA", "VACUUM", "ATTACH", "DETACH"].contains(word)
    }

    /// A script whose statements take effect one by one (contract migrations.md §3.5): what is intended is committed first, every statement
    /// leaves a line, and an interrupted script goes on where the journal and the catalogue say that it stands.
    func runInSteps(_ job: MigrationJob) async -> MigrationEnd {
        let connection: any SQLConnection
        lastSchema = nil
        let needsSession =
            Self.changesSession(job.facts.statements) != nil
            || zip(job.facts.facts, job.facts.statements).contains { !Self.isAtomic($0, $1.text) }
        if needsSession || !isPooled || direct != nil {
            switch await sessionConnection(for: "\(job.path) has statements that cannot run inside a transaction") {
            case .success(let found): connection = found
            case .failure(let problem): return .failed(problem)
            }
        } else if let main {
            connection = main
        } else {
            return .failed(Problem("DatabaseUnreachable", "the connection is closed"))
        }
        do throws(SQLError) {
            let end = try await steps(job, connection)
            if archive.engine == .postgres, !isPooled || connection === direct {
                try await connection.execute(
                    "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DISCARD TEMP; DEALLOCATE ALL; UNLISTEN *")
                if let problem = await holdSession(connection) { return .failed(problem) }
            }
            return end
        } catch {
            await rollBack(connection)
            if await connection.transaction == .idle, archive.engine == .postgres {
                // What the script set must not reach what comes next.
                await connection.close()
                if connection === main { main = nil }
                if connection === direct { direct = nil }
            }
            if Guard(error) == .locked {
                return .failed(
                    Problem(
                        "DatabaseBusy", "\(job.path): the lock for moving this schema is held by another session",
                        next: "look for sessions named belay/… in pg_stat_activity"))
            }
            if error.sqlState == Self.lostState {
                return .failed(
                    Problem("LeaseLost", "\(job.path): \(error.message)", next: "the next pass goes on from what the other one did"))
            }
            return error.code == .lost || error.code == .cancelled
                ? .undecided(Problem("ConnectionLost", "\(job.path): \(error.message)", next: "the next pass goes on from the journal"))
                : .failed(Self.problem(error))
        }
    }

    private func steps(_ job: MigrationJob, _ connection: any SQLConnection) async throws(SQLError) -> MigrationEnd {
        let row = try await archive.row(of: job.version, on: connection)
        var progress = MigrationProgress(try await archive.journal(of: job.version, on: connection))
        if row?.state == .stuck { return .failed(stuckProblem(job, progress?.stuck.flatMap { $0 < 0 ? nil : $0 })) }
        if progress == nil {
            let isRecorded = !(try await connection.query(job.recorded.sql, job.recorded.parameters).rows.isEmpty)
            if isRecorded == job.isUp { return .done("\(job.version) is \(job.isUp ? "applied" : "taken back") already") }
        }
        if let open = progress, open.isUp != job.isUp {
            // The way back from something half done.
            try await together(
                connection, job.timeouts,
                [archive.append(entry(job, .undo)), archive.setState(job.isUp ? .applyingUp : .applyingDown, of: job.version)])
            progress = MigrationProgress(try await archive.journal(of: job.version, on: connection))
        }
        if let open = progress, let hash = open.hash, hash != job.hash {
            let statements = job.facts.statements
            guard
                open.done.allSatisfy({ statements.indices.contains($0) && ($1.isEmpty || $1 == ArchiveSignature.hash(statements[$0].text)) }
                )
            else {
                return .failed(
                    Problem(
                        "InterruptedScriptChanged",
                        "\(job.path): the script was changed where it had taken effect before it was interrupted",
                        next: "restore the file as it was, or tell Belay to undo it"))
            }
        }
        var before: MigrationJob.SchemaState?
        if job.isUp, progress?.hash != nil || progress?.isUndo == true, let hash = row?.fingerprintBefore {
            // As it was before any of it: what is there now is half of it.
            before = MigrationJob.SchemaState(hash: hash, lines: row?.linesBefore)
        }
        if progress?.hash == nil {
            let saved: [SQLRun]
            switch try await protectOutside(job, connection) {
            case .success(let runs): saved = runs
            case .failure(let problem): return .failed(problem)
            }
            var intended = job.archive
            if job.isUp, progress?.isUndo != true { before = try await job.fingerprint?(connection) }
            (intended.fingerprintBefore, intended.linesBefore) = (before?.hash, before?.lines)
            intended.version = job.version
            intended.name = job.name
            intended.state = job.isUp ? .applyingUp : .applyingDown
            intended.run = settings.run
            intended.appliedBy = settings.actor
            try await together(
                connection, job.timeouts,
                saved + [
                    archive.write(intended, .other),
                    archive.append(entry(job, .intent, hash: job.hash, message: "\(job.facts.statements.count) statements")),
                ],
                after: "intent")
            progress = MigrationProgress(try await archive.journal(of: job.version, on: connection))
        }
        guard let progress else { return .failed(Problem("MigrationFailed", "\(job.path): the journal of Belay cannot be read back")) }
        for index in job.facts.statements.indices where !progress.isAllDone {
            if progress.done[index] != nil {
                if let problem = try await repeatForSession(job, index, connection) { return .failed(problem) }
                continue
            }
            if job.facts.statements.count > 1 {
                settings.progress("\(job.version): statement \(index + 1) of \(job.facts.statements.count)")
            }
            if let end = try await step(job, index, progress, connection) { return end }
        }
        var notes = [done(job)]
        let after = try await job.fingerprint?(connection)
        if let message = difference(job, after) {
            notes.append(job.verify == .strict ? "\(message); it was not rolled back: it ran outside of a transaction" : message)
        }
        let records = recording(job, before: before, after: after, note: progress.isUndo ? "after an interruption" : nil)
        try await together(connection, job.timeouts, records, after: "recorded")
        return .done(notes.joined(separator: "; "))
    }

    func stuckProblem(_ job: MigrationJob, _ index: Int?) -> Problem {
        job.problem(
            SQLError(
                .statement, "it is not known whether this took effect when it was interrupted",
                hint: "look, then say so: reconcile migrate resolve \(job.version) --done, --retry or --undo"), at: index, position: nil
        ).renamed("MigrationStuck")
    }

    /// Runs one statement, unless it has taken effect already. Returns the end of the migration where there is one.
    private func step(
        _ job: MigrationJob, _ index: Int, _ progress: MigrationProgress, _ connection: any SQLConnection
    ) async throws(SQLError) -> MigrationEnd? {
        let statement = job.facts.statements[index]
        let facts = job.facts.facts[index]
        let finished = archive.append(entry(job, .statement, index: index, hash: ArchiveSignature.hash(statement.text)))
        let isAtomic = Self.isAtomic(facts, statement.text)
        var tries = 0
        var begun = progress.begun[index]
        while true {
            var text = statement.text
            let mustLook = (begun != nil || progress.isUndo || facts.probe.isBuilding) && !progress.retried.contains(index)
            if mustLook {
                switch try await probe(facts.probe, before: begun, isUndo: progress.isUndo, connection) {
                case .done where begun != nil || progress.isUndo:
                    try await together(connection, job.timeouts, [finished], after: "journal")
                    return nil
                case .done, .run: break
                case .repair(let repairs):
                    for repair in repairs {
                        try await connection.execute(repair)
                        await effect("repair")
                    }
                case .instead(let other): text = other
                case .unknown:
                    try await together(
                        connection, job.timeouts,
                        [archive.append(entry(job, .stuck, index: index)), archive.setState(.stuck, of: job.version)])
                    return .failed(stuckProblem(job, index))
                }
            }
            do throws(SQLError) {
                if isAtomic {
                    try await together(connection, job.timeouts, [finished], statement: text, after: "journal")
                } else {
                    let note = try await noted(facts.probe, connection)
                    try await together(
                        connection, job.timeouts, [archive.append(entry(job, .begun, index: index, message: note))], after: "begun")
                    begun = note
                    try await configure(connection, job, facts)
                    try await connection.execute(text)
                    await effect("statement")
                    if archive.engine == .postgres { try await connection.execute("RESET SESSION AUTHORIZATION; RESET ROLE") }
                    try await together(connection, job.timeouts, [finished], after: "journal")
                }
                return nil
            } catch {
                guard error.code == .statement, error.sqlState != Self.lostState else { throw error }
                if ["55P03", "40P01", "40001"].contains(error.sqlState), tries < job.timeouts.lockRetries {
                    tries += 1
                    try await pause(backoff(tries))
                    continue
                }
                // An error that the server told means that the statement did not take effect, except for what the catalogue shows of it.
                if !isAtomic, await connection.transaction == .idle, !facts.probe.mayBeHalfDone,
                    facts.probe != .ambiguous || !Self.mayHaveCommitted(text)
                {
                    let run = archive.append(entry(job, .retry, index: index, sqlState: error.sqlState, message: error.message))
                    _ = try await connection.query(run.sql, run.parameters)
                }
                let problem = job.problem(error, at: index, position: error.position)
                await tell(job, problem, sqlState: error.sqlState)
                return .failed(problem)
            }
        }
    }

    /// Blocks and procedures can commit part of what they do before they fail.
    private static func mayHaveCommitted(_ text: String) -> Bool { ["DO", "CALL"].contains(text.prefix { $0.isLetter }.uppercased()) }

    /// What holds for a statement outside of a transaction. Building an index waits for old transactions and keeps nobody waiting meanwhile; a
    /// lock timeout would only leave it invalid.
    private func configure(_ connection: any SQLConnection, _ job: MigrationJob, _ facts: StatementFacts) async throws(SQLError) {
        guard archive.engine == .postgres else { return }
        if let lease, try await connection.query(lease.fence.sql, lease.fence.parameters).rows.isEmpty {
            self.lease = nil
            throw SQLError(.statement, "the lease of this database was taken over by somebody else", sqlState: Self.lostState)
        }
        let waits = facts.isNonTransactional && facts.probe.isOfIndex
        try await connection.execute(
            """
            SELECT pg_catalog.set_config('lock_timeout', '\(waits ? 0 : job.timeouts.lock.wholeMilliseconds)', false), \
            pg_catalog.set_config('statement_timeout', '\(job.timeouts.statement.wholeMilliseconds)', false)
            """)
    }
}
