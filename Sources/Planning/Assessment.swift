import Model

extension Survey {
    /// Compares one component with its pin. Nil: in place, nothing to do and nothing to say.
    func assess(_ component: Component, _ id: ResourceID, _ observation: Observation, _ meaning: Meaning) -> Subject? {
        func blocked(_ kind: Blocked.Kind, _ problem: Problem) -> Subject {
            Subject(component, observation, meaning.resolution, blocked: Blocked(id, kind, problem))
        }
        func needed(_ need: Subject.Need) -> Subject {
            Subject(component, observation, meaning.resolution, need: need)
        }

        if let problem = observation.live.problem { return blocked(.failure, problem) }
        guard let resolution = meaning.resolution else { return blocked(.failure, meaning.problem(component, observation)) }
        if let intent = recorded.openIntent(of: component) {
            switch observation.fate {
            case .tookEffect, .failed, .void: break
            case .inFlight where resolution.isSameArtifact(as: intent.resolution):
                return needed(.adopt(resolution, "\(intent.route.means) was sent and is under way"))
            case .inFlight: return blocked(.waiting, .elsewhere(id, "\(intent.route.means) to \(intent.resolution.label)"))
            case .undecided(let trace): return blocked(.waiting, .lostAnswer(id, intent, trace))
            case nil: return blocked(.waiting, .lostAnswer(id, intent, "the provider has not told what became of it"))
            }
        }
        if let problem = observation.configuration?.problem { return blocked(.failure, problem) }
        if let operation = observation.operation {
            let leads = operation.leadsTo.contains { $0 == resolution.identity || resolution.lineage.contains($0) }
            return leads
                ? needed(.adopt(resolution, operation.summary)) : blocked(.waiting, .elsewhere(id, operation.summary))
        }
        let declared = observation.live.declared
        if let declared, declared.matches(resolution), let start = observation.stoppage?.start {
            if let blocker = observation.blocker { return blocked(.decision, blocker) }
            if let refusal = start.refusal { return blocked(.decision, refusal) }
            return needed(.change(ReleaseChange(from: declared, to: declared, resolution: resolution, route: start)))
        }
        if let declared, declared.matches(resolution) {
            switch observation.settlement {
            case .settled, .failed:
                if let subject = reconfigured(component, id, observation, declared, resolution) { return subject }
            case .progressing, .unknown: break
            }
            switch observation.settlement {
            case .settled: return nil
            case .progressing(let progress): return needed(.settle(resolution, progress))
            case .failed(let problem): return needed(.settle(resolution, problem.description))
            case .unknown(let problem): return needed(.settle(resolution, "its state is unknown: \(problem.message)"))
            }
        }
        if let blocker = observation.blocker { return blocked(.decision, blocker) }
        switch chooseRoute(to: resolution, of: id, among: observation.candidates, records: recorded.releases[id] ?? []) {
        case .way(let release, let route):
            return needed(.change(ReleaseChange(from: declared, to: release, resolution: resolution, route: route)))
        case .none(let problem):
            return blocked(.decision, problem)
        }
    }
}

extension Survey {
    /// The pin is in place, and its configuration may not be as desired. Nil when it is.
    private func reconfigured(
        _ component: Component, _ id: ResourceID, _ observation: Observation, _ declared: Release, _ resolution: Resolution
    ) -> Subject? {
        guard let configuration = observation.configuration, !configuration.differences.isEmpty else { return nil }
        func blocked(_ problem: Problem) -> Subject {
            Subject(component, observation, resolution, blocked: Blocked(id, .decision, problem))
        }
        if let blocker = observation.blocker { return blocked(blocker) }
        guard let route = configuration.route else { return blocked(.unconfigurable(id, configuration.differences)) }
        if let refusal = route.refusal { return blocked(refusal) }
        return Subject(
            component, observation, resolution,
            need: .change(ReleaseChange(from: declared, to: declared, resolution: resolution, route: route)))
    }
}

extension Problem {
    fileprivate static func unconfigurable(_ resource: ResourceID, _ differences: [ConfigurationDifference]) -> Problem {
        Problem(
            "ConfigurationDiffers",
            "\(resource): \(differences.map(\.key).joined(separator: ", ")) cannot be set for the release that runs",
            next: "pin a release that can take it, or take the keys out of env")
    }

    fileprivate static func lostAnswer(_ resource: ResourceID, _ intent: Intent, _ trace: String) -> Problem {
        Problem(
            "AnswerLost",
            "\(resource): the answer to \(intent.route.means) to \(intent.resolution.label) was lost, and it may still take effect: \(trace)",
            next: "run again in a while; nothing is sent a second time until the provider shows what became of it")
    }

    fileprivate static func elsewhere(_ resource: ResourceID, _ operation: String) -> Problem {
        Problem(
            "OperationInFlight", "\(resource): an operation that does not lead to the pin is under way: \(operation)",
            next: "run again when it has ended, or cancel it at the provider")
    }
}
