public import Model

/// Moves the schemas of databases. One driver serves every database of a process.
///
/// The database itself says what is applied; nothing is remembered here between two calls but open connections.
public protocol SchemaDriver: Sendable {
    /// What is applied, what could be, and what the way to the pin would cost. Takes no lock and changes nothing, not even a table of its own:
    /// a role that may only read is enough. One round trip when everything is in place.
    func observe(_ database: Database, _ request: SchemaRequest) async -> DatabaseObservation

    /// Looks at the whole way before the first statement of it: scripts, rights, locks, room for backups. Changes nothing.
    /// Returns what stands in the way, nil when nothing does.
    func confirm(_ changes: [MigrationChange], of database: Database, _ request: SchemaRequest) async -> Problem?

    /// Runs one migration in one direction, with its backup, its record and its verification. Idempotent: one that is done already is done.
    /// - Parameter progress: one line on how far it is; told when it changes.
    func migrate(
        _ change: MigrationChange, of database: Database, _ request: SchemaRequest, progress: @escaping @Sendable (String) -> Void
    ) async -> MigrationEnd

    /// Keeps, in the database itself, copies of what was applied before Belay came, and records what a baseline says. Called in a pass that may
    /// change things and only where something is missing; returns what stood in the way.
    func adopt(_ database: Database, _ request: SchemaRequest) async -> Problem?

    /// Prolongs, until it is cancelled, what the run's migrations hold: a pass may have to wait for long between two of them.
    func keep(_ request: SchemaRequest) async

    /// The end of the pass: leases and connections that its migrations needed are given back. May be called without there being any.
    func end(_ request: SchemaRequest) async

    /// Saves the whole database and verifies what was saved. Returns the backup's id.
    func backUp(_ database: Database, _ request: SchemaRequest, progress: @escaping @Sendable (String) -> Void) async -> Result<
        String, Problem
    >

    /// Asks the checks' questions in a read-only transaction. Returns the first wrong answer, nil when all are right.
    func check(_ checks: [DataCheck], of database: Database) async -> Problem?
}

/// Who asks, and for what.
public struct SchemaRequest: Sendable {
    public var system: SystemID
    /// The revision that is reconciled; its commit is recorded with what is applied.
    public var revision: Revision
    /// Of this pass: unique. In the sessions' application name and in the database's own journal.
    public var run: String
    /// For people: `ann@laptop`.
    public var actor: String
    /// What backups and archived scripts are signed with, and nothing else.
    public var key: [UInt8]
    /// False: migrations that no way to the pin leads through are not read closely. Their class is not told then, nor what taking them back
    /// loses.
    public var readsAll = true
    /// Rows that may be lost: those of the transition's approval, 0 where there is none; nil where any number was approved.
    public var approvedRows: Int?
    /// A directory for backups; made when it is needed.
    public var backups: String

    public init(
        system: SystemID, revision: Revision, run: String, actor: String, key: [UInt8], approvedRows: Int? = nil, backups: String
    ) {
        self.system = system
        self.revision = revision
        self.run = run
        self.actor = actor
        self.key = key
        self.approvedRows = approvedRows
        self.backups = backups
    }
}

/// How a migration ended.
public enum MigrationEnd: Sendable, Hashable {
    /// It is applied, or taken back, and recorded; with one line on what was done.
    case done(String)
    /// Nothing of it is left, or what is left is named.
    case failed(Problem)
    /// The end was not seen: the next pass reads the database.
    case undecided(Problem)
}
