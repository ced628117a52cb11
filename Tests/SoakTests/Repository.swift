import AllProviders
import ControlLoop
import Model
import ProviderKit
import Sources
import SpecFields
import SpecLoading
import Synchronization
import TestDoubles
import TestPrograms

/// The specs of a soak with their history, at a host that may be down.
final class Repository: Sendable {
    enum Standing: Sendable { case up, down, pathMissing }

    fileprivate struct Commit: Sendable {
        var parent: Int?
        var files: [SourceFile]
        /// By the part's number.
        var pins: [Int: Int]
    }

    fileprivate struct State {
        var commits: [Commit]
        var head = 0
        var standing = Standing.up
    }

    private let state: Mutex<State>

    init() {
        let pins = Part.firstPins
        state = Mutex(State(commits: [Commit(parent: nil, files: Self.files(pins, isRight: true), pins: pins)]))
    }

    private static func files(_ pins: [Int: Int], isRight: Bool) -> [SourceFile] {
        Set(Part.all.map(\.system)).sorted().map { system in
            let parts = Part.all.indices.filter { Part.all[$0].system == system }.map { Part.all[$0].text(pins[$0] ?? 0) }
            let kind = isRight || system != "docs" ? "System" : "Sytsem"
            let text =
                "{apiVersion: belay.dev/v1alpha1, kind: \(kind), metadata: {name: \(system)}, spec: {components: {\(parts.joined(separator: ", "))}}}"
            return SourceFile(name: "\(system).yaml", bytes: Array(text.utf8))
        }
    }

    // MARK: - Those who write

    /// What the head pins.
    var pins: [Int: Int] { state.withLock { $0.commits[$0.head].pins } }

    /// Commits on the head, or on the commit so many before it: then the head is rewritten.
    func commit(_ pins: [Int: Int], isRight: Bool = true, back: Int = 0) {
        state.withLock { state in
            state.commits.append(Commit(parent: state.ancestor(back), files: Self.files(pins, isRight: isRight), pins: pins))
            state.head = state.commits.count - 1
        }
    }

    /// Sets the head back.
    func reset(back: Int) { state.withLock { $0.head = $0.ancestor(back) } }

    func set(_ standing: Standing) { state.withLock { $0.standing = standing } }

    // MARK: - Those who read

    /// - Parameter kept: what the reader has of it from before.
    func snapshot(keeping kept: inout Int?) throws(SourceError) -> Snapshot {
        let (head, standing, commits) = state.withLock { ($0.head, $0.standing, $0.commits) }
        func snapshot(_ number: Int, _ trouble: SourceError? = nil) -> Snapshot {
            Snapshot(revision: Self.revision(number), files: commits[number].files, trouble: trouble)
        }
        switch standing {
        case .up:
            kept = head
            return snapshot(head)
        case .pathMissing: throw SourceError(.notFound, "specs: there is no such file or directory")
        case .down:
            let reason = SourceError(.gitFailed, "git.example does not answer")
            guard let kept else { throw reason }
            return snapshot(kept, reason)
        }
    }

    func relation(of older: Revision, to newer: Revision) -> RevisionRelation {
        guard let older = Int(older.id, radix: 16), let newer = Int(newer.id, radix: 16) else { return .unknown }
        guard older != newer else { return .same }
        return state.withLock { state in
            state.leads(older, to: newer) ? .ancestor : state.leads(newer, to: older) ? .descendant : .diverged
        }
    }

    private static func revision(_ number: Int) -> Revision {
        let digits = String(number, radix: 16)
        return Revision(.commit, String(repeating: "0", count: 40 - digits.count) + digits)
    }

    /// As the program loads specs.
    static func load(_ snapshot: Snapshot) -> Loading {
        let loaded = SpecLoader(targets: allProviders.map(\.targetKind)).load(snapshot.files)
        return Loading(systems: loaded.systems, mistakes: loaded.diagnostics.map(\.description))
    }
}

extension Repository.State {
    fileprivate func ancestor(_ back: Int) -> Int {
        var number = head
        for _ in 0..<back { number = commits[number].parent ?? number }
        return number
    }

    fileprivate func leads(_ older: Int, to newer: Int) -> Bool {
        var number: Int? = newer
        while let at = number, at > older { number = commits[at].parent }
        return number == older
    }
}

/// The repository as one replica has it: asked every half a minute, and what was read last is kept through its lives.
final class Clone: WatchedSource {
    private let repository: Repository
    private let time: VirtualTime
    private let dice: Dice
    private let kept = Mutex<Int?>(nil)

    init(_ repository: Repository, _ time: VirtualTime, _ dice: Dice) {
        self.repository = repository
        self.time = time
        self.dice = dice
    }

    func change() async throws { try await time.sleep(for: dice.seconds(24...30)) }

    func snapshot() async throws(SourceError) -> Snapshot {
        let result = kept.withLock { kept in
            do throws(SourceError) { return Result<Snapshot, SourceError>.success(try repository.snapshot(keeping: &kept)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        repository.relation(of: older, to: newer)
    }
}
