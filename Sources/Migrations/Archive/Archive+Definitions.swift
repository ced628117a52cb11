internal import SQL

extension Archive {
    /// How a table is made on either engine. The columns are those of contract migrations.md §3.3; beside them `since` of the lease, for
    /// people, and `fp_lines_after`, for differences. A run is text: whoever starts it names it.
    static func definitions(_ tables: ArchiveTables) -> [String: (postgres: String, sqlite: String)] {
        let states = ArchiveRow.State.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return [
            tables.archive: (
                """
                CREATE TABLE \(tables.archive) (version text PRIMARY KEY, name text NOT NULL, seq bigint NOT NULL, \
                state text NOT NULL CHECK (state IN (\(states))), up_sql text, down_sql text, \
                up_tx boolean NOT NULL, down_tx boolean NOT NULL, up_sha256 bytea, up_fp text, down_sha256 bytea, \
                source_commit text, source_path text, format text, \
                fp_before text, fp_after text, fp_lines_before text, fp_lines_after text, \
                applied_at timestamptz, applied_by text, run_id text, duration_ms bigint, sig bytea NOT NULL); \
                CREATE INDEX migration_archive_seq ON \(tables.archive) (seq); 
                """,
                """
                CREATE TABLE IF NOT EXISTS \(tables.archive) (version TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, seq INTEGER NOT NULL, \
                state TEXT NOT NULL CHECK (state IN (\(states))), up_sql TEXT, down_sql TEXT, \
                up_tx INTEGER NOT NULL, down_tx INTEGER NOT NULL, up_sha256 BLOB, up_fp TEXT, down_sha256 BLOB, \
                source_commit TEXT, source_path TEXT, format TEXT, \
                fp_before TEXT, fp_after TEXT, fp_lines_before TEXT, fp_lines_after TEXT, \
                applied_at TEXT, applied_by TEXT, run_id TEXT, duration_ms INTEGER, sig BLOB NOT NULL)
                """
            ),
            tables.journal: (
                """
                CREATE TABLE \(tables.journal) (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id text, epoch bigint, \
                version text, direction text, event text, stmt_index int, stmt_sha bytea, xid text, sqlstate text, message text, \
                at timestamptz DEFAULT pg_catalog.clock_timestamp(), actor text, git_commit text); \
                CREATE INDEX migration_journal_version ON \(tables.journal) (version, id); 
                """,
                """
                CREATE TABLE IF NOT EXISTS \(tables.journal) (id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT, epoch INTEGER, \
                version TEXT, direction TEXT, event TEXT, stmt_index INTEGER, stmt_sha BLOB, xid TEXT, sqlstate TEXT, message TEXT, \
                at TEXT DEFAULT (\(ArchiveTables.now(.sqlite))), actor TEXT, git_commit TEXT)
                """
            ),
            tables.lease: (
                """
                CREATE TABLE \(tables.lease) (id int PRIMARY KEY DEFAULT 1 CHECK (id = 1), holder text, epoch bigint NOT NULL, \
                since timestamptz, expires_at timestamptz); 
                """,
                """
                CREATE TABLE IF NOT EXISTS \(tables.lease) (id INTEGER PRIMARY KEY DEFAULT 1 CHECK (id = 1), holder TEXT, \
                epoch INTEGER NOT NULL, since TEXT, expires_at TEXT)
                """
            ),
            tables.backup: (
                """
                CREATE TABLE \(tables.backup) (id uuid PRIMARY KEY, kind text, uri text, sha256 bytea, bytes bigint, scope text[], \
                snapshot_lsn pg_lsn, taken_at timestamptz, verified_at timestamptz, verify_report jsonb, before_version text, \
                retention_until timestamptz); 
                """,
                """
                CREATE TABLE IF NOT EXISTS \(tables.backup) (id TEXT PRIMARY KEY NOT NULL, kind TEXT, uri TEXT, sha256 BLOB, bytes INTEGER, \
                scope TEXT, snapshot_lsn TEXT, taken_at TEXT, verified_at TEXT, verify_report TEXT, before_version TEXT, retention_until TEXT)
                """
            ),
            tables.layout: (
                "CREATE TABLE \(tables.layout) (id int PRIMARY KEY DEFAULT 1 CHECK (id = 1), version int NOT NULL); ",
                "CREATE TABLE IF NOT EXISTS \(tables.layout) (id INTEGER PRIMARY KEY DEFAULT 1 CHECK (id = 1), version INTEGER NOT NULL)"
            ),
        ]
    }
}
