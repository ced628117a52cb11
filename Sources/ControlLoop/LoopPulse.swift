/// How a loop stands at one moment, as its own task says.
public struct LoopPulse: Sendable, Hashable {
    /// How many systems there are.
    public var systems: Int
    /// How many parts the source has, and of how many nothing is applied because they do not load.
    public var parts: Int
    public var partsNotApplied: Int
    /// How many are worked on.
    public var working: Int
    /// How many are due and wait for a free place, by the reason.
    public var due: [LookReason: Int]
    /// How long the one that is due longest has waited.
    public var longestWait: Duration
    /// True once it was told to end.
    public var isStopping: Bool

    public init(
        systems: Int, parts: Int = 1, partsNotApplied: Int = 0, working: Int, due: [LookReason: Int], longestWait: Duration,
        isStopping: Bool
    ) {
        self.systems = systems
        self.parts = parts
        self.partsNotApplied = partsNotApplied
        self.working = working
        self.due = due
        self.longestWait = longestWait
        self.isStopping = isStopping
    }
}
