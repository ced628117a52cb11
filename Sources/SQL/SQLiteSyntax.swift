internal import CSQLite

/// SQLite's own parser, asked without any schema: an empty database in memory, in which nothing is ever run but the making of a table that a
/// statement speaks of. For one task at a time.
///
/// Only what SQLite calls a syntax error counts. That a table, a column or a function is not there says nothing about the script. Behind such
/// a finding SQLite reads no further, so that a mistake further on in the same statement may stay unseen.
public final class SQLiteSyntax {
    private let database: OpaquePointer

    /// Nil where SQLite has no memory for it.
    public init?() {
        var pointer: OpaquePointer?
        guard sqlite3_open_v2(":memory:", &pointer, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK, let pointer else {
            sqlite3_close_v2(pointer)
            return nil
        }
        database = pointer
        // Whoever asks may have a small stack; deeper expressions are not looked at.
        sqlite3_limit(pointer, SQLITE_LIMIT_EXPR_DEPTH, 200)
        // Some pragmas act on the whole process, and already while they are prepared.
        sqlite3_set_authorizer(pointer, { _, action, _, _, _, _ in action == SQLITE_PRAGMA ? SQLITE_DENY : SQLITE_OK }, nil)
    }

    deinit { sqlite3_close_v2(database) }

    /// What SQLite cannot read, and where in `script`, in bytes; nil when it can read everything.
    ///
    /// - Parameters:
    ///   - range: one statement of the script.
    ///   - table: there while the statement is read: without it SQLite would not read the rest of some.
    public func mistake(
        in range: Range<Int>, of script: [UInt8], with table: String? = nil
    ) -> (message: String, offset: Int)? {
        let made = table.map { SQLIdentifier.quoted($0) }
        if let made { sqlite3_exec(database, "CREATE TABLE \(made)(x)", nil, nil, nil) }
        defer { if let made { sqlite3_exec(database, "DROP TABLE \(made)", nil, nil, nil) } }
        return script.withUnsafeBytes { bytes in
            guard let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
            var prepared: OpaquePointer?
            defer { sqlite3_finalize(prepared) }
            let code = sqlite3_prepare_v2(database, text + range.lowerBound, Int32(clamping: range.count), &prepared, nil)
            guard code != SQLITE_OK else { return nil }
            let message = String(cString: sqlite3_errmsg(database))
            guard message.hasSuffix(": syntax error") || message.hasPrefix("unrecognized token") || message == "incomplete input" else {
                return nil
            }
            let offset = Int(sqlite3_error_offset(database))
            // What is not complete lacks something at its end.
            return (message, message == "incomplete input" ? range.upperBound : range.lowerBound + max(offset, 0))
        }
    }
}
