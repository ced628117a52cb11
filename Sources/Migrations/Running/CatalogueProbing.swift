internal import SQL
internal import SQLParsing

/// What the catalogue says of a statement that may have taken effect.
enum ProbeAnswer: Sendable, Hashable {
    case done, run
    /// Something half done is in the way: these statements take it away, then it is run.
    case repair([String])
    /// This finishes what it began.
    case instead(String)
    case unknown
}

extension CatalogueProbe {
    /// An index may be there and not be usable: that is looked at before every run.
    var isBuilding: Bool {
        switch self {
        case .indexBuilt, .reindexed: true
        default: false
        }
    }

    /// True if a statement that the server ended with an error may have left something: it commits on its way.
    var mayBeHalfDone: Bool {
        switch self {
        case .indexBuilt, .reindexed, .partitionDetached: true
        default: false
        }
    }

    var isOfIndex: Bool {
        switch self {
        case .indexBuilt, .reindexed, .dropped(.index, _): true
        default: false
        }
    }
}

extension MigrationSession {
    /// What is kept before a statement is sent, so that later what it made can be told from what was there.
    func noted(_ probe: CatalogueProbe, _ connection: any SQLConnection) async throws(SQLError) -> String {
        guard archive.engine == .postgres, case .indexBuilt(_, let table) = probe else { return "" }
        return try await connection.query(
            """
            SELECT coalesce(pg_catalog.string_agg(indexrelid::text, ',' ORDER BY indexrelid), '') FROM pg_catalog.pg_index \
            WHERE indrelid = pg_catalog.to_regclass($1::text)
            """, [.text(Self.sql(table))]
        ).scalar ?? ""
    }

    /// The table of contract migrations.md §3.5.
    func probe(
        _ probe: CatalogueProbe, before: String?, isUndo: Bool, _ connection: any SQLConnection
    ) async throws(SQLError) -> ProbeAnswer {
        guard archive.engine == .postgres else { return try await probeOnSQLite(probe, connection) }
        func holds(_ sql: String, _ parameters: String...) async throws(SQLError) -> Bool {
            try await connection.query("SELECT \(sql)", parameters.map(SQLValue.text)).scalar == "t"
        }
        switch probe {
        case .created(let object, let name): return try await holds(Self.exists(object), Self.named(object, name)) ? .done : .run
        case .dropped(let object, let name): return try await holds(Self.exists(object), Self.named(object, name)) ? .run : .done
        case .indexBuilt(let name, let table): return try await probeIndex(name, table, before: before, connection)
        case .reindexed(let name):
            let leftovers = try await connection.query(
                """
                SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_index i \
                JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND n.nspname <> 'pg_toast' \
                AND (pg_catalog.to_regclass($1::text) IS NULL OR i.indrelid = pg_catalog.to_regclass($1::text) OR i.indrelid = \
                (SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass($1::text)))
                """, [.text(Self.sql(name))])
            let names = leftovers.rows.compactMap { $0.first.flatMap { $0 } }
            return names.isEmpty ? .run : .repair(names.map { "DROP INDEX CONCURRENTLY IF EXISTS \($0)" })
        case .columnAdded(let table, let column): return try await holds(Self.hasColumn, Self.sql(table), column) ? .done : .run
        case .columnDropped(let table, let column): return try await holds(Self.hasColumn, Self.sql(table), column) ? .run : .done
        case .constraintAdded(let table, let constraint):
            return try await holds(Self.hasConstraint, Self.sql(table), constraint) ? .done : .run
        case .constraintDropped(let table, let constraint):
            return try await holds(Self.hasConstraint, Self.sql(table), constraint) ? .run : .done
        case .constraintValidated(let table, let constraint):
            return try await holds(
                """
                EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = pg_catalog.to_regclass($1::text) AND convalidated \
                AND conname = $2::text)
                """, Self.sql(table), constraint) ? .done : .run
        case .notNullSet(let table, let column):
            return try await holds(
                """
                EXISTS (SELECT 1 FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1::text) AND attnotnull \
                AND attname = $2::text)
                """, Self.sql(table), column) ? .done : .run
        case .enumValueAdded(let type, let value):
            return try await holds(
                """
                EXISTS (SELECT 1 FROM pg_catalog.pg_enum WHERE enumtypid = pg_catalog.to_regtype($1::text) AND enumlabel = $2::text)
                """, Self.sql(type), value) ? .done : .run
        case .partitionDetached(let parent, let partition):
            let pending = version >= 140_000 ? "inhdetachpending::text" : "'false'"
            let answer = try await connection.query(
                """
                SELECT \(pending) FROM pg_catalog.pg_inherits WHERE inhparent = pg_catalog.to_regclass($1::text) \
                AND inhrelid = pg_catalog.to_regclass($2::text)
                """, [.text(Self.sql(parent)), .text(Self.sql(partition))])
            guard let pending = answer.scalar else { return .done }
            return pending == "true" ? .instead("ALTER TABLE \(Self.sql(parent)) DETACH PARTITION \(Self.sql(partition)) FINALIZE") : .run
        case .repeatable: return .run
        case .ambiguous: return .unknown
        }
    }

    private func probeIndex(
        _ name: String?, _ table: String, before: String?, _ connection: any SQLConnection
    ) async throws(SQLError) -> ProbeAnswer {
        let answer = try await connection.query(
            """
            SELECT i.indexrelid::text, i.indisvalid AND i.indisready, pg_catalog.format('%I.%I', n.nspname, c.relname), \
            EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) \
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
            WHERE i.indrelid = pg_catalog.to_regclass($1::text) AND ($2::text IS NULL OR c.relname = $2::text)
            """, [.text(Self.sql(table)), .optional(name.map { ObjectName($0).last })])
        let old = Set((before ?? "").split(separator: ",").map(String.init))
        for row in answer.rows {
            guard row.count == 4, let id = row[0], let index = row[2] else { continue }
            // Without a name only what came into being since then can be the statement's.
            if name == nil, before == nil || old.contains(id) { continue }
            if row[1] == "t" { return old.contains(id) && before != nil ? .run : .done }
            if row[3] == "t" {
                throw SQLError(.statement, "\(index) is being built by another session", sqlState: "55P03", hint: "wait for it")
            }
            return .repair(["DROP INDEX CONCURRENTLY IF EXISTS \(index)"])
        }
        return .run
    }

    /// As the functions of the catalogue read it.
    private static func sql(_ name: String) -> String { ObjectName(name).quoted }

    /// What ``exists(_:)`` asks for.
    private static func named(_ object: CatalogueProbe.Object, _ name: String) -> String {
        switch object {
        case .function, .trigger, .extension: ObjectName(name).last
        default: sql(name)
        }
    }

    private static let hasColumn = """
        EXISTS (SELECT 1 FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1::text) AND attnum > 0 AND NOT attisdropped \
        AND attname = $2::text)
        """

    private static let hasConstraint = """
        EXISTS (SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid = pg_catalog.to_regclass($1::text) AND conname = $2::text)
        """

    private static func exists(_ object: CatalogueProbe.Object) -> String {
        switch object {
        case .table, .view, .materializedView, .index, .sequence: "pg_catalog.to_regclass($1::text) IS NOT NULL"
        case .type: "pg_catalog.to_regtype($1::text) IS NOT NULL"
        case .schema: "pg_catalog.to_regnamespace($1::text) IS NOT NULL"
        case .function: "EXISTS (SELECT 1 FROM pg_catalog.pg_proc WHERE proname = $1::text)"
        case .trigger: "EXISTS (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgname = $1::text)"
        case .extension: "EXISTS (SELECT 1 FROM pg_catalog.pg_extension WHERE extname = $1::text)"
        }
    }

    private func probeOnSQLite(_ probe: CatalogueProbe, _ connection: any SQLConnection) async throws(SQLError) -> ProbeAnswer {
        func isThere(_ name: String) async throws(SQLError) -> Bool {
            try await connection.query(
                "SELECT 1 FROM sqlite_master WHERE lower(name) = lower(?1)", [.text(ObjectName(name).last)]
            ).scalar != nil
        }
        func hasColumn(_ table: String, _ column: String) async throws(SQLError) -> Bool {
            try await connection.query(
                "SELECT 1 FROM pragma_table_info(?1) WHERE lower(name) = lower(?2)",
                [.text(ObjectName(table).last), .text(column)]
            ).scalar != nil
        }
        switch probe {
        case .created(_, let name): return try await isThere(name) ? .done : .run
        case .dropped(_, let name): return try await isThere(name) ? .run : .done
        case .columnAdded(let table, let column): return try await hasColumn(table, column) ? .done : .run
        case .columnDropped(let table, let column): return try await hasColumn(table, column) ? .run : .done
        case .repeatable: return .run
        default: return .unknown
        }
    }
}
