public import MigrationFiles

/// Whose table it is that records what is applied: contract migrations.md §1.2.
public enum TableKind: String, Sendable, Hashable, CaseIterable {
    case runbook, dbmate, goose, sqlx, diesel, flyway
    case golangMigrate = "golang-migrate"
    case sqlMigrate = "sql-migrate"
    case nodePgMigrate = "node-pg-migrate"
    case tern
    /// Belay's own for plain pairs: the version is the whole stem.
    case stem

    /// The tool's own name for its table.
    public var defaultName: String {
        switch self {
        case .runbook, .dbmate, .golangMigrate: "schema_migrations"
        case .goose: "goose_db_version"
        case .sqlMigrate: "gorp_migrations"
        case .sqlx: "_sqlx_migrations"
        case .diesel: "__diesel_schema_migrations"
        case .nodePgMigrate: "pgmigrations"
        case .flyway: "flyway_schema_history"
        case .tern: "schema_version"
        case .stem: "belay_schema_migrations"
        }
    }

    /// The table that belongs to a format.
    public init(_ format: MigrationFormat) {
        self =
            switch format {
            case .runbook: .runbook
            case .dbmate: .dbmate
            case .golangMigrate: .golangMigrate
            case .goose: .goose
            case .sqlMigrate: .sqlMigrate
            case .sqlx: .sqlx
            case .diesel: .diesel
            case .nodePgMigrate: .nodePgMigrate
            case .flyway: .flyway
            case .tern: .tern
            case .stem: .stem
            }
    }

    /// What tells the table: its columns, whatever its name is. Nil for a table that is none of these.
    init?(columns: Set<String>) {
        let shapes: [(TableKind, Set<String>)] = [
            (.flyway, ["installed_rank", "version", "description", "script", "checksum", "success"]),
            (.sqlx, ["version", "description", "installed_on", "success", "checksum", "execution_time"]),
            (.goose, ["id", "version_id", "is_applied", "tstamp"]), (.runbook, ["version", "name", "applied_at", "checksum"]),
            (.golangMigrate, ["version", "dirty"]), (.diesel, ["version", "run_on"]), (.nodePgMigrate, ["id", "name", "run_on"]),
            (.sqlMigrate, ["id", "applied_at"]), (.stem, ["version", "stem", "applied_at"]), (.dbmate, ["version"]),
        ]
        guard let found = shapes.first(where: { $0.1 == columns || ($0.0 == .flyway && $0.1.isSubset(of: columns)) }) else { return nil }
        self = found.0
    }

    /// Only the highest version is recorded: everything below it is presumed.
    var isHighWaterMark: Bool { self == .golangMigrate || self == .tern }
}
