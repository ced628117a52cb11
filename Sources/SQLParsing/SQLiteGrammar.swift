import CSQLite
import SQL

/// SQLite's own parser, asked without any schema: an empty database in memory, in which nothing is ever run but the making of a table that a
/// statement speaks of.
///
/// Only what SQLite calls a syntax error counts. That a table, a column or a function is not there says nothing about the script. Behind such
/// a finding SQLite reads no further, so that a mistake further on in the same statement may stay unseen.
final class SQLiteGrammar {
    private let database: OpaquePointer

    /// Nil where SQLite has no memory for it: then nothing is found.
    init?() {
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

    /// What SQLite cannot read, and where in the script, in bytes; nil when it can read everything.
    func mistake(in statement: StatementTokens) -> (message: String, offset: Int)? {
        guard let first = statement.tokens.first, let last = statement.tokens.last else { return nil }
        // Without its table, SQLite would not read the rest of these.
        let table = Self.table(of: statement).map { SQLIdentifier.quoted($0) }
        if let table { sqlite3_exec(database, "CREATE TABLE \(table)(x)", nil, nil, nil) }
        defer { if let table { sqlite3_exec(database, "DROP TABLE \(table)", nil, nil, nil) } }
        let (start, end) = (first.range.lowerBound, last.range.upperBound)
        return statement.script.bytes.withUnsafeBytes { bytes in
            guard let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
            var prepared: OpaquePointer?
            defer { sqlite3_finalize(prepared) }
            guard sqlite3_prepare_v2(database, text + start, Int32(clamping: end - start), &prepared, nil) != SQLITE_OK else { return nil }
            let message = String(cString: sqlite3_errmsg(database))
            guard message.hasSuffix(": syntax error") || message.hasPrefix("unrecognized token") || message == "incomplete input" else {
                return nil
            }
            let offset = Int(sqlite3_error_offset(database))
            // What is not complete lacks something at its end.
            return (message, message == "incomplete input" ? end : offset >= 0 ? start + offset : start)
        }
    }

    /// Of `ALTER TABLE` and `CREATE TRIGGER`.
    private static func table(of statement: StatementTokens) -> String? {
        var reader = SQLiteReading(statement)
        if statement.begins(with: "ALTER", "TABLE") {
            reader.next(count: 2)
        } else if statement[0] == "CREATE", [statement[1], statement[2]].contains("TRIGGER") {
            while !reader.isAtEnd, !["ON", "BEGIN"].contains(reader.word) { reader.next() }
            guard reader.take("ON") else { return nil }
        } else {
            return nil
        }
        var name = reader.bareName()
        if reader.take(".") { name = reader.bareName() }
        return reader.isAtEnd || name.isEmpty ? nil : name
    }
}
