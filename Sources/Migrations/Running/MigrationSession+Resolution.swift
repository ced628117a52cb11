internal import MigrationFiles
internal import Model
internal import SQL
internal import SQLParsing

extension MigrationSession {
    /// Remembers that nobody can tell how a script stands. On a connection without an open transaction.
    func markStuck(_ job: MigrationJob, _ connection: any SQLConnection) async {
        await rollBack(connection)
        var row = job.archive
        row.version = job.version
        row.name = job.name
        row.state = .stuck
        row.run = settings.run
        let runs = [
            archive.write(row, .other), archive.append(entry(job, .intent, hash: job.hash)),
            archive.append(entry(job, .stuck, message: "the script ended its transaction")),
        ]
        do throws(SQLError) {
            try await together(try mainConnection(), job.timeouts, runs)
        } catch {
            // It is told to the caller all the same.
        }
    }

    /// A few statements in a transaction of their own, with the fence.
    func together(
        _ connection: any SQLConnection, _ timeouts: MigrationSettings.Timeouts, _ runs: [SQLRun], statement: String? = nil,
        after: String = "transaction"
    ) async throws(SQLError) {
        do throws(SQLError) {
            if archive.engine == .postgres {
                try await connection.execute("BEGIN")
                try await connection.execute(transactionSettings(timeouts, isSession: !isPooled || connection === direct))
                if isPooled, direct == nil { try await connection.execute(lock.guardForTransaction) }
            } else {
                try await connection.execute("BEGIN IMMEDIATE")
            }
            if let statement {
                try await connection.execute(statement)
                await effect("statement")
                // What the statement set for its transaction must not reach the record.
                if archive.engine == .postgres { try await connection.execute("RESET SESSION AUTHORIZATION; RESET ROLE") }
            }
            for run in runs { _ = try await connection.query(run.sql, run.parameters) }
            if let lease, try await connection.query(lease.fence.sql, lease.fence.parameters).rows.isEmpty {
                self.lease = nil
                throw SQLError(.statement, "the lease of this database was taken over by somebody else", sqlState: Self.lostState)
            }
            await effect("fence")
            try await connection.execute("COMMIT")
        } catch {
            await rollBack(connection)
            throw error
        }
        await effect(after)
    }

    /// Not a state of any server.
    static let lostState = "BELAY"

    func writeResolution(_ version: String, _ resolution: Resolution) async -> Problem? {
        do throws(SQLError) {
            let connection = try mainConnection()
            let row = try await archive.row(of: version, on: connection)
            let progress = MigrationProgress(try await archive.journal(of: version, on: connection))
            guard let row, let progress, [.stuck, .applyingUp, .applyingDown].contains(row.state),
                row.state == .stuck || resolution == .undo
            else {
                return Problem("NothingToResolve", "\(version) is not stuck", next: "see status for where it stands")
            }
            func line(_ event: MigrationJournalEntry.Event, isUp: Bool, index: Int?, hash: String? = nil) -> SQLRun {
                archive.append(
                    MigrationJournalEntry(
                        run: settings.run, epoch: lease?.epoch, version: version, isUp: isUp, event: event, index: index, hash: hash,
                        message: "told by \(settings.actor): \(resolution.rawValue)", actor: settings.actor, commit: settings.commit))
            }
            let applying: ArchiveRow.State = progress.isUp ? .applyingUp : .applyingDown
            let index = progress.stuck.flatMap { $0 < 0 ? nil : $0 }
            let runs: [SQLRun]
            switch resolution {
            case .done:
                runs = [line(.statement, isUp: progress.isUp, index: index), archive.setState(applying, of: version)]
            case .retry where index == nil:
                // A whole script that is to be run again begins as if it never had.
                runs = [
                    line(.retry, isUp: progress.isUp, index: nil), archive.setState(progress.isUp ? .reverted : .applied, of: version),
                ]
            case .retry:
                runs = [line(.retry, isUp: progress.isUp, index: index), archive.setState(applying, of: version)]
            case .undo:
                runs = [
                    line(.undo, isUp: !progress.isUp, index: nil),
                    archive.setState(progress.isUp ? .applyingDown : .applyingUp, of: version),
                ]
            }
            try await together(connection, MigrationSettings.Timeouts(), runs)
            return nil
        } catch {
            return Self.problem(error)
        }
    }
}
