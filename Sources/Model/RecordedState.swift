/// What is remembered about a system: the planner's third input. Evidence of what was decided and sent, never of what is so.
public struct RecordedState: Sendable, Hashable, Codable {
    /// False before the first contact.
    public var isKnown: Bool
    public var accepted: Revision?
    public var transition: Transition?
    /// Per resource, the oldest first.
    public var releases: [ResourceID: [ReleaseRecord]]
    public var resolutions: [ResourceID: Resolution]
    /// Writes whose effect has not been observed yet, answered or not, at most one per resource.
    public var openIntents: [ResourceID: Intent]
    /// What is known of each component's configuration, as Belay last wrote or recorded it.
    public var configurations: [ResourceID: [String: ConfigurationEntry]]
    /// Fences that are up, or were being put up when the process ended.
    public var fences: [ResourceID: Fence]
    /// Components that Belay has stopped, or was stopping when the process ended; forgotten when a release of theirs is recorded again.
    public var stops: [ResourceID: Stop]
    /// What was last told of a component that had drifted; forgotten when its pin is reached again.
    public var drifts: [ResourceID: Drift]
    /// How each flag was pinned and set when that was last seen to be so.
    public var flags: [String: FlagRecord]

    public init(
        isKnown: Bool = false, accepted: Revision? = nil, transition: Transition? = nil, releases: [ResourceID: [ReleaseRecord]] = [:],
        resolutions: [ResourceID: Resolution] = [:], openIntents: [ResourceID: Intent] = [:],
        configurations: [ResourceID: [String: ConfigurationEntry]] = [:], fences: [ResourceID: Fence] = [:],
        stops: [ResourceID: Stop] = [:],
        drifts: [ResourceID: Drift] = [:], flags: [String: FlagRecord] = [:]
    ) {
        self.isKnown = isKnown
        self.accepted = accepted
        self.transition = transition
        self.releases = releases
        self.resolutions = resolutions
        self.openIntents = openIntents
        self.configurations = configurations
        self.fences = fences
        self.stops = stops
        self.drifts = drifts
        self.flags = flags
    }
}

extension RecordedState {
    /// The write to the component's present target whose end was not seen; nil when there is none. One to a target that it had before is
    /// nothing to wait for.
    public func openIntent(of component: Component) -> Intent? {
        openIntents[component.id].flatMap { $0.resolution.holds(for: component.target) ? $0 : nil }
    }
}

/// A release that was once reached, with what was known of it then.
public struct ReleaseRecord: Sendable, Hashable, Codable {
    public enum Quality: String, Sendable, Codable {
        /// Its checks passed.
        case good
        /// It was served; nothing checked it.
        case servedUnverified
    }

    public var resolution: Resolution
    public var quality: Quality
    /// The window that the spec gave this release when it was pinned.
    public var requires: [String: VersionWindow]
    /// Where each schema stood when it was last recorded good.
    public var schemas: [String: String]
    /// How its configuration was set when it was last recorded; nil where that is not known.
    public var configuration: [String: ConfigurationEntry]?
    /// The provider's own id of what was declared then: of several builds of one artifact, the one that the configuration belongs to.
    public var deployment: String?
    public var reached: Timestamp

    public init(
        resolution: Resolution, quality: Quality, requires: [String: VersionWindow] = [:], schemas: [String: String] = [:],
        configuration: [String: ConfigurationEntry]? = nil, deployment: String? = nil, reached: Timestamp
    ) {
        self.resolution = resolution
        self.quality = quality
        self.requires = requires
        self.schemas = schemas
        self.configuration = configuration
        self.deployment = deployment
        self.reached = reached
    }
}

/// A flag as it was last left: with it, what somebody did by hand since can be told.
public struct FlagRecord: Sendable, Hashable, Codable {
    /// As the spec pinned it then.
    public var flag: FeatureFlag
    public var setting: FlagSetting
    /// Why it was set by hand, and by whom; nil when the spec was followed.
    public var reason: String?

    public init(flag: FeatureFlag, setting: FlagSetting, reason: String? = nil) {
        self.flag = flag
        self.setting = setting
        self.reason = reason
    }
}

/// Before or after the schema moves.
public enum Direction: String, Sendable, Codable {
    case retreat, advance
}

/// The durable record of one way from a start state to a target, opened by `guard`, closed by `finish`.
public struct Transition: Sendable, Hashable, Codable {
    public var id: String
    public var revision: Revision
    /// What was declared when it was opened.
    public var start: [ResourceID: ArtifactIdentity]
    public var target: [ResourceID: Resolution]
    /// Decided once, so that planning again from the middle keeps the order.
    public var directions: [ResourceID: Direction]
    /// What is still owed before it may be closed.
    public var obligations: [Obligation]
    /// What was approved to be lost on this way, and is spent with it; nil when nothing was.
    public var approved: Approval?
    /// The releases that this way and those that it superseded led to, with the windows that the spec gave them then: any of them may run.
    public var pinned: [ResourceID: [PinnedRelease]]
    public var opened: Timestamp

    public init(
        id: String, revision: Revision, start: [ResourceID: ArtifactIdentity], target: [ResourceID: Resolution],
        directions: [ResourceID: Direction], obligations: [Obligation], approved: Approval? = nil,
        pinned: [ResourceID: [PinnedRelease]] = [:], opened: Timestamp
    ) {
        self.id = id
        self.revision = revision
        self.start = start
        self.target = target
        self.directions = directions
        self.obligations = obligations
        self.approved = approved
        self.pinned = pinned
        self.opened = opened
    }
}

/// A release that was pinned, and what it tolerates of each schema.
public struct PinnedRelease: Sendable, Hashable, Codable {
    public var resolution: Resolution
    public var requires: [String: VersionWindow]

    public init(resolution: Resolution, requires: [String: VersionWindow]) {
        self.resolution = resolution
        self.requires = requires
    }
}

/// Something that an open transition still owes.
public enum Obligation: Sendable, Hashable, Codable {
    /// The component's own checks on the release that the transition pins, or the questions to a database's data.
    case check(ResourceID)
    /// The system's smoke checks.
    case systemChecks
}

extension Obligation: CustomStringConvertible {
    public var description: String {
        switch self {
        case .check(let resource): "checks of \(resource)"
        case .systemChecks: "checks of the system"
        }
    }
}

/// A write that is about to be sent, durable before it is.
public struct Intent: Sendable, Hashable, Codable {
    /// Unique; goes into the provider's metadata where it has a place for it.
    public var id: String
    public var resource: ResourceID
    public var route: Route
    /// What the write should lead to.
    public var resolution: Resolution
    /// Of the configuration value that its route's key gets; nil when it writes none.
    public var fingerprint: String?
    /// The provider's clock at the observation before the write; nil when it told none.
    public var providerTime: Timestamp?
    /// Belay's own clock, for people.
    public var written: Timestamp

    public init(
        id: String, resource: ResourceID, route: Route, resolution: Resolution, fingerprint: String? = nil, providerTime: Timestamp?,
        written: Timestamp
    ) {
        self.id = id
        self.resource = resource
        self.route = route
        self.resolution = resolution
        self.fingerprint = fingerprint
        self.providerTime = providerTime
        self.written = written
    }
}
