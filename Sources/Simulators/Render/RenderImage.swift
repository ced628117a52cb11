/// A reference to an image in a registry, with everything that may be left out filled in.
struct RenderImage: Sendable, Hashable, CustomStringConvertible {
    var host: String
    /// Namespace and name.
    var path: String
    var tag: String?
    /// With its `sha256:`.
    var digest: String?

    /// Nil when it is no reference.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 512, !text.contains(where: { $0.isWhitespace }), !text.contains("://") else { return nil }
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard parts[1].hasPrefix("sha256:"), parts[1].count > 7 else { return nil }
            digest = String(parts[1])
        }
        var components = (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if let last = components.last, let colon = last.lastIndex(of: ":") {
            tag = String(last[last.index(after: colon)...])
            components[components.count - 1] = String(last[..<colon])
        }
        if components.count > 1, let first = components.first, first.contains(".") || first.contains(":") || first == "localhost" {
            host = first
            components.removeFirst()
        } else {
            host = "docker.io"
        }
        if host == "docker.io", components.count == 1 { components.insert("library", at: 0) }
        guard !components.contains(where: \.isEmpty), tag != "" else { return nil }
        path = components.joined(separator: "/")
        if tag == nil, digest == nil { tag = "latest" }
    }

    /// The same image under another tag, or by its digest.
    func with(_ version: String) -> RenderImage {
        var other = self
        (other.tag, other.digest) = version.hasPrefix("sha256:") ? (nil, version) : (version, nil)
        return other
    }

    /// Host, repository and name.
    var repository: String { "\(host)/\(path)" }

    var description: String { repository + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "") }
}

/// The registries of the world: which digest a tag stands for, and what was deleted.
struct RenderRegistry: Sendable {
    private var tags: [String: String] = [:]
    private var deleted: Set<String> = []

    /// What a pull gives; nil when the image is not there. A tag that nobody set stands for a digest of its own.
    func pull(_ image: RenderImage) -> String? {
        let sha = image.digest ?? tags[image.description] ?? Self.digest(of: image.description)
        return deleted.contains(image.description) || deleted.contains("\(image.repository)@\(sha)") ? nil : sha
    }

    mutating func set(_ image: RenderImage, _ sha: String) {
        deleted.remove(image.description)
        tags[image.description] = sha
    }

    /// The digest goes with the tag, for whoever pinned it.
    mutating func delete(_ image: RenderImage) {
        if let sha = pull(image) { deleted.insert("\(image.repository)@\(sha)") }
        deleted.insert(image.description)
    }

    static func digest(of text: String) -> String { "sha256:" + RenderText.hexadecimal(text, 64) }
}
