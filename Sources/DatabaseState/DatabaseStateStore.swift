internal import FoundationEssentials
public import Model
internal import SQL
public import State

/// The state of one system in a database, so that all who can reach that share it: laptop, CI and pod.
///
/// The journal has the same lines as the one of a directory, a row each. Whoever writes holds a lease that only the database's own clock
/// measures: a killed holder keeps others out until it has ended. Nothing is made by reading; where no table is, nothing is remembered.
/// Works through a pooler in transaction mode.
public struct DatabaseStateStore: StateStore {
    var database: StateDatabase
    private let tables: StateTables
    private let lease: Duration

    /// Touches nothing yet.
    /// - Parameters:
    ///   - lease: how long a lock lives without renewal.
    ///   - address: reads the address of a PostgreSQL database, whenever a connection is made.
    public init(
        _ system: SystemID, in database: Database, lease: Duration = .seconds(30),
        address: @escaping @Sendable (Configuration.Source) async -> Result<Secret, Problem>
    ) {
        self.database = StateDatabase(database, address: address)
        tables = StateTables(self.database.engine, system)
        self.lease = lease
    }

    public func load() async throws(StateError) -> RecordedState { RecordedState(replaying: try await history()) }

    public func history() async throws(StateError) -> [JournalRecord] { try records(of: try await read(tables.lines)) }

    public func hashKey(making: Bool) async throws(StateError) -> [UInt8]? {
        if let row = try await read(tables.readKey)?.rows.first { return try key(row.first ?? nil) }
        guard making else { return nil }
        let bytes = (0..<4).flatMap { _ in withUnsafeBytes(of: UInt64.random(in: .min ... .max)) { Array($0) } }
        let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        try await write("cannot take its key") { connection throws(SQLError) in
            try await connection.ensure(tables)
            _ = try await connection.ask(tables.makeKey(digits))
        }
        // Somebody else may have been first.
        return try key(try await read(tables.readKey)?.scalar)
    }

    public func holder() async throws(StateError) -> LockHolder? {
        guard let row = try await read(tables.holding)?.rows.first, let holding = Holding(row), holding.left > .zero else { return nil }
        return holding.person
    }

    public func lock(
        _ holder: LockHolder, patience: Duration, clock: any Clock<Duration>
    ) async throws(StateError) -> any StateSession {
        let id = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
        let text: String
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            text = String(decoding: try encoder.encode(holder), as: UTF8.self)
        } catch {
            throw StateError(.failed, "the holder of the lock cannot be written as JSON: \(error)")
        }
        // Somebody who writes a SQLite file is waited for in short turns while the lease is watched, and for long when it is had.
        let connection = StateConnection(database, busy: lease / 15)
        do throws(StateError) {
            let epoch = try await LeaseTaking(database: database.id, tables: tables, lease: lease, connection: connection)
                .take(id, holder: text, patience: patience, Stopwatch(clock))
            let rows = try await asking("cannot be read") { () throws(SQLError) in try await connection.ask(tables.lines) }
            return DatabaseSession(
                database, tables, id: id, epoch: epoch, lease: lease, records: try records(of: rows),
                connection: database.engine == .sqlite ? StateConnection(database, busy: lease) : connection, clock: clock)
        } catch {
            await giveUp(id, connection)
            throw error
        }
    }

    // MARK: - Private

    /// What was taken and cannot be used is given back; what cannot be given back ends by itself.
    private func giveUp(_ id: String, _ connection: StateConnection) async {
        let release = tables.release(id)
        await Task {
            do throws(SQLError) { _ = try await connection.ask(release) } catch {}  // Not taken, or out of reach.
            await connection.close()
        }.value
    }

    /// Answers a question that changes nothing, on a connection of its own; nil where the table is not there.
    private func read(_ question: Question) async throws(StateError) -> SQLRows? {
        try await asking("cannot be read") { () throws(SQLError) in
            guard let connection = try await database.connect(making: false, busy: .seconds(5)) else { return nil }
            let answer: Result<SQLRows?, SQLError>
            do throws(SQLError) {
                answer = .success(try await connection.query(question.sql, question.parameters))
            } catch {
                answer = error.meansNoTable ? .success(nil) : .failure(error)
            }
            await connection.close()
            return try answer.get()
        }
    }

    private func write(_ what: String, _ work: (StateConnection) async throws(SQLError) -> Void) async throws(StateError) {
        let connection = StateConnection(database)
        let done: Result<Void, StateError>
        do throws(SQLError) {
            done = .success(try await work(connection))
        } catch {
            done = .failure(StateError(error, what, in: database.id))
        }
        await connection.close()
        try done.get()
    }

    private func asking<Value: Sendable>(_ what: String, _ work: () async throws(SQLError) -> Value) async throws(StateError) -> Value {
        do throws(SQLError) { return try await work() } catch { throw StateError(error, what, in: database.id) }
    }

    private func records(of rows: SQLRows?) throws(StateError) -> [JournalRecord] {
        try JournalRecord.records(
            of: (rows?.rows ?? []).map { ($0.first ?? nil) ?? "" }, in: "\(tables.journal) in \(database.id), system \(tables.system)",
            mending: "restore the rows from a backup, or delete those of this system and begin anew from the world as it is with --adopt")
    }

    private func key(_ text: String?) throws(StateError) -> [UInt8] {
        let digits = (text ?? "").utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 64, text?.utf8.count == 64 else {
            throw StateError(
                .failed, "\(tables.key) in \(database.id), system \(tables.system) is not a key of 64 hexadecimal digits",
                next: "restore it from a backup; or delete the row, then configuration values are compared anew")
        }
        return stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

extension Holding {
    /// Who holds it, as the row says; nil for a text of another Belay.
    var person: LockHolder? { try? JSONDecoder().decode(LockHolder.self, from: Data(holder.utf8)) }  // Told as somebody then.
}
