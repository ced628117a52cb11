import Model
import ProviderKit

/// What the clauses of configuration need to know of a world, for providers that set configuration.
///
/// In that world the component's settings are quiet: what is set has reached what runs.
public struct ContractConfiguration: Sendable {
    public struct Value: Sendable {
        public var key: String
        public var text: String
        /// As ``DesiredConfiguration/Value/isReference``.
        public var isReference: Bool

        public init(_ key: String, _ text: String, isReference: Bool = true) {
            self.key = key
            self.text = text
            self.isReference = isReference
        }
    }

    /// What is set at first, by people; at least one of the keys is not wanted.
    public var present: [Value]
    /// What is to be set: at least two keys, one of them not set yet and one with another value than it has.
    public var wanted: [Value]
    /// Whether the simulator holds this very value of a key: asked of its own books, not of the provider.
    public var holds: @Sendable (_ key: String, _ text: String) async -> Bool
    /// Sets a key as somebody does in the vendor's dashboard, so that it has reached what runs.
    public var setByHand: @Sendable (_ key: String, _ text: String) async -> Void
    /// How many deployments, restarts or rollouts took effect since the beginning, from the simulator's own books; writes of keys alone are
    /// none.
    public var deployments: @Sendable () async -> Int

    public init(
        present: [Value], wanted: [Value], holds: @escaping @Sendable (_ key: String, _ text: String) async -> Bool,
        setByHand: @escaping @Sendable (_ key: String, _ text: String) async -> Void, deployments: @escaping @Sendable () async -> Int
    ) {
        self.present = present
        self.wanted = wanted
        self.holds = holds
        self.setByHand = setByHand
        self.deployments = deployments
    }
}

extension ContractConfiguration {
    static let keeper = ConfigurationKeeper { key, value in ConfigurationEntry(fingerprint: fingerprint(key, value.reveal())) }

    /// Enough to tell values apart, and nothing of the value: FNV-1a.
    private static func fingerprint(_ key: String, _ text: String) -> String {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in (key + "\0" + text).utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        return String(hash, radix: 16)
    }

    func desired(isExact: Bool = false) -> DesiredConfiguration {
        var desired = DesiredConfiguration(isExact: isExact)
        for value in wanted {
            desired.values[value.key] = .init(
                Secret(value.text), isReference: value.isReference, fingerprint: Self.fingerprint(value.key, value.text))
        }
        return desired
    }

    /// The keys that nobody wants, with their values.
    var others: [Value] { present.filter { value in !wanted.contains { $0.key == value.key } } }

    /// The keys of `values` that the simulator holds with another value, or not at all.
    func differing(_ values: [Value]) async -> [String] {
        var keys: [String] = []
        for value in values where await !holds(value.key, value.text) { keys.append(value.key) }
        return keys
    }

    /// Fails when one of the values stands in what was said.
    func requireSilence(of said: [String]) throws(Violation) {
        for value in present + wanted {
            let loud = said.filter { $0.contains(value.text) }
            try require(loud.isEmpty, "the value of \(value.key) appears in \(loud)")
        }
    }
}
