import JSONValues
import KubernetesAPI
import Model
import ProviderKit

/// The one write of a route: reads the workload again, makes sure that it is still the one that was planned for, and sends one patch
/// that the server refuses if anything has changed since that reading.
struct WorkloadChange: Sendable {
    var target: KubernetesTarget
    var token: RouteToken
    var component: String
    var client: KubernetesClient
    /// Nil when the configuration is not managed.
    var environment: ManagedEnvironment?
    /// How Belay has stopped the workload; the patch then brings its replicas back.
    var stop: Stop?

    private enum Intended {
        case patch(KubernetesPatch)
        case result(ApplyResult)
    }

    func send() async -> ApplyResult {
        let intended: Intended
        do throws(SnapshotError) { intended = try await prepare() } catch { return withoutEffect(error) }
        guard case .patch(let patch) = intended else {
            guard case .result(let result) = intended else { return .alreadySo }
            return result
        }
        do throws(KubernetesError) {
            let answer = try await client.patch(
                target.workload.kind.resource, namespace: target.namespace, name: target.workload.name, patch)
            return accepted(answer.body)
        } catch {
            return refused(error)
        }
    }

    // MARK: - Before the write

    private func withoutEffect(_ error: SnapshotError) -> ApplyResult {
        let problem = error.problem(of: component)
        if case .api(let api) = error, api.code == .rateLimited { return .throttled(problem) }
        return .refused(problem)
    }

    private func prepare() async throws(SnapshotError) -> Intended {
        let kind = target.workload.kind
        let object: JSON
        do throws(KubernetesError) {
            object = try await client.get(kind.resource, namespace: target.namespace, name: target.workload.name).body
        } catch { throw .api(error) }
        var target = target
        target.container = token.container
        let (template, container, image) = try WorkloadSnapshot.parts(object, target, client)
        guard object["metadata"]?["uid"]?.string == token.uid else { return .result(.refused(changed("it was deleted and made again"))) }
        let snapshot = WorkloadSnapshot(
            target: target, object: object, template: template, container: container, image: image)
        let replicas = snapshot.stoppedReplicas(stop)
        let wanted: PodTemplate
        let patch: KubernetesPatch
        switch token.way {
        case .apply(let reference):
            let configured = environment?.applied(to: template) ?? template
            wanted = configured.with(image: reference, in: container)
            // What Belay scaled to 0 it takes back in the same patch, which server-side apply cannot do.
            patch =
                configured.isSame(as: template) && replicas == nil
                ? applying(reference, to: object) : replacing(wanted, in: object, replicas: replicas)
        case .undo(let name, let uid, let number):
            let revision: JSON
            do throws(KubernetesError) {
                revision = try await client.get(kind.history, namespace: target.namespace, name: name).body
            } catch {
                guard error.code == .notFound else { throw .api(error) }
                return .result(.refused(revisionGone(number)))
            }
            guard revision["metadata"]?["uid"]?.string == uid, let found = WorkloadRevision(revision, of: object, kind: kind) else {
                return .result(.refused(revisionGone(number)))
            }
            wanted = environment?.applied(to: found.template) ?? found.template
            patch = undoing(to: revision, wanted, object, replicas: replicas)
        }
        if wanted.isSame(as: template), replicas == nil { return .result(.alreadySo) }
        guard template.fingerprint == token.fingerprint else { return .result(.refused(changed("its pod template is another one"))) }
        if snapshot.isPaused { return .result(.refused(snapshot.pausedProblem(component))) }
        if !token.takesOwnership, let owner = snapshot.foreignOwner {
            return .result(.refused(snapshot.problem(component, owner)))
        }
        if let problem = try await lacking(wanted, snapshot) { return .result(.refused(problem)) }
        return .patch(patch)
    }

    /// Why a template with the desired environment must not be written: a variable is another reconciler's, or an object of Belay's is
    /// gone.
    private func lacking(_ wanted: PodTemplate, _ snapshot: WorkloadSnapshot) async throws(SnapshotError) -> Problem? {
        guard let environment else { return nil }
        if !token.takesOwnership {
            let changes = environment.changes(of: snapshot.template)
            if let problem = snapshot.foreignOwner(ofVariables: changes.set + changes.removed, component) { return problem }
        }
        let needed = environment.objects(neededBy: wanted)
        let states = try await ObjectReader(client: client, namespace: target.namespace, component: component).read(needed.map(\.object))
        for object in needed {
            switch states[object.object] {
            case .found(let content): if !object.isSame(as: content) { return object.taken(component) }
            case .missing, nil: return changed("\(object.object.words) is gone")
            case .unreadable(let problem): return problem
            }
        }
        return nil
    }

    private func changed(_ how: String) -> Problem {
        Problem(
            "ChangedSincePlanned", "kubernetes/\(component): \(target.words) changed since it was planned: \(how)",
            next: "run again: the next pass plans anew")
    }

    private func revisionGone(_ number: Int) -> Problem {
        Problem(
            "RevisionGone", "kubernetes/\(component): revision \(number) of \(target.words) was cleaned up since it was planned",
            next: "run again, or pin the image instead of the revision")
    }

    // MARK: - The write

    private func applying(_ image: String, to object: JSON) -> KubernetesPatch {
        let metadata: JSON = [
            "name": .string(target.workload.name), "namespace": .string(target.namespace),
            // Refused with 409 when anything happened to the object in between; also keeps an apply from making a new one.
            "resourceVersion": object["metadata"]?["resourceVersion"] ?? "", "uid": .string(token.uid),
        ]
        // Forced, because whose the field may be taken from was decided before, by name.
        return .apply(
            [
                "apiVersion": .string(target.workload.kind.resource.apiVersion), "kind": .string(target.workload.kind.resource.kind),
                "metadata": metadata,
                "spec": ["template": ["spec": ["containers": [["name": .string(token.container), "image": .string(image)]]]]],
            ], force: true)
    }

    /// The image and the whole environment of the container, and nothing else.
    ///
    /// Not by server-side apply: it merges a variable's `valueFrom` beside the `value` that somebody else has set, which the server then
    /// refuses, and it cannot take away what somebody else has set. A JSON patch makes its sender the owner of what it changed all the
    /// same.
    private func replacing(_ wanted: PodTemplate, in object: JSON, replicas: Int?) -> KubernetesPatch {
        var operations: [JSON] = [
            ["op": "replace", "path": "/metadata/resourceVersion", "value": object["metadata"]?["resourceVersion"] ?? ""]
        ]
        for (index, container) in wanted.containers.enumerated() where container["name"]?.string == token.container {
            let path = "/spec/template/spec/containers/\(index)"
            operations.append(["op": "test", "path": .string("\(path)/name"), "value": .string(token.container)])
            operations.append(["op": "replace", "path": .string("\(path)/image"), "value": container["image"] ?? ""])
            guard environment != nil else { continue }
            operations.append(["op": "add", "path": .string("\(path)/env"), "value": container["env"] ?? []])
        }
        if let replicas {
            operations.append(["op": "add", "path": "/spec/replicas", "value": .integer(replicas)])
            if object.stoppedReplicas != nil {
                operations.append(["op": "remove", "path": .string("/metadata/annotations/\(WorkloadStop.annotation.pointer)")])
            }
        }
        return .json(operations)
    }

    /// As `kubectl rollout undo --to-revision` does it, plus the resourceVersion and the desired environment.
    private func undoing(to revision: JSON, _ wanted: PodTemplate, _ object: JSON, replicas: Int?) -> KubernetesPatch {
        let version = object["metadata"]?["resourceVersion"] ?? ""
        guard target.workload.kind == .deployment else {
            var patch = revision["data"] ?? [:]
            patch["metadata"] = ["resourceVersion": version, "uid": .string(token.uid)]
            var template = wanted.json
            template["$patch"] = patch["spec"]?["template"]?["$patch"]
            patch["spec"]?["template"] = template
            if let replicas {
                patch["spec"]?["replicas"] = .integer(replicas)
                patch["metadata"]?["annotations"] = [WorkloadStop.annotation: .null]
            }
            return .strategicMerge(patch)
        }
        let scaling: [JSON] = replicas.map { [["op": "add", "path": "/spec/replicas", "value": .integer($0)]] } ?? []
        return .json(
            [
                ["op": "replace", "path": "/metadata/resourceVersion", "value": version],
                ["op": "replace", "path": "/spec/template", "value": wanted.json],
                ["op": "add", "path": "/metadata/annotations", "value": annotations(of: revision, object)],
            ] + scaling)
    }

    /// The controller's own, which are not a release's.
    private static let bookkeeping: Set<String> = [
        "kubectl.kubernetes.io/last-applied-configuration", WorkloadRevision.revisionAnnotation, WorkloadRevision.historyAnnotation,
        "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas", "deprecated.deployment.rollback.to",
        // The controller copies it to the ReplicaSet of the release that was stopped.
        WorkloadStop.annotation,
    ]

    /// The Deployment's annotations with those of the revision over them. kubectl also removes what the revision does not have; here only
    /// the change cause goes, because the others belong to tools that did not ask for a rollback.
    private func annotations(of revision: JSON, _ object: JSON) -> JSON {
        var annotations = object["metadata"]?["annotations"] ?? [:]
        annotations[WorkloadRevision.changeCause] = nil
        annotations[WorkloadStop.annotation] = nil
        for (name, value) in revision["metadata"]?["annotations"]?.object?.members ?? [] where !Self.bookkeeping.contains(name) {
            annotations[name] = value
        }
        return annotations
    }

    // MARK: - After the write

    private func accepted(_ object: JSON) -> ApplyResult {
        guard object["metadata"]?["uid"]?.string == token.uid, let version = object["metadata"]?["resourceVersion"]?.string,
            let generation = object["metadata"]?["generation"]?.integer
        else {
            return .unknown(
                Problem(
                    "MalformedAnswer",
                    "kubernetes/\(component): the answer to the patch of \(target.words) is not the object that was patched"))
        }
        return .accepted(["resourceVersion": version, "generation": String(generation)])
    }

    private func refused(_ error: KubernetesError) -> ApplyResult {
        if error.mayHaveTakenEffect { return .unknown(Problem(error, of: component)) }
        switch error.code {
        case .rateLimited: return .throttled(Problem(error, of: component))
        case .conflict:
            let conflicts = error.fieldConflicts
            guard conflicts.isEmpty else {
                let words = conflicts.map { "\($0.field) belongs to \($0.manager)" }.joined(separator: ", ")
                return .refused(
                    Problem(
                        "OwnedByAnother", "kubernetes/\(component): \(target.words): \(words)",
                        next: "set takeOwnership: true to take it over"))
            }
            return .refused(changed(error.message))
        default: return .refused(Problem(error, of: component))
        }
    }
}
