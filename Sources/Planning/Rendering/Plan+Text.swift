public import Model
import TextLayout

extension Plan {
    /// The plan for people: phases that have steps, each step with its class, what is blocked with what to do next, a closing line.
    ///
    /// Ends with a newline. Text from providers is stripped of control characters.
    public func text(colour: Bool) -> String {
        let style = TextStyle(isColoured: colour)
        var text = style.bold("Plan for \(system) at \(revision)".printable) + "\n"
        for drift in drifts { text += style.yellow("drift: ") + drift.sentence.printable + "\n" }
        text += phases(style) + blockedLines(style) + noteLines(style)
        text += "\n" + style.bold(closingLine) + "\n"
        if let refusal {
            text += style.yellow("Refused: ") + refusal.message.printable + "\n"
            if let next = refusal.next { text += style.cyan("→ \(next.printable)") + "\n" }
        }
        return text
    }

    /// `Plan: 3 changes, 1 blocked.`
    public var closingLine: String {
        if isInSync { return "Plan: in sync, nothing to do." }
        let changes = changeCount
        let waits = steps.count {
            if case .await = $0.action { return true }
            return false
        }
        let checks = steps.count { $0.action == .check }
        var parts: [String] = []
        if changes > 0 { parts.append(changes == 1 ? "1 change" : "\(changes) changes") }
        if waits > 0 { parts.append("\(waits) to wait for") }
        if changes == 0, checks > 0 { parts.append("\(checks) to check") }
        if !blocked.isEmpty { parts.append("\(blocked.count) blocked") }
        if parts.isEmpty { parts.append("a transition to close") }
        return "Plan: \(parts.joined(separator: ", "))."
    }

    /// Components, databases and flags that it writes to.
    public var changeCount: Int {
        let flags = steps.reduce(0) { count, step in
            guard case .set(let changes) = step.action else { return count }
            return count + changes.count
        }
        return Set(steps.filter(\.action.isWrite).compactMap(\.resource)).count + flags
    }

    private func phases(_ style: TextStyle) -> String {
        let width = steps.map { $0.summary.printable.count }.max() ?? 0
        var text = ""
        for phase in Phase.allCases {
            let own = steps(in: phase)
            guard !own.isEmpty else { continue }
            let number = String(phase.position)
            text += "\n" + String(repeating: " ", count: 2 - number.count) + style.bold("\(number) \(phase.rawValue)") + "\n"
            for step in own {
                let summary = step.summary.printable
                text += "     " + summary
                if step.action.isWrite {
                    text += String(repeating: " ", count: width - summary.count + 2) + step.class.mark(style)
                }
                text += "\n"
                for line in step.lines { text += "       " + style.dim(line.printable) + "\n" }
            }
        }
        return text
    }

    private func blockedLines(_ style: TextStyle) -> String {
        guard !blocked.isEmpty else { return "" }
        var text = "\n" + style.bold("   blocked") + "\n"
        for one in blocked {
            text += "     " + one.resource.description.printable + "  " + one.kind.mark(style) + "\n"
            text += "       " + one.problem.message.printable + "\n"
            if let next = one.problem.next { text += "       " + style.cyan("next: \(next.printable)") + "\n" }
        }
        return text
    }

    private func noteLines(_ style: TextStyle) -> String {
        guard !notes.isEmpty else { return "" }
        return "\n" + style.bold("   notes") + "\n" + notes.map { "     " + $0.printable + "\n" }.joined()
    }
}

extension Step {
    /// What stands below the summary.
    var lines: [String] {
        guard case .release(let change) = action, change.route.part != nil else { return details }
        return details + ["in several writes, each observed before the next; after an interruption the next pass goes on with what is left"]
    }
}

extension StepClass {
    fileprivate func mark(_ style: TextStyle) -> String {
        switch self {
        case .instant: style.green(rawValue)
        case .minutes: style.yellow(rawValue)
        case .downtime, .dataLoss: style.red(rawValue)
        }
    }
}

extension Blocked.Kind {
    fileprivate func mark(_ style: TextStyle) -> String {
        switch self {
        case .failure: style.red(rawValue)
        case .decision: style.yellow(rawValue)
        case .dependency, .waiting: style.cyan(rawValue)
        }
    }
}
