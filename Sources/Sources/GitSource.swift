public import Model
import SpecLoading

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Specs in a repository that is asked for news again and again, with the `git` program.
///
/// A snapshot is a checkout of one commit, which nobody changes. When the host does not answer, it is the last one, with the reason. A clone
/// that is damaged is made anew.
public actor GitSource: WatchedSource {
    public nonisolated let address: GitAddress
    private let root: String
    private var git: Git
    private var access: GitAccess
    private let program: String
    private let signers: GitSigners?
    private let filesRead: FilesRead?
    private let poll: Duration
    private let clock: any Clock<Duration>
    private let hint = SourceHint()
    private var clone: GitClone?
    private var last: (object: String, snapshot: Snapshot)?
    /// A commit that cannot be read, so that it is not tried again and again.
    private var refused: (object: String, error: SourceError)?
    private var checkouts: [String: Weak] = [:]
    /// True once something of this process loads.
    private var hasAccepted = false
    /// What loaded in a process before this one.
    private var recalled: Snapshot?
    /// When a clone was made anew that was damaged.
    private var healed: ContinuousClock.Instant?
    /// True once the host is known to speak git's own protocol.
    private var isHostKnown = false

    private struct Weak {
        weak var checkout: Checkout?
    }

    /// Asks nobody yet.
    ///
    /// - Parameters:
    ///   - root: where clones are kept.
    ///   - poll: how long at most ``change()`` takes; it is up to a fifth less, so that many do not ask in step.
    ///   - signers: whose signature a commit must have; nil for none.
    ///   - filesRead: what is checked out and looked at beside the specs; nil where there are no specs, and what is at the paths is all
    ///     that is meant.
    public init(
        _ address: GitAddress, under root: String, poll: Duration = .seconds(30), clock: any Clock<Duration> = ContinuousClock(),
        program: String = "git", access: GitAccess = GitAccess(), signers: GitSigners? = nil,
        filesRead: FilesRead? = { _ in [] }
    ) {
        self.address = address
        self.root = root
        self.poll = poll
        self.clock = clock
        self.access = access
        self.signers = signers
        self.filesRead = filesRead
        self.program = program
        git = Git(program: program, deadline: .seconds(60), variables: access.variables)
    }

    /// Reaches the host in another way from now on: a token or a key has changed.
    public func use(_ access: GitAccess) async throws(SourceError) {
        self.access = access
        git = Git(program: program, deadline: .seconds(60), variables: access.variables)
        (isHostKnown, refused) = (false, nil)
        guard let clone else { return }
        self.clone = try await GitClone(address, at: clone.place, git: git, access: access)
    }

    public nonisolated func change() async throws { try await hint.wait(poll * Double.random(in: 0.8...1), clock) }

    /// Ends the present pause of ``change()``, or the next: somebody said that the repository has something new.
    ///
    /// - Parameter object: what the ref is now, where that is known; then the host is asked more often until it has it, half a minute long.
    public nonisolated func poke(expecting object: String? = nil) { hint.raise(expecting: object) }

    public func snapshot() async throws(SourceError) -> Snapshot {
        do throws(SourceError) {
            return try await newest()
        } catch {
            guard error.code == .damaged else { throw error }
            // What is damaged again at once is damaged on the host, or on the disk.
            guard healed.map({ ContinuousClock.now - $0 > .seconds(3600) }) ?? true else { return try kept(error) }
            return try await healedSnapshot(error)
        }
    }

    /// With a clone that is made anew.
    private func healedSnapshot(_ damage: SourceError) async throws(SourceError) -> Snapshot {
        healed = ContinuousClock.now
        clone?.place.condemn()
        clone = nil
        checkouts = [:]
        asked = nil
        var snapshot: Snapshot
        do throws(SourceError) { snapshot = try await newest() } catch {
            guard error.code == .damaged else { throw error }
            return try kept(error)
        }
        snapshot.notes.append("the clone was made anew (\(damage.message))")
        return snapshot
    }

    /// What this process read last, with the reason why it is not known whether there is more; without it, the reason is thrown.
    private func kept(_ reason: SourceError) throws(SourceError) -> Snapshot {
        guard var snapshot = last?.snapshot else { throw reason }
        snapshot.trouble = SourceError(reason.code, "\(reason.message). Commit \(snapshot.revision), the last that was read, is kept")
        return snapshot
    }

    private func newest() async throws(SourceError) -> Snapshot {
        let clone = try await openClone()
        let (commit, object): (String, String)
        do throws(SourceError) {
            if !isHostKnown {
                try await clone.refuseDumbHost()
                isHostKnown = true
            }
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
            // A file of signers may be mended without a new commit.
            if ![.gitFailed, .damaged].contains(error.code), signers == nil { refused = (object, error) }
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

    // MARK: - The last good one

    /// The one snapshot; and until something of this process loads, what loaded before it.
    public func holding() async throws(SourceError) -> Holding {
        var part: Holding.Part
        do throws(SourceError) { part = .init(.success(try await snapshot())) } catch { part = .init(.failure(error)) }
        if !hasAccepted { part.lastGood = await recalledSnapshot(unless: part.result) }
        guard case .success(let snapshot) = part.result else { return Holding([part]) }
        return Holding([part], troubles: snapshot.trouble.map { [$0] } ?? [])
    }

    public func accept(_ snapshot: Snapshot) async {
        guard let clone, let checkout = snapshot.checkout, checkouts[snapshot.revision.id]?.checkout === checkout else { return }
        (hasAccepted, recalled) = (true, nil)
        // What cannot be kept is missed only by a restart with a commit that does not load.
        do throws(SourceError) { _ = try await clone.keepGood(snapshot.revision.id) } catch {}
    }

    private func recalledSnapshot(unless newest: Result<Snapshot, SourceError>) async -> Snapshot? {
        do throws(SourceError) {
            let clone = try await openClone()
            let known = clone.place.goodCommit
            if case .success(let snapshot) = newest, snapshot.revision.id == known { return nil }
            if recalled == nil, let commit = try await clone.goodCommit() { recalled = try await read(commit, in: clone) }
            return recalled
        } catch {
            return nil  // As if there was none: why nothing newer is wanted is told already.
        }
    }

    /// True if the revision is one of its snapshots.
    func holds(_ revision: Revision) -> Bool { checkouts[revision.id]?.checkout != nil }

    // MARK: - Private

    private func openClone() async throws(SourceError) -> GitClone {
        if let clone { return clone }
        let clone = try await GitClone(address, under: root, git: git, access: access)
        let used = [try await clone.kept(), clone.place.goodCommit]
        for commit in clone.checkouts() where !used.contains(commit) { try await clone.remove(commit) }
        self.clone = clone
        return clone
    }

    /// What was read before, by this process or an earlier one. Throws the reason where nothing was.
    private func keptSnapshot(in clone: GitClone, _ reason: SourceError) async throws(SourceError) -> Snapshot {
        if last != nil { return try kept(reason) }
        guard let commit = try await clone.kept() else { throw reason }
        do throws(SourceError) {
            var snapshot = try await read(commit, in: clone)
            snapshot.trouble = SourceError(reason.code, "\(reason.message). Commit \(snapshot.revision), the last that was read, is kept")
            return snapshot
        } catch {
            throw reason
        }
    }

    private func read(_ commit: String, in clone: GitClone) async throws(SourceError) -> Snapshot {
        let known = checkouts[commit]?.checkout
        let reading = GitReading(
            address: address, commit: commit, clone: clone, git: git, signers: signers, filesRead: filesRead, isTrusted: known != nil)
        try await reading.verify()
        let path = try await clone.checkOut(commit, showing: address.paths, isTrusted: known != nil)
        let checkout = known ?? Checkout(path, in: clone.place)
        checkouts[commit] = Weak(checkout: checkout)
        for (old, weak) in checkouts where weak.checkout == nil && old != clone.place.goodCommit {
            checkouts[old] = nil
            try await clone.remove(old)
        }
        return try await reading.snapshot(of: checkout)
    }

    private func rewriting(from before: Revision, to commit: String, in clone: GitClone) async throws(SourceError) -> String? {
        switch try await GitWorkTree(root: clone.repository, git: git).relation(of: before.id, to: commit) {
        case .same, .ancestor, .unknown: return nil
        case .descendant: return "\(address.description) was set back: it is now \(commit.prefix(12)), an ancestor of \(before)"
        case .diverged: return "\(address.description) was rewritten: \(before) does not lead to \(commit.prefix(12)) (a forced push)"
        }
    }
}
