public import HTTPCore
import Synchronization

/// A client for each context that is asked for, made when it is first needed and kept.
public final class ClusterClients: Sendable {
    private let environment: ClusterEnvironment
    private let transport: any Transport
    private let userAgent: String
    private let deadline: Duration
    private let clients = Mutex<[String?: KubernetesClient]>([:])

    /// Reads nothing yet: neither a kubeconfig nor the pod's service account.
    ///
    /// - Parameter deadline: of every request.
    public init(_ environment: ClusterEnvironment, transport: any Transport, userAgent: String, deadline: Duration = .seconds(30)) {
        self.environment = environment
        self.transport = transport
        self.userAgent = userAgent
        self.deadline = deadline
    }

    /// - Parameter context: of the kubeconfig; nil for the current one, or the pod's own cluster.
    public func client(_ context: String?) throws(KubernetesError) -> KubernetesClient {
        if let client = clients.withLock({ $0[context] }) { return client }
        let connection = try ClusterConnection.load(context: context, environment: environment)
        let made = KubernetesClient(connection, transport: transport, userAgent: userAgent, deadline: deadline)
        // Whoever was first: both lead to the same cluster, and one of them shares its credentials.
        return clients.withLock { clients in
            let client = clients[context] ?? made
            clients[context] = client
            return client
        }
    }

    /// The kubeconfig may have been written anew: it is read again when the client is next needed.
    public func forget(_ context: String?) { clients.withLock { $0[context] = nil } }
}
