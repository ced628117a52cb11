import JSONValues
import KubernetesAPI
public import Model
public import ProviderKit

/// Reads values that a spec takes from Secrets of a cluster: of the kubeconfig's current context, or of the pod's own cluster.
///
/// Reads no kubeconfig before it is asked for a Secret.
public struct KubernetesSecretReading: Sendable {
    /// What is needed in the namespace of each Secret.
    public static let permissions = [
        ClusterPermission(.references, [.secrets], ["get"], "Reads the values that a spec takes from Secrets with fromSecret.")
    ]

    private let clients: ClusterClients

    public init(_ environment: ProviderEnvironment) { clients = ClusterClients(environment) }

    /// The value of one key. One request; needs the verb `get` on that Secret.
    ///
    /// - Parameter namespace: nil for the one that the context names, or the pod's own; `default` where neither tells one.
    public func read(namespace: String?, name: String, key: String) async -> Result<Secret, Problem> {
        do throws(KubernetesError) {
            let client = try clients.client(nil)
            let namespace = namespace ?? client.connection.namespace ?? "default"
            let place = "namespace \(namespace) (\(client.connection.place))"
            let answer: KubernetesAnswer
            do throws(KubernetesError) {
                answer = try await client.get(.secrets, namespace: namespace, name: name)
            } catch {
                if error.code == .unauthorized || error.code == .credentials { clients.forget(nil) }
                guard error.code == .notFound else { throw error }
                return .failure(
                    Problem("SecretMissing", "there is no Secret \(name) in \(place)", next: "make it, or correct its name in the spec"))
            }
            guard answer.body["kind"]?.string == "Secret", answer.body["metadata"]?["name"]?.string == name else {
                return .failure(
                    Problem(
                        "MalformedAnswer", "the answer for Secret \(name) in \(place) is not that Secret",
                        next: "check that \(client.connection.address) is a Kubernetes API server and not a proxy in between"))
            }
            let values = SecretData.values(of: answer.body)
            guard let bytes = values[key] else {
                let keys = values.keys.sorted().joined(separator: ", ")
                return .failure(
                    Problem(
                        "SecretKeyMissing", "Secret \(name) in \(place) has no key \(key)",
                        next: keys.isEmpty ? "it has no key at all" : "name one of these: \(keys)"))
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .failure(
                    Problem(
                        "ValueUnusable", "the key \(key) of Secret \(name) in \(place) is no UTF-8 text",
                        next: "a variable can only hold text"))
            }
            return .success(Secret(text))
        } catch {
            let reason = error.code == .forbidden ? "Forbidden" : "SecretUnreadable"
            return .failure(Problem(reason, "Secret \(name): \(error.message)", next: error.next, retryAfter: error.retryAfter))
        }
    }
}

extension KubernetesSecretReading: CustomStringConvertible, CustomReflectable {
    public var description: String { "KubernetesSecretReading" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
