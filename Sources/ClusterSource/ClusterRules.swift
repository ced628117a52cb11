import Model

/// What a spec in a cluster may name. Whoever may write a System in one namespace is not thereby allowed to use the operator's files, its
/// variables, or its rights in other namespaces.
struct ClusterRules: Sendable {
    let allowed: Set<String>

    /// The system with every reference as the rules read it, and a sentence for each that they refuse.
    func applied(to system: System) -> (System, mistakes: [String]) {
        var system = system
        var mistakes: [String] = []
        let own = system.id.namespace
        for (index, component) in system.components.enumerated() {
            let path = "spec.components.\(component.name)"
            let target = "\(path).\(component.target.provider)"
            if files(component.target.resolvingPaths) { mistakes.append("\(target): \(Self.noFiles)") }
            if let place = component.target.clusterPlace { mistakes += refusal(of: place, own, at: target) }
            for (key, source) in component.configuration.sources.sorted(by: { $0.key < $1.key }) {
                system.components[index].configuration.sources[key] = read(source, own, "\(path).env.\(key)", &mistakes)
            }
        }
        for (index, database) in system.databases.enumerated() {
            let path = "spec.databases.\(database.name)"
            switch database.connection {
            case .sqlite: mistakes.append("\(path).sqlite: \(Self.noFiles)")
            case .postgres(let url, let direct):
                system.databases[index].connection = .postgres(
                    url: read(url, own, "\(path).postgres.url", &mistakes),
                    direct: direct.map { read($0, own, "\(path).postgres.directUrl", &mistakes) })
            }
            mistakes.append(
                "\(path).migrations.path: \(Self.noFiles); a system with databases is read from Git or from files: "
                    + "reconcile --git URL, or -f PATH")
        }
        if let flags = system.flags {
            let path = "spec.flags.store.\(flags.store.store)"
            if files(flags.store.resolvingPaths) { mistakes.append("\(path): \(Self.noFiles)") }
            if let place = flags.store.clusterPlace { mistakes += refusal(of: place, own, at: path) }
        }
        if case .directory? = system.statePlace { mistakes.append("spec.state.directory: \(Self.noFiles)") }
        return (system, mistakes)
    }

    private static let noFiles = "a System in a cluster cannot name files"

    /// True if something names files: then it asks for them to be resolved.
    private func files<Resolved>(_ resolving: ((String) -> String) -> Resolved) -> Bool {
        var found = false
        _ = resolving { path in
            found = true
            return path
        }
        return found
    }

    private func refusal(of place: ClusterPlace, _ own: String, at path: String) -> [String] {
        if let context = place.context {
            let name = "\(context)/\(place.namespace)"
            guard !allowed.contains(name), !allowed.contains("\(context)/*") else { return [] }
            return [
                "\(path).context: another cluster is not allowed from here; the operator allows it with --allow-target-namespace \(name)"
            ]
        }
        guard place.namespace != own, !allowed.contains(place.namespace), !allowed.contains("*") else { return [] }
        return [
            "\(path).namespace: \(place.namespace) is not the object's own namespace (\(own)); move the object there, "
                + "or the operator allows it with --allow-target-namespace \(place.namespace)"
        ]
    }

    private func read(_ source: Configuration.Source, _ own: String, _ path: String, _ mistakes: inout [String]) -> Configuration.Source {
        let instead = "a value comes from a Secret of the object's own namespace: fromSecret: {name: …, key: …}"
        switch source {
        case .literal: return source
        case .environment: mistakes.append("\(path).fromEnv: a System in a cluster cannot read the operator's variables; \(instead)")
        case .file: mistakes.append("\(path).fromFile: \(Self.noFiles); \(instead)")
        case .kubernetesSecret(let namespace, let name, let key):
            if let namespace, namespace != own {
                mistakes.append("\(path).fromSecret.namespace: \(namespace) is not the object's own namespace (\(own)); leave it out")
            }
            return .kubernetesSecret(namespace: own, name: name, key: key)
        }
        return source
    }
}
