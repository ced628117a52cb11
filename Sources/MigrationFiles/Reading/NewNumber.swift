/// The number of a migration that is made now: in the style of the last one, and later than all.
struct NewNumber {
    private let directory: MigrationDirectory
    /// 14 digits.
    private let timestamp: String

    init(_ directory: MigrationDirectory, _ timestamp: String) {
        self.directory = directory
        self.timestamp = timestamp
    }

    func text() throws(MigrationFileErrors) -> String {
        guard let last = directory.migrations.last(where: { !$0.isRepeatable && $0.number != nil }), let number = last.number else {
            return first
        }
        let isDashed = directory.format == .diesel && last.stem.prefix { $0 != "_" }.contains("-")
        for candidate in [timed(like: number), next(after: number)].compactMap(\.self) {
            let text = isDashed ? dashed(candidate) : written(candidate, like: last.stem)
            if isLater(candidate, text) { return text }
        }
        throw MigrationFileErrors([
            Mistake("NoNumberLeft", path: last.path, "no number of \(number.count) digits is later than this one; name the file yourself")
        ])
    }

    /// Of the first one in a directory.
    private var first: String {
        switch directory.format {
        case .tern: "001"
        case .flyway: "1"
        case .nodePgMigrate: String(seconds * 1000)
        case .diesel: dashed(timestamp)
        default: timestamp
        }
    }

    /// Now, where the last one is a time: 14 digits, 17 with milliseconds, 8 for a day, or seconds or milliseconds since 1970.
    private func timed(like number: String) -> String? {
        switch number.utf8.count {
        case 14: timestamp
        case 17: timestamp + "000"
        case 8 where number.hasPrefix("19") || number.hasPrefix("20"): String(timestamp.prefix(8))
        case 10 where number.hasPrefix("1"): String(seconds)
        case 13 where number.hasPrefix("1"): String(seconds * 1000)
        default: nil
        }
    }

    private func next(after number: String) -> String? {
        var parts = number.split(separator: ".").map(String.init)
        guard let last = parts.last, let digits = Digits(last) else { return nil }
        parts[parts.count - 1] = digits.successor.padded(to: last.utf8.count)
        return parts.joined(separator: ".")
    }

    private func isLater(_ number: String, _ text: String) -> Bool {
        // The shortest name that it can have: it must not stand before another by its name alone.
        let stem = "\(directory.format == .flyway ? "V" : "")\(text)_"
        let key = OrderKey(stem: stem, number: number, isRepeatable: false)
        return directory.migrations.allSatisfy { file in
            if file.isRepeatable { return true }
            guard let parts = file.orderKey.parts else { return true }
            guard parts != key.parts, file.orderKey < key else { return false }
            return directory.order == .numeric || file.stem.utf8.lexicographicallyPrecedes(stem.utf8)
        }
    }

    /// Flyway's versions may be written with underscores.
    private func written(_ number: String, like stem: String) -> String {
        guard directory.format == .flyway, let version = FlywayName("\(stem).sql")?.version, version.contains(".") else { return number }
        // `V1_2__x`: the version is as long in both ways of writing.
        let isUnderscored = stem.dropFirst().prefix(version.count).contains("_")
        return isUnderscored ? String(number.map { $0 == "." ? "_" : $0 }) : number
    }

    /// `2024-06-11-093000`
    private func dashed(_ number: String) -> String {
        guard number.utf8.count == 14 else { return number }
        let digits = Array(number)
        return "\(String(digits[..<4]))-\(String(digits[4..<6]))-\(String(digits[6..<8]))-\(String(digits[8...]))"
    }

    /// Since 1970. Howard Hinnant's days from civil: https://howardhinnant.github.io/date_algorithms.html
    private var seconds: Int {
        let digits = timestamp.utf8.map { Int($0) - 48 }
        let value = { (range: Range<Int>) in digits[range].reduce(0) { $0 * 10 + $1 } }
        let (month, day) = (value(4..<6), value(6..<8))
        let year = value(0..<4) - (month <= 2 ? 1 : 0)
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = year / 400 * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return ((days * 24 + value(8..<10)) * 60 + value(10..<12)) * 60 + value(12..<14)
    }
}
