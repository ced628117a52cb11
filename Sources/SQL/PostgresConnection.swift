internal import CPostgres

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// A session with a PostgreSQL server, or with a pooler in front of one.
///
/// Statements with parameters are unnamed, so that they run through a pooler in transaction mode as well.
public actor PostgresConnection: SQLConnection {
    public nonisolated let engine = SQLEngine.postgres
    public nonisolated let address: PostgresAddress

    private let thread: ConnectionThread
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private var connected: Handle?
    private var handle: OpaquePointer? { connected?.pointer }
    private var pooled: Bool?
    private let notices: NoticeBox

    /// Connects.
    /// - Parameters:
    ///   - applicationName: what the server lists the session as; at most 63 bytes count.
    ///   - deadline: for the whole of name look-up, handshake and login.
    public init(_ address: PostgresAddress, applicationName: String = "belay", deadline: Duration = .seconds(10)) async throws(SQLError) {
        self.address = address
        thread = ConnectionThread("postgres")
        notices = NoticeBox()
        let cancellation = Cancellation()
        let thread = thread
        let notices = notices
        let result: Result<Handle, SQLError> = await withTaskCancellationHandler {
            await Connector(thread).run { () throws(SQLError) in
                try Self.connect(address, applicationName, deadline, notices, cancellation)
            }
        } onCancel: {
            cancellation.request()
        }
        connected = try result.get()
    }

    deinit { if let connected { PQfinish(connected.pointer) } }

    // MARK: - Facts

    public var transaction: SQLTransactionState {
        guard let handle else { return .unknown }
        return switch PQtransactionStatus(handle) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_INTRANS, PQTRANS_ACTIVE: .inTransaction
        case PQTRANS_INERROR: .failed
        default: .unknown
        }
    }

    /// The process that libpq was told stands behind the session; a pooler makes the number up.
    public var backendID: Int { handle.map { Int(PQbackendPID($0)) } ?? 0 }

    /// `150020` for 15.20.
    public var serverVersion: Int { handle.map { Int(PQserverVersion($0)) } ?? 0 }

    /// True if a pooler stands between: then a session is not the server's own (contract migrations.md §3.6). Asked once.
    public func isThroughPooler() async throws(SQLError) -> Bool {
        if let pooled { return pooled }
        let answer = try await query("SELECT pg_catalog.pg_backend_pid()", []).scalar.flatMap { Int($0) }
        let isPooled = answer != backendID
        pooled = isPooled
        return isPooled
    }

    /// What the server said beside its answers since the last call, at most the last 50.
    public func takeNotices() -> [String] { notices.take() }

    // MARK: - Statements

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
        if let handle { PQfinish(handle) }
        connected = nil
    }

    private nonisolated func cancellable(
        _ work: @Sendable (PostgresConnection, Cancellation) async throws(SQLError) -> SQLRows
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
        guard let handle else { throw SQLError(.lost, "\(address): the connection is closed") }
        guard !sql.utf8.contains(0) else { throw SQLError(.statement, "\(address): the statement holds a zero byte", sqlState: "22021") }
        let isSent: Bool
        if isScript {
            isSent = PQsendQuery(handle, sql) == 1
        } else {
            isSent = try Self.send(sql, parameters, handle, address)
        }
        guard isSent else { throw failure(handle, lost: true) }
        return try collect(handle, cancellation)
    }

    private static func send(
        _ sql: String, _ parameters: [SQLValue], _ handle: OpaquePointer, _ address: PostgresAddress
    ) throws(SQLError) -> Bool {
        let texts = parameters.map(\.postgresText)
        guard !texts.contains(where: { $0?.utf8.contains(0) ?? false }) else {
            throw SQLError(.statement, "\(address): a parameter holds a zero byte", sqlState: "22021")
        }
        var copies = texts.map { text in text.flatMap { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        return copies.withUnsafeMutableBufferPointer { buffer in
            buffer.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                PQsendQueryParams(handle, sql, Int32(texts.count), nil, values.baseAddress, nil, nil, 0) == 1
            }
        }
    }

    /// Reads everything that the server answers: the rows of the last statement, or the first error.
    private func collect(_ handle: OpaquePointer, _ cancellation: Cancellation) throws(SQLError) -> SQLRows {
        var rows = SQLRows()
        var error: SQLError?
        var isCancelling = false
        while true {
            while PQflush(handle) == 1 || PQisBusy(handle) == 1 {
                if cancellation.isRequested, !isCancelling {
                    isCancelling = true
                    Self.cancel(handle)
                }
                var place = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
                if PQflush(handle) == 1 { place.events |= Int16(POLLOUT) }
                _ = poll(&place, 1, 100)
                guard place.revents == 0 || PQconsumeInput(handle) == 1 else { throw failure(handle, lost: true) }
            }
            guard let result = PQgetResult(handle) else { break }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK: rows = Self.rows(result)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                if rows.rows.isEmpty { rows.affected = Self.affected(result) }
            case PGRES_COPY_IN:
                PQputCopyEnd(handle, "COPY is not supported here")
                error = error ?? SQLError(.statement, "\(address): COPY FROM STDIN needs psql; write INSERT statements", sqlState: "0A000")
            case PGRES_COPY_OUT, PGRES_COPY_BOTH:
                var buffer: UnsafeMutablePointer<CChar>?
                while PQgetCopyData(handle, &buffer, 0) > 0 { PQfreemem(buffer) }
                error = error ?? SQLError(.statement, "\(address): COPY TO STDOUT has no place here", sqlState: "0A000")
            default:
                error = error ?? Self.error(of: result, address)
            }
        }
        if PQstatus(handle) == CONNECTION_BAD { throw error.map { lost($0.message) } ?? failure(handle, lost: true) }
        if let error {
            throw isCancelling && error.sqlState == "57014" ? SQLError(.cancelled, "\(address): the statement was cancelled") : error
        }
        if isCancelling { throw SQLError(.cancelled, "\(address): the statement was cancelled as it ended") }
        return rows
    }

    private func lost(_ message: String) -> SQLError { SQLError(.lost, message) }

    private func failure(_ handle: OpaquePointer, lost: Bool) -> SQLError {
        SQLError(lost ? .lost : .unreachable, "\(address): \(Self.message(PQerrorMessage(handle)))")
    }
}

extension PostgresConnection {
    private static func cancel(_ handle: OpaquePointer) {
        guard let cancel = PQgetCancel(handle) else { return }
        var message = [CChar](repeating: 0, count: 256)
        // What could not be cancelled ends by itself; the caller still waits for that.
        _ = PQcancel(cancel, &message, Int32(message.count))
        PQfreeCancel(cancel)
    }

    private static func rows(_ result: OpaquePointer) -> SQLRows {
        let (width, height) = (PQnfields(result), PQntuples(result))
        var rows: [[String?]] = []
        rows.reserveCapacity(Int(height))
        for row in 0..<height {
            rows.append(
                (0..<width).map { column in
                    guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column) else { return nil }
                    let bytes = UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column)))
                    return String(decoding: bytes, as: UTF8.self)
                })
        }
        let columns = (0..<width).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        return SQLRows(columns: columns, rows: rows, affected: affected(result))
    }

    private static func affected(_ result: OpaquePointer) -> Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }

    private static func error(of result: OpaquePointer, _ address: PostgresAddress) -> SQLError {
        // The field codes of https://www.postgresql.org/docs/current/protocol-error-fields.html
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        let message = field("M") ?? Self.message(PQresultErrorMessage(result))
        return SQLError(
            .statement, "\(address): \(message)", sqlState: field("C"), detail: field("D"), hint: field("H"),
            position: field("P").flatMap { Int($0) })
    }

    private static func message(_ text: UnsafePointer<CChar>?) -> String {
        let text = text.map { String(cString: $0) } ?? ""
        let lines = text.split(separator: "\n").map { line in String(line.drop { $0 == " " || $0 == "\t" }) }
        return lines.isEmpty ? "the connection was closed" : lines.joined(separator: "; ")
    }

    /// The handle while it is carried from one context to another; used by one of them at a time.
    private struct Handle: @unchecked Sendable {
        var pointer: OpaquePointer
    }

    private actor Connector {
        private let thread: ConnectionThread
        nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
        init(_ thread: ConnectionThread) { self.thread = thread }

        func run(_ work: @Sendable () throws(SQLError) -> Handle) -> Result<Handle, SQLError> {
            do throws(SQLError) { return .success(try work()) } catch { return .failure(error) }
        }
    }

    private static func connect(
        _ address: PostgresAddress, _ applicationName: String, _ deadline: Duration, _ notices: NoticeBox, _ cancellation: Cancellation
    ) throws(SQLError) -> Handle {
        let parameters = address.parameters(applicationName: applicationName)
        var keywords = parameters.map { strdup($0.0) } + [nil]
        var values = parameters.map { strdup($0.1) } + [nil]
        defer { for text in keywords + values { free(text) } }
        let started = keywords.withUnsafeMutableBufferPointer { keywords in
            keywords.withMemoryRebound(to: UnsafePointer<CChar>?.self) { keywords in
                values.withUnsafeMutableBufferPointer { values in
                    values.withMemoryRebound(to: UnsafePointer<CChar>?.self) {
                        PQconnectStartParams(keywords.baseAddress, $0.baseAddress, 0)
                    }
                }
            }
        }
        guard let handle = started else { throw SQLError(.unreachable, "\(address): no memory for a connection") }
        let clock = ContinuousClock()
        let end = clock.now + deadline
        var state = PGRES_POLLING_WRITING
        while PQstatus(handle) != CONNECTION_BAD, state != PGRES_POLLING_OK, state != PGRES_POLLING_FAILED {
            guard clock.now < end, !cancellation.isRequested else {
                PQfinish(handle)
                throw cancellation.isRequested
                    ? SQLError(.cancelled, "\(address): connecting was cancelled")
                    : SQLError(.unreachable, "\(address): no connection within \(deadline.components.seconds) s")
            }
            var place = pollfd(
                fd: PQsocket(handle), events: Int16(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), revents: 0)
            if poll(&place, 1, 100) > 0 { state = PQconnectPoll(handle) }
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let message = message(PQerrorMessage(handle))
            PQfinish(handle)
            // libpq tells a refused login only in words.
            let isRefused = ["authentication failed", "does not exist", "no password supplied", "not permitted", "pg_hba.conf"]
                .contains { message.contains($0) }
            throw SQLError(isRefused ? .refusedLogin : .unreachable, "\(address): \(message)")
        }
        PQsetnonblocking(handle, 1)
        PQsetNoticeProcessor(
            handle,
            { box, text in
                guard let box, let text else { return }
                Unmanaged<NoticeBox>.fromOpaque(box).takeUnretainedValue().add(String(cString: text))
            }, Unmanaged.passUnretained(notices).toOpaque())
        return Handle(pointer: handle)
    }
}

extension SQLValue {
    /// As PostgreSQL reads it in a parameter of any type.
    var postgresText: String? {
        switch self {
        case .null: nil
        case .text(let text): text
        case .integer(let number): String(number)
        case .bool(let value): value ? "t" : "f"
        case .bytes(let bytes): bytes.hexadecimal
        }
    }
}

extension [UInt8] {
    /// `\x` and two digits a byte.
    var hexadecimal: String {
        let digits = [UInt8]("0123456789abcdef".utf8)
        var text: [UInt8] = [UInt8]("\\x".utf8)
        text.reserveCapacity(2 + count * 2)
        for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
