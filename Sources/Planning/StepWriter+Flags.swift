import Model

extension StepWriter {
    /// Flags go off before what they belong to leaves.
    mutating func disable() {
        guard !draft.flags.off.isEmpty else { return }
        steps.append(step(.disable, draft.flags.off, after: opens ? [Self.open] : []))
        disabling = [Self.flags(.disable)]
    }

    /// What a schema waits for whose flags go off.
    func disabled(before move: SchemaMove) -> [String] { draft.flags.guardedSchemas.contains(move.id) ? disabling : [] }

    /// Flags go on when everything that they belong to is there and has been checked. Returns what comes next waits for.
    mutating func enable(after last: [String]) -> [String] {
        guard !draft.flags.on.isEmpty else { return last }
        steps.append(step(.enable, draft.flags.on, after: last))
        return [Self.flags(.enable)]
    }

    private func step(_ phase: Phase, _ changes: [FlagChange], after: [String]) -> Step {
        let names = changes.map(\.name)
        return Step(
            id: Self.flags(phase), phase: phase, action: .set(changes), after: after,
            summary: "flags: \(phase == .disable ? "off or down" : "on"): \(Suggestions.list(names, limit: 5))",
            details: changes.map { change in
                let why = draft.flags.held[change.name].map { ": \($0)" } ?? ""
                return "\(change.name): from \(change.from?.description ?? "not there") to \(change.to)\(why)"
            }, deadline: .seconds(120))
    }

    private static func flags(_ phase: Phase) -> String { "\(phase.rawValue)/flags" }
}
