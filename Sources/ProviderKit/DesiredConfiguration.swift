public import Model

/// The values that a component's configuration must have, read from where the spec points.
public struct DesiredConfiguration: Sendable, Hashable {
    public struct Value: Sendable, Hashable {
        public var secret: Secret
        /// True if the spec only refers to it: it goes where the provider keeps secrets. False for a literal of the spec.
        public var isReference: Bool
        /// As ``ConfigurationKeeper/entry(_:_:)`` makes it.
        public var fingerprint: String
        /// True if it is what was recorded with the pinned release, and the spec does not name the key: a kept artifact that carries its
        /// configuration with it has it already.
        public var isRestored: Bool

        public init(_ secret: Secret, isReference: Bool, fingerprint: String, isRestored: Bool = false) {
            self.secret = secret
            self.isReference = isReference
            self.fingerprint = fingerprint
            self.isRestored = isRestored
        }
    }

    /// By key.
    public var values: [String: Value]
    /// True if keys that are not named here must not be set.
    public var isExact: Bool
    /// True if an undo brings back what was set with the release: a provider that keeps whole old settings may take them, with ``values`` on
    /// top. What was recorded sealed is among ``values`` already.
    public var restores: Bool

    public init(values: [String: Value] = [:], isExact: Bool = false, restores: Bool = false) {
        self.values = values
        self.isExact = isExact
        self.restores = restores
    }
}

/// Turns a value into what may be remembered and shown of it.
public struct ConfigurationKeeper: Sendable {
    private let make: @Sendable (_ key: String, _ value: Secret) -> ConfigurationEntry

    /// - Parameter make: deterministic: the same key and value give the same entry.
    public init(_ make: @escaping @Sendable (_ key: String, _ value: Secret) -> ConfigurationEntry) { self.make = make }

    /// The entry of a value that the provider tells in clear, with the provider's own mark of it.
    public func entry(_ key: String, _ value: Secret, marker: String? = nil) -> ConfigurationEntry {
        var entry = make(key, value)
        entry.marker = marker
        return entry
    }

    /// Remembers nothing: for observations whose configuration nobody asks for.
    public static let none = ConfigurationKeeper { _, _ in ConfigurationEntry() }
}

extension DesiredConfiguration {
    /// What differs from what is set, sorted by key.
    ///
    /// - Parameters:
    ///   - settings: what is set, by key, without what the provider itself puts there.
    ///   - known: what was last recorded of the settings; a value that cannot be read back is the desired one if it has the recorded marker
    ///     and the recorded fingerprint is the desired one's.
    public func differences(
        from settings: [String: ConfigurationEntry], known: [String: ConfigurationEntry]
    ) -> [ConfigurationDifference] {
        var found: [ConfigurationDifference] = []
        for (key, value) in values {
            guard let set = settings[key] else {
                found.append(ConfigurationDifference(key, .missing))
                continue
            }
            if let fingerprint = set.fingerprint {
                if fingerprint != value.fingerprint { found.append(ConfigurationDifference(key, .changed)) }
            } else if let marker = set.marker, let before = known[key], before.marker == marker, let fingerprint = before.fingerprint {
                if fingerprint != value.fingerprint { found.append(ConfigurationDifference(key, .changed)) }
            } else {
                found.append(ConfigurationDifference(key, .unverified))
            }
        }
        if isExact { found += settings.keys.filter { values[$0] == nil }.map { ConfigurationDifference($0, .extra) } }
        return found.sorted()
    }
}
