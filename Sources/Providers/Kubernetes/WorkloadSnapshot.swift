import HTTPCore
import JSONValues
import KubernetesAPI
import Model
import ProviderKit

/// A workload, with its history and its pods where they were read.
struct WorkloadSnapshot: Sendable {
    var target: KubernetesTarget
    var object: JSON
    var template: PodTemplate
    /// The pinned container.
    var container: String
    var image: ImageReference
    /// The newest first.
    let revisions: [WorkloadRevision]
    /// False: the workload alone was read.
    let hasHistory: Bool
    /// Nil when they may not be listed, or were not.
    var pods: [PodState]?
    var podsRefusal: String?
    var time: Timestamp?
    /// The revision whose template is the workload's own; nil until the controller has made it.
    let current: WorkloadRevision?

    init(
        target: KubernetesTarget, object: JSON, template: PodTemplate, container: String, image: ImageReference,
        revisions: [WorkloadRevision]? = nil, pods: [PodState]? = nil, time: Timestamp? = nil
    ) {
        self.target = target
        self.object = object
        self.template = template
        self.container = container
        self.image = image
        self.revisions = (revisions ?? []).withoutInheritedCauses(of: container)
        hasHistory = revisions != nil
        self.pods = pods
        self.time = time
        current = self.revisions.first { $0.template.isSame(as: template) }
    }

    var generation: Int { object["metadata"]?["generation"]?.integer ?? 0 }
    var isObserved: Bool { object["status"]?["observedGeneration"]?.integer.map { $0 >= generation } ?? false }
    var isPaused: Bool { object["spec"]?["paused"]?.bool == true }
    func status(_ field: String) -> Int { object["status"]?[field]?.count ?? 0 }
    /// How many pods are wanted.
    var replicas: Int {
        target.workload.kind == .daemonSet ? status("desiredNumberScheduled") : object["spec"]?["replicas"]?.count ?? 1
    }
}

/// What matters of one pod.
struct PodState: Sendable, Hashable {
    var name: String
    /// The revision that it says it is of.
    var hash: String?
    /// Of the pinned container.
    var image: ImageReference?
    /// The digest that really runs; nil before the image was pulled.
    var digest: String?
    var failure: PodFailure?
    /// Why no node takes it.
    var unschedulable: String?

    /// Nil for a pod that has ended, and for one that the workload does not control.
    init?(_ pod: JSON, controllers: Set<String>, kind: Workload.Kind, container: String) {
        let metadata = pod["metadata"]
        let isOwned = (metadata?["ownerReferences"]?.elements ?? []).contains {
            $0["controller"]?.bool == true && controllers.contains($0["uid"]?.string ?? "")
        }
        guard isOwned, let name = metadata?["name"]?.string, !["Succeeded", "Failed"].contains(pod["status"]?["phase"]?.string) else {
            return nil
        }
        self.name = name
        hash = metadata?["labels"]?[kind.podLabel]?.string
        image = PodTemplate(["spec": pod["spec"] ?? [:]]).image(of: container)
        let status = (pod["status"]?["containerStatuses"]?.elements ?? []).first { $0["name"]?.string == container }
        // `docker-pullable://repository@sha256:…` in older clusters, `repository@sha256:…` in newer ones.
        digest = status?["imageID"]?.string.flatMap { id in id.split(separator: "@").last.map(String.init) }.flatMap {
            ImageReference.isDigest($0) ? $0 : nil
        }
        failure = metadata?["deletionTimestamp"] == nil ? PodFailure(pod, name: name) : nil
        unschedulable =
            (pod["status"]?["conditions"]?.elements ?? [])
            .first { $0["type"]?.string == "PodScheduled" && $0["reason"]?.string == "Unschedulable" }?["message"]?.string
    }
}

extension WorkloadSnapshot {
    /// Reads a workload alone: one request.
    static func read(_ target: KubernetesTarget, with client: KubernetesClient) async throws(SnapshotError) -> WorkloadSnapshot {
        let kind = target.workload.kind
        let answer: KubernetesAnswer
        do throws(KubernetesError) {
            answer = try await client.get(kind.resource, namespace: target.namespace, name: target.workload.name)
        } catch {
            throw .api(error.code == .notFound ? await missing(target, error, client) : error)
        }
        return try WorkloadSnapshot(target, answer.body, answer.headers, client)
    }

    /// What a list tells of a workload: all that one request for it alone would tell.
    init(_ target: KubernetesTarget, _ listed: ListedWorkload, of client: KubernetesClient) throws(SnapshotError) {
        var object = listed.object
        object["kind"] = .string(target.workload.kind.resource.kind)
        try self.init(target, object, listed.headers, client)
    }

    private init(
        _ target: KubernetesTarget, _ object: JSON, _ headers: HTTPHeaders, _ client: KubernetesClient
    ) throws(SnapshotError) {
        let (template, container, image) = try Self.parts(object, target, client)
        self.init(
            target: target, object: object, template: template, container: container, image: image,
            time: headers["Date"].flatMap { Timestamp(httpDate: $0) })
    }

    /// Reads what belongs to it: two requests, plus one for each further page of 500 objects.
    func withHistory(from client: KubernetesClient) async throws(SnapshotError) -> WorkloadSnapshot {
        let kind = target.workload.kind
        let selector = try Self.selector(of: object, target)
        async let history = Self.list(client, kind.history, target.namespace, selector)
        async let pods = Self.list(client, .pods, target.namespace, selector)
        let revisions = try await history.get().compactMap { WorkloadRevision($0, of: object, kind: kind) }
        var snapshot = WorkloadSnapshot(
            target: target, object: object, template: template, container: container, image: image,
            revisions: revisions.sorted { ($1.number, $1.name) < ($0.number, $0.name) }, time: time)
        let controllers =
            kind == .deployment ? Set(revisions.map(\.uid)) : Set([object["metadata"]?["uid"]?.string ?? ""])
        switch await pods {
        case .success(let items):
            snapshot.pods = items.compactMap { PodState($0, controllers: controllers, kind: kind, container: container) }
        case .failure(.api(let error)) where error.code == .forbidden:
            snapshot.podsRefusal = error.next ?? error.message
        case .failure(let error): throw error
        }
        return snapshot
    }

    private static func list(
        _ client: KubernetesClient, _ resource: KubernetesResource, _ namespace: String, _ selector: String
    ) async -> Result<[JSON], SnapshotError> {
        do throws(KubernetesError) {
            return .success(try await client.list(resource, namespace: namespace, labelSelector: selector).items)
        } catch {
            return .failure(.api(error))
        }
    }

    /// The parts of a workload that everything else builds on.
    static func parts(
        _ object: JSON, _ target: KubernetesTarget, _ client: KubernetesClient
    ) throws(SnapshotError) -> (PodTemplate, container: String, image: ImageReference) {
        guard object["kind"]?.string == target.workload.kind.resource.kind, object["metadata"]?["uid"]?.string != nil,
            object["metadata"]?["resourceVersion"]?.string != nil, let json = object["spec"]?["template"]
        else {
            throw .problem(
                Problem(
                    "MalformedAnswer",
                    "the answer for \(target.words) (\(client.connection.place)) is not a \(target.workload.kind.resource.kind)",
                    next: "check that \(client.connection.address) is a Kubernetes API server and not a proxy in between"))
        }
        let template = PodTemplate(json)
        let names = template.containers.compactMap { $0["name"]?.string }
        guard let container = target.container ?? (names.count == 1 ? names.first : nil) else {
            throw .problem(
                Problem(
                    "ContainerAmbiguous", "\(target.words) has several containers: \(names.joined(separator: ", "))",
                    next: "name the one to pin: container: \(names.first ?? "")"))
        }
        guard let image = template.image(of: container) else {
            throw .problem(
                Problem(
                    "ContainerMissing", "\(target.words) has no container \(container)",
                    next: "name one of these: \(names.joined(separator: ", "))"))
        }
        return (template, container, image)
    }

    private static func selector(of object: JSON, _ target: KubernetesTarget) throws(SnapshotError) -> String {
        let selector = object["spec"]?["selector"]
        var parts = (selector?["matchLabels"]?.object?.members ?? []).compactMap { name, value in value.string.map { "\(name)=\($0)" } }
        for expression in selector?["matchExpressions"]?.elements ?? [] {
            guard let key = expression["key"]?.string else { continue }
            let values = (expression["values"]?.elements ?? []).compactMap(\.string).joined(separator: ",")
            switch expression["operator"]?.string {
            case "In": parts.append("\(key) in (\(values))")
            case "NotIn": parts.append("\(key) notin (\(values))")
            case "Exists": parts.append(key)
            case "DoesNotExist": parts.append("!\(key)")
            default: continue
            }
        }
        guard !parts.isEmpty else {
            throw .problem(
                Problem(
                    "MalformedAnswer", "\(target.words) has no selector", next: "look at it with kubectl get \(target.arguments) -o yaml"))
        }
        return parts.joined(separator: ",")
    }

    /// The error of a workload that is not there, with what is there instead as far as it may be read.
    private static func missing(_ target: KubernetesTarget, _ error: KubernetesError, _ client: KubernetesClient) async -> KubernetesError {
        var error = error
        let place = client.connection.place
        error.message = "there is no \(target.words) (\(place))"
        do throws(KubernetesError) {
            let list = try await client.list(target.workload.kind.resource, namespace: target.namespace, limit: 20)
            let names = list.items.compactMap { $0["metadata"]?["name"]?.string }
            if !names.isEmpty {
                error.next = "name one of these: \(names.joined(separator: ", "))"
                return error
            }
            _ = try await client.get(.namespaces, name: target.namespace)
        } catch let other where other.code == .notFound {
            error.message = "there is no namespace \(target.namespace) (\(place))"
        } catch {
            // Only the hint is missing.
        }
        error.next = "check the names in the spec, and that context \(client.connection.context) is the right cluster"
        return error
    }
}

/// Why a workload could not be read.
enum SnapshotError: Error {
    case api(KubernetesError)
    case problem(Problem)
}

extension SnapshotError {
    /// As a problem of a component: `kubernetes/api: …`.
    func problem(of component: String) -> Problem {
        switch self {
        case .api(let error): return Problem(error, of: component)
        case .problem(var problem):
            problem.message = "kubernetes/\(component): \(problem.message)"
            return problem
        }
    }
}

extension Problem {
    init(_ error: KubernetesError, of component: String) {
        let reason =
            switch error.code {
            case .configuration: "KubeconfigInvalid"
            case .credentials: "CredentialsUnavailable"
            case .badRequest, .invalid, .refused: "Rejected"
            case .unauthorized: "Unauthorized"
            case .forbidden: "Forbidden"
            case .notFound: "NotFound"
            case .conflict: "Conflict"
            case .gone: "Gone"
            case .rateLimited: "RateLimited"
            case .server: "ProviderError"
            case .transport: "ProviderUnreachable"
            case .malformed: "MalformedAnswer"
            }
        self.init(reason, "kubernetes/\(component): \(error.message)", next: error.next, retryAfter: error.retryAfter)
    }
}
