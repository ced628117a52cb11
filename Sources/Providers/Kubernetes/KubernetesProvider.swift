import HTTPCore
import JSONValues
import KubernetesAPI
public import Model
public import ProviderKit

/// Releases of Deployments, StatefulSets and DaemonSets: the image of one container, undone or applied.
public struct KubernetesProvider: Provider {
    let clients: ClusterClients
    let sizes: ListSizes

    /// Reads nothing yet: kubeconfig and service account are read when a cluster is first needed, and again after it refused them.
    public init(_ environment: ProviderEnvironment) {
        self.init(environment, pageSize: KubernetesClient.pageSize)
    }

    init(_ environment: ProviderEnvironment, pageSize: Int) {
        clients = ClusterClients(environment)
        sizes = ListSizes(now: environment.now, pageSize: pageSize)
    }

    /// A component whose configuration is managed costs one more for each of its objects, a ConfigMap for literals and a Secret for
    /// references; a change of release one more for each object that the old template refers to and the declared one does not.
    ///
    /// - Cost: one request where the workload tells everything: its image is what the pin was resolved to before, and it is settled. Else
    ///   three, plus one for each further page of 500 objects: any other state, the first look at a pin, pins of a revision, an open
    ///   intent, a paused rollout, pods of the release before that may still be ending, and the whole history.
    ///
    /// What only pods tell is known from the three alone: the digests that really run, hence whether a tag has moved, and that pods may
    /// not be listed. With one request the declared release also lacks its revision's number among its names, its time of creation, its
    /// note, and its template among its identities; nothing that is compared with an image needs them. Its
    /// label is the same: that of a StatefulSet's or DaemonSet's declared release has a revision's number in the history alone.
    public func observe(_ target: KubernetesTarget, _ request: ObservationRequest) async -> Observation {
        await observe(target, request, listed: nil)
    }

    /// - Parameter listed: the workload where a list has brought it; it is not asked for again.
    func observe(_ target: KubernetesTarget, _ request: ObservationRequest, listed: ListedWorkload?) async -> Observation {
        let reading: ReleaseReading
        do throws(SnapshotError) {
            reading = try await read(target, request, listed)
        } catch {
            return .unknown(error.problem(of: request.component))
        }
        let snapshot = reading.snapshot
        let owner = snapshot.foreignOwner
        return Observation(
            live: reading.live, settlement: reading.settlement, candidates: reading.candidates, fate: reading.fate,
            blocker: blocker(snapshot, owner, request), notes: snapshot.notes, providerTime: snapshot.time,
            configuration: reading.configuration, automation: owner?.automation, cause: snapshot.hasHistory ? snapshot.cause : nil,
            stoppage: reading.stoppage)
    }

    private func read(
        _ target: KubernetesTarget, _ request: ObservationRequest, _ listed: ListedWorkload?
    ) async throws(SnapshotError) -> ReleaseReading {
        let client: KubernetesClient
        do throws(KubernetesError) { client = try clients.client(target.context) } catch { throw .api(error) }
        do throws(SnapshotError) {
            let workload =
                if let listed { try WorkloadSnapshot(target, listed, of: client) } else {
                    try await WorkloadSnapshot.read(target, with: client)
                }
            var reading = ReleaseReading(workload, request)
            if !reading.isWhole { reading = ReleaseReading(try await workload.withHistory(from: client), request) }
            let objects = ObjectReader(client: client, namespace: target.namespace, component: request.component)
            reading.compare(try await objects.read(reading.comparedObjects))
            reading.objects.merge(try await objects.read(reading.neededObjects)) { $1 }
            return reading
        } catch {
            if case .api(let api) = error, api.code == .unauthorized || api.code == .credentials { clients.forget(target.context) }
            throw error
        }
    }

    private func blocker(_ snapshot: WorkloadSnapshot, _ owner: ForeignOwner?, _ request: ObservationRequest) -> Problem? {
        if !request.takeOwnership, let owner { return snapshot.problem(request.component, owner) }
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
        let environment = request.configuration.map {
            ManagedEnvironment($0, .init(workload: target.workload, namespace: target.namespace, container: token.container))
        }
        guard environment?.marks ?? [] == token.environment else {
            return .refused(
                Problem(
                    "ConfigurationChanged",
                    "kubernetes/\(request.component): the configuration is another one than the way to \(change.to.label) was planned with",
                    next: "run again: the next pass plans anew"))
        }
        if let part = change.route.part.flatMap({ ConfigurationObject($0) }) {
            guard let object = environment?.objects.first(where: { $0.object == part }) else {
                return .refused(
                    Problem("RouteInvalid", "kubernetes/\(request.component): the way does not need \(part.words)", next: "plan again"))
            }
            return await ObjectMaking(object: object, uid: token.uid, component: request.component, client: client).send()
        }
        return await WorkloadChange(
            target: target, token: token, component: request.component, client: client, environment: environment, stop: request.stop
        ).send()
    }

    public func stop(_ target: KubernetesTarget, as stop: Stop, _ request: ApplyRequest) async -> ApplyResult {
        let client: KubernetesClient
        do throws(KubernetesError) { client = try clients.client(target.context) } catch {
            return .refused(Problem(error, of: request.component))
        }
        return await WorkloadStop(target: target, component: request.component, client: client, memory: stop.memory).send()
    }
}

extension KubernetesProvider: CustomStringConvertible, CustomReflectable {
    public var description: String { "KubernetesProvider" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ClusterClients {
    convenience init(_ environment: ProviderEnvironment) {
        self.init(
            ClusterEnvironment(variables: environment.variables, now: environment.now), transport: environment.transport,
            userAgent: environment.userAgent)
    }
}
