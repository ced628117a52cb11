import JSONValues

/// Where the objects of a cluster stand, so that nobody has to look through all of them.
struct ObjectIndex: Sendable {
    private struct Scope: Hashable {
        var resource: String
        var namespace: String
    }

    private var names: [Scope: Set<String>] = [:]
    /// By the uid of the controller.
    private var owned: [String: Set<ClusterState.Key>] = [:]

    mutating func replace(_ old: JSON?, with new: JSON?, at key: ClusterState.Key) {
        let scope = Scope(resource: key.resource, namespace: key.namespace)
        if old == nil { names[scope, default: []].insert(key.name) }
        if new == nil { names[scope]?.remove(key.name) }
        let (before, after) = (old?.controller, new?.controller)
        guard before != after else { return }
        if let before {
            owned[before]?.remove(key)
            if owned[before]?.isEmpty == true { owned[before] = nil }
        }
        if let after { owned[after, default: []].insert(key) }
    }

    /// In the order of their namespaces and names.
    func keys(_ resource: String, namespace: String?) -> [ClusterState.Key] {
        let namespaces = namespace.map { [$0] } ?? names.keys.filter { $0.resource == resource }.map(\.namespace).sorted()
        return namespaces.flatMap { namespace in
            names[Scope(resource: resource, namespace: namespace), default: []].sorted().map {
                ClusterState.Key(resource: resource, namespace: namespace, name: $0)
            }
        }
    }

    /// In the order of their names.
    func keys(_ resource: String, ownedBy uid: String, in namespace: String) -> [ClusterState.Key] {
        owned[uid, default: []].filter { $0.resource == resource && $0.namespace == namespace }.sorted { $0.name < $1.name }
    }
}

extension JSON {
    /// The uid of the object that controls this one.
    fileprivate var controller: String? {
        self["metadata"]?["ownerReferences"]?.elements.first { $0["controller"]?.bool == true }?["uid"]?.string
    }
}
