import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A bare clone without the contents of files, which this process alone uses, and checkouts of single commits beside it.
final class GitClone: Sendable {
    let address: GitAddress
    let git: Git
    /// The bare repository.
    let repository: String
    let place: GitPlace
    private let access: GitAccess

    /// Of a call that asks the host.
    private static let patience = Duration.seconds(60)
    /// Of one that transfers.
    static let transfer = Duration.seconds(900)
    private static let current = "refs/belay/current"
    /// Keeps the last commit that loaded from being cleaned away when a forced push leaves it behind.
    private static let good = "refs/belay/good"

    /// Finds or makes the clone; asks nobody.
    convenience init(_ address: GitAddress, under root: String, git: Git, access: GitAccess) async throws(SourceError) {
        try await self.init(address, at: try GitPlace(address, under: root), git: git, access: access)
    }

    /// In a place that this process has already.
    init(_ address: GitAddress, at place: GitPlace, git: Git, access: GitAccess) async throws(SourceError) {
        self.address = address
        self.git = git
        self.access = access
        self.place = place
        repository = "\(place.path)/repository"
        try await prepare()
    }

    private func prepare() async throws(SourceError) {
        // Nobody else is at work in here: what a killed process left locked or half done is nobody's.
        for name in ["config", "packed-refs", "shallow", "HEAD", Self.current, Self.good] { unlink("\(repository)/\(name).lock") }
        let packs = "\(repository)/objects/pack"
        for name in Self.entries(of: packs) where name.hasPrefix("tmp_") { unlink("\(packs)/\(name)") }
        let made = try await run(in: place.path, ["init", "--quiet", "--bare", "--template=", "repository"])
        guard made.status == 0 else { throw trouble(made) }
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
        let partial = """
            \tpromisor = true
            \tpartialclonefilter = blob:none
            [extensions]
            \tpartialClone = origin

            """
        var text = """
            [core]
            \trepositoryformatversion = 1
            \tbare = true
            [remote "origin"]
            \turl = \(quoted(address.url))
            \(place.isWhole ? "" : partial)
            [gc]
            \tautoDetach = false
            [http]
            \tlowSpeedLimit = 1000
            \tlowSpeedTime = 30

            """
        // Read by git from its environment, so that it stands in no file and in no argument; sent to this host alone.
        if access.isConfined { text += "[credential]\n\thelper =\n" }
        if address.isHTTP, let token = access.token {
            let host = address.url.split(separator: "/", maxSplits: 3).prefix(2).joined(separator: "//")
            let helper =
                "!f() { test \"$1\" = get || exit 0; echo \"username=${\(token.user):-belay}\"; "
                + "echo \"password=$\(token.variable)\"; }; f"
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

    /// Throws if the host is a plain web server with the files of a repository: git would fetch from one object by object, without an end
    /// where contents are left out.
    func refuseDumbHost() async throws(SourceError) {
        guard address.isHTTP else { return }
        let trace = "\(place.path)/trace"
        unlink(trace)
        defer { unlink(trace) }
        // git takes secrets out of it, and it is gone when this returns.
        let asking = git.adding(["GIT_TRACE_CURL": trace, "GIT_TRACE_CURL_NO_DATA": "1", "GIT_TRACE_REDACT": "1"])
        guard let answer = try await asking.run(in: repository, ["ls-remote", "--quiet", "origin", "HEAD"], within: Self.patience),
            answer.status == 0, let heads = FileManager.default.contents(atPath: trace)
        else { return }  // Why it fails is told by the exchange that counts.
        let text = String(decoding: heads, as: UTF8.self)
        if text.contains("application/x-git-upload-pack-advertisement") || !text.contains("Recv header") { return }
        throw SourceError(
            .refused,
            "\(address.description): the host serves the files of a repository and does not speak git's own protocol (\"dumb HTTP\"); "
                + "put git http-backend or a Git host in front of it, or use ssh")
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
    func kept() async throws(SourceError) -> String? { try await commit(Self.current) }

    private func commit(_ name: String) async throws(SourceError) -> String? {
        let answer = try await run(in: repository, ["rev-parse", "--verify", "--quiet", "\(name)^{commit}"])
        return answer.status == 0 ? answer.output.firstLine : nil
    }

    // MARK: - The last good commit

    /// Remembers that a commit loads; false if that cannot be kept.
    func keepGood(_ commit: String) async throws(SourceError) -> Bool {
        guard place.keepGood(commit) else { return false }
        return try await run(in: repository, ["update-ref", Self.good, commit]).status == 0
    }

    /// The last commit that loaded, brought here if need be; nil where none is known, or none can be had any more.
    func goodCommit() async throws(SourceError) -> String? {
        guard let known = place.goodCommit else { return nil }
        if let commit = try await commit(known) { return commit }
        let fetched = try await run(in: repository, ["fetch", "--quiet", "--no-tags", "origin", known], within: Self.transfer)
        return fetched.status == 0 ? try await commit(known) : nil
    }

    // MARK: - Running git

    func run(in directory: String, _ arguments: [String], within deadline: Duration? = nil) async throws(SourceError) -> Git.Answer {
        guard let answer = try await git.run(in: directory, arguments, within: deadline) else {
            throw SourceError(.gitFailed, "there is no program git; install it to read specs from a repository")
        }
        return answer
    }

    /// Why git failed, and what to do; its code tells whether the clone is damaged.
    func trouble(_ answer: Git.Answer) -> SourceError {
        let words = answer.errors
        // What the host says of itself begins with this; its damage is not ours.
        let own = words.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("remote: ") }.joined(separator: "\n")
        // A host that leaves contents out (uploadpack.allowFilter) and does not give them later: it speaks an old protocol, and does not allow
        // uploadpack.allowAnySHA1InWant.
        if !place.isWhole, words.contains("not allow request for unadvertised object") {
            place.keepWhole()
            return SourceError(
                .damaged, "\(address.description): the host does not give the contents of single files, so that all are fetched at once")
        }
        let next = GitTrouble.advice(words, hasToken: access.token != nil)
            .replacing(GitAddress.tokenVariable, with: access.names.token)
            .replacing(GitAccess.keyVariable, with: access.names.key)
            .replacing(GitAccess.knownHostsVariable, with: access.names.knownHosts)
        return SourceError(
            GitTrouble.isDamage(own) ? .damaged : .gitFailed,
            "\(address.description): \(answer.reason.replacing("\n", with: " ")); \(next)")
    }

    static func entries(of directory: String) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: directory) } catch { return [] }  // There is none yet.
    }
}
