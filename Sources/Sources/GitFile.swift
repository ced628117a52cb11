/// A file that is tracked in a Git work tree, and whose change is committed alone.
///
/// Nothing here forces anything, and nothing of other files is committed.
public struct GitFile: Sendable {
    /// As it was named, for messages.
    public let name: String
    private let path: String
    private let root: String
    private let git: Git
    /// The branch that is checked out.
    public let branch: String

    /// What a push would do.
    public struct Upstream: Sendable, Hashable {
        public var remote: String
        /// The remote's own name of the branch: `refs/heads/main`.
        public var reference: String
        /// How many commits would be published besides the one that is made.
        public var unpublished: Int

        /// `origin/main`.
        public var description: String {
            let heads = "refs/heads/"
            return "\(remote)/\(reference.hasPrefix(heads) ? String(reference.dropFirst(heads.count)) : reference)"
        }
    }

    /// Finds the work tree and the branch of a file; refuses a file whose change could not be committed alone: one that differs from the
    /// last commit already, an index that holds something, a merge or a rebase under way, no branch checked out.
    public init(ready name: String, git: Git = Git(deadline: .seconds(120), mayAsk: true)) async throws(SourceError) {
        let path = Git.resolved(name)
        let directory = Git.directory(of: path)
        guard let root = try await git.workTree(holding: directory) else {
            throw SourceError(.refused, "\(name): it is in no Git work tree, so that nothing can be committed; leave --commit out")
        }
        self.name = name
        self.path = path
        self.root = root
        self.git = git
        let head = try await Self.answer(git, root, ["symbolic-ref", "--quiet", "--short", "HEAD"])
        guard head.status == 0 else {
            throw SourceError(.refused, "\(root): no branch is checked out (HEAD is detached); git switch BRANCH first")
        }
        branch = head.output.trimmedLine
        try await refuseOperations()
        try await refuseOtherChanges()
    }

    /// Fetches the branch's own remote and compares: refuses where it has what is not here.
    public func upstream() async throws(SourceError) -> Upstream {
        let remote = try await configuration("branch.\(branch).remote")
        let reference = try await configuration("branch.\(branch).merge")
        guard let remote, let reference, remote != "." else {
            throw SourceError(
                .refused,
                "\(root): the branch \(branch) follows no branch of a remote, so that nothing can be pushed; "
                    + "git push --set-upstream origin \(branch) once")
        }
        let fetched = try await run(["fetch", "--quiet", "--no-tags", remote, reference])
        guard fetched.status == 0 else {
            throw SourceError(.gitFailed, "\(root): git fetch \(remote) failed: \(fetched.reason); nothing was changed")
        }
        let compared = try await run(["rev-list", "--left-right", "--count", "HEAD...FETCH_HEAD"])
        let counts = compared.output.trimmedLine.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        guard compared.status == 0, counts.count == 2 else {
            throw SourceError(.gitFailed, "\(root): HEAD cannot be compared with \(remote): \(compared.reason)")
        }
        let upstream = Upstream(remote: remote, reference: reference, unpublished: counts[0])
        guard counts[1] == 0 else {
            throw SourceError(
                .refused,
                "\(root): the remote moved: \(upstream.description) has \(counts[1]) \(counts[1] == 1 ? "commit" : "commits") "
                    + "that \(branch) has not; git pull --rebase, look at the pins again, then repeat this. Nothing was changed")
        }
        return upstream
    }

    /// Commits the file as it now is, and nothing else. Hooks are run; when one refuses, nothing is left in the index.
    ///
    /// - Returns: the commit's full name.
    public func commit(_ message: String) async throws(SourceError) -> String {
        let added = try await run(["add", "--", path])
        guard added.status == 0 else { throw SourceError(.gitFailed, "\(name): git add failed: \(added.reason)") }
        let committed = try await run(["commit", "--quiet", "--cleanup=whitespace", "--message", message, "--only", "--", path])
        guard committed.status == 0 else {
            _ = try await run(["reset", "--quiet", "--", path])
            throw SourceError(.gitFailed, "\(name): git commit failed: \(committed.reason)")
        }
        let head = try await run(["rev-parse", "HEAD"])
        return head.output.trimmedLine
    }

    /// Publishes HEAD; a remote that moved in between refuses it, and the commit stays.
    public func push(to upstream: Upstream) async throws(SourceError) {
        let pushed = try await run(["push", "--quiet", upstream.remote, "HEAD:\(upstream.reference)"])
        guard pushed.status == 0 else {
            let hint =
                pushed.errors.contains("[rejected]") || pushed.errors.contains("fetch first")
                ? "git pull --rebase, then git push" : "git push"
            throw SourceError(.gitFailed, "\(root): the commit is made and not pushed: \(pushed.reason); when that is mended: \(hint)")
        }
    }

    // MARK: - Private

    private func refuseOperations() async throws(SourceError) {
        let marks = [
            "MERGE_HEAD": "a merge", "CHERRY_PICK_HEAD": "a cherry-pick", "REVERT_HEAD": "a revert", "rebase-merge": "a rebase",
            "rebase-apply": "a rebase", "BISECT_LOG": "a bisection",
        ].sorted { $0.key < $1.key }
        let answer = try await run(["rev-parse"] + marks.flatMap { ["--git-path", $0.key] })
        let paths = answer.output.split(whereSeparator: \.isNewline).map(String.init)
        for (mark, path) in zip(marks, paths) where Git.exists(path.hasPrefix("/") ? path : "\(root)/\(path)") {
            throw SourceError(
                .refused, "\(root): \(mark.value) is under way; finish it or call it off (git status says how), then repeat this")
        }
    }

    private func refuseOtherChanges() async throws(SourceError) {
        let status = try await run(["status", "--porcelain", "-z", "--untracked-files=all", "--ignored=matching", "--", path])
        let index = try await run(["diff", "--cached", "--name-only", "-z"])
        guard status.status == 0, index.status == 0 else {
            throw SourceError(.gitFailed, "\(root): git status failed: \(status.status == 0 ? index.reason : status.reason)")
        }
        if let entry = status.output.split(separator: "\0").first {
            let isUntracked = entry.hasPrefix("??") || entry.hasPrefix("!!")
            throw SourceError(
                .refused,
                isUntracked
                    ? "\(name): Git does not track it; git add and commit it first"
                    : "\(name): it differs from the last commit already; commit or undo that first, then repeat this")
        }
        let staged = index.output.split(separator: "\0").map(String.init)
        guard staged.isEmpty else {
            let shown = staged.prefix(3).joined(separator: ", ") + (staged.count > 3 ? " and \(staged.count - 3) more" : "")
            throw SourceError(.refused, "\(root): the index holds other changes (\(shown)); commit them or git restore --staged them first")
        }
    }

    private func configuration(_ key: String) async throws(SourceError) -> String? {
        let answer = try await run(["config", "--get", key])
        return answer.status == 0 ? answer.output.trimmedLine : nil
    }

    private func run(_ arguments: [String]) async throws(SourceError) -> Git.Answer { try await Self.answer(git, root, arguments) }

    private static func answer(_ git: Git, _ root: String, _ arguments: [String]) async throws(SourceError) -> Git.Answer {
        guard let answer = try await git.run(in: root, ["--literal-pathspecs"] + arguments) else {
            throw SourceError(.gitFailed, "\(root): there is no program git; install it, or leave --commit out")
        }
        return answer
    }
}

extension Git.Answer {
    /// What git said about its failure, on one line and without the credentials of a URL; the same each time that it is the same failure.
    var reason: String {
        let lines = (errors.isEmpty ? output : errors).split(whereSeparator: \.isNewline)
            .filter { line in !line.allSatisfy { $0 == "@" } && !Self.phrases.contains { line.hasPrefix($0) } }.prefix(4)
        let text = lines.map { $0.split(whereSeparator: \.isWhitespace).map { $0.withoutCredentials }.joined(separator: " ") }
        return text.isEmpty ? "it ended with status \(status)" : Self.withoutMeasures(text.joined(separator: "; "))
    }

    /// Without what is another at each attempt: `after 12 ms`, `with 0 out of 17 bytes received`.
    private static func withoutMeasures(_ text: String) -> String {
        text.replacing(#/ after \d+(\.\d+)? ?(ms|s|milliseconds?|seconds?)\b/#, with: "")
            .replacing(#/ with \d+( out of \d+)? bytes (received|sent|remaining to read)\b/#, with: "")
    }

    /// What git adds to every failure of a host.
    private static let phrases = ["Please make sure you have the correct access rights", "and the repository exists."]
}

extension Substring {
    /// `https://user:password@host/path` becomes `https://host/path`.
    var withoutCredentials: String {
        guard let scheme = firstRange(of: "://")?.upperBound else { return String(self) }
        let authority = self[scheme...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return String(self) }
        return String(self[..<scheme]) + self[index(after: at)...]
    }
}

extension String {
    fileprivate var trimmedLine: String { String(prefix { !$0.isNewline }) }
}
