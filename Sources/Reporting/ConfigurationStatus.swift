public import Model

/// Whether a component's configuration is as the spec says. Names of keys only, never a value.
public struct ConfigurationStatus: Sendable, Hashable {
    /// How many keys the spec names.
    public var managed: Int
    /// True if other keys must not be set.
    public var isExact: Bool
    /// Nil when it is not known.
    public var differences: [ConfigurationDifference]?

    /// Nil for a component whose configuration is not managed.
    init?(_ component: Component, _ observation: Observation?) {
        guard !component.configuration.isEmpty else { return nil }
        managed = component.configuration.sources.count
        isExact = component.configuration.policy == .exact
        let observed = observation?.configuration
        differences = observed?.problem == nil ? observed?.differences : nil
    }

    /// Nil when it is not known.
    public var isInSync: Bool? { differences?.isEmpty }

    /// `3 keys managed, in sync`, or `API_URL differs, SENTRY_DSN is not set; 3 keys managed`.
    var words: String {
        let count = "\(managed) \(managed == 1 ? "key" : "keys") managed" + (isExact ? ", no others allowed" : "")
        guard let differences else { return "\(count), not known whether they are set so" }
        guard !differences.isEmpty else { return "\(count), in sync" }
        return differences.map(\.words).joined(separator: ", ") + "; \(count)"
    }
}

extension ConfigurationDifference {
    var words: String {
        switch kind {
        case .missing: "\(key) is not set"
        case .changed: "\(key) differs"
        case .extra: "\(key) is set and not named"
        case .unverified: "\(key) cannot be read back"
        case .notApplied: "\(key) is set and not in effect yet"
        }
    }
}
