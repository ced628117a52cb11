public import ProviderKit

extension KubernetesProvider {
    /// Credentials come from `KUBECONFIG`, `~/.kube/config` or the pod's service account; none from a variable of its own.
    public static let registration = ProviderRegistration(
        KubernetesProvider.self, doc: "A workload of a Kubernetes cluster, and the container whose image is pinned.", secretVariables: []
    ) { .success(KubernetesProvider($0)) }
}
