/// How one flag stands: what the spec wants, what holds it back, what the store says.
public struct FlagStanding: Sendable, Hashable, Codable {
    /// CamelCase, stable: for status, JSON and metrics.
    public enum State: String, Sendable, Codable {
        case inSync = "InSync"
        /// A step of the plan sets it.
        case outOfSync = "OutOfSync"
        /// The spec kills it: off, whatever else is said.
        case killed = "Killed"
        /// Somebody switched it off by hand. It stays off until a commit says `kill: false` or `kill: true`.
        case killedOutOfBand = "KilledOutOfBand"
        /// The spec wants it on, and what its guard asks for is not pinned: off until it is.
        case guarded = "Guarded"
        /// It cannot be told whether its guard holds.
        case blocked = "Blocked"
        /// The store cannot tell how it is set.
        case unknown = "Unknown"
    }

    public var name: String
    /// As the spec writes it, whatever a kill or a guard says.
    public var pinned: FlagSetting
    /// What it is to be now: the pin, or off where a kill or a guard says so.
    public var desired: FlagSetting
    /// Nil when the store does not know it, when it serves no value of its own, or when that is unknown.
    public var current: FlagSetting?
    public var state: State
    /// Why it is not as pinned; nil when it is, and when it only has to be set.
    public var reason: String?
    /// True where the store knows the flag and gives applications no value for it: they use the default in their code.
    public var servesNothing: Bool

    public init(
        name: String, pinned: FlagSetting, desired: FlagSetting, current: FlagSetting?, state: State, reason: String? = nil,
        servesNothing: Bool = false
    ) {
        self.name = name
        self.pinned = pinned
        self.desired = desired
        self.current = current
        self.state = state
        self.reason = reason
        self.servesNothing = servesNothing
    }

    public var id: ResourceID { .flag(name) }

    /// True if the store shows what the spec asks for, its kill and its guard included.
    public var isInPlace: Bool { current == desired && [.inSync, .killed, .guarded].contains(state) }

    /// What the store shows, for people: `on`, `not there`, `unknown`.
    public var currentText: String {
        if state == .unknown { return "unknown" }
        return current?.description ?? (servesNothing ? FlagChange.noValue : FlagChange.notThere)
    }
}
