public import JSONValues

extension Schema {
    /// A structural schema as `apiextensions.k8s.io/v1` wants it, without anything that API servers before 1.25 do not know.
    ///
    /// Defaults are told in the description and not written into stored objects. Where a scalar or a mapping may stand, the
    /// API server keeps what it gets and Belay validates.
    public var structural: JSON {
        switch self {
        case .string(let pattern, _):
            var schema: JSON = ["type": "string", "minLength": 1]
            schema["pattern"] = pattern.map(JSON.string)
            return schema
        case .choice(let words): return ["type": "string", "enum": .array(words.map(JSON.string))]
        case .boolean: return ["type": "boolean"]
        case .integer(let range): return range.bounds(in: ["type": "integer", "format": "int64"])
        case .duration: return ["type": "string", "minLength": 2, "pattern": .string(Self.durationPattern)]
        case .scalar: return ["nullable": true, "x-kubernetes-preserve-unknown-fields": true]
        case .either, .uninterpreted: return ["x-kubernetes-preserve-unknown-fields": true]
        case .list(let element, let minimum):
            var schema: JSON = ["type": "array", "items": element.structural]
            schema["minItems"] = minimum > 0 ? .integer(minimum) : nil
            return schema
        case .map(_, let element, let minimum):
            var schema: JSON = ["type": "object", "additionalProperties": element.structural]
            schema["minProperties"] = minimum > 0 ? .integer(minimum) : nil
            return schema
        case .object(let object):
            let members = object.properties.map { property -> (key: String, value: JSON) in
                var schema: JSON = ["description": .string(property.fullDoc)]
                for member in property.schema.structural.object?.members ?? [] { schema[member.key] = member.value }
                return (property.name, schema)
            }
            var schema: JSON = ["type": "object"]
            object.addPresence(to: &schema)
            schema["properties"] = .object(JSONObject(members))
            return schema
        }
    }
}

extension ObjectSchema.Property {
    /// The sentence with what the structural schema cannot say.
    var fullDoc: String {
        var doc = doc
        if case .either(_, let object) = schema {
            let forms = object.properties.map { "{\($0.name): …}" }
            doc += " A scalar, or \(forms.dropLast().joined(separator: ", "))\(forms.count > 1 ? " or " : "")\(forms.last ?? "")."
        }
        if case .map(let rule?, _, _) = schema { doc += " Keys: \(rule.hint)." }
        if let text = defaultText { doc += " Default: \(text)." }
        return doc
    }

    /// The default as it would stand in YAML.
    var defaultText: String? { self.default.map { $0.string ?? $0.description } }
}
