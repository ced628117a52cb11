public import Execution
public import JSONValues
public import Model
public import TextLayout

/// Whether a system is well now: what the providers say of each component, whether each database answers, and their checks, run for the
/// purpose.
public struct HealthReport: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        /// A component's name; nil for a database and for the system's own checks.
        public var component: String?
        /// A database's name; nil for everything else.
        public var database: String?
        /// The provider's word; nil for the system itself.
        public var settlement: Settlement?
        public var checks: [CheckReport]
        /// Of a database: each question to its data, and what was wrong with the answer.
        public var answers: [Answer] = []

        public struct Answer: Sendable, Hashable {
            public var check: DataCheck
            /// Nil when the answer was right.
            public var problem: Problem?

            public init(_ check: DataCheck, _ problem: Problem?) {
                self.check = check
                self.problem = problem
            }
        }

        public init(component: String?, settlement: Settlement?, checks: [CheckReport]) {
            self.component = component
            self.settlement = settlement
            self.checks = checks
        }

        /// - Parameter problem: why the database cannot be observed; nil when it answers.
        public init(database: String, problem: Problem?, answers: [Answer]) {
            self.database = database
            settlement = problem.map { .unknown($0) } ?? .settled
            checks = []
            self.answers = answers
        }

        public var isHealthy: Bool {
            (settlement.map { $0 == .settled } ?? true) && checks.allSatisfy { $0.problem == nil }
                && answers.allSatisfy { $0.problem == nil }
        }
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
            for answer in entry.answers {
                let what = answer.problem?.description ?? answer.check.oneLine
                text += "      \(answer.problem == nil ? style.green("✔") : style.red("✘")) \(what.printable)\n"
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
            for problem in entry.checks.compactMap(\.problem) + entry.answers.compactMap(\.problem) {
                text += "  - \(problem.description.markdownEscaped)\n"
            }
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
    var name: String { component ?? database.map { "database/\($0)" } ?? "the system's checks" }

    /// Empty when there is nothing to say.
    var settlementText: String {
        switch settlement {
        case .progressing(let text): text
        case .failed(let problem), .unknown(let problem): problem.description
        case .settled where database != nil: answers.isEmpty ? "it answers; the spec asks nothing of its data" : ""
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
        guard let database else {
            return [
                "component": .optional(component), "healthy": .bool(isHealthy), "message": .string(settlementText),
                "checks": .array(checks),
            ]
        }
        let answers = answers.map { answer -> JSON in
            [
                "sql": .string(answer.check.sql), "expect": .string(answer.check.expect), "passed": .bool(answer.problem == nil),
                "message": .optional(answer.problem?.description),
            ]
        }
        return [
            "component": .null, "database": .string(database), "healthy": .bool(isHealthy), "message": .string(settlementText),
            "checks": .array(answers),
        ]
    }
}

extension DataCheck {
    /// `SELECT count(*) FROM orders: 3`.
    fileprivate var oneLine: String {
        let line = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return (line.count > 80 ? line.prefix(79) + "…" : line) + ": \(expect)"
    }
}
