public import JSONValues
public import Model
import Planning
public import TextLayout

/// The flags of a system: how each is pinned, and what its store shows.
public struct FlagStatus: Sendable, Hashable {
    public var system: SystemID
    /// Where they are kept: `sql/main/feature_flags`.
    public var store: String
    /// By name.
    public var standings: [FlagStanding]

    /// Nil for a system without flags.
    ///
    /// - Parameter plan: of the same system.
    public init?(_ system: System, _ plan: Plan) {
        guard let flags = system.flags else { return nil }
        self.system = system.id
        store = flags.store.place
        standings = plan.flags
    }

    public var isKnown: Bool { !standings.contains { $0.state == .unknown } }

    /// Rows of name, pin, what the store shows, and state.
    var rows: [[String]] {
        standings.map { [$0.name, $0.pinned.description, $0.currentText, $0.state.words] }
    }

    /// Why flags are not as pinned; what all of them share is told once.
    var remarks: [String] {
        let reasons = Set(standings.compactMap(\.reason))
        if standings.count > 1, standings.allSatisfy({ $0.state == .unknown }), let reason = reasons.first, reasons.count == 1 {
            return ["flags: \(reason)"]
        }
        return standings.compactMap { standing in standing.reason.map { "\(standing.name): \($0)" } }
    }

    /// A headline, a table, and why flags are not as pinned.
    public func text(_ style: TextStyle) -> String {
        "\(style.bold(system.description.printable))  " + section(style)
    }

    /// For a comment or a job summary.
    public var markdown: String {
        "### \(system.description.markdownEscaped)\n" + markdownSection + remarks.map { "- \($0.markdownEscaped)\n" }.joined() + "\n"
    }

    /// An array of one object a flag.
    public var json: JSON {
        .array(
            standings.map { standing in
                var json = standing.json
                json["store"] = .string(store)
                json["system"] = .string(system.description)
                return json
            })
    }

    /// Below what else is told of the system.
    func section(_ style: TextStyle) -> String {
        "\(style.dim("flags in \(store.printable)"))\n" + table(style) + remarks.map { "    \($0.printable)\n" }.joined()
    }

    var markdownSection: String {
        "\n| Flag | Pinned | Now | State |\n|---|---|---|---|\n"
            + rows.map { "| " + $0.map(\.markdownEscaped).joined(separator: " | ") + " |\n" }.joined()
            + "\nFlags in `\(store.markdownEscaped)`.\n\n"
    }

    private func table(_ style: TextStyle) -> String {
        var table = TextTable(header: ["FLAG", "PINNED", "NOW", "STATE"], style: style, indent: 2)
        for (standing, row) in zip(standings, rows) {
            table.add(row.dropLast().map { .init($0) } + [.init(standing.state.words, standing.state.emphasis(style))])
        }
        return table.rendered()
    }
}

extension FlagStanding.State {
    var words: String {
        switch self {
        case .inSync: "in sync"
        case .outOfSync: "out of sync"
        case .killed: "killed"
        case .killedOutOfBand: "killed by hand"
        case .guarded: "held off by its guard"
        case .blocked: "blocked"
        case .unknown: "unknown"
        }
    }

    fileprivate func emphasis(_ style: TextStyle) -> @Sendable (String) -> String {
        switch self {
        case .inSync: style.green
        case .outOfSync, .unknown, .guarded: style.yellow
        case .killed, .killedOutOfBand, .blocked: style.red
        }
    }
}
