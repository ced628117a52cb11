import Model
import SpecFields

extension SystemDeclaration {
    /// The system that the document declares.
    func system(origin: String, file: String) -> System {
        System(
            id: SystemID(namespace: metadata.namespace, name: metadata.name),
            components: spec.components.entries.compactMap { entry in
                entry.value.target.map { target in
                    let declared = entry.value
                    return Component(
                        name: entry.key, target: target.resolvingPaths { Self.path($0, besides: file) }, release: declared.release,
                        after: declared.after.map(ResourceID.component),
                        verify: declared.verify, takeOwnership: declared.takeOwnership, allowRebuild: declared.allowRebuild,
                        configuration: declared.configuration(besides: file), isFenced: declared.fence, timeout: declared.timeout)
                }
            },
            verify: spec.verify, statePlace: spec.state.map { .directory(Self.path($0.directory, besides: file)) }, origin: origin)
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
