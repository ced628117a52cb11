import KubernetesAPI
public import Model

/// A workload of a cluster, and the container whose image is pinned.
public struct KubernetesTarget: Target, Hashable {
    public static let provider = "kubernetes"

    public var namespace: String
    public var workload: Workload
    /// Nil: the only container.
    public var container: String?
    /// The kubeconfig's context; nil: the current one, or the pod's own cluster.
    public var context: String?

    public init(namespace: String, _ workload: Workload, container: String? = nil, context: String? = nil) {
        self.namespace = namespace
        self.workload = workload
        self.container = container
        self.context = context
    }

    /// `(current)/prod/deployment/backend`. Two contexts that name one cluster are two clusters here.
    public var identity: String { "\(context ?? "(current)")/\(namespace)/\(workload.kind.rawValue)/\(workload.name)" }
    public var clusterPlace: ClusterPlace? { ClusterPlace(context: context, namespace: namespace) }
    /// A tag of one container's image says nothing of another's.
    public var scope: String { "\(provider)/\(identity)\(container.map { "/\($0)" } ?? "")" }
}

/// What controls the pods.
public struct Workload: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Codable, CaseIterable {
        case deployment, statefulSet, daemonSet
    }

    public var kind: Kind
    public var name: String

    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    public static func deployment(_ name: String) -> Workload { Workload(.deployment, name) }
    public static func statefulSet(_ name: String) -> Workload { Workload(.statefulSet, name) }
    public static func daemonSet(_ name: String) -> Workload { Workload(.daemonSet, name) }
}

extension Workload.Kind {
    var resource: KubernetesResource {
        switch self {
        case .deployment: .deployments
        case .statefulSet: .statefulSets
        case .daemonSet: .daemonSets
        }
    }

    /// Where the history is kept.
    var history: KubernetesResource { self == .deployment ? .replicaSets : .controllerRevisions }

    /// The label by which a pod tells its revision.
    var podLabel: String { self == .deployment ? "pod-template-hash" : "controller-revision-hash" }
}

extension KubernetesTarget {
    /// As kubectl names it: `deployment/backend -n prod`.
    var arguments: String {
        "\(workload.kind.rawValue.lowercased())/\(workload.name) -n \(namespace)" + (context.map { " --context \($0)" } ?? "")
    }

    /// For messages: `deployment backend in namespace prod`.
    var words: String { "\(workload.kind.rawValue.lowercased()) \(workload.name) in namespace \(namespace)" }
}
