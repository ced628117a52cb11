internal import FoundationEssentials
public import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// How backups come to be: what a process has not finished, nobody takes for one.
extension BackupStore {
    /// A dump that is being written. Until it is finished nobody takes it for a backup.
    struct Draft: Sendable {
        var id: BackupID
        /// Where the dump is to be written: an empty file for its owner alone.
        var partial: String
        /// Locked, so that nobody takes it for the leftover of a dead process.
        fileprivate var file: BackupFile
    }

    /// Removes what dead processes left, and begins a new backup.
    func begin(_ id: BackupID, _ engine: BackupManifest.Engine) async throws(Problem) -> Draft {
        try await thread.run { () throws(Problem) in
            try Files.createDirectory(Files.directory(of: path))
            try Files.createDirectory(path)
            try removeLeftovers()
            let partial = dump(id, engine) + Self.partial
            let file = try BackupFile(partial, O_RDWR | O_CREAT | O_EXCL)
            guard try file.tryLock() else { throw Problem("BackupBusy", "another process writes \(partial)", next: "try again") }
            return Draft(id: id, partial: partial, file: file)
        }
    }

    /// Length and SHA-256 of what was written, made durable.
    func seal(_ draft: Draft) async throws(Problem) -> (bytes: Int, sha256: String) {
        try await thread.run { () throws(Problem) in
            // By its name: the program that wrote it may have put another file in its place.
            let file = try BackupFile(draft.partial, O_RDONLY)
            try file.synchronize()
            return try file.digest()
        }
    }

    /// Gives the dump its name, then writes the manifest: from here on it is a backup.
    @discardableResult
    func finish(_ draft: Draft, _ manifest: BackupManifest, schemaLines: [String]?) async throws(Problem) -> BackupManifest {
        let signed = try signed(manifest)
        try await thread.run { () throws(Problem) in
            if let schemaLines { try replace(schemaPath(draft.id), Array(schemaLines.joined(separator: "\n").utf8)) }
            try Files.rename(draft.partial, to: dump(manifest))
            try Files.synchronizeDirectory(path)
            try replace(manifestPath(draft.id), try json(signed))
        }
        return signed
    }

    /// Puts a text in the place of a dump that is not to be finished.
    func writeList(_ text: String, to draft: Draft) async throws(Problem) {
        try await thread.run { () throws(Problem) in
            let file = try BackupFile(draft.partial, O_WRONLY | O_TRUNC)
            try file.write(Array(text.utf8))
        }
    }

    /// Forgets a dump that did not come to its end.
    func discard(_ draft: Draft) async throws(Problem) {
        try await thread.run { () throws(Problem) in try Files.remove(draft.partial) }
    }

    /// Writes a manifest anew, signed: after a proof.
    @discardableResult
    func update(_ manifest: BackupManifest) async throws(Problem) -> BackupManifest {
        let signed = try signed(manifest)
        try await thread.run { () throws(Problem) in try replace(manifestPath(manifest.id), try json(signed)) }
        return signed
    }

    /// Removes a backup; one that is not there is removed already.
    public func remove(_ id: BackupID) async throws(Problem) {
        try await thread.run { () throws(Problem) in
            // The manifest first: what stays after a crash is a partial file.
            try Files.remove(manifestPath(id))
            if Files.isDirectory(path) { try Files.synchronizeDirectory(path) }
            try Files.remove(dump(id, .postgres))
            try Files.remove(dump(id, .sqlite))
            try Files.remove(schemaPath(id))
        }
    }

    // MARK: - Details

    private func signed(_ manifest: BackupManifest) throws(Problem) -> BackupManifest {
        do { return try manifest.signed(with: key) } catch { throw Self.unwritable(manifest.id) }
    }

    private func json(_ manifest: BackupManifest) throws(Problem) -> [UInt8] {
        do { return try manifest.json() } catch { throw Self.unwritable(manifest.id) }
    }

    private static func unwritable(_ id: BackupID) -> Problem {
        Problem("BackupFailed", "the manifest of the backup \(id) cannot be written as JSON", next: "report this as a bug of Belay")
    }

    /// Puts a file in the place of another, durably: whoever reads sees the one or the other.
    func replace(_ name: String, _ bytes: [UInt8]) throws(Problem) {
        let partial = name + Self.partial
        try Files.remove(partial)
        let file = try BackupFile(partial, O_WRONLY | O_CREAT | O_EXCL)
        guard try file.tryLock() else { throw Problem("BackupBusy", "another process writes \(partial)", next: "try again") }
        try file.write(bytes)
        try file.synchronize()
        try Files.rename(partial, to: name)
        try Files.synchronizeDirectory(path)
    }

    /// Partial files, and dumps without a manifest, that no process is at work on. Only names that this store makes.
    private func removeLeftovers() throws(Problem) {
        let names = try Files.names(in: path)
        let whole = Set(names.compactMap { $0.hasSuffix(".json") ? String($0.dropLast(5)) : nil })
        for name in names {
            guard let dot = name.firstIndex(of: "."), BackupID(String(name[..<dot])) != nil else { continue }
            let ending = name[name.index(after: dot)...]
            let isDump = ["dump", "sqlite", "schema"].contains(ending) && !whole.contains(String(name[..<dot]))
            let endings = ["dump", "sqlite", "schema", "json", "sql"].map { $0 + Self.partial }
            guard isDump || endings.contains(String(ending)) else { continue }
            let file = "\(path)/\(name)"
            // One that vanished since the names were read needs no removing.
            guard Files.exists(file) else { continue }
            // A schema without its dump: the lock is on the dump, which a living process is about to name.
            if ending == "schema", names.contains(where: { $0.hasPrefix("\(name[..<dot]).") && $0.hasSuffix(Self.partial) }) { continue }
            if try BackupFile(file, O_RDONLY).tryLock() { try Files.remove(file) }
        }
    }
}
