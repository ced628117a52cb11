internal import SQL

/// A name of one or more parts, as ``StatementFacts/Loss/object`` writes it.
public struct ObjectName: Sendable, Hashable {
    /// As the catalogue has them, without quotation marks.
    public var parts: [String]

    public init(parts: [String]) { self.parts = parts }

    /// Dots tell parts apart, except within quotation marks.
    public init(_ text: String) {
        var (parts, part): ([String], String) = ([], "")
        var (isQuoted, isAtQuote): (Bool, Bool) = (false, false)
        for character in text {
            switch character {
            case "\"" where isAtQuote:
                // Two of them within quotation marks are one.
                part.append(character)
                isAtQuote = false
                isQuoted = true
            case "\"" where isQuoted: (isQuoted, isAtQuote) = (false, true)
            case "\"": isQuoted = true
            case "." where !isQuoted:
                parts.append(part)
                (part, isAtQuote) = ("", false)
            default:
                part.append(character)
                isAtQuote = false
            }
        }
        self.parts = text.isEmpty ? [] : parts + [part]
    }

    public var last: String { parts.last ?? "" }
    /// The schema, where the name has one.
    public var schema: String? { parts.count > 1 ? parts[parts.count - 2] : nil }
    /// `"public"."Orders"`: for SQL, and for functions that read a name as SQL does.
    public var quoted: String { parts.map(SQLIdentifier.quoted).joined(separator: ".") }
    /// `public.Orders`: for people, and as facts write it.
    public var text: String { parts.map(TreeNames.quoted).joined(separator: ".") }
}
