import Model
import SQL

/// A table of flags as it really is: which of the columns are there that we know how to use.
struct FlagTable: Sendable {
    /// Needed: without them it is no table of flags.
    static let needed = ["flag_name", "status"]
    /// Used where they are there.
    static let used = ["flag_id", "rollout_percentage", "tenant_id", "metadata", "updated_at"]

    struct Column: Sendable {
        /// As the engine writes it, in lower case.
        var type: String
        var hasDefault: Bool
    }

    /// As the spec writes it.
    let name: String
    let engine: SQLEngine
    let columns: [String: Column]

    /// Quoted, for statements.
    var sql: String { Self.parts(name).map(SQLIdentifier.quoted).joined(separator: ".") }

    static func parts(_ name: String) -> [String] { name.split(separator: ".").map(String.init) }

    func has(_ column: String) -> Bool { columns[column] != nil }

    enum Reading: Error {
        case failed(SQLError)
        case unfit(Problem)
    }

    /// Looks at the table's columns; one statement.
    static func read(_ name: String, on connection: any SQLConnection, place: String) async throws(Reading) -> FlagTable {
        let parts = parts(name)
        let rows: SQLRows
        do throws(SQLError) {
            switch connection.engine {
            case .postgres:
                // The name in quotes: as written, not in lower case.
                rows = try await connection.query(
                    "SELECT attname, format_type(atttypid, NULL), atthasdef OR attidentity <> '' FROM pg_catalog.pg_attribute "
                        + "WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped",
                    [.text(parts.map(SQLIdentifier.quoted).joined(separator: "."))])
            case .sqlite:
                rows = try await connection.query(
                    "SELECT name, type, dflt_value IS NOT NULL FROM pragma_table_info(?1, ?2)",
                    [.text(parts.last ?? name), parts.count > 1 ? .text(parts[0]) : "main"])
            }
        } catch {
            throw .failed(error)
        }
        guard !rows.rows.isEmpty else {
            throw .unfit(
                Problem(
                    "TableMissing", "\(place): there is no table \(name)",
                    next:
                        "correct its name in the spec (with its schema, if it has another one), or make it: it needs at least the columns flag_name and status"
                ))
        }
        var columns: [String: Column] = [:]
        for row in rows.rows {
            guard row.count == 3, let name = row[0] else { continue }
            columns[name.lowercased()] = Column(type: (row[1] ?? "").lowercased(), hasDefault: row[2] == "t" || row[2] == "1")
        }
        let missing = needed.filter { columns[$0] == nil }
        guard missing.isEmpty else {
            throw .unfit(
                Problem(
                    "TableUnfit", "\(place): the table \(name) has no column \(missing.joined(separator: " and no column "))",
                    next:
                        "name a table with the columns flag_name (unique) and status (enabled, disabled or gradual_rollout); \(used.joined(separator: ", ")) are used where they are there"
                ))
        }
        return FlagTable(name: name, engine: connection.engine, columns: columns)
    }

    /// `$1` or `?1`.
    func parameter(_ number: Int) -> String { engine == .postgres ? "$\(number)" : "?\(number)" }

    /// The rows of these flags, whoever they belong to, in a stable form.
    ///
    /// - Parameter isLocking: keeps others from changing them before the transaction ends.
    func select(_ names: [String], isLocking: Bool) -> (sql: String, parameters: [SQLValue]) {
        func column(_ name: String, _ expression: String) -> String { has(name) ? expression : "NULL" }
        let time =
            switch engine {
            // Not as text: that depends on the session.
            case .postgres: "extract(epoch FROM updated_at)::text"
            case .sqlite: "CAST(updated_at AS TEXT)"
            }
        let list = names.indices.map { parameter($0 + 1) }.joined(separator: ", ")
        let text = engine == .postgres ? "::text" : ""
        let sql =
            "SELECT flag_name\(text), status\(text), \(column("rollout_percentage", "CAST(rollout_percentage AS TEXT)")), "
            + "\(column("tenant_id", "CAST(tenant_id AS TEXT)")), \(column("metadata", "CAST(metadata AS TEXT)")), "
            + "\(column("updated_at", time)) FROM \(sql) WHERE flag_name IN (\(list))"
            + (isLocking && engine == .postgres ? " ORDER BY flag_name FOR UPDATE" : "")
        return (sql, names.map(SQLValue.text))
    }

    /// Whether one name can have one row only, so that a tenant's row takes the place of the global one.
    func isUniqueByNameAlone(on connection: any SQLConnection) async throws(SQLError) -> Bool {
        switch engine {
        case .postgres:
            let rows = try await connection.query(
                "SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
                    + "WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL "
                    + "AND a.attname = 'flag_name'",
                [.text(sql)])
            return !rows.rows.isEmpty
        case .sqlite:
            let parts = Self.parts(name)
            let schema: SQLValue = parts.count > 1 ? .text(parts[0]) : "main"
            let rows = try await connection.query(
                "SELECT l.name FROM pragma_index_list(?1, ?2) l WHERE l.\"unique\" = 1 AND l.partial = 0 "
                    + "AND (SELECT count(*) FROM pragma_index_info(l.name, ?2)) = 1 "
                    + "AND (SELECT lower(name) FROM pragma_index_info(l.name, ?2)) = 'flag_name'",
                [.text(parts.last ?? name), schema])
            return !rows.rows.isEmpty
        }
    }
}
