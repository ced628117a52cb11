/// Which database engine stands behind a connection.
public enum SQLEngine: String, Sendable, Hashable, CaseIterable {
    case postgres, sqlite
}

/// One session with a database. Every call runs on a thread of its own, one after the other; nothing blocks the caller's threads.
///
/// Cancelling the task that awaits a call asks the server to cancel the statement and then throws ``SQLError/Code/cancelled``. A task that is
/// cancelled already runs nothing but a bare `ROLLBACK`.
public protocol SQLConnection: AnyObject, Sendable {
    var engine: SQLEngine { get }

    /// Runs one statement with parameters (`$1` on PostgreSQL, `?1` on SQLite) and returns its rows.
    func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows

    /// Runs a script as one simple query: on PostgreSQL several statements are one implicit transaction unless they say otherwise. On SQLite
    /// they run one after the other until one fails. Rows are discarded.
    func execute(_ script: String) async throws(SQLError)

    /// Where the session stands as far as the client knows; sends nothing.
    var transaction: SQLTransactionState { get async }

    /// Ends the session; an open transaction is rolled back. May be called twice.
    func close() async
}

extension SQLConnection {
    public func query(_ sql: String) async throws(SQLError) -> SQLRows { try await query(sql, []) }
}

public enum SQLTransactionState: Sendable, Hashable {
    case idle, inTransaction
    /// Only a rollback is accepted.
    case failed
    /// The connection is gone.
    case unknown
}

/// A value of a parameter.
public enum SQLValue: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByNilLiteral,
    ExpressibleByBooleanLiteral
{
    case null
    case text(String)
    case integer(Int64)
    case bool(Bool)
    case bytes([UInt8])

    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Null where there is no text.
    public static func optional(_ text: String?) -> SQLValue { text.map(SQLValue.text) ?? .null }
}

/// The rows that a statement returned, every value as the engine writes it as text: `t` and `f` for Booleans on PostgreSQL, `1` and `0` on
/// SQLite; bytes as `\x` and hexadecimal digits on both.
public struct SQLRows: Sendable, Hashable {
    public var columns: [String]
    public var rows: [[String?]]
    /// Rows that were inserted, updated or deleted.
    public var affected: Int

    public init(columns: [String] = [], rows: [[String?]] = [], affected: Int = 0) {
        self.columns = columns
        self.rows = rows
        self.affected = affected
    }

    /// The first column of the first row; nil when there is none, or when it is null.
    public var scalar: String? { rows.first?.first ?? nil }
}
