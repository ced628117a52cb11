import JSONValues
import Model

/// One entry of a workload's history: a ReplicaSet or a ControllerRevision.
struct WorkloadRevision: Sendable, Hashable {
    static let revisionAnnotation = "deployment.kubernetes.io/revision"
    static let historyAnnotation = "deployment.kubernetes.io/revision-history"
    static let changeCause = "kubernetes.io/change-cause"

    var number: Int
    /// Numbers that it had before an undo renumbered it; only ReplicaSets remember them.
    var formerNumbers: [Int]
    var name: String
    var uid: String
    /// As its pods carry it in their label.
    var hash: String
    var template: PodTemplate
    var created: Timestamp?
    var note: String?
    /// Pods that it has or wants; nil for a ControllerRevision, which does not know.
    var replicas: Int?

    /// Nil for an object that does not belong to the workload, or is not usable.
    init?(_ object: JSON, of workload: JSON, kind: Workload.Kind) {
        let metadata = object["metadata"]
        let uid = workload["metadata"]?["uid"]?.string
        guard let name = metadata?["name"]?.string, let own = metadata?["uid"]?.string,
            (metadata?["ownerReferences"]?.elements ?? []).contains(where: { $0["uid"]?.string == uid && $0["controller"]?.bool == true })
        else { return nil }
        self.name = name
        self.uid = own
        created = metadata?["creationTimestamp"]?.string.flatMap { Timestamp($0) }
        note = metadata?["annotations"]?[Self.changeCause]?.string
        switch kind {
        case .deployment:
            guard let template = object["spec"]?["template"], let hash = metadata?["labels"]?["pod-template-hash"]?.string else {
                return nil
            }
            let annotations = metadata?["annotations"]
            number = annotations?[Self.revisionAnnotation]?.string.flatMap { Int($0) } ?? 0
            formerNumbers = (annotations?[Self.historyAnnotation]?.string ?? "").split(separator: ",").compactMap { Int($0) }
            self.hash = hash
            self.template = PodTemplate(template)
            replicas = max(object["spec"]?["replicas"]?.integer ?? 0, object["status"]?["replicas"]?.integer ?? 0)
        case .statefulSet, .daemonSet:
            guard let template = object["data"]?["spec"]?["template"], let number = object["revision"]?.integer else { return nil }
            self.number = number
            formerNumbers = []
            // A StatefulSet's pods carry the revision's name, a DaemonSet's its hash.
            hash = kind == .statefulSet ? name : metadata?["labels"]?["controller-revision-hash"]?.string ?? name
            self.template = PodTemplate(template)
            replicas = nil
        }
    }

    var identity: ArtifactIdentity { ArtifactIdentity(.template, hash) }
}
