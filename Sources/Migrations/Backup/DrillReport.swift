internal import JSONValues
public import Model

/// How a drill went: every migration of a way walked there, back and there again on a copy.
public struct DrillReport: Sendable, Hashable, Codable {
    public enum Result: Sendable, Hashable, Codable {
        /// Back and there again gave the same schema each time.
        case exact
        /// What it leaves behind or does not bring back, a line each.
        case inexact([String])
        case failed(String)
        /// One before it failed.
        case notReached
    }

    public struct Migration: Sendable, Hashable, Codable {
        public var version: String
        public var result: Result
        /// The first time, back, and the second time; nil where it was not run.
        public var millisecondsThere: Int?
        public var millisecondsBack: Int?
        public var millisecondsAgain: Int?
        /// What the way there locked, as the caller saw it: `AccessExclusiveLock public.orders`.
        public var locks: [String]

        public init(version: String, result: Result = .notReached) {
            self.version = version
            self.result = result
            locks = []
        }
    }

    /// The backup that was restored; nil for an empty database.
    public var backup: BackupID?
    public var migrations: [Migration]
    /// Why it could not be held to its end, where that was not a migration's fault.
    public var problem: Problem?
    public var begun: Timestamp
    public var milliseconds: Int

    public init(backup: BackupID?, migrations: [Migration], problem: Problem? = nil, begun: Timestamp, milliseconds: Int = 0) {
        self.backup = backup
        self.migrations = migrations
        self.problem = problem
        self.begun = begun
        self.milliseconds = milliseconds
    }

    /// True if every migration is exact.
    public var isPassed: Bool { problem == nil && migrations.allSatisfy { $0.result == .exact } }

    /// For people, a line each.
    public var lines: [String] {
        var lines = ["drill on " + (backup.map { "the backup \($0)" } ?? "an empty database") + ", \(milliseconds) ms"]
        for migration in migrations {
            let times = [migration.millisecondsThere, migration.millisecondsBack, migration.millisecondsAgain]
                .map { $0.map { "\($0) ms" } ?? "-" }.joined(separator: " / ")
            switch migration.result {
            case .exact: lines.append("\(migration.version): exact (\(times))")
            case .inexact(let differences):
                lines.append("\(migration.version): inexact (\(times))")
                lines += differences.map { "    \($0)" }
            case .failed(let why): lines.append("\(migration.version): failed: \(why)")
            case .notReached: lines.append("\(migration.version): not reached")
            }
        }
        if let problem { lines.append(problem.description) }
        return lines
    }

    /// One JSON object.
    public var json: String {
        let migrations = migrations.map { migration -> JSON in
            func number(_ value: Int?) -> JSON { value.map(JSON.integer) ?? .null }
            var (name, lines) = ("exact", [String]())
            switch migration.result {
            case .exact: break
            case .inexact(let differences): (name, lines) = ("inexact", differences)
            case .failed(let why): (name, lines) = ("failed", [why])
            case .notReached: name = "notReached"
            }
            return [
                "version": .string(migration.version), "result": .string(name), "lines": .array(lines.map { .string($0) }),
                "millisecondsThere": number(migration.millisecondsThere), "millisecondsBack": number(migration.millisecondsBack),
                "millisecondsAgain": number(migration.millisecondsAgain), "locks": .array(migration.locks.map { .string($0) }),
            ]
        }
        let whole: JSON = [
            "backup": .optional(backup?.description), "passed": .bool(isPassed), "begun": .string(begun.description),
            "milliseconds": .integer(milliseconds), "migrations": .array(migrations), "problem": .optional(problem?.description),
        ]
        return whole.description
    }
}
