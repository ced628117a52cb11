import Model

/// Which steps of a plan may begin, given how others ended.
struct Schedule {
    var outcomes: [String: Outcome] = [:]
    private let plan: Plan
    private let needs: [String: Set<String>]
    private var begun: Set<String> = []
    private var told: Set<String> = []

    init(_ plan: Plan) {
        self.plan = plan
        needs = Dictionary(plan.steps.map { ($0.id, Self.needs(of: $0, in: plan)) }) { first, _ in first }
    }

    /// Steps of a phase that may begin now; each is returned once. Those that never may, because of what they need, get their outcome.
    mutating func takeReady(in phase: Phase) -> [Step] {
        var ready: [Step] = []
        var hasSkipped = true
        while hasSkipped {
            hasSkipped = false
            for step in plan.steps(in: phase) where outcomes[step.id] == nil && !begun.contains(step.id) {
                let needs = needs[step.id] ?? []
                if let failed = plan.steps.first(where: { needs.contains($0.id) && outcomes[$0.id].map(\.isSuccess) == false }) {
                    outcomes[step.id] = .skipped("\(failed.id) did not succeed")
                    hasSkipped = true
                } else if needs.allSatisfy({ outcomes[$0]?.isSuccess == true }) {
                    begun.insert(step.id)
                    ready.append(step)
                }
            }
        }
        return ready
    }

    /// Steps that wait for one another, or for a step that is not in the plan, never begin.
    mutating func skipRest(of phase: Phase) {
        for step in plan.steps(in: phase) where outcomes[step.id] == nil {
            let missing = (needs[step.id] ?? []).filter { outcomes[$0] == nil }.sorted()
            outcomes[step.id] = .skipped("it waits for \(missing.joined(separator: ", "))")
        }
    }

    /// Steps that have an outcome without having been run; each is returned once.
    mutating func takeUnbegun() -> [(Step, Outcome)] {
        plan.steps.compactMap { step in
            guard let outcome = outcomes[step.id], told.insert(step.id).inserted else { return nil }
            return outcome.isUnbegun ? (step, outcome) : nil
        }
    }

    /// What a step names, and what no plan may leave out: nothing is written before the transition is open and the resource
    /// confirmed, and nothing is closed while anything else is undone.
    private static func needs(of step: Step, in plan: Plan) -> Set<String> {
        var needs = Set(step.after)
        for other in plan.steps where other.id != step.id {
            switch (step.action, other.action) {
            case (.close, _): needs.insert(other.id)
            case (_, .open) where step.action.isWrite: needs.insert(other.id)
            case (_, .confirm) where step.action.isWrite && other.resource == step.resource: needs.insert(other.id)
            default: break
            }
        }
        return needs
    }
}

extension Outcome {
    fileprivate var isUnbegun: Bool {
        switch self {
        case .skipped, .superseded: true
        case .succeeded, .failed, .undecided: false
        }
    }
}
