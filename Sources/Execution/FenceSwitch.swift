import Model
import ProviderKit
import State

/// The switch of a provider's automation, turned under the lock of the system's state.
///
/// The previous value is durable before the request is sent, so that it can be brought back whatever happens in between.
struct FenceSwitch {
    let component: Component
    let provider: AnyProvider
    let session: any StateSession
    let time: PassTime
    let pace: Pace
    let now: @Sendable () -> Timestamp
    let newID: @Sendable () -> String
    /// For the provider's own records.
    let revision: Revision
    /// What the component's pin means; nil where nothing is known of it any more.
    let resolution: Resolution?
    /// Asked before a fence is put up: why it may not be, because nobody would take it down; nil when it may.
    var promise: () async -> Problem? = { nil }
    /// Looks at the component now.
    let observe: () async -> Observation

    private var id: ResourceID { component.id }

    /// Turns it and waits until it is seen to be turned. A fence comes down only if it has the value that was given to it.
    func turn(_ change: FenceChange, until end: Duration) async throws(StateError) -> Outcome {
        let before = await observe()
        if let problem = before.live.problem { return .undecided(problem) }
        guard let automation = before.automation, automation.name == change.name else {
            return .failed(Problem("NoSwitch", "\(id): there is no \(change.name) to switch any more", next: "plan anew"))
        }
        let present = await session.state.fences[id]
        let recorded = present.flatMap { $0.name == change.name && $0.stands(at: component.target) ? $0 : nil }
        // Of a target that the component had before: nothing here leads to it any more, so that it is told, once.
        let left = present.flatMap { recorded == nil ? $0 : nil }
        switch change.purpose {
        case .raise:
            let fence = Fence(
                name: change.name, previous: recorded?.previous ?? (change.from == change.to ? change.from : automation.value),
                set: change.to, target: component.target.text,
                provider: component.target.provider)
            if !automation.isOn {
                // Somebody else's choice: nothing of it is ours to take back.
                return .succeeded("\(change.name) is \(automation.value)")
            }
            if let problem = await promise() { return .undecided(problem) }
            let outcome = try await turn(change, fence, (.raising, .raised), until: end) { !$0.isOn }
            guard let left, case .succeeded(let how) = outcome else { return outcome }
            return .succeeded("\(how); \(left.remainder)")
        case .lower:
            guard let recorded else {
                guard let left else { return .succeeded("no fence is up") }
                try await append(.lowered, left)
                return .succeeded(left.remainder)
            }
            if automation.value == recorded.previous {
                try await append(.lowered, recorded)
                return .succeeded("\(change.name) is \(automation.value) already")
            }
            guard automation.value == recorded.set else {
                try await append(.lowered, recorded)
                return .succeeded("\(change.name) is \(automation.value), set by somebody else; it stays so")
            }
            return try await turn(change, recorded, (.lowering, .lowered), until: end) { $0.value == recorded.previous }
        }
    }

    private func turn(
        _ change: FenceChange, _ fence: Fence, _ stages: (before: JournalEntry.Fencing.Stage, after: JournalEntry.Fencing.Stage),
        until end: Duration, isTurned: (Automation) -> Bool
    ) async throws(StateError) -> Outcome {
        try await append(stages.before, fence)
        let intent = Intent(
            id: newID(), resource: id,
            route: Route(.redeploy, means: "switch \(change.name)", class: .instant, token: "", isIdempotent: true),
            resolution: resolution
                ?? Resolution(pin: component.release, identity: ArtifactIdentity(.deployment, ""), label: "", revision: revision),
            providerTime: nil, written: now())
        let (component, provider, revision) = (component, provider, revision)
        let answer = await time.bounded(by: max(end - time.elapsed, .zero), otherwise: ApplyResult.unknown(.unanswered(id))) {
            await provider.setAutomation(
                change, of: component.target, ApplyRequest(component: component.name, intent: intent, revision: revision))
        }
        switch answer {
        case .refused(let problem): return .failed(problem)
        case .throttled(let problem): return .undecided(problem)
        case .accepted, .alreadySo, .unknown: break
        }
        let seen = try await time.look(until: end, at: pace) { () async throws(StateError) -> Automation? in
            guard let automation = await observe().automation, automation.name == change.name, isTurned(automation) else { return nil }
            return automation
        }
        guard let seen else { return .undecided(.notTurned(id, change)) }
        try await append(stages.after, fence)
        return .succeeded("\(change.name) is \(seen.value)")
    }

    private func append(_ stage: JournalEntry.Fencing.Stage, _ fence: Fence) async throws(StateError) {
        try await session.append(.fence(.init(id, stage, fence)), at: now())
    }
}

extension Fence {
    /// What becomes of a fence at a target that the component had before.
    fileprivate var remainder: String {
        "its fence at the target that it had before (\(provider)) is left there: \(name) stays \(set); before, it was \(previous)"
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
