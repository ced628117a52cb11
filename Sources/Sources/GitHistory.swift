internal import Model

/// What a Git work tree remembers of the files in one of its folders. Read-only; asks no other host.
public struct GitHistory: Sendable {
    private let tree: GitWorkTree
    /// Of the folder, relative to the root, without a slash at its end; empty for the root itself.
    private let folder: String

    /// Which commits are looked at.
    public enum Reach: Sendable {
        /// Those that lead to the checked-out one.
        case head
        /// Those of every branch and tag.
        case all
    }

    /// A commit that added or changed files of the folder.
    public struct Change: Sendable, Hashable {
        /// Its full id.
        public var commit: String
        /// Relative to the folder.
        public var paths: [String]
    }

    /// Nil outside of a work tree.
    public init?(of folder: String, git: Git = Git()) async throws(SourceError) {
        guard let root = try await git.workTree(holding: folder) else { return nil }
        let (place, base) = (Git.resolved(folder), Git.resolved(root))
        guard place == base || place.hasPrefix(base + "/") else { return nil }
        tree = GitWorkTree(root: root, git: git)
        self.folder = String(place.dropFirst(base.count + 1))
    }

    /// True if the history was cut off when it was cloned: what is not found may be further back.
    public var isShallow: Bool {
        get async throws(SourceError) {
            try await answer(["rev-parse", "--is-shallow-repository"])?.hasPrefix("true") ?? false
        }
    }

    /// Stands for everything that can be found: another one as soon as a branch, a tag or the checked-out commit is another. Nil where it
    /// cannot be told. One process.
    public var tips: String? {
        get async throws(SourceError) { try await answer(["show-ref", "--head", "--hash"]) }
    }

    /// The commits that added or changed files of the folder, the newest first; merges are not among them.
    public func changes(in reach: Reach) async throws(SourceError) -> [Change] {
        let question = [
            "log", reach == .all ? "--all" : "HEAD", "--no-renames", "--no-show-signature", "--diff-filter=AM", "--name-only", "-z",
            "--format=format:%x01%H", "--",
        ]
        guard let text = try await answer(question + [":(top,literal)\(folder)"]) else { return [] }
        var changes: [Change] = []
        for word in text.split(separator: "\0") {
            for line in word.split(separator: "\n") {
                if line.hasPrefix("\u{1}") {
                    changes.append(Change(commit: String(line.dropFirst()), paths: []))
                } else if let path = inFolder(line) {
                    changes[changes.endIndex - 1].paths.append(path)
                }
            }
        }
        return changes.filter { !$0.paths.isEmpty }
    }

    /// The files of the folder as a commit has them, relative to it.
    public func paths(at commit: String) async throws(SourceError) -> [String] {
        let text = try await answer(
            ["ls-tree", "-r", "--name-only", "--full-tree", "-z", commit, "--"] + (folder.isEmpty ? [] : [folder + "/"]))
        return (text ?? "").split(separator: "\0").compactMap(inFolder)
    }

    /// A file as a commit has it; nil when it has none.
    public func text(of path: String, at commit: String) async throws(SourceError) -> String? {
        try await answer(["cat-file", "blob", "\(commit):\(folder.isEmpty ? path : "\(folder)/\(path)")"])
    }

    private func inFolder(_ path: Substring) -> String? {
        guard !folder.isEmpty else { return String(path) }
        return path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : nil
    }

    /// What the program printed; nil where it says no.
    private func answer(_ arguments: [String]) async throws(SourceError) -> String? {
        guard let answer = try await tree.git.run(in: tree.root, arguments), answer.status == 0 else { return nil }
        return answer.output
    }
}
