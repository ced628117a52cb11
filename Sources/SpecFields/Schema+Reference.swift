extension ObjectSchema {
    /// Markdown: a section with a table for this mapping, and one for every mapping below it. What is not interpreted is not listed.
    ///
    /// - Parameters:
    ///   - path: the heading, for instance `spec`; a mapping whose keys the author chooses adds `.NAME`, a list `[]`.
    public func reference(path: String, doc: String) -> String {
        var text = "\n## \(path.isEmpty ? "The document" : "`\(path)`")\n\n\(doc.isEmpty ? "" : doc + "\n\n")"
        for choice in choices where choice.names.count > 1 {
            text += "Names \(choice.what): exactly one of \(choice.names.map { "`\($0)`" }.joined(separator: ", ")).\n\n"
        }
        text += "| Field | Value | Default | Meaning |\n|---|---|---|---|\n"
        var below = ""
        for property in properties where property.schema != .uninterpreted {
            let place = path.isEmpty ? property.name : "\(path).\(property.name)"
            let isRequired = property.isRequired || choices.contains { $0.names == [property.name] }
            let fallback = isRequired ? "required" : property.defaultText.map { "`\($0)`" } ?? ""
            text += "| `\(property.name)` | \(property.schema.valueText) | \(fallback) | \(property.doc) |\n"
            for (suffix, object) in property.schema.objects { below += object.reference(path: place + suffix, doc: property.doc) }
        }
        return text + below
    }
}

extension Schema {
    fileprivate var valueText: String {
        switch self {
        case .string(_, let hint): hint ?? "string"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .boolean: "`true` or `false`"
        case .integer(nil): "whole number"
        case .integer(let range?):
            range.upperBound == .max
                ? "whole number, at least \(range.lowerBound)" : "whole number, \(range.lowerBound) to \(range.upperBound)"
        case .duration: "duration: `500ms`, `30s`, `2m`, `1h30m`"
        case .scalar: "string, number, Boolean or `null`"
        case .list(let element, _): "list: \(element.valueText)"
        case .map(let rule, let element, _): "mapping; keys: \(rule?.hint ?? "string"); values: \(element.valueText)"
        case .object: "mapping, see below"
        case .either(let scalar, _): "\(scalar.valueText), or a mapping, see below"
        case .uninterpreted: "as in Kubernetes"
        }
    }

    /// The mappings in this value that have sections of their own.
    fileprivate var objects: [(suffix: String, object: ObjectSchema)] {
        switch self {
        case .object(let object), .either(_, let object): [("", object)]
        case .list(let element, _): element.objects.map { ("[]" + $0.suffix, $0.object) }
        case .map(_, let element, _): element.objects.map { (".NAME" + $0.suffix, $0.object) }
        default: []
        }
    }
}
