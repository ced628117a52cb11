/// A rule for strings, twice: as a pattern for schemas and as a function for reading. Both accept the same strings.
public struct StringRule: Sendable, Hashable {
    /// ECMA 262 and RE2, anchored.
    public let pattern: String
    /// What is allowed, for messages: `expected …`.
    public let hint: String
    private let accepting: @Sendable (String) -> Bool

    public init(pattern: String, hint: String, accepts: @escaping @Sendable (String) -> Bool) {
        self.pattern = pattern
        self.hint = hint
        accepting = accepts
    }

    public func accepts(_ text: String) -> Bool { accepting(text) }

    public static func == (left: StringRule, right: StringRule) -> Bool { left.pattern == right.pattern && left.hint == right.hint }

    public func hash(into hasher: inout Hasher) { hasher.combine(pattern) }

    /// A DNS label that begins with a letter.
    public static let name = StringRule(
        pattern: "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        hint: "a name of lower-case letters, digits and '-' that begins with a letter, at most 63"
    ) { $0.utf8.first.map { !isDigit($0) } ?? false && isLabel($0.utf8[...]) }

    /// A DNS label (RFC 1123), as Kubernetes wants it of a namespace.
    public static let label = StringRule(
        pattern: "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", hint: "lower-case letters, digits and '-', at most 63"
    ) { isLabel($0.utf8[...]) }

    /// DNS labels joined by dots, as Kubernetes wants it of most names; at most 253 characters.
    public static let subdomain = StringRule(
        pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        hint: "lower-case letters, digits, '-' and '.', at most 253"
    ) { text in
        text.utf8.count <= 253
            && text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { isLabel($0, atMost: 253) }
    }

    /// An absolute `http` or `https` URL without a user name or password.
    public static let httpURL = StringRule(
        pattern: "^https?://[^/?#@\\s]+([/?#]\\S*)?$",
        hint: "a URL that begins with https:// or http://, without blanks and without a user or password"
    ) { text in
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return !host.isEmpty && !host.contains("@") && !rest.contains(where: \.isWhitespace)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isLabel(_ text: Substring.UTF8View, atMost limit: Int = 63) -> Bool {
        guard let first = text.first, let last = text.last, text.count <= limit else { return false }
        func isLetterOrDigit(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || isDigit(byte) }
        return isLetterOrDigit(first) && isLetterOrDigit(last) && text.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
    }
}
