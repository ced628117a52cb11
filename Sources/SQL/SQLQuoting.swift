/// Names and texts for statements that take no parameters.
public enum SQLIdentifier {
    /// `"orders"`; a quotation mark in it is doubled. The same on both engines.
    public static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}

public enum SQLLiteral {
    /// `'it''s'`. On PostgreSQL, where a setting may give backslashes a meaning, a text that holds one becomes `E'…'`.
    public static func quoted(_ text: String, for engine: SQLEngine) -> String {
        var doubled = text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        guard engine == .postgres, doubled.contains("\\") else { return "'\(doubled)'" }
        doubled = doubled.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
        return " E'\(doubled)'"
    }

    /// Any value as it stands in a statement.
    public static func quoted(_ value: SQLValue, for engine: SQLEngine) -> String {
        switch value {
        case .null: "NULL"
        case .text(let text): quoted(text, for: engine)
        case .integer(let number): String(number)
        case .bool(let value): engine == .postgres ? (value ? "TRUE" : "FALSE") : (value ? "1" : "0")
        case .bytes(let bytes): engine == .postgres ? "'\(bytes.hexadecimal)'::bytea" : "x'\(bytes.hexadecimal.dropFirst(2))'"
        }
    }
}
