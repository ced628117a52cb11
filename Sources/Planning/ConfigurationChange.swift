public import Model

/// What became of one key between two moments; never its value.
public struct ConfigurationChange: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case added, removed, changed
    }

    public var key: String
    public var kind: Kind

    public init(_ key: String, _ kind: Kind) {
        self.key = key
        self.kind = kind
    }
}

/// What was set otherwise then than now, sorted by key. Values of which nothing tells whether they are the same are left out.
public func configurationChanges(
    from then: [String: ConfigurationEntry], to now: [String: ConfigurationEntry]
) -> [ConfigurationChange] {
    Set(then.keys).union(now.keys).sorted().compactMap { key in
        switch (then[key], now[key]) {
        case (.some, nil): ConfigurationChange(key, .removed)
        case (nil, .some): ConfigurationChange(key, .added)
        case (let old?, let new?): old.isSame(as: new) == false ? ConfigurationChange(key, .changed) : nil
        case (nil, nil): nil
        }
    }
}
