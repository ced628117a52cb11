public import Execution
import Model
import Planning
public import TextLayout

/// Turns what happens during a pass into lines for people: live on a terminal, one plain line per event elsewhere.
public struct ProgressText: Sendable {
    private let style: TextStyle
    private var isLive: Bool
    /// Before every line, when several systems report at once: `default/shop: `.
    private let prefix: String
    /// What is under way, in the order in which it began: redrawn at the bottom of a live display.
    private var running: [(id: String, text: String, detail: String)] = []
    private var drawn: [String] = []

    /// - Parameter isLive: the output is a terminal, and only this text is written to it.
    public init(style: TextStyle, isLive: Bool, prefix: String = "") {
        self.style = style
        self.isLive = isLive
        self.prefix = prefix
    }

    /// What to write for an event, empty when nothing changes. On a live display it takes the lines back that it drew before.
    public mutating func text(for event: ExecutionEvent) -> String {
        var lines: [String] = []
        switch event {
        case .phaseEntered: break
        case .notice(let resource, let text): lines.append(style.dim("\(resource): \(text)".printable))
        case .drifted(let drift): lines.append(style.yellow("!") + " " + drift.sentence.printable)
        case .stepStarted(let step):
            guard step.isTold else { break }
            running.append((step.id, step.summary.printable, ""))
            if !isLive { lines.append(style.dim("…") + " " + line(step, step.summary.printable)) }
        case .stepProgress(let step, let detail):
            guard let index = running.firstIndex(where: { $0.id == step.id }), running[index].detail != detail.printable else { break }
            running[index].detail = detail.printable
            if !isLive {
                lines.append(style.dim("…") + " " + line(step, style.dim("\(step.resource?.name ?? "system"): \(detail.printable)")))
            }
        case .stepEnded(let step, let outcome):
            running.removeAll { $0.id == step.id }
            guard step.isTold || outcome.problem != nil else { break }
            lines.append(ended(step, outcome))
        }
        guard isLive else { return lines.map { prefix + $0 + "\n" }.joined() }
        return redraw(below: lines)
    }

    /// From now on one plain line per event, and what is drawn stays: somebody else is about to write below it.
    public mutating func endLiveDisplay() { isLive = false }

    private mutating func redraw(below lines: [String]) -> String {
        let before = drawn
        drawn = running.map { entry in
            style.cyan("▸") + " " + (entry.text + (entry.detail.isEmpty ? "" : ": " + entry.detail)).shortened(to: 110)
        }
        guard !lines.isEmpty || drawn != before else { return "" }
        let back = before.isEmpty ? "" : "\u{1B}[\(before.count)A\u{1B}[J"
        func text(_ lines: [String]) -> String { lines.map { prefix + $0 + "\n" }.joined() }
        // Without wrapping (DECAWM off), so that each line is one row and the way back up is as long as counted, in a narrow terminal too.
        return back + text(lines) + (drawn.isEmpty ? "" : "\u{1B}[?7l" + text(drawn) + "\u{1B}[?7h")
    }

    private func line(_ step: Step, _ text: String) -> String { style.dim("[\(step.phase.rawValue)]") + " " + text }

    private func ended(_ step: Step, _ outcome: Outcome) -> String {
        let summary = step.summary.printable
        switch outcome {
        case .succeeded(let text):
            return style.green("✔") + " " + line(step, summary + (text.isEmpty ? "" : style.dim(": \(text.printable)")))
        case .failed(let problem): return style.red("✘") + " " + line(step, "\(summary): \(style.red(problem.description.printable))")
        case .skipped(let reason): return style.dim("–") + " " + line(step, style.dim("\(summary): not begun: \(reason.printable)"))
        case .superseded: return style.dim("–") + " " + line(step, style.dim("\(summary): left to a newer revision"))
        case .undecided(let problem):
            return style.yellow("?") + " " + line(step, "\(summary): \(style.yellow(problem.description.printable))")
        }
    }
}

extension Step {
    /// Bookkeeping is told only when it fails.
    fileprivate var isTold: Bool {
        switch action {
        case .confirm, .open, .close: false
        case .release, .await, .check, .fence, .backUp, .migrate, .set, .stop: true
        }
    }
}
