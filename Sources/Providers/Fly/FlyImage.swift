import Model

/// The name of an image, taken apart.
struct FlyImage: Sendable, Hashable {
    /// With its registry: `registry.fly.io/podcast-worker`.
    var repository: String
    var tag: String?
    var digest: String?

    init(repository: String, tag: String? = nil, digest: String? = nil) {
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// `registry.fly.io/worker:deployment-01@sha256:…`; nil when nothing is named.
    init?(_ text: String?) {
        guard let text, !text.isEmpty else { return nil }
        var rest = Substring(text)
        if let at = rest.firstIndex(of: "@") {
            digest = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        guard !rest.isEmpty else { return nil }
        repository = String(rest)
    }

    /// As machines are told it: by digest, so that a tag that moves changes nothing.
    var pinned: String? { digest.map { "\(repository)@\($0)" } }

    /// For people.
    var description: String { repository + (tag.map { ":\($0)" } ?? digest.map { "@\($0)" } ?? "") }

    /// The path within the registry; nil when it is in another registry than the app's own.
    func path(in registry: String) -> String? {
        repository.hasPrefix(registry + "/") ? String(repository.dropFirst(registry.count + 1)) : nil
    }
}
