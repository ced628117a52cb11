import Model
import ProviderKit
import State

/// Stops a component under the lock of the system's state.
///
/// What brings it back is durable before the request is sent, so that it can be brought back whatever happens in between.
struct StopSwitch {
    let component: Component
    let provider: AnyProvider
    let session: any StateSession
    let time: PassTime
    let pace: Pace
    let now: @Sendable () -> Timestamp
    let newID: @Sendable () -> String
    /// For the provider's own records.
    let revision: Revision
    /// What the component's pin means.
    let resolution: Resolution
    /// Looks at the component now.
    let observe: () async -> Observation
    let progress: (String) -> Void

    private var id: ResourceID { component.id }

    /// Asks for it, unless that was done before, and waits until nothing of it runs.
    func stop(until end: Duration) async throws(StateError) -> Outcome {
        let before = await observe()
        if Task.isCancelled { return .skipped("the pass was interrupted") }
        if let problem = before.live.problem { return .undecided(problem) }
        switch before.stoppage {
        case .stopped: break
        case .stopping:
            // Of several requests, some may never have been sent.
            if let stop = await session.state.stop(of: component), let outcome = try await ask(stop, before, until: end) { return outcome }
        case .possible(let means, let memory, _):
            if let blocker = before.blocker { return .failed(blocker) }
            if let operation = before.operation { return .failed(.busy(id, operation)) }
            let stop = Stop(memory: memory, means: means, target: component.target.text, provider: component.target.provider)
            if let outcome = try await ask(stop, before, until: end) { return outcome }
        case .impossible(let problem): return .failed(problem)
        case nil: return .failed(.cannotStop(id))
        }
        return try await arrive(until: end)
    }

    /// Nil when it was asked for, or may have been.
    private func ask(_ stop: Stop, _ before: Observation, until end: Duration) async throws(StateError) -> Outcome? {
        let isFirst = before.stoppage?.start == nil
        if isFirst { try await append(.stopping, stop) }
        let intent = Intent(
            id: newID(), resource: id,
            route: Route(.redeploy, means: stop.means, class: .downtime, token: "", isIdempotent: true),
            resolution: resolution, providerTime: before.providerTime, written: now())
        let request = ApplyRequest(component: component.name, intent: intent, revision: revision, stop: stop)
        let (component, provider) = (component, provider)
        let answer = await time.bounded(by: max(end - time.elapsed, .zero), otherwise: ApplyResult.unknown(.unanswered(id))) {
            await provider.stop(component, as: stop, request)
        }
        switch answer {
        case .refused(let problem):
            if isFirst { try await append(.refused, stop) }
            return .failed(problem)
        case .throttled(let problem):
            if isFirst { try await append(.refused, stop) }
            return .undecided(problem)
        case .unknown(let problem): progress("\(problem.message); reading back what became of it")
        case .accepted, .alreadySo: break
        }
        return nil
    }

    private func arrive(until end: Duration) async throws(StateError) -> Outcome {
        var last = "nothing has been seen of it yet"
        let ended = try await time.look(until: end, at: pace) { () async throws(StateError) -> Outcome? in
            let observation = await observe()
            switch observation.stoppage {
            case .stopped:
                if let stop = await session.state.stop(of: component) { try await append(.stopped, stop) }
                return .succeeded("nothing of it runs")
            case .stopping(let how, _): last = how
            case .possible, .impossible, nil: last = observation.live.problem?.message ?? "it does not show that it was stopped"
            }
            progress(last)
            return nil
        }
        return ended ?? .undecided(.notStopped(id, last))
    }

    private func append(_ stage: JournalEntry.Stopping.Stage, _ stop: Stop) async throws(StateError) {
        try await session.append(.stop(.init(id, stage, stop)), at: now())
    }
}

extension StepRunner {
    func stop(_ site: Site, _ step: Step, until end: Duration) async throws(StateError) -> Outcome {
        guard let resolution = plan.resolutions[site.id] else { return .failed(.cannotStop(site.id)) }
        // What comes after must not be written upon a look at what ran before.
        _ = takeConfirmation(of: site.id)
        return try await StopSwitch(
            component: site.component, provider: site.provider, session: session, time: time, pace: pace, now: now, newID: newID,
            revision: plan.revision, resolution: resolution,
            observe: { await self.observe(site, resolution, intent: nil, until: end) }, progress: { self.progress(step, $0) }
        ).stop(until: end)
    }
}

extension Problem {
    fileprivate static func busy(_ resource: ResourceID, _ operation: Operation) -> Problem {
        Problem(
            "WorldChanged", "\(resource): an operation is under way: \(operation.summary)",
            next: "it was not stopped; the next pass plans anew")
    }

    fileprivate static func cannotStop(_ resource: ResourceID) -> Problem {
        Problem("CannotStop", "\(resource): its provider cannot stop it", next: "pin an intermediate release instead")
    }

    fileprivate static func unanswered(_ resource: ResourceID) -> Problem {
        Problem("WriteTimedOut", "\(resource): the request to stop it was not answered in time")
    }

    fileprivate static func notStopped(_ resource: ResourceID, _ last: String) -> Problem {
        Problem("StopNotSeen", "\(resource): it is being stopped, and that cannot be seen yet: \(last)", next: "the next pass looks again")
    }
}
