public import Execution
public import Model
import ProviderKit
public import Sources

extension Reconciler {
    /// Makes passes until the system is converged, failed or blocked, or the time is over; then the last report is the result.
    ///
    /// What passes by itself is tried again after 1, 2, 4 and 8 seconds, each up to a fifth shorter or longer, or after what a provider
    /// asked for where that is longer, and given up with the fifth such pass in a row. What is only under way is watched, at the pace of
    /// the options, until the time is over. A pass that is still running then ends at its next safe point, as it does when the task is
    /// cancelled.
    /// - Parameter waiting: told before every wait.
    public func reconcile(
        _ system: System, of snapshot: Snapshot, from source: any SpecSource, within timeout: Duration, _ options: PassOptions,
        waiting: @escaping @Sendable (PassReport, Duration) -> Void = { _, _ in }, events: @escaping @Sendable (ExecutionEvent) -> Void
    ) async -> PassReport {
        let elapsed = stopwatch()
        var backoff = Duration.seconds(1)
        var setbacks = 0
        var look = options.pace.firstPause
        var told = PassEvents()
        while true {
            var report = await limited(to: timeout - elapsed(), otherwise: .interrupted(system.id)) {
                await AccountLimits.$party.withValue(system.id.description) {
                    await pass(system, of: snapshot, from: source, options, events: events)
                }
            }
            told = told.followed(by: report.events)
            report.events = told
            let pause: Duration
            switch report.again {
            case nil: return report
            case .soon:
                pause = look
                look = min(look * 3 / 2, options.pace.longestPause)
                setbacks = 0
                backoff = .seconds(1)
            case .afterBackoff(let least):
                setbacks += 1
                guard setbacks < 5 else { return report }
                pause = max(least ?? .zero, backoff * Double.random(in: 0.8...1.2))
                backoff *= 2
                look = options.pace.firstPause
            }
            if Task.isCancelled { return report }
            guard pause < timeout - elapsed() else {
                report.problems.append(.timeIsOver(system.id, timeout))
                return report
            }
            waiting(report, pause)
            do {
                try await clock.sleep(for: pause)
            } catch {
                return report
            }
        }
    }

    /// Runs `work` and cancels it after `limit`; what it then returns still counts.
    private func limited(
        to limit: Duration, otherwise fallback: PassReport, _ work: @escaping @Sendable () async -> PassReport
    ) async -> PassReport {
        await withTaskGroup(of: PassReport?.self) { group in
            group.addTask { await work() }
            group.addTask {
                try? await clock.sleep(for: limit)  // Cancelled as soon as the work has ended.
                return nil
            }
            var report = fallback
            for await ended in group {
                if let ended { report = ended }
                group.cancelAll()
            }
            return report
        }
    }

    /// Returns what tells the time since this call.
    private func stopwatch() -> () -> Duration {
        func start<C: Clock<Duration>>(_ clock: C) -> () -> Duration {
            let start = clock.now
            return { start.duration(to: clock.now) }
        }
        return start(clock)
    }
}

extension Problem {
    fileprivate static func timeIsOver(_ system: SystemID, _ timeout: Duration) -> Problem {
        Problem(
            "TimeIsOver", "\(system): not converged within \(timeout.components.seconds) s",
            next: "run it again, it goes on from here; --timeout allows more")
    }
}
