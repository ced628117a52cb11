internal import JSONValues
internal import KubernetesAPI
internal import Model
internal import State

/// The objects that hold the state of one system: the head, with the lock and the newest lines of the journal, and one for every segment of
/// older lines, which never changes again.
///
/// They are of a kind of their own, so that whoever may write them may write nothing else, and nobody else watches them.
struct StateObjects: Sendable {
    static let resource = KubernetesResource(
        group: "belay.dev", version: "v1alpha1", plural: "systemstates", kind: "SystemState")

    /// `default/shop`, which the object must say as well.
    let system: String
    let namespace: String
    /// Of the head.
    let name: String
    private let label: String
    let client: KubernetesClient

    init(_ system: SystemID, in namespace: String, _ client: KubernetesClient) {
        self.system = system.description
        self.namespace = namespace
        self.client = client
        // Neither a namespace nor a system's name has a dot in it, so that no two systems share a name.
        name = namespace == system.namespace ? system.name : "\(system.namespace).\(system.name)"
        label = system.name
    }

    /// For messages: `systemstate shop in namespace prod`.
    var place: String { "systemstate \(name) in namespace \(namespace)" }

    /// Distinguishes this state from those of other clusters.
    var key: String { "\(client.connection.server) \(namespace) \(name)" }

    func segmentName(_ number: Int, of chain: String) -> String { "\(name).\(chain).\(number)" }

    // MARK: - Reading

    /// Nil when there is none.
    func head() async throws(KubernetesError) -> JSON? { try await object(name) }

    func segment(_ number: Int, of chain: String) async throws(KubernetesError) -> JSON? {
        try await object(segmentName(number, of: chain))
    }

    private func object(_ name: String) async throws(KubernetesError) -> JSON? {
        do throws(KubernetesError) {
            return try await client.get(Self.resource, namespace: namespace, name: name).body
        } catch {
            // A cluster that does not know the kind answers 404 as well, without saying of what.
            guard error.code == .notFound, error.reason == "NotFound" else { throw error }
            return nil
        }
    }

    // MARK: - Writing

    func createHead(_ members: JSON) async throws(KubernetesError) -> JSON {
        try await client.create(Self.resource, namespace: namespace, object(name, "head", members)).body
    }

    func createSegment(_ number: Int, of chain: String, _ lines: [Head.Line]) async throws(KubernetesError) {
        let members: JSON = ["segment": .integer(number), "journal": Head.journal(lines)]
        _ = try await client.create(
            Self.resource, namespace: namespace, object(segmentName(number, of: chain), "segment", members), answering: .metadata)
    }

    /// Changes the head if it still has that version, and returns its next one. One request; what is in the object does not come back.
    func patch(_ change: JSON, from version: String) async throws(KubernetesError) -> String {
        var body = change
        body["metadata"] = ["resourceVersion": .string(version)]
        let answer = try await client.patch(Self.resource, namespace: namespace, name: name, .merge(body), answering: .metadata)
        return answer.body["metadata"]?["resourceVersion"]?.string ?? ""
    }

    private func object(_ name: String, _ part: String, _ members: JSON) -> JSON {
        var object: JSON = [
            "apiVersion": .string(Self.resource.apiVersion), "kind": .string(Self.resource.kind),
            "metadata": [
                "name": .string(name), "namespace": .string(namespace),
                "labels": ["app.kubernetes.io/managed-by": "belay", "belay.dev/system": .string(label), "belay.dev/part": .string(part)],
            ],
            "system": .string(system),
        ]
        for (key, value) in members.object?.members ?? [] { object[key] = value }
        return object
    }
}
