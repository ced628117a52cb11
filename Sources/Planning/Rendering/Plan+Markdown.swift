public import Model
import TextLayout

extension Plan {
    /// The plan as a comment on a pull request. Ends with a newline.
    ///
    /// Text from providers is escaped: it makes no markup, no HTML, no link and mentions nobody.
    public var markdown: String {
        var text = "### Plan for \(escaped(system.description)) at `\(escaped(revision.description))`\n\n"
        text += "**\(escaped(closingLine))**\n"
        if let refusal { text += "\n**Refused:** \(escaped(refusal.description))\n" }
        if !drifts.isEmpty { text += "\n" + drifts.map { "- **Drift:** \(escaped($0.sentence))\n" }.joined() }
        if !steps.isEmpty {
            text += "\n| Phase | Step | Class |\n|---|---|---|\n"
            for step in steps {
                let details = step.lines.map { "<br><sub>\(escaped($0))</sub>" }.joined()
                let mark = step.action.isWrite ? step.class.rawValue : ""
                text += "| \(step.phase.position)\u{A0}\(step.phase.rawValue) | \(escaped(step.summary))\(details) | \(mark) |\n"
            }
        }
        if !blocked.isEmpty {
            text += "\n#### Blocked\n\n"
            for one in blocked {
                text += "- **\(escaped(one.resource.description))** (\(one.kind.rawValue)): \(escaped(one.problem.message))"
                text += one.problem.next.map { "<br>Next: \(escaped($0))" } ?? ""
                text += "\n"
            }
        }
        if !notes.isEmpty { text += "\n#### Notes\n\n" + notes.map { "- \(escaped($0))\n" }.joined() }
        return text
    }
}

/// One line of plain text in Markdown, table cells and HTML included.
private func escaped(_ text: String) -> String {
    let scalars = Array(text.printable.unicodeScalars)
    var result = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
        switch scalar {
        case "&": result += "&amp;".unicodeScalars
        case "<": result += "&lt;".unicodeScalars
        case ">": result += "&gt;".unicodeScalars
        case "|": result += "&#124;".unicodeScalars
        case "\\", "`", "*", "_", "[", "]", "!", "~", "$": result += ["\\", scalar]
        default: result.append(scalar)
        }
        if breaksLink(scalars, after: index) { result += "<!-- -->".unicodeScalars }
    }
    return String(result)
}

/// True where an empty comment keeps GitHub from finding a mention, a link to an issue, or a bare URL.
private func breaksLink(_ scalars: [Unicode.Scalar], after index: Int) -> Bool {
    switch scalars[index] {
    case "@", "#": true
    case ":": scalars[(index + 1)...].starts(with: ["/", "/"])
    case "w", "W": index + 1 < scalars.count && scalars[index + 1] == "."
    default: false
    }
}
