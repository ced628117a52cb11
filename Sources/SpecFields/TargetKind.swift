public import Model
public import YAMLReading

/// What a provider adds to the spec: the field under a component that says where it runs.
public struct TargetKind: Sendable {
    /// The provider's name and the field's: `vercel`.
    public let name: String
    /// False for a target that holds configuration only: its components name no release.
    public let hasReleases: Bool
    /// The field as one of a component's alternatives.
    public let alternative: Alternative<any Target>

    /// - Parameter doc: one sentence for schemas and reference page.
    public init<T: Target & SpecObject>(_ type: T.Type, _ doc: String, hasReleases: Bool = true) {
        name = T.provider
        self.hasReleases = hasReleases
        alternative = Alternative(T.provider, doc) { (target: T) in target }
    }

    /// The target that stands in the field; nil means that at least one mistake was reported.
    public func read(_ node: YAMLNode, _ reading: SpecReading) -> (any Target)? { alternative.read(node, reading) }
}
