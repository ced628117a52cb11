public import Model
public import YAMLReading

/// What a flag store adds to the spec: the field under `flags.store` that says where the flags are kept.
public struct FlagTargetKind: Sendable {
    /// The store's name and the field's: `sql`.
    public let name: String
    /// The field as one of the store's alternatives.
    public let alternative: Alternative<any FlagTarget>

    /// - Parameter doc: one sentence for schemas and reference page.
    public init<T: FlagTarget & SpecObject>(_ type: T.Type, _ doc: String) {
        name = T.store
        alternative = Alternative(T.store, doc) { (target: T) in target }
    }

    /// The target that stands in the field; nil means that at least one mistake was reported.
    public func read(_ node: YAMLNode, _ reading: SpecReading) -> (any FlagTarget)? { alternative.read(node, reading) }
}
