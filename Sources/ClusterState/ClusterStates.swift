public import HTTPCore
public import KubernetesAPI
public import Model
public import State

/// The state stores of one process in clusters: one client for each cluster, and what was read once is not read again.
public final class ClusterStates: Sendable {
    private let lease: Duration
    private let memory = JournalMemory()
    private let clients: ClusterClients

    /// Reads nothing yet: the kubeconfig or the service account is read when a store is first needed.
    /// - Parameter lease: how long a lock lives without renewal.
    public init(
        _ environment: ClusterEnvironment, transport: any Transport, userAgent: String = "belay", lease: Duration = .seconds(15)
    ) {
        clients = ClusterClients(environment, transport: transport, userAgent: userAgent, deadline: .seconds(10))
        self.lease = lease
    }

    /// Where the state of a system is.
    /// - Parameters:
    ///   - namespace: nil for the system's own, so that everybody who names none means the same object.
    ///   - context: of the kubeconfig; nil for the current one, or the pod's own cluster.
    public func store(of system: SystemID, namespace: String?, context: String?) throws(StateError) -> any StateStore {
        let objects = StateObjects(system, in: namespace ?? system.namespace, try client(context))
        return ClusterStateStore(objects, lease: lease, memory: memory)
    }

    private func client(_ context: String?) throws(StateError) -> KubernetesClient {
        do throws(KubernetesError) {
            return try clients.client(context)
        } catch {
            throw StateError(
                .noPlace, "the state is in a cluster that cannot be found: \(error.message)",
                next: error.next ?? "name another place, such as --state DIR")
        }
    }
}
