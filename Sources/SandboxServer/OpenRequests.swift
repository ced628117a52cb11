import NIOCore
import Synchronization

/// The connections on which a request is being answered, so that stopping can close them.
final class OpenRequests: Sendable {
    private struct State {
        var isStopped = false
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())

    /// Notes a connection; false after ``closeAll()``.
    func begin(_ channel: any Channel) -> Bool {
        state.withLock { state in
            if !state.isStopped { state.channels[ObjectIdentifier(channel)] = channel }
            return !state.isStopped
        }
    }

    func end(_ channel: any Channel) {
        state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    /// Closes the connections of all requests in progress. No other request begins.
    func closeAll() {
        let channels = state.withLock { state in
            state.isStopped = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.close(promise: nil) }
    }
}

extension Channel {
    /// Runs `body`, and cancels it when the connection ends.
    /// - Throws: what `body` throws, and a `CancellationError` when the connection ended first.
    @concurrent func whileOpen<Value: Sendable>(_ body: @escaping @concurrent @Sendable () async throws -> Value) async throws -> Value {
        let (gone, continuation) = AsyncStream.makeStream(of: Never.self)
        closeFuture.whenComplete { _ in continuation.finish() }
        return try await withThrowingTaskGroup { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in gone {}
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}
