public import Model

/// What a restore will do, to be read before it is done. It changes nothing by itself.
public struct RestorePlan: Sendable, Hashable, Codable {
    public enum Strategy: String, Sendable, Hashable, Codable, CaseIterable {
        /// A new database is filled beside the live one and takes its name. Needs the right to make databases.
        case swap
        /// One transaction empties the live database and fills it again.
        case inPlace = "in-place"
        /// The tables of a scoped backup are put back where they are missing.
        case tables
        /// The tables of a scoped backup are put into a schema of their own, because they, or what belongs to them, are there.
        case beside
        /// A SQLite file takes the place of another.
        case file
    }

    public enum Origin: Sendable, Hashable, Codable {
        case backup(BackupID)
        /// A dump in `pg_dump`'s custom format, an SQL script, or a SQLite file.
        case path(String)
    }

    public enum Stage: String, Sendable, Hashable, Codable {
        case fresh
        /// An earlier run filled and compared the new database: what is left is to switch over.
        case filled
        /// It was done already.
        case done
    }

    /// A table and how many rows it has now and would have.
    public struct TableChange: Sendable, Hashable, Codable {
        public var name: TableName
        /// Nil when it is not in the backup, or not counted.
        public var saved: Int?
        /// Nil when it is not in the live database, or not counted.
        public var now: Int?

        public init(name: TableName, saved: Int?, now: Int?) {
            self.name = name
            self.saved = saved
            self.now = now
        }
    }

    /// In the names of the databases that it makes.
    public var id: BackupID
    public var origin: Origin
    /// Nil for a path.
    public var backup: BackupManifest?
    /// The live database, or the path of the live file.
    public var database: String
    public var strategy: Strategy
    public var stage: Stage
    /// Of the live database, on disk.
    public var liveBytes: Int
    /// Of the dump.
    public var dumpBytes: Int
    /// Tables whose number of rows differs, or is not known, sorted by name.
    public var tables: [TableChange]
    /// Every table of the live database, with its rows.
    public var now: [BackupManifest.Table] = []
    /// What will happen, in order.
    public var steps: [String]
    public var cautions: [String]
    /// What nobody does for you: publications, subscriptions, replication slots.
    public var manual: [String]
    /// What becomes of the live database's name.
    public var keptAs: String?
    /// The newest restore, where it brought the same backup back already.
    public var repeats: BackupID?
    /// What is restored holds no table at all, as far as a plan can see.
    public var isOfNothing = false
    /// Whether a restore may leave a database without tables.
    public var allowsNothing = false

    public init(
        id: BackupID, origin: Origin, backup: BackupManifest?, database: String, strategy: Strategy, stage: Stage = .fresh,
        liveBytes: Int = 0,
        dumpBytes: Int = 0, tables: [TableChange] = [], steps: [String] = [], cautions: [String] = [], manual: [String] = [],
        keptAs: String? = nil
    ) {
        self.id = id
        self.origin = origin
        self.backup = backup
        self.database = database
        self.strategy = strategy
        self.stage = stage
        self.liveBytes = liveBytes
        self.dumpBytes = dumpBytes
        self.tables = tables
        self.steps = steps
        self.cautions = cautions
        self.manual = manual
        self.keptAs = keptAs
    }

    /// What is told of a restore that would leave no table.
    public var nothing: Problem {
        let what =
            switch origin {
            case .backup(let id): "the backup \(id)"
            case .path(let path): path
            }
        return Problem(
            "NothingToRestore", "\(what) holds no table: nothing would be left of \(database)",
            next: "name another backup; to empty the database all the same: --force")
    }

    /// Rows that are there now and not in the backup, as far as the numbers tell: updates and exchanged rows do not show.
    public var rowsNewer: Int { tables.reduce(0) { $1.name.isBelays ? $0 : $0 + max(0, ($1.now ?? 0) - ($1.saved ?? $1.now ?? 0)) } }

    var newerRows: String { rowsNewer == 1 ? "one row is newer than the backup" : "\(rowsNewer) rows are newer than the backup" }

    /// The tables whose numbers differ between two counts.
    static func changes(saved: [BackupManifest.Table]?, now: [BackupManifest.Table]) -> [TableChange] {
        guard let saved else { return now.map { TableChange(name: $0.name, saved: nil, now: $0.rows) }.sorted { $0.name < $1.name } }
        let before = Dictionary(saved.map { ($0.name, $0.rows) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(now.map { ($0.name, $0.rows) }, uniquingKeysWith: { first, _ in first })
        return Set(before.keys).union(after.keys).sorted().compactMap { name in
            let (old, new) = (before[name] ?? nil, after[name] ?? nil)
            return old == new && old != nil ? nil : TableChange(name: name, saved: old, now: new)
        }
    }
}

/// How a restore ended.
public struct RestoreResult: Sendable, Hashable, Codable {
    public var plan: RestorePlan
    /// The backup of what was there before; nil where an earlier run took it and did not say which.
    public var safety: BackupID?
    /// Where the former database is: the name of a database or the path of a file; nil after a restore in place, which keeps only ``safety``.
    public var keptAs: String?
    /// Rows that the former database has and the restored one has not, or the other way round, counted after the switch.
    public var tables: [RestorePlan.TableChange]
    public var lines: [String]
    /// SQL that brings rows and columns back from what was put beside the live tables, a line each; nobody ran it.
    public var statements: [String] = []

    public init(plan: RestorePlan, safety: BackupID?, keptAs: String?, tables: [RestorePlan.TableChange] = [], lines: [String] = []) {
        self.plan = plan
        self.safety = safety
        self.keptAs = keptAs
        self.tables = tables
        self.lines = lines
    }
}
