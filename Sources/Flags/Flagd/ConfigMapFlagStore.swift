import JSONValues
import KubernetesAPI
public import Model
public import ProviderKit

/// Keeps flags in a key of a ConfigMap, in flagd's form, for a flagd that mounts it.
///
/// Cost: one request to observe, two to write. A write names the version that it was made from: what somebody else changed in between,
/// whichever key it was, is not overwritten.
public struct ConfigMapFlagStore: FlagStore {
    private let clusters: ClusterClients

    /// Reads nothing yet: kubeconfig and service account are read when a cluster is first needed, and again after it refused them.
    public init(_ environment: ProviderEnvironment) {
        clusters = ClusterClients(
            ClusterEnvironment(variables: environment.variables, now: environment.now), transport: environment.transport,
            userAgent: environment.userAgent)
    }

    public var promise: FlagPromise {
        FlagPromise(
            isAtomic: true, propagation: .seconds(120),
            killSemantics: "the variant off, as the flag's default, without targeting: a mounted ConfigMap follows within two minutes")
    }

    public func observe(_ names: [String], in target: ConfigMapFlagTarget) async -> [String: FlagObservation] {
        do throws(Failure) {
            let document = try await read(target, with: try client(target)).document
            return Dictionary(names.map { ($0, document.observation(of: $0)) }) { first, _ in first }
        } catch {
            return FlagObservation.all(names, error.problem(target))
        }
    }

    public func apply(_ changes: [FlagChange], to target: ConfigMapFlagTarget, reason: String) async -> ApplyResult {
        do throws(Failure) {
            let client = try client(target)
            var (document, version, isImmutable) = try await read(target, with: client)
            do throws(Problem) {
                guard try document.make(changes, in: target.place) else { return .alreadySo }
            } catch {
                throw .problem(error)
            }
            guard !isImmutable else {
                throw .problem(
                    Problem(
                        "Immutable", "\(target.place): the ConfigMap is immutable", next: "make it anew without immutable: true"))
            }
            // Past the largest object that etcd takes.
            guard document.text.utf8.count <= 1 << 20 else {
                throw .problem(Problem("TooLarge", "\(target.place): the flags would have more than 1 MiB", next: "remove old flags"))
            }
            let body: JSON = [
                "metadata": [
                    "resourceVersion": .string(version), "annotations": ["belay.dev/flags-changed-for": .string(reason)],
                ],
                "data": .object(JSONObject([(target.key, .string(document.text))])),
            ]
            do throws(KubernetesError) {
                _ = try await client.patch(.configMaps, namespace: target.namespace, name: target.name, .merge(body))
            } catch {
                throw .api(error)
            }
            return .accepted(["configMap": "\(target.namespace)/\(target.name)"])
        } catch {
            if case .api(let api) = error {
                if api.mayHaveTakenEffect { return .unknown(error.problem(target)) }
                if api.code == .rateLimited { return .throttled(error.problem(target)) }
            }
            return .refused(error.problem(target))
        }
    }

    private func client(_ target: ConfigMapFlagTarget) throws(Failure) -> KubernetesClient {
        do throws(KubernetesError) { return try clusters.client(target.context) } catch { throw .api(error) }
    }

    private func read(
        _ target: ConfigMapFlagTarget, with client: KubernetesClient
    ) async throws(Failure) -> (document: FlagdDocument, version: String, isImmutable: Bool) {
        let object: JSON
        do throws(KubernetesError) {
            object = try await client.get(.configMaps, namespace: target.namespace, name: target.name).body
        } catch {
            if error.code == .unauthorized || error.code == .credentials { clusters.forget(target.context) }
            guard error.code != .notFound else { throw .problem(target.missing) }
            throw .api(error)
        }
        guard object["kind"]?.string == "ConfigMap", object["metadata"]?["name"]?.string == target.name,
            let version = object["metadata"]?["resourceVersion"]?.string
        else {
            throw .problem(
                Problem(
                    "MalformedAnswer", "\(target.place): the answer of \(client.connection.address) is not that ConfigMap",
                    next: "check that it is a Kubernetes API server and not a proxy in between"))
        }
        guard let text = object["data"]?[target.key]?.string else {
            let keys = (object["data"]?.object?.keys ?? []).sorted().joined(separator: ", ")
            throw .problem(
                Problem(
                    "KeyMissing", "\(target.place): the ConfigMap has no key \(target.key)",
                    next: keys.isEmpty ? "it has no key at all: give it that one, with {\"flags\": {}}" : "name one of these: \(keys)"))
        }
        do throws(Problem) {
            return (try FlagdDocument(parsing: text, place: target.place), version, object["immutable"]?.bool ?? false)
        } catch {
            throw .problem(error)
        }
    }

    private enum Failure: Error {
        case api(KubernetesError)
        case problem(Problem)

        func problem(_ target: ConfigMapFlagTarget) -> Problem {
            switch self {
            case .problem(let problem): problem
            case .api(let error) where error.code == .conflict:
                Problem(
                    "FlagChanged", "\(target.place): somebody else wrote the ConfigMap at the same time; nothing was written",
                    next: "run again: the next pass plans anew")
            case .api(let error):
                Problem(
                    Self.reason(error), "\(target.place): \(error.message)", next: error.next, retryAfter: error.retryAfter)
            }
        }

        private static func reason(_ error: KubernetesError) -> String {
            switch error.code {
            case .configuration, .credentials: "ClusterUnusable"
            case .unauthorized: "Unauthorized"
            case .forbidden: "Forbidden"
            case .rateLimited: "RateLimited"
            case .server: "ProviderError"
            case .transport: "ProviderUnreachable"
            case .malformed: "MalformedAnswer"
            case .badRequest, .notFound, .conflict, .gone, .invalid, .refused: "Rejected"
            }
        }
    }
}

extension ConfigMapFlagTarget {
    /// For messages.
    var place: String { "configMap/\(namespace)/\(name)/\(key)" }

    fileprivate var missing: Problem {
        Problem(
            "ConfigMapMissing", "\(place): there is no ConfigMap \(name) in namespace \(namespace)",
            next: "correct the names in the spec, or make it: kubectl create configmap \(name) -n \(namespace)"
                + (context.map { " --context \($0)" } ?? "") + " --from-literal=\(key)='{\"flags\": {}}'")
    }
}

extension ConfigMapFlagStore: CustomStringConvertible, CustomReflectable {
    public var description: String { "ConfigMapFlagStore" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
