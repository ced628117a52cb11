internal import Model
internal import SQL

/// Which database holds the state of systems, and how it is reached.
struct StateDatabase: Sendable {
    /// For messages: `database/main`.
    let id: ResourceID
    let engine: SQLEngine
    private let connection: Database.Connection
    /// The seam for tests of answers that are lost.
    var decorate: (@Sendable (any SQLConnection) -> any SQLConnection)?
    private let address: @Sendable (Configuration.Source) async -> Result<Secret, Problem>

    init(_ database: Database, address: @escaping @Sendable (Configuration.Source) async -> Result<Secret, Problem>) {
        id = database.id
        connection = database.connection
        engine =
            switch database.connection {
            case .postgres: .postgres
            case .sqlite: .sqlite
            }
        self.address = address
    }

    /// Connects; nil where there is no file yet, unless one is to be made.
    /// - Parameter busy: how long a statement waits for somebody else who writes a SQLite file.
    func connect(making: Bool, busy: Duration) async throws(SQLError) -> (any SQLConnection)? {
        let session = try await open(making: making, busy: busy)
        return session.map { decorate?($0) ?? $0 }
    }

    private func open(making: Bool, busy: Duration) async throws(SQLError) -> (any SQLConnection)? {
        switch connection {
        case .sqlite(let path):
            if !making, !FileProbe.exists(path) { return nil }
            let session = try await SQLiteConnection(path, mode: making ? .create : .readOnly, busy: busy)
            // Returning means durable, also after a loss of power: https://www.sqlite.org/pragma.html#pragma_synchronous
            if making { try await session.execute("PRAGMA synchronous = EXTRA") }
            return session
        case .postgres(let url, _):
            switch await address(url) {
            case .success(let secret): return try await PostgresConnection(PostgresAddress(secret.reveal()), applicationName: "belay/state")
            case .failure(let problem):
                throw SQLError(.misconfigured, problem.message, hint: problem.next)
            }
        }
    }
}
