public import Model
import Synchronization

/// Which systems a loop works on, where several processes share them; it changes as they come and go.
///
/// Of the others a loop only knows what is wanted. Two that believe to have the same system for a while do no harm: its lock lets one of them.
public final class Duty: Sendable {
    private let predicate = Mutex<@Sendable (SystemID) -> Bool>({ _ in false })
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// Covers nothing until it is set.
    public init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    public func set(_ covers: @escaping @Sendable (SystemID) -> Bool) {
        predicate.withLock { $0 = covers }
        continuation.yield()
    }

    public func covers(_ system: SystemID) -> Bool { predicate.withLock { $0 }(system) }

    /// Returns when it was set since the last time, or the task is cancelled. One task may wait.
    func change() async { for await _ in stream { return } }
}
