public import Execution
public import JSONValues
public import Model
public import TextLayout

/// Whether a system is well now: what the providers say of each component, and its checks, run for the purpose.
public struct HealthReport: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        /// A component's name, or nil for the system's own checks.
        public var component: String?
        /// The provider's word; nil for the system itself.
        public var settlement: Settlement?
        public var checks: [CheckReport]

        public init(component: String?, settlement: Settlement?, checks: [CheckReport]) {
            self.component = component
            self.settlement = settlement
            self.checks = checks
        }

        public var isHealthy: Bool { (settlement.map { $0 == .settled } ?? true) && checks.allSatisfy { $0.problem == nil } }
    }

    public var system: SystemID
    public var entries: [Entry]
    /// Who is changing the system meanwhile, as far as that could be told; nil when nobody does.
    public var holder: String?

    public init(system: SystemID, entries: [Entry]) {
        self.system = system
        self.entries = entries
    }

    public var isHealthy: Bool { entries.allSatisfy(\.isHealthy) }

    public func text(_ style: TextStyle) -> String {
        var text =
            style.bold(system.description.printable) + "  " + (isHealthy ? style.green("✔ healthy") : style.red("✘ not healthy")) + "\n"
        for entry in entries {
            let mark = entry.isHealthy ? style.green("✔") : style.red("✘")
            let settlement = entry.settlementText.withoutLeading(entry.name).printable
            text += "  \(mark) \(entry.name.printable)\(settlement.isEmpty ? "" : ": " + settlement)\n"
            for report in entry.checks {
                let what = report.problem?.description.printable ?? "\(report.check.address): \(report.check.status)"
                text += "      \(report.problem == nil ? style.green("✔") : style.red("✘")) \(what)\n"
            }
        }
        if let holder { text += "  \(style.yellow("at work now:")) \(holder.printable)\n" }
        return text
    }

    public var markdown: String {
        var text = "### \(system.description.markdownEscaped): \(isHealthy ? "healthy" : "not healthy")\n\n"
        for entry in entries {
            let settlement = entry.settlementText.withoutLeading(entry.name).markdownEscaped
            let words = [entry.isHealthy ? "healthy" : "not healthy", settlement].filter { !$0.isEmpty }
            text += "- \(entry.name.markdownEscaped): \(words.joined(separator: ": "))\n"
            for problem in entry.checks.compactMap(\.problem) { text += "  - \(problem.description.markdownEscaped)\n" }
        }
        if let holder { text += "- at work now: \(holder.markdownEscaped)\n" }
        return text + "\n"
    }

    public var json: JSON {
        [
            "system": .string(system.description), "healthy": .bool(isHealthy), "entries": .array(entries.map(\.json)),
            "lockedBy": .optional(holder),
        ]
    }
}

extension HealthReport.Entry {
    var name: String { component ?? "the system's checks" }

    /// Empty when there is nothing to say.
    var settlementText: String {
        switch settlement {
        case .progressing(let text): text
        case .failed(let problem), .unknown(let problem): problem.description
        case .settled: checks.isEmpty ? "as the provider sees it; it has no checks of its own" : ""
        case nil: ""
        }
    }

    var json: JSON {
        let checks = checks.map { report -> JSON in
            [
                "url": .string(report.check.address), "passed": .bool(report.problem == nil),
                "message": .optional(report.problem?.description),
            ]
        }
        return [
            "component": .optional(component), "healthy": .bool(isHealthy), "message": .string(settlementText), "checks": .array(checks),
        ]
    }
}
