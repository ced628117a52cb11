public import JSONValues
import Model
import Planning
import Reporting
public import TextLayout

extension ForgetReport {
    /// How it ended, why, and what to do next.
    public func text(_ style: TextStyle) -> String {
        let mark =
            switch verdict {
            case .inSync: style.green("✔")
            case .failure: style.red("✘")
            case .changes, .blocked: style.yellow("■")
            }
        var text = "\(mark) \(style.bold(system.description.printable)): \(headline.printable)\n"
        for line in done { text += "  \(line.printable)\n" }
        if let problem {
            text += "  \(problem.message.printable)\n"
            if let next = problem.next { text += "  " + style.cyan("→ \(next.printable)") + "\n" }
        }
        return text
    }

    /// For a job summary or a comment.
    public var markdown: String {
        var text = "### \(system.description.markdownEscaped): \(headline.markdownEscaped)\n\n"
        for line in done + [problem?.description].compactMap(\.self) { text += "- \(line.markdownEscaped)\n" }
        return text + "\n"
    }

    /// One item of `reconcile forget -o json`.
    public var json: JSON {
        [
            "system": .string(system.description), "component": .string(component), "forgotten": .bool(verdict == .inSync),
            "exitCode": .integer(Int(verdict.exitStatus)), "done": .array(done.map(JSON.string)),
            "problem": problem.map {
                ["reason": .string($0.reason), "message": .string($0.message), "next": .optional($0.next)]
            } ?? .null,
        ]
    }

    private var headline: String {
        switch verdict {
        case .inSync: "component/\(component) is forgotten; what runs was left as it is"
        case .failure: "component/\(component) could not be forgotten"
        case .changes, .blocked: "component/\(component) was not forgotten"
        }
    }
}
