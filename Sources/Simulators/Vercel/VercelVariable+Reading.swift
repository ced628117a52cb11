import JSONValues

extension VercelVariable {
    /// A project's `env` in a world file, and what its builds of the past were made with.
    static func read(_ project: WorldReader, _ now: Int64) throws(WorldError) -> [VercelVariable] {
        var variables: [VercelVariable] = []
        for (position, place) in try project.elements("env").enumerated() {
            try place.mapping(["id", "key", "value", "type", "target", "gitBranch", "comment"])
            let key = try place.required("key", "the variable's name")
            guard isKey(key) else { throw WorldError("\(place.path).key", "expected letters, digits and _, found \(key)") }
            let kind = try place["type"]?.word(Kind.self) ?? .encrypted
            var targets: [Target] = kind == .sensitive ? [.production, .preview] : Target.allCases
            if let given = place["target"] {
                targets = []
                if given.value.array == nil { targets = [try given.word(Target.self)] }
                for target in try given.value.array == nil ? [] : given.elements() { targets.append(try target.word(Target.self)) }
            }
            let variable = VercelVariable(
                id: try place.text("id") ?? "env_\(key.filter { $0 != "_" })\(position)", key: key, value: try place.text("value") ?? "",
                kind: kind, targets: targets, gitBranch: try place.text("gitBranch"), comment: try place.text("comment"),
                createdAt: now - 90 * 86_400_000, updatedAt: now - 90 * 86_400_000, createdBy: VercelProject.person,
                updatedBy: VercelProject.person)
            guard !variables.contains(where: { $0.id == variable.id || $0.overlaps(variable) }) else {
                throw WorldError("\(place.path).key", "expected a key that no other variable of the same targets has, found \(key)")
            }
            variables.append(variable)
        }
        return variables
    }
}

extension VercelState {
    private enum Policy: String, CaseIterable { case on, off, `default` }

    /// `sensitiveEnvironmentVariablePolicy` of the world's teams. YAML may read `on` as true.
    static func isSensitivePolicyOn(_ reader: WorldReader) throws(WorldError) -> Bool {
        guard let place = reader["sensitiveEnvironmentVariablePolicy"] else { return false }
        if let flag = place.value.bool { return flag }
        return try place.word(Policy.self) == .on
    }

    /// What a deployment was built with: its own `env` in the world file, or what the project has.
    static func built(_ place: WorldReader, _ deployment: VercelDeployment, _ project: VercelProject) throws(WorldError)
        -> [VercelDeployment.BuiltVariable]
    {
        guard let given = place["env"] else {
            return project.variables(target: deployment.target, ref: deployment.ref).map { ($0.key, $0.marker) }
        }
        guard let values = given.value.object else { throw WorldError(given.path, "expected a mapping from keys to values") }
        var built: [VercelDeployment.BuiltVariable] = []
        for (key, value) in values.members {
            built.append((key, ValueMarker.of(try WorldReader(value, "\(given.path).\(key)").text())))
        }
        return built
    }
}
