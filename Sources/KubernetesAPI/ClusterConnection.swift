import HTTPCore

/// Where an API server is and how to prove who one is: what a kubeconfig's context, or a pod's service account, comes to.
public struct ClusterConnection: Sendable {
    /// Without a trailing slash.
    public var server: String
    /// The kubeconfig's context, or `in-cluster`.
    public var context: String
    /// The kubeconfig's user, for messages.
    public var user: String
    /// The namespace that the context names.
    public var namespace: String?
    var tls: TLSSettings
    var credentials: CredentialSource
    var environment: ClusterEnvironment

    /// The server for messages: without the user and the password that its URL may hold.
    public var address: String { Self.address(of: server) }

    /// `context prod, https://10.0.0.1:6443`.
    public var place: String { "context \(context), \(address)" }

    /// Everything up to the last `@` is hidden: a password need not be written as a URL wants it.
    static func address(of server: String) -> String {
        guard let at = server.lastIndex(of: "@") else { return server }
        let scheme = ["https://", "http://"].first { server.hasPrefix($0) } ?? ""
        return "\(scheme)…\(server[at...])"
    }

    /// Finds the cluster as kubectl does: the files of `KUBECONFIG`, else `~/.kube/config`, else the pod that this process runs in.
    ///
    /// - Parameter context: nil for the one that ``contextVariable`` names, the current one, or the pod's own cluster.
    public static func load(context: String?, environment: ClusterEnvironment) throws(KubernetesError) -> ClusterConnection {
        let context = context ?? environment.variable(contextVariable)
        if let kubeconfig = try Kubeconfig.load(environment) { return try kubeconfig.connection(context, environment) }
        if let context {
            throw KubernetesError(
                .configuration, "the context \(context) is asked for, and there is no kubeconfig",
                next: "set KUBECONFIG, or leave the context out to use the pod's own cluster")
        }
        return try inCluster(environment)
    }

    /// The environment variable with the context that is used where none is named.
    public static let contextVariable = "BELAY_CONTEXT"

    static let serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// The cluster of the pod that this process runs in, under the pod's service account.
    static func inCluster(_ environment: ClusterEnvironment) throws(KubernetesError) -> ClusterConnection {
        guard let host = environment.variable("KUBERNETES_SERVICE_HOST") else {
            throw KubernetesError(
                .configuration, "no cluster to talk to: neither KUBECONFIG nor ~/.kube/config is there, and this is not a pod",
                next: "set KUBECONFIG to a kubeconfig file")
        }
        let port = environment.variable("KUBERNETES_SERVICE_PORT_HTTPS") ?? environment.variable("KUBERNETES_SERVICE_PORT") ?? "443"
        let authorities = try environment.file("\(serviceAccount)/ca.crt", "the service account's certificate authority")
        let namespace = try? environment.read("\(serviceAccount)/namespace")  // Only a default; every target names its namespace.
        return ClusterConnection(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)", context: "in-cluster", user: "the pod's service account",
            namespace: namespace.map { String(decoding: $0, as: UTF8.self).trimmed }, tls: TLSSettings(certificateAuthorities: authorities),
            credentials: .tokenFile("\(serviceAccount)/token"), environment: environment)
    }
}

extension ClusterConnection: CustomStringConvertible, CustomReflectable {
    public var description: String { place }
    public var customMirror: Mirror { Mirror(self, children: ["place": place]) }
}

extension String {
    var trimmed: String {
        var text = Substring(self)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        return String(text)
    }
}
