public import MigrationFiles
public import Model
public import SQL

/// What a table says is applied, matched with what is known.
public struct AppliedSet: Sendable, Hashable {
    /// A migration that is applied.
    public struct Applied: Sendable, Hashable {
        public var entry: AdoptedTable.Entry
        /// True if nobody wrote down that this one was applied.
        public var isPresumed: Bool
        /// Whether the file still is what the tool's own checksum was taken of; nil where there is none.
        public var checksumAgrees: Bool?

        public init(entry: AdoptedTable.Entry, isPresumed: Bool, checksumAgrees: Bool? = nil) {
            self.entry = entry
            self.isPresumed = isPresumed
            self.checksumAgrees = checksumAgrees
        }
    }

    /// In the order in which they were applied, as far as it is known.
    public var applied: [Applied] = []
    /// Flyway's repeatable migrations that were run: the checksum of the latest run by the description, empty where none was recorded.
    public var repeatables: [String: String] = [:]
    /// What keeps the set from being trusted.
    public var problems: [Problem] = []

    /// Belay numbers what it applies. What another tool applied has no number, not even one that Belay once took back: it stands where the
    /// table's own order has it, before the first numbered one that comes after it there.
    fileprivate mutating func order(_ archive: [ArchiveRow]) {
        let sequence = Dictionary(archive.filter { $0.state != .reverted }.map { ($0.version, $0.sequence) }) { first, _ in first }
        var ordered = applied.enumerated().compactMap { place in sequence[place.element.entry.stem].map { (number: $0, place: place) } }
            .sorted { $0.number < $1.number }.map(\.place)
        for place in applied.enumerated() where sequence[place.element.entry.stem] == nil {
            ordered.insert(place, at: ordered.firstIndex { $0.offset > place.offset } ?? ordered.endIndex)
        }
        applied = ordered.map(\.element)
    }
}

extension AdoptedTable {
    /// The query for ``read(_:files:archive:database:)``: of each row its key, a mark, the tool's checksum, the row's type and its
    /// description, null where the kind has none.
    public var query: String {
        func text(_ column: String) -> String { engine == .postgres ? "\(column)::text" : "CAST(\(column) AS TEXT)" }
        func hexadecimal(_ column: String) -> String { engine == .postgres ? "pg_catalog.encode(\(column), 'hex')" : "hex(\(column))" }
        let (columns, order): ([String], String?) =
            switch kind {
            case .runbook: ([text("version"), "name", "checksum", "NULL"], "version")
            case .dbmate, .diesel, .stem: ([text("version"), "NULL", "NULL", "NULL"], "version")
            case .sqlx: ([text("version"), text("success"), hexadecimal("checksum"), "NULL"], "version")
            case .golangMigrate: ([text("version"), text("dirty"), "NULL", "NULL"], nil)
            case .goose: ([text("version_id"), text("is_applied"), "NULL", "NULL"], "id")
            case .sqlMigrate: (["id", "NULL", "NULL", "NULL"], "applied_at, id")
            case .nodePgMigrate: (["name", "NULL", "NULL", "NULL"], "id")
            case .flyway: (["version", text("success"), text("checksum"), "type", "description"], "installed_rank")
            case .tern: ([text("version"), "NULL", "NULL", "NULL"], nil)
            }
        return "SELECT \(columns.joined(separator: ", ")) FROM \(name)" + (order.map { " ORDER BY \($0)" } ?? "")
    }

    /// A row that stands for an applied migration.
    private struct Record {
        var key: String
        /// The runbook's.
        var name: String?
        var checksum: String?
    }

    /// Reads the rows of ``query``.
    public func read(_ rows: SQLRows, files: [MigrationFile], archive: [ArchiveRow], database: ResourceID) -> AppliedSet {
        var set = AppliedSet()
        var records: [Record] = []
        var base: String?
        for row in rows.rows where row.count >= 4 {
            guard let key = row[0] else {
                if kind == .flyway { readRepeatable(row, database, into: &set) }
                continue
            }
            let isTrue = ["true", "t", "1"].contains(row[1])
            let record = Record(key: key, name: kind == .runbook ? row[1] : nil, checksum: row[2])
            switch kind {
            case .goose:
                // The latest row of a version counts.
                records.removeAll { $0.key == key }
                if isTrue, key != "0" { records.append(record) }
            case .golangMigrate:
                if isTrue { set.problems.append(dirty(key, database)) }
                records.append(record)
            case .sqlx:
                if isTrue { records.append(record) } else { set.problems.append(dirty(key, database)) }
            case .flyway:
                // So does Flyway's, in the order of their ranks.
                records.removeAll { $0.key == key }
                set.problems.removeAll { $0 == dirty(key, database) }
                let type = row[3]?.uppercased() ?? ""
                if !isTrue {
                    set.problems.append(dirty(key, database))
                } else if type.hasSuffix("BASELINE") {
                    base = key
                    records.append(record)
                } else if !type.hasPrefix("UNDO"), type != "DELETE" {
                    records.append(record)
                }
            case .tern: if key != "0" { records.append(record) }
            default: records.append(record)
            }
        }
        if kind.isHighWaterMark {
            guard records.count > 1 || records.contains(where: { UInt64($0.key) == nil }) else {
                return expand(records.first?.key, files, archive, into: set)
            }
            set.problems.append(foreign(records.map(\.key).joined(separator: ", "), database))
            return set
        }
        match(records, base: base, files, archive, database, into: &set)
        set.order(archive)
        return set
    }

    /// A row without a version: a run of a repeatable migration, or Flyway's note that it made the schema. The latest of a description counts.
    private func readRepeatable(_ row: [String?], _ database: ResourceID, into set: inout AppliedSet) {
        guard row.count > 4, let description = row[4], let type = row[3]?.uppercased(), type != "SCHEMA" else { return }
        let problem = dirty("R__" + description.replacing(" ", with: "_"), database)
        set.problems.removeAll { $0 == problem }
        set.repeatables[description] = type == "DELETE" ? nil : row[2] ?? ""
        if !["true", "t", "1"].contains(row[1]) { set.problems.append(problem) }
    }

    private func match(
        _ records: [Record], base: String?, _ files: [MigrationFile], _ archive: [ArchiveRow], _ database: ResourceID,
        into set: inout AppliedSet
    ) {
        let remembered = Dictionary(archive.map { (key(of: entry($0)), $0) }) { first, _ in first }
        let known = Dictionary(files.filter { !$0.isRepeatable }.map { (key(of: Entry($0)), $0) }) { first, _ in first }
        if let base {
            // Flyway passes over everything up to its baseline.
            for file in files where !file.isRepeatable {
                let own = key(of: Entry(file))
                guard own != normal(base), Self.precedes(own, base), !records.contains(where: { normal($0.key) == own }) else { continue }
                set.applied.append(.init(entry: Entry(file), isPresumed: true))
            }
        }
        for record in records {
            let key = normal(record.key)
            if let file = known[key] {
                set.applied.append(
                    .init(
                        entry: Entry(file), isPresumed: remembered[key]?.state == .presumed,
                        checksumAgrees: ToolChecksum.agrees(file.bytes, with: record.checksum, kind: kind)))
            } else if record.key == base {
                continue
            } else if let row = remembered[key] {
                set.applied.append(.init(entry: entry(row), isPresumed: row.state == .presumed))
            } else if let entry = entry(key: record.key, name: record.name) {
                set.applied.append(.init(entry: entry, isPresumed: false))
            } else {
                set.problems.append(foreign(record.key, database))
            }
        }
    }

    /// Dotted versions, part by part.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        func parts(_ version: String) -> [UInt64] { version.split(separator: ".").map { UInt64($0) ?? .max } }
        return parts(left).lexicographicallyPrecedes(parts(right))
    }

    /// Everything up to the mark: presumed, except what Belay has applied itself.
    private func expand(_ mark: String?, _ files: [MigrationFile], _ archive: [ArchiveRow], into set: AppliedSet) -> AppliedSet {
        var set = set
        guard let mark, let highest = UInt64(mark) else { return set }
        let certain = Set(archive.filter { $0.state == .applied }.map(\.version))
        var entries = files.map { Entry($0) }
        for row in archive where row.state == .applied || row.state == .presumed {
            if !entries.contains(where: { $0.stem == row.version }) { entries.append(entry(row)) }
        }
        let below = entries.filter { UInt64($0.number).map { $0 <= highest } ?? false }
            .sorted { (UInt64($0.number) ?? 0, $0.stem) < (UInt64($1.number) ?? 0, $1.stem) }
        set.applied = below.map { .init(entry: $0, isPresumed: !certain.contains($0.stem) && UInt64($0.number) != highest) }
        if !below.contains(where: { UInt64($0.number) == highest }) {
            // The archive may know what it was called, though it was taken back once.
            let row = archive.first { UInt64(entry($0).number) == highest }
            set.applied.append(.init(entry: row.map(entry) ?? Entry(stem: mark, number: mark, name: "", path: ""), isPresumed: false))
        }
        return set
    }

    private func foreign(_ key: String, _ database: ResourceID) -> Problem {
        Problem(
            "ForeignRecord", "\(database): the table \(name) holds a row that is no version of \(kind.rawValue): \(key.prefix(60))",
            next: "look whose row it is; set migrations.table if this is the wrong table")
    }

    private func dirty(_ version: String, _ database: ResourceID) -> Problem {
        let row = kind == .golangMigrate ? "dirty to false and version to what is then applied" : "the row of \(version)"
        return Problem(
            "DirtyDatabase", "\(database): \(name) says that migration \(version) was interrupted half-way",
            next: "see what of it is there, bring the schema to one side of it by hand, then "
                + (kind == .golangMigrate ? "set \(row)" : "delete \(row), or set its success to true") + "; Belay does not guess")
    }

    // MARK: - Keys

    /// What a row is found by.
    private func key(of entry: Entry) -> String {
        switch kind {
        case .sqlMigrate: entry.path
        case .nodePgMigrate, .stem: entry.stem
        default: normal(entry.number)
        }
    }

    /// Numbers without leading zeros, where the table holds numbers.
    private func normal(_ key: String) -> String {
        switch kind {
        case .goose, .sqlx, .golangMigrate, .tern:
            let digits = key.drop { $0 == "0" }
            return digits.isEmpty ? "0" : String(digits)
        default: return key
        }
    }

    func entry(_ row: ArchiveRow) -> Entry {
        let digits = row.version.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let number: String
        switch kind {
        case .diesel: number = row.version.prefix { $0 != "_" }.filter { $0 != "-" }
        case .flyway: number = Self.flywayNumber(row.version)
        default: number = String(digits)
        }
        return Entry(stem: row.version, number: number, name: row.name, path: row.sourcePath ?? "\(row.version).sql")
    }

    /// A version that nobody knows the file of; nil for what cannot be a version of this kind.
    private func entry(key: String, name: String?) -> Entry? {
        switch kind {
        case .sqlMigrate:
            guard key.hasSuffix(".sql") else { return nil }
            return Entry(stem: String(key.dropLast(4)), number: "", name: "", path: key)
        case .nodePgMigrate, .stem: return Entry(stem: key, number: "", name: "", path: "\(key).sql")
        case .flyway:
            return key.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") }
                ? Entry(stem: "V\(key)", number: key, name: "", path: "") : nil
        default:
            guard !key.isEmpty, key.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
            return Entry(stem: name.map { "\(key)_\($0)" } ?? key, number: key, name: name ?? "", path: "")
        }
    }

    /// `V1_2__name` is version 1.2.
    private static func flywayNumber(_ stem: String) -> String {
        guard let end = stem.firstRange(of: "__")?.lowerBound else { return String(stem.drop { !$0.isNumber }) }
        return stem[..<end].dropFirst().split(separator: "_").joined(separator: ".")
    }
}
