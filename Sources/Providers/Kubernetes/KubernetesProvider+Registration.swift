import KubernetesAPI
public import Model
public import ProviderKit

extension KubernetesProvider {
    /// Credentials come from `KUBECONFIG`, `~/.kube/config` or the pod's service account; none from a variable of its own.
    public static let registration = ProviderRegistration(
        KubernetesProvider.self, doc: "A workload of a Kubernetes cluster, and the container whose image is pinned.", secretVariables: [],
        permissions: permissions
    ) { .success(KubernetesProvider($0)) }

    /// What is needed in the namespace of each workload.
    public static let permissions: [ClusterPermission] = [
        ClusterPermission(
            .targets, [.deployments, .statefulSets, .daemonSets], ["get", "patch"],
            "Reads a pinned workload, and writes the image of its pinned container, its variables, and how many replicas it has while it is stopped."
        ),
        ClusterPermission(
            .targets, [.deployments, .statefulSets, .daemonSets], ["list"],
            "Reads many workloads of a namespace with few requests, and names those that there are when a spec names one that is not there; may be left out."
        ),
        ClusterPermission(
            .targets, [.replicaSets, .controllerRevisions], ["list"], "Finds the earlier releases, and which of them pods still run."),
        ClusterPermission(
            .targets, [.replicaSets, .controllerRevisions], ["get"], "Reads the pod template of the release that is gone back to."),
        ClusterPermission(
            .targets, [.pods], ["list"], "Tells which images really run, why a pod does not come up, and when the last one has ended."),
        ClusterPermission(
            .configuration, [.configMaps, .secrets], ["get", "create"],
            "Keeps the values of a component's env: literals in a ConfigMap, references in a Secret, a new one for each change; and asks whether what an earlier release refers to still exists."
        ),
        ClusterPermission(
            .configuration, [.configMaps, .secrets], ["list", "delete"],
            "Removes those that no release refers to any more; may be left out."),
    ]
}
