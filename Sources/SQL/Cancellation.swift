internal import Synchronization

/// Told from another thread that nobody waits for a statement any more.
final class Cancellation: Sendable {
    private let requested = Mutex(false)

    var isRequested: Bool { requested.withLock { $0 } }

    func request() { requested.withLock { $0 = true } }
}
