import Model

/// What a message offers instead of a pin that cannot be used.
enum Suggestions {
    /// `v3, v2, v1 and 4 more`; in the order given.
    static func list(_ labels: [String], limit: Int = 3) -> String {
        guard labels.count > limit else { return labels.joined(separator: ", ") }
        return labels.prefix(limit).joined(separator: ", ") + " and \(labels.count - limit) more"
    }

    /// The name that a typo was probably meant to be: at most a quarter of its bytes differ. The first of equals.
    static func nearest(to text: String, among names: some Sequence<String>) -> String? {
        let limit = text.utf8.count / 4
        var best: (name: String, distance: Int)?
        for name in names where name != text && abs(name.utf8.count - text.utf8.count) <= limit {
            let distance = editDistance(Array(text.utf8), Array(name.utf8))
            if distance <= limit, distance < best?.distance ?? .max { best = (name, distance) }
        }
        return best?.name
    }

    /// Insertions, deletions and replacements of bytes; a swap of two neighbours counts as one. Bounded input: long names are not compared.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard left.count <= 128, right.count <= 128 else { return .max }
        var before: [Int] = []
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(previous[column] + (byte == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other { cost = min(cost, before[column - 1] + 1) }
                current.append(cost)
            }
            (before, previous) = (previous, current)
        }
        return previous[right.count]
    }
}

extension PinResolution {
    /// Why there is no one meaning; nil when there is.
    func problem(of pin: Pin, for resource: ResourceID, among candidates: [Candidate]) -> Problem? {
        switch self {
        case .resolved: return nil
        case .ambiguous(let releases):
            return Problem(
                "PinAmbiguous", "\(resource): \(pin) denotes several releases: \(Suggestions.list(releases.map(\.label), limit: 5))",
                next: "pin one of them by its own id")
        case .missing:
            guard !candidates.isEmpty else {
                return Problem(
                    "PinNotFound", "\(resource): there is no release \(pin), because the provider lists none",
                    next: "deploy the component once, then pin that release")
            }
            // A failed build is among the candidates too, and no way leads to it.
            let open = candidates.filter { $0.routes.contains { $0.refusal == nil } }
            var next = "pin one of: \(Suggestions.list((open.isEmpty ? candidates : open).map(\.release.label)))"
            if let text = pin.text,
                let nearest = Suggestions.nearest(to: text, among: candidates.lazy.flatMap(\.release.names).map(\.value))
            {
                next = "did you mean \(nearest)? Else \(next)"
            } else if case .commit(let commit) = pin, commit.utf8.count < 7 {
                next = "give at least seven digits of the commit; \(next)"
            }
            return Problem("PinNotFound", "\(resource): no release is called \(pin)", next: next)
        }
    }
}

extension Pin {
    fileprivate var text: String? {
        switch self {
        case .name(let text), .commit(let text), .image(let text), .deployment(let text): text
        case .revision: nil
        }
    }
}
