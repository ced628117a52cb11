public import Execution
public import Model
public import Planning
public import Sources

/// What a source's files were read as.
public struct Loading: Sendable {
    public var systems: [System]
    /// Every mistake, as it is shown; nothing of the revision is applied unless there is none.
    public var mistakes: [String]
    public var notes: [String]

    public init(systems: [System], mistakes: [String] = [], notes: [String] = []) {
        self.systems = systems
        self.mistakes = mistakes
        self.notes = notes
    }
}

/// What happens in the loop, as it happens. What is so already is not told again.
public enum LoopEvent: Sendable {
    /// A revision that loads, and is what is wanted from now on.
    case loaded(Revision, [SystemID], notes: [String])
    /// Of the revision that is told to be loaded next: what it says of these systems is what was wanted before, they are in sync with it, and
    /// none is looked at for it.
    case unmoved(Revision, [SystemID])
    /// A revision that does not load: nothing of it is applied, and the systems that were wanted before are only looked at until one does.
    /// The origin is the part of the source, empty where there is only one.
    case rejected(Revision, mistakes: [String], watched: [SystemID], origin: String)
    /// The source cannot be read at all, or the part of it that is named; as with a rejected revision, nothing is applied until it can.
    case unreadable(SourceError, watched: [SystemID], origin: String)
    /// The host of the source does not answer. What was read last is wanted as before.
    case outOfReach(SourceError)
    /// It answers again; with the revision where there is only one.
    case inReach(Revision?)
    /// The specs name it no more: it is left as it is.
    case left(SystemID)
    /// Systems that this process works on from now on, with what was told last of the part of the source that they come from.
    indirect case tookOver([SystemID], LoopEvent)
    /// A system that is to go was let go of, or could not be: then `again` is the pause until the next attempt.
    case letGo(LettingGo, again: Duration?)
    case execution(SystemID, ExecutionEvent)
    /// A pass ended, whatever it found; told of every pass that was not taken over by a newer revision. `again` is the pause until the next.
    case passed(PassReport, again: Duration)
    /// A pass ended otherwise than the one before, or changed something. `again` is the pause until the next, where one is due before the resync.
    case ended(PassReport, again: Duration?)
    /// A pass that was ended between two steps because the loop is to end.
    case interrupted(PassReport)
    /// What was seen of a system while nothing is applied.
    case observed(SystemID, Result<ObservedDifference, Problem>)
    /// Steps that are under way are finished, and no others begun.
    case stopping([SystemID])
    case stopped

    public struct ObservedDifference: Sendable, Hashable {
        /// How many changes would be made if anything was.
        public var changes: Int
        public var verdict: Verdict
    }
}
