/// Verbs on objects of a cluster that a part of Belay needs, and why. The roles of `manifests/rbac` are made of these.
///
/// Every verb is one that a test sees used; a second declaration of the same verb on the same objects is merged with the first.
public struct ClusterPermission: Sendable, Hashable {
    /// Where a permission must be granted. Each is a role of its own, so that nobody grants what is not used.
    public enum Scope: String, Sendable, Hashable, CaseIterable {
        /// In the namespace of Belay's own pods.
        case own
        /// Where `System` objects are watched: in the whole cluster, or in the namespaces that are named.
        case systems
        /// In the whole cluster, where specs that come from elsewhere are shown as `System` objects.
        case mirrors
        /// In each namespace with workloads that a spec names.
        case targets
        /// In each namespace with workloads whose spec names keys in `env`.
        case configuration
        /// In each namespace with a ConfigMap that holds flags.
        case flags
        /// In each namespace with Secrets that a spec names by `fromSecret`.
        case references
    }

    public var scope: Scope
    /// Empty for the core group.
    public var group: String
    /// Plural: `deployments`, `systems/status`.
    public var resources: [String]
    /// As RBAC names them: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    public var verbs: [String]
    /// One sentence for the people who grant it: what Belay does with it.
    public var reason: String

    public init(_ scope: Scope, group: String, resources: [String], verbs: [String], _ reason: String) {
        self.scope = scope
        self.group = group
        self.resources = resources
        self.verbs = verbs
        self.reason = reason
    }
}
