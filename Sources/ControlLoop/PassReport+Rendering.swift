import Execution
public import JSONValues
public import Model
import Planning
import Reporting
public import TextLayout

extension PassReport {
    /// The last lines of a pass: how it ended, why, and what to do next.
    public func text(_ style: TextStyle) -> String {
        var text = ""
        // A plan that was refused; what is blocked is among the problems anyway.
        if result == nil, verdict != .inSync, let plan = survey?.plan, !plan.steps.isEmpty {
            text += plan.text(colour: style.isColoured) + "\n"
        }
        text += mark(style) + " " + style.bold(system.description.printable) + ": " + headline + "\n"
        for problem in problems {
            text += "  \(problem.message.printable)\n"
            if let next = problem.next { text += "  " + style.cyan("→ \(next.printable)") + "\n" }
        }
        if let transition = openTransition {
            let owed = transition.obligations.map(\.description).sorted().joined(separator: ", ")
            text += "  the transition to \(transition.revision) stays open" + (owed.isEmpty ? "" : "; owed: \(owed)") + "\n"
            text += "  " + style.cyan("→ run it again to go on, or commit other pins") + "\n"
        }
        for drift in events.drifts { text += "  " + style.yellow("drift:") + " \(drift.sentence.printable)\n" }
        for fence in events.fences { text += "  \(fence.sentence.printable)\n" }
        for caution in events.cautions { text += "  " + style.dim("note: \(caution.printable)") + "\n" }
        // What was noted before something was changed may not hold any more.
        if result == nil, verdict == .inSync {
            for note in survey?.plan.notes ?? [] { text += "  " + style.dim("note: \(note.printable)") + "\n" }
        }
        return text
    }

    /// For a job summary or a comment.
    public var markdown: String {
        var text = "### \(system.description.markdownEscaped): \(headline.markdownEscaped)\n\n"
        for problem in problems { text += "- \(problem.description.markdownEscaped)\n" }
        if !problems.isEmpty { text += "\n" }
        let told = (result?.steps ?? []).filter {
            ($0.step.resource != nil || !$0.step.action.flagChanges.isEmpty) && $0.step.phase != .preflight
        }
        for entry in told {
            text += "- `\(entry.step.phase.rawValue)` \(entry.step.summary.markdownEscaped): \(entry.outcome.word)\n"
            for change in entry.step.action.flagChanges { text += "  - \(change.description.markdownEscaped)\n" }
        }
        if !told.isEmpty { text += "\n" }
        for line in events.lines { text += "- \(line.markdownEscaped)\n" }
        return events.lines.isEmpty ? text : text + "\n"
    }

    /// One item of `reconcile --once -o json`.
    public var json: JSON {
        let steps = (result?.steps ?? []).map { entry -> JSON in
            var json: JSON = [
                "id": .string(entry.step.id), "phase": .string(entry.step.phase.rawValue),
                "resource": .optional(entry.step.resource?.description), "summary": .string(entry.step.summary),
                "outcome": .string(entry.outcome.word), "message": .optional(entry.outcome.problem?.description),
            ]
            let flags = entry.step.action.flagChanges
            if !flags.isEmpty { json["flags"] = .array(flags.map { .string($0.description) }) }
            return json
        }
        return [
            "system": .string(system.description), "revision": .optional(survey?.revision.id),
            "verdict": .string(verdict == .inSync ? "converged" : verdict.rawValue),
            "exitCode": .integer(Int(verdict.exitStatus)), "steps": .array(steps),
            "problems": .array(
                problems.map { ["reason": .string($0.reason), "message": .string($0.message), "next": .optional($0.next)] }),
            "notes": .array(events.cautions.map(JSON.string)),
            "drifts": .array(events.drifts.map(\.json)),
            "fences": .array(
                events.fences.map { fence in
                    [
                        "component": .string(fence.component), "change": fence.purpose == .raise ? "up" : "down",
                        "name": .string(fence.name), "message": .string(fence.message),
                    ]
                }),
            "obligations": .array((openTransition?.obligations ?? []).map(\.description).sorted().map(JSON.string)),
        ]
    }

    /// How it ended, in a few words: `converged, 2 changes made`.
    public var headline: String {
        switch verdict {
        case .inSync:
            guard let result else { return "in sync, nothing to do" }
            let written = result.steps.filter { $0.step.action.isWrite }
            let count = Set(written.compactMap(\.step.resource)).count + written.reduce(0) { $0 + $1.step.action.flagChanges.count }
            return count == 0 ? "converged" : "converged, \(count) \(count == 1 ? "change" : "changes") made"
        case .failure: return again == .soon ? "not converged, something is still under way" : "failed"
        case .changes: return "changes pending"
        case .blocked:
            guard let result else { return "blocked, nothing was changed" }
            return result.verdict == .superseded ? "left to a newer revision" : "blocked; what could be done was done"
        }
    }

    private func mark(_ style: TextStyle) -> String {
        switch verdict {
        case .inSync: style.green("✔")
        case .failure: style.red("✘")
        case .changes, .blocked: style.yellow("■")
        }
    }
}

extension Outcome {
    /// How it is written in JSON: `succeeded`.
    public var word: String {
        switch self {
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .skipped: "skipped"
        case .superseded: "superseded"
        case .undecided: "undecided"
        }
    }
}
