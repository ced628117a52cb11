public import JSONValues
public import Model
import Sources
import SpecLoading

/// A `System` object as the API server gave it: what is desired, and what the cluster says of the object itself.
public struct SystemObject: Sendable {
    public let id: SystemID
    public let uid: String
    /// Counts the changes of the spec; a change of the status leaves it as it is.
    public let generation: Int
    public let resourceVersion: String
    /// As the cluster writes it, which sorts as it reads.
    public let created: String
    /// True once it is being deleted, and waits for its finalizers.
    public let isLeaving: Bool
    public let finalizers: [String]
    /// As it was written last; nil when it never was.
    public let status: JSON?
    /// The name of the Belay that keeps it as a mirror; nil for an object that is wanted for itself.
    public let mirror: String?
    public let annotations: [String: String]
    /// Of a mirror alone.
    private let spec: JSON
    private let adopts: Bool
    private let leavesFences: Bool
    private let file: SourceFile

    /// Stands at objects from which something must be undone before they go.
    public static let finalizer = "belay.dev/fences"
    /// The annotation that lets an object go without that: `"true"`.
    public static let leaveFences = "belay.dev/leave-fences"
    /// The annotation by which the first contact may change the system: `"true"`.
    public static let adopt = "belay.dev/adopt"
    /// The label of objects that only show what comes from elsewhere; they are never what is wanted.
    public static let mirrorLabel = "belay.dev/mirror"

    /// Nil for what is no object at all.
    public init?(_ json: JSON) {
        guard let metadata = json["metadata"], let name = metadata["name"]?.string, let namespace = metadata["namespace"]?.string,
            let uid = metadata["uid"]?.string, let version = metadata["resourceVersion"]?.string
        else { return nil }
        id = SystemID(namespace: namespace, name: name)
        self.uid = uid
        generation = metadata["generation"]?.integer ?? 0
        resourceVersion = version
        created = metadata["creationTimestamp"]?.string ?? ""
        isLeaving = metadata["deletionTimestamp"] != nil
        finalizers = (metadata["finalizers"]?.elements ?? []).compactMap(\.string)
        mirror = metadata["labels"]?[Self.mirrorLabel]?.string
        spec = mirror == nil ? .null : json["spec"] ?? .null
        let members = metadata["annotations"]?.object?.members ?? []
        annotations = Dictionary(members.compactMap { member in member.value.string.map { (member.key, $0) } }) { first, _ in first }
        leavesFences = annotations[Self.leaveFences] == "true"
        adopts = annotations[Self.adopt] == "true"
        status = json["status"]
        // Lists leave version and kind out; they are what was asked for.
        let document: JSON = [
            "apiVersion": "belay.dev/v1alpha1", "kind": "System", "metadata": ["name": .string(name), "namespace": .string(namespace)],
            "spec": json["spec"] ?? .null,
        ]
        file = SourceFile(name: id.description, bytes: document.bytes)
    }

    public var revision: Revision { Revision(.generation, "\(uid)/\(generation)") }

    /// What it is as a part of a source; nil when it is going, and nothing must be undone.
    var part: Holding.Part? {
        var leaving: Snapshot.Leaving?
        if isLeaving {
            guard finalizers.contains(Self.finalizer) else { return nil }
            leaving = leavesFences ? .leavingFences : .restoringFences
        }
        return Holding.Part(
            origin: id.description, of: id, .success(Snapshot(revision: revision, files: [file], adopts: adopts, leaving: leaving)))
    }

    /// True of a mirror that says the same, with these annotations among its own.
    public func shows(_ spec: JSON, _ annotations: [String: String]) -> Bool {
        self.spec == spec && annotations.allSatisfy { self.annotations[$0.key] == $0.value }
    }

    /// True if a loop has nothing to do about the difference of the two: of the status, for instance.
    func isSame(to other: SystemObject) -> Bool {
        uid == other.uid && generation == other.generation && isLeaving == other.isLeaving && adopts == other.adopts
            && (!isLeaving || leavesFences == other.leavesFences && finalizers == other.finalizers)
    }
}
