public import Model

/// What a loop does that is no event, for whoever measures it. Every function must return at once.
public struct LoopProbe: Sendable {
    /// How the source was read.
    public enum Reading: String, Sendable {
        case ok
        /// Its host did not answer, and what was read before is kept.
        case kept
        case failed
    }

    public var read: @Sendable (Reading) -> Void
    /// A pass, or a look where nothing is applied, begins, and how long ago it was due.
    public var began: @Sendable (SystemID, LookReason, _ waited: Duration) -> Void
    /// A pass ended, and how long it took. Told after its last event, and before the loop's own of it.
    public var ended: @Sendable (PassReport, _ took: Duration) -> Void
    /// Nothing is under way any more.
    public var resting: @Sendable () -> Void

    public init(
        read: @escaping @Sendable (Reading) -> Void = { _ in },
        began: @escaping @Sendable (SystemID, LookReason, _ waited: Duration) -> Void = { _, _, _ in },
        ended: @escaping @Sendable (PassReport, _ took: Duration) -> Void = { _, _ in }, resting: @escaping @Sendable () -> Void = {}
    ) {
        self.read = read
        self.began = began
        self.ended = ended
        self.resting = resting
    }
}
