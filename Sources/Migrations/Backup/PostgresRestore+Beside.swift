internal import Model
internal import SQL

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

extension PostgresRestore {
    /// Where the tables of a scoped backup are put that cannot go back to their places. Left out of what a schema is compared by.
    func besideSchema(_ backup: BackupManifest?) -> String { TableName.besidePrefix + (backup?.id.inDatabaseName ?? "") }

    /// What is there of what a scoped backup would make: its tables, or sequences, indexes and constraints of the same names.
    func standing(_ backup: BackupManifest?) async throws(Problem) -> [String] {
        guard let backup else { return [] }
        let (tables, others) = try await place.session { connection throws(Problem) in
            let others = try await connection.ask(
                """
                SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('S', 'i', 'I') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2
                """, for: "cannot list what is there")
            return (Set(try await TableCensus.all(on: connection).map(\.table.name)), others.rows)
        }
        let standing = backup.tables.map(\.name).filter(tables.contains)
        guard standing.isEmpty else { return standing.map(\.description) }
        let contents = try await DumpContents.read(store.dump(backup), place, try await serverVersion())
        return others.compactMap { row in
            guard let schema = row[0], let name = row[1] else { return nil }
            let found = TableName(schema: schema, name: name)
            return contents.makes(found) ? found.description : nil
        }
    }

    /// Puts the tables of a scoped backup into a schema of their own: columns and rows, and nothing whose name could be taken. Where the schema
    /// is there it was filled already, since both happen in one transaction; then only the statements are found anew.
    func putBeside(_ plan: RestorePlan, _ progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> RestoreResult {
        guard let backup = plan.backup else { throw Problem("BackupNotFound", "the plan holds no backup", next: "plan again") }
        let schema = besideSchema(backup)
        let isThere = try await place.session { connection throws(Problem) in
            try await connection.ask(
                "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", [.text(schema)], for: "cannot look for the schema \(schema)"
            ).scalar != nil
        }
        if !isThere {
            try backups.machine.requireRoom(for: backup.tables.reduce(0) { $0 + $1.bytes }, in: store.path)
            progress("putting the tables of \(backup.id) into the schema \(schema)")
            try await fill(schema, from: backup)
        }
        await reached(.filled)
        progress("comparing them with what is there")
        var statements: [String] = []
        try await place.session { connection throws(Problem) -> Void in
            for table in backup.tables.map(\.name) {
                statements += try await WayBack(of: table, from: besideTable(table, backup), on: connection)?.lines() ?? []
            }
        }
        statements += ["-- when all is back:", "DROP SCHEMA \(SQLIdentifier.quoted(schema)) CASCADE;"]
        var result = RestoreResult(
            plan: plan, safety: nil, keptAs: nil,
            lines: [
                isThere
                    ? "the schema \(schema) holds its tables since an earlier restore, as they were saved"
                    : "the schema \(schema) holds its tables as they were saved; nothing else was touched"
            ])
        result.statements = statements
        return result
    }

    private func besideTable(_ table: TableName, _ backup: BackupManifest) -> TableName {
        let isAlone = backup.tables.count { $0.name.name == table.name } == 1
        return TableName(schema: besideSchema(backup), name: isAlone ? table.name : "\(table.schema)_\(table.name)")
    }

    private func fill(_ schema: String, from backup: BackupManifest) async throws(Problem) {
        let version = try await serverVersion()
        var drafts: [BackupStore.Draft] = []
        func begin() async throws(Problem) -> BackupStore.Draft {
            let draft = try await store.begin(BackupID(at: backups.machine.now()), .postgres)
            drafts.append(draft)
            return draft
        }
        var problem: Problem?
        do throws(Problem) {
            let making = try await begin()
            var files = [making.partial]
            let text = SQLLiteral.quoted(
                "Tables of the backup \(backup.id), put here by a restore of Belay; drop it when it is of no use", for: .postgres)
            var sql = "CREATE SCHEMA \(SQLIdentifier.quoted(schema));\nCOMMENT ON SCHEMA \(SQLIdentifier.quoted(schema)) IS \(text);\n"
            for table in backup.tables.map(\.name) {
                let target = besideTable(table, backup)
                let data = try await begin()
                let choice = ["--no-password", "--schema=\(table.schema)", "--table=\(table.name)"]
                let made = try await place.run(
                    .restore, serverVersion: version, choice + ["--schema-only", "--file=-", store.dump(backup)], outputLimit: 4 << 20)
                _ = try await place.run(
                    .restore, serverVersion: version, choice + ["--data-only", "--file=\(data.partial)", store.dump(backup)])
                let columns = try await store.thread.run { () throws(Problem) in try DumpedTable.redirect(data.partial, to: target.quoted) }
                // A partitioned table has no rows of its own, and a sequence no columns.
                guard let columns, !columns.isEmpty else { continue }
                sql += try await definition(of: target, columns, made.output)
                files.append(data.partial)
            }
            try await store.writeList(sql, to: making)
            _ = try await place.run(
                .psql, serverVersion: version,
                [
                    "--no-psqlrc", "--quiet", "--no-password", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
                ] + files.map { "--file=\($0)" })
        } catch {
            problem = error.asRestoreFailure(of: store.dump(backup))
        }
        for draft in drafts { try await store.discard(draft) }
        if let problem { throw problem }
    }

    /// Columns whose type is not known, or is gone, hold the text of their values.
    private func definition(of target: TableName, _ columns: [String], _ made: String) async throws(Problem) -> String {
        try await place.session { connection throws(Problem) in
            var parts: [String] = []
            for column in columns {
                var type = DumpedTable.type(of: column, in: made) ?? "text"
                let known = try await connection.ask(
                    "SELECT pg_catalog.to_regtype($1)", [.text(type)], for: "cannot look for the type \(type)")
                if known.scalar == nil { type = "text" }
                parts.append("\(column) \(type)")
            }
            return "CREATE TABLE \(target.quoted) (\(parts.joined(separator: ", ")));\n"
        }
    }
}

/// What `pg_restore` writes of one table, as text.
enum DumpedTable {
    /// Turns the one `COPY` of a file into one of another table, without moving the rows behind it: what stands before them is longer than what
    /// is needed. Returns the columns as SQL names them; nil where there is no `COPY`.
    static func redirect(_ path: String, to table: String) throws(Problem) -> [String]? {
        let file = try BackupFile(path, O_RDWR)
        let bytes = try file.beginning()
        var kept = ""
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: bytes[start..<end], as: UTF8.self)
            start = end + 1
            // Without the beginning of this pair its end at the end of the file is an error.
            if ["SET client_encoding", "SET standard_conforming_strings", "\\restrict "].contains(where: line.hasPrefix) {
                kept += line + "\n"
            }
            guard line.hasPrefix("COPY "), line.hasSuffix(" FROM stdin;") else { continue }
            let columns = Self.columns(line)
            let head = Array("\(kept)COPY \(table) (\(columns.joined(separator: ", "))) FROM stdin;\n".utf8)
            guard head.count <= start else {
                throw Problem("RestoreFailed", "\(path) begins in a way that is not known", next: "report this as a bug of Belay")
            }
            try file.write([UInt8](repeating: UInt8(ascii: "\n"), count: start - head.count) + head)
            return columns
        }
        return nil
    }

    /// The columns of `COPY public.orders (id, "Note, or so") FROM stdin;`.
    static func columns(_ copy: String) -> [String] {
        var names: [String] = []
        var name = ""
        var isQuoted = false
        var isInside = false
        for character in copy {
            if character == "\"" { isQuoted.toggle() }
            guard isInside else {
                isInside = character == "(" && !isQuoted
                continue
            }
            switch character {
            case "," where !isQuoted, ")" where !isQuoted:
                if !name.isEmpty { names.append(name) }
                name = ""
                if character == ")" { return names }
            case " " where !isQuoted: break
            default: name.append(character)
            }
        }
        return names
    }

    /// The type of a column in the `CREATE TABLE` that `pg_dump` writes, a column a line; nil where it is not there, as with inherited ones.
    static func type(of column: String, in statement: String) -> String? {
        let beginning = "    \(column) "
        guard let line = statement.split(separator: "\n").first(where: { $0.hasPrefix(beginning) }) else { return nil }
        var type = line.dropFirst(beginning.count)
        for word in [" COLLATE ", " DEFAULT ", " GENERATED ", " NOT NULL", " CONSTRAINT "] {
            if let range = type.firstRange(of: word) { type = type[..<range.lowerBound] }
        }
        if type.hasSuffix(",") { type = type.dropLast() }
        return type.isEmpty ? nil : String(type)
    }
}
