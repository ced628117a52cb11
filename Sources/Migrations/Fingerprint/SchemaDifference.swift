/// What differs between two schemas, by their fingerprints' lines.
public struct SchemaDifference: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public enum Change: String, Sendable {
            case added = "+"
            case removed = "-"
            case changed = "~"
        }

        public var change: Change
        /// `column public.orders.note`: what both schemas call it.
        public var object: String
        /// The lines' other halves; empty where a line has none, nil where the object is not there.
        public var before: String?
        public var after: String?

        /// `+ column public.orders.note: text`, `~ column public.orders.note: text -> character varying(20)`. Long definitions are cut so
        /// that what differs is seen.
        public var line: String {
            switch change {
            case .added: "+ \(object)\(Self.written(after))"
            case .removed: "- \(object)\(Self.written(before))"
            case .changed: "~ \(object): \(Self.facing(before ?? "", after ?? ""))"
            }
        }

        private static let width = 120

        private static func written(_ definition: String?) -> String {
            guard let definition, !definition.isEmpty else { return "" }
            return ": " + (definition.count > width ? definition.prefix(width) + "…" : definition)
        }

        private static func facing(_ before: String, _ after: String) -> String {
            guard max(before.count, after.count) > width else { return "\(shown(before[...])) -> \(shown(after[...]))" }
            let same = zip(before, after).prefix { $0 == $1 }.count
            let skipped = max(0, same - 20)
            func part(_ text: String) -> String {
                let rest = text.dropFirst(skipped)
                return (skipped > 0 ? "…" : "") + shown(rest.prefix(width)) + (rest.count > width ? "…" : "")
            }
            return "\(part(before)) -> \(part(after))"
        }

        private static func shown(_ text: Substring) -> String { text.isEmpty ? "(nothing)" : String(text) }
    }

    /// Sorted by object.
    public let entries: [Entry]

    public init(from before: [String], to after: [String]) {
        let (old, new) = (Self.definitions(before), Self.definitions(after))
        entries = Set(old.keys).union(new.keys).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { object in
            switch (old[object], new[object]) {
            case (let old?, let new?): old == new ? nil : Entry(change: .changed, object: object, before: old, after: new)
            case (let old?, nil): Entry(change: .removed, object: object, before: old)
            case (nil, let new?): Entry(change: .added, object: object, after: new)
            case (nil, nil): nil
            }
        }
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// One line an entry; when there are more than the limit, the last one says how many more.
    public func lines(limit: Int = 20) -> [String] {
        guard entries.count > limit else { return entries.map(\.line) }
        return entries.prefix(limit).map(\.line) + ["and \(entries.count - limit) more"]
    }

    /// Whether one of the objects differs, or a part of one, or something that names one in its definition. In doubt it does: a column that is
    /// called as the table is taken for it.
    /// - Parameter names: as a script names them, qualified or not: `orders`, `public.orders`, `orders.note`; a schema stands for all in it.
    public func touches(_ names: some Sequence<String>) -> Bool {
        let wanted = names.map { Self.parts($0) }.filter { !$0.isEmpty }
        return entries.contains { entry in
            let named = Self.words(entry.object).filter { !Self.kinds.contains($0) }.map { Self.parts($0) }
            // Definitions name everything in full, so a word without a point is a type, an alias or a text.
            let mentioned = [entry.before, entry.after].compactMap(\.self).flatMap { Self.words($0).map { Self.parts($0) } }.filter {
                $0.count > 1
            }
            return wanted.contains { name in (named + mentioned).contains { $0.contains(name) } }
        }
    }

    // MARK: - Private

    private static func definitions(_ lines: [String]) -> [String: String] {
        Dictionary(lines.map(split)) { first, second in first + "; " + second }
    }

    /// Splits at the first `: ` that no quotation marks surround.
    static func split(_ line: String) -> (object: String, definition: String) {
        var isQuoted = false
        let bytes = Array(line.utf8)
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted, byte == UInt8(ascii: ":"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: " ") {
                return (String(decoding: bytes[..<index], as: UTF8.self), String(decoding: bytes[(index + 2)...], as: UTF8.self))
            }
        }
        return (line, "")
    }

    private static let kinds: Set<String> = [
        "schema", "extension", "table", "foreign", "view", "materialized", "column", "type", "sequence", "constraint", "index", "function",
        "procedure", "aggregate", "trigger", "rule", "policy", "enum", "domain", "range", "event", "statistics", "operator", "publication",
        "comment", "place", "owner", "relation", "check", "key", "unique", "primary", "on",
    ]

    private static func parts(_ name: String) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in name {
            switch character {
            case "\"": isQuoted.toggle()
            case "." where !isQuoted: parts.append("")
            default: parts[parts.count - 1].append(isQuoted ? character : Character(character.lowercased()))
            }
        }
        return parts.filter { !$0.isEmpty }
    }

    /// Names with their points, among whatever else stands in a definition.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if isQuoted || character == "\"" || character == "." || character == "_" || character == "$" || character.isLetter
                || character.isNumber
            {
                word.append(character)
            } else if !word.isEmpty {
                words.append(word)
                word = ""
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}
