public import HTTPCore
public import JSONValues

extension KubernetesClient {
    /// How many objects one request brings where nothing else is said: as many as kubectl asks for.
    public static let pageSize = 500

    /// Every object that a label selector names, page by page.
    ///
    /// - Parameter pageSize: how many objects one request may bring; large clusters refuse nothing, but answer slowly without.
    /// - Parameter limit: after how many objects to stop; the list is then incomplete.
    public func list(
        _ resource: KubernetesResource, namespace: String? = nil, labelSelector: String? = nil, pageSize: Int = pageSize, limit: Int = .max
    ) async throws(KubernetesError) -> KubernetesList {
        var list = KubernetesList(items: [], resourceVersion: "", headers: [:])
        var position: String?
        var hasStartedAgain = false
        var seen: Set<String> = []
        while true {
            let page: KubernetesPage
            do throws(KubernetesError) {
                page = try await self.page(
                    resource, namespace: namespace, labelSelector: labelSelector, limit: min(pageSize, limit), from: position)
            } catch {
                // The position expires with etcd's compaction, after five minutes by default; the list is then read anew.
                guard error.code == .gone, position != nil, !hasStartedAgain else { throw error }
                hasStartedAgain = true
                position = nil
                list.items = []
                seen = []
                continue
            }
            list.items += page.items
            list.resourceVersion = page.resourceVersion
            list.headers = page.headers
            position = page.next
            guard let next = position, list.items.count < limit else { return list }
            // Pages may be empty, but not without end.
            guard seen.insert(next).inserted, seen.count <= 10_000 else {
                throw KubernetesError(
                    malformed: "its pages have no end", Operation(verb: "list", resource: resource, namespace: namespace), on: connection)
            }
        }
    }

    /// One page of a collection: one request. All pages of a list show it as it was when the first one was asked for.
    ///
    /// - Parameter limit: how many objects it may bring.
    /// - Parameter position: ``KubernetesPage/next`` of the page before. It expires after minutes; then the error is of code `gone`.
    /// - Parameter names: of members that nobody will look at, wherever they stand in the answer.
    public func page(
        _ resource: KubernetesResource, namespace: String? = nil, labelSelector: String? = nil, limit: Int, from position: String? = nil,
        without names: [String] = []
    ) async throws(KubernetesError) -> KubernetesPage {
        let operation = Operation(verb: "list", resource: resource, namespace: namespace)
        let query: [(name: String, value: String?)] = [
            ("labelSelector", labelSelector), ("limit", String(limit)), ("continue", position),
        ]
        let answer = try await send(.get, resource.path(namespace: namespace), query: query, without: names, operation)
        guard answer.body["kind"]?.string?.hasSuffix("List") == true, let metadata = answer.body["metadata"], metadata.object != nil else {
            throw KubernetesError(malformed: "it is not a list", operation, on: connection)
        }
        let items = answer.body["items"]
        guard let items = items == nil ? [] : items?.array else {
            throw KubernetesError(malformed: "items is not a list", operation, on: connection)
        }
        return KubernetesPage(
            items: items, resourceVersion: metadata["resourceVersion"]?.string ?? "",
            next: metadata["continue"]?.string.flatMap { $0.isEmpty ? nil : $0 }, remaining: metadata["remainingItemCount"]?.integer,
            headers: answer.headers)
    }
}

/// The objects of a collection.
public struct KubernetesList: Sendable {
    /// Without `kind` and `apiVersion`, as the server leaves them out.
    public var items: [JSON]
    /// Where a watch may begin.
    public var resourceVersion: String
    public var headers: HTTPHeaders

    public init(items: [JSON], resourceVersion: String, headers: HTTPHeaders) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.headers = headers
    }
}

/// Some of the objects of a collection.
public struct KubernetesPage: Sendable {
    /// Without `kind` and `apiVersion`, as the server leaves them out.
    public var items: [JSON]
    public var resourceVersion: String
    /// Where the next page begins; nil after the last one.
    public var next: String?
    /// How many objects follow; nil where the server does not count them, as it never does for a selection.
    public var remaining: Int?
    public var headers: HTTPHeaders

    public init(items: [JSON], resourceVersion: String, next: String?, remaining: Int?, headers: HTTPHeaders) {
        self.items = items
        self.resourceVersion = resourceVersion
        self.next = next
        self.remaining = remaining
        self.headers = headers
    }
}
