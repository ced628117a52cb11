/// What the spec says of a component's configuration: where the value of each key is to be read, and what becomes of other keys.
public struct Configuration: Sendable, Hashable {
    /// Where a value stands. Only a literal stands in the spec itself.
    public enum Source: Sendable, Hashable {
        case literal(String)
        /// A variable of the process's environment.
        case environment(String)
        /// A file, without its last newline.
        case file(String)
        /// A key of a Kubernetes Secret; without a namespace, the one of the cluster connection.
        case kubernetesSecret(namespace: String?, name: String, key: String)
    }

    public enum Policy: String, Sendable, Hashable, CaseIterable {
        /// Keys that the spec does not name are left alone.
        case named
        /// Keys that the spec does not name are removed.
        case exact
    }

    /// By key: `API_URL`.
    public var sources: [String: Source]
    public var policy: Policy
    /// Whether an undo brings the keys that the spec does not name back to what was recorded with the release.
    public var restores: Bool

    public init(sources: [String: Source] = [:], policy: Policy = .named, restores: Bool = false) {
        self.sources = sources
        self.policy = policy
        self.restores = restores
    }

    /// True if an undo brings keys back. Never where keys that the spec does not name are removed: they would go again at once.
    public var bringsBack: Bool { restores && policy == .named }

    /// True if it asks for nothing: the component's configuration is not managed.
    public var isEmpty: Bool { sources.isEmpty && policy == .named && !restores }
}

/// What is known of one value without knowing the value.
public struct ConfigurationEntry: Sendable, Hashable, Codable {
    /// A keyed hash of key and value, hexadecimal; nil when the value cannot be read back.
    public var fingerprint: String?
    /// The provider's own mark of this version of the value: a digest, a time, the name of an object. It changes when somebody changes the
    /// value. Nil where the provider has none.
    public var marker: String?
    /// The value, encrypted with the key that the operator holds; nil when there is none, or when the value cannot be read back.
    public var sealed: String?
    /// True if what was declared is known to have run with this value: it was named by the spec then, and nothing differed. Only in records.
    public var ran: Bool?

    public init(fingerprint: String? = nil, marker: String? = nil, sealed: String? = nil, ran: Bool? = nil) {
        self.fingerprint = fingerprint
        self.marker = marker
        self.sealed = sealed
        self.ran = ran
    }

    /// Whether both stand for the same value, as far as can be told: nil when nothing tells.
    public func isSame(as other: ConfigurationEntry) -> Bool? {
        if let fingerprint, let theirs = other.fingerprint { return fingerprint == theirs }
        if let marker, let theirs = other.marker { return marker == theirs }
        return nil
    }
}

/// A component's configuration as it is set at its provider.
public struct ObservedConfiguration: Sendable, Hashable, Codable {
    /// What is set, by key. What the provider itself puts there is left out.
    public var settings: [String: ConfigurationEntry]
    /// What keeps it from being as desired, sorted by key; empty when it is.
    public var differences: [ConfigurationDifference]
    /// The way to what is desired for the release that is declared: one route, however many keys differ. Nil when nothing differs.
    /// A change of release takes the differences along by its own route.
    public var route: Route?
    /// Why the desired values are not known: a variable that is not set, for instance. Then nothing of the component may be written.
    public var problem: Problem?
    /// What is to be remembered once the open intent is seen to have taken effect, though its answer was lost: of a key that it removed, for
    /// instance. What it set is told by its route's key.
    public var learned: [String: ConfigurationEntry]

    public init(
        settings: [String: ConfigurationEntry] = [:], differences: [ConfigurationDifference] = [], route: Route? = nil,
        problem: Problem? = nil, learned: [String: ConfigurationEntry] = [:]
    ) {
        self.settings = settings
        self.differences = differences
        self.route = route
        self.problem = problem
        self.learned = learned
    }

    /// The settings as they are recorded with a release that nothing differs from: `running` are the keys that it is known to run with.
    public func recorded(
        _ known: [String: ConfigurationEntry], running: Set<String>
    ) -> [String: ConfigurationEntry] {
        var recorded = remembered(known)
        for key in running { recorded[key]?.ran = true }
        return recorded
    }

    /// The settings as they are remembered: the fingerprint of a value that cannot be read back is known from when it was written, as long
    /// as the provider's mark of it is the same.
    public func remembered(_ known: [String: ConfigurationEntry]) -> [String: ConfigurationEntry] {
        var remembered = settings
        for (key, entry) in settings where entry.fingerprint == nil && entry.marker != nil {
            guard let before = known[key], before.marker == entry.marker else { continue }
            remembered[key] = before
        }
        return remembered
    }
}

/// One key that is not as desired.
public struct ConfigurationDifference: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Codable {
        /// It is not set.
        case missing
        /// It has another value.
        case changed
        /// It is set and must not be.
        case extra
        /// Its value cannot be read back, and nothing that was recorded tells that it is the desired one: it is set once.
        case unverified
        /// It is set, and what runs was started without it.
        case notApplied
    }

    public var key: String
    public var kind: Kind

    public init(_ key: String, _ kind: Kind) {
        self.key = key
        self.kind = kind
    }
}

extension ConfigurationDifference: Comparable {
    public static func < (left: ConfigurationDifference, right: ConfigurationDifference) -> Bool {
        (left.key, left.kind.rawValue) < (right.key, right.kind.rawValue)
    }
}
