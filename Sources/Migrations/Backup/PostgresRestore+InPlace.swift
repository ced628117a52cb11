internal import Model
internal import SQL
import Subprocess
import SystemPackage

extension PostgresRestore {
    /// One transaction that empties the database, fills it, compares it, and is committed only then.
    func replaceInPlace(_ plan: RestorePlan, _ progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> RestoreResult {
        let version = try await serverVersion()
        let subscriptions = plan.manual.filter { $0.hasPrefix("subscription ") }
        guard subscriptions.isEmpty else {
            throw Problem(
                "SubscriptionInTheWay", "a subscription cannot be dropped inside a transaction: \(subscriptions.joined(separator: ", "))",
                next: "drop it first, or restore by swap")
        }
        let dump: String
        switch try source(of: plan) {
        case .backup(let manifest): dump = store.dump(manifest)
        case .archive(let path): dump = path
        case .script(let path):
            throw Problem("ScriptInPlace", "\(path) is an SQL script, which goes into a database of its own", next: "restore it by swap")
        }
        let safety = try await save(before: plan.id, progress)
        await reached(.saved)
        try backups.machine.requireRoom(for: plan.liveBytes, in: store.path)
        let draft = try await store.begin(BackupID(at: backups.machine.now()), .postgres)
        do throws(Problem) {
            progress("reading \(dump)")
            do throws(Problem) {
                _ = try await place.run(.restore, serverVersion: version, ["--file=\(draft.partial)", dump])
            } catch {
                throw error.asRestoreFailure(of: dump)
            }
            progress("replacing \(place.database)")
            try await confirmLease()
            try await replace(with: draft.partial, plan, version)
        } catch {
            try await store.discard(draft)
            throw error
        }
        try await store.discard(draft)
        await reached(.switched)
        return RestoreResult(
            plan: plan, safety: safety, keptAs: nil, tables: plan.tables,
            lines: ["\(place.database) is what was restored; what was there before is the backup \(safety)"])
    }

    private enum Race: Sendable {
        case ended(TerminationStatus, Problem?, errors: String)
        case failed(String)
        case timedOut
    }

    private func replace(with script: String, _ plan: RestorePlan, _ version: Int) async throws(Problem) {
        let program = ProgramRun(
            executable: try await place.programs.path(of: .psql, serverVersion: version), arguments: PsqlSession.arguments,
            environment: place.address.withDatabase(place.database).environment, deadline: place.deadline)
        let race: Race = await withTaskGroup(of: Race.self) { group in
            group.addTask { await replacing(script, plan, version, program) }
            group.addTask {
                do { try await Task.sleep(for: program.deadline) } catch { return .failed("it was interrupted") }
                return .timedOut
            }
            let first = await group.next() ?? .timedOut
            group.cancelAll()
            return first
        }
        let kept = "the transaction was rolled back, and nothing was changed"
        switch race {
        case .ended(let status, let problem, let errors):
            if status.isSuccess, problem == nil { return }
            if let problem, ["RestoreDiffers", "NothingToRestore", "LeaseLost"].contains(problem.reason) { throw problem }
            let why = program.shown(errors) ?? problem?.message ?? "psql ended with \(status)"
            throw Problem("RestoreFailed", "\(place.database) could not be restored in place: \(why)", next: kept)
        case .failed(let why): throw Problem("RestoreFailed", "psql could not be run: \(why)", next: kept)
        case .timedOut:
            throw Problem("ProgramTimedOut", "the restore did not end within \(program.deadline) and was stopped", next: kept)
        }
    }

    private func replacing(_ script: String, _ plan: RestorePlan, _ version: Int, _ program: ProgramRun) async -> Race {
        do {
            var options = PlatformOptions()
            options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))]
            let result = try await Subprocess.run(
                .path(FilePath(program.executable)), arguments: Arguments(program.arguments), environment: program.fullEnvironment,
                platformOptions: options, input: .inputWriter, output: .sequence, error: .string(limit: 4 << 20)
            ) { execution -> Problem? in
                let session = PsqlSession(execution.standardInputWriter, execution.standardOutput)
                var found: Problem?
                do throws(Problem) { try await replace(through: session, script, plan, version) } catch { found = error }
                try await execution.standardInputWriter.finish()
                return found
            }
            return .ended(result.terminationStatus, result.closureResult, errors: result.standardError)
        } catch {
            return .failed("\(error)")
        }
    }

    private func replace(through session: PsqlSession, _ script: String, _ plan: RestorePlan, _ version: Int) async throws(Problem) {
        func run(_ sql: String, _ what: String) async throws(Problem) {
            do throws(SQLError) { try await session.execute(sql) } catch { throw Problem(sql: error, what) }
        }
        do throws(SQLError) { try await session.begin() } catch { throw Problem(sql: error, "cannot begin") }
        try await run("SET LOCAL lock_timeout = 30000", "cannot begin")
        if let lease {
            // The whole table, as dropping it does: whoever waits for its row alone would be in the way of that. From here to the end of the
            // transaction nobody can take the lease.
            try await run("LOCK TABLE \(ArchiveTables(.postgres).lease) IN ACCESS EXCLUSIVE MODE", "cannot lock the lease")
            try await lease.confirm(inTransactionOf: session)
        }
        for statement in try await removal(for: plan.backup, on: session, version) { try await run(statement, "cannot empty the database") }
        do throws(SQLError) { try await session.run(file: script) } catch { throw Problem(sql: error, "cannot replay the dump") }
        try await session.forgetLease()
        await reached(.filled)
        let relations = try await TableCensus.all(on: session)
        if plan.backup == nil, relations.isEmpty, !plan.allowsNothing { throw plan.nothing }
        if let manifest = plan.backup {
            let report = try await DatabaseFilling.report(
                try await SchemaLines.read(on: session), try await TableCensus.counting(relations, on: session), manifest, store)
            guard report.isProved else {
                throw Problem(
                    "RestoreDiffers", "what was restored is not what was saved: \(report.differences.prefix(5).joined(separator: "; "))",
                    next: "it was rolled back, and nothing was changed; restore another backup")
            }
        }
        await reached(.compared)
        await reached(.switching)
        try await run("COMMIT", "whether it was committed is not known")
    }

    /// What takes everything away that the dump is going to make. Objects of extensions go with their schemas, or stay with the extension.
    private func removal(for backup: BackupManifest?, on session: any SQLConnection, _ version: Int) async throws(Problem) -> [String] {
        let found = try await session.ask(
            """
            SELECT 'DROP PUBLICATION ' || pg_catalog.quote_ident(pubname) FROM pg_catalog.pg_publication
            UNION ALL SELECT 'DROP EVENT TRIGGER ' || pg_catalog.quote_ident(evtname) FROM pg_catalog.pg_event_trigger e
              WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass
                                AND d.objid = e.oid AND d.deptype = 'e')
            UNION ALL SELECT 'DROP SERVER ' || pg_catalog.quote_ident(srvname) || ' CASCADE' FROM pg_catalog.pg_foreign_server
            UNION ALL SELECT 'DROP FOREIGN DATA WRAPPER ' || pg_catalog.quote_ident(fdwname) || ' CASCADE'
              FROM pg_catalog.pg_foreign_data_wrapper w
              WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass
                                AND d.objid = w.oid AND d.deptype = 'e')
            """, for: "cannot look for what is to be replaced"
        ).rows.compactMap { $0.first ?? nil }
        let schemas = try await session.ask(
            """
            SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace
            WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1
            """, for: "cannot list the schemas"
        ).rows.compactMap { $0.first ?? nil }
        var statements = found
        if !schemas.isEmpty { statements.append("DROP SCHEMA \(schemas.joined(separator: ", ")) CASCADE") }
        statements.append("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata")
        // As a new database has it, since a dump says only what differs from that.
        statements += [
            "CREATE SCHEMA public" + (version >= 150_000 ? " AUTHORIZATION pg_database_owner" : ""),
            "GRANT USAGE ON SCHEMA public TO PUBLIC", "COMMENT ON SCHEMA public IS 'standard public schema'",
        ]
        if version < 150_000 { statements.append("GRANT CREATE ON SCHEMA public TO PUBLIC") }
        if let backup, !backup.schemas.isEmpty, !backup.schemas.contains("public") { statements.append("DROP SCHEMA public") }
        return statements
    }
}
