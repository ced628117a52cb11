import Model
public import TextLayout

extension SystemStatus {
    /// A headline, a table of the components, and what a reader should know beside it.
    public func text(_ style: TextStyle) -> String {
        let ready = conditions.first { $0.kind == .ready }
        let mark = ready?.isTrue == true ? style.green("✔ in sync") : style.yellow("● \(ready?.message.printable ?? "")")
        var text = "\(style.bold(system.description.printable))  \(mark)\n"
        text += style.dim("  revision \(revision)\(acceptance)") + "\n\n"
        var table = TextTable(header: ["COMPONENT", "PROVIDER", "PINNED", "LIVE", "STATE"], style: style, indent: 2)
        for component in components {
            table.add([
                .init(component.name), .init(component.provider), .init(component.pinnedText), .init(component.liveText),
                .init(component.state.words, component.state.emphasis(style)),
            ])
        }
        text += table.rendered()
        for component in components {
            for line in ([component.detail] + component.notes) where !line.isEmpty {
                text += "    \(style.dim(component.name + ":")) \(line.withoutLeading(component.name).printable)\n"
            }
        }
        if let transition {
            let owed = transition.obligations.map(\.description).sorted().joined(separator: ", ")
            text += "  transition open since \(transition.opened.wholeSecond), to revision \(transition.revision)"
            text += owed.isEmpty ? "\n" : "; owed: \(owed)\n"
        }
        for note in notes { text += "  note: \(note.printable)\n" }
        return text
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
