internal import Crypto
internal import Model
internal import SQL

/// The schema of a database as one text a line, and what they are together.
struct SchemaState: Sendable, Hashable {
    var hash: String
    var lines: [String]

    static func read(on connection: any SQLConnection) async throws(Problem) -> SchemaState {
        let sql =
            connection.engine == .sqlite
            ? "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND tbl_name NOT LIKE '\\_belay\\_%' ESCAPE '\\' ORDER BY 1"
            : """
            SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'belay')
            UNION ALL SELECT 'column ' || n.nspname || '.' || c.relname || '.' || a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
              FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'belay') AND c.relkind IN ('r', 'p', 'v', 'm')
            UNION ALL SELECT 'constraint ' || conrelid::pg_catalog.regclass::text || ' ' || pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
              WHERE conrelid <> 0 AND connamespace::pg_catalog.regnamespace::text NOT IN ('belay', 'pg_catalog', 'information_schema')
            UNION ALL SELECT 'index ' || indexdef FROM pg_catalog.pg_indexes WHERE schemaname !~ '^pg_' AND schemaname NOT IN ('information_schema', 'belay')
            ORDER BY 1
            """
        let lines = try await connection.ask(sql, for: "cannot read the schema").rows.compactMap { $0.first ?? nil }
        let digest = SHA256.hash(data: Array(lines.joined(separator: "\n").utf8))
        return SchemaState(hash: digest.map { String(paddedTo: 2, UInt64($0)) }.joined(), lines: lines)
    }

    /// What this one has and lacks against another, a line each: `+ column …`, `- index …`. At most 200.
    func differences(from expected: [String]) -> [String] {
        let (own, other) = (Set(lines), Set(expected))
        return Array((own.subtracting(other).sorted().map { "+ \($0)" } + other.subtracting(own).sorted().map { "- \($0)" }).prefix(200))
    }
}
