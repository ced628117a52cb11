public import Model
import SpecLoading

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Specs in a repository that is asked for news again and again, with the `git` program.
///
/// A snapshot is a checkout of one commit, which nobody changes. When the host does not answer, it is the last one, with the reason.
public actor GitSource: WatchedSource {
    public nonisolated let address: GitAddress
    private let root: String
    private let git: Git
    private let poll: Duration
    private let clock: any Clock<Duration>
    private let hint = SourceHint()
    private var clone: GitClone?
    private var last: (object: String, snapshot: Snapshot)?
    /// A commit that cannot be read, so that it is not tried again and again.
    private var refused: (object: String, error: SourceError)?
    private var checkouts: [String: Weak] = [:]

    private struct Weak {
        weak var checkout: Checkout?
    }

    /// Asks nobody yet.
    ///
    /// - Parameters:
    ///   - root: where clones are kept.
    ///   - poll: how long at most ``change()`` takes; it is up to a fifth less, so that many do not ask in step.
    public init(
        _ address: GitAddress, under root: String, poll: Duration = .seconds(30), clock: any Clock<Duration> = ContinuousClock(),
        program: String = "git"
    ) {
        self.address = address
        self.root = root
        self.poll = poll
        self.clock = clock
        // Those of a hook would lead git to another repository; and no question may wait for somebody at a terminal.
        var variables: [String: String?] = ["SSH_ASKPASS_REQUIRE": "force"]
        for (name, value) in [("SSH_ASKPASS", "false"), ("GIT_ASKPASS", "")] where getenv(name) == nil { variables[name] = value }
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"] {
            variables[name] = .some(nil)
        }
        git = Git(program: program, deadline: .seconds(60), variables: variables)
    }

    public nonisolated func change() async throws { try await hint.wait(poll * Double.random(in: 0.8...1), clock) }

    /// Ends the present pause of ``change()``, or the next: somebody said that the repository has something new.
    ///
    /// - Parameter object: what the ref is now, where that is known; then the host is asked more often until it has it, half a minute long.
    public nonisolated func poke(expecting object: String? = nil) { hint.raise(expecting: object) }

    public func snapshot() async throws(SourceError) -> Snapshot {
        let clone = try await openClone()
        let (commit, object): (String, String)
        do throws(SourceError) {
            let tip = try await clone.tip()
            hint.saw(tip.object)
            if let last, last.object == tip.object { return last.snapshot }
            if let refused, refused.object == tip.object { throw refused.error }
            (commit, object) = (try await clone.fetch(tip.name), tip.object)
        } catch {
            guard error.code == .gitFailed, refused?.error != error else { throw error }
            return try await keptSnapshot(in: clone, error)
        }
        do throws(SourceError) {
            var snapshot = try await read(commit, in: clone)
            if let before = last?.snapshot.revision, let note = try await rewriting(from: before, to: commit, in: clone) {
                snapshot.notes.append(note)
            }
            last = (object, snapshot)
            refused = nil
            return snapshot
        } catch {
            if error.code != .gitFailed { refused = (object, error) }
            throw error
        }
    }

    public func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        if older.kind == newer.kind, older.id == newer.id { return .same }
        guard older.kind == .commit, newer.kind == .commit, let clone else { return .unknown }
        return try await GitWorkTree(root: clone.repository, git: git).relation(of: older.id, to: newer.id)
    }

    /// Asks the host, but not more often than every ten seconds.
    public func supersedes(_ snapshot: Snapshot) async -> Bool {
        guard let clone else { return false }
        let now = ContinuousClock.now
        if let asked, now - asked.time < .seconds(10) { return asked.object.map { $0 != last?.object } ?? false }
        asked = (now, asked?.object)
        do throws(SourceError) { asked = (now, try await clone.tip().object) } catch { asked = (now, nil) }
        return asked?.object.map { $0 != last?.object } ?? false
    }

    private var asked: (time: ContinuousClock.Instant, object: String?)?

    // MARK: - Private

    private func openClone() async throws(SourceError) -> GitClone {
        if let clone { return clone }
        let clone = try await GitClone(address, under: root, git: git)
        let kept = try await clone.kept()
        for commit in clone.checkouts() where commit != kept { try await clone.remove(commit) }
        self.clone = clone
        return clone
    }

    /// What was read before, by this process or an earlier one. Throws the reason where nothing was.
    private func keptSnapshot(in clone: GitClone, _ reason: SourceError) async throws(SourceError) -> Snapshot {
        var snapshot: Snapshot
        if let last {
            snapshot = last.snapshot
        } else if let commit = try await clone.kept() {
            do throws(SourceError) { snapshot = try await read(commit, in: clone) } catch { throw reason }
        } else {
            throw reason
        }
        snapshot.trouble = SourceError(reason.code, "\(reason.message). Commit \(snapshot.revision), the last that was read, is kept")
        return snapshot
    }

    private func read(_ commit: String, in clone: GitClone) async throws(SourceError) -> Snapshot {
        let path = try await clone.checkOut(commit)
        let checkout = checkouts[commit]?.checkout ?? Checkout(path)
        checkouts[commit] = Weak(checkout: checkout)
        for (old, weak) in checkouts where weak.checkout == nil {
            checkouts[old] = nil
            try await clone.remove(old)
        }
        let tree = GitWorkTree(root: checkout.path, git: git)
        let head = try await tree.head()
        let revision = Revision(.commit, commit, committed: head?.committed)
        let lfs = try await tree.pointers()
        var files: [SourceFile] = []
        for path in address.paths.isEmpty ? [""] : address.paths {
            let place = path.isEmpty ? checkout.path : "\(checkout.path)/\(path)"
            guard Git.exists(place) else {
                throw SourceError(.notFound, "\(path): there is no such file or directory in commit \(revision) of \(address.description)")
            }
            do throws(SourceError) {
                files += try PathReader().files(at: place)
            } catch {
                throw SourceError(
                    error.code,
                    "commit \(revision) of \(address.description): \(error.message.replacing(checkout.path + "/", with: "").replacing(checkout.path, with: "the root"))"
                )
            }
        }
        let pointers = Set(lfs.map { "\(checkout.path)/\($0)" })
        if let file = files.first(where: { pointers.contains($0.name) }) {
            let name = file.name.dropFirst(checkout.path.utf8.count + 1)
            throw SourceError(
                .refused, "\(name): commit \(revision) has a Git LFS pointer in its place; keep specs out of LFS, or install git-lfs here")
        }
        files.sort { $0.name < $1.name }
        var notes = try await tree.submodules().map { "\($0) is a submodule, and its files are not read" }
        if !lfs.isEmpty {
            let shown = lfs.prefix(3).joined(separator: ", ") + (lfs.count > 3 ? " and \(lfs.count - 3) more" : "")
            notes.append("Git LFS pointers stand in the place of files, and what reads them gets the pointer: \(shown)")
        }
        return Snapshot(revision: revision, files: files, notes: notes, checkout: checkout)
    }

    private func rewriting(from before: Revision, to commit: String, in clone: GitClone) async throws(SourceError) -> String? {
        switch try await GitWorkTree(root: clone.repository, git: git).relation(of: before.id, to: commit) {
        case .same, .ancestor, .unknown: return nil
        case .descendant: return "\(address.description) was set back: it is now \(commit.prefix(12)), an ancestor of \(before)"
        case .diverged: return "\(address.description) was rewritten: \(before) does not lead to \(commit.prefix(12)) (a forced push)"
        }
    }
}

extension GitWorkTree {
    /// The paths of submodules, which are empty directories here.
    fileprivate func submodules() async throws(SourceError) -> [String] {
        guard Git.exists("\(root)/.gitmodules") else { return [] }
        let question = ["config", "--file", ".gitmodules", "--get-regexp", "^submodule\\..*\\.path$"]
        guard let answer = try await git.run(in: root, question), answer.status == 0 else { return [] }
        return answer.output.split(separator: "\n").compactMap { $0.split(separator: " ", maxSplits: 1).last.map(String.init) }.sorted()
    }

    /// The files, relative to the root, that are pointers of Git LFS here, because nothing put the contents in their place.
    fileprivate func pointers() async throws(SourceError) -> [String] {
        guard let answer = try await git.run(in: root, ["ls-files", "-z", "--", ":(attr:filter=lfs)"]), answer.status == 0 else {
            return []
        }
        return answer.output.split(separator: "\0").prefix(1000).map(String.init).filter { PathReader.isPointer("\(root)/\($0)") }
    }
}
