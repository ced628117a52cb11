public import ControlLoop
public import Model
public import Sources
import SpecFields
public import SpecLoading

/// Reads the specs of objects in a cluster, which may name less than a file: no file, no variable of the operator, no other namespace.
public struct ClusterSpecs: Sendable {
    private let loader: SpecLoader
    private let rules: ClusterRules

    /// - Parameters:
    ///   - allowed: namespaces in which targets may be beside the object's own: `prod`; of another cluster `CONTEXT/prod`; `*` for all
    ///     namespaces of this cluster.
    ///   - sharedHosts: Git hosts that are shown the operator's own credentials, for migrations: `git.example`, `git.example:2222`.
    public init(_ loader: SpecLoader, allowing allowed: [String], sharingWith sharedHosts: [String] = []) {
        self.loader = loader
        rules = ClusterRules(allowed: Set(allowed), sharedHosts: Set(sharedHosts.map { $0.lowercased() }))
    }

    /// What the object of a snapshot says. Mistakes name the path of the field: an object has no lines.
    public func loading(_ snapshot: Snapshot) -> Loading {
        let loaded = loader.load(snapshot.files)
        var mistakes = loaded.diagnostics.map { $0.path.isEmpty ? $0.message : "\($0.path): \($0.message)" }
        var systems: [System] = []
        for system in loaded.systems {
            let (system, own) = rules.applied(to: system)
            mistakes += own
            systems.append(snapshot.completed(system))
        }
        // What is to go needs no spec that is right: what it owes is recorded.
        if snapshot.leaving != nil, !mistakes.isEmpty {
            systems = snapshot.files.compactMap { SystemID(origin: $0.name) }.map { System(id: $0, origin: "\($0):1:1") }
            mistakes = []
        }
        return Loading(systems: mistakes.isEmpty ? systems : [], mistakes: mistakes, notes: [])
    }
}

extension SystemID {
    /// From `namespace/name`.
    public init?(origin: String) {
        let parts = origin.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        self.init(namespace: String(parts[0]), name: String(parts[1]))
    }
}
