/// Which formats a directory fits, told from its file names first and then from the directives in its files.
struct FormatDetection {
    private enum Shape: Hashable {
        case format(MigrationFormat)
        /// `-- UP MIGRATION`: the runbook's manager or node-pg-migrate.
        case marked
        /// `.up.sql` and `.down.sql`.
        case pairs
        /// A number and a name, without a word inside.
        case plain
    }

    private var votes: [Shape: Int] = [:]
    private var plainNames: [String] = []
    private var pairNames: [PairName] = []
    private var markedNames: [String] = []
    private var hasUpperCaseMarker = false
    private var startsWithNoTransaction = false

    init(_ sources: [MigrationSource]) {
        for source in sources { look(at: source) }
    }

    /// Those that fit equally well, in the order of the enumeration; none where nothing looks like a migration.
    var formats: [MigrationFormat] {
        let telling = votes.filter { $0.key != .plain }
        let most = telling.values.max()
        let shapes = most.map { most in Set(telling.filter { $0.value == most }.keys) } ?? Set(votes.keys)
        let found = Set(shapes.flatMap(formats(of:)))
        return MigrationFormat.allCases.filter(found.contains)
    }

    private func formats(of shape: Shape) -> [MigrationFormat] {
        switch shape {
        case .format(let format): return [format]
        case .marked:
            let isFourteen = markedNames.map { $0.leadingDigits.count == 14 }
            if !isFourteen.contains(true) { return [.nodePgMigrate] }
            return hasUpperCaseMarker || isFourteen.contains(false) ? [.runbook] : [.runbook, .nodePgMigrate]
        case .pairs:
            if startsWithNoTransaction { return [.sqlx] }
            let stems = Set(pairNames.map(\.stem))
            let numbers = stems.map { Digits($0.leadingDigits) }
            let isNumbered = stems.allSatisfy { $0.dropFirst($0.leadingDigits.count).first == "_" } && !numbers.contains(nil)
            if !isNumbered || Set(numbers).count < stems.count { return [.stem] }
            let plain = plainNames.filter { !stems.contains($0) }
            if plain.count < plainNames.count { return [.stem] }
            return plain.isEmpty ? [.golangMigrate, .sqlx] : [.sqlx, .stem]
        case .plain:
            if startsWithNoTransaction { return [.sqlx] }
            var found: [MigrationFormat] = [.nodePgMigrate, .stem]
            if plainNames.allSatisfy({ SingleName($0, .runbook) != nil }) { found.append(.runbook) }
            if plainNames.allSatisfy({ SingleName($0, .tern) != nil }) {
                found.append(.sqlx)
                if isContiguous { found.append(.tern) }
            }
            return found
        }
    }

    private var isContiguous: Bool {
        let numbers = plainNames.compactMap { Int($0.leadingDigits) }.sorted()
        return numbers == Array(1...max(1, numbers.count))
    }

    private mutating func look(at source: MigrationSource) {
        let file = FileName(source.path)
        guard file.base.hasSuffix(".sql") else {
            if file.looksLikeMigration, file.folder.isEmpty { lookAtCode(file) }
            if FlywayName(file.base) != nil, file.base.hasSuffix(".java") || file.base.hasSuffix(".kt") { vote(.format(.flyway)) }
            return
        }
        if FlywayName(file.base) != nil { return vote(.format(.flyway)) }
        if file.base == "up.sql" || file.base == "down.sql" { return vote(file.folder.isEmpty ? .plain : .format(.diesel)) }
        guard file.folder.isEmpty, let name = PairName(file.base) else { return }
        let lines = String(decoding: source.bytes.drop(while: { [0xEF, 0xBB, 0xBF].contains($0) }), as: UTF8.self).unicodeScalars.split {
            $0 == "\n" || $0 == "\r"
        }.map { String($0) }
        if lines.first?.hasPrefix("-- no-transaction") == true { startsWithNoTransaction = true }
        guard name.isPlain else {
            pairNames.append(name)
            return vote(.pairs)
        }
        let told = directives(in: lines)
        for shape in told { vote(shape) }
        if told.contains(.marked) { markedNames.append(file.stem) }
        guard told.isEmpty, file.looksLikeMigration else { return }
        plainNames.append(file.stem)
        vote(.plain)
    }

    private mutating func lookAtCode(_ file: FileName) {
        if file.base.hasSuffix(".go"), !file.base.hasSuffix("_test.go") { vote(.format(.goose)) }
        if [".js", ".ts", ".mjs", ".cjs", ".mts", ".cts"].contains(where: file.base.hasSuffix) { vote(.format(.nodePgMigrate)) }
    }

    private mutating func vote(_ shape: Shape) { votes[shape, default: 0] += 1 }

    private mutating func directives(in lines: [String]) -> Set<Shape> {
        var found: Set<Shape> = []
        for line in lines {
            guard let comment = line.trimmed.after("--") else { continue }
            let words = comment.words
            if words.first == "+goose" { found.insert(.format(.goose)) }
            if words.first == "+migrate" { found.insert(.format(.sqlMigrate)) }
            if DbmateFile.Marker(line) != nil { found.insert(.format(.dbmate)) }
            if line.trimmed == TernFile.separator || line.trimmed == TernFile.withoutTransaction { found.insert(.format(.tern)) }
            if MarkedFile.direction(of: line, signs: "-=") != nil {
                found.insert(.marked)
                if comment.contains("UP") || comment.contains("DOWN") { hasUpperCaseMarker = true }
            }
        }
        return found
    }
}

extension MigrationFormat {
    /// The formats that a directory fits equally well: one where its files tell it for certain, none where nothing in it looks like a
    /// migration. Whoever knows the database's own table can choose among several.
    public static func fitting(_ sources: [MigrationSource]) -> [MigrationFormat] { FormatDetection(sources).formats }

    /// The one format, or the mistake that says why there is none.
    static func detected(_ sources: [MigrationSource]) throws(MigrationFileErrors) -> MigrationFormat {
        let found = fitting(sources)
        if let tool = foreignTool(sources), found.count != 1 {
            throw MigrationFileErrors([
                Mistake(
                    "UnsupportedFormat",
                    "these are migrations of \(tool), whose files cannot be read; write them as plain SQL with a way back")
            ])
        }
        guard let first = found.first else {
            throw MigrationFileErrors([
                Mistake(
                    "NoMigrations",
                    "no file here looks like a migration; is it the directory of the migrations (migrations.path)?"
                        + " For one that is still empty set migrations.format")
            ])
        }
        guard found.count == 1 else {
            let names = found.map(\.rawValue).joined(separator: ", ")
            throw MigrationFileErrors([
                Mistake(
                    "AmbiguousFormat", "the files fit \(names) equally well; set migrations.format to the one whose table is to be kept")
            ])
        }
        return first
    }

    private static func foreignTool(_ sources: [MigrationSource]) -> String? {
        for source in sources {
            let base = FileName(source.path).base
            if base == "sqitch.plan" { return "sqitch" }
            if base == "atlas.sum" { return "Atlas" }
            if base == "migration.sql" { return "Prisma" }
            if base == "alembic.ini" || source.path.hasPrefix("versions/") && base.hasSuffix(".py") { return "Alembic" }
            if !base.leadingDigits.isEmpty {
                if base.hasSuffix(".rb") { return "Rails" }
                if base.hasSuffix(".exs") { return "Ecto" }
                if base.hasSuffix(".py") { return "Django" }
            }
        }
        return nil
    }
}
