internal import JSONValues
internal import Model
public import SQL

/// What the database itself remembers of a backup: a row of `belay.backup` (`_belay_backup` on SQLite), contract migrations.md §3.3. The
/// store's manifests are the truth; the row comes back with the data and tells from which backup they are.
public struct BackupRecord: Sendable, Hashable {
    public var manifest: BackupManifest
    /// Where the dump is.
    public var path: String

    public init(_ manifest: BackupManifest, in store: BackupStore) {
        self.manifest = manifest
        path = store.dump(manifest)
    }

    /// Writes the row, or brings it up to date. Nothing to run, and so no error, unless the table is there.
    public func writing(on connection: any SQLConnection) async throws(SQLError) -> [SQLRun] {
        let engine = connection.engine
        let question =
            engine == .postgres
            ? "SELECT 1 WHERE pg_catalog.to_regclass('belay.backup') IS NOT NULL"
            : "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_belay_backup'"
        guard try await connection.query(question).scalar != nil else { return [] }
        return [run(for: engine)]
    }

    /// The statement, for a table that is known to be there.
    public func run(for engine: SQLEngine) -> SQLRun {
        let columns = [
            "id", "kind", "uri", "sha256", "bytes", "scope", "snapshot_lsn", "taken_at", "verified_at", "verify_report", "before_version",
        ]
        let types = [
            "uuid", "text", "text", "bytea", "bigint", "text[]", "pg_lsn", "timestamptz", "timestamptz", "jsonb", "text",
        ]
        let values = columns.indices.map { engine == .postgres ? "$\($0 + 1)::\(types[$0])" : "?\($0 + 1)" }
        let updates = columns.dropFirst().map { "\($0) = excluded.\($0)" }
        let scope = manifest.kind == .full ? [] : manifest.tables.map(\.name.description)
        let report = manifest.report.map { report -> JSON in
            [
                "proved": .bool(report.isProved), "lines": .array(report.lines.map { .string($0) }),
                "differences": .array(report.differences.prefix(50).map { .string($0) }), "milliseconds": .integer(report.milliseconds),
            ]
        }
        return SQLRun(
            "INSERT INTO \(engine == .postgres ? "belay.backup" : "_belay_backup") (\(columns.joined(separator: ", "))) "
                + "VALUES (\(values.joined(separator: ", "))) ON CONFLICT (id) DO UPDATE SET \(updates.joined(separator: ", "))",
            [
                .text(manifest.id.uuid), .text(manifest.kind.rawValue), .text("file://\(path)"), .bytes(Self.bytes(manifest.sha256)),
                .integer(Int64(manifest.bytes)), .text(engine == .postgres ? Self.array(scope) : scope.joined(separator: "\n")),
                .optional(manifest.lsn), .text(manifest.taken.description), .optional(manifest.verifiedAt?.description),
                .optional(report?.description), .optional(manifest.beforeVersion),
            ])
    }

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
        }
    }

    /// PostgreSQL's text for an array of texts.
    private static func array(_ elements: [String]) -> String {
        "{" + elements.map { "\"" + $0.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"" }.joined(separator: ",") + "}"
    }
}
