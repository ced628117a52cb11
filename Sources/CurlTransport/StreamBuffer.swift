import HTTPCore
import Synchronization

/// What a stream has received and its consumer has not taken. Bounded: the engine holds the connection up while it is full.
final class StreamBuffer: Sendable {
    typealias Waiter = UnsafeContinuation<Result<[UInt8]?, TransportError>, Never>

    /// Several times what a kernel's socket buffer delivers at once.
    static let limit = 256 << 10

    private struct State {
        var bytes: [UInt8] = []
        var isHeldUp = false
        /// Set once; nil inside means that the server ended the body.
        var end: TransportError??
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    // MARK: - The engine

    /// False if the bytes do not fit: they have to be offered again after the consumer asked for it.
    func offer(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (taken, waiter) = state.withLock { state -> (Bool, Waiter?) in
            if !state.waiters.isEmpty { return (true, state.waiters.removeFirst()) }
            guard state.bytes.isEmpty || state.bytes.count + bytes.count <= Self.limit else {
                state.isHeldUp = true
                return (false, nil)
            }
            state.bytes.append(contentsOf: bytes)
            return (true, nil)
        }
        waiter?.resume(returning: .success(Array(bytes)))
        return taken
    }

    /// Nothing comes any more; the first call counts.
    func end(_ error: TransportError?) {
        let waiters = state.withLock { state -> [Waiter] in
            guard state.end == nil else { return [] }
            state.end = .some(error)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: error.map { .failure($0) } ?? .success(nil)) }
    }

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    // MARK: - The consumer

    /// Everything that is there, or the next to come; nil at the end. Calls `drained` when the engine waits for room.
    func next(drained: () -> Void) async -> Result<[UInt8]?, TransportError> {
        var wasHeldUp = false
        let result = await withUnsafeContinuation { (waiter: Waiter) in
            let ready = state.withLock { state -> Result<[UInt8]?, TransportError>? in
                wasHeldUp = state.isHeldUp
                state.isHeldUp = false
                if !state.bytes.isEmpty {
                    defer { state.bytes = [] }
                    return .success(state.bytes)
                }
                if let end = state.end { return end.map { .failure($0) } ?? .success(nil) }
                state.waiters.append(waiter)
                return nil
            }
            if wasHeldUp { drained() }
            if let ready { waiter.resume(returning: ready) }
        }
        return result
    }
}

/// The consumer's end of a stream; when it goes, so does the connection.
final class StreamReader: Sendable {
    private let buffer: StreamBuffer
    private let exchange: Exchange
    private let inbox: Inbox
    /// A stream keeps its transport.
    private let owner: CurlTransport

    init(buffer: StreamBuffer, exchange: Exchange, inbox: Inbox, owner: CurlTransport) {
        self.buffer = buffer
        self.exchange = exchange
        self.inbox = inbox
        self.owner = owner
    }

    deinit {
        if !buffer.hasEnded { inbox.cancel(exchange) }
    }

    func next() async throws(TransportError) -> [UInt8]? {
        let result = await withTaskCancellationHandler {
            await buffer.next { inbox.resume(exchange) }
        } onCancel: {
            inbox.cancel(exchange)
            buffer.end(.cancelled(exchange.request, sent: true))
        }
        return try result.get()
    }
}
