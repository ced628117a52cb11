public import HTTPCore
import Synchronization

/// A transport that ends in a simulator of the same process: for tests that need no sockets.
public final class SimulatedTransport: Transport {
    /// One request as it arrived, without its credentials.
    public struct Received: Sendable, Hashable {
        public var method: HTTPMethod
        /// Path and query.
        public var path: String
        public var body: [UInt8]
        /// The status it was answered with; nil when the answer was lost.
        public var status: Int?
    }

    public let faults: FaultRules
    private let simulators: [(prefix: String, simulator: any Simulator)]
    private let log = Mutex<[Received]>([])

    /// - Parameter simulators: by the beginning of the URLs that they answer: `["https://api.vercel.com": vercel]`.
    public init(_ simulators: [String: any Simulator], faults: FaultRules = FaultRules()) {
        self.simulators = simulators.map { ($0.key, $0.value) }.sorted { $0.prefix.count > $1.prefix.count }
        self.faults = faults
    }

    public var received: [Received] { log.withLock { $0 } }

    public func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        switch try await exchange(request) {
        case .whole(let response): return response
        case .stream: throw TransportError(.malformedResponse, "a stream where a whole response was expected", mayHaveTakenEffect: true)
        }
    }

    public func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
        switch try await exchange(request) {
        case .whole(let response):
            let body = response.body
            let chunks = AsyncThrowingStream<[UInt8], any Error> { continuation in
                continuation.yield(body)
                continuation.finish()
            }
            return HTTPStream(status: response.status, headers: response.headers, chunks: chunks)
        case .stream(let status, let headers, let chunks):
            let throwing = AsyncThrowingStream<[UInt8], any Error> { continuation in
                let task = Task {
                    for await chunk in chunks { continuation.yield(chunk) }
                    continuation.finish()
                }
                continuation.onTermination = { _ in task.cancel() }
            }
            return HTTPStream(status: status, headers: headers, chunks: throwing)
        }
    }

    private func exchange(_ request: HTTPRequest) async throws(TransportError) -> SimulatedResponse {
        guard let (prefix, simulator) = simulators.first(where: { request.url.hasPrefix($0.prefix) }) else {
            throw TransportError(.nameResolution, "no simulator answers \(request.url)", mayHaveTakenEffect: false)
        }
        let path = String(request.url.dropFirst(prefix.count))
        func note(_ status: Int?) {
            log.withLock { $0.append(Received(method: request.method, path: path, body: request.body, status: status)) }
        }
        let lost = TransportError(.connectionLost, "the connection was closed before an answer", mayHaveTakenEffect: true)
        switch faults.hit(simulator.name, request) {
        case .answer(let status, let headers, let body):
            note(status)
            return .whole(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
        case .dropBefore:
            note(nil)
            throw lost
        case .dropAfter:
            _ = await simulator.answer(request)
            note(nil)
            throw lost
        case .truncate:
            let response = await simulator.answer(request)
            note(response.status)
            guard case .whole(let whole) = response else { throw lost }
            throw TransportError(.connectionLost, "the answer broke off after \(whole.body.count / 2) bytes", mayHaveTakenEffect: true)
        case .replaceAnswer(let status, let headers, let body):
            _ = await simulator.answer(request)
            note(status)
            return .whole(HTTPResponse(status: status, headers: headers, body: Array(body.utf8)))
        case .delay, nil:
            let response = await simulator.answer(request)
            note(response.status)
            return response
        }
    }
}
