import JSONValues

/// An environment variable of a project. A key may occur several times with other targets: what it is known by is its id.
struct VercelVariable: Sendable {
    typealias Kind = VercelSimulator.VariableKind
    enum Target: String, Sendable, CaseIterable { case production, preview, development }

    /// The longest value, and the longest key.
    static let valueLimit = 65_536
    static let keyLimit = 256

    var id: String
    var key: String
    var value: String
    var kind: Kind
    var targets: [Target]
    var customEnvironments: [String] = []
    var gitBranch: String?
    var comment: String?
    var createdAt: Int64
    var updatedAt: Int64
    var createdBy: String
    var updatedBy: String

    var marker: String { ValueMarker.of(value) }

    /// True for two that would give one deployment two values.
    func overlaps(_ other: VercelVariable) -> Bool {
        key == other.key && gitBranch == other.gitBranch
            && (targets.contains(where: other.targets.contains) || customEnvironments.contains(where: other.customEnvironments.contains))
    }

    /// True for exactly the same places: what an upsert writes over.
    func hasSamePlaces(as other: VercelVariable) -> Bool {
        key == other.key && gitBranch == other.gitBranch && Set(targets) == Set(other.targets)
            && Set(customEnvironments) == Set(other.customEnvironments)
    }

    enum Reading { case list, decrypted, single }

    /// As the API shows it. A sensitive value is never shown, whatever was asked for.
    func json(_ reading: Reading) -> JSON {
        let isReadable = kind == .plain || kind == .system || (reading != .list && kind == .encrypted)
        var shown: JSON?
        if isReadable { shown = .string(value) } else if kind == .encrypted { shown = .string(blob) }
        // The list must have a value, a single variable need not.
        if kind == .sensitive, reading != .single { shown = "" }
        return .members([
            ("type", .string(kind.rawValue)), ("value", shown), ("decrypted", .bool(isReadable)), ("id", .string(id)),
            ("key", .string(key)), ("target", .array(targets.map { .string($0.rawValue) })), ("configurationId", .null),
            ("gitBranch", gitBranch.map(JSON.string)), ("comment", comment.map(JSON.string)),
            ("customEnvironmentIds", customEnvironments.isEmpty ? Optional.none : .array(customEnvironments.map(JSON.string))),
            ("createdAt", .milliseconds(createdAt)), ("updatedAt", .milliseconds(updatedAt)), ("createdBy", .string(createdBy)),
            ("updatedBy", .string(updatedBy)),
        ])
    }

    /// Stands for the encrypted value. It changes with every write, as an encryption does: equal values have different ones.
    private var blob: String { "eyJ2IjoidjIiLCJjIjoi" + ValueMarker.of("\(id) \(updatedAt)").filter { $0 != "~" } + "In0=" }

    /// For a world: never the value.
    var summary: JSON {
        .members([
            ("id", .string(id)), ("key", .string(key)), ("type", .string(kind.rawValue)),
            ("target", .array(targets.map { .string($0.rawValue) })), ("gitBranch", gitBranch.map(JSON.string)),
            ("comment", comment.map(JSON.string)), ("updatedAt", .milliseconds(updatedAt)), ("value", .string(marker)),
        ])
    }
}

extension VercelProject {
    /// The values that a build of that target and branch gets now: a branch's own variable goes before the one for all previews.
    func variables(target: String?, ref: String) -> [VercelVariable] {
        let place: VercelVariable.Target = target == "production" ? .production : .preview
        var found: [VercelVariable] = []
        for variable in variables where variable.targets.contains(place) && (variable.gitBranch == nil || variable.gitBranch == ref) {
            if let index = found.firstIndex(where: { $0.key == variable.key }) {
                if variable.gitBranch != nil { found[index] = variable }
            } else {
                found.append(variable)
            }
        }
        return found
    }
}
