import HTTPCore
import JSONValues
import KubernetesAPI
public import Model
public import ProviderKit
import Synchronization

/// Releases of Deployments, StatefulSets and DaemonSets: the image of one container, undone or applied.
public struct KubernetesProvider: Provider {
    let clients: ClusterClients

    /// Reads nothing yet: kubeconfig and service account are read when a cluster is first needed, and again after it refused them.
    public init(_ environment: ProviderEnvironment) {
        clients = ClusterClients(environment)
    }

    /// - Cost: one request where the workload tells everything: its image is what the pin was resolved to before, and it is settled. Else
    ///   three, plus one for each further page of 500 objects: any other state, the first look at a pin, pins of a revision, an open
    ///   intent, a paused rollout, pods of the release before that may still be ending, and the whole history.
    ///
    /// What only pods tell is known from the three alone: the digests that really run, hence whether a tag has moved, and that pods may
    /// not be listed. With one request the declared release also lacks its revision's number among its names, its time of creation, its
    /// note, and its template among its identities; nothing that is compared with an image needs them. Its
    /// label is the same: that of a StatefulSet's or DaemonSet's declared release has a revision's number in the history alone.
    public func observe(_ target: KubernetesTarget, _ request: ObservationRequest) async -> Observation {
        let snapshot: WorkloadSnapshot
        do throws(SnapshotError) {
            snapshot = try await read(target, request)
        } catch {
            return .unknown(error.problem(of: request.component))
        }
        let reading = ReleaseReading(snapshot, request)
        return Observation(
            live: reading.live, settlement: snapshot.settlement(of: request.component), candidates: reading.candidates, fate: reading.fate,
            blocker: blocker(snapshot, request), notes: snapshot.notes, providerTime: snapshot.time)
    }

    private func read(_ target: KubernetesTarget, _ request: ObservationRequest) async throws(SnapshotError) -> WorkloadSnapshot {
        let client: KubernetesClient
        do throws(KubernetesError) { client = try clients.client(target.context) } catch { throw .api(error) }
        do throws(SnapshotError) {
            let workload = try await WorkloadSnapshot.read(target, with: client)
            return ReleaseReading(workload, request).isWhole ? workload : try await workload.withHistory(from: client)
        } catch {
            if case .api(let api) = error, api.code == .unauthorized || api.code == .credentials { clients.forget(target.context) }
            throw error
        }
    }

    private func blocker(_ snapshot: WorkloadSnapshot, _ request: ObservationRequest) -> Problem? {
        if !request.takeOwnership, let owner = snapshot.foreignOwner(request.component) { return owner }
        return snapshot.isPaused ? snapshot.pausedProblem(request.component) : nil
    }

    public func apply(_ change: ReleaseChange, to target: KubernetesTarget, _ request: ApplyRequest) async -> ApplyResult {
        guard let token = RouteToken(change.route.token) else {
            return .refused(
                Problem(
                    "RouteInvalid", "kubernetes/\(request.component): the route to \(change.to.label) is not one of this version",
                    next: "plan again with this version"))
        }
        let client: KubernetesClient
        do throws(KubernetesError) { client = try clients.client(target.context) } catch {
            return .refused(Problem(error, of: request.component))
        }
        return await WorkloadChange(target: target, token: token, component: request.component, client: client).send()
    }
}

extension KubernetesProvider: CustomStringConvertible, CustomReflectable {
    public var description: String { "KubernetesProvider" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// One client per context, kept because its credentials may cost a program run.
final class ClusterClients: Sendable {
    private let environment: ProviderEnvironment
    private let clients = Mutex<[String: KubernetesClient]>([:])

    init(_ environment: ProviderEnvironment) { self.environment = environment }

    func client(_ context: String?) throws(KubernetesError) -> KubernetesClient {
        let key = context ?? ""
        if let client = clients.withLock({ $0[key] }) { return client }
        let connection = try ClusterConnection.load(
            context: context, environment: ClusterEnvironment(variables: environment.variables, now: environment.now))
        let client = KubernetesClient(connection, transport: environment.transport, userAgent: environment.userAgent)
        return clients.withLock { clients in
            if let first = clients[key] { return first }
            clients[key] = client
            return client
        }
    }

    /// The kubeconfig may have been written anew.
    func forget(_ context: String?) { clients.withLock { $0[context ?? ""] = nil } }
}
