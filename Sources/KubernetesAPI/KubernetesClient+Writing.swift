import HTTPCore
public import JSONValues

/// How the body of a patch is to be read.
public enum KubernetesPatch: Sendable, Hashable {
    /// RFC 6902.
    case json([JSON])
    /// RFC 7386.
    case merge(JSON)
    /// Kubernetes' own: lists of objects are merged by their key. Not for custom resources.
    case strategicMerge(JSON)
    /// Server-side apply: the body holds the fields to own and nothing else.
    case apply(JSON, force: Bool)

    var contentType: String {
        switch self {
        case .json: "application/json-patch+json"
        case .merge: "application/merge-patch+json"
        case .strategicMerge: "application/strategic-merge-patch+json"
        case .apply: "application/apply-patch+yaml"  // JSON is YAML; the media type with +json is unknown to servers before 1.33.
        }
    }

    var body: JSON {
        switch self {
        case .json(let operations): .array(operations)
        case .merge(let body), .strategicMerge(let body), .apply(let body, _): body
        }
    }
}

extension KubernetesClient {
    /// Changes one object and returns it. A `metadata.resourceVersion` or `metadata.uid` in the outcome that is not the object's own gives 409.
    ///
    /// - Parameter subresource: the part that is changed where it has a URL of its own: `status`.
    public func patch(
        _ resource: KubernetesResource, namespace: String? = nil, name: String, subresource: String? = nil, _ patch: KubernetesPatch,
        fieldManager: String = KubernetesClient.fieldManager, answering part: KubernetesAnswer.Part = .object
    ) async throws(KubernetesError) -> KubernetesAnswer {
        var query: [(name: String, value: String?)] = [("fieldManager", fieldManager)]
        if case .apply(_, let force) = patch { query.append(("force", force ? "true" : "false")) }
        return try await send(
            .patch, resource.path(namespace: namespace, name: name, subresource: subresource), query: query, body: patch.body,
            contentType: patch.contentType, answering: part,
            Operation(verb: "patch", resource: resource, namespace: namespace, name: name, subresource: subresource))
    }

    /// Makes an object and returns it; 409 with reason `AlreadyExists` when there is one of that name.
    public func create(
        _ resource: KubernetesResource, namespace: String? = nil, _ object: JSON, fieldManager: String = KubernetesClient.fieldManager,
        answering part: KubernetesAnswer.Part = .object
    ) async throws(KubernetesError) -> KubernetesAnswer {
        try await send(
            .post, resource.path(namespace: namespace), query: [("fieldManager", fieldManager)], body: object, answering: part,
            Operation(verb: "create", resource: resource, namespace: namespace, name: object["metadata"]?["name"]?.string))
    }

    /// Deletes an object; what it owns is deleted by the cluster afterwards.
    ///
    /// - Parameter resourceVersion: only if it still has this version; 409 otherwise.
    public func delete(
        _ resource: KubernetesResource, namespace: String? = nil, name: String, resourceVersion: String? = nil
    ) async throws(KubernetesError) {
        var options: JSON = ["apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"]
        if let resourceVersion { options["preconditions"] = ["resourceVersion": .string(resourceVersion)] }
        _ = try await send(
            .delete, resource.path(namespace: namespace, name: name), body: options,
            Operation(verb: "delete", resource: resource, namespace: namespace, name: name))
    }
}
