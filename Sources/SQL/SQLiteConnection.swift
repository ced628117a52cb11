internal import CSQLite

/// A session with a SQLite file.
public actor SQLiteConnection: SQLConnection {
    public enum Mode: Sendable {
        case readOnly, readWrite, create
    }

    public nonisolated let engine = SQLEngine.sqlite
    public nonisolated let path: String

    private let thread: ConnectionThread
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    private var opened: Handle?

    /// Opens the file.
    /// - Parameters:
    ///   - busy: how long a statement waits for somebody else's lock.
    ///   - foreignKeys: whether references are enforced, which SQLite leaves off by itself.
    public init(
        _ path: String, mode: Mode = .readWrite, busy: Duration = .seconds(5), foreignKeys: Bool = true
    ) async throws(SQLError) {
        self.path = path
        thread = ConnectionThread("sqlite")
        try open(mode, busy, foreignKeys)
    }

    deinit { if let opened { sqlite3_close_v2(opened.pointer) } }

    /// The library's version: `3.40.1`.
    public static var version: String { String(cString: sqlite3_libversion()) }

    public var transaction: SQLTransactionState {
        guard let handle = opened?.pointer else { return .unknown }
        return sqlite3_get_autocommit(handle) != 0 ? .idle : .inTransaction
    }

    public func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows {
        try await cancellable { connection, cancellation throws(SQLError) in
            try await connection.run(sql, parameters, isScript: false, cancellation)
        }
    }

    public func execute(_ script: String) async throws(SQLError) {
        _ = try await cancellable { connection, cancellation throws(SQLError) in
            try await connection.run(script, [], isScript: true, cancellation)
        }
    }

    public func close() {
        if let opened { sqlite3_close_v2(opened.pointer) }
        opened = nil
    }

    /// Copies the database as it is now into another file, which it overwrites, in steps between which others may write.
    public func backup(to path: String) async throws(SQLError) {
        let target = try await SQLiteConnection(path, mode: .create, foreignKeys: false)
        do throws(SQLError) {
            try await target.copy(from: self)
        } catch {
            await target.close()
            throw error
        }
        await target.close()
    }

    // MARK: - Private

    private func open(_ mode: Mode, _ busy: Duration, _ foreignKeys: Bool) throws(SQLError) {
        let flags =
            switch mode {
            case .readOnly: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        var pointer: OpaquePointer?
        let code = sqlite3_open_v2(path, &pointer, flags | SQLITE_OPEN_FULLMUTEX, nil)
        guard code == SQLITE_OK, let pointer else {
            let message = pointer.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
            sqlite3_close_v2(pointer)
            throw SQLError(.unreachable, "\(path): \(message)", sqlState: Self.name(of: code))
        }
        opened = Handle(pointer: pointer)
        sqlite3_extended_result_codes(pointer, 1)
        sqlite3_busy_timeout(pointer, Int32(clamping: busy.components.seconds * 1000 + busy.components.attoseconds / 1_000_000_000_000_000))
        sqlite3_exec(pointer, "PRAGMA foreign_keys=\(foreignKeys ? "ON" : "OFF")", nil, nil, nil)
    }

    private func copy(from source: SQLiteConnection) async throws(SQLError) {
        guard let own = opened, let theirs = await source.opened else { throw SQLError(.lost, "\(path): the connection is closed") }
        guard let backup = sqlite3_backup_init(own.pointer, "main", theirs.pointer, "main") else { throw failure(own) }
        var code = SQLITE_OK
        while code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED {
            if Task.isCancelled {
                sqlite3_backup_finish(backup)
                throw SQLError(.cancelled, "\(path): the copy was cancelled")
            }
            code = sqlite3_backup_step(backup, 256)
            if code != SQLITE_OK, code != SQLITE_DONE { sqlite3_sleep(20) }
        }
        sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE else { throw failure(own) }
    }

    /// `sqlite3_interrupt` may be called from any thread while the connection is open.
    private nonisolated func cancellable(
        _ work: @Sendable (SQLiteConnection, Cancellation) async throws(SQLError) -> SQLRows
    ) async throws(SQLError) -> SQLRows {
        let cancellation = Cancellation()
        let result: Result<SQLRows, SQLError> = await withTaskCancellationHandler {
            do throws(SQLError) { return .success(try await work(self, cancellation)) } catch { return .failure(error) }
        } onCancel: {
            cancellation.request()
        }
        return try result.get()
    }

    private func run(_ sql: String, _ parameters: [SQLValue], isScript: Bool, _ cancellation: Cancellation) throws(SQLError) -> SQLRows {
        guard let opened else { throw SQLError(.lost, "\(path): the connection is closed") }
        // Asked every thousand steps of SQLite's machine; it lives as long as this call.
        let context = Unmanaged.passUnretained(cancellation).toOpaque()
        sqlite3_progress_handler(
            opened.pointer, 1000,
            { context in context.map { Unmanaged<Cancellation>.fromOpaque($0).takeUnretainedValue().isRequested } == true ? 1 : 0 },
            context)
        defer { sqlite3_progress_handler(opened.pointer, 0, nil, nil) }
        var bytes = Array(sql.utf8CString)
        let result: Result<SQLRows, SQLError> = bytes.withUnsafeMutableBufferPointer { buffer in
            guard var tail = UnsafePointer(buffer.baseAddress) else { return .success(SQLRows()) }
            let start = tail
            var rows = SQLRows()
            var isFirst = true
            while tail.pointee != 0, isFirst || isScript {
                var statement: OpaquePointer?
                var next: UnsafePointer<CChar>?
                guard sqlite3_prepare_v2(opened.pointer, tail, -1, &statement, &next) == SQLITE_OK else {
                    return .failure(failure(opened, at: tail - start, in: sql))
                }
                defer { sqlite3_finalize(statement) }
                let place = tail - start
                tail = next ?? tail + 1
                guard let statement else { continue }
                isFirst = false
                do throws(SQLError) {
                    rows = try step(Handle(pointer: statement), parameters, opened, cancellation)
                } catch {
                    var told = error
                    told.position = told.position ?? Self.characters(before: place, in: sql)
                    return .failure(told)
                }
            }
            return .success(rows)
        }
        return try result.get()
    }

    private func step(
        _ prepared: Handle, _ parameters: [SQLValue], _ opened: Handle, _ cancellation: Cancellation
    ) throws(SQLError) -> SQLRows {
        let (statement, handle) = (prepared.pointer, opened.pointer)
        for (index, parameter) in parameters.enumerated() { bind(parameter, Int32(index + 1), statement) }
        let width = sqlite3_column_count(statement)
        var rows = SQLRows(columns: (0..<width).map { sqlite3_column_name(statement, $0).map { String(cString: $0) } ?? "" })
        let before = sqlite3_total_changes(handle)
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: rows.rows.append((0..<width).map { Self.text(statement, $0) })
            case SQLITE_DONE:
                rows.affected = Int(sqlite3_total_changes(handle) - before)
                return rows
            case SQLITE_INTERRUPT where cancellation.isRequested:
                throw SQLError(.cancelled, "\(path): the statement was cancelled")
            default: throw failure(opened)
            }
        }
    }

    private func bind(_ value: SQLValue, _ index: Int32, _ statement: OpaquePointer) {
        switch value {
        case .null: sqlite3_bind_null(statement, index)
        case .text(let text): sqlite_bind_text_copy(statement, index, text, Int32(text.utf8.count))
        case .integer(let number): sqlite3_bind_int64(statement, index, number)
        case .bool(let value): sqlite3_bind_int64(statement, index, value ? 1 : 0)
        case .bytes(let bytes): _ = bytes.withUnsafeBytes { sqlite_bind_blob_copy(statement, index, $0.baseAddress, Int32(bytes.count)) }
        }
    }

    private func failure(_ opened: Handle) -> SQLError {
        let handle = opened.pointer
        let code = sqlite3_extended_errcode(handle)
        let offset = sqlite3_error_offset(handle)
        return SQLError(
            .statement, "\(path): \(String(cString: sqlite3_errmsg(handle)))", sqlState: Self.name(of: code),
            position: offset >= 0 ? Int(offset) + 1 : nil)
    }

    private func failure(_ opened: Handle, at place: Int, in sql: String) -> SQLError {
        var error = failure(opened)
        error.position = Self.characters(before: place + (error.position ?? 1) - 1, in: sql)
        return error
    }

    private static func characters(before bytes: Int, in text: String) -> Int {
        String(decoding: text.utf8.prefix(max(0, bytes)), as: UTF8.self).unicodeScalars.count + 1
    }

    private static func text(_ statement: OpaquePointer, _ column: Int32) -> String? {
        let count = Int(sqlite3_column_bytes(statement, column))
        switch sqlite3_column_type(statement, column) {
        case SQLITE_NULL: return nil
        case SQLITE_BLOB:
            guard let bytes = sqlite3_column_blob(statement, column) else { return "\\x" }
            return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count)).hexadecimal
        default:
            guard let text = sqlite3_column_text(statement, column) else { return nil }
            let length = Int(sqlite3_column_bytes(statement, column))
            return String(decoding: UnsafeBufferPointer(start: text, count: length), as: UTF8.self)
        }
    }

    private static func name(of code: Int32) -> String {
        let names: [Int32: String] = [
            SQLITE_ERROR: "SQLITE_ERROR", SQLITE_BUSY: "SQLITE_BUSY", SQLITE_LOCKED: "SQLITE_LOCKED", SQLITE_READONLY: "SQLITE_READONLY",
            SQLITE_IOERR: "SQLITE_IOERR", SQLITE_CORRUPT: "SQLITE_CORRUPT", SQLITE_FULL: "SQLITE_FULL", SQLITE_CANTOPEN: "SQLITE_CANTOPEN",
            SQLITE_CONSTRAINT: "SQLITE_CONSTRAINT", SQLITE_NOTADB: "SQLITE_NOTADB", SQLITE_INTERRUPT: "SQLITE_INTERRUPT",
            SQLITE_MISMATCH: "SQLITE_MISMATCH", SQLITE_SCHEMA: "SQLITE_SCHEMA",
        ]
        return names[code & 0xFF] ?? "SQLITE_\(code)"
    }

    /// SQLite is built for several threads here, and opened in its serialized mode: https://www.sqlite.org/threadsafe.html
    private struct Handle: @unchecked Sendable {
        var pointer: OpaquePointer
    }
}
