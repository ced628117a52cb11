import JSONValues
import Model

/// Whether the declared template has arrived, decided as `kubectl rollout status` does, and failing as soon as it is certain.
extension WorkloadSnapshot {
    func settlement(of component: String) -> Settlement {
        let decided: Progress
        switch target.workload.kind {
        case .deployment: decided = deployment(component)
        case .statefulSet: decided = statefulSet(component)
        case .daemonSet: decided = daemonSet(component)
        }
        switch decided {
        case .done: return .settled
        case .stuck(let problem): return .failed(problem)
        case .underway(let words):
            if isPaused { return .failed(pausedProblem(component)) }
            // Before the controller has seen the change, failing pods may still be those of the template before.
            if isObserved, let failure = newPods.compactMap(\.failure).first {
                return .failed(
                    Problem(
                        failure.reason,
                        "kubernetes/\(component): container \(failure.container) of pod \(failure.pod) does not start: \(failure.reason): \(failure.message)",
                        next: failure.next(target)))
            }
            return .progressing(words + hindrance)
        }
    }

    private enum Progress {
        case done
        case underway(String)
        case stuck(Problem)
    }

    private var newPods: [PodState] {
        guard let hash = current?.hash else { return [] }
        return (pods ?? []).filter { $0.hash == hash }
    }

    private var oldPods: [PodState] {
        guard let hash = current?.hash else { return pods ?? [] }
        return (pods ?? []).filter { $0.hash != hash }
    }

    func condition(_ type: String) -> JSON? {
        (object["status"]?["conditions"]?.elements ?? []).first { $0["type"]?.string == type }
    }

    /// Why it takes so long, where the cluster says it.
    private var hindrance: String {
        if let failure = condition("ReplicaFailure"), failure["status"]?.string == "True", let message = failure["message"]?.string {
            return "; pods cannot be made: \(message.prefix(300))"
        }
        guard let words = newPods.compactMap(\.unschedulable).first else { return "" }
        return "; no node takes a pod: \(words.prefix(300))"
    }

    func pausedProblem(_ component: String) -> Problem {
        Problem(
            "RolloutPaused", "kubernetes/\(component): the rollout of \(target.words) is paused, nothing will be rolled out",
            next: "kubectl rollout resume \(target.arguments)")
    }

    private func deployment(_ component: String) -> Progress {
        guard isObserved else { return .underway("the controller has not seen the change yet") }
        if let progressing = condition("Progressing"), progressing["reason"]?.string == "ProgressDeadlineExceeded", isOfCurrent(progressing)
        {
            if let failure = newPods.compactMap(\.failure).first {
                return .stuck(
                    Problem(
                        failure.reason,
                        "kubernetes/\(component): container \(failure.container) of pod \(failure.pod) does not start, and the progress deadline "
                            + "has passed: \(failure.reason): \(failure.message)", next: failure.next(target)))
            }
            let words = progressing["message"]?.string ?? "the progress deadline has passed"
            return .stuck(
                Problem(
                    "ProgressDeadlineExceeded", "kubernetes/\(component): \(words)\(hindrance)",
                    next: "look at kubectl describe \(target.arguments), or commit an older pin"))
        }
        let updated = status("updatedReplicas")
        if updated < replicas { return .underway("\(updated) of \(counted(replicas, "replica")) updated") }
        if status("replicas") > updated {
            let old = status("replicas") - updated
            return .underway("\(counted(old, "old replica")) \(old == 1 ? "is" : "are") still ending")
        }
        let available = status("availableReplicas")
        if available < updated { return .underway("\(available) of \(counted(updated, "updated replica")) available") }
        return .done
    }

    /// A rollout that timed out stays so in the status until the next one has made progress; only the message tells which one it was:
    /// `ReplicaSet "backend-86cf74468c" has timed out progressing.`
    private func isOfCurrent(_ condition: JSON) -> Bool {
        let words = (condition["message"]?.string ?? "").split(separator: "\"", omittingEmptySubsequences: false)
        guard words.count == 3, let current else { return true }
        return words[1] == current.name
    }

    private func statefulSet(_ component: String) -> Progress {
        guard isObserved else { return .underway("the controller has not seen the change yet") }
        let updated = status("updatedReplicas")
        let isUpdated = status(text: "updateRevision") == status(text: "currentRevision")
        if updateStrategy == "OnDelete", !isUpdated { return .stuck(onDelete(component)) }
        // The controller waits for every pod, the broken ones of the revision before included: nobody but a person gets it out of there.
        // https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
        if object["spec"]?["podManagementPolicy"]?.string != "Parallel",
            let failure = oldPods.compactMap(\.failure).first
        {
            return .stuck(
                Problem(
                    "BrokenPodInTheWay",
                    "kubernetes/\(component): pod \(failure.pod) of the release before does not start (\(failure.reason): \(failure.message)), "
                        + "and a StatefulSet updates no other pod until it does",
                    next: "kubectl delete pod \(failure.pod) -n \(target.namespace)"))
        }
        let ready = status("readyReplicas")
        if ready < replicas { return .underway("\(ready) of \(counted(replicas, "replica")) ready") }
        let partition = object["spec"]?["updateStrategy"]?["rollingUpdate"]?["partition"]?.count ?? 0
        if partition > 0, !isUpdated {
            if updated < replicas - partition {
                return .underway("\(updated) of \(counted(replicas - partition, "replica")) beyond the partition updated")
            }
            return .stuck(
                Problem(
                    "Partitioned",
                    "kubernetes/\(component): the partition of \(target.words) keeps \(min(partition, replicas)) of \(counted(replicas, "replica")) at the release before",
                    next: "set spec.updateStrategy.rollingUpdate.partition to 0"))
        }
        if !isUpdated { return .underway("\(updated) of \(counted(replicas, "replica")) updated") }
        return .done
    }

    private func daemonSet(_ component: String) -> Progress {
        guard isObserved else { return .underway("the controller has not seen the change yet") }
        let updated = status("updatedNumberScheduled")
        if updated < replicas {
            if updateStrategy == "OnDelete" { return .stuck(onDelete(component)) }
            return .underway("\(updated) of \(counted(replicas, "pod")) updated")
        }
        let available = status("numberAvailable")
        if available < replicas { return .underway("\(available) of \(counted(replicas, "updated pod")) available") }
        return .done
    }

    private func status(text field: String) -> String? { object["status"]?[field]?.string }

    private var updateStrategy: String? { object["spec"]?["updateStrategy"]?["type"]?.string }

    private func onDelete(_ component: String) -> Problem {
        Problem(
            "UpdateOnDelete",
            "kubernetes/\(component): \(target.words) has the update strategy OnDelete: its pods keep the release before until they are deleted",
            next: "delete the pods of the old revision, or set spec.updateStrategy.type to RollingUpdate")
    }

    // MARK: - Notes

    /// Facts worth showing, the most important first.
    var notes: [String] {
        var notes: [String] = []
        if isPaused { notes.append("the rollout of \(target.words) is paused; kubectl rollout resume \(target.arguments) ends that") }
        if let tag = image.tag, image.digest == nil {
            let digests = Set((pods ?? []).filter { $0.image == image }.compactMap(\.digest)).sorted()
            if digests.count > 1 {
                notes.append(
                    "the tag \(tag) has moved: running pods have \(digests.count) different images of it: \(digests.joined(separator: ", "))"
                )
            }
        }
        if let podsRefusal { notes.append("pods may not be listed, health is known from the workload's status only; \(podsRefusal)") }
        if target.workload.kind == .statefulSet, let partition = object["spec"]?["updateStrategy"]?["rollingUpdate"]?["partition"]?.count,
            partition > 0
        {
            notes.append("a partition keeps the replicas below number \(partition) at the release before when a new one is rolled out")
        }
        if updateStrategy == "OnDelete" { notes.append("pods get a new release only when they are deleted (update strategy OnDelete)") }
        return notes
    }
}

/// `1 replica`, `2 replicas`.
func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
