public import SQL

/// The names of Belay's own tables, as they stand in SQL: in a schema of their own on PostgreSQL, with a prefix on SQLite.
public struct ArchiveTables: Sendable, Hashable {
    public var archive: String
    public var journal: String
    public var lease: String
    public var backup: String
    /// One row: the layout of the others.
    public var layout: String

    public init(_ engine: SQLEngine) {
        let prefix =
            switch engine {
            case .postgres: "belay."
            case .sqlite: "_belay_"
            }
        archive = prefix + "migration_archive"
        journal = prefix + "migration_journal"
        lease = prefix + "migration_lease"
        backup = prefix + "backup"
        layout = prefix + "layout"
    }

    var all: [String] { [archive, journal, lease, backup, layout] }

    /// Text for the time of the database's own clock.
    static func now(_ engine: SQLEngine) -> String {
        switch engine {
        case .postgres: "pg_catalog.clock_timestamp()"
        case .sqlite: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        }
    }
}
