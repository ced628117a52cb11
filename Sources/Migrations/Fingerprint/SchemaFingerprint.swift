internal import Crypto
public import SQL

/// What a schema is, as lines for people and one hash for comparisons: equal for a database and a copy made with `pg_dump`, whatever the
/// order of its columns and its internal numbers. See contract migrations.md §3.10.
///
/// A line is `kind name: definition`, for example `column public.orders.note: text not null default 'x'::text`. Extension members, system
/// objects, temporary tables and what Belay itself keeps (schema `belay`, tables `_belay_…`) are not in it.
public struct SchemaFingerprint: Sendable, Hashable, Codable {
    public enum Level: Sendable {
        /// What a program can notice.
        case logical
        /// The places of columns, owners, rights and tablespaces as well. The same as ``logical`` on SQLite, but for the places.
        case physical
    }

    /// SHA-256 of the sorted lines, hexadecimal.
    public let hash: String
    /// Sorted by their bytes.
    public let lines: [String]

    public init(lines: some Sequence<String>) {
        self.lines = lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var sha = SHA256()
        for line in self.lines { sha.update(data: Array((line + "\n").utf8)) }
        hash = sha.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }

    /// Reads what ``postgresQuery`` returned in its first column.
    public init(postgres text: String) {
        self.init(
            lines: text.split(separator: "\u{1E}").map { line in
                ArrayCasts.spread(in: String(line).replacing("\r\n", with: "␍⏎").replacing("\n", with: "⏎"))
            })
    }

    /// Reads the schema as it is in the session's transaction, in one round trip on PostgreSQL. Leaves the session's settings as they were.
    /// - Parameter excluded: tables that are not part of it, with what belongs to them: `schema.table`, on SQLite `table`; without quotes.
    public static func take(
        on connection: any SQLConnection, excluding excluded: [String] = [], level: Level = .logical
    ) async throws(SQLError) -> SchemaFingerprint {
        switch connection.engine {
        case .postgres:
            let rows = try await connection.query(postgresQuery, postgresParameters(excluding: excluded, level: level))
            return SchemaFingerprint(postgres: rows.scalar ?? "")
        case .sqlite:
            return SchemaFingerprint(lines: try await SQLiteSchema.lines(on: connection, excluding: Set(excluded), level: level))
        }
    }

    /// The parameters of ``postgresQuery``.
    public static func postgresParameters(excluding excluded: [String], level: Level = .logical) -> [SQLValue] {
        let names = excluded.map { name in "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }
        return [.text("{\(names.joined(separator: ","))}"), .text(level == .physical ? "true" : "false")]
    }
}
