import JSONValues
import Model
import Testing

@testable import KubernetesProvider

/// The cases of `kubectl rollout status`, plus those where it would wait for ever.
struct RolloutStatusTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var kind = Workload.Kind.deployment
        var spec: JSON = ["replicas": 3]
        var status: JSON
        var pods: [JSON] = []
        /// `settled`, `progressing: …` or `failed: Reason`.
        var expected: String
        var testDescription: String { why }
    }

    private static func deployment(
        _ updated: Int, _ total: Int, _ available: Int, observed: Int = 2, progressing: String? = nil, message: String = "timed out"
    ) -> JSON {
        var status: JSON = [
            "observedGeneration": .integer(observed), "updatedReplicas": .integer(updated), "replicas": .integer(total),
            "availableReplicas": .integer(available),
        ]
        if let progressing {
            status["conditions"] = [
                ["type": "Progressing", "status": "False", "reason": .string(progressing), "message": .string(message)]
            ]
        }
        return status
    }

    private static func statefulSet(_ ready: Int, _ updated: Int, done: Bool = false) -> JSON {
        [
            "observedGeneration": 2, "readyReplicas": .integer(ready), "updatedReplicas": .integer(updated), "updateRevision": "new",
            "currentRevision": done ? "new" : "old",
        ]
    }

    private static func daemonSet(_ updated: Int, _ available: Int) -> JSON {
        [
            "observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": .integer(updated),
            "numberAvailable": .integer(available),
        ]
    }

    private static func pod(_ hash: String, waiting reason: String? = nil, unschedulable: Bool = false) -> JSON {
        var status: JSON = ["phase": "Pending"]
        if let reason {
            status["containerStatuses"] = [["name": "api", "state": ["waiting": ["reason": .string(reason), "message": "words"]]]]
        }
        if unschedulable {
            status["conditions"] = [
                ["type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"]
            ]
        }
        return [
            "metadata": [
                "name": .string("pod-\(hash)"), "labels": ["pod-template-hash": .string(hash), "controller-revision-hash": .string(hash)],
                "ownerReferences": [["uid": "owner", "controller": true]],
            ], "spec": ["containers": [["name": "api", "image": "r/api:v2"]]], "status": status,
        ]
    }

    static let cases = [
        Case(
            why: "the status is of an older generation", status: deployment(3, 3, 3, observed: 1),
            expected: "progressing: the controller has not seen the change yet"),
        Case(why: "no status yet", status: [:], expected: "progressing: the controller has not seen the change yet"),
        Case(why: "not all are new", status: deployment(1, 4, 3), expected: "progressing: 1 of 3 replicas updated"),
        Case(why: "old ones are left", status: deployment(3, 4, 3), expected: "progressing: 1 old replica is still ending"),
        Case(why: "several old ones are left", status: deployment(3, 5, 3), expected: "progressing: 2 old replicas are still ending"),
        Case(why: "one is wanted", spec: ["replicas": 1], status: deployment(0, 1, 1), expected: "progressing: 0 of 1 replica updated"),
        Case(
            why: "one is wanted and not available", spec: ["replicas": 1], status: deployment(1, 1, 0),
            expected: "progressing: 0 of 1 updated replica available"),
        Case(why: "new ones are not available", status: deployment(3, 3, 2), expected: "progressing: 2 of 3 updated replicas available"),
        Case(why: "all new and available", status: deployment(3, 3, 3), expected: "settled"),
        Case(why: "none are wanted", spec: ["replicas": 0], status: deployment(0, 0, 0), expected: "settled"),
        Case(why: "the default is one", spec: [:], status: deployment(1, 1, 1), expected: "settled"),
        Case(
            why: "the deadline has passed", status: deployment(1, 4, 3, progressing: "ProgressDeadlineExceeded"),
            expected: "failed: ProgressDeadlineExceeded"),
        Case(
            why: "the deadline that has passed is this one's",
            status: deployment(1, 4, 3, progressing: "ProgressDeadlineExceeded", message: "ReplicaSet \"new\" has timed out progressing."),
            expected: "failed: ProgressDeadlineExceeded"),
        Case(
            why: "the deadline that has passed is still that of the release before",
            status: deployment(0, 3, 0, progressing: "ProgressDeadlineExceeded", message: "ReplicaSet \"old\" has timed out progressing."),
            expected: "progressing: 0 of 3 replicas updated"),
        Case(
            why: "the deadline has passed and the pod says why", status: deployment(1, 4, 3, progressing: "ProgressDeadlineExceeded"),
            pods: [pod("new", waiting: "CrashLoopBackOff")], expected: "failed: CrashLoopBackOff"),
        Case(
            why: "an image that cannot be pulled, long before the deadline", status: deployment(1, 4, 3),
            pods: [pod("new", waiting: "ErrImagePull")],
            expected: "failed: ErrImagePull"),
        Case(
            why: "a missing Secret", status: deployment(1, 4, 3), pods: [pod("new", waiting: "CreateContainerConfigError")],
            expected: "failed: CreateContainerConfigError"),
        Case(
            why: "a pod that is only being made", status: deployment(1, 4, 3), pods: [pod("new", waiting: "ContainerCreating")],
            expected: "progressing: 1 of 3 replicas updated"),
        Case(
            why: "what the old revision's pods do does not matter", status: deployment(1, 4, 3),
            pods: [pod("old", waiting: "CrashLoopBackOff")],
            expected: "progressing: 1 of 3 replicas updated"),
        Case(
            why: "failing pods may be of the template before until the controller has seen the new one",
            status: deployment(1, 4, 3, observed: 1),
            pods: [pod("new", waiting: "CrashLoopBackOff")], expected: "progressing: the controller has not seen the change yet"),
        Case(
            why: "no room", status: deployment(1, 4, 3), pods: [pod("new", unschedulable: true)],
            expected: "progressing: 1 of 3 replicas updated; no node takes a pod: 0/3 nodes are available"),
        Case(
            why: "paused in the middle", spec: ["replicas": 3, "paused": true], status: deployment(1, 4, 3),
            expected: "failed: RolloutPaused"),
        Case(why: "paused and complete", spec: ["replicas": 3, "paused": true], status: deployment(3, 3, 3), expected: "settled"),
        Case(
            why: "a StatefulSet's pods are not ready", kind: .statefulSet, status: statefulSet(2, 1),
            expected: "progressing: 2 of 3 replicas ready"),
        Case(
            why: "a StatefulSet updates pod by pod", kind: .statefulSet, status: statefulSet(3, 1),
            expected: "progressing: 1 of 3 replicas updated"),
        Case(
            why: "a StatefulSet is complete when its revisions are one", kind: .statefulSet, status: statefulSet(3, 3, done: true),
            expected: "settled"),
        Case(
            why: "a broken pod of the release before stops everything", kind: .statefulSet, status: statefulSet(2, 0),
            pods: [pod("old", waiting: "ImagePullBackOff")], expected: "failed: BrokenPodInTheWay"),
        Case(
            why: "the same where the set went back to what it was", kind: .statefulSet, status: statefulSet(2, 2, done: true),
            pods: [pod("old", waiting: "ImagePullBackOff")], expected: "failed: BrokenPodInTheWay"),
        Case(
            why: "pods that are made side by side are not in each other's way", kind: .statefulSet,
            spec: ["replicas": 3, "podManagementPolicy": "Parallel"], status: statefulSet(2, 0),
            pods: [pod("old", waiting: "ImagePullBackOff")],
            expected: "progressing: 2 of 3 replicas ready"),
        Case(
            why: "a partition that is being reached", kind: .statefulSet,
            spec: ["replicas": 3, "updateStrategy": ["rollingUpdate": ["partition": 1]]],
            status: statefulSet(3, 1), expected: "progressing: 1 of 2 replicas beyond the partition updated"),
        Case(
            why: "a partition keeps the release before", kind: .statefulSet,
            spec: ["replicas": 3, "updateStrategy": ["rollingUpdate": ["partition": 1]]],
            status: statefulSet(3, 2), expected: "failed: Partitioned"),
        Case(
            why: "pods that somebody must delete", kind: .statefulSet, spec: ["replicas": 3, "updateStrategy": ["type": "OnDelete"]],
            status: statefulSet(3, 0), expected: "failed: UpdateOnDelete"),
        Case(
            why: "a DaemonSet's nodes are not all updated", kind: .daemonSet, spec: [:], status: daemonSet(1, 3),
            expected: "progressing: 1 of 3 pods updated"),
        Case(
            why: "a DaemonSet's pods are not all available", kind: .daemonSet, spec: [:], status: daemonSet(3, 2),
            expected: "progressing: 2 of 3 updated pods available"),
        Case(why: "a DaemonSet is complete", kind: .daemonSet, spec: [:], status: daemonSet(3, 3), expected: "settled"),
        Case(
            why: "a DaemonSet's pods that somebody must delete", kind: .daemonSet, spec: ["updateStrategy": ["type": "OnDelete"]],
            status: daemonSet(1, 3),
            expected: "failed: UpdateOnDelete"),
        Case(
            why: "numbers below zero are none, and numbers beyond the field's type its greatest",
            status: deployment(.min, .max, .min), expected: "progressing: 0 of 3 replicas updated"),
        Case(
            why: "the difference of the most and the least", spec: ["replicas": .integer(.min)], status: deployment(.min, .max, .max),
            expected: "progressing: 2147483647 old replicas are still ending"),
        Case(
            why: "a partition of the greatest number", kind: .statefulSet,
            spec: ["replicas": .integer(.min), "updateStrategy": ["rollingUpdate": ["partition": .integer(.max)]]],
            status: statefulSet(3, .min), expected: "failed: Partitioned"),
    ]

    @Test(arguments: cases)
    func isDecidedAsKubectlDoesAndSoonerWhereItIsCertain(_ item: Case) throws {
        let snapshot = try Self.snapshot(item.kind, item.spec, item.status, item.pods)
        let settlement = snapshot.settlement(of: "api")
        let text =
            switch settlement {
            case .settled: "settled"
            case .progressing(let words): "progressing: \(words)"
            case .failed(let problem): "failed: \(problem.reason)"
            case .unknown(let problem): "unknown: \(problem.reason)"
            }
        #expect(text == item.expected)
    }

    @Test func aTagThatMovedIsTold() throws {
        func pod(_ name: String, _ digit: String) -> JSON {
            [
                "metadata": ["name": .string(name), "ownerReferences": [["uid": "owner", "controller": true]]],
                "spec": ["containers": [["name": "api", "image": "r/api:v2"]]],
                "status": [
                    "phase": "Running",
                    "containerStatuses": [
                        ["name": "api", "imageID": .string("docker-pullable://r/api@sha256:" + String(repeating: digit, count: 64))]
                    ],
                ],
            ]
        }
        let same = try Self.snapshot(.deployment, [:], [:], [pod("a", "1"), pod("b", "1")])
        #expect(same.notes.isEmpty)
        let moved = try Self.snapshot(.deployment, [:], [:], [pod("a", "1"), pod("b", "2")])
        let digests = ["1", "2"].map { "sha256:" + String(repeating: $0, count: 64) }
        #expect(moved.notes == ["the tag v2 has moved: running pods have 2 different images of it: \(digests.joined(separator: ", "))"])
    }

    private static func snapshot(_ kind: Workload.Kind, _ spec: JSON, _ status: JSON, _ pods: [JSON]) throws -> WorkloadSnapshot {
        let template: JSON = ["spec": ["containers": [["name": "api", "image": "r/api:v2"]]]]
        var object: JSON = ["metadata": ["uid": "workload", "generation": 2], "spec": spec, "status": status]
        object["spec"]?["template"] = template
        let owners: JSON = [["uid": "workload", "controller": true]]
        let labels: JSON = ["pod-template-hash": "new", "controller-revision-hash": "new"]
        let history: JSON =
            kind == .deployment
            ? [
                "metadata": ["name": "new", "uid": "owner", "labels": labels, "ownerReferences": owners], "spec": ["template": template],
            ]
            : [
                "metadata": ["name": "new", "uid": "owner", "labels": labels, "ownerReferences": owners], "revision": 2,
                "data": ["spec": ["template": template]],
            ]
        let revision = try #require(WorkloadRevision(history, of: object, kind: kind))
        return WorkloadSnapshot(
            target: KubernetesTarget(namespace: "prod", Workload(kind, "backend")), object: object, template: PodTemplate(template),
            container: "api",
            image: ImageReference("r/api:v2"), revisions: [revision],
            pods: pods.compactMap { PodState($0, controllers: ["owner"], kind: kind, container: "api") })
    }
}
