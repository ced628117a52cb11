import JSONValues

/// What the server refuses, in the words of its validation.
extension ClusterState {
    private typealias Problem = (field: String, what: String)

    /// - Parameter live: nil for an object that is new.
    func validate(_ key: Key, _ object: JSON, live: JSON?) throws(APIFailure) {
        var problems: [Problem] = []
        switch key.resource {
        case "configmaps", "secrets": problems = Self.problems(ofData: object) + Self.changes(ofImmutable: object, live: live)
        case _ where Self.workloads[key.resource] != nil:
            problems = Self.problems(ofWorkload: object)
            if let live, object["spec"]?["selector"] != live["spec"]?["selector"] {
                problems.append(("spec.selector", "Invalid value: \(object["spec"]?["selector"] ?? .null): field is immutable"))
            }
        default: break
        }
        guard problems.isEmpty else { throw .invalid(key.resource, key.name, problems) }
    }

    private static func problems(ofWorkload object: JSON) -> [Problem] {
        let template = object["spec"]?["template"]
        let containers = template?["spec"]?["containers"]?.elements ?? []
        var problems: [Problem] = containers.isEmpty ? [("spec.template.spec.containers", "Required value")] : []
        for (index, container) in containers.enumerated() {
            let field = "spec.template.spec.containers[\(index)]"
            if container["name"]?.string?.isEmpty ?? true { problems.append(("\(field).name", "Required value")) }
            if container["image"]?.string?.isEmpty ?? true { problems.append(("\(field).image", "Required value")) }
            for (number, variable) in (container["env"]?.elements ?? []).enumerated() {
                problems += Self.problems(ofVariable: variable, "\(field).env[\(number)]")
            }
        }
        let labels = template?["metadata"]?["labels"]
        for (name, value) in object["spec"]?["selector"]?["matchLabels"]?.object?.members ?? [] where labels?[name] != value {
            let shown = (labels ?? [:]).description
            problems.append(
                ("spec.template.metadata.labels", "Invalid value: \(shown): `selector` does not match template `labels`"))
        }
        return problems
    }

    private static func problems(ofVariable variable: JSON, _ field: String) -> [Problem] {
        var problems: [Problem] = []
        if variable["name"]?.string?.isEmpty ?? true { problems.append(("\(field).name", "Required value")) }
        guard let source = variable["valueFrom"] else { return problems }
        let kinds = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"]
        let named = kinds.filter { source[$0] != nil }
        for kind in ["configMapKeyRef", "secretKeyRef"] {
            if let reference = source[kind], reference["key"]?.string?.isEmpty ?? true {
                problems.append(("\(field).valueFrom.\(kind).key", "Required value"))
            }
        }
        if named.isEmpty {
            let list = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
            problems.append(("\(field).valueFrom", "Invalid value: \"\": must specify one of: \(list)"))
        } else if variable["value"]?.string?.isEmpty == false {
            problems.append(("\(field).valueFrom", "Invalid value: \"\": may not be specified when `value` is not empty"))
        } else if named.count > 1 {
            problems.append(("\(field).valueFrom", "Invalid value: \"\": may not have more than one field specified at a time"))
        }
        return problems
    }

    private static func problems(ofData object: JSON) -> [Problem] {
        ["data", "binaryData"].flatMap { part in
            (object[part]?.object?.keys ?? []).filter { !isConfigKey($0) }.map { key in
                (
                    "\(part)[\(key)]",
                    "Invalid value: \"\(key)\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' "
                        + "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
                )
            }
        }
    }

    private static func isConfigKey(_ key: String) -> Bool {
        !key.isEmpty && key.utf8.count <= 253 && key != "." && key != ".."
            && key.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// `immutable: true` cannot be taken back, and nothing behind it changes but metadata.
    private static func changes(ofImmutable object: JSON, live: JSON?) -> [Problem] {
        guard let live else { return [] }
        var problems: [Problem] = []
        if object["kind"] == "Secret", object["type"] != live["type"] {
            problems.append(("type", "Invalid value: \(object["type"] ?? .null): field is immutable"))
        }
        guard live["immutable"]?.bool == true else { return problems }
        let refusal = "Forbidden: field is immutable when `immutable` is set"
        if object["immutable"]?.bool != true { problems.append(("immutable", refusal)) }
        for part in ["data", "binaryData"] where object[part] != live[part] { problems.append((part, refusal)) }
        return problems
    }
}
