import SQLParsing

/// One reading of a directory: what was found so far, and everything that is wrong with it.
struct DirectoryReading {
    let format: MigrationFormat
    let dialect: SQLDialect
    let sources: [MigrationSource]
    var mistakes: [Mistake] = []
    var drafts: [MigrationDraft] = []

    init(_ format: MigrationFormat, _ dialect: SQLDialect, _ sources: [MigrationSource]) {
        self.format = format
        self.dialect = dialect
        self.sources = sources
    }

    /// Every migration of the directory, in no order yet.
    mutating func read() -> [MigrationFile] {
        switch format {
        case .runbook, .dbmate, .goose, .sqlMigrate, .nodePgMigrate, .tern: readSingles()
        case .golangMigrate, .sqlx, .stem: readPairs()
        case .diesel: readFolders()
        case .flyway: readFlyway()
        }
        return drafts.map { $0.finished(format, dialect, &mistakes) }
    }

    /// Formats that hold both directions in one file.
    private mutating func readSingles() {
        for source in sources {
            let file = FileName(source.path)
            guard file.folder.isEmpty else {
                refuseInFolder(file)
                continue
            }
            refuseCode(file)
            guard file.base.hasSuffix(".sql"), !(file.isDump && !holdsDirective(source)) else { continue }
            guard let name = SingleName(file.stem, format) else {
                if file.looksLikeMigration || format == .sqlMigrate { refuseName(file) }
                continue
            }
            guard let text = SourceText(source, &mistakes) else { continue }
            var isReadable = true
            let before = mistakes.count
            let (up, down) = sections(of: text, &isReadable)
            // A mistake in the directives leaves the sections in doubt: their SQL is not looked at.
            if mistakes.count > before { isReadable = false }
            guard let up else { continue }
            drafts.append(
                MigrationDraft(
                    stem: file.stem, number: name.number, name: name.name, path: source.path, bytes: source.bytes, up: up, down: down,
                    remarks: [Remarks(text, dialect, &mistakes)], isReadable: isReadable))
        }
    }

    private mutating func sections(of text: SourceText, _ isReadable: inout Bool) -> (up: ScriptDraft?, down: ScriptDraft?) {
        switch format {
        case .dbmate: DbmateFile.sections(of: text, &mistakes)
        case .goose: GooseFile.sections(of: text, &mistakes)
        case .sqlMigrate: SQLMigrateFile.sections(of: text, &mistakes)
        case .nodePgMigrate: MarkedFile.nodePgMigrate(text, &mistakes)
        case .tern: TernFile.sections(of: text, &mistakes)
        default: MarkedFile.runbook(text, &mistakes)
        }
    }

    /// Dumps of the schema lie in many directories of migrations, and are none unless they say so.
    private func holdsDirective(_ source: MigrationSource) -> Bool {
        format == .sqlMigrate && String(decoding: source.bytes, as: UTF8.self).contains("-- +migrate ")
    }
}

extension DirectoryReading {
    mutating func refuseInFolder(_ file: FileName) {
        guard file.base.hasSuffix(".sql"), file.looksLikeMigration || file.stem == "migration" else { return }
        mistakes.append(
            Mistake(
                "MigrationInFolder", path: file.path,
                "\(format.rawValue) reads no folders; name \(file.folder) itself as migrations.path, or move the file"))
    }

    /// Migrations that are programs.
    mutating func refuseCode(_ file: FileName) {
        let kinds: [String]
        switch format {
        case .goose: kinds = [".go"]
        case .nodePgMigrate: kinds = [".js", ".ts", ".mjs", ".cjs", ".mts", ".cts"]
        case .flyway: kinds = [".java", ".kt", ".class"]
        default: return
        }
        guard kinds.contains(where: file.base.hasSuffix), format == .flyway ? FlywayName(file.base) != nil : file.looksLikeMigration,
            !file.base.hasSuffix("_test.go"), !file.base.hasSuffix(".d.ts")
        else { return }
        mistakes.append(
            Mistake(
                "CodeMigration", path: file.path, "it is a program, and only SQL can be read; write it as SQL, or keep this tool for it"))
    }

    mutating func refuseName(_ file: FileName) {
        mistakes.append(Mistake("WrongName", path: file.path, "its name does not fit \(format.rawValue): \(format.nameRule)"))
    }
}

extension MigrationFormat {
    /// What a file has to be called.
    var nameRule: String {
        switch self {
        case .runbook:
            "14 digits, an underscore and a name, as in 20240611093000_add_index.sql; its own manager passes others over in silence"
        case .dbmate: "it begins with digits and ends in .sql, as in 20240611093000_add_index.sql"
        case .golangMigrate: "digits, an underscore, a name and a direction, as in 000001_add_index.up.sql"
        case .goose: "a number from 1 on, an underscore and a name, as in 00001_add_index.sql"
        case .sqlMigrate: "a file without -- +migrate Up is no migration"
        case .sqlx: "a number, an underscore and a name, as in 20240611093000_add_index.sql or …_add_index.up.sql"
        case .diesel: "a folder that holds up.sql and down.sql, as in 2024-06-11-093000_add_index/up.sql"
        case .nodePgMigrate: "digits, an underscore or hyphen and a name, as in 1718096400000_add-index.sql"
        case .flyway: "V, a version, two underscores and a description, as in V1.2__add_index.sql; U for the way back, R__ for repeatable"
        case .tern: "a number, an underscore and a name, as in 001_add_index.sql"
        case .stem: "a stem and a direction, as in 0001_add_index.up.sql"
        }
    }
}

/// A path in its parts.
struct FileName {
    var path: String
    /// Empty at the top of the directory.
    var folder: String
    var base: String

    init(_ path: String) {
        self.path = path
        let parts = path.split(separator: "/")
        folder = parts.dropLast().joined(separator: "/")
        base = parts.last.map(String.init) ?? ""
    }

    var stem: String { base.before(suffix: ".sql") ?? base }
    var looksLikeMigration: Bool { !base.leadingDigits.isEmpty }
    var isDump: Bool { ["schema", "structure", "dump", "seed", "seeds"].contains(stem.lowercased()) }
}

/// Version and name of a file that holds both directions.
struct SingleName {
    var number: String?
    var name: String

    init?(_ stem: String, _ format: MigrationFormat) {
        let digits = stem.leadingDigits
        let rest = String(stem.dropFirst(digits.count))
        switch format {
        case .runbook:
            guard digits.count == 14, rest.hasPrefix("_"), rest.count > 1 else { return nil }
        case .dbmate:
            guard !digits.isEmpty else { return nil }
        case .goose:
            guard Digits(digits).map({ !$0.isZero }) == true, rest.hasPrefix("_") else { return nil }
        case .nodePgMigrate:
            guard !digits.isEmpty, rest.hasPrefix("_") || rest.hasPrefix("-"), rest.count > 1 else { return nil }
        case .tern:
            guard !digits.isEmpty, rest.hasPrefix("_"), rest.count > 1 else { return nil }
        default: break
        }
        number = digits.isEmpty ? nil : digits
        let first = rest.first
        name = format == .nodePgMigrate ? stem : first == "_" || first == "-" || first == "." ? String(rest.dropFirst()) : rest
    }
}
