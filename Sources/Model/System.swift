/// The desired state of one system, as its spec document says it.
public struct System: Sendable {
    public var id: SystemID
    /// In the order of the document; names are unique.
    public var components: [Component]
    /// In the order of the document; names are unique.
    public var databases: [Database]
    public var flags: FeatureFlags?
    /// Digests of destructive sets that the spec approves.
    public var approvals: [String]
    /// The system's own smoke checks, run in phase `verify`.
    public var verify: [Check]
    /// Where the state is kept, as the spec says; nil leaves it to the command.
    public var statePlace: StatePlace?
    /// Where the document stands: `file:line:column`.
    public var origin: String

    public init(
        id: SystemID, components: [Component] = [], databases: [Database] = [], flags: FeatureFlags? = nil, approvals: [String] = [],
        verify: [Check] = [], statePlace: StatePlace? = nil, origin: String = ""
    ) {
        self.id = id
        self.components = components
        self.databases = databases
        self.flags = flags
        self.approvals = approvals
        self.verify = verify
        self.statePlace = statePlace
        self.origin = origin
    }
}

/// Where a spec says that state is kept.
public enum StatePlace: Sendable, Hashable {
    case directory(String)
    /// In the system's own database of this name.
    case database(String)
    /// In an object of a cluster: in the system's own namespace, and the kubeconfig's current context or the pod's own cluster, unless others
    /// are named.
    case cluster(namespace: String?, context: String?)

    /// Nil where it is kept elsewhere.
    public var directory: String? {
        guard case .directory(let directory) = self else { return nil }
        return directory
    }
}

/// One component: where it runs and which release it pins.
public struct Component: Sendable {
    public var name: String
    public var target: any Target
    public var release: Pin
    /// What must be served before this one when going forward, and leave after it when going back.
    public var after: [ResourceID]
    /// Which schema positions this release tolerates, per database name.
    public var requires: [String: VersionWindow]
    /// Run right after this component's own step.
    public var verify: [Check]
    /// Whether a field that another reconciler owns may be taken from it.
    public var takeOwnership: Bool
    /// Whether a release may be built anew where no artifact is left.
    public var allowRebuild: Bool
    public var configuration: Configuration
    /// Whether the provider's own automation is switched off while the release is pinned.
    public var isFenced: Bool
    /// How long a release may take from the first write until it is served and healthy.
    public var timeout: Duration

    public init(
        name: String, target: any Target, release: Pin, after: [ResourceID] = [], requires: [String: VersionWindow] = [:],
        verify: [Check] = [], takeOwnership: Bool = false, allowRebuild: Bool = false, configuration: Configuration = Configuration(),
        isFenced: Bool = true, timeout: Duration = .seconds(600)
    ) {
        self.name = name
        self.target = target
        self.release = release
        self.after = after
        self.requires = requires
        self.verify = verify
        self.takeOwnership = takeOwnership
        self.allowRebuild = allowRebuild
        self.configuration = configuration
        self.isFenced = isFenced
        self.timeout = timeout
    }

    public var id: ResourceID { .component(name) }
}

/// Where a component runs. Each provider declares its own. Codable, because a fence is remembered with its target.
public protocol Target: Sendable, Codable {
    /// The provider's name, which is also the target's key in a spec: `vercel`.
    static var provider: String { get }
    /// What two systems must not both claim, unique within the provider: `acme/podcast-web`.
    var identity: String { get }
    /// Within which a name of a release always means the same: provider and identity, and whatever part of the target is pinned.
    /// What was recorded for another scope means nothing for this target.
    var scope: String { get }
    /// The target with its paths as `resolve` makes them. Paths in a spec are relative to the spec file.
    func resolvingPaths(_ resolve: (String) -> String) -> Self
    /// Where in a cluster it is; nil for what is in none.
    var clusterPlace: ClusterPlace? { get }
}

/// A namespace of a cluster.
public struct ClusterPlace: Sendable, Hashable {
    /// The kubeconfig's context; nil: the current one, or the pod's own cluster.
    public var context: String?
    public var namespace: String

    public init(context: String?, namespace: String) {
        self.context = context
        self.namespace = namespace
    }
}

extension Target {
    /// For the targets that name no files.
    public func resolvingPaths(_ resolve: (String) -> String) -> Self { self }
    public var clusterPlace: ClusterPlace? { nil }
    public var scope: String { "\(provider)/\(identity)" }
    public var provider: String { Self.provider }
}

/// A range of schema positions, both ends included; nil is open.
public struct VersionWindow: Sendable, Hashable, Codable {
    public var lowest: String?
    public var highest: String?

    public init(lowest: String? = nil, highest: String? = nil) {
        self.lowest = lowest
        self.highest = highest
    }
}
