import JSONValues

/// Writes as the API server takes them.
extension ClusterState {
    static let workloads = ["deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"]
    static let kinds = workloads.merging(
        ["replicasets": "ReplicaSet", "controllerrevisions": "ControllerRevision", "pods": "Pod", "namespaces": "Namespace"]) { $1 }

    static func isCore(_ resource: String) -> Bool { resource == "pods" || resource == "namespaces" }

    func object(_ key: Key) throws(APIFailure) -> JSON {
        guard let object = objects[key] else { throw .notFound(key.resource, key.name) }
        return object
    }

    mutating func create(_ key: Key, _ body: JSON, by manager: String) throws(APIFailure) -> JSON {
        guard objects[key] == nil else {
            throw APIFailure(code: 409, reason: "AlreadyExists", message: "\(key.resource).apps \"\(key.name)\" already exists")
        }
        var object = body
        if object["metadata"] == nil { object["metadata"] = [:] }
        if !key.namespace.isEmpty {
            guard objects[Key(resource: "namespaces", namespace: "", name: key.namespace)] != nil else {
                throw APIFailure(code: 404, reason: "NotFound", message: "namespaces \"\(key.namespace)\" not found")
            }
            object["metadata"]?["namespace"] = .string(key.namespace)
        }
        object["metadata"]?["resourceVersion"] = nil
        object["metadata"]?["generation"] = 1
        object["kind"] = Self.kinds[key.resource].map(JSON.string)
        object["apiVersion"] = Self.isCore(key.resource) ? "v1" : "apps/v1"
        if Self.workloads[key.resource] != nil {
            Defaults.fill(&object)
            try validate(key, object)
            object["status"] = [:]
        }
        var ownership = FieldOwnership(nil)
        ownership.update(from: [:], to: object, by: manager, at: SimulatedTime.rfc3339(now))
        let apiVersion = object["apiVersion"] ?? "v1"
        object["metadata"]?["managedFields"] = ownership.json(apiVersion: apiVersion)
        changes += 1
        let stored = put(key, object)
        touch(key)
        return stored
    }

    /// - Parameter subresource: `status` changes the status and nothing else.
    mutating func patch(
        _ key: Key, _ body: JSON, contentType: String, by manager: String, force: Bool, subresource: String? = nil
    ) throws(APIFailure) -> JSON {
        let live = try object(key)
        var bare = live
        bare["metadata"]?["managedFields"] = nil
        let patched: JSON
        let isApply = contentType == "application/apply-patch+yaml"
        switch contentType {
        case "application/json-patch+json":
            guard let operations = body.array else { throw .badRequest("a JSON patch is a list of operations") }
            patched = try Patching.json(operations, to: bare)
        case "application/merge-patch+json": patched = Patching.merge(body, into: bare)
        case "application/strategic-merge-patch+json": patched = Patching.strategicMerge(body, into: bare)
        case _ where isApply:
            guard body["apiVersion"]?.string != nil, body["kind"]?.string != nil else {
                throw .badRequest("invalid object type: apiVersion and kind must be set")
            }
            try refuseConflicts(body, live, by: manager, force: force)
            patched = Patching.strategicMerge(body, into: bare)
        default:
            throw APIFailure(
                code: 415, reason: "UnsupportedMediaType", message: "the body of the request was in an unknown format - \(contentType)")
        }
        try checkPreconditions(key, patched, live)
        var new = live
        if subresource == "status" {
            new["status"] = patched["status"]
        } else {
            new["spec"] = patched["spec"]
            for part in ["labels", "annotations"] { new["metadata"]?[part] = patched["metadata"]?[part] }
            if Self.workloads[key.resource] != nil {
                Defaults.fill(&new)
                try validate(key, new)
                guard new["spec"]?["selector"] == live["spec"]?["selector"] else {
                    throw .invalid(Self.workloads[key.resource] ?? "", key.name, "spec.selector", "field is immutable")
                }
            }
        }
        var ownership = FieldOwnership(live["metadata"]?["managedFields"])
        let time = SimulatedTime.rfc3339(now)
        if isApply {
            ownership.apply(body, over: live, by: manager, at: time)
        } else {
            ownership.update(from: live, to: new, by: manager, at: time)
        }
        if new.canonical == live.canonical,
            ownership.json(apiVersion: "").canonical == FieldOwnership(live["metadata"]?["managedFields"]).json(apiVersion: "").canonical
        {
            return live
        }
        new["metadata"]?["managedFields"] = ownership.json(apiVersion: live["apiVersion"] ?? "v1")
        if new["spec"]?.canonical != live["spec"]?.canonical { new["metadata"]?["generation"] = .integer(live.generation + 1) }
        changes += 1
        let stored = put(key, new)
        touch(key)
        return stored
    }

    mutating func delete(_ key: Key, preconditions: JSON?) throws(APIFailure) {
        let live = try object(key)
        if let version = preconditions?["resourceVersion"]?.string, version != live["metadata"]?["resourceVersion"]?.string {
            throw .conflict(key.resource, key.name)
        }
        changes += 1
        for resource in ["replicasets", "controllerrevisions", "pods"] {
            for (owned, _) in owned(resource, by: live, in: key.namespace) where owned != key {
                if resource == "replicasets", let set = objects[owned] {
                    for (pod, _) in self.owned("pods", by: set, in: key.namespace) { remove(pod) }
                }
                remove(owned)
            }
        }
        remove(key)
    }

    // MARK: - Refusals

    private func checkPreconditions(_ key: Key, _ patched: JSON, _ live: JSON) throws(APIFailure) {
        if let version = patched["metadata"]?["resourceVersion"]?.string, version != live["metadata"]?["resourceVersion"]?.string {
            throw .conflict(key.resource, key.name)
        }
        if let uid = patched["metadata"]?["uid"], uid != live["metadata"]?["uid"] {
            throw .invalid(Self.workloads[key.resource] ?? "", key.name, "metadata.uid", "Invalid value: \(uid): field is immutable")
        }
    }

    private func refuseConflicts(_ body: JSON, _ live: JSON, by manager: String, force: Bool) throws(APIFailure) {
        let conflicts = FieldOwnership(live["metadata"]?["managedFields"]).conflicts(body, with: live, by: manager)
        guard !conflicts.isEmpty, !force else { return }
        func named(_ manager: FieldOwnership.Manager) -> String {
            let using = manager.operation == "Update" ? " using \(live["apiVersion"]?.string ?? "")" : ""
            return "\"\(manager.name)\"\(using)"
        }
        let causes = conflicts.flatMap { manager, paths in
            paths.map { path -> JSON in
                [
                    "reason": "FieldManagerConflict", "message": .string("conflict with \(named(manager))"),
                    "field": .string(FieldOwnership.text(path)),
                ]
            }
        }
        let parts = conflicts.map { manager, paths in
            paths.count == 1
                ? "conflict with \(named(manager)): \(FieldOwnership.text(paths[0]))"
                : "conflicts with \(named(manager)):\n" + paths.map { "- \(FieldOwnership.text($0))" }.joined(separator: "\n")
        }
        throw APIFailure(
            code: 409, reason: "Conflict",
            message: "Apply failed with \(causes.count) conflict\(causes.count == 1 ? "" : "s"): \(parts.joined(separator: "\n"))",
            causes: causes)
    }

    private func validate(_ key: Key, _ object: JSON) throws(APIFailure) {
        let kind = Self.workloads[key.resource] ?? ""
        let template = object["spec"]?["template"]
        for (index, container) in (template?["spec"]?["containers"]?.elements ?? []).enumerated() {
            let field = "spec.template.spec.containers[\(index)]"
            if container["image"]?.string?.isEmpty ?? true { throw .invalid(kind, key.name, "\(field).image", "Required value") }
            if container["name"]?.string?.isEmpty ?? true { throw .invalid(kind, key.name, "\(field).name", "Required value") }
        }
        guard template?["spec"]?["containers"]?.elements.isEmpty == false else {
            throw .invalid(kind, key.name, "spec.template.spec.containers", "Required value")
        }
        for (name, value) in object["spec"]?["selector"]?["matchLabels"]?.object?.members ?? []
        where template?["metadata"]?["labels"]?[name] != value {
            throw .invalid(kind, key.name, "spec.template.metadata.labels", "Invalid value: `selector` does not match template `labels`")
        }
    }
}

/// What the server fills in where an object says nothing.
enum Defaults {
    static func fill(_ object: inout JSON) {
        if object["spec"] == nil { object["spec"] = [:] }
        if object["kind"] != "DaemonSet", object["spec"]?["replicas"] == nil { object["spec"]?["replicas"] = 1 }
        if object["spec"]?["revisionHistoryLimit"] == nil { object["spec"]?["revisionHistoryLimit"] = 10 }
        if object["kind"] == "Deployment", object["spec"]?["progressDeadlineSeconds"] == nil {
            object["spec"]?["progressDeadlineSeconds"] = 600
        }
        let strategy = object["kind"] == "Deployment" ? "strategy" : "updateStrategy"
        if object["spec"]?[strategy] == nil { object["spec"]?[strategy] = ["type": "RollingUpdate"] }
        guard var pod = object["spec"]?["template"]?["spec"] else { return }
        let defaults: [(String, JSON)] = [
            ("restartPolicy", "Always"), ("terminationGracePeriodSeconds", 30), ("dnsPolicy", "ClusterFirst"), ("securityContext", [:]),
            ("schedulerName", "default-scheduler"),
        ]
        for (name, value) in defaults where pod[name] == nil { pod[name] = value }
        pod["containers"] = .array(
            (pod["containers"]?.elements ?? []).map { container in
                var container = container
                let image = container["image"]?.string ?? ""
                let isLatest = image.hasSuffix(":latest") || image.split(separator: "/").last?.contains(":") != true
                let defaults: [(String, JSON)] = [
                    ("resources", [:]), ("terminationMessagePath", "/dev/termination-log"), ("terminationMessagePolicy", "File"),
                    ("imagePullPolicy", isLatest ? "Always" : "IfNotPresent"),
                ]
                for (name, value) in defaults where container[name] == nil { container[name] = value }
                return container
            })
        object["spec"]?["template"]?["spec"] = pod
    }
}
