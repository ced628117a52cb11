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

    /// Flags go on when everything that they belong to is there and has been checked; then the system's checks are run once more. Returns
    /// what comes next waits for.
    mutating func enable(after last: [String]) -> [String] {
        guard !draft.flags.on.isEmpty else { return last }
        steps.append(step(.enable, draft.flags.on, after: last))
        let checks = draft.survey.system.verify
        guard !checks.isEmpty else { return [Self.flags(.enable)] }
        steps.append(
            Step(
                id: Self.checksWithFlags, phase: .enable, action: .check, after: [Self.flags(.enable)],
                summary: "run the system's \(checks.count == 1 ? "check" : "\(checks.count) checks") once more, with the flags on",
                deadline: max(.seconds(60), checks.reduce(.zero) { $0 + $1.within })))
        return [Self.checksWithFlags]
    }

    private func step(_ phase: Phase, _ changes: [FlagChange], after: [String]) -> Step {
        let names = changes.map(\.name)
        let why = draft.flags.held
        return Step(
            id: Self.flags(phase), phase: phase, action: .set(changes), after: after,
            summary: "flags: \(phase == .disable ? "off or down" : "on"): \(Suggestions.list(names, limit: 5))",
            details: changes.map { change in change.description + (why[change.name].map { ": \($0)" } ?? "") }, deadline: .seconds(300))
    }

    private static let checksWithFlags = "enable/checks"
    private static func flags(_ phase: Phase) -> String { "\(phase.rawValue)/flags" }
}
