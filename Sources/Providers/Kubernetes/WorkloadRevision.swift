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
            replicas = max(object["spec"]?["replicas"]?.count ?? 0, object["status"]?["replicas"]?.count ?? 0)
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
    /// For ordering; an unknown time is the earliest.
    var made: Int64 { created?.millisecondsSinceEpoch ?? .min }
}

extension [WorkloadRevision] {
    /// The same without the change causes that are those of the release before.
    ///
    /// The controllers copy the workload's annotations to a new revision. Whoever sets an image alone, as Belay does, leaves there what was
    /// said of the image before.
    func withoutInheritedCauses(of container: String) -> [WorkloadRevision] {
        guard contains(where: { $0.note != nil }) else { return self }
        // Only ReplicaSets remember when they were rolled out; the others count by when they were made.
        let made = sorted {
            ($0.created?.millisecondsSinceEpoch ?? .min, $0.number) < ($1.created?.millisecondsSinceEpoch ?? .min, $1.number)
        }
        let turns = Dictionary(
            made.enumerated().map { ($1.uid, $1.replicas == nil ? [$0] : $1.formerNumbers + [$1.number]) }, uniquingKeysWith: { $1 })
        func first(_ revision: WorkloadRevision) -> Int { turns[revision.uid]?.min() ?? 0 }
        var inherited: Set<String> = []
        for revision in sorted(by: { first($0) < first($1) }) where revision.note != nil {
            let turn = first(revision)
            let before = compactMap { other in turns[other.uid]?.filter { $0 < turn }.max().map { (turn: $0, revision: other) } }
                .max { $0.turn < $1.turn }?.revision
            guard let before, before.note == revision.note else { continue }
            if inherited.contains(before.uid) || before.template.image(of: container) != revision.template.image(of: container) {
                inherited.insert(revision.uid)
            }
        }
        return map { revision in
            var revision = revision
            if inherited.contains(revision.uid) { revision.note = nil }
            return revision
        }
    }
}
