/// A reference to an image, with everything that may be left out filled in as Render fills it in.
struct RenderImage: Sendable, Hashable, CustomStringConvertible {
    /// Host, namespace and name: `docker.io/library/nginx`.
    var repository: String
    var tag: String?
    /// With its `sha256:`.
    var digest: String?

    init(repository: String, digest: String) {
        self.repository = repository
        self.digest = digest
    }

    /// Nil for what is no reference: empty, with blanks, or a URL.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 512, !text.contains(where: \.isWhitespace), !text.contains("://") else { return nil }
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if halves.count == 2 {
            guard Self.isDigest(halves[1]) else { return nil }
            digest = String(halves[1])
        }
        var segments = (halves.first ?? "").split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if let last = segments.last, let colon = last.lastIndex(of: ":") {
            tag = String(last[last.index(after: colon)...])
            segments[segments.count - 1] = String(last[..<colon])
        }
        let hasHost = segments.count > 1 && segments.first.map { $0.contains(".") || $0.contains(":") || $0 == "localhost" } == true
        if !hasHost { segments.insert("docker.io", at: 0) }
        if segments.first == "docker.io", segments.count == 2 { segments.insert("library", at: 1) }
        guard segments.count > 1, !segments.contains(where: \.isEmpty), tag != "" else { return nil }
        repository = segments.joined(separator: "/")
        if tag == nil, digest == nil { tag = "latest" }
    }

    var description: String { repository + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }

    /// True for `sha256:` and hexadecimal digits.
    static func isDigest(_ text: some StringProtocol) -> Bool {
        text.hasPrefix("sha256:") && text.utf8.count > 7 && text.dropFirst(7).utf8.allSatisfy { $0.isHexDigit }
    }
}

extension UInt8 {
    var isHexDigit: Bool { (0x30...0x39).contains(self) || (0x41...0x46).contains(self) || (0x61...0x66).contains(self) }
}
