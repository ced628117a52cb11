import JSONValues

/// StatefulSets and DaemonSets keep their history in ControllerRevisions: patches that set the pod template.
extension ClusterState {
    /// The revision of the current template, made or moved to the end when it is not the last one.
    private mutating func currentRevision(_ key: Key, _ object: JSON, hashLabel: String) -> (key: Key, value: JSON) {
        let template = (object["spec"]?["template"] ?? [:]).with("$patch", "replace")
        let data: JSON = ["spec": ["template": template]]
        let revisions = owned("controllerrevisions", by: object, in: key.namespace)
        let last = revisions.compactMap { $0.value["revision"]?.integer }.max() ?? 0
        if let (found, value) = revisions.first(where: { $0.value["data"]?.canonical == data.canonical }) {
            guard value["revision"]?.integer != last else { return (found, value) }
            return (found, put(found, value.with("revision", .integer(last + 1))))
        }
        let hash = data.shortHash
        let name = Key(resource: "controllerrevisions", namespace: key.namespace, name: "\(key.name)-\(hash)")
        var annotations = object["metadata"]?["annotations"] ?? [:]
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = nil
        return (
            name,
            put(
                name,
                [
                    "apiVersion": "apps/v1", "kind": "ControllerRevision",
                    "metadata": [
                        "name": .string(name.name), "namespace": .string(key.namespace), "annotations": annotations,
                        "labels": (object["spec"]?["template"]?["metadata"]?["labels"] ?? [:]).with(hashLabel, .string(hash)),
                        "ownerReferences": [object.ownerReference],
                    ],
                    "data": data, "revision": .integer(last + 1),
                ])
        )
    }

    private func template(of revision: JSON?) -> JSON {
        (revision?["data"]?["spec"]?["template"] ?? [:]).with("$patch", nil)
    }

    // MARK: - StatefulSets

    mutating func reconcileStatefulSet(_ key: Key, _ object: JSON) {
        let (updateKey, update) = currentRevision(key, object, hashLabel: "controller.kubernetes.io/hash")
        let replicas = object.replicas
        let strategy = object["spec"]?["updateStrategy"]
        let partition = strategy?["rollingUpdate"]?["partition"]?.integer ?? 0
        let isOrdered = object["spec"]?["podManagementPolicy"]?.string != "Parallel"
        let currentName = object["status"]?["currentRevision"]?.string ?? updateKey.name
        let currentKey = Key(resource: "controllerrevisions", namespace: key.namespace, name: currentName)
        func podKey(_ ordinal: Int) -> Key { Key(resource: "pods", namespace: key.namespace, name: "\(key.name)-\(ordinal)") }
        for (pod, _) in owned("pods", by: object, in: key.namespace) {
            let ordinal = Int(pod.name.dropFirst(key.name.count + 1)) ?? 0
            if ordinal >= replicas { remove(pod) }
        }
        func make(_ ordinal: Int, _ state: inout ClusterState) {
            // A pod that is made anew gets the new template once the update has reached its number.
            let updatedAbove = (0..<replicas).filter { $0 > ordinal }.allSatisfy { state.revisionLabel(podKey($0)) == updateKey.name }
            let isNew = ordinal >= partition && updatedAbove || state.objects[currentKey] == nil
            state.makePod(
                podKey(ordinal).name, from: state.template(of: isNew ? update : state.objects[currentKey]),
                label: ("controller-revision-hash", isNew ? updateKey.name : currentName), owner: object, workload: key, spread: replicas)
        }
        var mayUpdate = true
        for ordinal in 0..<replicas {
            if objects[podKey(ordinal)] == nil { make(ordinal, &self) }
            if objects[podKey(ordinal)]?.isReady != true {
                mayUpdate = false
                // A pod that does not become ready holds up every other one, an update that would heal it included.
                if isOrdered { break }
            }
        }
        if mayUpdate || !isOrdered, strategy?["type"]?.string != "OnDelete" {
            for ordinal in (0..<replicas).reversed() where ordinal >= partition {
                if revisionLabel(podKey(ordinal)) != updateKey.name {
                    remove(podKey(ordinal))
                    make(ordinal, &self)
                    break
                }
                if objects[podKey(ordinal)]?.isReady != true { break }
            }
        }
        let pods = (0..<replicas).compactMap { objects[podKey($0)] }
        let updated = pods.count { $0["metadata"]?["labels"]?["controller-revision-hash"]?.string == updateKey.name }
        let ready = pods.count(where: \.isReady)
        let isComplete = updated == replicas && ready == replicas
        var status: JSON = [
            "observedGeneration": .integer(object.generation), "replicas": .integer(pods.count), "readyReplicas": .integer(ready),
            "availableReplicas": .integer(ready), "updatedReplicas": .integer(updated),
            "currentRevision": .string(isComplete ? updateKey.name : currentName), "updateRevision": .string(updateKey.name),
            "collisionCount": 0,
        ]
        status["currentReplicas"] = .integer(isComplete ? replicas : pods.count - updated)
        setStatus(key, status)
    }

    private func revisionLabel(_ pod: Key) -> String? { objects[pod]?["metadata"]?["labels"]?["controller-revision-hash"]?.string }

    // MARK: - DaemonSets

    mutating func reconcileDaemonSet(_ key: Key, _ object: JSON) {
        let label = "controller-revision-hash"
        let (_, update) = currentRevision(key, object, hashLabel: label)
        let hash = update["metadata"]?["labels"]?[label]?.string ?? ""
        func isNew(_ pod: JSON) -> Bool { pod["metadata"]?["labels"]?[label]?.string == hash }
        func make(_ state: inout ClusterState) {
            let suffix = JSON.integer(state.uniqueNumber()).shortHash.suffix(5)
            state.makePod(
                "\(key.name)-\(suffix)", from: state.template(of: update), label: (label, hash), owner: object, workload: key,
                spread: state.nodes)
        }
        var pods = owned("pods", by: object, in: key.namespace)
        for _ in pods.count..<max(nodes, pods.count) { make(&self) }
        if object["spec"]?["updateStrategy"]?["type"]?.string != "OnDelete" {
            pods = owned("pods", by: object, in: key.namespace)
            // One node at a time; pods that do not run anyway are replaced at once.
            let old = pods.filter { !isNew($0.value) }
            let broken = old.filter { !$0.value.isReady && starting[$0.key] == nil }
            let isQuiet = pods.allSatisfy(\.value.isReady)
            for (pod, _) in broken.isEmpty && isQuiet ? Array(old.prefix(1)) : broken {
                remove(pod)
                make(&self)
            }
        }
        pods = owned("pods", by: object, in: key.namespace)
        let ready = pods.count { $0.value.isReady }
        setStatus(
            key,
            [
                "observedGeneration": .integer(object.generation), "desiredNumberScheduled": .integer(nodes),
                "currentNumberScheduled": .integer(pods.count), "updatedNumberScheduled": .integer(pods.count { isNew($0.value) }),
                "numberReady": .integer(ready), "numberAvailable": .integer(ready), "numberUnavailable": .integer(nodes - ready),
                "numberMisscheduled": 0,
            ])
    }
}
