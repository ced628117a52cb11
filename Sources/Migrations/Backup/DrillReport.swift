public import JSONValues
public import Model

/// How a drill went: every migration of a way walked there, back and there again on a copy.
public struct DrillReport: Sendable, Hashable, Codable {
    public enum Result: Sendable, Hashable, Codable {
        /// Back and there again gave the same schema each time.
        case exact
        /// What it leaves behind or does not bring back, a line each.
        case inexact([String])
        case failed(String)
        /// There was walked and compared; back again cannot be, and why.
        case oneWay(String)
        /// One before it failed.
        case notReached

        var isInexact: Bool { if case .inexact = self { true } else { false } }
    }

    public struct Migration: Sendable, Hashable, Codable {
        public var version: String
        /// The way there.
        public var isUp: Bool
        public var result: Result
        /// The first time, back, and the second time; nil where it was not run.
        public var millisecondsThere: Int?
        public var millisecondsBack: Int?
        public var millisecondsAgain: Int?
        /// Differences that were told of it.
        var told: [String] = []

        private enum CodingKeys: String, CodingKey {
            case version, isUp, result, millisecondsThere, millisecondsBack, millisecondsAgain
        }

        public init(version: String, isUp: Bool, result: Result = .notReached) {
            self.version = version
            self.isUp = isUp
            self.result = result
        }
    }

    /// The backup that was restored.
    public var backup: BackupID
    /// The last migration that is applied in it.
    public var from: String
    /// Where the way leads.
    public var to: String
    public var migrations: [Migration]
    public var notes: [String]
    /// Why it could not be held to its end, where that was not a migration's fault.
    public var problem: Problem?
    public var begun: Timestamp
    public var milliseconds: Int
    /// Of the restore alone.
    public var millisecondsRestored: Int?

    public init(
        backup: BackupID, from: String = "", to: String = "", migrations: [Migration] = [], notes: [String] = [], problem: Problem? = nil,
        begun: Timestamp, milliseconds: Int = 0
    ) {
        self.backup = backup
        self.from = from
        self.to = to
        self.migrations = migrations
        self.notes = notes
        self.problem = problem
        self.begun = begun
        self.milliseconds = milliseconds
    }

    /// True if every migration led there, and nothing was left behind or lost.
    public var isPassed: Bool {
        problem == nil
            && migrations.allSatisfy { migration in
                switch migration.result {
                case .exact, .oneWay: true
                case .inexact, .failed, .notReached: false
                }
            }
    }

    /// What `status` shows of it.
    public var summary: DatabaseObservation.Summary.Drill { .init(taken: begun, from: from, to: to, isPassed: isPassed) }

    /// One JSON object.
    public var json: JSON {
        func number(_ value: Int?) -> JSON { value.map(JSON.integer) ?? .null }
        let migrations = migrations.map { migration -> JSON in
            var (name, lines) = ("exact", [String]())
            switch migration.result {
            case .exact: break
            case .inexact(let differences): (name, lines) = ("inexact", differences)
            case .failed(let why): (name, lines) = ("failed", [why])
            case .oneWay(let why): (name, lines) = ("oneWay", [why])
            case .notReached: name = "notReached"
            }
            return [
                "version": .string(migration.version), "direction": migration.isUp ? "up" : "down", "result": .string(name),
                "lines": .array(lines.map(JSON.string)), "millisecondsThere": number(migration.millisecondsThere),
                "millisecondsBack": number(migration.millisecondsBack), "millisecondsAgain": number(migration.millisecondsAgain),
            ]
        }
        return [
            "backup": .string(backup.description), "from": .string(from), "to": .string(to), "passed": .bool(isPassed),
            "begun": .string(begun.description), "milliseconds": .integer(milliseconds),
            "millisecondsRestored": number(millisecondsRestored),
            "migrations": .array(migrations), "notes": .array(notes.map(JSON.string)),
            "problem": problem.map { ["reason": .string($0.reason), "message": .string($0.message), "next": .optional($0.next)] } ?? .null,
        ]
    }
}
