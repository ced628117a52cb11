internal import Model

/// The table of contents of a dump, as `pg_restore --list` writes it.
struct DumpContents: Sendable {
    /// Every line; those that begin with `;` are comments.
    var lines: [String]

    /// Reads the table of contents; the dump has to be one of `pg_dump`'s custom format.
    static func read(_ path: String, _ place: PostgresPlace, _ serverVersion: Int) async throws(Problem) -> DumpContents {
        let list: ProgramRun.Ended
        do throws(Problem) {
            list = try await place.run(.restore, serverVersion: serverVersion, ["--list", path], outputLimit: 64 << 20)
        } catch {
            guard error.reason == "ProgramFailed" else { throw error }
            throw Problem("BackupDamaged", "\(path) is not a dump that can be read: \(error.message)", next: "use another backup")
        }
        return DumpContents(lines: list.output.split(separator: "\n").map(String.init))
    }

    /// What stands behind the three numbers of each entry: `TABLE DATA public orders app`.
    private var entries: [Substring] {
        lines.compactMap { line in
            guard !line.hasPrefix(";"), let colon = line.firstIndex(of: ";") else { return nil }
            return line[line.index(after: colon)...].split(separator: " ", maxSplits: 2).last
        }
    }

    func holdsData(of table: TableName) -> Bool {
        let name = "\(Self.shown(table.schema)) \(Self.shown(table.name)) "
        return entries.contains { $0.hasPrefix("TABLE DATA \(name)") }
    }

    func names(_ table: TableName) -> Bool {
        let name = " \(Self.shown(table.schema)) \(Self.shown(table.name)) "
        return entries.contains { $0.contains(name) }
    }

    /// Whether it makes a sequence, an index or a constraint of this name.
    func makes(_ name: TableName) -> Bool {
        let (schema, own) = (Self.shown(name.schema), Self.shown(name.name))
        return entries.contains { entry in
            ["SEQUENCE", "INDEX"].contains { entry.hasPrefix("\($0) \(schema) \(own) ") }
                // `CONSTRAINT public orders orders_pkey app`
                || entry.hasPrefix("CONSTRAINT \(schema) ") && entry.contains(" \(own) ")
        }
    }

    /// Line breaks in a name are shown as blanks (`sanitize_line` in `pg_dump`'s sources).
    private static func shown(_ name: String) -> String {
        String(name.unicodeScalars.map { $0 == "\n" || $0 == "\r" ? " " : Character($0) })
    }

    /// Throws unless every table is in it, with its rows where it has any of its own.
    func require(_ relations: [TableCensus.Relation]) throws(Problem) {
        let missing = relations.filter { $0.kind == "r" ? !holdsData(of: $0.table.name) : !names($0.table.name) }
        guard missing.isEmpty else {
            throw Problem(
                "BackupFailed",
                "the dump does not hold \(missing.map(\.table.name.description).joined(separator: ", "))",
                next: "look whether this role may read everything")
        }
    }

    /// The list for `pg_restore --use-list` without the entries whose kind is one of these.
    func without(_ kinds: [String]) -> String {
        lines.map { line in
            guard !line.hasPrefix(";"), let colon = line.firstIndex(of: ";"),
                let entry = line[line.index(after: colon)...].split(separator: " ", maxSplits: 2).last,
                kinds.contains(where: { entry.hasPrefix("\($0) ") })
            else { return line }
            return ";" + line
        }.joined(separator: "\n") + "\n"
    }
}
