internal import KubernetesAPI
public import Model

extension LeaderElector {
    /// What `--leader-elect` needs.
    public static var permissions: [ClusterPermission] {
        [lease(["get", "create", "patch"], "Takes, renews and gives back the Lease of the one replica that works, or of each that does.")]
    }
}

extension Replicas {
    /// What `--shard` needs beside what an election does.
    public static var permissions: [ClusterPermission] {
        [lease(["list", "delete"], "With --shard: sees which replicas live, and removes the Leases of those that do not.")]
    }
}

private func lease(_ verbs: [String], _ reason: String) -> ClusterPermission {
    let resource = KubernetesResource.leases
    return ClusterPermission(.own, group: resource.group, resources: [resource.plural], verbs: verbs, reason)
}
