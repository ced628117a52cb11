import Synchronization

/// A number of places that are taken and given back, in the order in which they were asked for.
///
/// May be used from any thread.
public final class Places: Sendable {
    /// One that was taken; given back once: when that is said, or when nobody has it any more.
    public final class Place: Sendable {
        private let places: Places
        private let isTaken = Atomic(true)

        fileprivate init(_ places: Places) { self.places = places }
        deinit { giveBack() }

        public func giveBack() {
            if isTaken.exchange(false, ordering: .acquiringAndReleasing) { places.giveBack() }
        }
    }

    private struct State {
        var free: Int
        /// By the number in which they asked. They need not come to wait in that order.
        var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
        var next = 0

        mutating func takeFirst() -> CheckedContinuation<Void, any Error>? {
            waiting.keys.min().flatMap { waiting.removeValue(forKey: $0) }
        }
    }

    private let state: Mutex<State>

    /// How many are free now.
    public var free: Int { state.withLock { $0.free } }
    /// How many wait for one.
    public var waiting: Int { state.withLock { $0.waiting.count } }

    public init(_ count: Int) { state = Mutex(State(free: count)) }

    /// Waits for a place.
    ///
    /// - Throws: `CancellationError` when the task is cancelled before there is one.
    public func take() async throws -> Place {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiting[number] = continuation
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(throwing: CancellationError())
        }
        return Place(self)
    }

    private func giveBack() {
        state.withLock { state in
            let waiter = state.takeFirst()
            if waiter == nil { state.free += 1 }
            return waiter
        }?.resume()
    }
}
