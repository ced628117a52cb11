import Crypto
import MigrationFiles
import Model
import SQL
import SQLParsing

/// What is known of one database at one moment: its files, its table, and what it remembers.
struct SchemaReading: Sendable {
    let database: Database
    let directory: MigrationDirectory
    /// As it is, or as it would be made.
    let table: AdoptedTable
    let tableExists: Bool
    let set: AppliedSet
    /// What the adopted table says, before anything is presumed.
    let recorded: AppliedSet
    let archive: [String: ArchiveRow]
    let dialect: SQLDialect
    /// True if nothing is recorded of a database that holds somebody's tables.
    let isInhabited: Bool
    /// Migrations that were interrupted half-way outside of a transaction, or of which nobody can tell how they stand.
    let interrupted: [String: ArchiveRow.State]
    /// Every known stem in order, with those that have no file where they belong.
    let stems: [String]
    /// Repeatable migrations that have a file, in the order in which Flyway runs them.
    let repeatables: [MigrationFile]
    /// How the schema is, where that was asked for together with the rest.
    var schemaNow: MigrationJob.SchemaState?
    private let knownFacts: FactsCache
    private let isSigned: @Sendable (ArchiveRow) -> Bool
    private let files: [String: MigrationFile]
    private let standing: [String: AppliedSet.Applied]
    /// True if a way back was looked for in a history that was cut off, and not found.
    private(set) var isHistoryShallow = false
    private var recovered: [String: (script: MigrationScript, commit: String)] = [:]

    init(
        _ database: Database, directory: MigrationDirectory, table: AdoptedTable, tableExists: Bool, set: AppliedSet, archive: [ArchiveRow],
        dialect: SQLDialect, isInhabited: Bool = false, facts: FactsCache = FactsCache(),
        isSigned: @escaping @Sendable (ArchiveRow) -> Bool
    ) {
        self.database = database
        self.directory = directory
        self.table = table
        self.tableExists = tableExists
        self.archive = Dictionary(archive.map { ($0.version, $0) }) { first, _ in first }
        self.dialect = dialect
        self.isInhabited = isInhabited
        self.isSigned = isSigned
        knownFacts = facts
        files = Dictionary(directory.migrations.map { ($0.stem, $0) }) { first, _ in first }
        recorded = set
        repeatables = directory.migrations.filter(\.isRepeatable).sorted {
            AdoptedTable.Entry($0).flywayDescription.utf8.lexicographicallyPrecedes(AdoptedTable.Entry($1).flywayDescription.utf8)
        }
        var set = set
        if isInhabited || !set.applied.isEmpty { set.presume(upTo: database.migrations.baseline, of: directory, archive: self.archive) }
        let interrupted = Dictionary(
            archive.filter { [.applyingUp, .applyingDown, .stuck].contains($0.state) }.map { ($0.version, $0.state) }
        ) { first, _ in first }
        let versioned = archive.filter { interrupted[$0.version] != nil && !$0.isRepeatable }
        stems = MigrationSequence(directory).stems(with: set.applied.map(\.entry.stem) + versioned.map(\.version).sorted())
        set.finish(
            versioned, of: table, towards: Self.position(of: database.schema, stems, files), stems)
        self.interrupted = interrupted
        self.set = set
        standing = Dictionary(set.applied.map { ($0.entry.stem, $0) }) { first, _ in first }
    }

    /// One direction of a migration, with where it comes from.
    struct Resolved: Sendable {
        var script: MigrationScript
        var origin: DatabaseObservation.Script.Origin
        /// For messages.
        var path: String
        var facts: ScriptFacts
        var hash: String

        /// Declared, or as its statements have it.
        var isTransactional: Bool { script.isTransactional ?? facts.nonTransactional.isEmpty }
    }

    func file(_ stem: String) -> MigrationFile? { files[stem] }
    func applied(_ stem: String) -> AppliedSet.Applied? { standing[stem] }
    func entry(_ stem: String) -> AdoptedTable.Entry? { file(stem).map { AdoptedTable.Entry($0) } ?? standing[stem]?.entry }

    /// Where the pin stands among the stems, -1 for the empty schema; nil when it names nothing that is known, or more than one migration.
    var pin: Int? { Self.position(of: database.schema, stems, files) }

    private static func position(of pin: String, _ stems: [String], _ files: [String: MigrationFile]) -> Int? {
        if pin == Database.emptySchema { return -1 }
        if let exact = stems.firstIndex(of: pin) { return exact }
        let numbered = stems.indices.filter {
            files[stems[$0]]?.number == pin || stems[$0].prefix { $0.isASCII && ($0.isNumber || $0 == ".") } == pin
        }
        return numbered.count == 1 ? numbered[0] : nil
    }

    // MARK: - Scripts

    func up(_ stem: String) throws(ParseError) -> Resolved? {
        guard let file = file(stem) else { return nil }
        return try resolved(file.up, .file, file.path)
    }

    /// The way back: from the file, unless another up script was applied than stands in it; else from what the database kept; else from the
    /// repository's history; else derived from the up script, where the settings allow it.
    func down(_ stem: String) throws(ParseError) -> Resolved? {
        let file = file(stem)
        if file?.isDeclaredIrreversible == true { return nil }
        let isAsApplied = file.map { !isEdited($0) } ?? false
        if isAsApplied, let file, let down = file.down { return try resolved(down, .file, file.downPath ?? file.path) }
        if database.migrations.onMissing == .archive, let row = archive[stem], let text = row.downSQL, isSigned(row) {
            let script = MigrationScript(text: text, isTransactional: row.downIsTransactional ? nil : false)
            let found = try resolved(script, .archive, "archive of \(stem)")
            if !found.facts.statements.isEmpty { return found }
        }
        if let found = recovered[stem] { return try resolved(found.script, .git(commit: found.commit), "\(stem) in \(found.commit)") }
        return try synthesized(stem, isAsApplied ? file : nil)
    }

    /// True if nothing takes a migration back, as far as is known here; what does not parse takes nothing back either.
    func hasNoWayBack(_ stem: String) -> Bool {
        do throws(ParseError) { return try down(stem) == nil } catch { return true }
    }

    /// Whether something takes a migration back, where that can be told without reading a script; nil where it cannot.
    func hasWayBackUnread(_ stem: String) -> Bool? {
        guard let file = file(stem) else { return nil }
        if file.isDeclaredIrreversible { return false }
        return file.down != nil && !isEdited(file) ? true : nil
    }

    /// The inverse of what was applied: of the file when it is that, else of the signed copy.
    private func synthesized(_ stem: String, _ file: MigrationFile?) throws(ParseError) -> Resolved? {
        guard database.migrations.onIrreversible == .synthesize else { return nil }
        let kept = archive[stem].flatMap { isSigned($0) ? $0.upSQL : nil }
        guard let up = file?.up.text ?? kept, let inverse = try SQLScript.inverse(of: up, dialect: dialect), !inverse.isEmpty else {
            return nil
        }
        let text = inverse.map { "\($0);\n" }.joined()
        return try resolved(MigrationScript(text: text), .synthesized, "the derived way back of \(stem)")
    }

    private func resolved(_ script: MigrationScript, _ origin: DatabaseObservation.Script.Origin, _ path: String) throws(ParseError)
        -> Resolved
    {
        Resolved(
            script: script, origin: origin, path: path, facts: try knownFacts.facts(of: script.text, dialect),
            hash: ArchiveSignature.hash(script.text))
    }

    /// The same with what history has of the ways back that are missing. Asks only for what the pin takes back.
    func recovering(from history: any MigrationHistory) async -> SchemaReading {
        guard database.migrations.onMissing != .block else { return self }
        let path = MigrationPath(self)
        var copy = self
        var isComplete = true
        for stem in stems where path.downs.contains(stem) && file(stem)?.isDeclaredIrreversible != true {
            do throws(ParseError) { if let down = try down(stem), down.origin != .synthesized { continue } } catch { continue }
            let row = archive[stem]
            copy.recovered[stem] = await history.down(of: stem, path: row?.sourcePath ?? entry(stem)?.path, upHash: row?.upHash)
            if copy.recovered[stem] == nil { isComplete = false }
        }
        if !isComplete { copy.isHistoryShallow = await history.isShallow }
        return copy
    }

    /// True if the file says something else than what was applied: by what the database remembers, else by the tool's own checksum.
    func isEdited(_ file: MigrationFile) -> Bool {
        let hash = ArchiveSignature.hash(file.up.text)
        if let accepted = database.migrations.acceptEdited[file.stem], accepted.count >= 8, hash.hasPrefix(accepted.lowercased()) {
            return false
        }
        guard let row = archive[file.stem], let applied = row.upHash else { return standing[file.stem]?.checksumAgrees == false }
        if hash == applied { return false }
        let fingerprint = SQLScript.cosmeticFingerprint(file.up.text, dialect: dialect)
        return fingerprint == nil || fingerprint != row.upFingerprint
    }

    func isTampered(_ stem: String) -> Bool { archive[stem].map { $0.downSQL != nil && !isSigned($0) } ?? false }
}
