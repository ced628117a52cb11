import Model

/// Takes configuration values out of what a vendor says: an error may repeat what it was sent.
struct Redaction {
    private let values: [String]

    /// Short values are left: they would be found everywhere, and hide nothing. A literal of the spec is no secret, and may be longer.
    init?(_ configuration: DesiredConfiguration?) {
        guard let configuration else { return nil }
        // The longest first, so that no rest of a value stays.
        var found: Set<String> = []
        for value in configuration.values.values where value.secret.reveal().utf8.count >= (value.isReference ? 4 : 8) {
            found.insert(value.secret.reveal())
            // A vendor's words are shown on one line and not to their end: of a value of several words, a part may be left.
            guard value.isReference else { continue }
            let words = value.secret.reveal().split(whereSeparator: \.isWhitespace).map { APIError.visible($0) }
            found.insert(words.joined(separator: " "))
            found.formUnion(words.filter { $0.utf8.count >= 8 })
        }
        values = found.filter { $0.utf8.count >= 4 }.sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
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

    /// Its token and part stay what they are: the provider reads them back, and they hold no values.
    func callAsFunction(_ route: Route) -> Route {
        var route = route
        route.cautions = route.cautions.map(self.callAsFunction)
        route.refusal = route.refusal.map(self.callAsFunction)
        return route
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
        observation.operation = observation.operation.map { Operation(summary: self($0.summary), leadsTo: $0.leadsTo) }
        observation.cause = observation.cause.map(self.callAsFunction)
        observation.configuration = observation.configuration.map { configuration in
            var configuration = configuration
            configuration.problem = configuration.problem.map(self.callAsFunction)
            configuration.route = configuration.route.map(self.callAsFunction)
            return configuration
        }
        observation.candidates = observation.candidates.map { candidate in
            var candidate = candidate
            candidate.gone = candidate.gone.map(self.callAsFunction)
            candidate.routes = candidate.routes.map(self.callAsFunction)
            return candidate
        }
        if case .impossible(let problem) = observation.stoppage { observation.stoppage = .impossible(self(problem)) }
        observation.notes = observation.notes.map(self.callAsFunction)
        return observation
    }
}
