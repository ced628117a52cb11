public import Model
internal import SQL

/// Takes backups of a SQLite file: always the whole file.
public struct SQLiteBackups: Sendable {
    let store: BackupStore
    let path: String
    let machine: BackupMachine

    /// - Parameter path: of the live file.
    public init(store: BackupStore, path: String, machine: BackupMachine = BackupMachine()) {
        self.store = store
        self.path = path
        self.machine = machine
    }

    /// Copies the database as its last commit left it, and checks the copy.
    ///
    /// Called while another connection of this process holds `BEGIN IMMEDIATE`, it is exactly what that transaction began with.
    /// - Parameter kind: what is recorded; the file is copied as a whole either way.
    public func save(
        _ kind: BackupManifest.Kind, _ request: BackupRequest, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws(Problem) -> BackupManifest {
        guard let size = Files.size(path) else {
            throw Problem("DatabaseUnreachable", "there is no file \(path)", next: "check the path of the database")
        }
        try machine.requireRoom(for: size, in: store.path)
        let now = machine.now()
        var manifest = BackupManifest(
            id: BackupID(at: now), system: request.system, database: request.database, engine: .sqlite,
            engineVersion: SQLiteConnection.version, kind: kind, tables: [], taken: now, applied: request.applied,
            beforeVersion: request.beforeVersion, run: request.run)
        manifest.beforeRestore = request.beforeRestore
        let draft = try await store.begin(manifest.id, .sqlite)
        do throws(Problem) {
            try await SQLiteFile.copy(path, to: draft.partial)
            let (schema, tables) = try await SQLiteFile.examine(draft.partial)
            manifest.tables = tables
            manifest.fingerprint = schema.hash
            (manifest.bytes, manifest.sha256) = try await store.seal(draft)
            progress(manifest.bytes)
            return try await store.finish(draft, manifest, schemaLines: schema.lines)
        } catch {
            try await store.discard(draft)
            throw Problem(error.reason, "\(path) could not be saved: \(error.message)", next: error.next ?? "nothing was changed")
        }
    }

    /// Copies a backup aside, opens it, checks its integrity and compares schema and rows with what was saved.
    public func prove(_ manifest: BackupManifest) async throws(Problem) -> BackupManifest {
        let clock = ContinuousClock()
        let begun = clock.now
        try await store.verify(manifest)
        let draft = try await store.begin(BackupID(at: machine.now()), .sqlite)
        var report: BackupManifest.Report
        do throws(Problem) {
            // A copy, because opening a file may leave another beside it.
            try await SQLiteFile.copyBytes(store.dump(manifest), to: draft.partial, store.thread)
            let (schema, tables) = try await SQLiteFile.examine(draft.partial)
            report = try await DatabaseFilling.report(schema, tables, manifest, store)
            try await store.discard(draft)
        } catch {
            try await store.discard(draft)
            guard error.reason == "DatabaseDamaged" else { throw error }
            report = BackupManifest.Report(isProved: false, differences: [error.message])
        }
        report.milliseconds = Int((clock.now - begun) / .milliseconds(1))
        var proved = manifest
        proved.report = report
        proved.verifiedAt = machine.now()
        return try await store.update(proved)
    }
}
