public import HTTPCore

/// A transport over libcurl: one thread runs every request of all callers, and connections are kept and shared.
///
/// Making one costs nothing: libcurl is initialised and the thread started by the first request.
///
/// A write is sent once. libcurl itself would send any request again that was cut off on a kept connection before the
/// first byte of the answer; here only GET and HEAD may be, and another method fails with ``TransportError/Code/connectionLost``
/// and `mayHaveTakenEffect`.
///
/// Proxies come from the environment as curl reads it (`https_proxy`, `http_proxy` in lower case only, `all_proxy`, `no_proxy`),
/// the system's certificate authorities from `SSL_CERT_FILE` and `SSL_CERT_DIR` before the usual places.
public final class CurlTransport: Transport {
    private let inbox: Inbox

    public init(configuration: Configuration = Configuration()) {
        inbox = Inbox(configuration: configuration)
    }

    deinit {
        inbox.close()
    }

    /// Ends every request in flight with ``TransportError/Code/engineStopped``, and the thread. Returns at once; may be called twice.
    public func shutdown() {
        inbox.close()
    }

    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let exchange = Exchange(request)
        let result = await withTaskCancellationHandler {
            // Unchecked, because the checked kind allocates; `Reply` is answered exactly once by `Engine`.
            await withUnsafeContinuation { inbox.start(exchange, .whole($0)) }
        } onCancel: {
            inbox.cancel(exchange)
        }
        return try result.get()
    }

    /// Over HTTP/1.1 and a connection of its own, asked for without compression: a consumer that lags then holds up only its own server.
    /// In libcurl 7.88 a paused HTTP/2 stream can hold up every other one of its connection.
    public func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        let exchange = Exchange(request)
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { inbox.start(exchange, .stream($0)) }
        } onCancel: {
            inbox.cancel(exchange)
        }
        let opened = try result.get()
        let reader = StreamReader(buffer: opened.buffer, exchange: exchange, inbox: inbox, owner: self)
        let chunks = AsyncThrowingStream<[UInt8], any Error> { try await reader.next() }
        return HTTPStream(status: opened.status, headers: opened.headers, chunks: chunks)
    }
}
