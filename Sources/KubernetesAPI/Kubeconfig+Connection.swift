import HTTPCore
import YAMLReading

extension Kubeconfig {
    private func failure(_ message: String, next: String? = nil) -> KubernetesError {
        KubernetesError(.configuration, "kubeconfig \(files.joined(separator: ", ")): \(message)", next: next)
    }

    private func entry(_ name: String, of entries: [Entry], _ kind: String) throws(KubernetesError) -> Entry {
        if let entry = entries.first(where: { $0.name == name }) { return entry }
        let known = entries.map(\.name).sorted().joined(separator: ", ")
        throw failure("there is no \(kind) \(name)", next: known.isEmpty ? "there is none at all" : "there are: \(known)")
    }

    /// What a context comes to. Everything that would make the connection less safe than it looks is refused.
    func connection(_ name: String?, _ environment: ClusterEnvironment) throws(KubernetesError) -> ClusterConnection {
        guard let name = name ?? current else {
            throw failure("no context is current", next: "run kubectl config use-context, or name a context in the spec")
        }
        let context = try entry(name, of: contexts, "context")
        guard let clusterName = context.value["cluster"]?.string else { throw failure("context \(name) names no cluster") }
        let cluster = try entry(clusterName, of: clusters, "cluster")
        let user = try context.value["user"]?.string.map { user throws(KubernetesError) in try entry(user, of: users, "user") }
        guard var server = cluster.value["server"]?.string else { throw failure("cluster \(clusterName) has no server") }
        guard server.hasPrefix("https://") || server.hasPrefix("http://") else {
            throw failure(
                "the server of cluster \(clusterName) is \(ClusterConnection.address(of: server))",
                next: "expected a URL that begins with https://")
        }
        while server.hasSuffix("/") { server.removeLast() }
        if cluster.value["insecure-skip-tls-verify"]?.bool == true {
            throw failure(
                "cluster \(clusterName) has insecure-skip-tls-verify, with which anybody in between could read the credentials",
                next: "replace it by certificate-authority-data")
        }
        for (key, instead) in [
            ("tls-server-name", "name a server that its certificate is made for"), ("proxy-url", "set https_proxy in the environment"),
        ] where cluster.value[key]?.string?.isEmpty == false {
            throw failure("cluster \(clusterName) has \(key), which is not supported", next: instead)
        }
        var tls = TLSSettings()
        tls.certificateAuthorities = try bytes("certificate-authority", of: cluster, environment)
        let credentials = try user.map { user throws(KubernetesError) in try self.credentials(of: user, server: server, &tls, environment) }
        return ClusterConnection(
            server: server, context: name, user: user.map { "user \($0.name)" } ?? "nobody: context \(name) names no user",
            namespace: context.value["namespace"]?.string, tls: tls, credentials: credentials ?? .none, environment: environment)
    }

    /// The content of `<key>-data`, or of the file that `<key>` names.
    private func bytes(_ key: String, of entry: Entry, _ environment: ClusterEnvironment) throws(KubernetesError) -> [UInt8]? {
        if let data = entry.value["\(key)-data"]?.string, !data.isEmpty {
            guard let bytes = data.base64Decoded, !bytes.isEmpty else { throw failure("\(key)-data of \(entry.name) is not base64") }
            return bytes
        }
        guard let path = entry.value[key]?.string, !path.isEmpty else { return nil }
        return try environment.file(entry.path(path), "kubeconfig \(entry.file): \(key) of \(entry.name)")
    }

    private func credentials(
        of user: Entry, server: String, _ tls: inout TLSSettings, _ environment: ClusterEnvironment
    ) throws(KubernetesError) -> CredentialSource {
        if let plugin = user.value["auth-provider"]?["name"]?.string {
            throw failure(
                "user \(user.name) has the auth-provider \(plugin), which Kubernetes removed in 1.26",
                next: "let the cloud's own tool write the kubeconfig again: it then uses an exec plugin")
        }
        if user.value["username"] != nil {
            throw failure(
                "user \(user.name) has a user name and a password, which Kubernetes removed in 1.19", next: "use a token or a certificate")
        }
        for key in ["as", "as-uid", "as-groups", "as-user-extra"] where user.value[key] != nil {
            throw failure(
                "user \(user.name) has \(key): impersonation is not supported", next: "make a user or a service account for Belay")
        }
        tls.clientCertificate = try bytes("client-certificate", of: user, environment)
        tls.clientKey = try bytes("client-key", of: user, environment)
        if (tls.clientCertificate == nil) != (tls.clientKey == nil) {
            throw failure("user \(user.name) has only one of client-certificate and client-key", next: "both are needed")
        }
        if let exec = user.value["exec"] { return .exec(try ExecPlugin(exec, of: user, server: server, tls: tls)) }
        // As in kubectl, the file wins over the token beside it.
        if let path = user.value["tokenFile"]?.string, !path.isEmpty { return .tokenFile(user.path(path)) }
        if let token = user.value["token"]?.string, !token.isEmpty { return .token(token) }
        return .none
    }
}
