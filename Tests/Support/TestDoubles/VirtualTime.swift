import Dispatch
import Synchronization

/// A clock whose time passes when everybody sleeps, and the executor that knows when that is: it runs every job of the tasks that
/// prefer it, one at a time in the order in which they came, and moves the clock to the next sleeper when none is left. What runs in it
/// alone runs the same way every time.
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

    private enum Next {
        case job(UnownedJob)
        case sleeper(Sleeper)
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var lastID = 0
        var jobs: [UnownedJob] = []
        /// Those of the call that is outside; nothing else comes while there is one.
        var callJobs: [UnownedJob] = []
        /// Calls that are made outside of this executor.
        var calls = 0
        var isWorking = false

        mutating func takeNext() -> Next? {
            if !callJobs.isEmpty { return .job(callJobs.removeFirst()) }
            guard calls == 0 else { return nil }
            if !jobs.isEmpty { return .job(jobs.removeFirst()) }
            guard let next = sleepers.min(by: { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }) else { return nil }
            now = max(now, next.value.deadline)
            return sleepers.removeValue(forKey: next.key).map(Next.sleeper)
        }
    }

    package init() {}

    private let queue = DispatchQueue(label: "virtual time")
    private let state = Mutex(State())

    package var now: Instant { state.withLock { $0.now } }
    package var minimumResolution: Duration { .zero }

    /// How many tasks sleep.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count + $0.cancelled.count } }

    /// Runs `body` in this time.
    package func run<Value: Sendable>(_ body: @Sendable @escaping () async throws -> Value) async rethrows -> Value {
        try await withTaskExecutorPreference(self) {
            // What begins on another executor is not waited for: time would pass before it had begun to wait.
            await Task.yield()
            return try await body()
        }
    }

    /// Time stands still, and everybody else with it, while `body` waits for something outside.
    package func outside<Value, Failure: Error>(_ body: () async throws(Failure) -> Value) async throws(Failure) -> Value {
        state.withLock { $0.calls += 1 }
        defer { state.withLock { $0.calls -= 1 } }
        return try await body()
    }

    /// For pauses within ``outside(_:)``: this time passes in them.
    package var outsideClock: OutsideClock { OutsideClock(time: self) }

    package struct OutsideClock: Clock {
        fileprivate let time: VirtualTime

        package var now: Instant { time.now }
        package var minimumResolution: Duration { .zero }

        package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
            time.state.withLock { $0.calls -= 1 }
            defer { time.state.withLock { $0.calls += 1 } }
            try await time.sleep(until: deadline, tolerance: tolerance)
        }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wasWorking = state.withLock { state in
            if state.calls > 0 { state.callJobs.append(job) } else { state.jobs.append(job) }
            defer { state.isWorking = true }
            return state.isWorking
        }
        if !wasWorking { queue.async { self.work() } }
    }

    private func work() {
        while true {
            let next = state.withLock { state in
                let next = state.takeNext()
                if next == nil { state.isWorking = false }
                return next
            }
            switch next {
            case .job(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            case .sleeper(let sleeper): sleeper.continuation.resume()
            case nil: return
            }
        }
    }

    package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        // The cancellation may come when the time has come already.
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
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
