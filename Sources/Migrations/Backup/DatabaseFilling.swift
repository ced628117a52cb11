internal import Model
internal import SQL

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Fills an empty database from a backup and compares it with what was saved.
struct DatabaseFilling: Sendable {
    /// Where a dump comes from.
    enum Source: Sendable {
        case backup(BackupManifest)
        /// A dump of `pg_dump`'s custom format whose origin Belay does not know.
        case archive(String)
        /// SQL text as `pg_dump` writes it.
        case script(String)
    }

    var store: BackupStore
    /// The empty database.
    var target: PostgresPlace
    var serverVersion: Int
    /// False leaves out owners and privileges, for which this role may have no right.
    var keepsOwners: Bool
    var jobs = 2

    /// - Parameter live: the database whose schema a scoped backup is put into; nil refuses one.
    func fill(from source: Source, around live: PostgresPlace? = nil) async throws(Problem) {
        switch source {
        case .backup(let manifest):
            guard manifest.kind == .full else {
                guard let live else {
                    throw Problem(
                        "ScopedBackup", "the backup \(manifest.id) holds some tables only: it is no whole database",
                        next: "restore a full one, or take the tables out of \(store.dump(manifest)) with pg_restore")
                }
                try await fillScoped(manifest, around: live)
                break
            }
            try await restore(store.dump(manifest), ["--jobs=\(jobs)"])
            if !manifest.schemas.isEmpty, !manifest.schemas.contains("public") { try await dropPublic() }
        case .archive(let path):
            try await restore(path, ["--jobs=\(jobs)"])
        case .script(let path):
            try await runScript(path)
        }
        try await target.session { connection throws(Problem) -> Void in
            try await connection.forgetLease()
            try await connection.ask("ANALYZE", for: "cannot collect statistics of the restored database")
        }
    }

    private func restore(_ dump: String, _ more: [String]) async throws(Problem) {
        let rights = keepsOwners ? [] : ["--no-owner", "--no-privileges"]
        do throws(Problem) {
            _ = try await target.run(
                .restore, serverVersion: serverVersion,
                ["--exit-on-error", "--no-password", "--dbname=\(target.connectionText)"] + rights + more + [dump])
        } catch {
            throw error.asRestoreFailure(of: dump)
        }
    }

    /// The tables of a scoped backup need what stands around them: the live schema as it is now, with those tables taken out. References to
    /// other tables are left out, because nothing is in those. Good for a proof; not a database to work with.
    private func fillScoped(_ manifest: BackupManifest, around live: PostgresPlace) async throws(Problem) {
        let draft = try await store.begin(BackupID(at: .systemNow), .postgres)
        do throws(Problem) {
            _ = try await live.run(
                .dump, serverVersion: serverVersion,
                ["--format=custom", "--schema-only", "--no-password", "--lock-wait-timeout=30000", "--file=\(draft.partial)"])
            // What needs a right that this role lacks stays away; what the tables need shows below.
            _ = try await target.run(
                .restore, serverVersion: serverVersion,
                ["--no-password", "--no-owner", "--no-privileges", "--dbname=\(target.connectionText)", draft.partial], mayFail: true)
            try await target.session { connection throws(Problem) -> Void in
                for table in manifest.tables {
                    try await connection.ask(
                        "DROP TABLE IF EXISTS \(table.name.quoted) CASCADE", for: "cannot prepare the scratch database")
                }
            }
            let dump = store.dump(manifest)
            let contents = try await DumpContents.read(dump, target, serverVersion)
            try await store.writeList(contents.without(["FK CONSTRAINT"]), to: draft)
            try await restore(dump, ["--use-list=\(draft.partial)"])
        } catch {
            try await store.discard(draft)
            throw error
        }
        try await store.discard(draft)
    }

    private func dropPublic() async throws(Problem) {
        try await target.session { connection throws(Problem) -> Void in
            try await connection.ask("DROP SCHEMA IF EXISTS public", for: "cannot drop the schema public, which the saved database had not")
        }
    }

    /// All of it in one transaction, or nothing: `psql` by itself goes on after an error and ends with 0.
    private func runScript(_ path: String) async throws(Problem) {
        do throws(Problem) {
            _ = try await target.run(
                .psql, serverVersion: serverVersion,
                [
                    "--no-psqlrc", "--quiet", "--no-password", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
                    "--file=\(path)",
                ])
        } catch {
            throw error.asRestoreFailure(of: path)
        }
    }

    /// What the filled database has: for a report, and for the comparison with a manifest.
    func examine() async throws(Problem) -> (schema: SchemaLines, tables: [BackupManifest.Table]) {
        try await target.session { connection throws(Problem) in
            let relations = try await TableCensus.all(on: connection)
            return (try await SchemaLines.read(on: connection), try await TableCensus.counting(relations, on: connection))
        }
    }

    /// Compares the filled database with what the manifest says. Returns the report.
    func compare(with manifest: BackupManifest) async throws(Problem) -> BackupManifest.Report {
        let (schema, tables) = try await examine()
        return try await Self.report(schema, tables, manifest, store)
    }

    static func report(
        _ schema: SchemaLines, _ tables: [BackupManifest.Table], _ manifest: BackupManifest, _ store: BackupStore
    ) async throws(Problem) -> BackupManifest.Report {
        var differences: [String] = []
        if let saved = manifest.fingerprint, saved != schema.hash {
            let lines = try await store.schemaLines(manifest.id)
            differences += lines.map { schema.differences(from: $0) } ?? ["the schema's fingerprint is \(schema.hash), saved was \(saved)"]
            if differences.isEmpty { differences = ["the schema's fingerprint is \(schema.hash), saved was \(saved)"] }
        }
        let found = Dictionary(tables.map { ($0.name, $0.rows) }, uniquingKeysWith: { first, _ in first })
        for table in manifest.tables {
            guard let rows = found[table.name] else {
                differences.append("- table \(table.name)")
                continue
            }
            if let saved = table.rows, let rows, rows != saved { differences.append("\(table.name) has \(rows) rows, saved were \(saved)") }
        }
        let counted = manifest.tables.filter { $0.rows != nil }.count
        let lines = [
            manifest.fingerprint == nil ? "the schema was not recorded" : "schema compared",
            "\(counted) of \(manifest.tables.count) tables counted, \(manifest.rows) rows",
        ]
        return BackupManifest.Report(isProved: differences.isEmpty, lines: lines, differences: differences)
    }
}

extension PostgresPlace {
    /// `pg_restore` takes the database among its arguments: its name alone, never as connection text.
    var connectionText: String {
        // A name that looks like connection text would be read as such: https://www.postgresql.org/docs/15/libpq-connect.html
        let escaped = database.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        return "dbname='\(escaped)'"
    }
}

extension Problem {
    func asRestoreFailure(of path: String) -> Problem {
        guard reason == "ProgramFailed" else { return self }
        return Problem("RestoreFailed", "\(path) could not be restored: \(message)", next: next ?? "the live database was not changed")
    }
}
