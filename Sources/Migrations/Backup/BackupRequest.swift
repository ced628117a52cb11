public import Model

/// For whom a backup is taken, and what is recorded with it.
public struct BackupRequest: Sendable {
    /// For the manifest: `prod/podcast-analytics`.
    public var system: String
    /// The database's name in the spec.
    public var database: String
    /// Of the pass or command: in the manifest and in the sessions' application name.
    public var run: String
    /// The migrations that are applied, in order.
    public var applied: [String]
    /// The migration that is about to run; nil for a backup that somebody asked for.
    public var beforeVersion: String?
    /// The restore that is about to be done; nil for every other backup.
    var beforeRestore: BackupID?

    public init(system: String, database: String, run: String, applied: [String] = [], beforeVersion: String? = nil) {
        self.system = system
        self.database = database
        self.run = run
        self.applied = applied
        self.beforeVersion = beforeVersion
    }
}

/// What backups need of the machine, so that a test can say otherwise.
public struct BackupMachine: Sendable {
    public var now: @Sendable () -> Timestamp
    /// What may still be written to the file system that holds a path; nil where it cannot be told.
    public var freeBytes: @Sendable (_ path: String) -> Int?

    public init(
        now: @escaping @Sendable () -> Timestamp = BackupMachine.systemTime,
        freeBytes: @escaping @Sendable (_ path: String) -> Int? = BackupMachine.fileSystem
    ) {
        self.now = now
        self.freeBytes = freeBytes
    }

    /// Refuses to begin what would probably not fit: half as much again as what is saved has to be free (contract migrations.md §3.8).
    func requireRoom(for bytes: Int, in path: String) throws(Problem) {
        var existing = path
        while !Files.exists(existing), existing != "/", existing != "." { existing = Files.directory(of: existing) }
        guard let free = freeBytes(existing) else { return }
        let (half, needed) = (bytes / 2, bytes.addingReportingOverflow(bytes / 2))
        guard !needed.overflow, free >= bytes + half else {
            throw Problem(
                "NoSpace",
                "\(path) has \(ByteCount(free)) free, and saving \(ByteCount(bytes)) of tables and indexes needs half as much again",
                next: "make room there, or keep backups in another directory; nothing was changed")
        }
    }

    public static let systemTime: @Sendable () -> Timestamp = { .systemNow }
    public static let fileSystem: @Sendable (String) -> Int? = { Files.freeBytes($0) }
}

/// A number of bytes for people: `512 bytes`, `3.4 MiB`.
public struct ByteCount: Sendable, CustomStringConvertible {
    var count: Int

    public init(_ count: Int) { self.count = count }

    public var description: String {
        var value = count * 10
        var unit = 0
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
        while value >= 10_240, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) bytes" : "\(value / 10).\(value % 10) \(units[unit])"
    }
}
