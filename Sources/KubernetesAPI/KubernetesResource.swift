import HTTPCore

/// A kind of object as its URLs name it.
public struct KubernetesResource: Sendable, Hashable {
    /// Empty for the core group.
    public var group: String
    public var version: String
    /// `deployments`.
    public var plural: String
    /// `Deployment`.
    public var kind: String
    public var isNamespaced: Bool

    public init(group: String = "", version: String = "v1", plural: String, kind: String, isNamespaced: Bool = true) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// `apps/v1`, or `v1` in the core group.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    /// `deployments.apps`, as RBAC messages and kubectl write it.
    public var qualifiedName: String { group.isEmpty ? plural : "\(plural).\(group)" }

    public static let deployments = KubernetesResource(group: "apps", plural: "deployments", kind: "Deployment")
    public static let statefulSets = KubernetesResource(group: "apps", plural: "statefulsets", kind: "StatefulSet")
    public static let daemonSets = KubernetesResource(group: "apps", plural: "daemonsets", kind: "DaemonSet")
    public static let replicaSets = KubernetesResource(group: "apps", plural: "replicasets", kind: "ReplicaSet")
    public static let controllerRevisions = KubernetesResource(group: "apps", plural: "controllerrevisions", kind: "ControllerRevision")
    public static let pods = KubernetesResource(plural: "pods", kind: "Pod")
    public static let configMaps = KubernetesResource(plural: "configmaps", kind: "ConfigMap")
    public static let secrets = KubernetesResource(plural: "secrets", kind: "Secret")
    public static let events = KubernetesResource(plural: "events", kind: "Event")
    public static let systems = KubernetesResource(group: "belay.dev", version: "v1alpha1", plural: "systems", kind: "System")
    public static let leases = KubernetesResource(group: "coordination.k8s.io", plural: "leases", kind: "Lease")
    public static let namespaces = KubernetesResource(plural: "namespaces", kind: "Namespace", isNamespaced: false)

    /// The URL's path of the collection, or of one object in it.
    func path(namespace: String?, name: String? = nil, subresource: String? = nil) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group.percentEncoded)/\(version)"
        if isNamespaced, let namespace { path += "/namespaces/\(namespace.percentEncoded)" }
        path += "/\(plural)"
        if let name { path += "/\(name.percentEncoded)" }
        if let subresource { path += "/\(subresource.percentEncoded)" }
        return path
    }
}
