import JSONValues
import KubernetesAPI
import Model

/// The name of a ConfigMap or Secret in a workload's namespace.
struct ConfigurationObject: Sendable, Hashable {
    enum Kind: String, Sendable {
        case configMap, secret

        var resource: KubernetesResource { self == .configMap ? .configMaps : .secrets }
        /// The member of an environment variable's `valueFrom` that refers to one.
        var keyReference: String { "\(rawValue)KeyRef" }
    }

    var kind: Kind
    var name: String

    init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// `configMap/backend-api-env-0123456789abcdef`: in tokens, parts and markers.
    var text: String { "\(kind.rawValue)/\(name)" }

    /// Nil for a text that is not of this form.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else { return nil }
        self.init(kind, String(parts[1]))
    }

    /// For messages: `Secret backend-dsn`.
    var words: String { "\(kind.resource.kind) \(name)" }
}

/// A ConfigMap or Secret as it was read.
enum ObjectState: Sendable {
    case missing
    case found(ObjectContent)
    /// It may not be read: which permission is lacking.
    case unreadable(Problem)

    var content: ObjectContent? {
        guard case .found(let content) = self else { return nil }
        return content
    }

    var isMissing: Bool {
        guard case .missing = self else { return false }
        return true
    }

    var problem: Problem? {
        guard case .unreadable(let problem) = self else { return nil }
        return problem
    }
}

/// What matters of a ConfigMap or Secret.
struct ObjectContent: Sendable {
    /// Texts only; a key whose value is none is among ``keys`` alone.
    var values: [String: Secret]
    var keys: Set<String>
    var isImmutable: Bool
    var isOwn: Bool

    init(_ object: JSON, kind: ConfigurationObject.Kind) {
        var values: [String: Secret] = [:]
        switch kind {
        case .configMap:
            for (key, value) in object["data"]?.object?.members ?? [] { values[key] = value.string.map { Secret($0) } }
            keys = Set(values.keys).union(object["binaryData"]?.object?.keys ?? [])
        case .secret:
            let data = SecretData.values(of: object)
            for (key, bytes) in data { values[key] = String(validating: bytes, as: UTF8.self).map { Secret($0) } }
            keys = Set(data.keys)
        }
        self.values = values
        isImmutable = object["immutable"]?.bool == true
        isOwn = object["metadata"]?["labels"]?[OwnObject.managerLabel]?.string == OwnObject.manager
    }
}

/// Reads what environment variables refer to.
struct ObjectReader: Sendable {
    var client: KubernetesClient
    var namespace: String
    var component: String

    /// One request each, side by side. What may not be read is ``ObjectState/unreadable(_:)``.
    func read(_ wanted: some Collection<ConfigurationObject>) async throws(SnapshotError) -> [ConfigurationObject: ObjectState] {
        guard !wanted.isEmpty else { return [:] }
        let all = await withTaskGroup(of: (ConfigurationObject, Result<ObjectState, SnapshotError>).self) { group in
            for object in Set(wanted) { group.addTask { (object, await read(object)) } }
            var found: [ConfigurationObject: Result<ObjectState, SnapshotError>] = [:]
            for await (object, state) in group { found[object] = state }
            return found
        }
        var states: [ConfigurationObject: ObjectState] = [:]
        for (object, state) in all { states[object] = try state.get() }
        return states
    }

    private func read(_ object: ConfigurationObject) async -> Result<ObjectState, SnapshotError> {
        do throws(KubernetesError) {
            let answer = try await client.get(object.kind.resource, namespace: namespace, name: object.name)
            guard answer.body["kind"]?.string == object.kind.resource.kind, answer.body["metadata"]?["name"]?.string == object.name else {
                return .failure(
                    .problem(
                        Problem(
                            "MalformedAnswer", "the answer for \(object.words) (\(client.connection.place)) is another object",
                            next: "check that \(client.connection.address) is a Kubernetes API server and not a proxy in between")))
            }
            return .success(.found(ObjectContent(answer.body, kind: object.kind)))
        } catch {
            switch error.code {
            case .notFound: return .success(.missing)
            case .forbidden: return .success(.unreadable(Problem(error, of: component)))
            default: return .failure(.api(error))
            }
        }
    }
}
