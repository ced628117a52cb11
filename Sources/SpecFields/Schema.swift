public import JSONValues

/// What may stand in a field: the part of a declaration from which the CRD, the editors' JSON Schema and the reference page are made.
public indirect enum Schema: Sendable, Hashable {
    /// Any scalar, taken as it was written.
    case string(pattern: String?, hint: String?)
    case choice([String])
    case boolean
    case integer(ClosedRange<Int>?)
    /// `90s`, `2m`, `1h30m`.
    case duration
    /// A string, a number, a Boolean or null.
    case scalar
    case list(Schema, minimum: Int)
    /// Keys that the author chooses.
    case map(keys: StringRule?, Schema, minimum: Int)
    case object(ObjectSchema)
    /// A scalar or a mapping.
    case either(Schema, ObjectSchema)
    /// Accepted as it is; its meaning is Kubernetes' affair.
    case uninterpreted
}

/// A mapping with known fields.
public struct ObjectSchema: Sendable, Hashable {
    public struct Property: Sendable, Hashable {
        public var name: String
        public var schema: Schema
        public var isRequired: Bool
        /// What counts when the field is left out, as an author would write it.
        public var `default`: JSON?
        public var doc: String
    }

    /// Fields of which exactly one must be present.
    public struct Choice: Sendable, Hashable {
        /// With its article: `a provider`.
        public var what: String
        public var names: [String]

        public init(what: String, names: [String]) {
            self.what = what
            self.names = names
        }
    }

    public var properties: [Property] = []
    public var choices: [Choice] = []
    /// Names that a later version will know: refused, with a message of their own.
    public var announced: [String] = []

    public var names: [String] { properties.map(\.name) }
}
