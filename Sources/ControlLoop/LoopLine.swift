public import Model
import Synchronization

/// How a running loop is reached from outside: it is told to look at systems, and asked whether it still goes on.
///
/// May be used from any thread, before the loop runs and after; a loop takes what was said before it ran.
public final class LoopLine: Sendable {
    enum Message: Sendable {
        case look(@Sendable (System) -> Bool)
        case pulse(AsyncStream<LoopPulse>.Continuation)
    }

    private struct State {
        var messages: [Message] = []
        var waiter: CheckedContinuation<[Message]?, Never>?
        var isRunning = false

        mutating func takeWaiter() -> CheckedContinuation<[Message]?, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    /// How much is kept while the loop takes nothing; more would say nothing new.
    private static let limit = 1000

    private let state = Mutex(State())

    public init() {}

    /// False before a loop runs on this line, and after.
    public var isRunning: Bool { state.withLock { $0.isRunning } }

    /// Asks for a look at the systems that are meant, ahead of every resync: perhaps something happened there.
    public func look(at isMeant: @escaping @Sendable (System) -> Bool) { say(.look(isMeant)) }

    /// What the loop's own task answers, now. Nil when it does not within that time.
    public func pulse(within patience: Duration, _ clock: any Clock<Duration> = ContinuousClock()) async -> LoopPulse? {
        let (answers, continuation) = AsyncStream.makeStream(of: LoopPulse.self)
        say(.pulse(continuation))
        return await withTaskGroup(of: LoopPulse?.self) { group in
            group.addTask {
                for await answer in answers { return answer }
                return nil
            }
            group.addTask {
                do { try await clock.sleep(for: patience) } catch {}  // There is an answer, or nobody waits for one.
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
    }

    private func say(_ message: Message) {
        let (waiter, messages) = state.withLock { state -> (CheckedContinuation<[Message]?, Never>?, [Message]) in
            guard state.messages.count < Self.limit else { return (nil, []) }
            state.messages.append(message)
            guard let waiter = state.takeWaiter() else { return (nil, []) }
            defer { state.messages = [] }
            return (waiter, state.messages)
        }
        waiter?.resume(returning: messages)
    }

    // MARK: - The loop's end

    func setRunning(_ isRunning: Bool) { state.withLock { $0.isRunning = isRunning } }

    /// What was said since the last time, once there is something; nil when the task is cancelled. One task may wait.
    func next() async -> [Message]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<[Message]?, Never>) in
                let ready: [Message]?? = state.withLock { state in
                    if Task.isCancelled { return .some(nil) }
                    guard state.messages.isEmpty else {
                        defer { state.messages = [] }
                        return .some(state.messages)
                    }
                    state.waiter = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            state.withLock { $0.takeWaiter() }?.resume(returning: nil)
        }
    }
}
