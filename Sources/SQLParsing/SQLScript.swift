/// What can be told of a script without running it. Everything here is pure: no database is asked, and nothing is kept between calls.
///
/// Scripts of PostgreSQL are read by its own parser (version 15), those of SQLite by their tokens, after SQLite itself had a look at what is
/// no SQL at all. The time is linear in the length of the
/// script. Scripts of 10 MB are read; none makes the stack overflow, however deeply it is nested.
public enum SQLScript {
    /// The statements of a script, in order. A script without any is an empty list, also if it has comments.
    ///
    /// Commands of a client are refused, because no server understands them: `\i` of psql, `.read` of sqlite3, and `COPY … FROM STDIN`.
    public static func statements(_ text: String, dialect: SQLDialect) throws(ParseError) -> [Statement] {
        try parsed(text, dialect: dialect).statements
    }

    static func parsed(_ text: String, dialect: SQLDialect) throws(ParseError) -> ParsedScript {
        switch dialect {
        case .postgres: try ParsedScript(postgres: ScriptBytes(text))
        case .sqlite: try ParsedScript(sqlite: ScriptBytes(text))
        }
    }
}
