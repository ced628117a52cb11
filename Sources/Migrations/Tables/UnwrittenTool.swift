/// A tool whose table is recognised and left alone: its migrations are no pairs of SQL scripts, or its records cannot be kept in its own way.
struct UnwrittenTool: Sendable, Hashable {
    let name: String
    /// What its table is usually called.
    let table: String
    /// Columns that its table has, whatever else it has.
    let columns: Set<String>

    static let all: [UnwrittenTool] = [
        .init(name: "alembic", table: "alembic_version", columns: ["version_num"]),
        .init(
            name: "Atlas", table: "atlas_schema_revisions", columns: ["version", "applied", "total", "hash", "partial_hashes"]),
        .init(name: "pgroll", table: "migrations", columns: ["schema", "name", "migration", "parent", "done"]),
        .init(name: "Ecto", table: "schema_migrations", columns: ["version", "inserted_at"]),
        .init(name: "sqitch", table: "changes", columns: ["change_id", "script_hash", "change", "project"]),
        .init(name: "Play", table: "play_evolutions", columns: ["id", "hash", "apply_script", "revert_script", "state"]),
        .init(name: "Movine", table: "movine_migrations", columns: ["name", "hash", "down_sql"]),
        .init(name: "kriasoft/sqlite", table: "migrations", columns: ["id", "name", "up", "down"]),
        .init(name: "Prisma", table: "_prisma_migrations", columns: ["id", "checksum", "migration_name", "applied_steps_count"]),
        .init(name: "Django", table: "django_migrations", columns: ["id", "app", "name", "applied"]),
        .init(name: "Liquibase", table: "databasechangelog", columns: ["id", "author", "filename", "md5sum"]),
    ]

    /// The table beside which a table of versions belongs to Rails, not to dbmate.
    static let railsCompanion = "ar_internal_metadata"
    static let rails = UnwrittenTool(name: "Rails", table: "schema_migrations", columns: ["version"])

    /// Whose table it is; nil for one of nobody known.
    init?(columns found: Set<String>) {
        guard let tool = Self.all.first(where: { $0.columns.isSubset(of: found) }) else { return nil }
        self = tool
    }

    private init(name: String, table: String, columns: Set<String>) {
        self.name = name
        self.table = table
        self.columns = columns
    }
}
