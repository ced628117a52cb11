public import Model

/// A pin of a schema: the full name of a migration, or a leading number that only one has.
public struct SchemaPin: Sendable, Hashable {
    private let text: String
    private let versions: [String]

    /// - Parameter migrations: in their order; only those with a file can be pinned.
    public init(_ text: String, among migrations: [DatabaseObservation.Migration]) {
        self.text = text
        versions = migrations.map(\.version)
        pinnable = Set(migrations.filter(\.isInSource).map(\.version))
    }

    private let pinnable: Set<String>

    /// Where it stands among the migrations; -1 for the empty schema.
    public func position(of database: ResourceID) -> Result<Int, Problem> {
        if text == Database.emptySchema { return .success(-1) }
        if pinnable.contains(text), let position = versions.firstIndex(of: text) { return .success(position) }
        let matches = versions.indices.filter { pinnable.contains(versions[$0]) && Self.number(versions[$0]) == text }
        if matches.count == 1 { return .success(matches[0]) }
        if matches.count > 1 {
            return .failure(
                Problem(
                    "PinAmbiguous", "\(database): \(text) is the number of several migrations",
                    next: "pin one of them by its full name: \(Suggestions.list(matches.map { versions[$0] }, limit: 5))"))
        }
        let known = versions.filter { pinnable.contains($0) }
        if versions.contains(text) {
            return .failure(
                Problem(
                    "PinNotFound", "\(database): \(text) is known to the database, but its file is not there",
                    next: "restore the file, or pin one of: \(Suggestions.list(known.reversed()))"))
        }
        let nearest = Suggestions.nearest(to: text, among: known).map { "did you mean \($0)? Else pin" } ?? "pin"
        return .failure(
            Problem(
                "PinNotFound", "\(database): there is no migration \(text)",
                next: known.isEmpty ? "check the path of the migrations" : "\(nearest) one of: \(Suggestions.list(known.reversed()))"))
    }

    /// The full name of the pinned migration; nil when there is not exactly one. The pin of the empty schema is its own name.
    public func name(of database: ResourceID) -> String? {
        guard case .success(let position) = position(of: database) else { return nil }
        return position < 0 ? text : versions[position]
    }

    /// What a name begins with; of Flyway's `V1_2__name` the version as Flyway writes it, `1.2`.
    private static func number(_ version: String) -> String {
        func isNumber(_ text: some StringProtocol) -> Bool { text.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "_") } }
        if version.first == "V", let end = version.firstRange(of: "__")?.lowerBound {
            let digits = version[..<end].dropFirst()
            if !digits.isEmpty, isNumber(digits) { return String(digits.replacing("_", with: ".")) }
        }
        return String(version.prefix { $0.isASCII && ($0.isNumber || $0 == ".") })
    }
}
