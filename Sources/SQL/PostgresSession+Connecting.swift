internal import CPostgres

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

extension PostgresSession {
    /// Connects and logs in.
    static func connect(_ address: PostgresAddress, applicationName: String, within limit: Duration) throws(SQLError) -> OpaquePointer {
        guard let handle = start(address.parameters(applicationName: applicationName)) else {
            throw SQLError(.unreachable, "\(address): no memory for a connection")
        }
        do throws(SQLError) {
            try finish(handle, address, limit)
        } catch {
            PQfinish(handle)
            throw error
        }
        PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        return handle
    }

    private static func start(_ parameters: [(String, String)]) -> OpaquePointer? {
        var keywords = parameters.map { strdup($0.0) } + [nil]
        var values = parameters.map { strdup($0.1) } + [nil]
        defer { for text in keywords + values { free(text) } }
        return keywords.withUnsafeMutableBufferPointer { keywords in
            keywords.withMemoryRebound(to: UnsafePointer<CChar>?.self) { keywords in
                values.withUnsafeMutableBufferPointer { values in
                    values.withMemoryRebound(to: UnsafePointer<CChar>?.self) {
                        PQconnectStartParams(keywords.baseAddress, $0.baseAddress, 0)
                    }
                }
            }
        }
    }

    private static func finish(_ handle: OpaquePointer, _ address: PostgresAddress, _ limit: Duration) throws(SQLError) {
        // libpq gives a refused login's SQLSTATE away only inside a verbose message.
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        let clock = ContinuousClock()
        let end = clock.now + limit
        var state = PGRES_POLLING_WRITING
        while PQstatus(handle) != CONNECTION_BAD, state != PGRES_POLLING_OK, state != PGRES_POLLING_FAILED {
            guard !Task.isCancelled else { throw SQLError(.cancelled, "\(address): connecting was cancelled") }
            let rest = end - clock.now
            guard rest > .zero else { throw SQLError(.unreachable, "\(address): no connection within \(limit)") }
            var place = pollfd(fd: PQsocket(handle), events: Int16(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), revents: 0)
            if poll(&place, 1, Int32(min(100, max(1, rest / .milliseconds(1))))) > 0 { state = PQconnectPoll(handle) }
        }
        guard PQstatus(handle) == CONNECTION_OK else {
            let failure = ConnectFailure(PQerrorMessage(handle).map { String(cString: $0) } ?? "")
            throw SQLError(
                PQconnectionNeedsPassword(handle) == 1 || failure.isRefusedLogin ? .refusedLogin : .unreachable,
                "\(address): \(failure.message)", sqlState: failure.sqlState)
        }
    }
}

/// libpq's verbose account of a connection that failed: `… failed: FATAL:  28P01: password authentication failed` and where in the source.
struct ConnectFailure {
    var message: String
    /// Of the last server that was tried.
    var sqlState: String?

    var isRefusedLogin: Bool {
        // 28: the login, 3D000: no such database.
        if let sqlState, sqlState.hasPrefix("28") || sqlState == "3D000" { return true }
        // PgBouncer has one code for everything; its words are fixed: https://www.pgbouncer.org
        let words = ["authentication failed", "does not exist", "no such user", "no such database", "not allowed"]
        return sqlState == "08P01" && words.contains { message.contains($0) }
    }

    init(_ text: String) {
        var lines: [String] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            // The place in the server's source: `LOCATION:  auth_failed, auth.c:326`, the first word in the server's language.
            if !lines.isEmpty, words.first?.hasSuffix(":") == true, words.last?.contains(".c:") == true { continue }
            let isState: (Substring) -> Bool = { word in
                word.utf8.count == 6 && word.hasSuffix(":")
                    && word.dropLast().allSatisfy { $0.isASCII && ($0.isNumber || $0.isUppercase) } && word.contains(where: \.isNumber)
            }
            let kept = words.filter { !isState($0) }
            if let state = words.last(where: isState) { sqlState = String(state.dropLast()) }
            lines.append(kept.joined(separator: " "))
        }
        message = lines.isEmpty ? "the connection was closed" : lines.joined(separator: "; ")
    }
}
