internal import Model
internal import SQL

/// The SQL that brings rows and columns of one table back from a copy that stands beside it. It is for people: nothing of it is run.
struct WayBack: Sendable {
    private struct Column: Sendable {
        var name: String
        var type: String
        var isGenerated: Bool
        /// `GENERATED ALWAYS AS IDENTITY`
        var isIdentity: Bool
        var isKey: Bool

        var quoted: String { SQLIdentifier.quoted(name) }
    }

    private let table: TableName
    private let copy: TableName
    /// Empty where the table is not there.
    private let live: [Column]
    private let saved: [Column]
    private let connection: any SQLConnection

    /// Nil where the copy holds no such table.
    init?(of table: TableName, from copy: TableName, on connection: any SQLConnection) async throws(Problem) {
        saved = try await Self.columns(of: copy, on: connection)
        guard !saved.isEmpty else { return nil }
        live = try await Self.columns(of: table, on: connection)
        (self.table, self.copy, self.connection) = (table, copy, connection)
    }

    private static func columns(of table: TableName, on connection: any SQLConnection) async throws(Problem) -> [Column] {
        try await connection.ask(
            """
            SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated <> '', a.attidentity = 'a',
              coalesce(a.attnum = ANY (i.indkey), false)
            FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
            WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """, [.text(table.quoted)], for: "cannot read the columns of \(table)"
        ).rows.compactMap { row in
            guard row.count == 5, let name = row[0], let type = row[1] else { return nil }
            return Column(name: name, type: type, isGenerated: row[2] == "t", isIdentity: row[3] == "t", isKey: row[4] == "t")
        }
    }

    func lines() async throws(Problem) -> [String] {
        guard !live.isEmpty else {
            return [
                "-- \(table) is not there: let its migration make it first, then",
                inserting(saved.map(\.quoted), saved.map { "s.\($0.quoted)" }),
            ]
        }
        let key = live.filter(\.isKey)
        let names = Set(saved.map(\.name))
        guard !key.isEmpty, key.allSatisfy({ names.contains($0.name) }) else {
            return ["-- \(table) has no primary key by which its rows could be matched with those of \(copy.quoted): compare them by hand"]
        }
        let matching = key.map { "t.\($0.quoted) = \(value($0))" }.joined(separator: " AND ")
        let common = live.filter { names.contains($0.name) && !$0.isGenerated }
        var lines: [String] = []
        for column in saved where !live.contains(where: { $0.name == column.name }) {
            lines.append("-- \(table) has no column \(column.quoted) now, which was \(column.type): let its migration make it first, then")
            lines.append(updating(column, value: "s.\(column.quoted)", matching))
        }
        let (missing, different) = try await differences(common.filter { !$0.isKey }, matching)
        for (column, count) in different where count > 0 {
            lines.append("-- \(table): \(column.quoted) differs in \(count == 1 ? "one row" : "\(count) rows")")
            lines.append(updating(column, value: value(column), matching))
        }
        if missing > 0 {
            lines.append("-- \(table): \(missing == 1 ? "one row is" : "\(missing) rows are") not there now")
            lines.append(
                inserting(common.map(\.quoted), common.map(value), overriding: common.contains(where: \.isIdentity))
                    .dropLast() + " WHERE NOT EXISTS (SELECT FROM \(table.quoted) t WHERE \(matching));")
        }
        return lines.isEmpty ? ["-- \(table) has everything that was saved"] : lines
    }

    /// As the live column's type: the copy may hold text.
    private func value(_ column: Column) -> String {
        let isSame = saved.contains { $0.name == column.name && $0.type == column.type }
        return "s.\(column.quoted)\(isSame ? "" : "::\(column.type)")"
    }

    private func updating(_ column: Column, value: String, _ matching: String) -> String {
        // As text: some types, json among them, know no equality.
        "UPDATE \(table.quoted) t SET \(column.quoted) = \(value) FROM \(copy.quoted) s WHERE \(matching)"
            + " AND t.\(column.quoted)::text IS DISTINCT FROM s.\(column.quoted)::text;"
    }

    private func inserting(_ columns: [String], _ values: [String], overriding: Bool = false) -> String {
        "INSERT INTO \(table.quoted) (\(columns.joined(separator: ", ")))\(overriding ? " OVERRIDING SYSTEM VALUE" : "")"
            + " SELECT \(values.joined(separator: ", ")) FROM \(copy.quoted) s;"
    }

    /// How many rows are missing, and in how many that are there a column is another.
    private func differences(_ columns: [Column], _ matching: String) async throws(Problem) -> (Int, [(Column, Int)]) {
        let counts = columns.map { "count(*) FILTER (WHERE t.\($0.quoted)::text IS DISTINCT FROM s.\($0.quoted)::text)" }
        let row = try await connection.ask(
            """
            SELECT \((["(SELECT count(*) FROM \(copy.quoted) s WHERE NOT EXISTS (SELECT FROM \(table.quoted) t WHERE \(matching)))"] + counts)
                .joined(separator: ", "))
            FROM \(table.quoted) t JOIN \(copy.quoted) s ON \(matching)
            """, for: "cannot compare \(table) with what was saved"
        ).rows.first
        let numbers = (row ?? []).map { $0.flatMap { Int($0) } ?? 0 }
        guard numbers.count == columns.count + 1 else { return (0, []) }
        return (numbers[0], Array(zip(columns, numbers.dropFirst())))
    }
}
