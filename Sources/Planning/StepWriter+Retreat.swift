import Model

extension StepWriter {
    mutating func retreat() {
        let leaving = subjects.filter { $0.direction == .retreat || $0.stops }
            .sorted { ($1.depth, $0.component.name) < ($0.depth, $1.component.name) }
        for subject in leaving {
            let waitsForSchema = isAwaitedLater(subject)
            if waitsForSchema, !subject.isWritten, !subject.hasDeparting { continue }
            var after = before(subject.id) + (subject.isWritten ? leavingDependents(of: subject.id) : [])
            if draft.flags.guarded.contains(subject.id), subject.isWritten { after += disabling }
            if subject.stops {
                steps.append(stop(subject, after: after))
            } else {
                var step = step(for: subject, .retreat, after: after)
                if waitsForSchema { step.gate = .departed }
                steps.append(step)
            }
        }
    }

    /// Dependents that must have left before `id` may: health is not asked of them, only that nothing departing runs any more.
    private func leavingDependents(of id: ResourceID) -> [String] {
        draft.dependents(of: id).filter { $0.blocked == nil && $0.leavesFirst }.map { Self.component(.retreat, $0.id) }
    }

    func leavers(before move: SchemaMove) -> [String] {
        subjects.filter { $0.leavesFirst && draft.compatibility(of: $0.component).concerns(move.database) }
            .map { Self.component(.retreat, $0.id) }
    }

    /// Retreat: nothing of the component runs while its schema moves; its own step in `advance` brings it back.
    private func stop(_ subject: Subject, after: [String]) -> Step {
        let name = subject.component.name
        var (summary, cautions) = ("\(name): stop until the schema has moved", [String]())
        if case .possible(let means, _, let more) = subject.observation.stoppage {
            summary += " (\(means))"
            cautions = more
        }
        let users = draft.survey.system.components.filter { $0.after.contains(subject.id) }.map(\.name).sorted()
        let outage = users.isEmpty ? [] : ["while it is stopped, nothing answers \(users.joined(separator: ", "))"]
        return Step(
            id: Self.component(.retreat, subject.id), phase: .retreat, resource: subject.id, action: .stop, after: after,
            class: .downtime, summary: summary, details: subject.reasons + outage + cautions.map { "caution: \($0)" },
            deadline: subject.component.timeout)
    }
}

extension Subject {
    /// True if a step in `retreat` takes its departing release away.
    fileprivate var leavesFirst: Bool {
        guard direction == .retreat || stops else { return false }
        return isWritten || hasDeparting
    }
}

extension Survey {
    /// Components that Belay has stopped and that the spec does not name any more: they stay so, and somebody should know.
    var abandonedStops: [String] {
        guard !recorded.stops.isEmpty else { return [] }
        let managed = Set(system.components.map(\.id))
        return recorded.stops.filter { !managed.contains($0.key) }.sorted { $0.key < $1.key }.map { id, stop in
            "\(id) is not in the spec any more, and Belay has stopped it (\(stop.means)); name it again to have it started, or start it by hand"
        }
    }
}
