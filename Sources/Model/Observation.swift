/// What a provider says of one component now.
public struct Observation: Sendable, Hashable, Codable {
    public var live: Live
    public var settlement: Settlement
    /// Releases that one could go to, the newest first, the live one among them. Only as complete as was asked for.
    public var candidates: [Candidate]
    /// A provider operation under way that must not be overlapped: adopted when it leads to the pin, awaited when not.
    public var operation: Operation?
    /// How the configuration is set; nil where the provider has none, or where it was not asked for and costs requests.
    public var configuration: ObservedConfiguration?
    /// What deploys by itself here; nil where nothing does.
    public var automation: Automation?
    /// Whether it can be stopped, and is; nil where the provider says nothing of it.
    public var stoppage: Stoppage?
    /// Who made what is declared now, and when, where the provider tells: `push of 9f2c1ab to main by ann, 14:02`.
    public var cause: String?
    /// What became of the write whose answer was lost; nil when none was asked about.
    public var fate: IntentFate?
    /// Why nothing may be written here, though the provider answers: another reconciler owns the field, for instance.
    public var blocker: Problem?
    /// Facts worth showing in status and plan: `auto-assignment of domains is off since the rollback of …`. Sorted by importance.
    public var notes: [String]
    /// The provider's own clock when it answered; nil when it told none.
    public var providerTime: Timestamp?

    public init(
        live: Live, settlement: Settlement = .settled, candidates: [Candidate] = [], operation: Operation? = nil, fate: IntentFate? = nil,
        blocker: Problem? = nil, notes: [String] = [], providerTime: Timestamp? = nil, configuration: ObservedConfiguration? = nil,
        automation: Automation? = nil, cause: String? = nil, stoppage: Stoppage? = nil
    ) {
        self.live = live
        self.settlement = settlement
        self.candidates = candidates
        self.operation = operation
        self.fate = fate
        self.blocker = blocker
        self.notes = notes
        self.providerTime = providerTime
        self.configuration = configuration
        self.automation = automation
        self.cause = cause
        self.stoppage = stoppage
    }

    /// Nothing could be read.
    public static func unknown(_ problem: Problem) -> Observation {
        Observation(live: .unknown(problem), settlement: .unknown(problem))
    }
}

/// Which release is live.
public enum Live: Sendable, Hashable, Codable {
    /// Not an absence and not health: nobody knows.
    case unknown(Problem)
    /// The target exists and has never had a release.
    case nothing
    /// `declared` is what the provider is set to; `serving` is everything whose code can still run, both sides of a rollout included.
    case release(declared: Release, serving: [Release])

    public var declared: Release? {
        guard case .release(let declared, _) = self else { return nil }
        return declared
    }

    public var serving: [Release] {
        guard case .release(_, let serving) = self else { return [] }
        return serving
    }

    /// Why it is unknown; nil when it is known.
    public var problem: Problem? {
        guard case .unknown(let problem) = self else { return nil }
        return problem
    }
}

/// Whether the declared release has arrived.
public enum Settlement: Sendable, Hashable, Codable {
    /// Served everywhere and healthy, as far as the provider can tell.
    case settled
    /// On its way; the text says how far: `2 of 3 replicas updated`.
    case progressing(String)
    /// It will not arrive by itself.
    case failed(Problem)
    /// The provider could not tell.
    case unknown(Problem)
}

/// A provider operation under way.
public struct Operation: Sendable, Hashable, Codable {
    /// For people: `rollback to dpl_7HxQ2m, requested 12 s ago`.
    public var summary: String
    /// What will be declared when it ends; nil when that cannot be told.
    public var leadsTo: [ArtifactIdentity]

    public init(summary: String, leadsTo: [ArtifactIdentity]) {
        self.summary = summary
        self.leadsTo = leadsTo
    }
}

/// What became of a write whose answer was lost.
public enum IntentFate: Sendable, Hashable, Codable {
    case tookEffect
    case inFlight
    /// It ended without leading there: a build that failed, a deploy that somebody cancelled.
    case failed(Problem)
    /// No trace of it, and the provider's visibility bound has passed by its own clock: it may be sent again.
    case void
    /// No trace yet; it may still appear.
    case undecided(String)
}

/// Everything that was observed for one system in one pass.
public struct World: Sendable, Hashable, Codable {
    public var components: [ResourceID: Observation]
    public var databases: [ResourceID: DatabaseObservation]
    public var flags: [ResourceID: FlagObservation]

    public init(
        components: [ResourceID: Observation] = [:], databases: [ResourceID: DatabaseObservation] = [:],
        flags: [ResourceID: FlagObservation] = [:]
    ) {
        self.components = components
        self.databases = databases
        self.flags = flags
    }
}
