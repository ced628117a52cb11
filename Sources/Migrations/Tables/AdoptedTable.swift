public import MigrationFiles
public import Model
public import SQL

/// The table of a migration tool, read and written in that tool's own layout, so that the tool keeps working.
public struct AdoptedTable: Sendable, Hashable {
    public var kind: TableKind
    /// Quoted, and with its schema on PostgreSQL: a script may have changed the search path.
    public var name: String
    public var engine: SQLEngine

    public init(kind: TableKind, name: String, engine: SQLEngine) {
        self.kind = kind
        self.name = name
        self.engine = engine
    }

    /// ``name`` without its quotation marks: `public.schema_migrations`.
    var plainName: String { name.replacing("\"\"", with: "\u{1}").replacing("\"", with: "").replacing("\u{1}", with: "\"") }

    /// What a search came to.
    public enum Search: Sendable, Hashable {
        case found(AdoptedTable)
        /// There is none yet: it is made with the first migration.
        case none(AdoptedTable)
        case refused(Problem)
    }

    /// Looks for the table: under the name that is given, else under the name that the format's tool uses. Its columns decide what it is.
    /// A table of another tool is refused, and so is a database in which only another tool has recorded something, unless the table is named.
    /// - Parameter database: for messages.
    public static func find(
        on connection: any SQLConnection, named: String?, format: MigrationFormat, database: ResourceID
    ) async throws(SQLError) -> Search {
        let search = TableSearch(named: named, format: format, engine: connection.engine)
        return search.result(try await connection.query(search.query), database: database)
    }
}

/// The search for a tool's table, as one query and what its answer means.
struct TableSearch: Sendable {
    private let expected: TableKind
    private let wanted: WrittenTableName
    private let isNamed: Bool
    private let engine: SQLEngine

    init(named: String?, format: MigrationFormat, engine: SQLEngine) {
        expected = TableKind(format)
        wanted = WrittenTableName(named ?? expected.defaultName)
        isNamed = named != nil
        self.engine = engine
    }

    /// Where the table is, if it is where one would make it.
    var guess: AdoptedTable { AdoptedTable(kind: expected, name: wanted.quoted(for: engine), engine: engine) }

    var query: String { TableShape.query(engine, named: wanted) }

    func result(_ rows: SQLRows, database: ResourceID) -> AdoptedTable.Search {
        let tables = TableShape.all(rows)
        let candidates = tables.filter { wanted.names($0) }
        let fitting = candidates.filter { $0.fits(expected) }
        guard fitting.count <= 1 else {
            return .refused(
                Problem(
                    "MigrationsTableAmbiguous",
                    "\(database): there are several tables \(wanted.table): \(fitting.map(\.quoted).joined(separator: ", "))",
                    next: "set migrations.table to one of them, with its schema"))
        }
        if let found = fitting.first {
            if expected == .dbmate, tables.contains(where: { $0.schema == found.schema && $0.table == UnwrittenTool.railsCompanion }) {
                return .refused(Self.unwritten(UnwrittenTool.rails.name, found, database))
            }
            return .found(AdoptedTable(kind: expected, name: found.quoted, engine: engine))
        }
        if let other = candidates.first ?? (isNamed ? nil : tables.first { $0.isSomebodys }) {
            return .refused(other.tool.map { Self.unwritten($0.name, other, database) } ?? Self.mismatch(expected, other, database))
        }
        return .none(guess)
    }

    private static func mismatch(_ expected: TableKind, _ found: TableShape, _ database: ResourceID) -> Problem {
        let whose = TableKind(columns: found.columns).map { "that of \($0.rawValue)" } ?? "of a kind that Belay does not know"
        return Problem(
            "WrongMigrationsTable",
            "\(database): the migrations are written for \(expected.rawValue), and the table \(found.quoted) is \(whose) "
                + "(columns \(found.columns.sorted().joined(separator: ", ")))",
            next: "set migrations.format or migrations.table so that the two fit")
    }

    private static func unwritten(_ tool: String, _ found: TableShape, _ database: ResourceID) -> Problem {
        Problem(
            "WrongMigrationsTable", "\(database): \(tool) records its migrations in \(found.quoted), and Belay does not write that",
            next: "to take over from \(tool), set migrations.table to a name of its own, and migrations.baseline to the last migration "
                + "that is applied")
    }
}

extension AdoptedTable {
    /// True if the database holds tables of somebody's, apart from Belay's own.
    /// - Parameter adopted: quoted; a table of records is no data.
    public static func hasUserTables(_ connection: any SQLConnection, besides adopted: String? = nil) async throws(SQLError) -> Bool {
        let sql =
            switch connection.engine {
            case .postgres:
                """
                SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'belay') \
                AND n.nspname NOT LIKE 'pg\\_%' \
                AND '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"' IS DISTINCT FROM $1 \
                AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass \
                AND d.objid = c.oid AND d.deptype = 'e'))
                """
            case .sqlite:
                """
                SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                AND name NOT LIKE '\\_belay\\_%' ESCAPE '\\' AND '"' || replace(name, '"', '""') || '"' IS NOT ?1)
                """
            }
        return ["t", "1"].contains(try await connection.query(sql, [.optional(adopted)]).scalar)
    }
}

/// A table's name as a spec has it.
private struct WrittenTableName {
    let schema: String?
    let table: String

    init(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 1).map(String.init)
        schema = parts.count == 2 ? parts[0] : nil
        table = parts.last ?? text
    }

    func names(_ shape: TableShape) -> Bool {
        // SQLite compares without case, and has but one schema here.
        shape.schema == nil
            ? shape.table.lowercased() == table.lowercased() : shape.table == table && (schema ?? shape.schema) == shape.schema
    }

    func quoted(for engine: SQLEngine) -> String {
        engine == .sqlite
            ? SQLIdentifier.quoted(table) : SQLIdentifier.quoted(schema ?? "public") + "." + SQLIdentifier.quoted(table)
    }
}

/// A table's columns.
private struct TableShape {
    /// Nil on SQLite.
    let schema: String?
    let table: String
    var columns: Set<String>

    var quoted: String { (schema.map { SQLIdentifier.quoted($0) + "." } ?? "") + SQLIdentifier.quoted(table) }
    var tool: UnwrittenTool? { TableKind(columns: columns) == nil ? UnwrittenTool(columns: columns) : nil }

    func fits(_ kind: TableKind) -> Bool {
        // A single column is tern's or dbmate's; only the directory tells.
        kind == .tern ? columns == ["version"] : TableKind(columns: columns) == kind
    }

    /// True for a known tool's table under that tool's own name.
    var isSomebodys: Bool {
        if let tool { return tool.table == table }
        return TableKind(columns: columns).map { $0.defaultName == table || ($0 == .dbmate && table == TableKind.tern.defaultName) }
            ?? false
    }

    /// Every table that bears the name, or one that a tool gives to its own.
    static func query(_ engine: SQLEngine, named wanted: WrittenTableName) -> String {
        let names = Set(
            [wanted.table, UnwrittenTool.railsCompanion] + TableKind.allCases.map(\.defaultName) + UnwrittenTool.all.map(\.table)
        ).sorted()
        switch engine {
        case .postgres:
            let list = names.map { SQLLiteral.quoted($0, for: .postgres) }.joined(separator: ", ")
            return """
                SELECT n.nspname, c.relname, a.attname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
                WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.relname IN (\(list)) \
                AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'belay') ORDER BY 1, 2, a.attnum
                """
        case .sqlite:
            let list = names.map { SQLLiteral.quoted($0.lowercased(), for: .sqlite) }.joined(separator: ", ")
            return """
                SELECT NULL, m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p \
                WHERE m.type = 'table' AND lower(m.name) IN (\(list)) ORDER BY m.name, p.cid
                """
        }
    }

    /// Reads the answer to ``query(_:named:)``.
    static func all(_ rows: SQLRows) -> [TableShape] {
        var found: [TableShape] = []
        for row in rows.rows {
            guard row.count == 3, let table = row[1], let column = row[2] else { continue }
            if let last = found.indices.last, found[last].schema == row[0], found[last].table == table {
                found[last].columns.insert(column)
            } else {
                found.append(TableShape(schema: row[0], table: table, columns: [column]))
            }
        }
        return found
    }
}
