public import YAMLReading

/// A mapping with known fields. The one initialiser is decoder, validation, CRD schema, editor schema and reference page.
///
/// ```swift
/// struct Target: SpecObject {
///     var project: String
///     var team: String?
///     init(_ fields: inout Fields) {
///         project = fields.required("project", "The project's name or id.")
///         team = fields.optional("team", "The team that owns the project; without it, the token's own account.")
///     }
/// }
/// ```
/// The initialiser asks for the same fields in every call and in the same order, whatever the values are.
public protocol SpecObject: SpecValue {
    init(_ fields: inout Fields)
}

extension SpecObject {
    public static var schema: Schema { .object(Fields.describe { Self(&$0) }) }
    public static var placeholder: Self { Fields.placeholder { Self(&$0) } }
    @inlinable
    public static func read(_ node: YAMLNode, _ reading: SpecReading) -> Self? { Fields.read(node, reading) { Self(&$0) } }
}
