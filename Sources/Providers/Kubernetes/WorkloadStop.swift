import JSONValues
import KubernetesAPI
import Model
import ProviderKit

/// Scales a workload to 0 and remembers beside it how many replicas it had, in one patch: either both are there, or neither.
///
/// Not through the scale subresource, which has no place for the number. To a HorizontalPodAutoscaler a workload of 0 replicas is switched
/// off, unless its own minReplicas is 0:
/// https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#implicit-maintenance-mode-deactivation
struct WorkloadStop: Sendable {
    /// Holds the number of replicas before; there as long as Belay has stopped the workload.
    static let annotation = "belay.dev/stopped"
    static let caution =
        "a HorizontalPodAutoscaler pauses at 0 replicas, unless its minReplicas is 0; what else writes replicas may start pods again"

    var target: KubernetesTarget
    var component: String
    var client: KubernetesClient
    var memory: String

    func send() async -> ApplyResult {
        let resource = target.workload.kind.resource
        do throws(KubernetesError) {
            let object = try await client.get(resource, namespace: target.namespace, name: target.workload.name).body
            let replicas = object["spec"]?["replicas"]?.count ?? 1
            let hasAnnotations = object["metadata"]?["annotations"]?.object != nil
            if replicas == 0, object.stoppedReplicas != nil { return .alreadySo }
            // An autoscaler may have changed it since it was planned.
            let former = JSON.string(replicas > 0 ? String(replicas) : memory)
            let operations: [JSON] = [
                ["op": "replace", "path": "/metadata/resourceVersion", "value": object["metadata"]?["resourceVersion"] ?? ""],
                hasAnnotations
                    ? ["op": "add", "path": .string("/metadata/annotations/\(Self.annotation.pointer)"), "value": former]
                    : ["op": "add", "path": "/metadata/annotations", "value": [Self.annotation: former]],
                ["op": "add", "path": "/spec/replicas", "value": 0],
            ]
            let answer = try await client.patch(resource, namespace: target.namespace, name: target.workload.name, .json(operations)).body
            guard let generation = answer["metadata"]?["generation"]?.integer else {
                return .unknown(
                    Problem("MalformedAnswer", "kubernetes/\(component): the answer to the scaling of \(target.words) is not the workload"))
            }
            return .accepted(["replicas": "0", "before": former.string ?? "", "generation": String(generation)])
        } catch {
            let problem = Problem(error, of: component)
            if error.mayHaveTakenEffect { return .unknown(problem) }
            return error.code == .rateLimited ? .throttled(problem) : .refused(problem)
        }
    }
}

extension JSON {
    /// How many replicas a workload had when Belay stopped it; nil when nothing on it says so.
    var stoppedReplicas: Int? { self["metadata"]?["annotations"]?[WorkloadStop.annotation]?.string.flatMap { Int($0) } }
}

extension String {
    /// As a part of a JSON pointer.
    var pointer: String { replacing("~", with: "~0").replacing("/", with: "~1") }
}

extension WorkloadSnapshot {
    /// How many replicas come back when a stopped workload is started; nil when Belay has not stopped it. The workload tells, and where
    /// somebody has taken that away, the record.
    func stoppedReplicas(_ stop: Stop?) -> Int? {
        guard target.workload.kind != .daemonSet, object["spec"]?["replicas"]?.count == 0 else { return nil }
        return (object.stoppedReplicas ?? stop.map { Int($0.memory) ?? 1 }).map { max(1, $0) }
    }
}

extension ReleaseReading {
    /// See ``WorkloadSnapshot/stoppedReplicas(_:)``.
    var stoppedReplicas: Int? { snapshot.stoppedReplicas(request.stop) }

    var settlement: Settlement {
        guard let stoppedReplicas else { return snapshot.settlement(of: request.component) }
        return .progressing("stopped by Belay: \(counted(stoppedReplicas, "replica")) \(stoppedReplicas == 1 ? "comes" : "come") back")
    }

    var stoppage: Stoppage {
        let words = snapshot.target.words
        guard snapshot.target.workload.kind != .daemonSet else {
            return .impossible(
                Problem("CannotStop", "kubernetes/\(request.component): \(words) runs a pod on every node and has no number of replicas"))
        }
        if let refusal = snapshot.podsRefusal {
            return .impossible(
                Problem(
                    "CannotStop",
                    "kubernetes/\(request.component): pods may not be listed, so that nothing tells when the last of \(words) has ended",
                    next: refusal))
        }
        guard stoppedReplicas != nil else {
            let replicas = snapshot.replicas
            return .possible(
                means: "scale from \(counted(replicas, "replica")) to 0", memory: String(replicas), cautions: [WorkloadStop.caution])
        }
        let start = route(to: snapshot.image)
        let left = snapshot.pods?.count ?? snapshot.status("replicas")
        guard left == 0, snapshot.isObserved else {
            return .stopping(left == 0 ? "the controller has not seen it yet" : "\(counted(left, "pod")) still to end", start: start)
        }
        return .stopped(start: start)
    }
}
