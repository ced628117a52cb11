import JSONValues

/// Builds a cluster from a world file by living through its past.
extension ClusterState {
    private static let hour: Int64 = 3_600_000

    mutating func build(_ world: JSON, until present: Int64) {
        rolloutSeconds = world["rolloutSeconds"]?.double ?? 10
        nodes = world["nodes"]?.integer ?? 3
        brokenImages = (world["brokenImages"]?.elements ?? []).compactMap(\.string)
        crashingImages = (world["crashingImages"]?.elements ?? []).compactMap(\.string)
        let workloads = world["workloads"]?.elements ?? []
        let longest = workloads.map { $0["history"]?.elements.count ?? 1 }.max() ?? 1
        now = present - Int64(longest + 1) * Self.hour
        var namespaces = (world["namespaces"]?.elements ?? []).compactMap(\.string) + ["default"]
        let configuration = [("configmaps", "configMaps"), ("secrets", "secrets")].flatMap { resource, name in
            (world[name]?.elements ?? []).map { (resource, $0) }
        }
        namespaces += (workloads + configuration.map(\.1)).map { $0["namespace"]?.string ?? "default" }
        for namespace in Set(namespaces).sorted() {
            put(
                Key(resource: "namespaces", namespace: "", name: namespace),
                ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(namespace)], "status": ["phase": "Active"]])
        }
        for (resource, given) in configuration {
            var object: JSON = [:]
            for part in ["data", "stringData", "binaryData", "immutable", "type"] {
                if let value = given[part] { object[part] = value }
            }
            for part in ["labels", "annotations"] {
                if let value = given[part] { object["metadata"] = (object["metadata"] ?? [:]).with(part, value) }
            }
            guard let name = given["name"]?.string else { continue }
            let key = Key(resource: resource, namespace: given["namespace"]?.string ?? "default", name: name)
            _ = try? create(key, object, by: given["managedBy"]?.string ?? "kubectl-client-side-apply")
        }
        // Every workload took its releases an hour apart, the last one an hour ago.
        for age in (1...max(1, longest)).reversed() {
            advance(to: present - Int64(age) * Self.hour)
            for workload in workloads { release(workload, age: age) }
        }
        advance(to: present)
        changes = 0
    }

    private mutating func release(_ workload: JSON, age: Int) {
        let history = workload["history"]?.elements ?? []
        let index = max(1, history.count) - age
        guard index >= 0, let name = workload["name"]?.string else { return }
        let kind = workload["kind"]?.string ?? "Deployment"
        guard let resource = Self.workloads.first(where: { $0.value.lowercased() == kind.lowercased() })?.key else { return }
        let entry = history.indices.contains(index) ? history[index] : [:]
        let key = Key(resource: resource, namespace: workload["namespace"]?.string ?? "default", name: name)
        let manager = workload["managedBy"]?.string ?? "kubectl-client-side-apply"
        let object = object(of: workload, entry, resource: resource, name: name)
        // A world is the sandbox's own; what its API would refuse is left out of it.
        if objects[key] == nil {
            _ = try? create(key, Patching.merge(object, into: [:]), by: manager)
        } else {
            let metadata: JSON = ["annotations": object["metadata"]?["annotations"] ?? [:]]
            let patch: JSON = ["metadata": metadata, "spec": ["template": object["spec"]?["template"] ?? [:]]]
            _ = try? self.patch(key, patch, contentType: "application/merge-patch+json", by: manager, force: true)
        }
        // Somebody may have stopped the rollout after the last release.
        if index == history.count - 1, workload["paused"]?.bool == true, var stored = objects[key] {
            advance(to: now + Int64(rolloutSeconds * 2000))
            stored = objects[key] ?? stored
            stored["spec"]?["paused"] = true
            put(key, stored)
        }
    }

    /// A container's `env` as Kubernetes writes it, or from a mapping of names to values or references.
    private static func variables(_ env: JSON?) -> [JSON] {
        guard let object = env?.object else { return env?.elements ?? [] }
        return object.members.map { name, value in
            switch value {
            case .object: ["name": .string(name), "valueFrom": value]
            case .string: ["name": .string(name), "value": value]
            default: ["name": .string(name), "value": .string(value.description)]
            }
        }
    }

    private func object(of workload: JSON, _ entry: JSON, resource: String, name: String) -> JSON {
        let labels: JSON = ["app": .string(name)]
        var containers = workload["containers"]?.elements ?? []
        if containers.isEmpty { containers = [["name": .string(name)]] }
        let target = entry["container"]?.string ?? containers[0]["name"]?.string
        containers = containers.map { container in
            var container = container
            var variables = Self.variables(container["env"])
            if container["name"]?.string == target {
                if let image = entry["image"] { container["image"] = image }
                let told = Self.variables(entry["env"])
                variables = variables.filter { old in !told.contains { $0["name"] == old["name"] } } + told
            }
            container["env"] = variables.isEmpty ? Optional.none : .array(variables)
            return container
        }
        var annotations = workload["annotations"] ?? [:]
        // Null where an entry tells nothing: a patch then takes away what the entry before it told.
        annotations["kubernetes.io/change-cause"] = entry["changeCause"] ?? .null
        let commit: JSON = entry["commit"].map { ["org.opencontainers.image.revision": $0] } ?? .null
        let template: JSON = ["metadata": ["labels": labels, "annotations": commit], "spec": ["containers": .array(containers)]]
        var spec: JSON = ["selector": ["matchLabels": labels], "template": template]
        for field in ["replicas", "progressDeadlineSeconds", "revisionHistoryLimit", "strategy", "updateStrategy", "podManagementPolicy"] {
            if let value = workload[field] { spec[field] = value }
        }
        if resource == "daemonsets" { spec["replicas"] = nil }
        if resource == "statefulsets" { spec["serviceName"] = .string(name) }
        return [
            "apiVersion": "apps/v1", "kind": .string(Self.workloads[resource] ?? ""),
            "metadata": ["name": .string(name), "labels": workload["labels"] ?? labels, "annotations": annotations], "spec": spec,
        ]
    }
}
