public import Execution
public import Model
public import Sources

extension Reconciler {
    /// Makes passes until the system is converged, failed or blocked, or the time is over; then the last report is the result.
    ///
    /// What passes by itself is tried again after 1, 2, 4 … at most 30 seconds, or after what a provider asked for, and given up after
    /// five such passes in a row. What is only under way is watched until the time is over.
    /// - Parameter waiting: told before every wait.
    public func reconcile(
        _ system: System, of snapshot: Snapshot, from source: any SpecSource, within timeout: Duration, _ options: PassOptions,
        waiting: @escaping @Sendable (PassReport, Duration) -> Void = { _, _ in }, events: @escaping @Sendable (ExecutionEvent) -> Void
    ) async -> PassReport {
        var left = timeout
        var backoff = Duration.seconds(1)
        var setbacks = 0
        while true {
            let (report, time) = await measured { await pass(system, of: snapshot, from: source, options, events: events) }
            left -= time
            let pause: Duration
            switch report.again {
            case nil: return report
            case .soon:
                setbacks = 0
                pause = .seconds(1)
            case .afterBackoff(let least):
                setbacks += 1
                guard setbacks < 5 else { return report }
                pause = max(least ?? .zero, backoff * Double.random(in: 0.8...1.2))
                backoff = min(backoff * 2, .seconds(30))
            }
            guard pause < left else { return report }
            waiting(report, pause)
            left -= pause
            do {
                try await clock.sleep(for: pause)
            } catch {
                return report
            }
        }
    }

    private func measured<Value>(_ body: () async -> Value) async -> (Value, Duration) {
        func measure<C: Clock<Duration>>(by clock: C) async -> (Value, Duration) {
            let start = clock.now
            let value = await body()
            return (value, start.duration(to: clock.now))
        }
        return await measure(by: clock)
    }
}
