import JSONValues

extension ClusterState {
    /// Makes a pod from a template, on its way to start.
    mutating func makePod(
        _ name: String, from template: JSON, label: (name: String, value: String), owner: JSON, workload: Key, spread: Int
    ) {
        var metadata = template["metadata"] ?? [:]
        metadata["name"] = .string(name)
        metadata["namespace"] = .string(workload.namespace)
        metadata["labels"] = (metadata["labels"] ?? [:]).with(label.name, .string(label.value))
        metadata["ownerReferences"] = [owner.ownerReference]
        metadata["creationTimestamp"] = nil
        let key = Key(resource: "pods", namespace: workload.namespace, name: name)
        let waiting = (template["spec"]?["containers"]?.elements ?? []).map { container in
            Self.status(of: container, state: ["waiting": ["reason": "ContainerCreating"]], isReady: false, restarts: 0)
        }
        put(
            key,
            [
                "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"] ?? [:],
                "status": Self.status("Pending", isReady: false, at: now, containers: waiting),
            ])
        starting[key] = now + max(1, Int64(rolloutSeconds * 1000) / Int64(max(1, spread)))
    }

    private enum Start: Equatable {
        case runs, cannotBePulled, crashes
        /// The kubelet cannot make the container: why.
        case lacks(String)
    }

    /// A pod's containers have started, or could not.
    mutating func start(_ key: Key) {
        starting[key] = nil
        guard var pod = objects[key] else { return }
        let containers = pod["spec"]?["containers"]?.elements ?? []
        let starts = containers.map { container -> Start in
            switch fate(of: container["image"]?.string ?? "") {
            // An image is pulled before the environment is looked at.
            case .cannotBePulled: .cannotBePulled
            case .crashes: missingReference(of: container, in: key.namespace).map(Start.lacks) ?? .crashes
            case .runs: missingReference(of: container, in: key.namespace).map(Start.lacks) ?? .runs
            }
        }
        let statuses = zip(containers, starts).map { container, start in status(of: container, start, in: key) }
        let waits = starts.contains { $0 != .runs && $0 != .crashes }
        let told = Self.status(
            waits ? "Pending" : "Running", isReady: starts.allSatisfy { $0 == .runs }, at: now, containers: statuses)
        // Waiting on for the same reason is nothing new.
        guard pod["status"]?["containerStatuses"] != told["containerStatuses"] else { return }
        pod["status"] = told
        put(key, pod)
        if let workload = workload(of: pod, in: key.namespace) { reconcile(workload, at: now) }
    }

    private func status(of container: JSON, _ start: Start, in pod: Key) -> JSON {
        switch start {
        case .runs:
            return Self.status(
                of: container, state: ["running": ["startedAt": .string(SimulatedTime.rfc3339(now))]], isReady: true, restarts: 0)
        case .cannotBePulled:
            let message = "Back-off pulling image \"\(container["image"]?.string ?? "")\""
            return Self.status(
                of: container, state: ["waiting": ["reason": "ImagePullBackOff", "message": .string(message)]], isReady: false, restarts: 0)
        case .lacks(let message):
            return Self.status(
                of: container, state: ["waiting": ["reason": "CreateContainerConfigError", "message": .string(message)]], isReady: false,
                restarts: 0)
        case .crashes:
            let message = "back-off 10s restarting failed container=\(container["name"]?.string ?? "") pod=\(pod.name)_\(pod.namespace)"
            return Self.status(
                of: container, state: ["waiting": ["reason": "CrashLoopBackOff", "message": .string(message)]], isReady: false,
                restarts: 1, last: ["terminated": ["exitCode": 1, "reason": "Error", "message": "the program ended at its start"]])
        }
    }

    /// The Deployment, StatefulSet or DaemonSet that a pod belongs to.
    private func workload(of pod: JSON, in namespace: String) -> Key? {
        guard let owner = pod["metadata"]?["ownerReferences"]?[0], let name = owner["name"]?.string else { return nil }
        switch owner["kind"]?.string {
        case "StatefulSet": return Key(resource: "statefulsets", namespace: namespace, name: name)
        case "DaemonSet": return Key(resource: "daemonsets", namespace: namespace, name: name)
        case "ReplicaSet":
            let set = objects[Key(resource: "replicasets", namespace: namespace, name: name)]
            guard let deployment = set?["metadata"]?["ownerReferences"]?[0]?["name"]?.string else { return nil }
            return Key(resource: "deployments", namespace: namespace, name: deployment)
        default: return nil
        }
    }

    private static func status(_ phase: String, isReady: Bool, at time: Int64, containers: [JSON]) -> JSON {
        let ready: JSON = isReady ? "True" : "False"
        let stamp = JSON.string(SimulatedTime.rfc3339(time))
        let types: [(String, JSON)] = [("PodScheduled", "True"), ("Initialized", "True"), ("ContainersReady", ready), ("Ready", ready)]
        let conditions = types.map { type, status -> JSON in ["type": .string(type), "status": status, "lastTransitionTime": stamp] }
        return ["phase": .string(phase), "conditions": .array(conditions), "startTime": stamp, "containerStatuses": .array(containers)]
    }

    private static func status(of container: JSON, state: JSON, isReady: Bool, restarts: Int, last: JSON = [:]) -> JSON {
        let image = container["image"]?.string ?? ""
        let name = image.split(separator: "@").first.map(String.init) ?? image
        let repository =
            name.split(separator: "/").last?.contains(":") == true ? String(name[..<(name.lastIndex(of: ":") ?? name.endIndex)]) : name
        let digest = image.contains("@") ? String(image.split(separator: "@").last ?? "") : "sha256:" + JSON.string(image).longHash
        let hasRun = state["running"] != nil || restarts > 0
        return [
            "name": container["name"] ?? "", "image": .string(image), "imageID": .string(hasRun ? "\(repository)@\(digest)" : ""),
            "ready": .bool(isReady), "started": .bool(isReady), "restartCount": .integer(restarts), "state": state, "lastState": last,
        ]
    }
}

extension JSON {
    /// 64 hexadecimal digits that depend on the value; not cryptographic.
    fileprivate var longHash: String {
        var text = ""
        for seed in UInt64(1)...4 {
            var hash = 14_695_981_039_346_656_037 &* seed
            for byte in canonical.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
            let digits = String(hash, radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return text
    }
}
