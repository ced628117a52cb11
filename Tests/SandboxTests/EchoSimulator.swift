import HTTPCore
import JSONValues
import Simulators
import Synchronization

/// A vendor that counts writes and sends what it is told to send.
final class EchoSimulator: Simulator {
    let name: String
    private let effects = Mutex(0)
    private let chunks = Mutex<AsyncStream<[UInt8]>.Continuation?>(nil)
    private let ended = AsyncStream.makeStream(of: Void.self)

    init(name: String = "echo") { self.name = name }

    var count: Int { effects.withLock { $0 } }
    var world: JSON { ["writes": .integer(count)] }

    func answer(_ request: HTTPRequest) async -> SimulatedResponse {
        if !request.method.isSafe { effects.withLock { $0 += 1 } }
        let target = RequestTarget(url: request.url)
        switch target.path.first {
        case "watch":
            let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self)
            continuation.onTermination = { [ended] _ in ended.continuation.yield() }
            chunks.withLock { $0 = continuation }
            return .stream(status: 200, headers: ["Content-Type": "application/json"], chunks: stream)
        case "empty": return .whole(HTTPResponse(status: 204))
        case "dated": return .whole(HTTPResponse(status: 200, headers: ["Date": "Thu, 01 Jan 1970 00:00:00 GMT"]))
        default:
            return .json(
                200,
                [
                    "method": .string(request.method.rawValue), "path": .array(target.path.map(JSON.string)),
                    "body": .string(String(decoding: request.body, as: UTF8.self)),
                ])
        }
    }

    func send(_ chunk: String) { _ = chunks.withLock { $0?.yield(Array(chunk.utf8)) } }
    func finish() { chunks.withLock { $0?.finish() } }

    /// Waits until nobody listens to a watch any more.
    func watchEnded() async { for await _ in ended.stream { return } }
}
