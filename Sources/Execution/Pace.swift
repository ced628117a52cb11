/// How often the executor looks, and how long at most it waits.
public struct Pace: Sendable, Hashable {
    /// The pause after the first look at a rollout; every further one is half as long again.
    public var firstPause: Duration
    public var longestPause: Duration
    /// Bounds every phase, unless the deadline of one of its steps is later; steps that have not begun by then do not begin.
    public var phase: Duration
    /// The longest `Retry-After` that is waited for within a step; longer ones are the next pass's.
    public var longestRetryAfter: Duration
    /// How old an observation may be on which a write is based.
    public var freshness: Duration
    /// Bounds one attempt of a check.
    public var checkAttempt: Duration

    public init(
        firstPause: Duration = .seconds(1), longestPause: Duration = .seconds(10), phase: Duration = .seconds(3600),
        longestRetryAfter: Duration = .seconds(120), freshness: Duration = .seconds(10), checkAttempt: Duration = .seconds(10)
    ) {
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.phase = phase
        self.longestRetryAfter = longestRetryAfter
        self.freshness = freshness
        self.checkAttempt = checkAttempt
    }

    /// The same with pauses shorter by a factor, for a world that runs faster.
    public func sped(up factor: Double) -> Pace {
        var pace = self
        pace.firstPause = firstPause / factor
        pace.longestPause = longestPause / factor
        return pace
    }

    func pause(after pause: Duration) -> Duration { min(pause * 3 / 2, longestPause) }
}
