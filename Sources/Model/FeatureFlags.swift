/// The feature flags that a spec pins, and where they are kept.
public struct FeatureFlags: Sendable {
    public var store: any FlagTarget
    /// In the order of the document; names are unique.
    public var flags: [FeatureFlag]
    /// How long applications may see the old value after a change; nil for what the store promises.
    public var propagation: Duration?

    public init(store: any FlagTarget, flags: [FeatureFlag], propagation: Duration? = nil) {
        self.store = store
        self.flags = flags
        self.propagation = propagation
    }
}

/// Where flags are kept. Each store declares its own.
public protocol FlagTarget: Sendable {
    /// The store's name, which is also its key in a spec: `sql`.
    static var store: String { get }
    /// What two systems must not both claim, for one flag: `main/feature_flags`.
    var identity: String { get }
    /// The database of the system that it lives in; nil where it lives elsewhere.
    var database: String? { get }
    /// Whether a flag may serve something else than on and off.
    static var hasVariants: Bool { get }
    /// The target with its paths as `resolve` makes them.
    func resolvingPaths(_ resolve: (String) -> String) -> Self
    /// Where in a cluster it is; nil for what is in none.
    var clusterPlace: ClusterPlace? { get }
}

extension FlagTarget {
    public func resolvingPaths(_ resolve: (String) -> String) -> Self { self }
    public var database: String? { nil }
    public var clusterPlace: ClusterPlace? { nil }
    public static var hasVariants: Bool { true }
    public var store: String { Self.store }
    /// For people: `sql/main/feature_flags`.
    public var place: String { "\(store)/\(identity)" }
}

/// One flag and its pin.
public struct FeatureFlag: Sendable, Hashable, Codable {
    public var name: String
    public var setting: FlagSetting
    /// True: off whatever else is said, and what else is said is kept. False, written out, clears a kill that somebody made by hand.
    public var kill: Bool?
    public var `guard`: FlagGuard?

    public init(name: String, setting: FlagSetting, kill: Bool? = nil, guard: FlagGuard? = nil) {
        self.name = name
        self.setting = setting
        self.kill = kill
        self.guard = `guard`
    }

    public var id: ResourceID { .flag(name) }
}

/// How a flag is set.
public struct FlagSetting: Sendable, Hashable, Codable {
    public var isOn: Bool
    /// For how many percent of the users, from 0 to 100; nil for all of them.
    public var rollout: Int?
    /// The variant that is served where it is on; nil for the store's own `on`.
    public var variant: String?

    public init(isOn: Bool, rollout: Int? = nil, variant: String? = nil) {
        self.isOn = isOn
        self.rollout = rollout
        self.variant = variant
    }

    public static let off = FlagSetting(isOn: false)

    /// True if somebody is served it: on, and not for 0 %.
    public var isServed: Bool { isOn && rollout != 0 }
}

extension FlagSetting: CustomStringConvertible {
    /// For people: `on`, `off`, `on for 25 %`, `blue for 10 %`.
    public var description: String {
        guard isOn else { return "off" }
        return (variant ?? "on") + (rollout.map { " for \($0) %" } ?? "")
    }
}

/// What must be there before a flag may be on.
public struct FlagGuard: Sendable, Hashable, Codable {
    public var component: String?
    /// The oldest release of ``component`` whose code knows the flag.
    public var release: String?
    public var database: String?
    /// The schema position that the flag's code needs at least.
    public var schema: String?

    public init(component: String? = nil, release: String? = nil, database: String? = nil, schema: String? = nil) {
        self.component = component
        self.release = release
        self.database = database
        self.schema = schema
    }
}

/// What a store says of one flag now.
public struct FlagObservation: Sendable, Hashable, Codable {
    /// Nil when the store does not know the flag, or when it is unknown.
    public var setting: FlagSetting?
    /// Why nobody knows.
    public var problem: Problem?
    /// How this version of it is told from another, for compare-and-set: a digest, an update time.
    public var marker: String?
    /// Facts for status and plan: `2 tenants have a row of their own, which is left alone`.
    public var notes: [String]

    public init(setting: FlagSetting? = nil, problem: Problem? = nil, marker: String? = nil, notes: [String] = []) {
        self.setting = setting
        self.problem = problem
        self.marker = marker
        self.notes = notes
    }

    /// True if the store knows the flag and gives applications no value for it, so that they use the default in their code: neither off nor
    /// missing.
    public var servesNothing: Bool { setting == nil && problem == nil && marker != nil }
}

/// One flag's way from how it is set to how it is to be.
public struct FlagChange: Sendable, Hashable, Codable {
    public var name: String
    /// Nil when the store does not know it yet.
    public var from: FlagSetting?
    public var to: FlagSetting
    /// The observation's marker: a change made in between is not overwritten.
    public var marker: String?

    public init(name: String, from: FlagSetting?, to: FlagSetting, marker: String?) {
        self.name = name
        self.from = from
        self.to = to
        self.marker = marker
    }
}

extension FlagChange: CustomStringConvertible {
    /// For people: `new_player: from off to on`.
    public var description: String { "\(name): from \(from?.description ?? (marker == nil ? Self.notThere : Self.noValue)) to \(to)" }

    static let notThere = "not there"
    static let noValue = "no value of its own"
}
