import Model
import ProviderKit
import State

extension StepRunner {
    /// Turns the switch of a provider's automation and sees that it is turned. The previous value is durable before the request is sent, so
    /// that it can be brought back whatever happens in between.
    func fence(_ change: FenceChange, at site: Site, until end: Duration) async throws(StateError) -> Outcome {
        let before = await observe(site, plan.resolutions[site.id], intent: nil, until: end)
        if let problem = before.live.problem { return .undecided(problem) }
        guard let automation = before.automation, automation.name == change.name else {
            return .failed(Problem("NoSwitch", "\(site.id): there is no \(change.name) to switch any more", next: "plan anew"))
        }
        let recorded = await session.state.fences[site.id].flatMap { fence in
            fence.name == change.name && fence.target == site.component.target.text ? fence : nil
        }
        switch change.purpose {
        case .raise:
            let fence = Fence(
                name: change.name, previous: recorded?.previous ?? automation.value, set: change.to, target: site.component.target.text,
                provider: site.component.target.provider)
            if !automation.isOn {
                // Somebody else's choice: nothing of it is ours to take back.
                return .succeeded("\(change.name) is \(automation.value)")
            }
            return try await turn(change, fence, (.raising, .raised), at: site, until: end) { !$0.isOn }
        case .lower:
            guard let recorded else { return .succeeded("no fence is up") }
            guard automation.value == recorded.set else {
                try await append(.fence(.init(site.id, .lowered, recorded)))
                return .succeeded("\(change.name) is \(automation.value) already, set by somebody else; it stays so")
            }
            return try await turn(change, recorded, (.lowering, .lowered), at: site, until: end) { $0.value == recorded.previous }
        }
    }

    private func turn(
        _ change: FenceChange, _ fence: Fence, _ stages: (before: JournalEntry.Fencing.Stage, after: JournalEntry.Fencing.Stage),
        at site: Site, until end: Duration, isTurned: (Automation) -> Bool
    ) async throws(StateError) -> Outcome {
        try await append(.fence(.init(site.id, stages.before, fence)))
        let intent = Intent(
            id: newID(), resource: site.id,
            route: Route(.redeploy, means: "switch \(change.name)", class: .instant, token: "", isIdempotent: true),
            resolution: plan.resolutions[site.id]
                ?? Resolution(pin: site.component.release, identity: ArtifactIdentity(.deployment, ""), label: "", revision: plan.revision),
            providerTime: nil, written: now())
        let answer = await time.bounded(by: max(end - time.elapsed, .zero), otherwise: ApplyResult.unknown(.unanswered(site.id))) {
            await site.provider.setAutomation(
                change, of: site.component.target,
                ApplyRequest(component: site.component.name, intent: intent, revision: self.plan.revision))
        }
        switch answer {
        case .refused(let problem): return .failed(problem)
        case .throttled(let problem): return .undecided(problem)
        case .accepted, .alreadySo, .unknown: break
        }
        var pause = pace.firstPause
        while true {
            let observation = await observe(site, plan.resolutions[site.id], intent: nil, until: end)
            if let automation = observation.automation, automation.name == change.name, isTurned(automation) {
                try await append(.fence(.init(site.id, stages.after, fence)))
                return .succeeded("\(change.name) is \(automation.value)")
            }
            let left = end - time.elapsed
            guard left > .zero, !Task.isCancelled else { return .undecided(.notTurned(site.id, change)) }
            do { try await time.sleep(min(pause, left)) } catch { return .undecided(.notTurned(site.id, change)) }
            pause = pace.pause(after: pause)
        }
    }
}

extension Problem {
    fileprivate static func unanswered(_ resource: ResourceID) -> Problem {
        Problem("WriteTimedOut", "\(resource): the switch of its automation was not answered in time")
    }

    fileprivate static func notTurned(_ resource: ResourceID, _ change: FenceChange) -> Problem {
        Problem(
            "FenceNotSeen", "\(resource): \(change.name) was set to \(change.to), and that cannot be seen yet",
            next: "the next pass looks again")
    }
}
