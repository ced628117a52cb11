/// What is observed of a database in one pass.
public struct DatabaseObservation: Sendable, Hashable, Codable {
    /// A migration that is known: from its file, or from what the database remembers of it.
    public struct Migration: Sendable, Hashable, Codable {
        public enum Class: String, Sendable, Codable { case expand, contract }
        /// How a repeatable migration (Flyway's `R__`) stands to its latest run.
        public enum Repetition: String, Sendable, Codable {
            case new, changed
            /// The file is what was run last.
            case unchanged
        }
        /// The full stem.
        public var version: String
        public var `class`: Class
        /// What the down migration costs; nil when there is none.
        public var down: StepClass?
        /// False if its file is not in the source any more.
        public var isInSource: Bool
        /// True if nobody wrote down that it was applied: a table that only knows the highest version says so, or a baseline.
        public var isPresumed: Bool
        /// How the way up would be walked; nil where it was not looked at, because nothing leads there.
        public var upScript: Script?
        public var downScript: Script?
        /// Nil for a versioned one.
        public var repetition: Repetition?
        /// True if ``downScript`` takes away and adds nothing: what is right after it is right before it as well.
        public var downOnlyTakesAway = false

        public init(
            version: String, class: Class = .expand, down: StepClass? = .instant, isInSource: Bool = true, isPresumed: Bool = false,
            upScript: Script? = nil, downScript: Script? = nil, repetition: Repetition? = nil
        ) {
            self.version = version
            self.class = `class`
            self.down = down
            self.isInSource = isInSource
            self.isPresumed = isPresumed
            self.upScript = upScript
            self.downScript = downScript
            self.repetition = repetition
        }
    }

    /// One direction of a migration, looked at closely because a plan may lead through it.
    public struct Script: Sendable, Hashable, Codable {
        public enum Origin: Sendable, Hashable, Codable {
            case file
            /// The signed copy that the database kept when it was applied.
            case archive
            /// A commit of the repository's history.
            case git(commit: String)
            /// Derived from the statements of the up script.
            case synthesized
            /// The backup with this id is restored instead.
            case restore(backup: String)
        }

        /// SHA-256 of the SQL, hexadecimal.
        public var hash: String
        public var origin: Origin
        public var isTransactional: Bool
        /// What is lost, in words, each once: `column orders.note`. Empty when it loses nothing.
        public var losses: [String]
        /// Rows that would be lost or changed, counted now; nil when that cannot be told.
        public var rowsAtRisk: Int?
        /// Bytes of the tables that are saved before; nil when nothing is.
        public var backupBytes: Int?
        /// Which application of the migration this would undo, or how often it was applied before: an approval is for one occasion.
        public var occasion: Int
        /// One line a statement, and what a reviewer should know.
        public var summary: [String]
        public var cautions: [String]

        public init(
            hash: String, origin: Origin = .file, isTransactional: Bool = true, losses: [String] = [], rowsAtRisk: Int? = 0,
            backupBytes: Int? = nil, occasion: Int = 0, summary: [String] = [], cautions: [String] = []
        ) {
            self.hash = hash
            self.origin = origin
            self.isTransactional = isTransactional
            self.losses = losses
            self.rowsAtRisk = rowsAtRisk
            self.backupBytes = backupBytes
            self.occasion = occasion
            self.summary = summary
            self.cautions = cautions
        }

        /// The backup that is restored instead of running anything; nil for every other script.
        public var restoredBackup: String? { if case .restore(let backup) = origin { backup } else { nil } }

        /// True if carrying it out may lose data: it needs an approval.
        public var isDestructive: Bool { !losses.isEmpty }
    }

    /// In the order in which they were applied; nil: unknown.
    public var applied: [String]?
    /// Every known migration in its order, those without a file among them.
    public var migrations: [Migration]
    /// Repeatable migrations that have a file, in the order in which they run: behind all others, at no position of the schema.
    public var repeatables: [Migration]
    /// Why ``applied`` is unknown.
    public var problem: Problem?
    /// What keeps the schema from being moved though it was observed: an edited file, a foreign record, a wrong table. The first one is told.
    public var blockers: [Problem]
    public var notes: [String]
    /// What stands beside the path: for `status`.
    public var summary: Summary

    /// What `status` shows of a database.
    public struct Summary: Sendable, Hashable, Codable {
        /// `postgres 15.20 through a pooler`, `sqlite 3.40.1`.
        public var engine: String
        /// The adopted table and whose it is: `public.schema_migrations (dbmate)`.
        public var table: String
        public var format: String
        /// Applied though their files changed since.
        public var edited: [String]
        /// How many applied migrations have a usable down script.
        public var reversible: Int
        /// Applied migrations of which the database keeps no copy yet.
        public var unkept: Int
        /// What differs between the schema and what was recorded with its last migration, a line each; nil where it was not compared.
        public var drift: [String]?
        public var lastBackup: Backup?
        public var lastDrill: Drill?

        /// A way of migrations that was walked on a copy.
        public struct Drill: Sendable, Hashable, Codable {
            public var taken: Timestamp
            /// The last migration that was applied in the copy, and where the way led.
            public var from: String
            public var to: String
            /// Whether the way back left the schema as it was.
            public var isPassed: Bool

            public init(taken: Timestamp, from: String, to: String, isPassed: Bool) {
                self.taken = taken
                self.from = from
                self.to = to
                self.isPassed = isPassed
            }
        }

        public struct Backup: Sendable, Hashable, Codable {
            public var id: String
            /// `scoped` or `full`.
            public var kind: String
            public var taken: Timestamp
            /// When a restore of it was last proved; nil when never.
            public var proved: Timestamp?

            public init(id: String, kind: String, taken: Timestamp, proved: Timestamp? = nil) {
                self.id = id
                self.kind = kind
                self.taken = taken
                self.proved = proved
            }
        }

        public init(
            engine: String = "", table: String = "", format: String = "", edited: [String] = [], reversible: Int = 0,
            unkept: Int = 0, drift: [String]? = nil, lastBackup: Backup? = nil, lastDrill: Drill? = nil
        ) {
            self.engine = engine
            self.table = table
            self.format = format
            self.edited = edited
            self.reversible = reversible
            self.unkept = unkept
            self.drift = drift
            self.lastBackup = lastBackup
            self.lastDrill = lastDrill
        }
    }

    public init(
        applied: [String]?, migrations: [Migration], problem: Problem? = nil, blockers: [Problem] = [], notes: [String] = [],
        summary: Summary = Summary(), repeatables: [Migration] = []
    ) {
        self.applied = applied
        self.migrations = migrations
        self.repeatables = repeatables
        self.problem = problem
        self.blockers = blockers
        self.notes = notes
        self.summary = summary
    }

    /// Nothing could be read.
    public static func unknown(_ problem: Problem) -> DatabaseObservation {
        DatabaseObservation(applied: nil, migrations: [], problem: problem)
    }
}
