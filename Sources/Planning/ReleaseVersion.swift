/// The number in the name of a release, as far as releases are ordered by it: `v1.42.0`, `1.9`, `release-7`.
struct ReleaseVersion: Comparable {
    private let parts: [Int]
    private let isPrerelease: Bool

    /// Nil for a name that is no version: one that does not begin with digits, apart from a `v` or a word and a dash before them.
    init?(_ name: String) {
        var text = name[...]
        if let colon = text.lastIndex(of: ":"), !text.hasPrefix("sha256:") { text = text[text.index(after: colon)...] }
        let digits = text.drop { !($0.isASCII && $0.isNumber) }
        let prefix = text[..<digits.startIndex]
        guard !digits.isEmpty, prefix.allSatisfy({ $0.isLetter || $0 == "-" || $0 == "_" }) else { return nil }
        let core = digits.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
        let rest = digits[core.endIndex...]
        // A commit or a digest may begin with digits as well.
        guard rest.isEmpty || ["-", "+", " ", "("].contains(rest.first) else { return nil }
        var parts = core.split(separator: ".").map { Int($0) }
        while parts.last == 0 { parts.removeLast() }
        guard parts.allSatisfy({ $0 != nil }) else { return nil }
        self.parts = parts.compactMap(\.self)
        isPrerelease = rest.first == "-"
    }

    static func < (left: ReleaseVersion, right: ReleaseVersion) -> Bool {
        if left.parts != right.parts { return left.parts.lexicographicallyPrecedes(right.parts) }
        return left.isPrerelease && !right.isPrerelease
    }
}
