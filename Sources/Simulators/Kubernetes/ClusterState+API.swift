import JSONValues

/// Writes as the API server takes them.
extension ClusterState {
    static let workloads = ["deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"]
    static let kinds = workloads.merging(
        [
            "replicasets": "ReplicaSet", "controllerrevisions": "ControllerRevision", "pods": "Pod", "namespaces": "Namespace",
            "configmaps": "ConfigMap", "secrets": "Secret",
        ]) { $1 }

    static func isCore(_ resource: String) -> Bool { ["pods", "namespaces", "configmaps", "secrets"].contains(resource) }

    /// The members besides its metadata that a client may write.
    private static func parts(of resource: String) -> [String] {
        switch resource {
        case "configmaps": ["data", "binaryData", "immutable"]
        case "secrets": ["data", "immutable", "type"]
        default: ["spec"]
        }
    }

    func object(_ key: Key) throws(APIFailure) -> JSON {
        guard let object = objects[key] else { throw .notFound(key.resource, key.name) }
        return object
    }

    /// - Parameter applied: the body is a server-side apply of an object that does not exist yet.
    mutating func create(_ key: Key, _ body: JSON, by manager: String, applied: Bool = false) throws(APIFailure) -> JSON {
        guard objects[key] == nil else { throw .alreadyExists(key.resource, key.name) }
        var object = body
        if object["metadata"] == nil { object["metadata"] = [:] }
        if !key.namespace.isEmpty {
            guard objects[Key(resource: "namespaces", namespace: "", name: key.namespace)] != nil else {
                throw APIFailure(code: 404, reason: "NotFound", message: "namespaces \"\(key.namespace)\" not found")
            }
            object["metadata"]?["namespace"] = .string(key.namespace)
        }
        object["metadata"]?["name"] = .string(key.name)
        object["metadata"]?["resourceVersion"] = nil
        object["kind"] = Self.kinds[key.resource].map(JSON.string)
        object["apiVersion"] = Self.isCore(key.resource) ? "v1" : "apps/v1"
        if Self.workloads[key.resource] != nil { object["status"] = [:] }
        if !Self.isCore(key.resource) { object["metadata"]?["generation"] = 1 }
        try normalize(key, &object)
        try validate(key, object, live: nil)
        var ownership = FieldOwnership(nil)
        let time = SimulatedTime.rfc3339(now)
        if applied {
            ownership.apply(try bodyAsStored(key, body), over: [:], by: manager, at: time)
        } else {
            ownership.update(from: [:], to: object, by: manager, at: time)
        }
        let apiVersion = object["apiVersion"] ?? "v1"
        object["metadata"]?["managedFields"] = ownership.json(apiVersion: apiVersion)
        changes += 1
        let stored = put(key, object)
        touch(key)
        wakePods(after: key)
        return stored
    }

    /// Fills in what the server fills in, and turns what can only be written into what is stored.
    private func normalize(_ key: Key, _ object: inout JSON) throws(APIFailure) {
        if Self.workloads[key.resource] != nil { Defaults.fill(&object) }
        object = try bodyAsStored(key, object)
        if key.resource == "secrets", object["type"] == nil { object["type"] = "Opaque" }
    }

    /// `stringData` can only be written: it becomes `data`, also in the book of who owns what.
    private func bodyAsStored(_ key: Key, _ body: JSON) throws(APIFailure) -> JSON {
        key.resource == "secrets" ? try SecretData.stored(body) : body
    }

    /// - Parameter subresource: `status` changes the status and nothing else.
    mutating func patch(
        _ key: Key, _ body: JSON, contentType: String, by manager: String, force: Bool, subresource: String? = nil
    ) throws(APIFailure) -> JSON {
        let live = try object(key)
        var bare = live
        bare["metadata"]?["managedFields"] = nil
        let patched: JSON
        let isApply = contentType == Self.applyType
        let body = isApply ? try bodyAsStored(key, body) : body
        var ownership = FieldOwnership(live["metadata"]?["managedFields"])
        switch contentType {
        case "application/json-patch+json":
            guard let operations = body.array else { throw .badRequest("a JSON patch is a list of operations") }
            patched = try Patching.json(operations, to: bare)
        case "application/merge-patch+json": patched = Patching.merge(body, into: bare)
        case "application/strategic-merge-patch+json": patched = Patching.strategicMerge(body, into: bare)
        case _ where isApply:
            try refuseConflicts(body, live, by: manager, force: force)
            patched = ownership.withoutAbandoned(Patching.apply(body, over: bare), applied: body, by: manager)
        default:
            throw APIFailure(
                code: 415, reason: "UnsupportedMediaType", message: "the body of the request was in an unknown format - \(contentType)")
        }
        try checkPreconditions(key, patched, live)
        var new = live
        if subresource == "status" {
            new["status"] = patched["status"]
        } else {
            for part in Self.parts(of: key.resource) { new[part] = patched[part] }
            if let values = patched["stringData"] { new["stringData"] = values }
            for part in ["labels", "annotations"] { new["metadata"]?[part] = patched["metadata"]?[part] }
            try normalize(key, &new)
            try validate(key, new, live: live)
        }
        let time = SimulatedTime.rfc3339(now)
        if isApply {
            ownership.apply(body, over: live, by: manager, at: time)
        } else {
            ownership.update(from: live, to: new, by: manager, at: time)
        }
        // Times alone are no change: an apply that was there already leaves the version as it is.
        if new.canonical == live.canonical, ownership.hasSameOwners(as: FieldOwnership(live["metadata"]?["managedFields"])) { return live }
        new["metadata"]?["managedFields"] = ownership.json(apiVersion: live["apiVersion"] ?? "v1")
        if new["spec"]?.canonical != live["spec"]?.canonical { new["metadata"]?["generation"] = .integer(live.generation + 1) }
        changes += 1
        let stored = put(key, new)
        touch(key)
        wakePods(after: key)
        return stored
    }

    static let applyType = "application/apply-patch+yaml"

    /// A server-side apply, which makes what is not there.
    mutating func apply(
        _ key: Key, _ body: JSON, by manager: String, force: Bool, subresource: String? = nil
    ) throws(APIFailure) -> (object: JSON, isNew: Bool) {
        guard body["apiVersion"]?.string != nil, body["kind"]?.string != nil else {
            throw .badRequest("invalid object type: apiVersion and kind must be set")
        }
        if let name = body["metadata"]?["name"]?.string, name != key.name {
            throw .badRequest("the name of the object (\(name)) does not match the name on the URL (\(key.name))")
        }
        guard objects[key] != nil || subresource != nil else { return (try create(key, body, by: manager, applied: true), true) }
        let patched = try patch(key, body, contentType: Self.applyType, by: manager, force: force, subresource: subresource)
        return (patched, false)
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
            throw .invalid(key.resource, key.name, [("metadata.uid", "Invalid value: \(uid): field is immutable")])
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
}
