public import Model

extension ClusterPermission {
    /// A permission on objects of one group.
    ///
    /// - Parameter subresource: such as `status`, for that part of the objects alone.
    public init(_ scope: Scope, _ resources: [KubernetesResource], subresource: String? = nil, _ verbs: [String], _ reason: String) {
        precondition(Set(resources.map(\.group)).count == 1, "a rule of RBAC whose verbs are of several groups grants more than it says")
        self.init(
            scope, group: resources[0].group, resources: resources.map { $0.plural + (subresource.map { "/\($0)" } ?? "") }, verbs: verbs,
            reason)
    }
}
