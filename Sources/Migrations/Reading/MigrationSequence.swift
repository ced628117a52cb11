import MigrationFiles

/// The order of a directory, for migrations that have no file in it any more.
struct MigrationSequence: Sendable {
    private let directory: MigrationDirectory
    private let numbers: [String: [String]]

    init(_ directory: MigrationDirectory) {
        self.directory = directory
        numbers = Dictionary(directory.migrations.map { ($0.stem, Self.parts($0.number ?? $0.stem)) }) { first, _ in first }
    }

    /// Every file's stem in the directory's order, with the others where they belong. Repeatable ones stand at no place.
    func stems(with others: [String]) -> [String] {
        let own = directory.migrations.filter { !$0.isRepeatable }.map(\.stem)
        var known = Set(own)
        let gone = others.filter { known.insert($0).inserted }.sorted(by: precedes)
        var merged: [String] = []
        var rest = gone[...]
        for stem in own {
            while let first = rest.first, precedes(first, stem) {
                merged.append(first)
                rest.removeFirst()
            }
            merged.append(stem)
        }
        return merged + rest
    }

    func precedes(_ left: String, _ right: String) -> Bool {
        if directory.order == .numeric {
            let first = number(left)
            let second = number(right)
            if first.isEmpty != second.isEmpty { return second.isEmpty }
            if first != second { return first.lexicographicallyPrecedes(second) { Self.isLess($0, $1) } }
        }
        return left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private func number(_ stem: String) -> [String] { numbers[stem] ?? Self.parts(stem) }

    /// The parts of the number that a stem begins with, without leading zeros: `V1_02__name` has 1 and 2.
    private static func parts(_ stem: String) -> [String] {
        let isFlyway = stem.first == "V"
        let text = isFlyway ? stem.dropFirst() : stem[...]
        let digits = text.prefix { $0.isASCII && ($0.isNumber || (isFlyway && $0 == "_") || $0 == ".") }
        var parts = digits.split { $0 == "." || $0 == "_" }.map { String($0.drop { $0 == "0" }) }
        while parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
        return parts
    }

    private static func isLess(_ left: String, _ right: String) -> Bool {
        left.utf8.count != right.utf8.count ? left.utf8.count < right.utf8.count : left < right
    }
}

extension AppliedSet {
    /// Adds the files up to a baseline, presumed to be applied: those of a database that was there before its migrations were recorded.
    ///
    /// Where the first file of all is recorded, or was ever, the migrations began with an empty database, and nothing is presumed.
    mutating func presume(upTo baseline: String?, of directory: MigrationDirectory, archive: [String: ArchiveRow]) {
        guard let baseline else { return }
        let files = directory.migrations.filter { !$0.isRepeatable }
        guard let last = files.lastIndex(where: { $0.stem == baseline || $0.number == baseline }) else { return }
        let recorded = Set(applied.map(\.entry.stem))
        guard let first = files.first, !recorded.contains(first.stem), archive[first.stem] == nil else { return }
        let presumed = files[...last].filter { !recorded.contains($0.stem) && archive[$0.stem] == nil }
        applied.insert(contentsOf: presumed.map { Applied(entry: .init($0), isPresumed: true) }, at: 0)
    }
    /// Counts what was interrupted half-way as standing where it must go on from: what is above the pin as applied, so that it is taken back;
    /// what is not as taken back, so that it is applied.
    mutating func finish(_ interrupted: [ArchiveRow], of table: AdoptedTable, towards pin: Int?, _ stems: [String]) {
        guard let pin else { return }
        for row in interrupted where row.state != .stuck {
            let isRecorded = applied.contains { $0.entry.stem == row.version }
            let isAbove = stems.firstIndex(of: row.version).map { $0 > pin } ?? true
            if isAbove, !isRecorded { applied.append(Applied(entry: table.entry(row), isPresumed: false)) }
            if !isAbove, isRecorded { applied.removeAll { $0.entry.stem == row.version } }
        }
    }
}
