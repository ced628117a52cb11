public import Model
public import SpecFields

/// A flag definition of flagd in a key of a ConfigMap.
public struct ConfigMapFlagTarget: FlagTarget, Hashable {
    public static let store = "configMap"
    public var namespace: String
    public var name: String
    public var key: String
    /// The kubeconfig's context; nil: the current one, or the pod's own cluster.
    public var context: String?

    public init(namespace: String, name: String, key: String = "flags.json", context: String? = nil) {
        self.namespace = namespace
        self.name = name
        self.key = key
        self.context = context
    }

    /// `(current)/prod/flags/flags.json`. Two contexts that name one cluster are two clusters here.
    public var identity: String { "\(context ?? "(current)")/\(namespace)/\(name)/\(key)" }
    public var clusterPlace: ClusterPlace? { ClusterPlace(context: context, namespace: namespace) }
}

extension ConfigMapFlagTarget: SpecObject {
    public init(_ fields: inout Fields) {
        namespace = fields.required("namespace", .string(.label), "The namespace that the ConfigMap is in.")
        name = fields.required("name", .string(.subdomain), "The ConfigMap's name; it must be there.")
        key = fields.optional("key", .string(.configMapKey), default: "flags.json", "The key that holds the flag definition.")
        context = fields.optional(
            "context", "The kubeconfig's context; without it the current one, or the cluster that Belay runs in.")
    }
}

extension StringRule {
    fileprivate static let configMapKey = StringRule(
        pattern: "^[-._A-Za-z0-9]{1,253}$", hint: "letters, digits, '-', '_' and '.', at most 253"
    ) { text in
        (1...253).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2D, 0x2E, 0x5F].contains(byte)
            }
    }
}
