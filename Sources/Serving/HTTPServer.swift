public import HTTPCore
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOPosix
import ServiceLifecycle

/// A small HTTP/1.1 server for probes, scrapers and webhooks. One thread does the I/O of all of a process.
///
/// On Hummingbird's server and not its router: a handful of fixed paths need none, and it would bring its own dependencies along.
public struct HTTPServer: Sendable {
    public typealias Answer = @Sendable (ServedRequest) async -> HTTPCore.HTTPResponse

    /// Further connections wait in the kernel until one of these ends.
    private static let mostConnections = 256
    /// For a whole request to come, and for a whole answer to go out.
    private static let deadline = TimeAmount.seconds(15)
    /// For what is being answered when the server ends.
    private static let grace = Duration.seconds(2)

    /// Never ended: what is left of a connection may reach for it a moment later, and NIO writes an error to standard error then.
    private static let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let answer: Answer

    public init(answer: @escaping Answer) { self.answer = answer }

    /// Listens, and serves until `body` returns. Returns when the port is free again.
    ///
    /// - Parameter body: gets the address as soon as connections are accepted: `127.0.0.1:8080`.
    public func serve<Value: Sendable>(
        on address: ListenAddress, while body: @Sendable (_ bound: String) async -> Value
    ) async throws(ServingError) -> Value {
        let open = OpenConnections()
        let running = try await start(on: address, open)
        let value = await body(running.bound)
        await running.stop(open, within: Self.grace)
        return value
    }

    // MARK: - Starting

    private func start(
        on address: ListenAddress, _ open: OpenConnections
    ) async throws(ServingError) -> RunningServer {
        // Every address: those of IPv6 hold those of IPv4, unless the machine has none.
        let hosts = address.host.map { [$0] } ?? ["::", "0.0.0.0"]
        var failure: (any Error)?
        for host in hosts {
            do {
                return try await RunningServer(server(on: host, address.port, open))
            } catch {
                failure = error
                if (error as? IOError)?.errnoCode == EADDRINUSE { break }
            }
        }
        throw ServingError(listening: address, failure)
    }

    private func server(
        on host: String, _ port: Int, _ open: OpenConnections
    ) -> (@escaping @Sendable (any Channel) -> Void) throws -> any Service {
        { onReady in
            var logger = Logger(label: "belay") { StreamLogHandler.standardError(label: $0) }
            // What goes wrong with a connection is the client's to see; a server that cannot listen throws.
            logger.logLevel = .critical
            return try HTTPServerBuilder.http1(
                configuration: HTTP1Channel.Configuration(
                    additionalChannelHandlers: [ConnectionDeadline(Self.deadline)],
                    httpDecoderConfiguration: .init(maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))
            ).buildServer(
                configuration: ServerConfiguration(
                    address: .hostname(host, port: port), backlog: 1024,
                    availableConnectionsDelegate: .maximum(Self.mostConnections, logger: logger)),
                eventLoopGroup: Self.threads, logger: logger,
                responder: { request, writer, channel in
                    open.begin(channel)
                    defer { open.end(channel) }
                    try await respond(to: request, writer, channel)
                }, onServerRunning: { onReady($0) })
        }
    }

    // MARK: - Answering

    @concurrent private func respond(to request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let parts = (request.head.path ?? "/").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var headers = HTTPHeaders()
        for field in request.headers { headers.append(field.name.rawName, field.value) }
        let length = request.headers[.contentLength].flatMap { Int($0) }
        let served = ServedRequest(
            request.method.rawValue, String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "", headers: headers,
            peer: channel.remoteAddress?.ipAddress ?? ""
        ) { limit in
            if let length, length > limit { return nil }
            do { return Array(try await request.body.collect(upTo: limit).readableBytesView) } catch is NIOTooManyBytesError { return nil }
        }
        let response = await answer(served)
        var fields = HTTPFields()
        for field in response.headers.fields {
            guard let name = HTTPField.Name(field.name) else { continue }
            fields.append(HTTPField(name: name, value: field.value))
        }
        fields[.contentLength] = String(response.body.count)
        fields[.cacheControl] = "no-store"
        // What is left of a body that was refused is not read: it could be without end.
        let isLast = response.status == 413 || response.status == 429 || response.headers["Connection"] == "close"
        if isLast { fields[.connection] = "close" }
        let head = HTTPTypes.HTTPResponse(status: HTTPTypes.HTTPResponse.Status(code: response.status), headerFields: fields)
        let isHead = request.method == .head || response.body.isEmpty
        try await writer.write(response: head, body: isHead ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: response.body)))
        if isLast { try await channel.close() }
    }
}

extension ServingError {
    init(listening address: ListenAddress, _ error: (any Error)?) {
        let place = "cannot listen on \(address)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            self.init(.addressTaken, "\(place): another process listens there; end it, or name another port with --listen")
        case EADDRNOTAVAIL:
            self.init(.addressNotHere, "\(place): it is not an address of this machine; --listen :\(address.port) means every one of them")
        case EACCES: self.init(.notPermitted, "\(place): not permitted; ports under 1024 need a privilege, name one above with --listen")
        default: self.init(.failed, "\(place): \(error.map { "\($0)" } ?? "no address"); name an address of this machine with --listen")
        }
    }
}
