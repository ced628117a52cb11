internal import SQL

/// The lines of a SQLite schema. The text of `CREATE TABLE` is not stable: `ALTER TABLE` edits it and a rebuilt table has another. So the
/// pragmas are asked, and the text only for what they do not tell: checks, collations, generated columns, `AUTOINCREMENT`.
enum SQLiteSchema {
    static func lines(
        on connection: any SQLConnection, excluding excluded: Set<String>, level: SchemaFingerprint.Level
    ) async throws(SQLError) -> [String] {
        var lines: [String] = []
        let objects = try await connection.query(
            """
            SELECT type, name, tbl_name, sql FROM main.sqlite_schema
            WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND tbl_name NOT LIKE '\\_belay\\_%' ESCAPE '\\'
            """
        ).rows
        let kinds = try await kinds(connection)
        for object in objects {
            guard let type = object[0], let name = object[1], let table = object[2], !excluded.contains(name), !excluded.contains(table),
                kinds[table]?.kind != "shadow"
            else { continue }
            let text = SQLiteText(object[3] ?? "")
            switch type {
            case "table" where kinds[name]?.kind == "virtual": lines.append("virtual table \(written(name)): \(text.canonical)")
            case "table": lines += try await tableLines(name, text, kinds[name], on: connection, level)
            case "index": lines.append(try await indexLine(name, of: table, text, on: connection))
            case "view": lines.append("view \(written(name)): \(text.canonical)")
            default: lines.append("\(type) \(written(table)).\(written(name)): \(text.canonical)")
            }
        }
        return lines
    }

    private struct Kind {
        var kind: String
        var isWithoutRowID: Bool
        var isStrict: Bool
    }

    private static func kinds(_ connection: any SQLConnection) async throws(SQLError) -> [String: Kind] {
        var kinds: [String: Kind] = [:]
        for row in try await connection.query("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'").rows {
            if let name = row[0] { kinds[name] = Kind(kind: row[1] ?? "", isWithoutRowID: row[2] == "1", isStrict: row[3] == "1") }
        }
        return kinds
    }

    private static func tableLines(
        _ name: String, _ text: SQLiteText, _ kind: Kind?, on connection: any SQLConnection, _ level: SchemaFingerprint.Level
    ) async throws(SQLError) -> [String] {
        let table = written(name)
        let body = text.tableBody
        let marks = [
            kind?.isWithoutRowID == true ? "without rowid" : nil, kind?.isStrict == true ? "strict" : nil,
            body.contains { $0.contains("autoincrement") } ? "autoincrement" : nil,
        ].compactMap(\.self)
        var lines = ["table \(table)" + (marks.isEmpty ? "" : ": " + marks.joined(separator: ", "))]

        let columns = try await connection.query(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden, cid FROM pragma_table_xinfo(?1, 'main')", [.text(name)]
        ).rows
        for row in columns {
            guard let column = row[0] else { continue }
            let definition = body.first { $0.first == written(column) }
            var line = "column \(table).\(written(column)): \((row[1] ?? "").lowercased())"
            if let collation = definition?.word(after: "collate"), collation != "binary" { line += " collate \(collation)" }
            if row[2] == "1" { line += " not null" }
            if let value = row[3] { line += " default \(SQLiteText(value).canonical)" }
            if row[5] == "2" || row[5] == "3" {
                line += " generated always as \(definition?.group(after: "as") ?? "?")\(row[5] == "3" ? " stored" : "")"
            }
            lines.append(line)
            if level == .physical { lines.append("place \(table).\(written(column)): \(row[6] ?? "")") }
        }
        let key = columns.filter { $0[4] != "0" }.sorted { Int($0[4] ?? "") ?? 0 < Int($1[4] ?? "") ?? 0 }.compactMap { $0[0] }
        if !key.isEmpty { lines.append("primary key \(table): (\(key.map(written).joined(separator: ", ")))") }
        for (index, check) in body.flatMap({ $0.groups(after: "check") }).sorted().enumerated() {
            lines.append("check \(table).\(index + 1): \(check)")
        }
        return lines + (try await referenceLines(name, on: connection)) + (try await uniqueLines(name, on: connection))
    }

    private static func referenceLines(_ table: String, on connection: any SQLConnection) async throws(SQLError) -> [String] {
        let rows = try await connection.query(
            "SELECT id, \"from\", \"table\", \"to\", on_update, on_delete FROM pragma_foreign_key_list(?1, 'main') ORDER BY id, seq",
            [.text(table)]
        ).rows
        return Dictionary(grouping: rows) { $0[0] ?? "" }.values.map { rows in
            let from = rows.compactMap { $0[1].map(written) }.joined(separator: ", ")
            let to = rows.compactMap { $0[3].map(written) }.joined(separator: ", ")
            var line = "foreign key \(written(table)).(\(from)): references \(written(rows[0][2] ?? ""))"
            if !to.isEmpty { line += " (\(to))" }
            for (event, action) in [("update", rows[0][4]), ("delete", rows[0][5])] {
                if let action, action != "NO ACTION" { line += " on \(event) \(action.lowercased())" }
            }
            return line
        }
    }

    /// What `UNIQUE` in a table made; its index has a number for a name.
    private static func uniqueLines(_ table: String, on connection: any SQLConnection) async throws(SQLError) -> [String] {
        var lines: [String] = []
        let indexes = try await connection.query("SELECT name FROM pragma_index_list(?1, 'main') WHERE origin = 'u'", [.text(table)]).rows
        for row in indexes {
            guard let name = row[0] else { continue }
            lines.append("unique \(written(table)): (\(try await keys(of: name, on: connection)))")
        }
        // Two of the same are one.
        return Set(lines).sorted()
    }

    private static func indexLine(
        _ name: String, of table: String, _ text: SQLiteText, on connection: any SQLConnection
    ) async throws(SQLError) -> String {
        let facts = try await connection.query(
            "SELECT \"unique\", partial FROM pragma_index_list(?1, 'main') WHERE name = ?2", [.text(table), .text(name)]
        ).rows.first
        var line = "index \(written(table)).\(written(name)): (\(try await keys(of: name, on: connection)))"
        if facts?[0] == "1" { line += " unique" }
        // Expressions and conditions are only in the text.
        if line.contains("<expression>") { line += " as \(text.canonical)" } else if facts?[1] == "1" { line += " where \(text.condition)" }
        return line
    }

    private static func keys(of index: String, on connection: any SQLConnection) async throws(SQLError) -> String {
        let rows = try await connection.query(
            "SELECT name, \"desc\", coll FROM pragma_index_xinfo(?1, 'main') WHERE key = 1 ORDER BY seqno", [.text(index)]
        ).rows
        return rows.map { row in
            var key = row[0].map(written) ?? "<expression>"
            if let collation = row[2]?.lowercased(), collation != "binary" { key += " collate \(collation)" }
            return row[1] == "1" ? key + " desc" : key
        }.joined(separator: ", ")
    }

    static func written(_ name: String) -> String { SQLiteText.written(name) }
}
