import HTTPCore
import Synchronization

/// One request on its way, as caller and engine both know it.
final class Exchange: Sendable {
    let request: HTTPRequest
    private let cancelled = Atomic(false)
    private let place = Atomic(-1)

    init(_ request: HTTPRequest) {
        self.request = request
    }

    /// Once true it stays so.
    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func markCancelled() { cancelled.store(true, ordering: .releasing) }

    /// Where the engine keeps the transfer; -1 when it has none. Written by the engine only.
    var slot: Int {
        get { place.load(ordering: .relaxed) }
        set { place.store(newValue, ordering: .relaxed) }
    }
}

/// Who waits for an exchange. Answered exactly once.
enum Reply: Sendable {
    case whole(UnsafeContinuation<Result<HTTPResponse, TransportError>, Never>)
    case stream(UnsafeContinuation<Result<OpenedStream, TransportError>, Never>)

    func fail(_ error: TransportError) {
        switch self {
        case .whole(let continuation): continuation.resume(returning: .failure(error))
        case .stream(let continuation): continuation.resume(returning: .failure(error))
        }
    }
}

/// A streamed response whose head is there.
struct OpenedStream: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var buffer: StreamBuffer
}
