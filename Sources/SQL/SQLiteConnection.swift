/// A session with a SQLite file.
///
/// A task that is cancelled before its statement begins runs nothing, except for a bare `ROLLBACK`: whoever cleans up after a cancellation
/// can. A statement that writes inside a transaction and is cancelled takes the whole transaction back.
public actor SQLiteConnection: SQLConnection {
    public enum Mode: Sendable {
        case readOnly, readWrite, create
    }

    public nonisolated let engine = SQLEngine.sqlite
    public nonisolated let path: String

    private let thread: ConnectionThread
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private var session: SQLiteSession?

    /// Opens the file.
    /// - Parameters:
    ///   - busy: how long a statement waits for somebody else's lock.
    ///   - foreignKeys: whether references are enforced, which SQLite leaves off by itself.
    public init(
        _ path: String, mode: Mode = .readWrite, busy: Duration = .seconds(5), foreignKeys: Bool = true
    ) async throws(SQLError) {
        self.path = path
        thread = ConnectionThread("sqlite")
        try open(mode, busy, foreignKeys)
    }

    private func open(_ mode: Mode, _ busy: Duration, _ foreignKeys: Bool) throws(SQLError) {
        var session = try SQLiteSession(path, mode, busy: busy)
        if mode == .readOnly {
            do throws(SQLError) { try Self.look(session) } catch {
                guard error.sqlState?.hasPrefix("SQLITE_READONLY") ?? false else { throw error }
                // What a killed writer left is rolled back by whoever reads next and may write: https://www.sqlite.org/lockingv3.html#hot_journals
                try Self.look(SQLiteSession(path, .readWrite, busy: busy))
                session = try SQLiteSession(path, mode, busy: busy)
            }
        }
        try session.run("PRAGMA foreign_keys=\(foreignKeys ? "ON" : "OFF")", heedsCancellation: false)
        self.session = session
    }

    private static func look(_ session: SQLiteSession) throws(SQLError) {
        _ = try session.query("SELECT 1 FROM sqlite_master LIMIT 1", [])
    }

    /// The library's version: `3.40.1`.
    public static var version: String { SQLiteSession.version }

    public var transaction: SQLTransactionState { session?.transaction ?? .unknown }

    public func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows {
        try current().query(sql, parameters)
    }

    public func execute(_ script: String) async throws(SQLError) { try current().run(script, heedsCancellation: !isRollback(script)) }

    public func close() { session = nil }

    /// Copies the database as it is now into another file, which it overwrites; nobody sees half of it there. Others may read and, if the
    /// database is in WAL mode, write meanwhile.
    ///
    /// Not possible while the session has written in a transaction that is still open.
    public func backup(to path: String) async throws(SQLError) { try current().backup(to: path) }

    private func current() throws(SQLError) -> SQLiteSession {
        guard let session else { throw SQLError(.lost, "\(path): the connection is closed") }
        return session
    }
}
