internal import CSQLite

/// SQLite's side of a ``SQLiteConnection``: its calls block the thread that they are made on, and give up when the task is cancelled.
final class SQLiteSession {
    let path: String
    let handle: OpaquePointer
    let busy: Duration
    private let patience: SQLitePatience

    static var version: String { String(cString: sqlite3_libversion()) }

    init(_ path: String, _ mode: SQLiteConnection.Mode, busy: Duration) throws(SQLError) {
        guard !path.utf8.contains(0) else { throw SQLError(.misconfigured, "the path of a database holds a zero byte") }
        let flags =
            switch mode {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        var pointer: OpaquePointer?
        let code = sqlite3_open_v2(path, &pointer, flags | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE, nil)
        guard code == SQLITE_OK, let pointer else {
            let message = pointer.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
            sqlite3_close_v2(pointer)
            throw SQLError(.unreachable, "\(path): \(message)", sqlState: SQLiteResultCode.name(of: code))
        }
        self.path = path
        self.busy = busy
        handle = pointer
        patience = SQLitePatience(busy)
        patience.watch(handle)
    }

    deinit { sqlite3_close_v2(handle) }

    var transaction: SQLTransactionState { sqlite3_get_autocommit(handle) != 0 ? .idle : .inTransaction }

    /// Runs one statement.
    func query(_ sql: String, _ parameters: [SQLValue]) throws(SQLError) -> SQLRows {
        try check(sql, heedsCancellation: !isRollback(sql))
        guard let (statement, length) = try prepare(sql, from: 0) else { return SQLRows() }
        defer { sqlite3_finalize(statement) }
        if let (second, _) = try prepare(sql, from: length) {
            sqlite3_finalize(second)
            throw SQLError(.statement, "\(path): a query is one statement; this text holds several", sqlState: "SQLITE_ERROR")
        }
        let expected = Int(sqlite3_bind_parameter_count(statement))
        guard expected == parameters.count else {
            throw SQLError(
                .statement, "\(path): the statement has \(expected) parameters, and \(parameters.count) were given",
                sqlState: "SQLITE_RANGE")
        }
        for (index, parameter) in parameters.enumerated() { try bind(parameter, Int32(index + 1), statement) }
        return try step(statement)
    }

    /// Runs the statements of a script until one fails; the place of that one is the error's, unless SQLite knows a better one.
    func run(_ script: String, heedsCancellation: Bool = true) throws(SQLError) {
        try check(script, heedsCancellation: heedsCancellation)
        let count = script.utf8.count
        var place = 0
        while place < count {
            guard let (statement, end) = try prepare(script, from: place) else { return }
            defer { sqlite3_finalize(statement) }
            do throws(SQLError) {
                _ = try step(statement)
            } catch {
                var told = error
                told.position = Self.characters(before: Self.start(of: script, from: place), in: script)
                throw told
            }
            place = end
        }
    }

    func failure() -> SQLError {
        let code = sqlite3_extended_errcode(handle)
        let kind: SQLError.Code =
            switch code & 0xFF {
            case SQLITE_INTERRUPT: .cancelled
            case SQLITE_BUSY where patience.wasCancelled: .cancelled
            case SQLITE_NOTADB, SQLITE_CANTOPEN: .misconfigured
            default: .statement
            }
        let message = kind == .cancelled ? "the statement was cancelled" : String(cString: sqlite3_errmsg(handle))
        return SQLError(kind, "\(path): \(message)", sqlState: SQLiteResultCode.name(of: code))
    }

    // MARK: - Private

    private func check(_ sql: String, heedsCancellation: Bool) throws(SQLError) {
        patience.begin(heedsCancellation: heedsCancellation)
        if heedsCancellation, Task.isCancelled { throw SQLError(.cancelled, "\(path): cancelled before the statement began") }
        guard !sql.utf8.contains(0) else {
            throw SQLError(.statement, "\(path): the statement holds a zero byte", sqlState: "SQLITE_ERROR")
        }
    }

    /// The next statement and where in the text it ends; nil if there is none. All offsets are in bytes.
    private func prepare(_ sql: String, from place: Int) throws(SQLError) -> (OpaquePointer, Int)? {
        var sql = sql
        var statement: OpaquePointer?
        var place = place
        let code = sql.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else { return SQLITE_OK }
                // A comment, or a lone semicolon, is a statement of which nothing is left.
                while statement == nil, place < text.count {
                    var tail: UnsafePointer<CChar>?
                    let code = sqlite3_prepare_v2(handle, start + place, Int32(clamping: text.count - place), &statement, &tail)
                    guard code == SQLITE_OK else { return code }
                    place = tail.map { $0 - start } ?? text.count
                }
                return SQLITE_OK
            }
        }
        guard code == SQLITE_OK else {
            let offset = sqlite3_error_offset(handle)
            var error = failure()
            error.position = Self.characters(before: offset >= 0 ? place + Int(offset) : Self.start(of: sql, from: place), in: sql)
            throw error
        }
        return statement.map { ($0, place) }
    }

    private func step(_ statement: OpaquePointer) throws(SQLError) -> SQLRows {
        let width = sqlite3_column_count(statement)
        var rows = SQLRows(columns: (0..<width).map { sqlite3_column_name(statement, $0).map { String(cString: $0) } ?? "" })
        let before = sqlite3_total_changes64(handle)
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: rows.rows.append((0..<width).map { Self.text(statement, $0) })
            case SQLITE_DONE:
                // What `sqlite3_changes64` says is left from an earlier statement unless this one changed something.
                rows.affected = sqlite3_total_changes64(handle) == before ? 0 : Int(sqlite3_changes64(handle))
                return rows
            default: throw failure()
            }
        }
    }

    private func bind(_ value: SQLValue, _ index: Int32, _ statement: OpaquePointer) throws(SQLError) {
        let code =
            switch value {
            case .null: sqlite3_bind_null(statement, index)
            case .text(let text): sqlite_bind_text_copy(statement, index, text, Int32(clamping: text.utf8.count))
            case .integer(let number): sqlite3_bind_int64(statement, index, number)
            case .bool(let value): sqlite3_bind_int64(statement, index, value ? 1 : 0)
            case .bytes(let bytes) where bytes.isEmpty: sqlite3_bind_zeroblob(statement, index, 0)
            case .bytes(let bytes):
                bytes.withUnsafeBytes { sqlite_bind_blob_copy(statement, index, $0.baseAddress, Int32(clamping: bytes.count)) }
            }
        guard code == SQLITE_OK else { throw failure() }
    }

    private static func text(_ statement: OpaquePointer, _ column: Int32) -> String? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL: return nil
        case SQLITE_BLOB:
            guard let bytes = sqlite3_column_blob(statement, column) else { return "\\x" }
            return [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(statement, column)))).hexadecimal
        default:
            guard let text = sqlite3_column_text(statement, column) else { return nil }
            return String(decoding: UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(statement, column))), as: UTF8.self)
        }
    }

    /// Where the first word or comment is.
    private static func start(of text: String, from place: Int) -> Int {
        place + text.utf8.dropFirst(place).prefix { $0 <= 0x20 }.count
    }

    /// Counted from 1.
    private static func characters(before bytes: Int, in text: String) -> Int {
        String(decoding: text.utf8.prefix(bytes), as: UTF8.self).unicodeScalars.count + 1
    }
}
