public import Model

/// How carrying out a plan ended.
public struct PassResult: Sendable, Hashable {
    public struct Ended: Sendable, Hashable, Codable {
        public var step: Step
        public var outcome: Outcome

        public init(_ step: Step, _ outcome: Outcome) {
            self.step = step
            self.outcome = outcome
        }
    }

    public enum Verdict: String, Sendable, Codable {
        /// Every step succeeded and nothing was blocked.
        case converged
        /// Every step succeeded, and for some pin there was none: the plan's ``Plan/blocked`` says why.
        case blocked
        case superseded
        /// Nothing failed, and the end of something was not seen: the next pass reads the world back.
        case undecided
        case failed
    }

    /// Of every step of the plan, in the plan's order.
    public var steps: [Ended]
    public var verdict: Verdict
    /// What is recorded after the pass; its transition, when it is still open, says what is owed.
    public var state: RecordedState
    /// The longest time that a provider asked to be left alone for.
    public var retryAfter: Duration?

    init(_ plan: Plan, _ outcomes: [String: Outcome], state: RecordedState) {
        let steps = plan.steps.map { Ended($0, outcomes[$0.id] ?? .skipped("it was not begun")) }
        self.steps = steps
        self.state = state
        verdict = Self.verdict(of: steps.map(\.outcome), plan)
        retryAfter = steps.compactMap { $0.outcome.problem?.retryAfter }.max()
    }

    public func outcome(of id: String) -> Outcome? { steps.first { $0.step.id == id }?.outcome }

    /// What must still be done before the transition is closed.
    public var obligations: [Obligation] { state.transition?.obligations ?? [] }

    private static func verdict(of outcomes: [Outcome], _ plan: Plan) -> Verdict {
        var isUndecided = false
        var isSuperseded = false
        var isSkipped = false
        for outcome in outcomes {
            switch outcome {
            case .succeeded: continue
            case .failed: return .failed
            case .undecided: isUndecided = true
            case .superseded: isSuperseded = true
            case .skipped: isSkipped = true
            }
        }
        if isSuperseded { return .superseded }
        if isUndecided || isSkipped { return .undecided }
        return plan.blocked.isEmpty ? .converged : .blocked
    }
}

extension Outcome {
    /// What stood in the way, of a step that was begun.
    public var problem: Problem? {
        switch self {
        case .failed(let problem), .undecided(let problem): problem
        case .succeeded, .skipped, .superseded: nil
        }
    }
}
