public import SQLParsing

extension MigrationDirectory {
    /// Reads a directory of migrations: finds its format, every migration and their order.
    ///
    /// Line ends become `\n` and a byte order mark is dropped in scripts; ``MigrationFile/bytes`` stay as they are.
    /// - Parameters:
    ///   - format: nil to detect it.
    ///   - order: nil for the format's own, which is refused where the two orders differ.
    /// - Throws: everything that is wrong, at once.
    public init(
        reading sources: [MigrationSource], format: MigrationFormat?, order: MigrationOrder?, dialect: SQLDialect
    ) throws(MigrationFileErrors) {
        let sources = sources.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        let format = if let format { format } else { try MigrationFormat.detected(sources) }
        var reading = DirectoryReading(format, dialect, sources)
        var files = reading.read()
        var mistakes = reading.mistakes
        files.sort { $0.orderKey < $1.orderKey }
        mistakes += VersionRules(format).mistakes(in: files)
        if let order {
            if format == .flyway, order == .lexical {
                mistakes.append(
                    Mistake("UnsupportedOrder", "Flyway's versions are ordered part by part as numbers; remove migrations.order"))
            }
        } else if let mistake = Self.disagreement(in: files, format) {
            mistakes.append(mistake)
        }
        guard mistakes.isEmpty else { throw MigrationFileErrors(mistakes.sorted(by: Self.precedes)) }
        let chosen = order ?? format.ownOrder
        if chosen == .lexical { files.sort { $0.lexicallyPrecedes($1) } }
        self.init(format: format, order: chosen, migrations: files)
    }

    /// Where a number and its text stand for different places: `20240611_x` is less than `20231231235959_y`, and behind it as text.
    private static func disagreement(in files: [MigrationFile], _ format: MigrationFormat) -> Mistake? {
        // Their numbers are the only order: dotted, or without gaps.
        guard format != .flyway, format != .tern else { return nil }
        let pairs = zip(files, files.dropFirst()).filter { $1.lexicallyPrecedes($0) }.map { "\($0.stem) and \($1.stem)" }
        guard !pairs.isEmpty else { return nil }
        let shown = pairs.prefix(5).joined(separator: "; ") + (pairs.count > 5 ? "; and \(pairs.count - 5) more" : "")
        return Mistake(
            "AmbiguousOrder",
            "as numbers these stand in this order, as text the other way round: \(shown); set migrations.order to numeric or lexical"
                + " (\(format.rawValue) goes by \(format.ownOrder == .lexical ? "the text" : "the number"))")
    }

    private static func precedes(_ left: Mistake, _ right: Mistake) -> Bool {
        if left.path != right.path { return left.path.utf8.lexicographicallyPrecedes(right.path.utf8) }
        return (left.line ?? 0, left.column ?? 0, left.reason) < (right.line ?? 0, right.column ?? 0, right.reason)
    }
}

extension MigrationFile {
    var orderKey: OrderKey { OrderKey(stem: stem, number: number, isRepeatable: isRepeatable) }

    func lexicallyPrecedes(_ other: MigrationFile) -> Bool {
        isRepeatable != other.isRepeatable ? other.isRepeatable : stem.utf8.lexicographicallyPrecedes(other.stem.utf8)
    }
}

extension MigrationFormat {
    /// The order in which the format's own tool goes.
    var ownOrder: MigrationOrder { self == .dbmate || self == .runbook || self == .diesel ? .lexical : .numeric }
}
