internal import Model
internal import SQL

/// Which tables a database has, how large they are and how many rows are in them.
enum TableCensus {
    /// A table above this size is not counted row by row.
    private static let countedBytes = 8 << 30
    /// How many tables are counted by one statement.
    private static let batch = 40

    struct Relation: Sendable {
        var table: BackupManifest.Table
        /// `pg_class.relkind`.
        var kind: String
    }

    /// Every table that a dump of the whole database holds: not those of the system, and not those that an extension brings along.
    static func all(on connection: any SQLConnection) async throws(Problem) -> [Relation] {
        switch connection.engine {
        case .postgres:
            try await relations(
                """
                SELECT n.nspname, c.relname, c.relkind, pg_catalog.pg_total_relation_size(c.oid)
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
                  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                  AND d.objid = c.oid AND d.deptype = 'e')
                ORDER BY 1, 2
                """, on: connection)
        case .sqlite:
            try await relations(
                "SELECT 'main', name, 'r', 0 FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
                on: connection)
        }
    }

    /// The named tables of a PostgreSQL database with their partitions and inheriting tables: `pg_dump -t` takes each by its name alone.
    static func expanding(_ names: [TableName], on connection: any SQLConnection) async throws(Problem) -> [Relation] {
        let wanted = names.map {
            "(\(SQLLiteral.quoted($0.schema, for: .postgres)), \(SQLLiteral.quoted($0.name, for: .postgres)))"
        }
        let found = try await relations(
            """
            WITH RECURSIVE wanted(oid) AS (
              SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
              WHERE (n.nspname::text, c.relname::text) IN (\(wanted.joined(separator: ", "))) AND c.relkind NOT IN ('i', 'I', 't', 'c')
              UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN wanted w ON w.oid = i.inhparent)
            SELECT n.nspname, c.relname, c.relkind, pg_catalog.pg_total_relation_size(c.oid)
            FROM wanted w JOIN pg_catalog.pg_class c ON c.oid = w.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ORDER BY 1, 2
            """, on: connection)
        let missing = Set(names).subtracting(found.map(\.table.name)).sorted()
        guard missing.isEmpty else {
            throw Problem(
                "BackupFailed", "what is to be saved is not there: \(missing.map(\.description).joined(separator: ", "))",
                next: "plan again: the schema has changed since")
        }
        return found
    }

    private static func relations(_ sql: String, on connection: any SQLConnection) async throws(Problem) -> [Relation] {
        try await connection.ask(sql, for: "cannot list the tables").rows.compactMap { row in
            guard row.count == 4, let schema = row[0], let name = row[1], let kind = row[2] else { return nil }
            let table = BackupManifest.Table(name: TableName(schema: schema, name: name), bytes: row[3].flatMap { Int($0) } ?? 0)
            return Relation(table: table, kind: kind)
        }
    }

    /// The same tables with the rows that the session's snapshot sees.
    static func counting(_ relations: [Relation], on connection: any SQLConnection) async throws(Problem) -> [BackupManifest.Table] {
        let only = connection.engine == .postgres ? "ONLY " : ""
        var counted: [TableName: Int] = [:]
        let countable = relations.map(\.table).enumerated().filter { index, table in
            ["r", "p"].contains(relations[index].kind) && table.bytes <= countedBytes
        }.map(\.element)
        var rest = countable[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(batch))
            rest = rest.dropFirst(batch)
            let questions = some.enumerated().map { index, table in
                let name = connection.engine == .postgres ? table.name.quoted : SQLIdentifier.quoted(table.name.name)
                return "SELECT \(index), (SELECT count(*) FROM \(only)\(name))"
            }
            let rows = try await connection.ask(questions.joined(separator: " UNION ALL "), for: "cannot count rows").rows
            for row in rows {
                guard let index = row[0].flatMap({ Int($0) }), let count = row[1].flatMap({ Int($0) }) else { continue }
                counted[some[index].name] = count
            }
        }
        return relations.map { relation in
            var table = relation.table
            table.rows = counted[table.name]
            return table
        }
    }
}
