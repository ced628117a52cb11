public import YAMLReading

/// One of several fields of which exactly one must be present.
public struct Alternative<Value>: Sendable {
    @usableFromInline let name: String
    @usableFromInline let doc: String
    @usableFromInline let schema: @Sendable () -> Schema
    @usableFromInline let read: @Sendable (YAMLNode, SpecReading) -> Value?

    /// - Parameter make: turns what stands in the field into the value of the choice.
    @inlinable
    public init<Written>(
        _ name: String, _ form: Form<Written>, _ doc: String, _ make: @escaping @Sendable (Written) -> Value
    ) {
        self.name = name
        self.doc = doc
        schema = form.schema
        read = { form.read($0, $1).map(make) }
    }

    @inlinable
    public init<Written: SpecValue>(_ name: String, _ doc: String, _ make: @escaping @Sendable (Written) -> Value) {
        self.name = name
        self.doc = doc
        schema = { Written.schema }
        read = { Written.read($0, $1).map(make) }
    }
}
