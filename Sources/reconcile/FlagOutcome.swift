import ControlLoop
import JSONValues
import Model
import Planning
import ProviderKit
import Reporting
import TextLayout

/// What became of an order about a flag: in the store, and in the spec.
struct FlagOutcome: Sendable {
    var system: SystemID
    /// As it was pinned.
    var flag: FeatureFlag
    /// As it is to be pinned.
    var new: FeatureFlag
    var word: FlagWord
    /// Nil where only the spec was to change.
    var report: FlagReport?
    /// Nil where the spec says it already, and where it is left alone.
    var change: Result<ChangeResult, ChangeRefusal>?

    /// True where the spec says something else and is left alone, because the store was not set.
    private var leavesSpec: Bool { change == nil && report.map { $0.verdict != .inSync } == true && new != flag }

    /// What the spec says where nothing was to change.
    private var specLine: String {
        leavesSpec ? "the spec was not changed either: it says \(flag.pinText)" : "the spec says \(new.pinText) already"
    }

    /// The worst of both.
    var verdict: Verdict {
        let spec: Verdict =
            switch change {
            case nil: .inSync
            case .success(let result): result.verdict
            case .failure(let refusal): refusal.verdict
            }
        return max(report?.verdict ?? .inSync, spec)
    }

    /// What somebody has to commit, because it could not be written; nil when nothing has.
    var left: String? {
        // What would not load is nothing to commit.
        guard case .failure(let refusal) = change, !refusal.isUnloadable else { return nil }
        let values = [
            "enabled: \(new.setting.isOn)", new.setting.rollout.map { "rollout: \($0)" }, new.setting.variant.map { "variant: \($0)" },
            new.kill.map { "kill: \($0)" },
        ]
        return "spec.flags.values.\(flag.name): {\(values.compactMap(\.self).joined(separator: ", "))}"
    }

    /// What was done in the store and what follows for applications, a line each.
    var storeLines: [String] {
        guard let report else { return [] }
        var lines: [String] = []
        let was = report.before?.description ?? FlagOutcome.absent
        if let problem = report.problem {
            lines.append("\(flag.name): not set in \(report.store): \(problem.description)")
            if report.after != nil, report.after == report.before {
                lines.append("it is \(report.after?.description ?? "unknown"), as before")
            }
        }
        if report.problem == nil || report.after != nil && report.after != report.before {
            lines.append("\(flag.name): \(report.after?.description ?? "unknown") in \(report.store) now (was \(was))")
            if let promise = report.promise {
                if report.after?.isOn == false { lines.append("applications are served: \(promise.killSemantics)") }
                let seconds = promise.propagation.components.seconds
                if seconds > 0 { lines.append("they may see the old value for \(seconds) s") }
            }
        }
        if !report.isRecorded { lines.append("nothing is recorded of it") }
        return lines
    }

    /// What becomes of the flag in the next passes.
    var nextLine: String? {
        guard report != nil, report?.problem == nil else { return nil }
        if let left { return "commit this, or the flag is told as killed by hand, and stays off: \(left)" }
        if case .success(let result) = change, result.isWritten, result.pushed == nil {
            return word.switchesOn
                ? "\(result.commit == nil ? "commit and push" : "push") it: a pass over the old spec sets the flag back"
                : "\(result.commit == nil ? "commit and push" : "push") it; until then the flag is told as killed by hand, and stays off"
        }
        return nil
    }

    private static let absent = "not there, or without a value of its own"
}

extension FlagOutcome {
    func text(_ style: TextStyle) -> String {
        var text = ""
        for (index, line) in storeLines.enumerated() { text += (index == 0 ? style.bold(line.printable) : "  " + line.printable) + "\n" }
        switch change {
        case .success(let result): text += result.text(style)
        case .failure(let refusal):
            let lines = refusal.message.split(whereSeparator: \.isNewline).map { String($0).printable }
            text += "the spec was not changed: \(lines.joined(separator: "\n  "))\n"
        case nil: text += "\(specLine)\n"
        }
        if change == nil, report == nil, word.switchesOn {
            text += "  " + style.cyan("→ if it was killed by hand since, add --now") + "\n"
        }
        if report == nil, let left { text += "  " + style.cyan("→ commit this: \(left)") + "\n" }
        if let nextLine { text += "  " + style.cyan("→ \(nextLine)") + "\n" }
        return text
    }

    var markdown: String {
        var text = "### \(system.description.markdownEscaped): flag \(flag.name.markdownEscaped)\n\n"
        for line in storeLines { text += "- \(line.markdownEscaped)\n" }
        if case .failure(let refusal) = change { text += "- the spec was not changed: \(refusal.message.markdownEscaped)\n" }
        if change == nil { text += "- \(specLine.markdownEscaped)\n" }
        if let line = nextLine { text += "- next: \(line.markdownEscaped)\n" }
        text += "\n"
        if case .success(let result) = change { text += result.markdown }
        return text
    }

    /// `{"kind": "FlagChange", …}`: what became of it in the store and in the spec.
    var json: JSON {
        var spec: JSON = .null
        var problem: JSON = .null
        switch change {
        case .success(let result): spec = result.json
        case .failure(let refusal): problem = .string(refusal.message)
        case nil: break
        }
        return [
            "apiVersion": "belay.dev/v1alpha1", "kind": "FlagChange", "system": .string(system.description), "flag": .string(flag.name),
            "pinned": .string(new.pinText), "store": report.map(\.json) ?? .null, "spec": spec, "specProblem": problem,
            "toCommit": .optional(left), "exitCode": .integer(Int(verdict.exitStatus)),
        ]
    }
}

extension FlagReport {
    fileprivate var json: JSON {
        [
            "name": .string(store), "before": .optional(before?.description), "after": .optional(after?.description),
            "recorded": .bool(isRecorded), "propagationSeconds": promise.map { .integer(Int($0.propagation.components.seconds)) } ?? .null,
            "served": .optional(after?.isOn == false ? promise?.killSemantics : nil),
            "problem": problem.map { ["reason": .string($0.reason), "message": .string($0.message), "next": .optional($0.next)] } ?? .null,
        ]
    }
}

extension Program {
    /// Prints what became of an order, and returns its verdict.
    func show(_ outcome: FlagOutcome, _ form: OutputForm) -> Verdict {
        switch form {
        case .text: output.result(outcome.text(output.style))
        case .markdown: output.result(outcome.markdown)
        case .json: output.result(outcome.json)
        }
        return outcome.verdict
    }
}
