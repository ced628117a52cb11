import Model
import TextLayout

extension SystemStatus {
    /// A table for a comment or a job summary.
    public var markdown: String {
        let ready = conditions.first { $0.kind == .ready }
        var text =
            "### \(system.description.markdownEscaped): \(ready?.isTrue == true ? "in sync" : ready?.message.markdownEscaped ?? "")\n\n"
        text += "Revision `\(revision)`.\n\n| Component | Provider | Pinned | Live | Previous | State |\n|---|---|---|---|---|---|\n"
        for component in components {
            let cells = [
                component.name, component.provider, component.pinnedText, component.liveText, component.previous ?? "", component.stateText,
            ]
            text += "| " + cells.map(\.markdownEscaped).joined(separator: " | ") + " |\n"
        }
        if !databases.isEmpty {
            text += "\n| Database | Pinned | Last applied | Applied | Reversible | Problem |\n|---|---|---|---|---|---|\n"
            for database in databases {
                let cells = [
                    database.name, database.pinned, database.last ?? "", database.applied.map(String.init) ?? "unknown",
                    String(database.reversible), database.problem?.description ?? "",
                ]
                text += "| " + cells.map(\.markdownEscaped).joined(separator: " | ") + " |\n"
            }
        }
        if let flags { text += flags.markdownSection }
        let remarks =
            components.flatMap { component in
                component.remarks.map { "\(component.name): \($0.withoutLeading(component.name))" }
            } + (flags?.remarks ?? [])
        let notes = (holder.map { ["at work now: \($0)"] } ?? []) + notes
        if !remarks.isEmpty || !notes.isEmpty { text += "\n" }
        for remark in remarks + notes { text += "- \(remark.markdownEscaped)\n" }
        return text + "\n"
    }
}

extension ReleaseHistory {
    /// A table for a comment or a job summary.
    public var markdown: String {
        var text = "### \(system.description.markdownEscaped) \(component.markdownEscaped)\n\n"
        if let problem { return text + problem.description.markdownEscaped + "\n\n" }
        guard !entries.isEmpty else { return text + "The provider knows no release.\n\n" }
        text += "| | Release | Created | Recorded | Takes | Configuration | Note |\n|---|---|---|---|---|---|---|\n"
        for entry in entries {
            let created = entry.created?.wholeSecond.description ?? ""
            let marks = entry.marks.joined(separator: ", ")
            let cells = [
                marks, entry.label, created, entry.quality?.words ?? "", entry.takesText, entry.configurationWords ?? "", entry.note ?? "",
            ]
            text += "| " + cells.map(\.markdownEscaped).joined(separator: " | ") + " |\n"
        }
        return text + "\n"
    }
}
