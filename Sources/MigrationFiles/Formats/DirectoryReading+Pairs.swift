/// Formats that give each direction a file of its own beside the other: `STEM.up.sql`, `STEM.down.sql`.
extension DirectoryReading {
    private struct Pair {
        var ups: [(source: MigrationSource, text: SourceText)] = []
        var downs: [(source: MigrationSource, text: SourceText)] = []
    }

    mutating func readPairs() {
        var pairs: [String: Pair] = [:]
        for source in sources {
            let file = FileName(source.path)
            guard file.folder.isEmpty else {
                refuseInFolder(file)
                continue
            }
            guard let name = PairName(file.base), !(name.isPlain && file.isDump) else {
                if file.looksLikeMigration, PairName.hasDirection(file.base) { refuseName(file) }
                continue
            }
            guard fits(name) else {
                if file.looksLikeMigration || !name.isPlain { refuseName(file) }
                continue
            }
            if let suffix = name.variant {
                mistakes.append(
                    Mistake(
                        "UnsupportedSuffix", path: file.path,
                        ".\(suffix) chooses among several files for one migration, which is not supported; keep the one for this database"))
            }
            guard let text = SourceText(source, &mistakes) else { continue }
            if name.direction == .up {
                pairs[name.stem, default: Pair()].ups.append((source, text))
            } else {
                pairs[name.stem, default: Pair()].downs.append((source, text))
            }
        }
        for (stem, pair) in pairs.sorted(by: { $0.key < $1.key }) { add(stem, pair) }
    }

    private func fits(_ name: PairName) -> Bool {
        let digits = name.stem.leadingDigits
        switch format {
        case .golangMigrate: return !name.isPlain && !digits.isEmpty && name.stem.dropFirst(digits.count).first == "_"
        case .sqlx: return !digits.isEmpty && name.stem.dropFirst(digits.count).first == "_"
        default: return !name.stem.isEmpty
        }
    }

    private mutating func add(_ stem: String, _ pair: Pair) {
        guard let up = pair.ups.first else {
            let path = pair.downs[0].source.path
            mistakes.append(
                Mistake(
                    "MissingUp", path: path,
                    "there is no \(stem).up.sql; without it the migration would count as applied though nothing had run"))
            return
        }
        for other in pair.ups.dropFirst() {
            mistakes.append(
                Mistake("TwoUpFiles", path: other.source.path, "\(up.source.path) is the up part of \(stem) already; keep one of them"))
        }
        if up.text.lines.allSatisfy({ $0.trimmed.isEmpty }) {
            mistakes.append(
                Mistake(
                    "EmptyUp", path: up.source.path,
                    "the file is empty, and the migration would count as applied; write it, or a comment if it shall do nothing"))
        }
        let down = pair.downs.first
        let digits = stem.leadingDigits
        let rest = stem.dropFirst(digits.count)
        var remarks = [Remarks(up.text, dialect, &mistakes)]
        if let down { remarks.append(Remarks(down.text, dialect, &mistakes)) }
        drafts.append(
            MigrationDraft(
                stem: stem, number: digits.isEmpty ? nil : digits,
                name: String(!digits.isEmpty && (rest.first == "_" || rest.first == "-") ? rest.dropFirst() : rest), path: up.source.path,
                downPath: down?.source.path, bytes: up.source.bytes, up: up.text.script(isTransactional(up.text)),
                down: down.map { $0.text.script(isTransactional($0.text)) }, remarks: remarks))
    }

    /// sqlx: the file begins with `-- no-transaction`.
    private func isTransactional(_ text: SourceText) -> Bool? {
        format == .sqlx && text.lines.first?.hasPrefix("-- no-transaction") == true ? false : nil
    }
}

/// `STEM.up.sql`, `STEM.down.sql`, or `STEM.sql`.
struct PairName {
    var stem: String
    var direction: Direction
    /// Without a direction in its name.
    var isPlain: Bool

    init?(_ base: String) {
        guard let name = base.before(suffix: ".sql") else { return nil }
        if let stem = name.before(suffix: ".up") {
            (self.stem, direction, isPlain) = (stem, .up, false)
        } else if let stem = name.before(suffix: ".down") {
            (self.stem, direction, isPlain) = (stem, .down, false)
        } else {
            (stem, direction, isPlain) = (name, .up, true)
        }
    }

    /// `1_x.up.json` and the like.
    static func hasDirection(_ base: String) -> Bool { base.contains(".up.") || base.contains(".down.") }

    /// The dialect or mode that popx and others write between stem and direction.
    var variant: String? {
        ["postgres", "postgresql", "mysql", "sqlite", "sqlite3", "cockroach", "autocommit"].first { stem.hasSuffix(".\($0)") }
    }
}
