import Model
import Planning
public import TextLayout

extension SystemStatus {
    /// A headline, a table of the components, and what a reader should know beside it.
    public func text(_ style: TextStyle) -> String {
        let ready = conditions.first { $0.kind == .ready }
        let mark = ready?.isTrue == true ? style.green("✔ in sync") : style.yellow("● \(ready?.message.printable ?? "")")
        var text = "\(style.bold(system.description.printable))  \(mark)\n"
        text += style.dim("  revision \(revision)\(acceptance)") + "\n\n"
        let columns = columns
        var table = TextTable(header: columns.map(\.title), style: style, indent: 2)
        for component in components { table.add(columns.map { $0.cell(component, style) }) }
        if !components.isEmpty { text += table.rendered() }
        let hasPrevious = columns.contains { $0 == .previous }
        for component in components {
            for line in component.remarks + (hasPrevious ? [] : component.previous.map { ["previous: \($0)"] } ?? []) {
                text += "    \(style.dim(component.name.printable + ":")) \(line.withoutLeading(component.name).printable)\n"
            }
        }
        for (index, database) in databases.enumerated() {
            if index > 0 || !components.isEmpty { text += "\n" }
            for line in database.lines { text += "  \(line.printable)\n" }
        }
        if let flags { text += (components.isEmpty && databases.isEmpty ? "  " : "\n  ") + flags.section(style) }
        if let holder { text += "  \(style.yellow("at work now:")) \(holder.printable)\n" }
        if let transition {
            let owed = transition.obligations.map(\.description).sorted().joined(separator: ", ")
            text += "  transition open since \(transition.opened.wholeSecond), to revision \(transition.revision)"
            text += owed.isEmpty ? "\n" : "; owed: \(owed)\n"
        }
        for note in notes { text += "  note: \(note.printable)\n" }
        return text
    }

    /// As many as fit into 100 characters: what ran before moves below the table first, then the provider, which the spec tells.
    private var columns: [Column] {
        var columns = Column.allCases.filter { $0 != .previous || components.contains { $0.previous != nil } }
        for removable in [Column.previous, .provider] where width(columns) > 100 { columns.removeAll { $0 == removable } }
        return columns
    }

    private func width(_ columns: [Column]) -> Int {
        columns.map { column in (components.map { column.text($0).printable.count } + [column.title.count]).max() ?? 0 }
            .reduce(0) { $0 + $1 + 2 }
    }

    private enum Column: CaseIterable {
        case component, provider, pinned, live, previous, state

        var title: String {
            switch self {
            case .component: "COMPONENT"
            case .provider: "PROVIDER"
            case .pinned: "PINNED"
            case .live: "LIVE"
            case .previous: "PREVIOUS"
            case .state: "STATE"
            }
        }

        func text(_ component: ComponentStatus) -> String {
            switch self {
            case .component: component.name
            case .provider: component.provider
            case .pinned: component.pinnedText
            case .live: component.liveText
            case .previous: component.previous ?? ""
            case .state: component.stateText
            }
        }

        func cell(_ component: ComponentStatus, _ style: TextStyle) -> TextTable.Cell {
            self == .state ? .init(text(component), component.state.emphasis(style)) : .init(text(component))
        }
    }

    private var acceptance: String {
        guard let accepted else { return ", never reconciled by Belay" }
        return accepted == revision ? ", accepted" : ", accepted so far: \(accepted)"
    }
}

extension ComponentStatus {
    /// The pin, and what it means where that says more.
    var pinnedText: String {
        guard let resolved, resolved != pinned.description else { return pinned.description }
        return resolved.contains(pinned.description) ? resolved : "\(pinned) = \(resolved)"
    }

    var stateText: String { drift != nil && state == .outOfSync ? "drifted" : state.words }

    /// What a reader should know beside the table, the most important first.
    var remarks: [String] {
        let lines = [
            drift.map { "drift: \($0.words)" }, detail, configuration.map { "configuration: \($0.words)" }, fence.message,
        ]
        return (lines.compactMap(\.self) + notes).filter { !$0.isEmpty }
    }

    var liveText: String {
        guard let live else { return state == .unknown ? "unknown" : "nothing" }
        return alsoServing.isEmpty ? live : "\(live) (and \(alsoServing.joined(separator: ", ")))"
    }
}

extension ComponentStatus.State {
    var words: String {
        switch self {
        case .inSync: "in sync"
        case .outOfSync: "out of sync"
        case .progressing: "progressing"
        case .checksOwed: "checks owed"
        case .failed: "failed"
        case .unknown: "unknown"
        case .blocked: "blocked"
        }
    }

    func emphasis(_ style: TextStyle) -> @Sendable (String) -> String {
        switch self {
        case .inSync: style.green
        case .outOfSync, .progressing, .checksOwed, .unknown: style.yellow
        case .failed, .blocked: style.red
        }
    }
}
