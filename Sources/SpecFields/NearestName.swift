/// Finds the name that somebody meant.
public enum NearestName {
    /// The name that is fewest typing mistakes away; nil when none is near: one mistake in three letters, two in six, three from then on.
    public static func of(_ text: String, among names: [String]) -> String? {
        // Nobody mistypes a text of this length, and comparing costs the product of both lengths.
        guard text.utf8.count <= 64 else { return nil }
        let written = Array(text.lowercased())
        var nearest: (name: String, distance: Int)?
        for name in names where name.utf8.count <= 64 {
            let wanted = Array(name.lowercased())
            let allowed = min(3, max(1, max(wanted.count, written.count) / 3), wanted.count - 1)
            guard abs(wanted.count - written.count) <= allowed else { continue }
            let found = distance(written, wanted)
            if found <= allowed, found < nearest?.distance ?? .max { nearest = (name, found) }
        }
        return nearest?.name
    }

    /// `; did you mean "name"?`, or nothing.
    public static func hint(for text: String, among names: [String]) -> String {
        of(text, among: names).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    /// Damerau–Levenshtein in its restricted form: insertions, deletions, replacements, and two neighbours swapped.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        var older: [Int] = []
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(previous[column + 1] + 1, current[column] + 1, previous[column] + (character == other ? 0 : 1))
                if row > 0, column > 0, character == right[column - 1], left[row - 1] == other { best = min(best, older[column - 1] + 1) }
                current.append(best)
            }
            (older, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
