import JSONValues

/// What the kubelet makes of a container's environment.
extension ClusterState {
    /// Why a container cannot be made: its first reference to something that is not there. Nil when all can be resolved.
    ///
    /// `envFrom` is looked at first, then `env`, as the kubelet does; what is optional is passed over.
    func missingReference(of container: JSON, in namespace: String) -> String? {
        for source in container["envFrom"]?.elements ?? [] {
            for (field, kind) in [("configMapRef", ReferredKind.configMap), ("secretRef", .secret)] {
                guard let reference = source[field], reference["optional"]?.bool != true else { continue }
                if let missing = missing(kind, reference, key: Optional.none, in: namespace) { return missing }
            }
        }
        for variable in container["env"]?.elements ?? [] {
            for (field, kind) in [("configMapKeyRef", ReferredKind.configMap), ("secretKeyRef", .secret)] {
                guard let reference = variable["valueFrom"]?[field], reference["optional"]?.bool != true else { continue }
                if let missing = missing(kind, reference, key: reference["key"]?.string ?? "", in: namespace) { return missing }
            }
        }
        return Optional.none
    }

    private enum ReferredKind: String {
        case configMap = "configmap"
        case secret

        var resource: String { rawValue + "s" }
        var kind: String { ClusterState.kinds[resource] ?? "" }
    }

    private func missing(_ kind: ReferredKind, _ reference: JSON, key: String?, in namespace: String) -> String? {
        let name = reference["name"]?.string ?? ""
        guard let object = objects[Key(resource: kind.resource, namespace: namespace, name: name)] else {
            return "\(kind.rawValue) \"\(name)\" not found"
        }
        guard let key, object["data"]?[key] == nil else { return Optional.none }
        return "couldn't find key \(key) in \(kind.kind) \(namespace)/\(name)"
    }

    /// Has the kubelets look again at the pods that wait for something of that namespace. A pod that runs keeps the values it began with.
    mutating func wakePods(after key: Key) {
        guard key.resource == "configmaps" || key.resource == "secrets" else { return }
        for (pod, object) in list("pods", namespace: key.namespace) where starting[pod] == nil {
            let containers = object["status"]?["containerStatuses"]?.elements ?? []
            guard containers.contains(where: { $0["state"]?["waiting"]?["reason"] == "CreateContainerConfigError" }) else { continue }
            starting[pod] = now + controllerDelay
        }
    }
}
