import CCurl
import Glibc
import HTTPCore

/// One easy handle and what it has received. Confined to the engine's thread; used for one exchange after another.
final class Transfer {
    /// Why one of our own callbacks ended the transfer.
    enum Refusal { case bodyTooLarge, headTooLarge, secondSending }

    private enum Trust: Equatable {
        case nothing
        case system
        case given(TLSSettings)
    }

    /// Heads are small; libcurl bounds a line of them but not their number.
    private static let headLimit = 256 << 10
    private static let errorTextSize = Int(CURL_ERROR_SIZE)

    let easy: UnsafeMutableRawPointer
    let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var trust = Trust.nothing

    private(set) var exchange: Exchange?
    private var reply: Reply?
    private var head = ResponseHead()
    private var body: [UInt8] = []
    private(set) var isStream = false
    /// There from the end of a stream's head on.
    private var stream: StreamBuffer?
    private var refusal: Refusal?
    private var isPaused = false
    /// True from the moment that libcurl has a connection ready and begins to send.
    private(set) var wasSent = false

    init?(userAgent: String) {
        guard let easy = curl_easy_init() else { return nil }
        self.easy = easy
        errorText = .allocate(capacity: Self.errorTextSize)
        errorText.initialize(repeating: 0, count: Self.errorTextSize)
        setConstants(userAgent: userAgent)
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    static func of(_ easy: UnsafeMutableRawPointer?) -> Transfer? {
        guard let easy else { return nil }
        var owner: UnsafeMutableRawPointer?
        _ = curl_get_pointer(easy, CURLINFO_PRIVATE, &owner)
        return owner.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: - Before

    private func setConstants(userAgent: String) {
        let own = Unmanaged.passUnretained(self).toOpaque()
        _ = curl_set_pointer(easy, CURLOPT_PRIVATE, own)
        _ = curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        _ = curl_set_pointer(easy, CURLOPT_WRITEDATA, own)
        _ = curl_set_write(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, owner in
            Transfer.own(owner).received(body: UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = curl_set_pointer(easy, CURLOPT_HEADERDATA, own)
        _ = curl_set_write(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, owner in
            Transfer.own(owner).received(headLine: UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = curl_set_pointer(easy, CURLOPT_PREREQDATA, own)
        _ = curl_set_prerequest(easy) { owner, _, _, _, _ in Transfer.own(owner).mayBeSent() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT }
        // A child process must not hold our connections open.
        _ = curl_set_socket(easy) { _, socket, _ in
            _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
            return CURL_SOCKOPT_OK
        }
        _ = curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
        // Otherwise ending a transfer waits for its name resolution, and every other transfer with it.
        _ = curl_set_long(easy, CURLOPT_QUICK_EXIT, 1)
        _ = curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        _ = curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = curl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 1)
        _ = curl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 2)
        _ = curl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        _ = curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        _ = curl_set_long(easy, CURLOPT_PIPEWAIT, 1)
        if !userAgent.isEmpty { _ = curl_set_string(easy, CURLOPT_USERAGENT, userAgent) }
    }

    private static func own(_ owner: UnsafeMutableRawPointer?) -> Transfer {
        // libcurl hands back what `setConstants` set; an easy handle never outlives its transfer.
        Unmanaged<Transfer>.fromOpaque(owner.unsafelyUnwrapped).takeUnretainedValue()
    }

    /// The request has passed ``HTTPRequest/check()``.
    func prepare(_ exchange: Exchange, _ reply: Reply, expiry: ContinuousClock.Instant, authorities: () -> Authorities) {
        let request = exchange.request
        errorText[0] = 0
        isStream = if case .stream = reply { true } else { false }
        setTarget(request, isTLS: request.isTLS)
        headerList = request.headerList()
        _ = curl_set_list(easy, CURLOPT_HTTPHEADER, headerList)
        if request.isTLS { trust(request.tls, authorities: authorities) }
        self.exchange = exchange
        self.reply = reply
        self.expiry = expiry
    }

    private func trust(_ settings: TLSSettings?, authorities: () -> Authorities) {
        let wanted = settings.map(Trust.given) ?? .system
        guard wanted != trust else { return }
        trust = wanted
        if let given = settings?.certificateAuthorities {
            // Without a path, or libcurl would trust the system's directory besides.
            setAuthorities(file: nil, directory: nil, blob: given)
        } else {
            let system = authorities()
            setAuthorities(file: system.file, directory: system.directory, blob: nil)
        }
        // Libcurl compares the certificate's blob before it reuses a connection, but not the key's: both stand in one.
        let identity = settings.flatMap { settings in
            settings.clientCertificate.map { $0 + [0x0A] + (settings.clientKey ?? []) }
        }
        setBlob(CURLOPT_SSLCERT_BLOB, identity)
        setBlob(CURLOPT_SSLKEY_BLOB, identity)
    }

    // MARK: - During

    var hasAnswer: Bool { head.hasBegun }

    /// When the engine has to end this transfer; nil while its consumer holds it up.
    /// Not left to `CURLOPT_TIMEOUT_MS`: libcurl 7.88 does not look at it while a request waits for a free connection.
    private(set) var expiry: ContinuousClock.Instant?

    var expiryError: TransportError? {
        guard let request = exchange?.request else { return nil }
        let phase: TransportError.Phase = !wasSent ? .connection : !hasAnswer ? .head : isStream ? .silence : .body
        return .timedOut(request, sent: wasSent, phase: phase)
    }

    private func postponeExpiry() {
        guard let exchange else { return }
        expiry = .now + exchange.request.deadline
    }

    func unpause() {
        guard isPaused else { return }
        isPaused = false
        postponeExpiry()
        _ = curl_easy_pause(easy, CURLPAUSE_CONT)
    }

    /// Called by libcurl with a connection in hand, before the first byte; again when it wants to repeat the request.
    private func mayBeSent() -> Bool {
        if wasSent, let exchange, !exchange.request.method.isSafe {
            refusal = .secondSending
            return false
        }
        wasSent = true
        return true
    }

    private func received(headLine line: UnsafeRawBufferPointer) -> Int {
        guard head.size + line.count <= Self.headLimit else {
            refusal = .headTooLarge
            return 0
        }
        guard head.append(line), let exchange, let reply else { return line.count }
        switch reply {
        case .whole:
            if let length = head.bodyLength {
                guard length <= exchange.request.bodyLimit || exchange.request.method == .head else {
                    refusal = .bodyTooLarge
                    return 0
                }
                if exchange.request.method != .head { body.reserveCapacity(length) }
            }
        case .stream(let continuation):
            let buffer = StreamBuffer()
            stream = buffer
            self.reply = nil
            postponeExpiry()
            continuation.resume(returning: .success(OpenedStream(status: head.status, headers: head.headers, buffer: buffer)))
        }
        return line.count
    }

    private func received(body bytes: UnsafeRawBufferPointer) -> Int {
        if let stream {
            guard stream.offer(bytes) else {
                isPaused = true
                expiry = nil
                return Int(CURL_WRITEFUNC_PAUSE)
            }
            postponeExpiry()
            return bytes.count
        }
        guard let exchange, bytes.count <= exchange.request.bodyLimit - body.count else {
            refusal = .bodyTooLarge
            return 0
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    // MARK: - After

    func finish(_ code: CURLcode, authorities: () -> Authorities) {
        guard let exchange else { return }
        guard code == CURLE_OK, refusal == nil else {
            let failure = TransferFailure(
                code: code, refusal: refusal, wasSent: wasSent, hasAnswer: hasAnswer, text: String(cString: errorText),
                proxyStatus: number(CURLINFO_HTTP_CONNECTCODE), request: exchange.request, authorities: authorities())
            return fail(failure.error)
        }
        if let stream { return stream.end(nil) }
        guard case .whole(let continuation) = reply else {
            return fail(TransportError(.malformedResponse, "\(exchange.request.name): the answer has no head", mayHaveTakenEffect: wasSent))
        }
        reply = nil
        continuation.resume(returning: .success(HTTPResponse(status: head.status, headers: head.headers, body: body)))
    }

    func fail(_ error: TransportError) {
        stream?.end(error)
        stream = nil
        let reply = self.reply
        self.reply = nil
        reply?.fail(error)
    }

    /// Forgets the exchange; keeps what libcurl can use for the next.
    func clear() {
        exchange = nil
        reply = nil
        stream = nil
        refusal = nil
        isPaused = false
        expiry = nil
        wasSent = false
        head = ResponseHead()
        body = []
        _ = curl_set_list(easy, CURLOPT_HTTPHEADER, nil)
        _ = curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, nil)
        curl_slist_free_all(headerList)
        headerList = nil
    }

    private func number(_ info: CURLINFO) -> Int {
        var value = 0
        _ = curl_get_long(easy, info, &value)
        return value
    }
}
