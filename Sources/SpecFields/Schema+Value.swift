public import JSONValues
public import YAMLReading

extension Schema {
    /// What stands in a node, as an API server is given it: text where the schema has text, whatever YAML would make of it.
    public func json(of node: YAMLNode) -> JSON {
        switch self {
        case .string, .choice, .duration: node.string.map(JSON.string) ?? Self.plain(node)
        case .list(let element, _): node.sequence.map { .array($0.map(element.json)) } ?? Self.plain(node)
        case .map(_, let element, _):
            node.mapping.map { .object(JSONObject($0.entries.map { ($0.key, element.json(of: $0.value)) })) } ?? Self.plain(node)
        case .object(let object): object.json(of: node)
        case .either(let scalar, let object): node.mapping == nil ? scalar.json(of: node) : object.json(of: node)
        case .boolean, .integer, .scalar, .uninterpreted: Self.plain(node)
        }
    }

    fileprivate static func plain(_ node: YAMLNode) -> JSON { JSON(node.value) }
}

extension ObjectSchema {
    fileprivate func json(of node: YAMLNode) -> JSON {
        guard let mapping = node.mapping else { return Schema.plain(node) }
        return .object(
            JSONObject(
                mapping.entries.map { entry in
                    (entry.key, (properties.first { $0.name == entry.key }?.schema ?? .uninterpreted).json(of: entry.value))
                }))
    }
}

extension JSON {
    fileprivate init(_ value: YAMLValue) {
        switch value {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .integer(value)
        case .float(let value): self = value.isFinite ? .number(String(value)) : .string(String(value))
        case .string(let text): self = .string(text)
        case .sequence(let items): self = .array(items.map(JSON.init))
        case .mapping(let entries): self = .object(JSONObject(entries.map { ($0.key, JSON($0.value)) }))
        }
    }
}
