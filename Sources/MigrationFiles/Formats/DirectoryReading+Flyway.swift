/// Flyway: `V1.2__name.sql`, `U1.2__name.sql`, `R__name.sql`, each with settings in `….sql.conf`; in folders as well.
extension DirectoryReading {
    private struct Found {
        var file: FileName
        var name: FlywayName
        var source: MigrationSource
        var text: SourceText
        var isTransactional: Bool?
        var isReadable: Bool
    }

    mutating func readFlyway() {
        let settings = Dictionary(
            sources.filter { $0.path.hasSuffix(".sql.conf") }.map { (String($0.path.dropLast(5)), $0) }, uniquingKeysWith: { $1 })
        var found: [Found] = []
        for source in sources {
            let file = FileName(source.path)
            refuseCode(file)
            guard file.base.hasSuffix(".sql") else { continue }
            guard let name = FlywayName(file.base) else {
                refuseUnfit(file)
                continue
            }
            guard let text = SourceText(source, &mistakes) else { continue }
            let own = settings[source.path].map { readSettings($0) } ?? FlywaySettings()
            let before = mistakes.count
            if own.replacesPlaceholders { refusePlaceholders(text) }
            found.append(
                Found(
                    file: file, name: name, source: source, text: text, isTransactional: own.isTransactional,
                    isReadable: mistakes.count == before))
        }
        let undos = found.filter { $0.name.kind == .undo }
        for entry in found where entry.name.kind == .versioned || entry.name.kind == .repeatable {
            add(entry, undos.first { $0.name.parts == entry.name.parts && entry.name.kind == .versioned })
        }
        let versions = found.filter { $0.name.kind == .versioned }.compactMap(\.name.parts)
        for undo in undos where !versions.contains(where: { $0 == undo.name.parts }) {
            mistakes.append(
                Mistake("MissingUp", path: undo.file.path, "no V file has version \(undo.name.version ?? ""); add it, or remove this file"))
        }
        refuseSecondUndos(undos)
        refuseSecondDescriptions(found)
        refuseBaselines(found, versions)
    }

    private mutating func add(_ entry: Found, _ undo: Found?) {
        var remarks = [Remarks(entry.text, dialect, &mistakes)]
        if let undo { remarks.append(Remarks(undo.text, dialect, &mistakes)) }
        drafts.append(
            MigrationDraft(
                stem: entry.file.stem, number: entry.name.version, name: entry.name.description, path: entry.file.path,
                downPath: undo?.file.path, bytes: entry.source.bytes, up: entry.text.script(entry.isTransactional),
                down: undo.map { $0.text.script($0.isTransactional) }, isRepeatable: entry.name.kind == .repeatable, remarks: remarks,
                isReadable: entry.isReadable && undo?.isReadable != false))
    }

    private mutating func refuseUnfit(_ file: FileName) {
        let prefix = file.base.prefix(1)
        let isClose = "VURBvurb".contains(prefix) && (file.base.dropFirst().first?.isNumber == true || file.base.contains("__"))
        if FlywayName.callbacks.contains(where: { file.base.lowercased().hasPrefix($0) }) {
            mistakes.append(
                Mistake(
                    "UnsupportedCallback", path: file.path,
                    "Flyway runs it around migrations, and Belay would not; put its statements into a migration and remove it"))
        } else if file.looksLikeMigration || isClose {
            refuseName(file)
        }
    }

    private mutating func refusePlaceholders(_ text: SourceText) {
        for (index, line) in text.lines.enumerated() {
            guard let place = line.substitution(opening: "${") else { continue }
            mistakes.append(
                text.mistake(
                    "PlaceholderNotSupported", line: index, column: place.column,
                    "${\(place.name)} is a placeholder, and there is no value for it; write the value,"
                        + " or placeholderReplacement=false in \(FileName(text.path).base).conf if it is meant as it stands"))
        }
    }

    private mutating func refuseSecondUndos(_ undos: [Found]) {
        for (index, undo) in undos.enumerated() {
            guard let first = undos[..<index].first(where: { $0.name.parts == undo.name.parts }) else { continue }
            mistakes.append(
                Mistake("DuplicateVersion", path: undo.file.path, "\(first.file.path) undoes version \(undo.name.version ?? "") already"))
        }
    }

    /// A repeatable migration is known by its description, in which Flyway writes blanks for underscores.
    private mutating func refuseSecondDescriptions(_ found: [Found]) {
        var seen: [[Substring]: String] = [:]
        for entry in found where entry.name.kind == .repeatable {
            let words = entry.name.description.split(omittingEmptySubsequences: false) { $0 == "_" || $0 == " " }
            guard let first = seen.updateValue(entry.file.path, forKey: words) else { continue }
            mistakes.append(
                Mistake(
                    "DuplicateVersion", path: entry.file.path,
                    "\(first) has the same description, and a repeatable migration is known by nothing else; give it another one"))
        }
    }

    /// A baseline stands for all versions up to it. Where their files are there they are run, and it is passed over; where they are gone,
    /// an empty database could not be brought forward.
    private mutating func refuseBaselines(_ found: [Found], _ versions: [[Digits]]) {
        for entry in found where entry.name.kind == .baseline {
            guard let own = entry.name.parts, !versions.contains(where: { $0 == own || $0.lexicographicallyPrecedes(own) }) else {
                continue
            }
            mistakes.append(
                Mistake(
                    "UnsupportedBaseline", path: entry.file.path,
                    "the versions that it stands for have no files; rename it to V\(entry.file.base.dropFirst()),"
                        + " and name it as migrations.baseline for databases that have it"))
        }
    }

    private mutating func readSettings(_ source: MigrationSource) -> FlywaySettings {
        var settings = FlywaySettings()
        guard let text = SourceText(source, &mistakes) else { return settings }
        for (index, line) in text.lines.enumerated() {
            let trimmed = line.trimmed
            if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
            let sides = trimmed.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(\.trimmed)
            switch (sides[0], sides.count > 1 ? sides[1].lowercased() : "") {
            case ("executeInTransaction", "true"): settings.isTransactional = true
            case ("executeInTransaction", "false"): settings.isTransactional = false
            case ("placeholderReplacement", "true"), ("shouldExecute", "true"), ("encoding", "utf-8"), ("encoding", "utf8"): break
            case ("placeholderReplacement", "false"): settings.replacesPlaceholders = false
            default:
                mistakes.append(
                    text.mistake(
                        "UnsupportedSetting", line: index,
                        "\(trimmed) is not supported; executeInTransaction and placeholderReplacement are"))
            }
        }
        return settings
    }
}

private struct FlywaySettings {
    var isTransactional: Bool?
    var replacesPlaceholders = true
}

/// `V1_2__add_index.sql`
struct FlywayName {
    enum Kind: Character {
        case versioned = "V"
        case undo = "U"
        case repeatable = "R"
        case baseline = "B"
    }

    static let callbacks = ["before", "after", "createschema"]

    var kind: Kind
    /// Dotted, as Flyway writes it; nil for a repeatable one.
    var version: String?
    var parts: [Digits]?
    var description: String

    /// - Parameter base: with any ending.
    init?(_ base: String) {
        guard let kind = base.first.flatMap(Kind.init), let separator = base.firstDoubleUnderscore else { return nil }
        self.kind = kind
        let text = base[base.index(after: base.startIndex)..<separator]
        let ending = base.lastIndex(of: ".") ?? base.endIndex
        let start = base.index(separator, offsetBy: 2)
        description = start < ending ? String(base[start..<ending]) : ""
        if kind == .repeatable {
            guard text.isEmpty else { return nil }
        } else {
            let version = String(text.map { $0 == "_" ? "." : $0 })
            guard let parts = OrderKey.parts(of: version) else { return nil }
            self.version = version
            self.parts = parts
        }
    }
}

extension String {
    fileprivate var firstDoubleUnderscore: Index? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix("__") { return index }
            index = self.index(after: index)
        }
        return nil
    }
}
