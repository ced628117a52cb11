/// Why a database did not do what it was asked to. Holds no password and no parameter.
public struct SQLError: Error, Sendable, Hashable {
    public enum Code: Sendable, Hashable {
        /// No connection could be made.
        case unreachable
        /// The server refused the login, or the database does not exist.
        case refusedLogin
        /// The statement failed; ``sqlState`` says why.
        case statement
        /// The connection broke while a statement was under way: whether it took effect is not known.
        case lost
        case cancelled
        /// The address or a file is not usable.
        case misconfigured
    }

    public var code: Code
    /// `main at db.example.com:5432: relation "t" does not exist`.
    public var message: String
    /// PostgreSQL's SQLSTATE; for SQLite the extended result's name: `SQLITE_BUSY`.
    public var sqlState: String?
    public var detail: String?
    public var hint: String?
    /// Where in the statement, counted from 1 in characters.
    public var position: Int?
    /// Statements of a script that had ended well before the one that failed; nil where that was not counted.
    public var completed: Int?

    public init(
        _ code: Code, _ message: String, sqlState: String? = nil, detail: String? = nil, hint: String? = nil, position: Int? = nil,
        completed: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.detail = detail
        self.hint = hint
        self.position = position
        self.completed = completed
    }
}

extension SQLError: CustomStringConvertible {
    public var description: String {
        ([message] + [detail, hint].compactMap(\.self)).joined(separator: "; ") + (sqlState.map { " (\($0))" } ?? "")
    }
}
