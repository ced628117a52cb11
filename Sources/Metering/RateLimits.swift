public import HTTPCore
import Synchronization

/// What providers told of their limits, as long as it counts: until the window that it was told for ends.
///
/// Vercel says `X-RateLimit-Limit`, `-Remaining` and `-Reset` in seconds since 1970; Render `Ratelimit-…` with the seconds that are left, which
/// its own page calls seconds since 1970 (contracts vercel.md §2.3, render.md §3). Fly.io and Kubernetes tell nothing.
public final class RateLimits: Sendable {
    private struct Window {
        var limit: Double?
        var remaining: Double
        /// On the clock that counts the process's time.
        var end: ContinuousClock.Instant
    }

    private struct Key: Hashable {
        var provider: String
        var kind: String
    }

    private let windows = Mutex<[Key: Window]>([:])
    private let secondsSince1970: @Sendable () -> Double

    public init(secondsSince1970: @escaping @Sendable () -> Double) { self.secondsSince1970 = secondsSince1970 }

    /// Remembers what an answer says. Of several buckets of a provider in one window, the emptiest counts.
    public func note(_ headers: HTTPHeaders, of method: HTTPMethod, from provider: String, at now: ContinuousClock.Instant = .now) {
        func number(_ name: String) -> Double? {
            (headers["X-RateLimit-\(name)"] ?? headers["RateLimit-\(name)"]).flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil }
        }
        guard let remaining = number("Remaining"), let reset = number("Reset") else { return }
        // More than 10⁶ seconds are no time that is left.
        let left = reset > 1_000_000 ? reset - secondsSince1970() : reset
        guard left > 0 else { return }
        let new = Window(limit: number("Limit"), remaining: remaining, end: now + .seconds(min(left, 86_400 * 7)))
        windows.withLock { windows in
            let key = Key(provider: provider, kind: method.isSafe ? "reads" : "writes")
            if let before = windows[key], before.end > now, before.remaining < new.remaining { return }
            windows[key] = new
        }
    }

    /// Puts what still counts into the metrics.
    public func write(to metrics: MetricRegistry, at now: ContinuousClock.Instant = .now) {
        let present = windows.withLock { windows in
            windows = windows.filter { $0.value.end > now }
            return windows
        }
        metrics.replace(.rateRemaining, with: Dictionary(uniqueKeysWithValues: present.map { ([$0.provider, $0.kind], $1.remaining) }))
        metrics.replace(
            .rateLimit,
            with: Dictionary(
                uniqueKeysWithValues: present.compactMap { key, window in window.limit.map { ([key.provider, key.kind], $0) } }))
    }
}
