import Model

extension StepWriter {
    /// Before anything is written that an automation could undo.
    mutating func raiseFences() {
        for subject in subjects {
            guard let change = subject.fence else { continue }
            steps.append(fenceStep(change, of: subject.component, .guard, subject.observation.automation, after: before(subject.id)))
            // From now on, everything else of the component waits for it.
            fenced.insert(subject.id)
        }
        for repair in draft.fenceRepairs where repair.change.purpose == .raise && !fenced.contains(repair.component.id) {
            let automation = draft.survey.observed.components[repair.component.id]?.automation
            steps.append(fenceStep(repair.change, of: repair.component, .guard, automation, after: opens ? [Self.open] : []))
        }
    }

    /// Fences to their pinned state: some ways switch an automation on again, and what the spec does not fence any more gets it back.
    mutating func settleFences(after last: [String]) {
        let own = Dictionary(grouping: steps) { $0.resource }
        for subject in subjects {
            guard let change = subject.keptFence else { continue }
            let written = (own[subject.id] ?? []).filter { $0.phase > .guard }.map(\.id)
            steps.append(fenceStep(change, of: subject.component, .finish, nil, after: written.isEmpty ? last : written))
        }
        for repair in draft.fenceRepairs where repair.change.purpose == .lower {
            let after = (own[repair.component.id] ?? []).map(\.id)
            steps.append(fenceStep(repair.change, of: repair.component, .finish, nil, after: after))
        }
    }

    private func fenceStep(
        _ change: FenceChange, of component: Component, _ phase: Phase, _ automation: Automation?, after: [String]
    ) -> Step {
        let summary =
            switch (change.purpose, phase) {
            case (.raise, .guard): "\(component.name): fence: switch \(change.name) off (\(change.from) to \(change.to))"
            case (.raise, _): "\(component.name): fence: see that \(change.name) is \(change.to)"
            case (.lower, _): "\(component.name): take the fence down: bring \(change.name) back to \(change.to)"
            }
        return Step(
            id: "\(phase.rawValue)/\(component.id)/fence", phase: phase, resource: component.id, action: .fence(change), after: after,
            summary: summary, details: automation.map { ["it \($0.summary)"] } ?? [], deadline: .seconds(120))
    }
}
