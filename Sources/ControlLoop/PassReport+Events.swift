import Execution
import Model
import Planning

/// What happened that is told beside the verdict: in one pass, or in several of one run.
struct PassEvents: Sendable, Hashable {
    /// A switch of an automation that was turned.
    struct FenceTurn: Sendable, Hashable {
        var component: String
        var purpose: FenceChange.Purpose
        var name: String
        /// For people: `autoDeploy is off (was commit)`.
        var message: String

        /// `fence up: api: autoDeploy is off (was commit)`.
        var sentence: String { "fence \(purpose == .raise ? "up" : "down"): \(component): \(message)" }
    }

    /// Told in the pass that found them first.
    var drifts: [Drift] = []
    var fences: [FenceTurn] = []
    /// What came with the writes that were made: `web: switches automatic assignment of domains off`.
    var cautions: [String] = []

    init() {}

    init(_ survey: Survey, _ result: PassResult?) {
        drifts = survey.plan.drifts.filter { survey.recorded.drifts[$0.resource]?.identity != $0.identity }
        guard let result else { return }
        for entry in result.steps {
            guard let resource = entry.step.resource, case .succeeded(let text) = entry.outcome else { continue }
            switch entry.step.action {
            case .release(let change): cautions += change.route.cautions.map { "\(resource.name): \($0)" }
            case .fence(let change):
                let (before, after) = (survey.recorded.fences[resource], result.state.fences[resource])
                let message: String
                switch change.purpose {
                case .raise:
                    // A fence that was up all along is only looked at again in `finish`.
                    guard let after, before == nil || entry.step.phase == .guard, !fences.contains(where: { $0.component == resource.name })
                    else { continue }
                    message = "\(after.name) is \(after.set) (was \(after.previous))"
                case .lower:
                    guard before != nil, after == nil else { continue }
                    message = text
                }
                fences.append(FenceTurn(component: resource.name, purpose: change.purpose, name: change.name, message: message))
            case .confirm, .open, .await, .check, .backUp, .migrate, .set, .stop, .close: break
            }
        }
    }

    /// These, and what happened after them; what is the same is told once.
    func followed(by later: PassEvents) -> PassEvents {
        var all = self
        all.drifts += later.drifts.filter { !drifts.contains($0) }
        all.fences += later.fences.filter { !fences.contains($0) }
        all.cautions += later.cautions.filter { !cautions.contains($0) }
        return all
    }

    /// Every one as a line, the most important first.
    var lines: [String] { drifts.map { "drift: \($0.sentence)" } + fences.map(\.sentence) + cautions.map { "note: \($0)" } }
}
