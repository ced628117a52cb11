import JSONValues
import Model
import Reporting
import SpecEditing
import TextLayout

extension ChangeResult {
    func text(_ style: TextStyle) -> String {
        if let output { return output }
        guard isChanged else { return "\(file): \(items.map(\.alreadySo).joined(separator: ", ")); nothing was changed\n" }
        var text = ""
        for item in items {
            text += "\(style.bold(item.name.printable)): \((item.from ?? "nothing").printable) → \((item.to ?? "nothing").printable)\n"
        }
        text += difference.text(style)
        for line in outcome { text += "\(line)\n" }
        return text
    }

    var markdown: String {
        if let output { return output }
        var text = "### \(system.description.markdownEscaped)\n\n"
        guard isChanged else { return text + items.map { "- \($0.alreadySo.markdownEscaped); nothing was changed\n" }.joined() + "\n" }
        for item in items { text += "- \(item.arrow.markdownEscaped)\n" }
        text += "\n```diff\n\(difference.text())```\n\n"
        return text + outcome.map { "- \($0.markdownEscaped)\n" }.joined() + "\n"
    }

    /// `{"kind": "SpecChange", …}`.
    var json: JSON {
        [
            "apiVersion": "belay.dev/v1alpha1", "kind": "SpecChange", "system": .string(system.description), "file": .string(file),
            "changes": .array(
                items.map { item in
                    [
                        "name": .string(item.name), "from": .optional(item.from), "to": .optional(item.to),
                        "paths": .array(item.edits.map { .string($0.place) }),
                    ]
                }),
            "isChanged": .bool(isChanged), "isWritten": .bool(isWritten), "difference": .string(difference.text()),
            "commit": commit.map { ["id": .string($0.id), "branch": .string($0.branch), "subject": .string($0.subject)] } ?? .null,
            "pushed": .optional(pushed), "text": .optional(output),
        ]
    }

    /// What became of it, a line each.
    private var outcome: [String] {
        var lines: [String] = []
        if !isWritten { lines.append("nothing was written (--dry-run)") }
        if let commit { lines.append("committed \(commit.id.prefix(12)) on \(commit.branch): \(commit.subject.printable)") }
        if let pushed { lines.append("pushed to \(pushed)") }
        if isWritten, commit == nil { lines.append("wrote \(file); see what it takes with reconcile plan -f \(file)") }
        return lines
    }
}

extension SpecChange.Item {
    fileprivate var alreadySo: String { "\(name) is \(to ?? "not there") already" }
}

extension Program {
    /// Prints what became of a change, and returns its verdict.
    func show(_ result: ChangeResult, _ form: OutputForm) {
        switch form {
        case .text: output.result(result.text(output.style))
        case .markdown: output.result(result.markdown)
        case .json: output.result(result.json)
        }
    }
}
