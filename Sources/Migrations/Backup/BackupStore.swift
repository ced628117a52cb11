internal import FoundationEssentials
public import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A directory of backups: for each a dump, `ID.dump` or `ID.sqlite`, and a manifest, `ID.json`. Both are for their owner alone.
///
/// A manifest is written last, so that a dump without one is a partial file: the next use removes it, unless a living process is still at
/// work on it. Files with other names are left alone. Several processes may use one directory.
public struct BackupStore: Sendable {
    /// What the directory holds under one id.
    public enum Entry: Sendable, Hashable {
        case backup(BackupManifest)
        /// It cannot be used, and why.
        case damaged(BackupID, Problem)

        public var id: BackupID {
            switch self {
            case .backup(let manifest): manifest.id
            case .damaged(let id, _): id
            }
        }
    }

    public let path: String
    let key: [UInt8]
    let thread = FileThread()

    /// - Parameters:
    ///   - path: made when the first backup is taken.
    ///   - key: what manifests are signed with.
    public init(path: String, key: [UInt8]) {
        self.path = path
        self.key = key
    }

    /// The store of one system in a directory that several may share.
    public init(directory: String, system: SystemID, key: [UInt8]) {
        self.init(path: "\(directory)/\(Self.folder(of: system))", key: key)
    }

    /// `namespace.name`, with everything percent-encoded that could lead elsewhere.
    private static func folder(of system: SystemID) -> String {
        "\(encoded(system.namespace)).\(encoded(system.name))"
    }

    static func encoded(_ name: String) -> String {
        name.utf8.map { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: String(UnicodeScalar(byte))
            default: "%" + String(paddedTo: 2, UInt64(byte))
            }
        }.joined()
    }

    static let manifestLimit = 64 << 20
    static let partial = ".partial"

    public func dump(_ manifest: BackupManifest) -> String { dump(manifest.id, manifest.engine) }
    func dump(_ id: BackupID, _ engine: BackupManifest.Engine) -> String { "\(path)/\(id).\(engine == .postgres ? "dump" : "sqlite")" }
    func manifestPath(_ id: BackupID) -> String { "\(path)/\(id).json" }
    func schemaPath(_ id: BackupID) -> String { "\(path)/\(id).schema" }

    // MARK: - Reading

    /// Every backup, newest first. Reads manifests only; ``verify(_:)`` reads the dumps.
    public func list() async throws(Problem) -> [Entry] {
        try await thread.run { () throws(Problem) in
            try ids().map(look)
        }
    }

    /// Newest first.
    private func ids() throws(Problem) -> [BackupID] {
        guard Files.isDirectory(path) else { return [] }
        return try Files.names(in: path).compactMap { name in
            name.hasSuffix(".json") ? BackupID(String(name.dropLast(5))) : nil
        }.sorted(by: >)
    }

    /// The newest backup of a database that can be used, for `status`; nil where there is none. Reads as few manifests as possible.
    public func lastBackup(system: SystemID, database: String) async throws(Problem) -> DatabaseObservation.Summary.Backup? {
        let newest = try await newest { $0.system == system.description && $0.database == database && $0.beforeRestore == nil }
        return newest.map {
            .init(id: $0.id.description, kind: $0.kind.rawValue, taken: $0.taken, proved: $0.isProved ? $0.verifiedAt : nil)
        }
    }

    /// The newest whole backup that is as wanted.
    func newest(_ isWanted: @Sendable (BackupManifest) -> Bool) async throws(Problem) -> BackupManifest? {
        try await thread.run { () throws(Problem) in
            for id in try ids() {
                if case .backup(let manifest) = look(at: id), isWanted(manifest) { return manifest }
            }
            return nil
        }
    }

    /// The manifest of one backup. It is signed with the store's key, and its dump is there with the length that it had.
    public func manifest(_ id: BackupID) async throws(Problem) -> BackupManifest {
        let entry = try await thread.run { () throws(Problem) in
            guard Files.exists(manifestPath(id)) else {
                throw Problem("BackupNotFound", "there is no backup \(id) in \(path)", next: "see reconcile backup list for those that are")
            }
            return look(at: id)
        }
        switch entry {
        case .backup(let manifest): return manifest
        case .damaged(_, let problem): throw problem
        }
    }

    private func look(at id: BackupID) -> Entry {
        do throws(Problem) {
            return .backup(try read(id))
        } catch {
            return .damaged(id, error)
        }
    }

    private func read(_ id: BackupID) throws(Problem) -> BackupManifest {
        func damaged(_ message: String, next: String = "take a new backup; this one proves nothing") -> Problem {
            Problem("BackupDamaged", "the backup \(id) in \(path) \(message)", next: next)
        }
        let bytes = try BackupFile(manifestPath(id), O_RDONLY).contents(limit: Self.manifestLimit)
        let manifest: BackupManifest
        do { manifest = try BackupManifest(json: bytes) } catch { throw damaged("has a manifest that cannot be read") }
        guard manifest.layout == BackupManifest.layout else {
            throw damaged("was made by another version of Belay", next: "restore it with that version")
        }
        guard manifest.id == id else { throw damaged("has the manifest of \(manifest.id)") }
        let isSigned: Bool
        do { isSigned = try manifest.isSigned(with: key) } catch { throw damaged("has a manifest that cannot be written as JSON") }
        guard isSigned else {
            throw damaged(
                "is not signed with this system's key: its manifest was changed, or it belongs to another state store",
                next: "if you know where it comes from, restore it by the path of its dump")
        }
        guard let size = Files.size(dump(manifest)) else { throw damaged("has lost its dump") }
        guard size == manifest.bytes else { throw damaged("has a dump of \(size) bytes that was saved with \(manifest.bytes)") }
        return manifest
    }

    /// Reads the whole dump and compares it with what was written.
    public func verify(_ manifest: BackupManifest) async throws(Problem) {
        let digest = try await thread.run { () throws(Problem) in try BackupFile(dump(manifest), O_RDONLY).digest() }
        guard digest.sha256 == manifest.sha256, digest.bytes == manifest.bytes else {
            throw Problem(
                "BackupDamaged", "the dump of the backup \(manifest.id) in \(path) is not the one that was written: its SHA-256 differs",
                next: "restore another one, and check the disk that holds it")
        }
    }

    /// The lines of the schema that was saved; nil where they were not kept.
    func schemaLines(_ id: BackupID) async throws(Problem) -> [String]? {
        try await thread.run { () throws(Problem) in
            guard Files.exists(schemaPath(id)) else { return nil }
            let bytes = try BackupFile(schemaPath(id), O_RDONLY).contents(limit: Self.manifestLimit)
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
    }
}
