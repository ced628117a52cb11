/// How a directory of migrations is written: contract migrations.md §1.
public enum MigrationFormat: String, Sendable, Hashable, Codable, CaseIterable {
    /// The manager of the runbook: one file, `-- UP MIGRATION` and `-- DOWN MIGRATION`.
    case runbook
    case dbmate
    case golangMigrate = "golang-migrate"
    case goose
    case sqlMigrate = "sql-migrate"
    case sqlx
    case diesel
    case nodePgMigrate = "node-pg-migrate"
    case flyway
    case tern
    /// Plain pairs: `STEM.up.sql` and `STEM.down.sql`; the whole stem is the version.
    case stem
}

/// In which order migrations are applied.
public enum MigrationOrder: String, Sendable, Hashable, Codable, CaseIterable {
    /// By the leading digits as a number, then by the bytes of the stem.
    case numeric
    /// By the bytes of the stem.
    case lexical
}
