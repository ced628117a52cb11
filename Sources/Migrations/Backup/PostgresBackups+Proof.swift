public import Model

extension PostgresBackups {
    /// Restores a backup into a scratch database, compares the schema and the number of rows with what was saved, drops the scratch database
    /// and records the result with the backup. The live database is read at most.
    ///
    /// Returns the manifest with its report; a difference is a report that does not prove, not an error. Takes as long as a restore does.
    public func prove(_ manifest: BackupManifest) async throws(Problem) -> BackupManifest {
        let clock = ContinuousClock()
        let begun = clock.now
        try await store.verify(manifest)
        let version = try await place.session { connection throws(Problem) in try await connection.serverVersion() }
        let isSuperuser = try await place.isSuperuser()
        try machine.requireRoom(for: manifest.bytes, in: store.path)
        var report: BackupManifest.Report
        do throws(Problem) {
            report = try await ScratchDatabase.using(like: place, id: BackupID(at: machine.now())) { scratch throws(Problem) in
                let filling = DatabaseFilling(store: store, target: scratch.place, serverVersion: version, keepsOwners: isSuperuser)
                try await filling.fill(from: .backup(manifest), around: place)
                return try await filling.compare(with: manifest)
            }
        } catch {
            // Whether it can be restored is the question; everything else is an error.
            guard error.reason == "RestoreFailed" else { throw error }
            report = BackupManifest.Report(isProved: false, differences: [error.message])
        }
        report.milliseconds = Int((clock.now - begun) / .milliseconds(1))
        var proved = manifest
        proved.report = report
        proved.verifiedAt = machine.now()
        return try await store.update(proved)
    }
}
