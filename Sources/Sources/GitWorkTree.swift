import Model

/// One Git work tree.
struct GitWorkTree: Sendable {
    var root: String
    var git: Git

    struct Head: Sendable {
        var id: String
        var committed: Timestamp?
    }

    /// The checked-out commit; nil when there is none yet.
    func head() async throws(SourceError) -> Head? {
        guard let answer = try await git.run(in: root, ["show", "--no-patch", "--format=%H %ct", "HEAD"]), answer.status == 0 else {
            return nil
        }
        let words = answer.output.firstLine.split(separator: " ")
        guard words.count == 2, let seconds = Int64(words[1]) else {
            throw SourceError(.gitFailed, "\(root): git show HEAD answered something unexpected")
        }
        return Head(id: String(words[0]), committed: Timestamp(millisecondsSinceEpoch: seconds * 1000))
    }

    /// True if one of the paths differs from the commit, or one of the files, found at them, is not in it: untracked, or ignored.
    func isDirty(_ paths: [String], holding files: [String]) async -> Result<Bool, SourceError> {
        // Resolved, because a link may lead into the tree from outside of it.
        let absolute = paths.map(Git.resolved)
        // The user's own settings may hide what is untracked.
        let question = ["status", "--porcelain", "-z", "--untracked-files=normal", "--ignored=traditional", "--"]
        do throws(SourceError) {
            guard let answer = try await git.run(in: root, question + absolute), answer.status == 0 else {
                throw SourceError(.gitFailed, "\(root): git status failed; does it work there by hand?")
            }
            let ignored = "!! "
            let entries = answer.output.split(separator: "\0")
            if entries.contains(where: { !$0.hasPrefix(ignored) }) { return .success(true) }
            // A directory ends in a slash and stands for everything in it.
            let places = Set(entries.map { "\(root)/\($0.dropFirst(ignored.count))" })
            return .success(!places.isEmpty && files.contains { Self.isHeld(Git.resolved($0), by: places) })
        } catch {
            return .failure(error)
        }
    }

    /// True if the file or a directory above it is among the places.
    private static func isHeld(_ file: String, by places: Set<String>) -> Bool {
        places.contains(file) || file.indices.contains { file[$0] == "/" && places.contains(String(file[...$0])) }
    }

    func relation(of older: String, to newer: String) async throws(SourceError) -> RevisionRelation {
        if try await isAncestor(older, of: newer) { return .ancestor }
        if try await isAncestor(newer, of: older) { return .descendant }
        for commit in [older, newer] {
            guard let answer = try await git.run(in: root, ["cat-file", "-e", commit + "^{commit}"]), answer.status == 0 else {
                return .unknown
            }
        }
        if let answer = try await git.run(in: root, ["rev-parse", "--is-shallow-repository"]), answer.output.firstLine == "true" {
            return .unknown
        }
        return .diverged
    }

    private func isAncestor(_ older: String, of newer: String) async throws(SourceError) -> Bool {
        // Status 1 says no; 128 says that a commit is not here. Neither is an error to this question.
        try await git.run(in: root, ["merge-base", "--is-ancestor", older, newer])?.status == 0
    }
}
