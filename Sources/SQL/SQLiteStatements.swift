internal import CSQLite

/// A statement of a SQLite script, and where it begins in UTF-8 bytes.
public struct SQLiteStatement: Sendable, Hashable {
    public var text: String
    public var offset: Int
}

/// The statements of a script, split as SQLite's own shell does: by `sqlite3_complete`, which needs no schema and knows triggers.
/// What stands behind the last semicolon is a statement too, unless it is blank.
///
/// Costs one look at the text for every semicolon of a statement.
public func sqliteStatements(of script: String) -> [SQLiteStatement] {
    let bytes = Array(script.utf8)
    var statements: [SQLiteStatement] = []
    var start = 0
    var end = 0
    while end < bytes.count {
        guard let semicolon = bytes[end...].firstIndex(of: UInt8(ascii: ";")) else { break }
        end = semicolon + 1
        let text = String(decoding: bytes[start..<end], as: UTF8.self)
        if sqlite3_complete(text) == 1 {
            statements.append(SQLiteStatement(text: text, offset: start))
            start = end
        }
    }
    let rest = bytes[start...]
    if rest.contains(where: { $0 > 0x20 }) {
        statements.append(SQLiteStatement(text: String(decoding: rest, as: UTF8.self), offset: start))
    }
    return statements
}
