internal import FoundationEssentials
public import Model
public import ProviderKit
internal import SQL
internal import Synchronization

/// Moves schemas of PostgreSQL and SQLite through the files and tables of the tools that people already use.
///
/// From the first migration of a pass until ``end(_:)`` the driver holds a session with the database, and what it read of it. The lease is
/// prolonged during each migration, and between two of them by ``keep(_:)``. Where it ran out all the same it is prolonged, unless somebody
/// else has taken it: that ends the pass with `LeaseLost`, because what was read may not be so any more.
public final class MigrationsDriver: SchemaDriver {
    /// Reads where a database is.
    let address: @Sendable (Configuration.Source, _ database: String) async -> Result<Secret, Problem>
    let history: (@Sendable (Database) async -> (any MigrationHistory)?)?
    let facts = FactsCache()
    private let moves = Mutex<[MoveKey: HeldSchema]>([:])

    /// - Parameters:
    ///   - history: where down scripts are looked for that neither the source nor the database has any more.
    ///   - address: reads the value that a spec refers to.
    public init(
        history: (@Sendable (Database) async -> (any MigrationHistory)?)? = nil,
        address: @escaping @Sendable (Configuration.Source, _ database: String) async -> Result<Secret, Problem>
    ) {
        self.address = address
        self.history = history
    }

    // MARK: - Looking

    public func observe(_ database: Database, _ request: SchemaRequest) async -> DatabaseObservation {
        let found = await withConnection(to: database, .reading) { connection -> DatabaseObservation in
            switch await self.reading(of: database, on: connection, request) {
            case .failure(let problem): return .unknown(problem)
            case .success(let reading):
                do throws(SQLError) {
                    var observation = try await reading.observation(
                        on: connection, engine: await Self.engine(connection), readsAll: request.readsAll)
                    await self.addLastBackup(to: &observation, database, request)
                    await self.addRestore(to: &observation, reading, request)
                    return observation
                } catch {
                    return .unknown(Problem(database, error))
                }
            }
        }
        switch found {
        case .success(let observation): return observation
        case .failure(let problem): return .unknown(problem)
        }
    }

    public func confirm(_ changes: [MigrationChange], of database: Database, _ request: SchemaRequest) async -> Problem? {
        let found = await withConnection(to: database, .writing) { connection -> Problem? in
            switch await self.reading(of: database, on: connection, request) {
            case .failure(let problem): return problem
            case .success(let reading):
                let scripts = changes.filter { $0.restoredBackup == nil }
                return await Preflight(reading, connection, direct: self.direct(database)).problem(with: scripts)
            }
        }
        if let problem = found.problem { return problem }
        for change in changes {
            if let id = change.restoredBackup, let problem = await proof(of: id, database, request) { return problem }
        }
        return nil
    }

    public func check(_ checks: [DataCheck], of database: Database) async -> Problem? {
        await withConnection(to: database, .reading) { connection -> Problem? in
            do throws(SQLError) {
                guard let problem = try await DataChecks.run(checks, on: connection) else { return nil }
                return Problem(problem.reason, "\(database.id): \(problem.message)", next: problem.next)
            } catch {
                return Problem(database, error)
            }
        }.problem
    }

    // MARK: - Moving

    public func migrate(
        _ change: MigrationChange, of database: Database, _ request: SchemaRequest, progress: @escaping @Sendable (String) -> Void
    ) async -> MigrationEnd {
        // Once begun it is carried through: what a cancelled statement left would have to be found out again.
        let work = Task { () -> MigrationEnd in
            if let id = change.restoredBackup { return await self.restore(id, change, of: database, request, progress) }
            switch await self.move(of: database, request) {
            case .failure(let problem): return .failed(problem)
            case .success(let move):
                let end = await move.run(change, request, progress: progress)
                if case .done = end { return end }
                // What is then so is read anew.
                await self.end(MoveKey(database, request))
                return end
            }
        }
        return await work.value
    }

    public func adopt(_ database: Database, _ request: SchemaRequest) async -> Problem? {
        switch await move(of: database, request) {
        case .failure(let problem): return problem
        case .success(let move):
            guard let problem = await move.adopt(request) else { return nil }
            await end(MoveKey(database, request))
            return problem
        }
    }

    public func keep(_ request: SchemaRequest) async {
        while !Task.isCancelled {
            do { try await ContinuousClock().sleep(for: Self.keeping) } catch { return }
            for (key, held) in moves.withLock({ Array($0) }) where key.run == request.run { await held.keep() }
        }
    }

    /// Often enough for a lease that lasts half a minute.
    private static let keeping = Duration.seconds(5)

    public func end(_ request: SchemaRequest) async {
        for key in moves.withLock({ Array($0.keys) }) where key.run == request.run { await end(key) }
    }

    /// Says what is to become of a migration that was interrupted and of which nobody can tell how it stands. The next pass goes on from there.
    /// Returns what stands in the way; nil when it is written down.
    public func resolve(
        _ version: String, _ resolution: Resolution, of database: Database, _ request: SchemaRequest
    ) async -> Problem? {
        let problem: Problem?
        switch await move(of: database, request) {
        case .failure(let found): problem = found
        case .success(let move): problem = await move.resolve(version, resolution)
        }
        await end(MoveKey(database, request))
        return problem
    }

    public func backUp(
        _ database: Database, _ request: SchemaRequest, progress: @escaping @Sendable (String) -> Void
    ) async -> Result<String, Problem> {
        await withConnection(to: database, .writing) { connection -> Result<String, Problem> in
            var backup = ScopedBackup(database, version: "", request)
            if case .success(let reading) = await self.reading(of: database, on: connection, request) {
                backup.applied = reading.set.applied.map(\.entry.stem)
            }
            return await backup.saveAll(from: connection, progress: progress).map(\.description)
        }.flatMap(\.self)
    }

    // MARK: - Private

    private func addLastBackup(to observation: inout DatabaseObservation, _ database: Database, _ request: SchemaRequest) async {
        do throws(Problem) {
            let store = BackupStore(directory: request.backups, system: request.system, key: request.key)
            observation.summary.lastBackup = try await store.lastBackup(system: request.system, database: database.name)
            observation.summary.lastDrill = try await store.lastDrill(database.name)?.summary
        } catch {
            observation.notes.append("the backups could not be looked at: \(error.message)")
        }
    }

    struct MoveKey: Hashable {
        var database: String
        var run: String

        init(_ database: Database, _ request: SchemaRequest) {
            self.database = "\(request.system)/\(database.name)"
            run = request.run
        }
    }

    func end(_ key: MoveKey) async {
        await moves.withLock { $0.removeValue(forKey: key) }?.close()
    }

    /// What holds the database in this pass; begun when it is first needed.
    private func move(of database: Database, _ request: SchemaRequest) async -> Result<HeldSchema, Problem> {
        let key = MoveKey(database, request)
        if let open = moves.withLock({ $0[key] }) { return .success(open) }
        let found = await withConnection(to: database, .writing) { connection in
            await self.reading(of: database, on: connection, request)
        }
        switch found.flatMap(\.self) {
        case .failure(let problem): return .failure(problem)
        case .success(let reading):
            let connect = connecting(to: database)
            switch await HeldSchema.begin(reading, request, connect: connect) {
            case .failure(let problem): return .failure(problem)
            case .success(let move):
                moves.withLock { $0[key] = move }
                return .success(move)
            }
        }
    }

    func recovered(_ reading: SchemaReading) async -> SchemaReading {
        guard let history = await history?(reading.database) else { return reading }
        return await reading.recovering(from: history)
    }
}

// MARK: - Connections

extension MigrationsDriver {
    enum Purpose { case reading, writing }

    func withConnection<Value: Sendable>(
        to database: Database, _ purpose: Purpose, run work: (any SQLConnection) async -> Value
    ) async -> Result<Value, Problem> {
        do throws(SQLError) {
            let connection = try await connect(to: database, purpose)
            let value = await work(connection)
            await connection.close()
            return .success(value)
        } catch {
            return .failure(Problem(database, error))
        }
    }

    /// The address past a pooler, where there is one, is taken for everything but looking.
    private func connect(to database: Database, _ purpose: Purpose) async throws(SQLError) -> any SQLConnection {
        switch database.connection {
        case .sqlite(let path):
            // Where there is no file yet, there is an empty database to look at; the first migration makes the file.
            if purpose == .reading || !FileManager.default.fileExists(atPath: path) {
                guard FileManager.default.fileExists(atPath: path) else { return try await SQLiteConnection(":memory:", mode: .create) }
                return try await SQLiteConnection(path, mode: .readOnly)
            }
            return try await SQLiteConnection(path, mode: .create)
        case .postgres(let url, let direct):
            return try await PostgresConnection(addressed(purpose == .writing ? direct ?? url : url, database))
        }
    }

    private func addressed(_ source: Configuration.Source, _ database: Database) async throws(SQLError) -> PostgresAddress {
        switch await address(source, database.name) {
        case .failure(let problem): throw SQLError(.misconfigured, problem.message, hint: problem.next)
        case .success(let secret): return try PostgresAddress(secret.reveal())
        }
    }

    /// For sessions: with `isDirect` only past a pooler, which throws `misconfigured` where nothing says how.
    private func connecting(to database: Database) -> @Sendable (_ isDirect: Bool) async throws(SQLError) -> any SQLConnection {
        { isDirect throws(SQLError) in
            switch database.connection {
            case .sqlite(let path): return try await SQLiteConnection(path, mode: .create)
            case .postgres(let url, let direct):
                guard !isDirect || direct != nil else { throw SQLError(.misconfigured, "there is no directUrl") }
                return try await PostgresConnection(self.addressed(direct ?? url, database))
            }
        }
    }

    private func direct(_ database: Database) -> Bool {
        guard case .postgres(_, .some) = database.connection else { return false }
        return true
    }

    private static func engine(_ connection: any SQLConnection) async -> String {
        guard let postgres = connection as? PostgresConnection else { return "sqlite \(SQLiteConnection.version)" }
        let version = await postgres.serverVersion
        return "postgres \(version / 10000).\(version % 10000)"
    }
}

extension Result where Success == Problem?, Failure == Problem {
    /// What stands in the way, whichever way it was found.
    fileprivate var problem: Problem? {
        switch self {
        case .success(let problem): problem
        case .failure(let problem): problem
        }
    }
}
