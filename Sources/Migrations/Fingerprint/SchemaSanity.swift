public import SQL

/// What is wrong with a schema or its data whoever made it so: after a migration or a restore nothing should be that was not before.
public enum SchemaSanity {
    /// One sorted line a fault: `index public.orders_note is invalid`, `constraint positive of public.orders is not validated`,
    /// `sequence public.orders_id_seq is at 3, behind public.orders.id at 7`; empty when all is well. Reads only.
    ///
    /// Costs two round trips on PostgreSQL where columns have sequences: their maxima are read, which is quick where an index leads.
    /// Columns that the role may not read are passed over.
    public static func lines(on connection: any SQLConnection) async throws(SQLError) -> [String] {
        switch connection.engine {
        case .postgres: try await postgresLines(connection).sorted()
        case .sqlite: try await sqliteLines(connection).sorted()
        }
    }

    private static func postgresLines(_ connection: any SQLConnection) async throws(SQLError) -> [String] {
        var lines: [String] = []
        var questions: [String] = []
        for row in try await connection.query(catalogueQuery).rows {
            if let line = row[0] { lines.append(line) }
            if let question = row[1] { questions.append(question) }
        }
        guard !questions.isEmpty else { return lines }
        for row in try await connection.query(questions.joined(separator: "\nUNION ALL\n")).rows {
            if let line = row[0] { lines.append(line) }
        }
        return lines
    }

    /// Only sequences whose column leads an index are looked at: a maximum without one reads the whole table.
    private static let catalogueQuery = #"""
        WITH own AS (
            SELECT c.oid, c.relname, c.relkind, n.nspname, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname !~ '^(pg|belay_restore)_' AND n.nspname NOT IN ('information_schema', 'belay') AND c.relpersistence <> 't'
        )
        SELECT 'index ' || o.name || ' is invalid' AS line, NULL::text AS question
        FROM pg_catalog.pg_index i JOIN own o ON o.oid = i.indexrelid WHERE NOT i.indisvalid
        UNION ALL
        SELECT 'constraint ' || pg_catalog.quote_ident(c.conname) || ' of ' || o.name || ' is not validated', NULL
        FROM pg_catalog.pg_constraint c JOIN own o ON o.oid = c.conrelid WHERE NOT c.convalidated
        UNION ALL
        SELECT NULL, pg_catalog.format(
            'SELECT pg_catalog.format(%L, CASE WHEN s.is_called THEN s.last_value ELSE s.last_value - %s END, m.top) FROM %s s, '
            || '(SELECT pg_catalog.%s(%I)::numeric AS top FROM %s) m WHERE m.top %s '
            || 'CASE WHEN s.is_called THEN s.last_value ELSE s.last_value - %s END',
            'sequence ' || pg_catalog.replace(o.name, '%', '%%') || ' is at %s, behind '
                || pg_catalog.replace(t.name || '.' || pg_catalog.quote_ident(a.attname), '%', '%%') || ' at %s',
            q.seqincrement, o.name, CASE WHEN q.seqincrement > 0 THEN 'max' ELSE 'min' END, a.attname, t.name,
            CASE WHEN q.seqincrement > 0 THEN '>' ELSE '<' END, q.seqincrement)
        FROM own o JOIN pg_catalog.pg_sequence q ON q.seqrelid = o.oid
        JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = o.oid AND d.refclassid = 1259 AND d.deptype IN ('a', 'i')
        JOIN own t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p')
        JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE NOT q.seqcycle
        AND EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = t.oid AND i.indkey[0] = a.attnum AND i.indisvalid
            AND i.indpred IS NULL)
        AND a.atttypid IN (20, 21, 23, 1700)
        AND pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT') AND CASE WHEN o.relkind = 'S' THEN pg_catalog.has_sequence_privilege(o.oid, 'SELECT') END
        """#

    private static func sqliteLines(_ connection: any SQLConnection) async throws(SQLError) -> [String] {
        var lines = try await connection.query("PRAGMA main.quick_check(20)").rows.compactMap { $0[0] }.filter { $0 != "ok" }
        for row in try await connection.query("SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check() GROUP BY 1, 2").rows {
            lines.append("\(row[2] ?? "some") rows of \(row[0] ?? "a table") refer to rows of \(row[1] ?? "another") that are not there")
        }
        return lines
    }
}
