/// What a statement does, as far as its parse tree tells. For what it costs see contract migrations.md §3.8; for phases §3.9.
public struct StatementFacts: Sendable, Hashable {
    /// Ordered: D0 to D3.
    public enum Risk: Int, Sendable, Codable, Comparable {
        case additive, availability, rowsAtRisk, dataLoss
        public static func < (left: Risk, right: Risk) -> Bool { left.rawValue < right.rawValue }
    }

    public enum Phase: String, Sendable, Codable {
        /// Additive, and safe for releases that know nothing of it.
        case expand
        /// Takes something away or narrows it: releases that need the old form must be gone.
        case contract
        /// Changes data only.
        case backfill
    }

    public enum TransactionControl: String, Sendable, Codable {
        case begin, commit, rollback, savepoint
    }

    /// What is lost or at risk.
    public struct Loss: Sendable, Hashable, Codable {
        public enum Kind: String, Sendable, Codable {
            /// The whole table goes: `DROP TABLE`, `TRUNCATE`, `DELETE` without a condition.
            case table
            /// One column's values.
            case column
            case schema, sequence, view, type, database, `extension`
            /// Some rows, chosen by a condition that only the server can count.
            case rows
            /// It cannot be told from the statement: a function call, a `DO` block.
            case opaque
        }

        public var kind: Kind
        /// As the statement means it, qualified where it is: `public.orders`, `public.Orders`. Empty for ``Kind/opaque``. There are no
        /// quotation marks, except around a part that holds a dot or a quotation mark itself.
        public var object: String
        /// For ``Kind/column``.
        public var column: String?
        /// True if dependents go with it (`CASCADE`): they have to be looked up in the catalogue.
        public var cascades: Bool
        /// Where it may be found before the script runs, all of them, written as ``object`` is. Empty where that is ``object`` itself: names
        /// mean something else behind a renaming or a new `search_path`.
        public var origins: [String] = []
        /// The column's name before the script runs, where it is another.
        public var originColumn: String?
        /// Of ``Kind/rows``: which rows it takes, as it is written behind the table in a query: ` AS o WHERE o.id < 7`. Nil where that cannot
        /// be asked before: a statement before it may have changed rows, or the condition calls functions or reads other tables.
        public var condition: String?
        /// True if a statement before it may have changed what its name means, and it cannot be told to what.
        public var isUncertain = false

        /// What ``object`` is called before the script runs: every name that it may have then.
        public var names: [ObjectName] { origins.isEmpty ? [ObjectName(object)] : origins.map(ObjectName.init) }

        public init(_ kind: Kind, _ object: String, column: String? = nil, cascades: Bool = false, condition: String? = nil) {
            self.kind = kind
            self.object = object
            self.column = column
            self.cascades = cascades
            self.condition = condition
        }
    }

    public var risk: Risk
    public var phase: Phase
    public var losses: [Loss]
    /// True if it cannot run inside a transaction block (§3.5).
    public var isNonTransactional: Bool
    public var control: TransactionControl?
    /// How its effect is seen in the catalogue, for a statement whose answer was lost (§3.5).
    public var probe: CatalogueProbe
    /// Tables and other relations that it names, each once, written as ``Loss/object`` is.
    public var relations: [String]
    /// What it needs on relations that are there before its script runs. PostgreSQL only.
    public internal(set) var rights: [NeededRight] = []
    /// What it changes in the meaning of names behind it.
    var naming: NameChange?
    /// One line: `DROP TABLE orders`.
    public var summary: String
    /// Whatever else a reviewer should know: `ACCESS EXCLUSIVE while the table is rewritten`.
    public var cautions: [String]

    public init(
        risk: Risk, phase: Phase, losses: [Loss] = [], isNonTransactional: Bool = false, control: TransactionControl? = nil,
        probe: CatalogueProbe = .ambiguous, relations: [String] = [], summary: String, cautions: [String] = []
    ) {
        self.risk = risk
        self.phase = phase
        self.losses = losses
        self.isNonTransactional = isNonTransactional
        self.control = control
        self.probe = probe
        self.relations = relations
        self.summary = summary
        self.cautions = cautions
    }
}

/// How to tell from the catalogue whether a statement has taken effect. Names are written as ``StatementFacts/Loss/object`` is.
public enum CatalogueProbe: Sendable, Hashable, Codable {
    public enum Object: String, Sendable, Codable {
        case table, view, materializedView, index, sequence, type, schema, function, trigger, `extension`
    }

    /// The object is there once it has run.
    case created(Object, String)
    /// The object is gone once it has run.
    case dropped(Object, String)
    /// `CREATE INDEX CONCURRENTLY`: there and valid; there and invalid means that it has to be dropped and run again.
    case indexBuilt(name: String?, table: String)
    /// `REINDEX … CONCURRENTLY`: run again, after invalid leftovers `*_ccnew` and `*_ccold` are dropped.
    case reindexed(String)
    case columnAdded(table: String, column: String)
    case columnDropped(table: String, column: String)
    case constraintAdded(table: String, constraint: String)
    case constraintDropped(table: String, constraint: String)
    case constraintValidated(table: String, constraint: String)
    case notNullSet(table: String, column: String)
    /// `ALTER TYPE … ADD VALUE`.
    case enumValueAdded(type: String, value: String)
    /// `DETACH PARTITION CONCURRENTLY`.
    case partitionDetached(parent: String, partition: String)
    /// Running it again does no harm: `VACUUM`, `ANALYZE`, `REFRESH`.
    case repeatable
    /// Nothing in the catalogue tells: data changes, `DO`, function calls.
    case ambiguous
}
