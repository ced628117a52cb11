internal import Model
internal import SQL

extension Archive {
    /// Which parts of a row a write leaves as they are, where there is a row already.
    public enum Writing: Sendable, Hashable {
        /// Everything is written, with a new sequence number and the time of the database's clock.
        case application
        /// Sequence number and time stay; texts, hashes and fingerprints are replaced where the new row has them.
        case other
        /// A row that is there stays as it is.
        case onlyIfAbsent
    }

    /// Writes a row, in the transaction of whoever runs it. The sequence number is the next free one: the caller holds the lease. How long it
    /// took is counted from the beginning of the transaction where the row does not say (PostgreSQL).
    public func write(_ row: ArchiveRow, _ writing: Writing) -> SQLRun {
        var parameters: [SQLValue] = []
        func parameter(_ value: SQLValue, _ cast: String = "") -> String {
            parameters.append(value)
            return placeholder(parameters.count) + (engine == .postgres ? cast : "")
        }
        func bytes(_ hexadecimal: String?) -> String {
            switch engine {
            case .postgres: "pg_catalog.decode(\(parameter(.optional(hexadecimal), "::text")), 'hex')"
            case .sqlite: parameter(hexadecimal.flatMap { [UInt8](hexadecimal: $0) }.map(SQLValue.bytes) ?? .null)
            }
        }
        func flag(_ value: Bool) -> String { engine == .postgres ? (value ? "TRUE" : "FALSE") : (value ? "1" : "0") }
        let now = ArchiveTables.now(engine)
        let duration: String
        if let milliseconds = row.milliseconds {
            duration = String(milliseconds)
        } else if engine == .postgres {
            duration = "(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.transaction_timestamp()) * 1000)::bigint"
        } else {
            duration = "NULL"
        }
        let time =
            switch (row.appliedAt, writing) {
            case (let time?, .onlyIfAbsent): parameter(.text(time.description), "::timestamptz")
            case (nil, .onlyIfAbsent): "NULL"
            default: now
            }
        let values: [(column: String, value: String)] = [
            ("version", parameter(.text(row.version))),
            ("name", parameter(.text(row.name))),
            // What was not applied yet has no number: an approval of it holds until it is.
            ("seq", writing == .other ? "0" : "(SELECT coalesce(max(seq), 0) + 1 FROM \(tables.archive))"),
            ("state", parameter(.text(row.state.rawValue))),
            ("up_sql", parameter(.optional(row.upSQL))),
            ("down_sql", parameter(.optional(row.downSQL))),
            ("up_tx", flag(row.upIsTransactional)),
            ("down_tx", flag(row.downIsTransactional)),
            ("up_sha256", bytes(row.upHash)),
            ("up_fp", parameter(.optional(row.upFingerprint))),
            ("down_sha256", bytes(row.downHash)),
            ("source_commit", parameter(.optional(row.sourceCommit))),
            ("source_path", parameter(.optional(row.sourcePath))),
            ("format", parameter(.optional(row.format))),
            ("fp_before", parameter(.optional(row.fingerprintBefore))),
            ("fp_after", parameter(.optional(row.fingerprintAfter))),
            ("fp_lines_before", parameter(.optional(row.linesBefore))),
            ("fp_lines_after", parameter(.optional(row.linesAfter))),
            ("applied_at", time),
            ("applied_by", parameter(.optional(row.appliedBy))),
            ("run_id", parameter(.optional(row.run))),
            ("duration_ms", duration),
            ("sig", row.signature.isEmpty && engine == .sqlite ? "x''" : bytes(row.signature)),
        ]
        let kept: Set<String> = ["version"]
        let onlyWhereNew: Set<String> = ["up_sql", "up_sha256", "up_fp", "fp_before", "fp_after", "fp_lines_before", "fp_lines_after"]
        let conflict: String
        switch writing {
        case .onlyIfAbsent:
            conflict = "NOTHING"
        case .application:
            conflict =
                "UPDATE SET "
                + values.filter { !kept.contains($0.column) }.map { "\($0.column) = excluded.\($0.column)" }.joined(separator: ", ")
        case .other:
            let changed = values.filter { !kept.union(["seq", "applied_at", "applied_by", "duration_ms"]).contains($0.column) }
            conflict =
                "UPDATE SET "
                + changed.map {
                    onlyWhereNew.contains($0.column)
                        ? "\($0.column) = coalesce(excluded.\($0.column), a.\($0.column))" : "\($0.column) = excluded.\($0.column)"
                }.joined(separator: ", ")
        }
        return SQLRun(
            """
            INSERT INTO \(tables.archive) AS a (\(values.map(\.column).joined(separator: ", "))) \
            VALUES (\(values.map(\.value).joined(separator: ", "))) ON CONFLICT (version) DO \(conflict)
            """, parameters)
    }

    /// Changes the state of a row and nothing else, in the transaction of whoever runs it.
    public func setState(_ state: ArchiveRow.State, of version: String) -> SQLRun {
        SQLRun(
            "UPDATE \(tables.archive) SET state = \(placeholder(1)) WHERE version = \(placeholder(2))",
            [.text(state.rawValue), .text(version)])
    }

    /// Changes how the schema is known to be after a row's migration, in the transaction of whoever runs it.
    func setSchema(_ hash: String?, lines: String?, of version: String) -> SQLRun {
        SQLRun(
            "UPDATE \(tables.archive) SET fp_after = \(placeholder(1)), fp_lines_after = \(placeholder(2)) WHERE version = \(placeholder(3))",
            [.optional(hash), .optional(lines), .text(version)])
    }
}

extension [UInt8] {
    /// Nil unless the text is an even number of hexadecimal digits.
    init?(hexadecimal text: String) {
        let digits = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        self = bytes
    }

    /// Lower case, two digits a byte.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(unsafeUninitializedCapacity: 2 * count) { text in
            for (index, byte) in enumerated() {
                (text[2 * index], text[2 * index + 1]) = (digits[Int(byte >> 4)], digits[Int(byte & 15)])
            }
            return 2 * count
        }
    }
}
