import JSONValues

/// The deployment controller, in the order of its source: find or make the ReplicaSet of the template, scale, tell the status.
extension ClusterState {
    static let revision = "deployment.kubernetes.io/revision"
    static let revisionHistory = "deployment.kubernetes.io/revision-history"
    private static let notCopied: Set<String> = [
        "kubectl.kubernetes.io/last-applied-configuration", revision, revisionHistory, "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas", "deprecated.deployment.rollback.to",
    ]

    mutating func reconcileDeployment(_ key: Key, _ object: JSON) {
        let isPaused = object["spec"]?["paused"]?.bool == true
        var current = currentSet(of: object, in: key.namespace)
        if !isPaused { current = currentSetWithRevision(key, object, current) }
        if !isPaused { scale(key, object, current) }
        tellStatus(key, current, isPaused: isPaused)
        cleanUp(key, object, keeping: current)
    }

    private func currentSet(of deployment: JSON, in namespace: String) -> Key? {
        let template = deployment["spec"]?["template"]?.withoutHash.canonical
        return owned("replicasets", by: deployment, in: namespace).first {
            $0.value["spec"]?["template"]?.withoutHash.canonical == template
        }?.key
    }

    private mutating func currentSetWithRevision(_ key: Key, _ deployment: JSON, _ found: Key?) -> Key {
        let sets = owned("replicasets", by: deployment, in: key.namespace)
        func number(_ set: JSON) -> Int { (set["metadata"]?["annotations"]?[Self.revision]?.string).flatMap(Int.init) ?? 0 }
        let next = (sets.filter { $0.key != found }.map { number($0.value) }.max() ?? 0) + 1
        var annotations: JSON = [:]
        for (name, value) in deployment["metadata"]?["annotations"]?.object?.members ?? [] where !Self.notCopied.contains(name) {
            annotations[name] = value
        }
        let setKey: Key
        if let found, var set = objects[found] {
            setKey = found
            let old = number(set)
            var merged = set["metadata"]?["annotations"] ?? [:]
            for (name, value) in annotations.object?.members ?? [] { merged[name] = value }
            if old < next {
                merged[Self.revision] = .string(String(next))
                if old > 0 {
                    let history = merged[Self.revisionHistory]?.string.map { "\($0),\(old)" } ?? String(old)
                    merged[Self.revisionHistory] = .string(history)
                }
            }
            if set["metadata"]?["annotations"] != merged {
                set["metadata"]?["annotations"] = merged
                put(found, set)
            }
        } else {
            let template = deployment["spec"]?["template"] ?? [:]
            let hash = template.shortHash
            setKey = Key(resource: "replicasets", namespace: key.namespace, name: "\(key.name)-\(hash)")
            annotations[Self.revision] = .string(String(next))
            let labels = (template["metadata"]?["labels"] ?? [:]).with("pod-template-hash", .string(hash))
            var own = template
            if own["metadata"] == nil { own["metadata"] = [:] }
            own["metadata"]?["labels"] = labels
            var selector = deployment["spec"]?["selector"] ?? [:]
            selector["matchLabels"] = (selector["matchLabels"] ?? [:]).with("pod-template-hash", .string(hash))
            put(
                setKey,
                [
                    "apiVersion": "apps/v1", "kind": "ReplicaSet",
                    "metadata": [
                        "name": .string(setKey.name), "namespace": .string(key.namespace), "labels": labels, "annotations": annotations,
                        "generation": 1, "ownerReferences": [deployment.ownerReference],
                    ],
                    "spec": ["replicas": 0, "selector": selector, "template": own], "status": ["replicas": 0],
                ])
        }
        let revision = objects[setKey].map(number) ?? next
        if var stored = objects[key], stored["metadata"]?["annotations"]?[Self.revision]?.string != String(revision) {
            let annotations = stored["metadata"]?["annotations"] ?? [:]
            stored["metadata"]?["annotations"] = annotations.with(Self.revision, .string(String(revision)))
            put(key, stored)
        }
        return setKey
    }

    /// A rolling update with the default bounds: a quarter more, a quarter fewer.
    private mutating func scale(_ key: Key, _ deployment: JSON, _ current: Key?) {
        guard let current else { return }
        let replicas = deployment.replicas
        let isRecreate = deployment["spec"]?["strategy"]?["type"]?.string == "Recreate"
        let surge = isRecreate ? 0 : (replicas + 3) / 4
        let unavailable = isRecreate ? replicas : max(replicas / 4, surge == 0 ? 1 : 0)
        // Scaling down frees room for scaling up, and old pods that never ran go first.
        for _ in 0..<4 {
            let sets = owned("replicasets", by: deployment, in: key.namespace)
            let old = sets.filter { $0.key != current }
            let oldTotal = old.reduce(0) { $0 + $1.value.replicas }
            let new = objects[current]?.replicas ?? 0
            let room = isRecreate && oldTotal > 0 ? 0 : max(0, replicas + surge - oldTotal - new)
            resize(current, to: min(replicas, new + room), workload: key, spread: replicas)
            let newReady = readyPods(of: current)
            let size = objects[current]?.replicas ?? 0
            var removable = oldTotal + size - (replicas - unavailable) - (size - newReady)
            if replicas == 0 { removable = oldTotal }
            guard removable > 0, oldTotal > 0 else { break }
            for (set, value) in old where removable > 0 {
                let broken = value.replicas - readyPods(of: set)
                let cut = min(removable, broken)
                if cut > 0 { resize(set, to: value.replicas - cut, workload: key, spread: replicas) }
                removable -= cut
            }
            var ready = owned("replicasets", by: deployment, in: key.namespace).reduce(0) { $0 + readyPods(of: $1.key) }
            for (set, _) in old {
                let size = objects[set]?.replicas ?? 0
                let cut = min(size, max(0, ready - (replicas - unavailable)))
                guard cut > 0 else { continue }
                resize(set, to: size - cut, workload: key, spread: replicas)
                ready -= cut
            }
        }
    }

    private func pods(of set: Key) -> [(key: Key, value: JSON)] {
        guard let object = objects[set] else { return [] }
        return owned("pods", by: object, in: set.namespace)
    }

    private func readyPods(of set: Key) -> Int { pods(of: set).count { $0.value.isReady } }

    private mutating func resize(_ setKey: Key, to size: Int, workload: Key, spread: Int) {
        guard var set = objects[setKey] else { return }
        if set.replicas != size {
            set["spec"]?["replicas"] = .integer(size)
            let generation = set.generation + 1
            set["metadata"]?["generation"] = .integer(generation)
            set = put(setKey, set)
        }
        let pods = pods(of: setKey).sorted { !$0.value.isReady && $1.value.isReady }
        for (pod, _) in pods.prefix(max(0, pods.count - size)) { remove(pod) }
        let hash = set["metadata"]?["labels"]?["pod-template-hash"]?.string ?? ""
        for _ in 0..<max(0, size - pods.count) {
            let suffix = JSON.integer(uniqueNumber()).shortHash.suffix(5)
            makePod(
                "\(setKey.name)-\(suffix)", from: set["spec"]?["template"] ?? [:], label: ("pod-template-hash", hash), owner: set,
                workload: workload, spread: spread)
        }
    }

    private mutating func tellStatus(_ key: Key, _ current: Key?, isPaused: Bool) {
        guard let deployment = objects[key] else { return }
        let sets = owned("replicasets", by: deployment, in: key.namespace)
        for (set, value) in sets {
            let pods = pods(of: set)
            let ready = pods.count { $0.value.isReady }
            setStatus(
                set,
                [
                    "replicas": .integer(pods.count), "readyReplicas": .integer(ready), "availableReplicas": .integer(ready),
                    "observedGeneration": .integer(value.generation),
                ])
        }
        let total = sets.reduce(0) { $0 + pods(of: $1.key).count }
        let available = sets.reduce(0) { $0 + readyPods(of: $1.key) }
        let updated = current.map { pods(of: $0).count } ?? 0
        let replicas = deployment.replicas
        let isComplete = updated == replicas && total == replicas && available == replicas
        let signature = "\(deployment.generation) \(current?.name ?? "") \(updated) \(total - updated) \(available)"
        if progress[key]?.signature != signature { progress[key] = (now, signature) }
        let since = progress[key]?.time ?? now
        let deadline = Int64(deployment["spec"]?["progressDeadlineSeconds"]?.integer ?? 600) * 1000
        let isLate = !isComplete && !isPaused && now >= since + deadline
        let set = current?.name ?? ""
        let (status, reason, message): (JSON, String, String) =
            isLate
            ? ("False", "ProgressDeadlineExceeded", "ReplicaSet \"\(set)\" has timed out progressing.")
            : isComplete
                ? ("True", "NewReplicaSetAvailable", "ReplicaSet \"\(set)\" has successfully progressed.")
                : ("True", "ReplicaSetUpdated", "ReplicaSet \"\(set)\" is progressing.")
        let hasMinimum = available >= replicas - replicas / 4
        var told: JSON = [
            "observedGeneration": .integer(deployment.generation), "replicas": .integer(total), "updatedReplicas": .integer(updated),
            "readyReplicas": .integer(available), "availableReplicas": .integer(available),
        ]
        if available < replicas { told["unavailableReplicas"] = .integer(total - available) }
        told["conditions"] = [
            [
                "type": "Available", "status": hasMinimum ? "True" : "False",
                "reason": hasMinimum ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
            ],
            ["type": "Progressing", "status": status, "reason": .string(reason), "message": .string(message)],
        ]
        setStatus(key, told)
        if !isComplete, !isPaused, !isLate { reconcile(key, at: since + deadline) }
    }

    private mutating func cleanUp(_ key: Key, _ deployment: JSON, keeping current: Key?) {
        let limit = deployment["spec"]?["revisionHistoryLimit"]?.integer ?? 10
        let old = owned("replicasets", by: deployment, in: key.namespace)
            .filter { $0.key != current && $0.value.replicas == 0 }
            .sorted {
                ($0.value["metadata"]?["annotations"]?[Self.revision]?.string).flatMap(Int.init) ?? 0
                    < ($1.value["metadata"]?["annotations"]?[Self.revision]?.string).flatMap(Int.init) ?? 0
            }
        for (set, _) in old.prefix(max(0, old.count - limit)) { remove(set) }
    }
}

extension JSON {
    /// A pod template without the label that the controller adds.
    fileprivate var withoutHash: JSON {
        var template = self
        template["metadata"]?["labels"]?["pod-template-hash"] = nil
        return template
    }
}
