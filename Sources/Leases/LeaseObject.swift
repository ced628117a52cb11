internal import JSONValues
internal import KubernetesAPI

/// One Lease of a cluster, and how it is written: only from the version that is known.
struct LeaseObject: Sendable {
    var client: KubernetesClient
    let namespace: String
    let name: String
    var labels: [String: String] = [:]

    /// Nil when there is none.
    func read(within limit: Duration) async throws(KubernetesError) -> (record: LeaseRecord, version: String)? {
        do throws(KubernetesError) {
            let answer = try await bounded(limit).get(.leases, namespace: namespace, name: name)
            return (LeaseRecord(answer.body), answer.body["metadata"]?["resourceVersion"]?.string ?? "")
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// Returns its version.
    func create(_ record: LeaseRecord, within limit: Duration) async throws(KubernetesError) -> String {
        var all: JSON = ["app.kubernetes.io/managed-by": "belay"]
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) { all[key] = .string(value) }
        let object: JSON = [
            "apiVersion": .string(KubernetesResource.leases.apiVersion), "kind": .string(KubernetesResource.leases.kind),
            "metadata": ["name": .string(name), "namespace": .string(namespace), "labels": all], "spec": record.spec,
        ]
        return Self.version(try await bounded(limit).create(.leases, namespace: namespace, object))
    }

    /// Returns its next version; 409 when it has another one than that.
    func write(_ record: LeaseRecord, from version: String, within limit: Duration) async throws(KubernetesError) -> String {
        let change: JSON = ["metadata": ["resourceVersion": .string(version)], "spec": record.spec]
        return Self.version(try await bounded(limit).patch(.leases, namespace: namespace, name: name, .merge(change)))
    }

    private func bounded(_ limit: Duration) -> KubernetesClient {
        var client = client
        client.deadline = max(.milliseconds(100), limit)
        return client
    }

    private static func version(_ answer: KubernetesAnswer) -> String { answer.body["metadata"]?["resourceVersion"]?.string ?? "" }
}
