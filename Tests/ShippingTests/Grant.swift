import YAMLReading

/// A verb on objects of one kind that a role of Belay grants.
struct Grant: Hashable, Comparable, CustomStringConvertible {
    /// The role: the name of its file.
    var scope: String
    var group: String
    /// `deployments`, `systems/status`.
    var resource: String
    var verb: String

    /// `deployments.apps`, as messages name it; a subresource is part of the kind's name there.
    var qualifiedName: String {
        guard !group.isEmpty else { return resource }
        let parts = resource.split(separator: "/", maxSplits: 1)
        return "\(parts[0]).\(group)" + (parts.count > 1 ? "/\(parts[1])" : "")
    }

    var description: String { "\(scope): \(verb) \(qualifiedName)" }

    static func < (left: Grant, right: Grant) -> Bool { left.description < right.description }

    init(scope: String, group: String, resource: String, verb: String) {
        self.scope = scope
        self.group = group
        self.resource = resource
        self.verb = verb
    }

    /// - Parameter qualifiedName: as ``qualifiedName`` has it.
    init(_ scope: String, _ verb: String, _ qualifiedName: String) {
        let slash = qualifiedName.split(separator: "/", maxSplits: 1)
        let parts = slash[0].split(separator: ".", maxSplits: 1)
        let resource = String(parts[0]) + (slash.count > 1 ? "/\(slash[1])" : "")
        self.init(scope: scope, group: parts.count > 1 ? String(parts[1]) : "", resource: resource, verb: verb)
    }

    /// Every grant of the files that are shipped.
    static func all() throws -> [Grant] {
        try Project.names(in: "charts/belay/files/rules").flatMap { file in
            let scope = String(file.dropLast(".yaml".count))
            return try Project.yaml("charts/belay/files/rules/\(file)").items.flatMap { rule in
                texts(rule, "apiGroups").flatMap { group in
                    texts(rule, "resources").flatMap { resource in
                        texts(rule, "verbs").map { Grant(scope: scope, group: group, resource: resource, verb: $0) }
                    }
                }
            }
        }
    }

    private static func texts(_ rule: YAMLNode, _ key: String) -> [String] { rule[key]?.items.compactMap(\.string) ?? [] }
}
