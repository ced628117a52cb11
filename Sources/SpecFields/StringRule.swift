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
        // In one pass: this is the rule of most names in a spec.
        var previous = UInt8(ascii: ".")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "."): if isSeparator(previous) { return false }
            case UInt8(ascii: "-"): if previous == UInt8(ascii: ".") { return false }
            default: guard (0x61...0x7A).contains(byte) || isDigit(byte) else { return false }
            }
            previous = byte
        }
        return !isSeparator(previous) && text.utf8.count <= 253
    }

    /// An absolute `http` or `https` URL without a user name or password.
    public static let httpURL = StringRule(
        pattern: "^https?://[^/?#@\\s]+([/?#]\\S*)?$",
        hint: "a URL that begins with https:// or http://, without blanks and without a user or password"
    ) { text in
        let text = text.utf8
        guard let scheme = schemes.first(where: { text.starts(with: $0) }), !isAnyBlank(text) else { return false }
        var hostLength = 0
        for byte in text.dropFirst(scheme.count) {
            if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") { break }
            if byte == UInt8(ascii: "@") { return false }
            hostLength += 1
        }
        return hostLength > 0
    }

    /// A name of a release: anything without blanks, at most 512 characters.
    public static let release = StringRule(pattern: "^\\S{1,512}$", hint: "a release without blanks, at most 512 characters") { text in
        !text.isEmpty && (text.utf8.count <= 512 || text.unicodeScalars.count <= 512) && !isAnyBlank(text.utf8)
    }

    private static let schemes = [Array("https://".utf8), Array("http://".utf8)]

    /// White space as regular expressions understand it, and control characters. Bytes first: asking Unicode costs 40 times as much.
    private static func isAnyBlank(_ text: String.UTF8View) -> Bool {
        var isASCII = true
        for byte in text {
            if byte <= 0x20 || byte == 0x7F { return true }
            if byte >= 0x80 { isASCII = false }
        }
        return !isASCII && String(text).unicodeScalars.contains { $0.properties.isWhitespace || $0.properties.generalCategory == .control }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") }

    private static func isLabel(_ text: Substring.UTF8View) -> Bool {
        var count = 0
        var last = UInt8(ascii: "-")
        for byte in text {
            let isDash = byte == UInt8(ascii: "-")
            guard (0x61...0x7A).contains(byte) || isDigit(byte) || (isDash && count > 0) else { return false }
            count += 1
            last = byte
        }
        return last != UInt8(ascii: "-") && count <= 63
    }
}
