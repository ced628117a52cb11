internal import CPostgres

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// libpq's side of a ``PostgresConnection``: its calls block the thread that they are made on, and give up when the task is cancelled.
final class PostgresSession {
    let address: PostgresAddress
    let handle: OpaquePointer
    let notices = NoticeBox()
    /// Nothing may be read any more: it could be the answer to an earlier statement.
    private var isGivenUp = false

    /// How long a server that was asked to cancel a statement may take to end it before it is given up.
    private static let grace = Duration.seconds(10)

    init(_ address: PostgresAddress, applicationName: String, within limit: Duration) throws(SQLError) {
        self.address = address
        handle = try Self.connect(address, applicationName: applicationName, within: limit)
        PQsetnonblocking(handle, 1)
        PQsetNoticeProcessor(
            handle,
            { box, text in
                guard let box, let text else { return }
                Unmanaged<NoticeBox>.fromOpaque(box).takeUnretainedValue().add(String(cString: text))
            }, Unmanaged.passUnretained(notices).toOpaque())
    }

    deinit { PQfinish(handle) }

    var transaction: SQLTransactionState {
        guard !isGivenUp else { return .unknown }
        return switch PQtransactionStatus(handle) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_INTRANS, PQTRANS_ACTIVE: .inTransaction
        case PQTRANS_INERROR: .failed
        default: .unknown
        }
    }

    var backendID: Int { Int(PQbackendPID(handle)) }
    var serverVersion: Int { Int(PQserverVersion(handle)) }

    func query(_ sql: String, _ parameters: [SQLValue], within limit: Duration?) throws(SQLError) -> SQLRows {
        let patience = try patience(for: sql, limit)
        let texts = parameters.map(\.postgresText)
        guard !texts.contains(where: { $0?.utf8.contains(0) ?? false }) else {
            throw SQLError(.statement, "\(address): a parameter holds a zero byte, which a text cannot", sqlState: "22021")
        }
        guard texts.count <= 65_535 else {
            throw SQLError(.statement, "\(address): \(texts.count) parameters; at most 65535 are possible", sqlState: "54000")
        }
        var copies = texts.map { text in text.flatMap { strdup($0) } }
        defer { for copy in copies { free(copy) } }
        let isSent = copies.withUnsafeMutableBufferPointer { buffer in
            buffer.withMemoryRebound(to: UnsafePointer<CChar>?.self) { values in
                PQsendQueryParams(handle, sql, Int32(texts.count), nil, values.baseAddress, nil, nil, 0) == 1
            }
        }
        guard isSent else { throw failure(.lost) }
        return try collect(patience).rowsOrError()
    }

    func answers(to script: String) throws(SQLError) -> (rows: [SQLRows], error: SQLError?) {
        let patience = try patience(for: script, nil)
        guard PQsendQuery(handle, script) == 1 else { throw failure(.lost) }
        let answer = try collect(patience, keepsAll: true)
        return (answer.rows, answer.error)
    }

    func execute(_ script: String, within limit: Duration?) throws(SQLError) {
        let patience = try patience(for: script, limit)
        guard PQsendQuery(handle, script) == 1 else { throw failure(.lost) }
        _ = try collect(patience).rowsOrError()
    }

    // MARK: - Waiting

    /// How long somebody waits for an answer.
    private struct Patience {
        var end: ContinuousClock.Instant?
        var heedsCancellation: Bool

        var isOver: Reason? {
            if heedsCancellation, Task.isCancelled { return .cancelled }
            return end.map { ContinuousClock().now >= $0 } == true ? .late : nil
        }
    }

    private func patience(for sql: String, _ limit: Duration?) throws(SQLError) -> Patience {
        guard !isGivenUp else { throw SQLError(.lost, "\(address): the session was given up") }
        guard !sql.utf8.contains(0) else { throw SQLError(.statement, "\(address): the statement holds a zero byte", sqlState: "22021") }
        let heedsCancellation = !isRollback(sql)
        if heedsCancellation, Task.isCancelled { throw SQLError(.cancelled, "\(address): cancelled before the statement was sent") }
        return Patience(end: limit.map { ContinuousClock().now + $0 }, heedsCancellation: heedsCancellation)
    }

    /// Why a statement was asked to end.
    private enum Reason {
        case cancelled
        case late
        case copyRefused
    }

    /// Sends what is not sent yet and reads everything that the server answers: rows, or the first error.
    private func collect(_ patience: Patience, keepsAll: Bool = false) throws(SQLError) -> PostgresAnswer {
        var answer = PostgresAnswer(address, keepsAll: keepsAll)
        var stop: (reason: Reason, request: PostgresCancel)?
        var end: ContinuousClock.Instant?
        while true {
            let isFlushing = PQflush(handle) == 1
            if !isFlushing, PQisBusy(handle) == 0 || PQstatus(handle) == CONNECTION_BAD {
                guard let result = PQgetResult(handle) else { break }
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_COPY_IN:
                    answer.refuse("COPY FROM STDIN needs psql; write INSERT statements")
                    PQputCopyEnd(handle, "COPY is not possible here")
                case PGRES_COPY_OUT:
                    answer.refuse("COPY TO STDOUT has no place here")
                    if stop == nil { (stop, end) = ((.copyRefused, PostgresCancel(handle)), ContinuousClock().now + Self.grace) }
                    while discardCopyData() { try wait(isFlushing: false, end) }
                default: answer.add(result)
                }
                continue
            }
            if stop == nil, let reason = patience.isOver {
                (stop, end) = ((reason, PostgresCancel(handle)), ContinuousClock().now + Self.grace)
            }
            try wait(isFlushing: isFlushing, end)
        }
        // A request to cancel that is still on its way could meet the next statement.
        if let stop, !stop.request.isSent(within: Self.grace) { throw abandoned() }
        guard PQstatus(handle) == CONNECTION_OK else {
            var error = answer.error ?? failure(.lost)
            error.code = .lost
            throw error
        }
        switch stop?.reason {
        case .cancelled: throw answer.stopped("the statement was cancelled")
        case .late: throw answer.stopped("the statement took too long and was cancelled")
        case .copyRefused, nil: return answer
        }
    }

    /// Waits at most 100 ms for the server.
    private func wait(isFlushing: Bool, _ end: ContinuousClock.Instant?) throws(SQLError) {
        if let end, ContinuousClock().now >= end { throw abandoned() }
        var place = pollfd(fd: PQsocket(handle), events: Int16(POLLIN | (isFlushing ? POLLOUT : 0)), revents: 0)
        guard poll(&place, 1, 100) > 0 else { return }
        // A failure is kept with the connection, and is the next result.
        _ = PQconsumeInput(handle)
    }

    /// False at the end.
    private func discardCopyData() -> Bool {
        var buffer: UnsafeMutablePointer<CChar>?
        while true {
            let count = PQgetCopyData(handle, &buffer, 1)
            guard count > 0 else { return count == 0 }
            PQfreemem(buffer)
        }
    }

    private func abandoned() -> SQLError {
        isGivenUp = true
        shutdown(PQsocket(handle), Int32(SHUT_RDWR))
        return SQLError(.lost, "\(address): the server did not end a cancelled statement within 10 s; the session was given up")
    }

    private func failure(_ code: SQLError.Code) -> SQLError { SQLError(code, "\(address): \(PostgresAnswer.text(PQerrorMessage(handle)))") }
}
