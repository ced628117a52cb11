/// The fixed phases, in their order.
public enum Phase: String, Sendable, Codable, CaseIterable, Comparable {
    case preflight
    case `guard`
    case disable
    case retreat
    case migrateDown = "migrate-down"
    case migrateUp = "migrate-up"
    case advance
    case verify
    case enable
    case contract
    case finish

    public static func < (left: Phase, right: Phase) -> Bool { left.position < right.position }

    /// Counted from 1.
    public var position: Int { (Self.allCases.firstIndex(of: self) ?? 0) + 1 }
}

/// What one pass would do, and why it would not do more. Prints nothing by itself; rendering is Planning's.
public struct Plan: Sendable, Hashable, Codable {
    public var system: SystemID
    public var revision: Revision
    /// In the order of the phases, and within a phase in the order in which they may run: a step stands behind what it waits for.
    public var steps: [Step]
    public var blocked: [Blocked]
    /// Facts that change nothing and that the reader should know.
    public var notes: [String]
    /// What every pin means, as far as it could be resolved.
    public var resolutions: [ResourceID: Resolution]
    /// Why it would not be carried out as it stands: an approval that is missing, an older revision, a first contact. Nil when it would.
    public var refusal: Problem?
    /// What would be lost, for which somebody has to answer; nil when nothing would be.
    public var approval: Approval?
    /// The record that `guard` writes; nil when nothing is to be opened or superseded.
    public var opening: Opening?
    /// What somebody else changed since it was last recorded, sorted by resource. Told until the pin is reached again.
    public var drifts: [Drift]
    /// How every flag of the system stands, by name.
    public var flags: [FlagStanding]

    public init(
        system: SystemID, revision: Revision, steps: [Step] = [], blocked: [Blocked] = [], notes: [String] = [],
        resolutions: [ResourceID: Resolution] = [:], opening: Opening? = nil, drifts: [Drift] = [], approval: Approval? = nil,
        flags: [FlagStanding] = []
    ) {
        self.system = system
        self.revision = revision
        self.steps = steps
        self.blocked = blocked
        self.notes = notes
        self.resolutions = resolutions
        self.opening = opening
        self.drifts = drifts
        self.approval = approval
        self.flags = flags
    }

    /// True if there is nothing to do and nothing in the way.
    public var isInSync: Bool { steps.isEmpty && blocked.isEmpty }

    /// True if carrying it out writes to a provider or a database.
    public var hasWrites: Bool { steps.contains { $0.action.isWrite } }

    public func steps(in phase: Phase) -> [Step] { steps.filter { $0.phase == phase } }

    /// What a transition begins with; its id and time are the executor's.
    public struct Opening: Sendable, Hashable, Codable {
        public var start: [ResourceID: ArtifactIdentity]
        public var target: [ResourceID: Resolution]
        public var directions: [ResourceID: Direction]
        public var obligations: [Obligation]
        /// What may be lost on the way; nil when nothing may.
        public var approved: Approval?
        /// With the windows that the spec gives them, of superseded transitions too.
        public var pinned: [ResourceID: [PinnedRelease]]

        public init(
            start: [ResourceID: ArtifactIdentity], target: [ResourceID: Resolution], directions: [ResourceID: Direction],
            obligations: [Obligation], approved: Approval? = nil, pinned: [ResourceID: [PinnedRelease]] = [:]
        ) {
            self.start = start
            self.target = target
            self.directions = directions
            self.obligations = obligations
            self.approved = approved
            self.pinned = pinned
        }
    }
}

/// One step of a plan.
public struct Step: Sendable, Hashable, Codable {
    /// Unique in its plan and the same in every plan that still holds it: `retreat/component/web`.
    public var id: String
    public var phase: Phase
    /// Nil for the steps of the system as a whole.
    public var resource: ResourceID?
    public var action: Action
    /// Ids of steps that must have succeeded before, those of earlier phases that it really needs included.
    public var after: [String]
    public var `class`: StepClass
    /// One line for people.
    public var summary: String
    /// More lines, for whoever wants to know why.
    public var details: [String]
    /// When it counts as done.
    public var gate: Gate
    public var deadline: Duration

    /// What a step that brings or awaits a release waits for.
    public enum Gate: String, Sendable, Codable {
        /// Served, healthy, its checks passed.
        case healthy
        /// No instance of any other release is left. Health is not asked: the schema that it needs comes after this step.
        case departed
    }

    public init(
        id: String, phase: Phase, resource: ResourceID? = nil, action: Action, after: [String] = [], class: StepClass = .instant,
        summary: String, details: [String] = [], gate: Gate = .healthy, deadline: Duration = .seconds(600)
    ) {
        self.id = id
        self.phase = phase
        self.resource = resource
        self.action = action
        self.after = after
        self.class = `class`
        self.summary = summary
        self.details = details
        self.gate = gate
        self.deadline = deadline
    }

    public enum Action: Sendable, Hashable, Codable {
        /// Preflight: the target still exists, the route is still there, the world is still as planned.
        case confirm
        /// Guard: write the transition record.
        case open
        /// Write, wait until it is served and healthy, run the component's checks.
        case release(ReleaseChange)
        /// The write was made, or somebody's is under way: wait, then run the component's checks.
        case await(Resolution)
        /// Only the checks are owed: of a component, the questions to a database's data, or of the system when the step names no resource.
        case check
        /// Guard: switch the provider's automation off; finish: bring it back.
        case fence(FenceChange)
        /// Guard: save a whole database.
        case backUp
        /// Move a schema by one migration.
        case migrate(MigrationChange)
        /// Disable and enable: set flags, all at once.
        case set([FlagChange])
        /// Stop a component that tolerates no schema in between; its release step in `advance` brings it back.
        case stop
        /// Finish: record the releases, close the transition.
        case close

        /// Empty for a step that sets no flags.
        public var flagChanges: [FlagChange] {
            guard case .set(let changes) = self else { return [] }
            return changes
        }

        /// True if it writes to a provider or a database.
        public var isWrite: Bool {
            switch self {
            case .release, .migrate, .set, .stop: true
            case .fence(let change): change.from != change.to
            case .confirm, .open, .backUp, .await, .check, .close: false
            }
        }
    }
}

/// A component's way from what is declared to what is pinned.
public struct ReleaseChange: Sendable, Hashable, Codable {
    /// Nil when nothing ran before.
    public var from: Release?
    public var to: Release
    public var resolution: Resolution
    public var route: Route

    public init(from: Release?, to: Release, resolution: Resolution, route: Route) {
        self.from = from
        self.to = to
        self.resolution = resolution
        self.route = route
    }
}

/// A resource for which there is no step although its pin is not reached, and why.
public struct Blocked: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Codable {
        /// The world or the provider stands in the way; the next pass may succeed. Counts as failed.
        case failure
        /// Somebody must decide: adoption, ownership, a refused rebuild, a plan without a valid order.
        case decision
        /// Something that it depends on is not done yet.
        case dependency
        /// A lost answer or somebody's operation must be awaited first.
        case waiting
    }

    public var resource: ResourceID
    public var kind: Kind
    public var problem: Problem

    public init(_ resource: ResourceID, _ kind: Kind, _ problem: Problem) {
        self.resource = resource
        self.kind = kind
        self.problem = problem
    }
}

/// How a step ended.
public enum Outcome: Sendable, Hashable, Codable {
    case succeeded(String)
    case failed(Problem)
    /// It was not begun, because something that it needs did not succeed.
    case skipped(String)
    /// It was not begun, or left at a safe point, because a newer revision is there.
    case superseded
    /// It was sent, or may have been, and the end was not seen: the next pass reads the world back.
    case undecided(Problem)

    public var isSuccess: Bool {
        guard case .succeeded = self else { return false }
        return true
    }
}
