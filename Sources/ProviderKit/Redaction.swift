import Model

/// Takes configuration values out of what a vendor says: an error may repeat what it was sent.
struct Redaction {
    private let values: [String]

    /// Short values are left: they would be found everywhere, and hide nothing. A literal of the spec is no secret, and may be longer.
    init?(_ configuration: DesiredConfiguration?) {
        guard let configuration else { return nil }
        // The longest first, so that no rest of a value stays.
        values = configuration.values.values.filter { $0.secret.reveal().utf8.count >= ($0.isReference ? 4 : 8) }
            .map { $0.secret.reveal() }.sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
        if values.isEmpty { return nil }
    }

    func callAsFunction(_ text: String) -> String {
        values.reduce(text) { $0.replacing($1, with: "(value)") }
    }

    func callAsFunction(_ problem: Problem) -> Problem {
        var problem = problem
        problem.message = self(problem.message)
        problem.next = problem.next.map(self.callAsFunction)
        return problem
    }

    func callAsFunction(_ result: ApplyResult) -> ApplyResult {
        switch result {
        case .accepted(let facts, let configuration): .accepted(facts.mapValues(self.callAsFunction), configuration: configuration)
        case .alreadySo: .alreadySo
        case .refused(let problem): .refused(self(problem))
        case .throttled(let problem): .throttled(self(problem))
        case .unknown(let problem): .unknown(self(problem))
        }
    }

    /// Of what a vendor's error can have got into; releases and settings hold no values.
    func callAsFunction(_ observation: Observation) -> Observation {
        var observation = observation
        if case .unknown(let problem) = observation.live { observation.live = .unknown(self(problem)) }
        switch observation.settlement {
        case .failed(let problem): observation.settlement = .failed(self(problem))
        case .unknown(let problem): observation.settlement = .unknown(self(problem))
        case .progressing(let text): observation.settlement = .progressing(self(text))
        case .settled: break
        }
        switch observation.fate {
        case .failed(let problem): observation.fate = .failed(self(problem))
        case .undecided(let text): observation.fate = .undecided(self(text))
        case .tookEffect, .inFlight, .void, nil: break
        }
        observation.blocker = observation.blocker.map(self.callAsFunction)
        observation.notes = observation.notes.map(self.callAsFunction)
        return observation
    }
}
