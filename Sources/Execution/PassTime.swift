import State

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

    /// Looks again and again, less and less often, until something is found. Nil when the time is over, or the task is cancelled.
    func look<Found>(
        until end: Duration, at pace: Pace, _ look: () async throws(StateError) -> Found?
    ) async throws(StateError) -> Found? {
        var pause = pace.firstPause
        while true {
            if let found = try await look() { return found }
            let left = end - elapsed
            guard left > .zero, !Task.isCancelled else { return nil }
            do { try await sleep(min(pause, left)) } catch { return nil }
            pause = pace.pause(after: pause)
        }
    }

    private static func measure<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
