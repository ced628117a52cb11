/// A clock that tests can move, for pauses and limits.
struct FlyTime: Sendable {
    /// Since the process began to use it.
    let elapsed: @Sendable () -> Duration
    let sleep: @Sendable (Duration) async throws -> Void

    init(_ clock: any Clock<Duration>) {
        elapsed = Self.measure(clock)
        sleep = { try await clock.sleep(for: $0) }
    }

    private static func measure<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
