import Model

/// What a spec in a cluster may name. Whoever may write a System in one namespace is not thereby allowed to use the operator's files, its
/// variables, or its rights in other namespaces.
struct ClusterRules: Sendable {
    let allowed: Set<String>
    /// Git hosts that are shown the operator's own credentials.
    var sharedHosts: Set<String> = []

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
                    url: secret(url, own, "\(path).postgres.url", &mistakes),
                    direct: direct.map { secret($0, own, "\(path).postgres.directUrl", &mistakes) })
            }
            if let repository = database.migrations.git {
                system.databases[index].migrations.git = confined(repository, own, "\(path).migrations.git", &mistakes)
            } else {
                mistakes.append(
                    "\(path).migrations.path: \(Self.noFiles); name the repository that the migrations are in: "
                        + "migrations: {git: {url: …, path: …}}")
            }
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

    /// A repository whose host is shown nothing but what the object names, unless the operator shares its own credentials with that host.
    private func confined(
        _ repository: MigrationRepository, _ own: String, _ path: String, _ mistakes: inout [String]
    ) -> MigrationRepository {
        var repository = repository
        if repository.isLocal { mistakes.append("\(path).url: \(Self.noFiles); a repository is reached by https, ssh or git") }
        if let mark = repository.url.firstRange(of: "://"),
            !["https", "http", "ssh", "git", "file"].contains(String(repository.url[..<mark.lowerBound]))
        {
            mistakes.append("\(path).url: a System in a cluster reaches a repository by https, ssh or git")
        }
        let scheme = repository.url.firstRange(of: "://").map { repository.url[..<$0.lowerBound] }
        if scheme == "http", repository.token != nil {
            mistakes.append("\(path).token: a token is not sent in clear; expected a url that begins with https://")
        }
        repository.token = repository.token.map { read($0, own, "\(path).token", &mistakes) }
        repository.sshKey = repository.sshKey.map { read($0, own, "\(path).sshKey", &mistakes) }
        repository.knownHosts = repository.knownHosts.map { read($0, own, "\(path).knownHosts", &mistakes) }
        repository.tenant = own
        // The operator's token is not sent in clear either, nor anything to somebody who only says that he is the host.
        let isSafe = scheme == nil || scheme == "https" || scheme == "ssh"
        repository.mayUseOperatorAccess = isSafe && repository.host.map { sharedHosts.contains($0) } ?? false
        return repository
    }

    /// What is as good as a password: libpq would complete one that is written out with the operator's own.
    private func secret(_ source: Configuration.Source, _ own: String, _ path: String, _ mistakes: inout [String]) -> Configuration.Source {
        if case .literal = source { mistakes.append("\(path): \(Self.instead)") }
        return read(source, own, path, &mistakes)
    }

    private static let instead = "a value comes from a Secret of the object's own namespace: fromSecret: {name: …, key: …}"

    private func read(_ source: Configuration.Source, _ own: String, _ path: String, _ mistakes: inout [String]) -> Configuration.Source {
        switch source {
        case .literal: return source
        case .environment: mistakes.append("\(path).fromEnv: a System in a cluster cannot read the operator's variables; \(Self.instead)")
        case .file: mistakes.append("\(path).fromFile: \(Self.noFiles); \(Self.instead)")
        case .kubernetesSecret(let namespace, let name, let key):
            if let namespace, namespace != own {
                mistakes.append("\(path).fromSecret.namespace: \(namespace) is not the object's own namespace (\(own)); leave it out")
            }
            return .kubernetesSecret(namespace: own, name: name, key: key)
        }
        return source
    }
}
