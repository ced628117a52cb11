import HTTPCore
import HTTPTypes
import HummingbirdCore
import JSONValues
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Simulators

/// One vendor's HTTP server: applies faults, asks the simulator, notes what happened.
///
/// On Hummingbird's server and not its `Application`, which would write the machine's own `Date` over the simulated one.
struct Listener: Sendable {
    /// The largest request body in bytes.
    private static let bodyLimit = 8 << 20

    let simulator: any Simulator
    let faults: FaultRules
    let requests: RequestLog
    let open: OpenRequests
    let control: ControlEndpoint
    let clock: any SimulatedClock
    let speed: Double

    /// - Parameter onReady: gets the port as soon as connections are accepted.
    func server(logger: Logger, onReady: @escaping @Sendable (Int) -> Void) throws -> any Service {
        try HTTPServerBuilder.http1().buildServer(
            configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: 0)),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: logger,
            responder: { request, writer, channel in
                guard open.begin(channel) else { return try await channel.close() }
                defer { open.end(channel) }
                let reply = try await channel.whileOpen { try await answer(request) }
                try await ReplyWriter(channel: channel, date: clock.httpDate, isHead: request.method == .head).write(reply, to: writer)
            },
            onServerRunning: { channel in onReady(channel.localAddress?.port ?? 0) })
    }

    private func answer(_ request: Request) async throws -> Reply {
        let path = request.head.path ?? "/"
        guard let method = HTTPMethod(rawValue: request.method.rawValue) else {
            return .refuse(405, "the sandbox does not know the method \(request.method.rawValue)")
        }
        var headers = HTTPHeaders()
        for field in request.headers { headers.append(field.name.rawName, field.value) }
        let body: [UInt8]
        do { body = Array(try await request.body.collect(upTo: Self.bodyLimit).readableBytesView) } catch is NIOTooManyBytesError {
            return .refuse(413, "the body is larger than \(Self.bodyLimit) bytes")
        }
        let incoming = HTTPCore.HTTPRequest(method, "http://\(request.head.authority ?? "127.0.0.1")\(path)", headers: headers, body: body)
        if path == ControlEndpoint.prefix || path.hasPrefix(ControlEndpoint.prefix + "/") {
            return .whole(await control.answer(incoming))
        }

        let fault = faults.hit(simulator.name, incoming)
        let number = requests.begin(incoming, path: path, simulator: simulator.name, fault: fault, clock: clock)
        let reply = try await answer(incoming, fault)
        requests.finish(number, status: reply.status)
        return reply
    }

    private func answer(_ request: HTTPCore.HTTPRequest, _ fault: Fault.Kind?) async throws -> Reply {
        switch fault {
        case .answer(let status, let headers, let body):
            return .whole(HTTPCore.HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
        case .dropBefore: return .hangUp
        default: break
        }
        let reply = Reply(await simulator.answer(request))
        switch fault {
        case .replaceAnswer(let status, let headers, let body):
            return .whole(HTTPCore.HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
        case .dropAfter: return .hangUp
        case .truncate: return .cut(reply)
        case .delay(let duration):
            try await Task.sleep(for: duration / speed)
            return reply
        case .answer, .dropBefore, nil: return reply
        }
    }
}
