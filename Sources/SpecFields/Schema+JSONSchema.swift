public import JSONValues

extension Schema {
    static let durationPattern = "^([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?([0-9]{1,9}ms)?$"

    /// The schema for editors, JSON Schema 2020-12. Strings may be written without quotes even when they look like numbers, as Belay reads them.
    public var jsonSchema: JSON {
        switch self {
        case .string(let pattern, let hint):
            var schema: JSON = ["type": ["string", "number", "boolean"]]
            schema["pattern"] = pattern.map(JSON.string)
            schema["description"] = hint.map { .string("Expected: \($0).") }
            return schema
        case .choice(let words): return ["enum": .array(words.map(JSON.string))]
        case .boolean: return ["type": "boolean"]
        case .integer(let range): return range.bounds(in: ["type": "integer"])
        case .duration: return ["type": "string", "pattern": .string(Self.durationPattern), "minLength": 2]
        case .scalar: return ["type": ["string", "number", "boolean", "null"]]
        case .list(let element, let minimum):
            var schema: JSON = ["type": "array", "items": element.jsonSchema]
            schema["minItems"] = minimum > 0 ? .integer(minimum) : nil
            return schema
        case .map(let keys, let element, let minimum):
            var schema: JSON = ["type": "object", "additionalProperties": element.jsonSchema]
            schema["propertyNames"] = keys.map { ["pattern": .string($0.pattern)] }
            schema["minProperties"] = minimum > 0 ? .integer(minimum) : nil
            return schema
        case .object(let object): return object.jsonSchema
        case .either(let scalar, let object): return ["anyOf": [scalar.jsonSchema, object.jsonSchema]]
        case .uninterpreted: return [:]
        }
    }
}

extension ObjectSchema {
    /// As ``Schema/jsonSchema``.
    public var jsonSchema: JSON {
        let members = properties.map { property -> (key: String, value: JSON) in
            var schema = property.schema.jsonSchema
            let hint = schema["description"]?.string
            schema["description"] = .string([property.doc, hint].compactMap { $0 }.joined(separator: " "))
            schema["default"] = property.default
            return (property.name, schema)
        }
        var schema: JSON = ["type": "object", "properties": .object(JSONObject(members)), "additionalProperties": false]
        addPresence(to: &schema)
        return schema
    }

    /// Which fields must be there: the part that JSON Schema and OpenAPI write alike.
    func addPresence(to schema: inout JSON) {
        let required = properties.filter(\.isRequired).map(\.name) + choices.filter { $0.names.count == 1 }.flatMap(\.names)
        if !required.isEmpty { schema["required"] = .array(required.map(JSON.string)) }
        let choices = choices.filter { $0.names.count > 1 }.map { choice in
            JSON.array(choice.names.map { ["required": [.string($0)]] })
        }
        if choices.count == 1 { schema["oneOf"] = choices[0] }
        if choices.count > 1 { schema["allOf"] = .array(choices.map { ["oneOf": $0] }) }
    }
}

extension ClosedRange<Int>? {
    func bounds(in schema: JSON) -> JSON {
        var schema = schema
        guard let self else { return schema }
        schema["minimum"] = .integer(self.lowerBound)
        if self.upperBound != .max { schema["maximum"] = .integer(self.upperBound) }
        return schema
    }
}
