import Model

/// Which steps of a plan may begin, given how others ended. What is asked of it after each step takes time linear in the steps of one phase.
struct Schedule {
    private enum State {
        case waiting, begun, succeeded
        /// Or was not begun.
        case failed
    }

    private(set) var outcomes: [String: Outcome] = [:]
    private let steps: [Step]
    /// Where each id stands among ``steps``.
    private let places: [String: Int]
    /// Of each step the places of those that it needs, ascending.
    private let needs: [[Int]]
    /// Of each step what it names and the plan does not have.
    private let missing: [[String]]
    private var states: [State]
    /// Places of the steps of a phase that were not begun, ascending.
    private var waiting: [Phase: [Int]] = [:]
    /// Places of the steps that have an outcome of which nobody was told.
    private var untold: [Int] = []

    init(_ plan: Plan) {
        steps = plan.steps
        let places = Dictionary(steps.indices.map { (plan.steps[$0].id, $0) }) { first, _ in first }
        self.places = places
        let found = Self.needs(in: plan, places)
        needs = found.map { $0.known.sorted() }
        missing = found.map(\.missing)
        states = steps.map { _ in .waiting }
        for index in steps.indices where places[steps[index].id] == index { waiting[steps[index].phase, default: []].append(index) }
    }

    /// Steps of a phase that may begin now; each is returned once. Those that never may, because of what they need, get their outcome.
    mutating func takeReady(in phase: Phase) -> [Step] {
        var ready: [Step] = []
        var hasSkipped = true
        while hasSkipped {
            hasSkipped = false
            for index in waiting[phase] ?? [] where states[index] == .waiting {
                if let failed = needs[index].first(where: { states[$0] == .failed }) {
                    end(steps[index].id, .skipped("\(steps[failed].id) did not succeed"))
                    hasSkipped = true
                } else if missing[index].isEmpty, needs[index].allSatisfy({ states[$0] == .succeeded }) {
                    states[index] = .begun
                    ready.append(steps[index])
                }
            }
        }
        waiting[phase]?.removeAll { states[$0] != .waiting }
        return ready
    }

    /// A step has ended, or is not begun.
    mutating func end(_ id: String, _ outcome: Outcome) {
        outcomes[id] = outcome
        guard let index = places[id] else { return }
        states[index] = outcome.isSuccess ? .succeeded : .failed
        untold.append(index)
    }

    /// Steps that wait for one another, or for a step that is not in the plan, never begin.
    mutating func skipRest(of phase: Phase) {
        for index in waiting[phase] ?? [] where states[index] == .waiting {
            let missing = missing[index] + needs[index].filter { outcomes[steps[$0].id] == nil }.map { steps[$0].id }
            end(steps[index].id, .skipped("it waits for \(missing.sorted().joined(separator: ", "))"))
        }
        waiting[phase] = nil
    }

    /// Steps that have an outcome without having been run; each is returned once.
    mutating func takeUnbegun() -> [(Step, Outcome)] {
        defer { untold = [] }
        return untold.sorted().compactMap { index in
            guard let outcome = outcomes[steps[index].id], outcome.isUnbegun else { return nil }
            return (steps[index], outcome)
        }
    }

    /// What a step names, and what no plan may leave out: nothing is written before the transition is open and the resource
    /// confirmed, and nothing is closed while anything else is undone.
    private static func needs(in plan: Plan, _ places: [String: Int]) -> [(known: Set<Int>, missing: [String])] {
        var opening: [Int] = []
        var confirming: [ResourceID?: [Int]] = [:]
        for (index, step) in plan.steps.enumerated() {
            switch step.action {
            case .open: opening.append(index)
            case .confirm: confirming[step.resource, default: []].append(index)
            default: break
            }
        }
        return plan.steps.enumerated().map { index, step in
            var known = Set(step.after.compactMap { places[$0] })
            if case .close = step.action { known.formUnion(plan.steps.indices) }
            if step.action.isWrite { known.formUnion(opening + (confirming[step.resource] ?? [])) }
            // One that names itself never begins; what no plan may leave out is never the step itself.
            if !step.after.contains(step.id) { known.remove(index) }
            return (known, Set(step.after).filter { places[$0] == nil }.sorted())
        }
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
