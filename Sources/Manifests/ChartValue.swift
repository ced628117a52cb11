import JSONValues

/// A value of the Helm chart: its default, what it may be, and what it is for.
struct ChartValue: Sendable {
    indirect enum Content: Sendable {
        /// - Parameter schema: the JSON Schema of what it may be, without its description and default.
        case value(JSON, schema: JSON)
        case group([ChartValue])
    }

    var name: String
    var doc: String
    var content: Content

    static func group(_ name: String, _ doc: String, _ values: [ChartValue]) -> ChartValue {
        ChartValue(name: name, doc: doc, content: .group(values))
    }

    static func text(_ name: String, _ value: String, pattern: String? = nil, _ doc: String) -> ChartValue {
        var schema: JSON = ["type": "string"]
        schema["pattern"] = pattern.map { .string($0) }
        return ChartValue(name: name, doc: doc, content: .value(.string(value), schema: schema))
    }

    static func choice(_ name: String, _ values: [String], _ doc: String) -> ChartValue {
        ChartValue(name: name, doc: doc, content: .value(.string(values[0]), schema: ["enum": .array(values.map { .string($0) })]))
    }

    static func flag(_ name: String, _ value: Bool, _ doc: String) -> ChartValue {
        ChartValue(name: name, doc: doc, content: .value(.bool(value), schema: ["type": "boolean"]))
    }

    static func number(_ name: String, _ value: Int, _ range: ClosedRange<Int>, _ doc: String) -> ChartValue {
        let schema: JSON = ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)]
        return ChartValue(name: name, doc: doc, content: .value(.integer(value), schema: schema))
    }

    /// A list of strings.
    static func texts(_ name: String, _ values: [String], choices: [String]? = nil, _ doc: String) -> ChartValue {
        var schema: JSON = ["type": "array", "items": ["type": "string"]]
        if let choices { schema["items"] = ["enum": .array(choices.map { .string($0) })] }
        return ChartValue(name: name, doc: doc, content: .value(.array(values.map { .string($0) }), schema: schema))
    }

    /// A list of port numbers.
    static func ports(_ name: String, _ values: [Int], _ doc: String) -> ChartValue {
        let schema: JSON = ["type": "array", "items": ["type": "integer", "minimum": 1, "maximum": 65535]]
        return ChartValue(name: name, doc: doc, content: .value(.array(values.map { .integer($0) }), schema: schema))
    }

    /// Labels or annotations.
    static func names(_ name: String, _ value: JSON, _ doc: String) -> ChartValue {
        let schema: JSON = ["type": "object", "additionalProperties": ["type": "string"]]
        return ChartValue(name: name, doc: doc, content: .value(value, schema: schema))
    }

    /// What goes into the manifest as it is, checked by the API server alone.
    static func manifest(_ name: String, _ value: JSON, _ doc: String) -> ChartValue {
        let type: JSON = value.array != nil ? "array" : "object"
        return ChartValue(name: name, doc: doc, content: .value(value, schema: ["type": type]))
    }

    // MARK: - Files

    /// As `values.yaml` has it, under the comment that explains it.
    func yaml(indent: Int = 0) -> String {
        let margin = String(repeating: " ", count: indent)
        let comment = doc.split(separator: "\n").map { "\(margin)# \($0)\n" }.joined()
        switch content {
        case .value(let value, _):
            let entry = JSON.object(JSONObject([(name, value)])).yaml
            return comment + entry.split(separator: "\n").map { "\(margin)\($0)\n" }.joined()
        case .group(let values):
            return comment + "\(margin)\(name):\n" + values.map { $0.yaml(indent: indent + 2) }.joined()
        }
    }

    var schema: JSON {
        var schema: JSON
        switch content {
        case .value(let value, let type):
            schema = type
            schema["default"] = value
        case .group(let values): schema = Self.schema(of: values)
        }
        schema["description"] = .string(doc.replacing("\n", with: " "))
        return schema
    }

    /// An object with these members and no others.
    static func schema(of values: [ChartValue]) -> JSON {
        [
            "type": "object", "additionalProperties": false,
            "properties": .object(JSONObject(values.map { (key: $0.name, value: $0.schema) })),
        ]
    }
}
