public import SQL

/// A statement with its parameters, to be run by whoever holds the connection.
public struct SQLRun: Sendable, Hashable {
    public var sql: String
    public var parameters: [SQLValue]

    public init(_ sql: String, _ parameters: [SQLValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}
