import Execution
import Model
import Planning

/// How often the loop looks at systems that nobody changed.
public struct LoopPace: Sendable, Hashable {
    /// Between two looks at a system that is in sync, or that waits for somebody; each time up to a tenth shorter or longer.
    public var resync: Duration
    /// The pause after a first failure that may pass by itself; every further one is twice as long.
    public var firstBackoff: Duration
    public var longestBackoff: Duration
    /// The longest pause that a provider is granted.
    public var longestRetryAfter: Duration
    /// The longest pause while somebody else has the system's lock.
    public var longestLockPause: Duration
    /// Between the beginnings of two looks at a system for which there are hints only.
    public var shortestHintPause: Duration
    /// How many systems are worked on at once.
    public var concurrency: Int
    /// How long the steps under way may take when the loop is to end; then they end at their next safe point.
    public var grace: Duration

    public init(
        resync: Duration = .seconds(300), firstBackoff: Duration = .seconds(1), longestBackoff: Duration = .seconds(300),
        longestRetryAfter: Duration = .seconds(3600), longestLockPause: Duration = .seconds(30), shortestHintPause: Duration = .seconds(5),
        concurrency: Int = 8, grace: Duration = .seconds(25)
    ) {
        self.resync = resync
        self.firstBackoff = firstBackoff
        self.longestBackoff = longestBackoff
        self.longestRetryAfter = longestRetryAfter
        self.longestLockPause = longestLockPause
        self.shortestHintPause = shortestHintPause
        self.concurrency = concurrency
        self.grace = grace
    }
}

/// When a system is looked at again, after what its passes told.
struct Rhythm {
    private var setbacks = 0
    private var look: Duration?

    /// True after a failure, until a pass ends without one.
    var isHeldBack: Bool { setbacks > 0 }

    /// - Parameters:
    ///   - pace: of what is under way.
    ///   - jitter: between -1 and 1: where in the range of a pause this one lies.
    mutating func next(after report: PassReport, _ loop: LoopPace, _ pace: Pace, jitter: Double) -> (
        pause: Duration, reason: LookReason
    ) {
        switch report.again {
        case .soon:
            setbacks = 0
            let pause = look ?? pace.firstPause
            look = min(pause * 3 / 2, pace.longestPause)
            return (pause, .retry)
        case .afterBackoff(let least):
            return (max(min(least ?? .zero, loop.longestRetryAfter), backoff(loop, jitter, longest: loop.longestBackoff)), .retry)
        case nil:
            if report.problems.contains(where: { $0.reason == "Locked" }) {
                return (backoff(loop, jitter, longest: loop.longestLockPause), .retry)
            }
            if report.verdict == .failure, report.problems.contains(where: { Self.passing.contains($0.reason) }) {
                return (backoff(loop, jitter, longest: loop.longestBackoff), .retry)
            }
            self = Rhythm()
            return (loop.resync * (1 + jitter / 10), .resync)
        }
    }

    /// The pause after something failed that may pass by itself.
    mutating func backoff(_ loop: LoopPace, jitter: Double) -> Duration { backoff(loop, jitter, longest: loop.longestBackoff) }

    private mutating func backoff(_ loop: LoopPace, _ jitter: Double, longest: Duration) -> Duration {
        setbacks += 1
        look = nil
        // Twenty doublings of a second are twelve days.
        let pause = loop.firstBackoff * (1 << min(setbacks - 1, 20))
        return min(pause, longest) * (1 + jitter / 5)
    }

    /// Troubles of the state and of the source that are nobody's decision.
    private static let passing: Set<String> = [
        "DiskFull", "Interrupted", "LockLost", "SourceUnreadable", "StateFailed", "StateNotPermitted", "StateUnreachable",
    ]
}
