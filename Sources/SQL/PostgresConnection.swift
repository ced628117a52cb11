/// A session with a PostgreSQL server, or with a pooler in front of one.
///
/// Statements with parameters are unnamed, so that they run through a pooler in transaction mode as well. A task that is cancelled before its
/// statement is sent sends nothing, except for a bare `ROLLBACK`: whoever cleans up after a cancellation can.
public actor PostgresConnection: SQLConnection {
    public nonisolated let engine = SQLEngine.postgres
    public nonisolated let address: PostgresAddress

    private let thread: ConnectionThread
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private var session: PostgresSession?
    private var pooled: Bool?

    /// Connects.
    /// - Parameters:
    ///   - applicationName: what the server lists the session as; at most 63 bytes count.
    ///   - deadline: for handshake and login; how long names are looked up is up to the machine's resolver.
    public init(_ address: PostgresAddress, applicationName: String = "belay", deadline: Duration = .seconds(10)) async throws(SQLError) {
        self.address = address
        thread = ConnectionThread("postgres")
        try connect(applicationName, deadline)
    }

    private func connect(_ applicationName: String, _ deadline: Duration) throws(SQLError) {
        session = try PostgresSession(address, applicationName: applicationName, within: deadline)
    }

    // MARK: - Facts

    public var transaction: SQLTransactionState { session?.transaction ?? .unknown }

    /// The process that libpq was told stands behind the session; a pooler makes the number up.
    public var backendID: Int { session?.backendID ?? 0 }

    /// `150020` for 15.20.
    public var serverVersion: Int { session?.serverVersion ?? 0 }

    /// True if a pooler stands between: then a session is not the server's own (contract migrations.md §3.6). Asked once.
    public func isThroughPooler() async throws(SQLError) -> Bool {
        if let pooled { return pooled }
        let answer = try await query("SELECT pg_catalog.pg_backend_pid()", []).scalar.flatMap { Int($0) }
        let isPooled = answer != backendID
        pooled = isPooled
        return isPooled
    }

    /// True if the server is a standby, which takes no writes.
    public func isInRecovery() async throws(SQLError) -> Bool {
        try await query("SELECT pg_catalog.pg_is_in_recovery()", []).scalar == "t"
    }

    /// What the server said beside its answers since the last call, at most the last 50.
    public func takeNotices() -> [String] { session?.notices.take() ?? [] }

    /// Changes what the server lists the session as.
    ///
    /// Does nothing through a pooler, where the setting would stay behind for the next client.
    public func setApplicationName(_ name: String) async throws(SQLError) {
        guard try await !isThroughPooler() else { return }
        _ = try await query("SELECT pg_catalog.set_config('application_name', $1, false)", [.text(name)])
    }

    // MARK: - Statements

    public func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows {
        try open().query(sql, parameters, within: nil)
    }

    public func execute(_ script: String) async throws(SQLError) { try open().execute(script, within: nil) }

    /// Runs a script as one simple query and returns the rows of each of its statements that ended well, with the error of the first that did
    /// not: the rest was not run then. One round trip.
    public func answers(to script: String) async throws(SQLError) -> (rows: [SQLRows], error: SQLError?) {
        try open().answers(to: script)
    }

    /// Runs one statement, and cancels it if it takes longer than allowed: then ``SQLError/Code/cancelled`` is thrown.
    public func query(_ sql: String, _ parameters: [SQLValue] = [], within limit: Duration) async throws(SQLError) -> SQLRows {
        try open().query(sql, parameters, within: limit)
    }

    /// Runs a script, and cancels it if it takes longer than allowed: then ``SQLError/Code/cancelled`` is thrown.
    public func execute(_ script: String, within limit: Duration) async throws(SQLError) { try open().execute(script, within: limit) }

    public func close() { session = nil }

    private func open() throws(SQLError) -> PostgresSession {
        guard let session else { throw SQLError(.lost, "\(address): the connection is closed") }
        return session
    }
}
