import JSONValues
import KubernetesAPI
import Model
import ProviderKit

/// A ConfigMap or Secret that Belay makes for the environment of one container: immutable, and named after what is in it, so that a pod
/// template of the past finds what it had.
struct OwnObject: Sendable, Hashable {
    static let managerLabel = "app.kubernetes.io/managed-by"
    static let manager = "belay"

    var object: ConfigurationObject
    /// Sorted by key.
    var values: [Value]
    var owner: Owner

    struct Value: Sendable, Hashable {
        var key: String
        var secret: Secret
    }

    /// The container that it is for.
    struct Owner: Sendable, Hashable {
        var workload: Workload
        var namespace: String
        var container: String

        /// How the names of all its objects begin.
        var prefix: String {
            var stem = "\(workload.name)-\(container)"
            // A name may have 253 characters.
            while stem.utf8.count > 253 - 21 || stem.hasSuffix(".") { stem.removeLast() }
            return "\(stem)-env-"
        }

        /// What all its objects are labelled with.
        var labels: [(key: String, value: String)] {
            // A label's value may have 63 characters.
            let name =
                workload.name.utf8.count <= 63 ? workload.name : String(workload.name.prefix(46)) + "-" + StableHash.of(workload.name)
            return [
                (OwnObject.managerLabel, OwnObject.manager), ("belay.dev/kind", workload.kind.rawValue), ("belay.dev/workload", name),
                ("belay.dev/container", container),
            ]
        }
    }

    /// The name depends on keys and keyed hashes of values, so that it tells nothing of them.
    init(_ kind: ConfigurationObject.Kind, _ values: [String: DesiredConfiguration.Value], owner: Owner) {
        let sorted = values.sorted { $0.key < $1.key }
        let identity = [kind.rawValue, owner.workload.kind.rawValue, owner.workload.name, owner.container]
        let hash = StableHash.of((identity + sorted.flatMap { [$0.key, $0.value.fingerprint] }).joined(separator: "\0"))
        object = ConfigurationObject(kind, owner.prefix + hash)
        self.values = sorted.map { Value(key: $0.key, secret: $0.value.secret) }
        self.owner = owner
    }

    /// True if it is there as it must be.
    func isSame(as content: ObjectContent) -> Bool {
        content.isOwn && content.isImmutable && content.keys == Set(values.map(\.key))
            && values.allSatisfy { content.values[$0.key] == $0.secret }
    }

    /// As it is made. It goes with its workload.
    ///
    /// - Parameter uid: of the workload.
    func json(uid: String) -> JSON {
        let resource = owner.workload.kind.resource
        var labels: JSON = [:]
        for (key, value) in owner.labels { labels[key] = .string(value) }
        let reference: JSON = [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind), "name": .string(owner.workload.name),
            "uid": .string(uid),
        ]
        var json: JSON = [
            "apiVersion": "v1", "kind": .string(object.kind.resource.kind),
            "metadata": [
                "name": .string(object.name), "namespace": .string(owner.namespace), "labels": labels, "ownerReferences": [reference],
            ],
            "immutable": true,
        ]
        switch object.kind {
        case .configMap:
            var data: JSON = [:]
            for value in values { data[value.key] = .string(value.secret.reveal()) }
            json["data"] = data
        case .secret:
            json["type"] = "Opaque"
            json["data"] = SecretData.data(values.map { ($0.key, $0.secret.reveal()) })
        }
        return json
    }

    /// Why it cannot be used: something else has its name.
    func taken(_ component: String) -> Problem {
        Problem(
            "NameTaken",
            "kubernetes/\(component): \(object.words) in namespace \(owner.namespace) is there, and is not what Belay put there",
            next: "kubectl delete \(object.kind.rawValue.lowercased()) \(object.name) -n \(owner.namespace)")
    }
}

/// Short and stable: for names and comparisons, not against people who look for collisions.
enum StableHash {
    /// FNV-1a, 16 hexadecimal digits.
    static func of(_ text: String) -> String { of(Array(text.utf8)) }

    static func of(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
