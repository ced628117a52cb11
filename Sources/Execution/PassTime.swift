/// The time of one pass: measured and slept by one clock, whichever it is.
struct PassTime: Sendable {
    private let measure: @Sendable () -> Duration
    private let clock: any Clock<Duration>

    init(_ clock: any Clock<Duration>) {
        self.clock = clock
        measure = Self.measure(clock)
    }

    /// Since the pass began.
    var elapsed: Duration { measure() }

    /// Throws only when the task is cancelled.
    func sleep(_ duration: Duration) async throws { try await clock.sleep(for: duration) }

    /// Runs `work` and cancels it after `limit`. What it then answers still counts: a write may have gone through in that moment.
    func bounded<Value: Sendable>(
        by limit: Duration, otherwise fallback: Value, _ work: @escaping @Sendable () async -> Value
    ) async -> Value {
        await withTaskGroup(of: Value?.self) { group in
            group.addTask { await work() }
            group.addTask {
                try? await sleep(limit)  // Cancelled as soon as the work is done.
                return nil
            }
            var value = fallback
            for await answer in group {
                if let answer { value = answer }
                group.cancelAll()
            }
            return value
        }
    }

    private static func measure<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
