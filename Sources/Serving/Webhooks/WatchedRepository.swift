/// The repository that specs are read from, as far as webhooks tell of it.
public struct WatchedRepository: Sendable, Hashable {
    /// The parts of its path on the host: `["acme", "specs"]`.
    private let path: [String]
    /// What is watched: a branch, a tag, a full name; nil is the repository's own branch. A commit never moves.
    private let ref: String?
    private let isCommit: Bool

    public init(url: String, ref: String?, isCommit: Bool) {
        path = Self.path(of: url)
        self.ref = ref
        self.isCommit = isCommit
    }

    /// Why a push means nothing for it; nil when it may have moved what is watched.
    ///
    /// The name of the host is not compared: one host has many names, inside of a cluster and outside, and a wrong guess costs one question.
    public func isUntouched(by push: PushEvent) -> String? {
        if isCommit { return "a commit is watched, which never changes" }
        let named = push.repository.map(Self.path).filter { !$0.isEmpty }
        if !named.isEmpty, !named.contains(where: { path.suffix($0.count).elementsEqual($0) }) { return "another repository is watched" }
        guard let ref, let moved = push.ref else { return nil }
        return [ref, "refs/heads/\(ref)", "refs/tags/\(ref)"].contains(moved) ? nil : "another ref is watched: \(ref)"
    }

    /// Of a URL, of what `scp` takes, or of a plain path. Hosts do not tell upper from lower case.
    private static func path(of url: String) -> [String] {
        var rest = url[...]
        if let scheme = rest.firstRange(of: "://") {
            rest = rest[scheme.upperBound...]
            rest = rest.firstIndex(of: "/").map { rest[$0...] } ?? ""
        } else if let colon = rest.firstIndex(of: ":"), !rest[..<colon].contains("/") {
            rest = rest[rest.index(after: colon)...]
        }
        var parts = rest.split(separator: "/").map { $0.lowercased() }
        if let last = parts.last, last.hasSuffix(".git") { parts[parts.count - 1] = String(last.dropLast(4)) }
        return parts
    }
}
