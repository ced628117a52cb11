internal import Model
public import SQL

/// What a database remembers of its migrations in tables of Belay's own: the scripts of both directions as they were when they were applied,
/// and what happened. See contract migrations.md §3.3.
///
/// Reading needs no table and makes none. Writing is done with the statements that this type gives, in the caller's transaction.
public struct Archive: Sendable, Hashable {
    public let engine: SQLEngine
    public let tables: ArchiveTables

    public init(_ engine: SQLEngine) {
        self.engine = engine
        tables = ArchiveTables(engine)
    }

    /// Every migration that was ever applied, in the order of the last application. Empty where Belay never wrote. Inside a transaction the
    /// tables must exist.
    ///
    /// - Parameter withLines: also the lines of the schema, which may be large.
    public func load(on connection: any SQLConnection, withLines: Bool = true) async throws(SQLError) -> [ArchiveRow] {
        do throws(SQLError) {
            return try rows(await connection.query(selection(withLines: withLines).sql))
        } catch {
            guard Self.meansNoTable(error) else { throw error }
            return []
        }
    }

    /// The row of one migration; nil where it was never applied, and where Belay never wrote.
    public func row(of version: String, on connection: any SQLConnection) async throws(SQLError) -> ArchiveRow? {
        do throws(SQLError) {
            let run = selection(withLines: true, where: "version = \(placeholder(1))", [.text(version)])
            return try rows(await connection.query(run.sql, run.parameters)).first
        } catch {
            guard Self.meansNoTable(error) else { throw error }
            return nil
        }
    }

    /// Where one migration stands; nil where it was never applied, and where Belay never wrote.
    public func state(of version: String, on connection: any SQLConnection) async throws(SQLError) -> ArchiveRow.State? {
        do throws(SQLError) {
            return try await connection.query("SELECT state FROM \(tables.archive) WHERE version = \(placeholder(1))", [.text(version)])
                .scalar
                .flatMap(ArchiveRow.State.init)
        } catch {
            guard Self.meansNoTable(error) else { throw error }
            return nil
        }
    }

    /// What ``rows(_:)`` reads, for callers that send it together with other questions.
    public func selection(withLines: Bool = true, where condition: String? = nil, _ parameters: [SQLValue] = []) -> SQLRun {
        let columns: [String] =
            switch engine {
            case .postgres:
                [
                    "version", "name", "seq", "state", "up_sql", "down_sql", "up_tx", "down_tx", "pg_catalog.encode(up_sha256, 'hex')",
                    "up_fp",
                    "pg_catalog.encode(down_sha256, 'hex')", "source_commit", "source_path", "format", "fp_before", "fp_after",
                    withLines ? "fp_lines_before" : "NULL", withLines ? "fp_lines_after" : "NULL", Self.time("applied_at"), "applied_by",
                    "run_id", "duration_ms", "pg_catalog.encode(sig, 'hex')",
                ]
            case .sqlite:
                [
                    "version", "name", "seq", "state", "up_sql", "down_sql", "up_tx", "down_tx", "lower(hex(up_sha256))", "up_fp",
                    "lower(hex(down_sha256))", "source_commit", "source_path", "format", "fp_before", "fp_after",
                    withLines ? "fp_lines_before" : "NULL", withLines ? "fp_lines_after" : "NULL", "applied_at", "applied_by", "run_id",
                    "duration_ms", "lower(hex(sig))",
                ]
            }
        let filter = condition.map { " WHERE \($0)" } ?? ""
        return SQLRun("SELECT \(columns.joined(separator: ", ")) FROM \(tables.archive)\(filter) ORDER BY seq, version", parameters)
    }

    /// RFC 3339 in UTC, whatever `DateStyle` and `TimeZone` say.
    static func time(_ column: String) -> String {
        "pg_catalog.to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    }

    /// Reads the answer to ``selection(withLines:where:_:)``. Throws on a state that a later Belay wrote.
    public func rows(_ answer: SQLRows) throws(SQLError) -> [ArchiveRow] {
        var read: [ArchiveRow] = []
        for row in answer.rows {
            guard row.count == 23, let version = row[0], let name = row[1], let sequence = row[2].flatMap({ Int($0) }), let state = row[3]
            else {
                throw SQLError(.misconfigured, "a row of \(tables.archive) is not as Belay writes it")
            }
            guard let state = ArchiveRow.State(rawValue: state) else {
                throw SQLError(.misconfigured, "\(tables.archive) has \(version) in state \(state), which this Belay does not know")
            }
            func flag(_ text: String?) -> Bool { text == "t" || text == "1" }
            func hash(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }
            read.append(
                ArchiveRow(
                    version: version, name: name, sequence: sequence, state: state, upSQL: row[4], downSQL: row[5],
                    upIsTransactional: flag(row[6]), downIsTransactional: flag(row[7]), upHash: hash(row[8]), upFingerprint: row[9],
                    downHash: hash(row[10]), sourceCommit: row[11], sourcePath: row[12], format: row[13], fingerprintBefore: row[14],
                    fingerprintAfter: row[15], linesBefore: row[16], linesAfter: row[17], appliedAt: row[18].flatMap { Timestamp($0) },
                    appliedBy: row[19], run: row[20], milliseconds: row[21].flatMap { Int($0) }, signature: row[22] ?? ""))
        }
        return read
    }

    /// `$1` or `?1`.
    func placeholder(_ number: Int) -> String { (engine == .postgres ? "$" : "?") + String(number) }
}
