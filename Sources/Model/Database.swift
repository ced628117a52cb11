/// A database of the system and the schema position that the spec pins.
public struct Database: Sendable, Hashable {
    public var name: String
    public var connection: Connection
    /// The pin: the full stem of a migration, or a leading number that only one has; ``emptySchema`` for no migration at all.
    public var schema: String
    public var migrations: MigrationSettings
    /// Whether components that tolerate no state in between may be stopped while the schema moves.
    public var allowsDowntime: Bool
    /// Read-only questions to the data, asked in phase `verify`.
    public var checks: [DataCheck]

    /// The pin that means: no migration is applied.
    public static let emptySchema = "none"

    public enum Connection: Sendable, Hashable {
        /// `direct` goes past a pooler; what cannot run through one needs it.
        case postgres(url: Configuration.Source, direct: Configuration.Source?)
        /// The path of the file.
        case sqlite(String)
    }

    public init(
        name: String, connection: Connection = .sqlite(""), schema: String, migrations: MigrationSettings = MigrationSettings(path: ""),
        allowsDowntime: Bool = false, checks: [DataCheck] = []
    ) {
        self.name = name
        self.connection = connection
        self.schema = schema
        self.migrations = migrations
        self.allowsDowntime = allowsDowntime
        self.checks = checks
    }

    public var id: ResourceID { .database(name) }
}

/// Where a database's migrations are, and what is done where they are not simply the next ones.
public struct MigrationSettings: Sendable, Hashable {
    /// A migration that is not applied though a later one is.
    public enum OutOfOrder: String, Sendable, CaseIterable {
        case block
        /// It is applied now, and recorded where it really stands.
        case apply
        /// Everything that was applied later goes down first. Not for production.
        case rebase
    }

    /// Where a down script is looked for whose file is gone.
    public enum OnMissing: String, Sendable, CaseIterable {
        /// In the archive that the database keeps, then in Git history.
        case archive
        /// In Git history only.
        case git
        case block
    }

    /// A migration that has no way back.
    public enum OnIrreversible: String, Sendable, CaseIterable {
        case block
        /// The plan is a restore of the backup that was taken before it.
        case restore
        /// The inverse is derived from the statements where that is certain.
        case synthesize
    }

    /// Comparing the schema with what was recorded before a migration.
    public enum Verification: String, Sendable, CaseIterable {
        case off
        /// A difference is told.
        case warn
        /// A difference rolls the migration back.
        case strict
    }

    /// What is saved before something is lost.
    public enum Backup: String, Sendable, CaseIterable {
        case none
        /// The tables concerned, inside the step's own transaction.
        case scoped
        /// The whole database, in `guard`; the tables concerned as well.
        case full
    }

    public struct Timeouts: Sendable, Hashable {
        /// For a lock; then the whole transaction is tried again.
        public var lock: Duration
        public var statement: Duration
        public var migration: Duration
        public var lockRetries: Int

        public init(
            lock: Duration = .seconds(5), statement: Duration = .seconds(900), migration: Duration = .seconds(3600), lockRetries: Int = 20
        ) {
            self.lock = lock
            self.statement = statement
            self.migration = migration
            self.lockRetries = lockRetries
        }
    }

    /// The directory. Of a repository's checkout where they are in one, and empty until it is read.
    public var path: String
    /// The repository that they are in; nil where they stand beside the spec.
    public var git: MigrationRepository?
    /// The name of a format; nil to detect it.
    public var format: String?
    /// The table that records what is applied; nil to detect it.
    public var table: String?
    /// `numeric` or `lexical`; nil as the format has it, and refused where the two differ.
    public var order: String?
    public var outOfOrder: OutOfOrder
    public var onMissing: OnMissing
    public var onIrreversible: OnIrreversible
    public var verify: Verification
    public var backup: Backup
    public var timeouts: Timeouts
    /// Everything up to this one counts as applied when an existing database is adopted, and may have no file.
    public var baseline: String?
    /// Applied migrations whose files were changed on purpose: the SHA-256 (hexadecimal, or its beginning) of the new up script, by version.
    public var acceptEdited: [String: String]
    /// Applied migrations at or below the pin, without a file, that are to be taken back.
    public var revert: [String]

    public init(
        path: String, git: MigrationRepository? = nil, format: String? = nil, table: String? = nil, order: String? = nil,
        outOfOrder: OutOfOrder = .block,
        onMissing: OnMissing = .archive, onIrreversible: OnIrreversible = .block, verify: Verification = .warn, backup: Backup = .scoped,
        timeouts: Timeouts = Timeouts(), baseline: String? = nil, acceptEdited: [String: String] = [:], revert: [String] = []
    ) {
        self.path = path
        self.git = git
        self.format = format
        self.table = table
        self.order = order
        self.outOfOrder = outOfOrder
        self.onMissing = onMissing
        self.onIrreversible = onIrreversible
        self.verify = verify
        self.backup = backup
        self.timeouts = timeouts
        self.baseline = baseline
        self.acceptEdited = acceptEdited
        self.revert = revert
    }
}

/// A question to the data and its answer: the first column of the first row, as text.
public struct DataCheck: Sendable, Hashable, Codable {
    public var sql: String
    public var expect: String

    public init(sql: String, expect: String) {
        self.sql = sql
        self.expect = expect
    }
}
