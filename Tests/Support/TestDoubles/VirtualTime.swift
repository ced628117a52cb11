import Dispatch
import Synchronization

/// A clock whose time passes when everybody sleeps, and the executor that knows when that is: it runs every job of the tasks that
/// prefer it, one at a time, and moves the clock to the next sleeper when none is left.
package final class VirtualTime: Clock, TaskExecutor {
    package struct Instant: InstantProtocol {
        package var offset: Duration

        package init(offset: Duration) { self.offset = offset }

        package func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        package func duration(to other: Instant) -> Duration { other.offset - offset }
        package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        var deadline: Instant
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        package var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var lastID = 0
        var jobs = 0
        /// Calls that are made outside of this executor.
        var calls = 0

        mutating func takeNextSleeper() -> Sleeper? {
            guard jobs == 0, calls == 0, let next = sleepers.min(by: { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }) else {
                return nil
            }
            now = max(now, next.value.deadline)
            return sleepers.removeValue(forKey: next.key)
        }
    }

    package init() {}

    private let queue = DispatchQueue(label: "virtual time")
    private let state = Mutex(State())

    package var now: Instant { state.withLock { $0.now } }
    package var minimumResolution: Duration { .zero }

    /// Runs `body` in this time.
    package func run<Value: Sendable>(_ body: @Sendable @escaping () async throws -> Value) async rethrows -> Value {
        try await withTaskExecutorPreference(self) {
            // What begins on another executor is not waited for: time would pass before it had begun to wait.
            await Task.yield()
            return try await body()
        }
    }

    /// Time stands still while `body` waits for something outside.
    package func outside<Value, Failure: Error>(_ body: () async throws(Failure) -> Value) async throws(Failure) -> Value {
        state.withLock { $0.calls += 1 }
        defer { state.withLock { $0.calls -= 1 } }
        return try await body()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs += 1 }
        queue.async {
            job.runSynchronously(on: self.asUnownedTaskExecutor())
            let next = self.state.withLock { state in
                state.jobs -= 1
                return state.takeNextSleeper()
            }
            next?.continuation.resume()
        }
    }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let wasCancelled = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    return false
                }
                if wasCancelled { continuation.resume(throwing: CancellationError()) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                let sleeper = state.sleepers.removeValue(forKey: id)
                if sleeper == nil { state.cancelled.insert(id) }
                return sleeper
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}
