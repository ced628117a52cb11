/// A pin that names no migration, or more than one.
public struct PinError: Error, Sendable, Hashable {
    public enum Code: Sendable, Hashable {
        case unknown, ambiguous
    }

    public var code: Code
    /// Stems: all that the pin may mean, or the nearest.
    public var candidates: [String]
    /// What is wrong, and what to write instead.
    public var message: String

    public init(_ code: Code, candidates: [String], _ message: String) {
        self.code = code
        self.candidates = candidates
        self.message = message
    }
}

extension MigrationDirectory {
    /// The migration that a pin names: by its full stem, else by a leading number that only one migration has. Leading zeros do not count.
    /// A repeatable one cannot be pinned: it stands at no place.
    public func resolve(_ pin: String) throws(PinError) -> MigrationFile {
        let versioned = migrations.filter { !$0.isRepeatable }
        if let exact = versioned.first(where: { $0.stem == pin }) { return exact }
        let wanted = OrderKey.parts(of: pin)
        let same = wanted == nil ? [] : versioned.filter { $0.orderKey.parts == wanted }
        if same.count == 1 { return same[0] }
        if same.count > 1 {
            let stems = same.map(\.stem)
            throw PinError(
                .ambiguous, candidates: stems,
                "\(pin) is the number of \(stems.count) migrations: \(stems.joined(separator: ", ")); write the whole name")
        }
        let nearest = nearest(to: pin, versioned.map(\.stem))
        let hint =
            nearest.isEmpty
            ? versioned.last.map { "; the last one is \($0.stem)" } ?? "; there are none"
            : "; did you mean \(nearest.joined(separator: ", "))?"
        throw PinError(.unknown, candidates: nearest, "no migration is called \(pin)\(hint)")
    }

    /// At most three: those that begin with the pin or the other way round, then those that differ in few letters.
    private func nearest(to pin: String, _ stems: [String]) -> [String] {
        guard !pin.isEmpty else { return [] }
        let related = stems.filter { $0.hasPrefix(pin) || pin.hasPrefix($0) || $0.hasSuffix("_\(pin)") }
        if !related.isEmpty { return Array(related.prefix(3)) }
        let limit = max(2, pin.utf8.count / 4)
        let close = stems.map { ($0, Self.distance(Array(pin.utf8), Array($0.utf8), limit)) }.filter { $0.1 <= limit }
        return close.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(\.0)
    }

    /// How many bytes have to change; more than the limit as soon as it is certain.
    private static func distance(_ left: [UInt8], _ right: [UInt8], _ limit: Int) -> Int {
        guard abs(left.count - right.count) <= limit else { return limit + 1 }
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var next = [index + 1]
            for (other, candidate) in right.enumerated() {
                next.append(min(row[other] + (byte == candidate ? 0 : 1), row[other + 1] + 1, next[other] + 1))
            }
            row = next
        }
        return row[right.count]
    }
}
