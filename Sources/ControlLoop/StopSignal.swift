/// Asks a loop to end, from anywhere and once.
public struct StopSignal: Sendable {
    private let stream: AsyncStream<Never>
    private let continuation: AsyncStream<Never>.Continuation

    public init() { (stream, continuation) = AsyncStream.makeStream() }

    public func raise() { continuation.finish() }

    /// Returns when it is raised, or the task is cancelled. One task may wait.
    func wait() async { for await _ in stream {} }
}
