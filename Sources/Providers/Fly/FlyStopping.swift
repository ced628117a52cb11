import JSONValues
import Model
import ProviderKit
import Synchronization

/// Stops the machines of a component and brings them back, under leases. All of it may be sent twice.
///
/// Fly.io stops no app as a whole, and its proxy starts a stopped machine for the next request: so each machine is marked, cordoned and then
/// stopped; and started, uncordoned and unmarked on the way back.
struct FlyStopping: Sendable {
    let api: FlyAPI
    let time: FlyTime
    let target: FlyTarget
    let request: ApplyRequest
    let resource: String

    func stop() async -> ApplyResult {
        let machines: [FlyMachine]
        do throws(FlyFailure) {
            let reader = FlyReader(
                api: api, target: target, request: ObservationRequest(component: request.component, pin: .name("")))
            machines = try await reader.machines().own
        } catch {
            switch error {
            case .api(let error): return .refused(FlyProvider.problem(error, resource, target))
            case .problem(let problem): return .refused(problem)
            }
        }
        if let lost = machines.first(where: { !$0.isReachable }) {
            return .refused(
                Problem(
                    "HostUnreachable", "\(resource): machine \(lost.id) is on a host that does not answer; nothing was stopped",
                    next: "wait for the host (https://status.flyio.net), or destroy the machine with 'fly machine destroy --force'"))
        }
        let loud = machines.filter { !$0.isQuiet }
        guard !loud.isEmpty else { return .alreadySo }
        let written = Written()
        return await leased(loud.map(\.id), written) { (id, nonce) async throws(APIError) in
            guard let machine = loud.first(where: { $0.id == id }) else { return }
            if machine.stopMark == nil {
                let mark = FlyMachine.StopMark(starts: !machine.isStopped || machine.hasCrashed, wasCordoned: machine.isCordoned)
                try await api.setMetadata(id, FlyMark.stopped, mark.text)
                written.note()
            }
            // Before it stops: the proxy starts a stopped machine that it may send requests to.
            if !machine.isCordoned {
                try await api.cordon(id, nonce: nonce)
                written.note()
            }
            if !["stopped", "created", "failed"].contains(machine.state) { try await api.stop(id, nonce: nonce) }
        }
    }

    func start(_ ids: [String]) async -> ApplyResult {
        await leased(ids) { (id, nonce) async throws(APIError) in
            do throws(APIError) {
                try await api.start(id, nonce: nonce)
            } catch {
                // It is running or starting: what was wanted.
                guard error.code == .preconditionFailed, try await !api.machine(id, nonce: nonce).machine.isStopped else { throw error }
            }
        }
    }

    /// Traffic comes again, and then nothing says any more that they were stopped.
    func open(_ ids: [String]) async -> ApplyResult {
        let written = Written()
        return await leased(ids, written) { (id, nonce) async throws(APIError) in
            let machine = try await api.machine(id, nonce: nonce).machine
            if machine.isCordoned, machine.stopMark?.wasCordoned != true {
                try await api.uncordon(id, nonce: nonce)
                written.note()
            }
            try await api.removeMetadata(id, FlyMark.stopped)
        }
    }

    /// Whether anything has been written to any machine.
    private final class Written: Sendable {
        private let state = Mutex(false)
        var isAny: Bool { state.withLock { $0 } }
        func note() { state.withLock { $0 = true } }
    }

    /// Does something to machines, one after the other, once all of them are leased.
    private func leased(
        _ ids: [String], _ written: Written = Written(), _ body: @escaping @Sendable (String, String) async throws(APIError) -> Void
    ) async -> ApplyResult {
        let leases = FlyLeases(api: api, time: time, description: "\(FlyMark.lease): \(request.component), intent \(request.intent.id)")
        let result = await withTaskGroup(of: Void.self) { group in
            group.addTask { await leases.keep() }
            let result = await act(on: ids, leases, written, body)
            group.cancelAll()
            return result
        }
        await leases.release()
        return result
    }

    private func act(
        on ids: [String], _ leases: FlyLeases, _ written: Written, _ body: @Sendable (String, String) async throws(APIError) -> Void
    ) async -> ApplyResult {
        do throws(APIError) {
            for id in ids { _ = try await leases.take(id) }
        } catch {
            let problem = FlyProvider.problem(error, resource, target)
            switch error.code {
            case .conflict, .rateLimited, .server, .transport: return .throttled(problem)
            default: return .refused(problem)
            }
        }
        for (index, id) in ids.enumerated() {
            do throws(APIError) { try await body(id, leases.nonce(of: id)) } catch {
                // Of several writes some are done: what became of them is read back.
                guard index > 0 || written.isAny else { return FlyProvider.result(of: error, resource, target) }
                return .unknown(FlyProvider.problem(error, resource, target))
            }
        }
        return .accepted(Dictionary(uniqueKeysWithValues: ids.map { ($0, "done") }))
    }
}
