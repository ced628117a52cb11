/// One statement of a script, as its author wrote it.
public struct Statement: Sendable, Hashable {
    /// Without the semicolon, and without blanks and comments around it.
    public var text: String
    /// Where it begins in the script, in UTF-8 bytes.
    public var offset: Int
    /// Both counted from 1; the column in characters.
    public var line: Int
    public var column: Int

    public init(text: String, offset: Int, line: Int, column: Int) {
        self.text = text
        self.offset = offset
        self.line = line
        self.column = column
    }
}

/// Whose SQL a script is.
public enum SQLDialect: String, Sendable, Hashable, Codable, CaseIterable {
    case postgres, sqlite
}

/// A script that its dialect's parser does not accept.
public struct ParseError: Error, Sendable, Hashable {
    public var message: String
    /// Both counted from 1, within the script.
    public var line: Int
    public var column: Int

    public init(_ message: String, line: Int, column: Int) {
        self.message = message
        self.line = line
        self.column = column
    }
}
