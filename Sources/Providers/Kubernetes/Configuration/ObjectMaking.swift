import JSONValues
import KubernetesAPI
import Model
import ProviderKit

/// One part of a way: makes one of Belay's ConfigMaps or Secrets.
struct ObjectMaking: Sendable {
    var object: OwnObject
    /// Of the workload.
    var uid: String
    var component: String
    var client: KubernetesClient

    private var resource: KubernetesResource { object.object.kind.resource }

    func send() async -> ApplyResult {
        do throws(KubernetesError) {
            _ = try await client.create(resource, namespace: object.owner.namespace, object.json(uid: uid))
        } catch {
            if error.reason == "AlreadyExists" { return await existing() }
            let problem = hidden(Problem(error, of: component))
            if error.mayHaveTakenEffect { return .unknown(problem) }
            return error.code == .rateLimited ? .throttled(problem) : .refused(problem)
        }
        var facts = ["object": object.object.text]
        let removed = await OldObjects(object: object, uid: uid, client: client).remove()
        if !removed.isEmpty { facts["removed"] = removed.joined(separator: ", ") }
        return .accepted(facts)
    }

    /// An object of that name is there: ours, when an answer was lost, and then all is well.
    private func existing() async -> ApplyResult {
        do throws(SnapshotError) {
            let reader = ObjectReader(client: client, namespace: object.owner.namespace, component: component)
            switch try await reader.read([object.object])[object.object] {
            case .found(let content) where object.isSame(as: content): return .accepted(["object": object.object.text])
            case .found: return .refused(object.taken(component))
            case .unreadable(let problem): return .refused(problem)
            case .missing, nil:
                return .refused(
                    Problem("Gone", "kubernetes/\(component): \(object.object.words) was there and is gone", next: "run again"))
            }
        } catch {
            return .refused(error.problem(of: component))
        }
    }

    /// A server that refuses an object may repeat what is in it. Values as they are never leave a provider; these are in base64.
    private func hidden(_ problem: Problem) -> Problem {
        var problem = problem
        for value in object.values where !value.secret.reveal().isEmpty {
            guard let text = SecretData.data([(value.key, value.secret.reveal())])[value.key]?.string else { continue }
            problem.message = problem.message.replacing(text, with: "(value)")
        }
        return problem
    }
}

/// Belay's objects of former environments. They go when no revision that is kept names them.
struct OldObjects: Sendable {
    /// The new one, which stays.
    var object: OwnObject
    /// Of the workload.
    var uid: String
    var client: KubernetesClient

    /// The names of those that were removed. What fails is left for the next time: nothing depends on it.
    func remove() async -> [String] {
        let owner = object.owner
        let kind = object.object.kind
        let selector = owner.labels.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        var removed: [String] = []
        do throws(KubernetesError) {
            let objects = try await client.list(kind.resource, namespace: owner.namespace, labelSelector: selector).items
            let old = objects.compactMap { item -> (name: String, version: String)? in
                guard let name = item["metadata"]?["name"]?.string, name != object.object.name, name.hasPrefix(owner.prefix),
                    let version = item["metadata"]?["resourceVersion"]?.string
                else { return nil }
                return (name, version)
            }
            guard !old.isEmpty else { return [] }
            // After the list: what refers to one of them now is seen. The workload first, because its template becomes a revision.
            let workload = try await client.get(owner.workload.kind.resource, namespace: owner.namespace, name: owner.workload.name).body
            guard workload["metadata"]?["uid"]?.string == uid else { return [] }
            let revisions = try await client.list(owner.workload.kind.history, namespace: owner.namespace).items
            let kept = ([workload] + revisions).map(\.description).joined(separator: "\n")
            for (name, version) in old.sorted(by: { $0.name < $1.name }) where !kept.contains("\"\(name)\"") {
                try await client.delete(kind.resource, namespace: owner.namespace, name: name, resourceVersion: version)
                removed.append(name)
            }
        } catch {
            return removed
        }
        return removed
    }
}
