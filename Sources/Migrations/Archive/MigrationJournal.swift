public import Model
public import SQL

/// One line of the database's own history of migrations. Lines are added and never changed.
public struct MigrationJournalEntry: Sendable, Hashable {
    public enum Event: String, Sendable, Hashable, CaseIterable {
        /// A script that cannot run in one transaction begins; its statements follow one by one.
        case intent
        /// An interrupted script is to be taken back: its opposite follows, each statement only where the catalogue shows that it is needed.
        case undo
        /// A statement outside of a transaction is about to be sent.
        case begun
        /// A statement took effect.
        case statement
        /// Nothing tells whether a statement took effect.
        case stuck
        /// Somebody said: it did not take effect, run it.
        case retry
        case applied, reverted
        /// Nothing of it is left, or what is left is in the lines before.
        case failed
    }

    public var id: Int
    public var run: String?
    public var epoch: Int?
    public var version: String
    public var isUp: Bool
    public var event: Event
    /// Of the statement, from 0; nil: the script as a whole.
    public var index: Int?
    /// SHA-256 of the statement, or of all of them for ``Event/intent``; hexadecimal.
    public var hash: String?
    public var transaction: String?
    public var sqlState: String?
    public var message: String?
    public var at: Timestamp?
    public var actor: String?
    public var commit: String?

    public init(
        id: Int = 0, run: String?, epoch: Int?, version: String, isUp: Bool, event: Event, index: Int? = nil, hash: String? = nil,
        transaction: String? = nil, sqlState: String? = nil, message: String? = nil, at: Timestamp? = nil, actor: String? = nil,
        commit: String? = nil
    ) {
        self.id = id
        self.run = run
        self.epoch = epoch
        self.version = version
        self.isUp = isUp
        self.event = event
        self.index = index
        self.hash = hash
        self.transaction = transaction
        self.sqlState = sqlState
        self.message = message
        self.at = at
        self.actor = actor
        self.commit = commit
    }
}

extension Archive {
    /// Adds a line, in the transaction of whoever runs it. Its id and its time are the database's, and on PostgreSQL its transaction where one
    /// has been given a number.
    public func append(_ entry: MigrationJournalEntry) -> SQLRun {
        let parameters: [SQLValue] = [
            .optional(entry.run), entry.epoch.map { .integer(Int64($0)) } ?? .null, .text(entry.version), .text(entry.isUp ? "up" : "down"),
            .text(entry.event.rawValue), entry.index.map { .integer(Int64($0)) } ?? .null, .optional(entry.sqlState),
            .optional(entry.message),
            .optional(entry.actor), .optional(entry.commit),
            engine == .postgres ? .optional(entry.hash) : entry.hash.flatMap { [UInt8](hexadecimal: $0) }.map(SQLValue.bytes) ?? .null,
        ]
        let hash = engine == .postgres ? "pg_catalog.decode($11::text, 'hex')" : "?11"
        let transaction = engine == .postgres ? "pg_catalog.txid_current()::text" : "NULL"
        let places = (1...10).map(placeholder).joined(separator: ", ")
        return SQLRun(
            """
            INSERT INTO \(tables.journal) \
            (run_id, epoch, version, direction, event, stmt_index, sqlstate, message, actor, git_commit, stmt_sha, xid) \
            VALUES (\(places), \(hash), \(transaction))
            """, parameters)
    }

    /// The lines of one migration, the oldest first; of all migrations where none is named. Empty where Belay never wrote.
    public func journal(of version: String? = nil, on connection: any SQLConnection) async throws(SQLError) -> [MigrationJournalEntry] {
        let hash = engine == .postgres ? "pg_catalog.encode(stmt_sha, 'hex')" : "lower(hex(stmt_sha))"
        let time = engine == .postgres ? Self.time("at") : "at"
        let filter = version == nil ? "" : " WHERE version = \(placeholder(1))"
        let answer: SQLRows
        do throws(SQLError) {
            answer = try await connection.query(
                """
                SELECT id, run_id, epoch, version, direction, event, stmt_index, \(hash), xid, sqlstate, message, \(time), actor, git_commit \
                FROM \(tables.journal)\(filter) ORDER BY id
                """, version.map { [.text($0)] } ?? [])
        } catch {
            guard Self.meansNoTable(error) else { throw error }
            return []
        }
        return answer.rows.compactMap { row in
            // An event that a later Belay wrote concerns nothing that this one does.
            guard row.count == 14, let version = row[3], let event = row[5].flatMap(MigrationJournalEntry.Event.init) else { return nil }
            return MigrationJournalEntry(
                id: row[0].flatMap { Int($0) } ?? 0, run: row[1], epoch: row[2].flatMap { Int($0) }, version: version, isUp: row[4] == "up",
                event: event, index: row[6].flatMap { Int($0) }, hash: row[7].flatMap { $0.isEmpty ? nil : $0 }, transaction: row[8],
                sqlState: row[9], message: row[10], at: row[11].flatMap { Timestamp($0) }, actor: row[12], commit: row[13])
        }
    }
}
