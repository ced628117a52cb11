/// Measures with a clock of unknown kind.
public struct Stopwatch {
    private let measure: () -> Duration
    private let clock: any Clock<Duration>

    /// Starts now.
    public init(_ clock: any Clock<Duration>) {
        self.clock = clock
        measure = Self.measure(clock)
    }

    public var elapsed: Duration { measure() }

    public func sleep(_ duration: Duration) async throws { try await clock.sleep(for: duration) }

    private static func measure<C: Clock<Duration>>(_ clock: C) -> () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
