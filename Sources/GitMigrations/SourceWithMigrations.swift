public import Model
public import Sources
internal import SpecLoading
internal import Synchronization

/// A source, together with the repositories that its systems read migrations from.
///
/// A part with a repository that nobody has read yet stays for a moment what it was before. A host that is away, or slow, holds nothing up but
/// the database that needs it.
public actor SourceWithMigrations: WatchedSource {
    private let base: any WatchedSource
    private let repositories: MigrationRepositories
    private let watches: Bool
    private let systems: @Sendable (Snapshot) -> [System]
    private var known: [String: (snapshot: Snapshot, repositories: Set<MigrationRepository>)] = [:]
    private var last: [String: Holding.Part] = [:]

    /// - Parameters:
    ///   - watches: whether ``run()`` is under way; without it every holding asks the hosts.
    ///   - systems: what a snapshot holds; nothing where it does not load.
    public init(
        _ base: any WatchedSource, _ repositories: MigrationRepositories, watches: Bool = true,
        systems: @escaping @Sendable (Snapshot) -> [System]
    ) {
        self.base = base
        self.repositories = repositories
        self.watches = watches
        self.systems = systems
    }

    /// True if nothing waits for a first copy of its migrations.
    public private(set) var isWhole = false

    /// Polls the repositories until the task is cancelled.
    public nonisolated func run() async { await repositories.run() }

    public nonisolated func change() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.base.change() }
            if watches { group.addTask { try await self.repositories.change() } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    public func holding() async throws(SourceError) -> Holding {
        var holding = try await base.holding()
        var wanted: [Set<MigrationRepository>] = []
        for part in holding.parts {
            var own: Set<MigrationRepository> = []
            if case .success(let snapshot) = part.result { own = repositoriesRead(by: snapshot, of: part.origin) }
            if let good = part.lastGood { own.formUnion(systems(good).flatMap(\.repositoriesRead)) }
            wanted.append(own)
        }
        let all = wanted.reduce(into: Set<MigrationRepository>()) { $0.formUnion($1) }
        let contents = watches ? await repositories.held(all) : await repositories.read(all)
        if watches { await repositories.keep(only: all) }
        var parts: [Holding.Part] = []
        for (part, own) in zip(holding.parts, wanted) {
            let isRead = own.allSatisfy { contents[$0] != nil }
            let shown = isRead ? Self.part(part, with: contents.filter { own.contains($0.key) }) : last[part.origin]
            guard let shown else { continue }
            last[part.origin] = shown
            parts.append(shown)
        }
        let present = Set(holding.parts.map(\.origin))
        last = last.filter { present.contains($0.key) }
        known = known.filter { present.contains($0.key) }
        isWhole = parts.count == holding.parts.count
        holding.parts = parts
        holding.troubles += contents.troubles.map { SourceError(.gitFailed, $0) }
        return holding
    }

    public func snapshot() async throws(SourceError) -> Snapshot {
        let snapshot = try await base.snapshot()
        return snapshot.with(await repositories.read(Set(systems(snapshot).flatMap(\.repositoriesRead))))
    }

    public func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        try await base.relation(of: older, to: newer)
    }

    public func askedRelation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation {
        try await base.askedRelation(of: older, to: newer)
    }

    public func supersedes(_ snapshot: Snapshot) async -> Bool { await base.supersedes(snapshot) }

    public func accept(_ snapshot: Snapshot) async { await base.accept(snapshot) }

    // MARK: - Private

    /// Without reading the specs anew where nothing of them has changed.
    private func repositoriesRead(by snapshot: Snapshot, of origin: String) -> Set<MigrationRepository> {
        if let before = known[origin], before.snapshot.revision == snapshot.revision, before.snapshot.files == snapshot.files {
            return before.repositories
        }
        let names = snapshot.files.contains { $0.bytes.containsGit } ? Set(systems(snapshot).flatMap(\.repositoriesRead)) : []
        known[origin] = (snapshot, names)
        return names
    }

    private static func part(_ part: Holding.Part, with contents: [MigrationRepository: RepositoryContent]) -> Holding.Part {
        guard !contents.isEmpty else { return part }
        var part = part
        if case .success(let snapshot) = part.result { part.result = .success(snapshot.with(contents)) }
        part.lastGood = part.lastGood?.with(contents)
        return part
    }
}

extension Snapshot {
    /// Why nobody knows whether the migrations of its systems are the newest.
    public var troublesOfMigrations: [String] { repositories.troubles }

    /// With what repositories hold that its systems name, and a note of each.
    public func with(_ contents: [MigrationRepository: RepositoryContent]) -> Snapshot {
        var snapshot = self
        snapshot.repositories = contents
        for (repository, content) in contents.sorted(by: { $0.key.name < $1.key.name }) {
            if case .commit(let commit, _) = content.reading {
                snapshot.notes.append("migrations of \(repository.name) at \(commit.prefix(12))")
            }
            snapshot.notes += content.notes.map { "\(repository.name): \($0)" }
        }
        return snapshot
    }
}

extension [MigrationRepository: RepositoryContent] {
    /// Why nobody knows whether what they hold is the newest, each once.
    fileprivate var troubles: [String] {
        let messages = values.compactMap { content -> String? in
            guard case .commit(_, let trouble?) = content.reading else { return nil }
            return "migrations: \(trouble)"
        }
        return Set(messages).sorted()
    }
}

extension [UInt8] {
    /// True if the word is in it that begins the name of a repository; most specs need no second look then.
    fileprivate var containsGit: Bool {
        let word = Array("git".utf8)
        guard count >= 3 else { return false }
        return withUnsafeBufferPointer { bytes in
            (0...(bytes.count - 3)).contains { bytes[$0] == word[0] && bytes[$0 + 1] == word[1] && bytes[$0 + 2] == word[2] }
        }
    }
}
