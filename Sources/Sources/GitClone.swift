import Crypto
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A bare clone without the contents of files, which this process alone uses, and checkouts of single commits beside it.
///
/// `ROOT/git/KEY/0` and so on: a process takes the first that nobody else has, so that two processes never fetch into one clone, and one
/// that was killed leaves a clone to the next.
final class GitClone: Sendable {
    let address: GitAddress
    let git: Git
    /// The bare repository.
    let repository: String
    private let directory: String
    /// Held as long as the process lives, by flock(2).
    private let lock: Int32

    /// Of a call that asks the host.
    private static let patience = Duration.seconds(60)
    /// Of one that transfers.
    private static let transfer = Duration.seconds(900)
    private static let current = "refs/belay/current"

    /// Finds or makes the clone; asks nobody.
    init(_ address: GitAddress, under root: String, git: Git) async throws(SourceError) {
        self.address = address
        self.git = git
        let key = SHA256.hash(data: Array("\(address.url) \(address.ref ?? "")".utf8)).prefix(8).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        (directory, lock) = try Self.take("\(root)/git/\(key)")
        repository = "\(directory)/repository"
        try await prepare()
    }

    deinit { close(lock) }

    private static func take(_ place: String) throws(SourceError) -> (String, Int32) {
        for number in 0..<64 {
            let directory = "\(place)/\(number)"
            do {
                try FileManager.default.createDirectory(
                    atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            } catch {
                throw SourceError(
                    .unreadable,
                    "\(directory): the directory for the clone cannot be made; check its permissions, or name another with --state DIR")
            }
            let descriptor = open("\(directory)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw SourceError(.unreadable, "\(directory)/lock: cannot be opened: \(String(cString: strerror(errno)))")
            }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return (directory, descriptor) }
            close(descriptor)
        }
        throw SourceError(.refused, "\(place): 64 processes use clones of this repository already")
    }

    private func prepare() async throws(SourceError) {
        // Nobody else is at work in here: what a killed process left locked is nobody's.
        for path in ["config.lock", "packed-refs.lock", "shallow.lock", "\(Self.current).lock"] { unlink("\(repository)/\(path)") }
        let made = try await run(in: directory, ["init", "--quiet", "--bare", "--template=", "repository"])
        guard made.status == 0 else { throw SourceError(.gitFailed, "\(repository): git init failed: \(made.reason)") }
        do {
            try Data(configuration.utf8).write(to: URL(filePath: "\(repository)/config"))
        } catch {
            throw SourceError(.unreadable, "\(repository)/config: cannot be written; is the disk full?")
        }
    }

    /// Of the clone, so that a later `git` in one of its checkouts, which may have to fetch the contents of an older file, finds it as well.
    private var configuration: String {
        func quoted(_ text: String) -> String {
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
        }
        var text = """
            [core]
            \trepositoryformatversion = 1
            \tbare = true
            [extensions]
            \tpartialClone = origin
            [remote "origin"]
            \turl = \(quoted(address.url))
            \tpromisor = true
            \tpartialclonefilter = blob:none
            [gc]
            \tautoDetach = false
            [http]
            \tlowSpeedLimit = 1000
            \tlowSpeedTime = 30

            """
        // Read by git from its environment, so that it stands in no file and in no argument; sent to this host alone.
        if address.url.hasPrefix("https://") || address.url.hasPrefix("http://"),
            getenv(GitAddress.tokenVariable).map({ $0.pointee != 0 }) ?? false
        {
            let host = address.url.split(separator: "/", maxSplits: 3).prefix(2).joined(separator: "//")
            let helper =
                "!f() { test \"$1\" = get || exit 0; echo \"username=${\(GitAddress.userVariable):-belay}\"; "
                + "echo \"password=$\(GitAddress.tokenVariable)\"; }; f"
            text += "[credential \(quoted(host))]\n\thelper =\n\thelper = \(quoted(helper))\n"
        }
        return text
    }

    /// What the ref is on the host now: its full name there, and the object. One short exchange.
    func tip() async throws(SourceError) -> (name: String, object: String) {
        if let ref = address.ref, address.isCommit { return (ref, ref) }
        let names = Self.names(of: address.ref)
        let answer = try await run(
            in: repository, ["ls-remote", "--quiet", "origin"] + names.flatMap { [$0, $0 + "^{}"] }, within: Self.patience)
        guard answer.status == 0 else { throw trouble(answer) }
        let lines = answer.output.split(separator: "\n").map { $0.split(separator: "\t", maxSplits: 1).map(String.init) }
        let found = Dictionary(lines.filter { $0.count == 2 }.map { ($0[1], $0[0]) }) { first, _ in first }
        let present = names.filter { found[$0] != nil }
        guard let name = present.first, let object = found[name + "^{}"] ?? found[name] else { throw try await missing() }
        guard present.count == 1 else {
            throw SourceError(
                .refused, "\(address.description): a branch and a tag have this name; name one as \(present.joined(separator: " or "))")
        }
        return (name, object)
    }

    private static func names(of ref: String?) -> [String] {
        guard let ref else { return ["HEAD"] }
        return ref.hasPrefix("refs/") || ref == "HEAD" ? [ref] : ["refs/heads/\(ref)", "refs/tags/\(ref)"]
    }

    private func missing() async throws(SourceError) -> SourceError {
        let answer = try await run(in: repository, ["ls-remote", "--quiet", "--heads", "origin"], within: Self.patience)
        let heads = answer.output.split(separator: "\n").compactMap { $0.split(separator: "\t").last?.dropFirst("refs/heads/".count) }
        let shown = heads.prefix(10).joined(separator: ", ") + (heads.count > 10 ? " and \(heads.count - 10) more" : "")
        return SourceError(
            .notFound,
            "\(address.description): there is no such branch or tag\(heads.isEmpty ? "; the repository has no branch at all" : "; branches: \(shown)")"
        )
    }

    /// Brings the ref here; returns the commit that it then is.
    func fetch(_ name: String) async throws(SourceError) -> String {
        let fetched = try await run(
            in: repository, ["fetch", "--quiet", "--no-tags", "--force", "origin", "+\(name):\(Self.current)"], within: Self.transfer)
        guard fetched.status == 0 else { throw trouble(fetched) }
        guard let commit = try await kept() else {
            throw SourceError(.notFound, "\(address.description): it is no commit")
        }
        return commit
    }

    /// The commit that was fetched last, by this process or by one before it; nil when there is none.
    func kept() async throws(SourceError) -> String? {
        let answer = try await run(in: repository, ["rev-parse", "--verify", "--quiet", "\(Self.current)^{commit}"])
        return answer.status == 0 ? answer.output.firstLine : nil
    }

    // MARK: - Checkouts

    private var trees: String { "\(directory)/trees" }

    /// A directory with the files of a commit, of which nothing is changed any more; made when there is none.
    func checkOut(_ commit: String) async throws(SourceError) -> String {
        let (path, mark) = ("\(trees)/\(commit)", "\(trees)/\(commit).complete")
        if Git.exists(path), Git.exists(mark) { return path }
        try await remove(commit)
        let added = try await run(
            in: repository, ["worktree", "add", "--quiet", "--force", "--detach", path, commit], within: Self.transfer)
        guard added.status == 0 else { throw trouble(added) }
        guard FileManager.default.createFile(atPath: mark, contents: nil) else {
            throw SourceError(.unreadable, "\(mark): cannot be written; is the disk full?")
        }
        return path
    }

    /// The commits of which there are checkouts, complete or not.
    func checkouts() -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: trees).filter(GitAddress.isCommit)
        } catch {
            return []  // There is no such directory before the first.
        }
    }

    func remove(_ commit: String) async throws(SourceError) {
        unlink("\(trees)/\(commit).complete")
        _ = try await run(in: repository, ["worktree", "remove", "--force", "--force", "\(trees)/\(commit)"])
        // One that was killed while it was made is in no list.
        do { if Git.exists("\(trees)/\(commit)") { try FileManager.default.removeItem(atPath: "\(trees)/\(commit)") } } catch {
            throw SourceError(.unreadable, "\(trees)/\(commit): cannot be removed; check its permissions")
        }
        _ = try await run(in: repository, ["worktree", "prune"])
    }

    // MARK: - Running git

    func run(in directory: String, _ arguments: [String], within deadline: Duration? = nil) async throws(SourceError) -> Git.Answer {
        guard let answer = try await git.run(in: directory, arguments, within: deadline) else {
            throw SourceError(.gitFailed, "there is no program git; install it to read specs from a repository")
        }
        return answer
    }

    private func trouble(_ answer: Git.Answer) -> SourceError {
        let words = answer.errors
        let advice: [(String, String)] = [
            ("could not read Username", "set \(GitAddress.tokenVariable), or a credential helper of git's own"),
            ("could not read Password", "set \(GitAddress.tokenVariable), or a credential helper of git's own"),
            ("Authentication failed", "is \(GitAddress.tokenVariable) valid, and may it read this repository?"),
            ("Host key verification failed", "add the host to known_hosts (ssh-keyscan), or set GIT_SSH_COMMAND"),
            ("Permission denied (publickey", "give ssh a key that may read it: an agent, ~/.ssh/config or GIT_SSH_COMMAND"),
            ("does not appear to be a git repository", "check the URL"), ("not found", "check the URL, and that the token may read it"),
        ]
        let next = advice.first { words.contains($0.0) }?.1 ?? "is the host reachable from here?"
        return SourceError(.gitFailed, "\(address.description): \(answer.reason.replacing("\n", with: " ")); \(next)")
    }
}
