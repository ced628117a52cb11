public import MigrationFiles
public import Model
public import SQL
public import SQLParsing

/// One migration in one direction, with everything that belongs into its transaction.
public struct MigrationJob: Sendable {
    /// The schema at one moment: its hash, and its lines joined by newlines.
    public struct SchemaState: Sendable, Hashable {
        public var hash: String
        public var lines: String?

        public init(hash: String, lines: String? = nil) {
            self.hash = hash
            self.lines = lines
        }
    }

    /// What would be lost, counted in the migration's own transaction.
    public struct AtRisk: Sendable, Hashable {
        /// Nil where nobody can tell.
        public var rows: Int?
        /// The tables that hold something of it, as SQL names them: these are saved.
        public var tables: [String]

        public init(rows: Int?, tables: [String]) {
            self.rows = rows
            self.tables = tables
        }
    }

    /// A query whose answer tells how the schema is.
    public struct SchemaQuestion: Sendable {
        public var run: SQLRun
        public var read: @Sendable (SQLRows) -> SchemaState

        public init(run: SQLRun, read: @escaping @Sendable (SQLRows) -> SchemaState) {
            self.run = run
            self.read = read
        }
    }

    /// When a backup is taken: what it saves cannot change before the migration's transaction has ended.
    public struct BackupMoment: Sendable, Hashable {
        /// For `pg_dump --snapshot`. Nil on SQLite, where another connection reads what was committed last, and nobody can commit meanwhile.
        public var snapshot: String?
        /// The tables that are locked, as SQL names them.
        public var tables: [String]
    }

    /// The full stem.
    public var version: String
    public var name: String
    public var isUp: Bool
    public var script: MigrationScript
    /// The script's statements and what they do.
    public var facts: ScriptFacts
    /// The file, for messages.
    public var path: String
    /// Asks the adopted table whether the version is recorded as applied: a row when it is. The table must exist.
    public var recorded: SQLRun
    /// Writes the adopted table's own record, or takes it away.
    public var records: [SQLRun]
    /// What the archive is to hold. State, sequence, time and fingerprints are filled in.
    public var archive: ArchiveRow
    public var timeouts: MigrationSettings.Timeouts
    public var verify: MigrationSettings.Verification
    /// How the schema is to be after a way back.
    public var expected: SchemaState?
    /// Lines of the schema that something else than this migration changed since: they count for no difference from ``expected``.
    var tolerated: Set<String> = []
    /// The repeatable migration that was run last: with it stands how the schema is, so that its row follows a way back.
    var witness: String?
    /// Reads the schema inside the transaction. With nil nothing is compared and no fingerprint recorded.
    public var fingerprint: (@Sendable (any SQLConnection) async throws(SQLError) -> SchemaState)?
    /// What ``fingerprint`` asks, where it is one query: it then travels with the migration.
    public var question: SchemaQuestion?
    /// Tables that lose something, as SQL names them: locked against writers before they are counted and saved.
    public var tablesAtRisk: [String]
    /// Counts what is at risk under the lock.
    public var count: (@Sendable (any SQLConnection) async throws(SQLError) -> AtRisk)?
    /// How many rows may be lost; nil: no ceiling.
    public var approvedRows: Int?
    /// Saves what is at risk, as the connection's transaction sees it. Returns statements that record it, which are run in that transaction.
    public var backup: (@Sendable (BackupMoment, any SQLConnection) async -> Result<[SQLRun], Problem>)?

    public init(
        version: String, name: String, isUp: Bool, script: MigrationScript, facts: ScriptFacts, path: String, recorded: SQLRun,
        records: [SQLRun], archive: ArchiveRow, timeouts: MigrationSettings.Timeouts = MigrationSettings.Timeouts(),
        verify: MigrationSettings.Verification = .off, expected: SchemaState? = nil,
        fingerprint: (@Sendable (any SQLConnection) async throws(SQLError) -> SchemaState)? = nil, tablesAtRisk: [String] = [],
        count: (@Sendable (any SQLConnection) async throws(SQLError) -> AtRisk)? = nil, approvedRows: Int? = nil,
        backup: (@Sendable (BackupMoment, any SQLConnection) async -> Result<[SQLRun], Problem>)? = nil
    ) {
        self.version = version
        self.name = name
        self.isUp = isUp
        self.script = script
        self.facts = facts
        self.path = path
        self.recorded = recorded
        self.records = records
        self.archive = archive
        self.timeouts = timeouts
        self.verify = verify
        self.expected = expected
        self.fingerprint = fingerprint
        self.tablesAtRisk = tablesAtRisk
        self.count = count
        self.approvedRows = approvedRows
        self.backup = backup
    }

    /// False if a directive or a statement says that it must not run inside a transaction.
    public var isTransactional: Bool { script.isTransactional ?? facts.nonTransactional.isEmpty }

    var direction: String { isUp ? "up" : "down" }

    /// Whether anything needs to be asked between the statements.
    var isPlain: Bool { fingerprint == nil && isHarmless }

    /// Whether nothing needs to be asked but the schema.
    var isHarmless: Bool { tablesAtRisk.isEmpty && count == nil && backup == nil }

    /// SHA-256 over every statement.
    var hash: String { ArchiveSignature.hash(facts.statements.map { "\($0.text.utf8.count):\($0.text)" }.joined()) }

    /// A place in the file and what stands there: `db/1_a.sql:3:7: relation "t" does not exist, at: ALTER TABLE t`.
    func problem(_ error: SQLError, at index: Int?, position: Int?) -> Problem {
        let reason =
            switch error.sqlState {
            case "57014": "StatementTimeout"
            case "55P03": "LockTimeout"
            case "40P01", "40001": "Deadlock"
            case let state? where state.hasPrefix("SQLITE_BUSY") || state.hasPrefix("SQLITE_LOCKED"): "LockTimeout"
            default: error.code == .cancelled ? "Cancelled" : error.code == .lost ? "ConnectionLost" : "MigrationFailed"
            }
        var place = path
        var words = ""
        if let index, facts.statements.indices.contains(index) {
            let statement = facts.statements[index]
            var (line, column) = (statement.line, statement.column)
            if let position {
                for character in statement.text.unicodeScalars.prefix(max(0, position - 1)) {
                    column = character == "\n" ? 1 : column + 1
                    if character == "\n" { line += 1 }
                }
            }
            place = "\(path):\(script.firstLine + line - 1):\(column)"
            let text = statement.text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
            words = ", at: " + (text.count > 120 ? text.prefix(119) + "…" : text)
        }
        let next: String? =
            switch reason {
            case "StatementTimeout":
                "the statement took longer than timeouts.statement, \(timeouts.statement); raise it, or make the statement smaller"
            case _ where error.fileProblem != nil: error.fileProblem?.next
            case "LockTimeout":
                "another session holds a lock on what is changed; see pg_stat_activity, or raise timeouts.lock or lockRetries"
            default: error.hint
            }
        let detail = error.detail.map { "; \($0)" } ?? ""
        let state = error.sqlState.map { " (\($0))" } ?? ""
        return Problem(reason, "\(place): \(error.message)\(state)\(detail)\(words)", next: next)
    }
}
