import Model
import SpecFields

extension SystemDeclaration {
    /// The system that the document declares.
    func system(origin: String, file: String) -> System {
        let databases = Set(spec.databases.entries.map(\.key))
        return System(
            id: SystemID(namespace: metadata.namespace, name: metadata.name),
            components: spec.components.entries.compactMap { entry in
                entry.value.target.map { target in
                    let declared = entry.value
                    return Component(
                        name: entry.key, target: target.resolvingPaths { Self.path($0, besides: file) }, release: declared.release,
                        after: declared.after.map { databases.contains($0) ? .database($0) : .component($0) },
                        requires: Dictionary(declared.requires.entries.map { ($0.key, $0.value) }) { first, _ in first },
                        verify: declared.verify, takeOwnership: declared.takeOwnership, allowRebuild: declared.allowRebuild,
                        configuration: declared.configuration(besides: file), isFenced: declared.fence, timeout: declared.timeout)
                }
            },
            databases: spec.databases.entries.compactMap { entry in
                entry.value.connection.map { connection in
                    var migrations = entry.value.migrations
                    if let repository = migrations.git {
                        migrations.git = repository.resolved { Self.path($0, besides: file) }
                    } else {
                        migrations.path = Self.path(migrations.path, besides: file)
                    }
                    return Database(
                        name: entry.key, connection: connection.resolved { Self.path($0, besides: file) }, schema: entry.value.schema,
                        migrations: migrations, allowsDowntime: entry.value.allowsDowntime, checks: entry.value.checks)
                }
            },
            flags: spec.flags.flatMap { flags in
                flags.store.map {
                    FeatureFlags(
                        store: $0.resolvingPaths { Self.path($0, besides: file) }, flags: flags.values, propagation: flags.propagation)
                }
            },
            approvals: spec.approve, verify: spec.verify, statePlace: spec.state?.place?.resolved { Self.path($0, besides: file) },
            origin: origin)
    }

    /// Paths in a spec are relative to the spec file.
    static func path(_ path: String, besides file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }
}

extension ComponentDeclaration {
    fileprivate func configuration(besides file: String) -> Configuration {
        var configuration = configuration
        configuration.sources = configuration.sources.mapValues { source in
            source.resolved { SystemDeclaration.path($0, besides: file) }
        }
        return configuration
    }
}

extension Database.Connection {
    fileprivate func resolved(_ path: (String) -> String) -> Database.Connection {
        switch self {
        case .postgres(let url, let direct): .postgres(url: url.resolved(path), direct: direct?.resolved(path))
        case .sqlite(let file): .sqlite(path(file))
        }
    }
}
