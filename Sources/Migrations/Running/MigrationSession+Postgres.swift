internal import MigrationFiles
internal import Model
internal import SQL
internal import SQLParsing

extension MigrationSession {
    private static let interruptedStates = "('applying_up', 'applying_down', 'stuck')"

    private func notInterrupted(_ job: MigrationJob) -> String {
        """
        NOT EXISTS (SELECT 1 FROM \(archive.tables.archive) WHERE version = \(InlineSQL.write(.text(job.version))) \
        AND state IN \(Self.interruptedStates))
        """
    }

    /// The number of the transaction is kept in a setting that ends with it; a script that resets all settings is told from one that ended the
    /// transaction by the lock that the transaction holds.
    private static let remember = "pg_catalog.set_config('belay.transaction', pg_catalog.txid_current()::text, true)"
    private static let sameTransaction = "pg_catalog.current_setting('belay.transaction', true) = pg_catalog.txid_current()::text"

    private func opening(_ job: MigrationJob, isSession: Bool) -> TransactionText {
        var text = TransactionText()
        text.add("BEGIN")
        text.add(transactionSettings(job.timeouts, isSession: isSession))
        text.add("SELECT \(Self.remember)")
        if !isSession { text.add(lock.guardForTransaction) }
        text.add(Guard.interrupted.unless(notInterrupted(job)))
        text.add(Guard.recorded.unless("\(job.isUp ? "NOT " : "")EXISTS (\(InlineSQL.inline(job.recorded)))"))
        return text
    }

    private func closing(_ job: MigrationJob, _ runs: [SQLRun], isSession: Bool, into text: inout TransactionText) {
        for run in runs { text.add(run) }
        if let lease {
            text.add(Guard.leaseLost.unless("EXISTS (SELECT 1 FROM (\(InlineSQL.inline(lease.fence))) held)"))
        }
    }

    /// Before settings are reset: `RESET ALL` takes the remembered number away.
    private static var escapeCheck: String { Guard.escaped.unless(sameTransaction) }

    private func outcome(_ error: SQLError, _ job: MigrationJob, _ place: (index: Int?, position: Int?)) -> TransactionAttempt {
        switch Guard(error) {
        case .locked: return .locked
        case .recorded: return .recorded
        case .interrupted: return .interrupted
        case .leaseLost:
            lease = nil
            return .refused(
                Problem(
                    "LeaseLost", "\(job.path): somebody else took over the lease of this database; everything was rolled back",
                    next: "the next pass goes on from what the other one did"))
        case .escaped: return .refused(Self.escapeProblem(job, at: nil))
        case nil: return .failed(error, index: place.index, position: place.position)
        }
    }

    static func escapeProblem(_ job: MigrationJob, at index: Int?) -> Problem {
        job.problem(
            SQLError(
                .statement, "the script ended the transaction that it runs in: what ran before is committed, and its record is not",
                hint:
                    "compare the schema with the file, then say so with reconcile migrate resolve \(job.version) --done, --retry or --undo, and take COMMIT and ROLLBACK out"
            ),
            at: index, position: nil
        ).renamed("TransactionEscaped")
    }

    /// Everything in one round trip. The server stops at the first statement that fails, and COMMIT is the last one.
    func attemptAtOnce(_ job: MigrationJob, _ connection: any SQLConnection, isSession: Bool) async -> TransactionAttempt {
        var text = opening(job, isSession: isSession)
        lastSchema = nil
        for (index, statement) in job.facts.statements.enumerated() { text.add(statement.text, .statement(index)) }
        text.add(Self.escapeCheck)
        for reset in resetting(isSession: isSession) { text.add(reset) }
        text.add(transactionSettings(job.timeouts, isSession: isSession))
        closing(job, recording(job), isSession: isSession, into: &text)
        text.add("COMMIT")
        do throws(SQLError) {
            try await connection.execute(text.text)
            return .committed([done(job)])
        } catch {
            if Self.leavesDoubt(error) { return .inDoubt(error, transaction: nil) }
            let end = outcome(error, job, text.place(of: error))
            if Guard(error) == .escaped { await markStuck(job, connection) }
            return end
        }
    }

    /// True if COMMIT may have been carried out although it was not answered.
    private static func leavesDoubt(_ error: SQLError) -> Bool {
        error.code == .lost || error.code == .cancelled || error.sqlState?.hasPrefix("57P") == true
    }

    /// In two round trips: the script with the question how the schema is then, and the records.
    func attemptWithSchema(
        _ job: MigrationJob, _ question: MigrationJob.SchemaQuestion, _ connection: PostgresConnection, isSession: Bool
    ) async -> TransactionAttempt {
        var notes = [done(job)]
        var text = opening(job, isSession: isSession)
        // What was read at the end of a migration holds for the next one that follows at once.
        var before = lastSchema.flatMap { ContinuousClock.now - $0.read < .seconds(1) ? $0.state : nil }
        lastSchema = nil
        let asksBefore = job.isUp && before == nil
        let first = text.count
        if asksBefore { text.add(question.run) }
        for (index, statement) in job.facts.statements.enumerated() { text.add(statement.text, .statement(index)) }
        text.add(Self.escapeCheck)
        for reset in resetting(isSession: isSession) { text.add(reset) }
        text.add(transactionSettings(job.timeouts, isSession: isSession))
        text.add(question.run)
        do throws(SQLError) {
            let (rows, error) = try await connection.answers(to: text.text)
            if let error {
                let end = outcome(error, job, text.place(of: error))
                if Guard(error) == .escaped { await markStuck(job, connection) }
                return end
            }
            guard rows.count == text.count else { return .refused(Self.escapeProblem(job, at: nil)) }
            if asksBefore { before = question.read(rows[first]) }
            let after = question.read(rows[text.count - 1])
            if let problem = compare(job, after, &notes) { return .refused(problem) }
            var end = TransactionText()
            closing(job, recording(job, before: before, after: after), isSession: isSession, into: &end)
            end.add("COMMIT")
            do throws(SQLError) {
                try await connection.execute(end.text)
            } catch {
                guard Self.leavesDoubt(error) else { throw error }
                // The second statement after BEGIN told the transaction's number.
                return .inDoubt(error, transaction: rows[2].scalar)
            }
            lastSchema = (after, ContinuousClock.now)
            return .committed([notes.joined(separator: "; ")])
        } catch {
            return outcome(error, job, (nil, nil))
        }
    }

    func done(_ job: MigrationJob) -> String {
        let count = job.facts.statements.count
        return "\(job.isUp ? "applied" : "took back") \(job.version) (\(count) statement\(count == 1 ? "" : "s"))"
    }

    /// Statement by statement, with everything that needs an answer in between.
    func attemptByStatement(_ job: MigrationJob, _ connection: any SQLConnection, isSession: Bool) async -> TransactionAttempt {
        var notes = [done(job)]
        var index: Int?
        lastSchema = nil
        do throws(SQLError) {
            let opening = opening(job, isSession: isSession)
            try await connection.execute(opening.text)
            await effect("begin")
            let number = try await connection.query("SELECT pg_catalog.txid_current()").scalar
            let before = job.isUp ? try await job.fingerprint?(connection) : nil
            var saved: [SQLRun] = []
            switch try await protect(job, connection) {
            case .success(let runs): saved = runs
            case .failure(let problem): return .refused(problem)
            }
            for (place, statement) in job.facts.statements.enumerated() {
                index = place
                try await connection.execute(statement.text)
                await effect("statement \(place)")
                guard await connection.transaction == .inTransaction,
                    try await connection.query("SELECT pg_catalog.txid_current_if_assigned()").scalar == number
                else {
                    await rollBack(connection)
                    await markStuck(job, connection)
                    return .refused(Self.escapeProblem(job, at: place))
                }
            }
            index = nil
            var resetting = TransactionText()
            for reset in self.resetting(isSession: isSession) { resetting.add(reset) }
            resetting.add(transactionSettings(job.timeouts, isSession: isSession))
            try await connection.execute(resetting.text)
            let after = try await job.fingerprint?(connection)
            if let problem = compare(job, after, &notes) { return .refused(problem) }
            for run in saved + recording(job, before: before, after: after) {
                _ = try await connection.query(run.sql, run.parameters)
                await effect("record")
            }
            var end = TransactionText()
            closing(job, [], isSession: isSession, into: &end)
            if !end.text.isEmpty { try await connection.execute(end.text) }
            await effect("fence")
            do throws(SQLError) {
                try await connection.execute("COMMIT")
            } catch {
                guard Self.leavesDoubt(error) else { throw error }
                return .inDoubt(error, transaction: number)
            }
            await effect("commit")
            return .committed([notes.joined(separator: "; ")])
        } catch {
            return outcome(error, job, (index, index == nil ? nil : error.position))
        }
    }

    /// How the schema differs from what it was: told, or the end of the transaction.
    func compare(_ job: MigrationJob, _ after: MigrationJob.SchemaState?, _ notes: inout [String]) -> Problem? {
        guard let message = difference(job, after) else { return nil }
        guard job.verify == .strict else {
            notes.append(message)
            return nil
        }
        return Problem(
            "SchemaDiffers", "\(job.path): \(message); everything was rolled back",
            next: "mend the down script, or set verify: warn to let it pass")
    }

    /// In words, how the schema after a way back differs from what it was; nil where it does not, or nobody looks.
    func difference(_ job: MigrationJob, _ after: MigrationJob.SchemaState?) -> String? {
        guard !job.isUp, job.verify != .off, let expected = job.expected, let after, expected.hash != after.hash else { return nil }
        var difference = ""
        if let old = expected.lines, let new = after.lines {
            func lines(_ text: String) -> Set<String> { Set(text.split(separator: "\n").map(String.init)).subtracting(job.tolerated) }
            let (old, new) = (lines(old), lines(new))
            if old == new, !job.tolerated.isEmpty { return nil }
            let lines = old.subtracting(new).sorted().map { "- \($0)" } + new.subtracting(old).sorted().map { "+ \($0)" }
            difference = ": " + lines.prefix(5).joined(separator: "; ") + (lines.count > 5 ? "; and \(lines.count - 5) more" : "")
        }
        return "the way back does not restore the schema that was there before \(job.version)\(difference)"
    }
}
