/// What a format asks of all its versions together, because of what its table can hold.
struct VersionRules {
    private let format: MigrationFormat

    init(_ format: MigrationFormat) { self.format = format }

    /// - Parameter files: in the order of their numbers.
    func mistakes(in files: [MigrationFile]) -> [Mistake] {
        duplicates(in: files) + tooLarge(in: files) + gaps(in: files)
    }

    private func duplicates(in files: [MigrationFile]) -> [Mistake] {
        // Their tables hold the whole name.
        if [.stem, .sqlMigrate, .nodePgMigrate].contains(format) { return [] }
        var seen: [String: String] = [:]
        var found: [Mistake] = []
        for file in files {
            guard let number = file.number else { continue }
            guard let first = seen.updateValue(file.path, forKey: identity(number)) else { continue }
            found.append(
                Mistake(
                    "DuplicateVersion", path: file.path,
                    "\(first) has version \(number) as well, and the table of \(format.rawValue) holds nothing else; give one another number"
                ))
            seen[identity(number)] = first
        }
        return found
    }

    /// As the tool's table compares it: text, or a number.
    private func identity(_ number: String) -> String {
        guard ![.runbook, .dbmate, .diesel].contains(format), let parts = OrderKey.parts(of: number) else { return number }
        return parts.map(\.description).joined(separator: ".")
    }

    private func tooLarge(in files: [MigrationFile]) -> [Mistake] {
        let limit: String
        switch format {
        case .goose, .sqlx, .golangMigrate: limit = "9223372036854775807"
        case .tern: limit = "2147483647"
        default: return []
        }
        guard let most = Digits(limit) else { return [] }
        return files.compactMap { file in
            guard let number = file.number.flatMap({ Digits($0) }), number > most else { return nil }
            return Mistake("VersionTooLarge", path: file.path, "\(number) is more than \(limit), the most that the table can hold")
        }
    }

    private func gaps(in files: [MigrationFile]) -> [Mistake] {
        guard format == .tern else { return [] }
        var expected = Digits("1")
        for file in files {
            guard let number = file.number.flatMap({ Digits($0) }), let next = expected else { continue }
            if number > next || number.isZero {
                return [
                    Mistake(
                        "VersionGap", path: file.path,
                        "tern counts from 1 without a gap, and here \(next) should stand; renumber, or restore the file that is missing")
                ]
            }
            if number == next { expected = next.successor }
        }
        return []
    }
}
