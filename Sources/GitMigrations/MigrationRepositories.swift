internal import Migrations
public import Model
public import Sources
internal import Synchronization

/// The repositories that databases' migrations are in, each of them read as specs are: polled, and kept as it was while its host is away.
///
/// Those of one namespace share nothing with those of another, and show a host nothing but what they name for it. A Secret is read with every
/// poll, so that a new token is used without a restart.
public actor MigrationRepositories {
    private let place: @Sendable () throws(SourceError) -> String
    private let environment: [String: String]
    private let poll: Duration
    private let clock: any Clock<Duration>
    private let signers: GitSigners?
    private let values: RepositoryCredentials.ValueReading
    private var standings: [MigrationRepository: Standing] = [:]
    private var count = 0
    /// True once the keys of processes before this one were looked at.
    private var hasSwept = false
    private var waiting: [Ticket] = []
    private nonisolated let news = ChangeSignal()
    private nonisolated let polled = Mutex<[GitSource]>([])
    private nonisolated let notes: AsyncStream<Note>
    private nonisolated let inbox: AsyncStream<Note>.Continuation

    /// How many are read at once.
    private static let width = 4
    /// How long a spec waits for one that was never read; then it is told that it cannot be.
    static let patience = Duration.seconds(20)

    private struct Standing {
        var source: GitSource
        var ticket: Ticket
        var since = ContinuousClock.now
        var credentials: GitAccess.Credentials?
        var content: RepositoryContent?
    }

    /// One standing of a repository; it gets another when it comes back after it had left.
    private struct Ticket: Hashable, Sendable {
        var repository: MigrationRepository
        var number: Int
    }

    private enum Note: Sendable {
        case due(Ticket)
        case done(Ticket)
    }

    /// - Parameters:
    ///   - place: the directory under which clones are kept; asked when there is something to clone.
    ///   - poll: how often each is asked for news.
    ///   - signers: whose signature a commit must have; nil for none.
    ///   - environment: the process's.
    ///   - values: reads what a spec refers to.
    public init(
        under place: @escaping @Sendable () throws(SourceError) -> String, poll: Duration = .seconds(30),
        clock: any Clock<Duration> = ContinuousClock(), signers: GitSigners? = nil, environment: [String: String],
        values: @escaping RepositoryCredentials.ValueReading
    ) {
        self.place = place
        self.poll = poll
        self.clock = clock
        self.signers = signers
        self.environment = environment
        self.values = values
        (notes, inbox) = AsyncStream.makeStream()
    }

    /// Those that are asked for news again and again, for who hears of news otherwise.
    public nonisolated var sources: [GitSource] { polled.withLock { $0 } }

    // MARK: - Once

    /// What each of them holds, asked now.
    public func read(_ repositories: Set<MigrationRepository>) async -> [MigrationRepository: RepositoryContent] {
        var found: [MigrationRepository: RepositoryContent] = [:]
        await withTaskGroup(of: (MigrationRepository, RepositoryContent).self) { group in
            for (index, repository) in repositories.enumerated() {
                if index >= Self.width, let (repository, content) = await group.next() { found[repository] = content }
                group.addTask { (repository, await self.content(of: repository)) }
            }
            for await (repository, content) in group { found[repository] = content }
        }
        return found
    }

    private func content(of repository: MigrationRepository) async -> RepositoryContent {
        do throws(SourceError) {
            let ticket = try enter(repository)
            await refresh(ticket)
            return standings[repository]?.content ?? RepositoryContent(Self.problem(repository, "it was not waited for"))
        } catch {
            return RepositoryContent(Self.problem(repository, error.message))
        }
    }

    // MARK: - Again and again

    /// Polls those that are wanted, until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            var busy = 0
            for await note in notes {
                switch note {
                case .due(let ticket): waiting.append(ticket)
                case .done(let ticket):
                    busy -= 1
                    guard let standing = standings[ticket.repository], standing.ticket == ticket else { break }
                    group.addTask { [inbox] in
                        do { try await standing.source.change() } catch { return }
                        inbox.yield(.due(ticket))
                    }
                }
                while busy < Self.width, !waiting.isEmpty {
                    let ticket = waiting.removeFirst()
                    guard standings[ticket.repository]?.ticket == ticket else { continue }
                    busy += 1
                    group.addTask { [inbox] in
                        await self.refresh(ticket)
                        inbox.yield(.done(ticket))
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// What each of them held when it was polled last; those that nobody has read yet are polled from now on, and missing for some time.
    func held(_ repositories: Set<MigrationRepository>) -> [MigrationRepository: RepositoryContent] {
        var found: [MigrationRepository: RepositoryContent] = [:]
        for repository in repositories {
            if let standing = standings[repository] {
                let isLate = ContinuousClock.now - standing.since >= Self.patience
                found[repository] =
                    standing.content
                    ?? (isLate ? RepositoryContent(Self.problem(repository, "its first copy is still being fetched")) : nil)
                continue
            }
            do throws(SourceError) { inbox.yield(.due(try enter(repository))) } catch {
                found[repository] = RepositoryContent(Self.problem(repository, error.message))
            }
        }
        return found
    }

    /// Nobody wants any other any more.
    func keep(only repositories: Set<MigrationRepository>) {
        let dropped = standings.keys.filter { !repositories.contains($0) }
        if !dropped.isEmpty {
            for repository in dropped { standings[repository] = nil }
            polled.withLock { $0 = standings.values.map(\.source) }
        }
        if !dropped.isEmpty || !hasSwept { removeKeys(besideThoseOf: repositories) }
        hasSwept = true
    }

    /// Removes the keys that were written for repositories that nobody names any more, by this process or one before it. One that another
    /// process still needs is written anew when that polls.
    private func removeKeys(besideThoseOf repositories: some Sequence<MigrationRepository>) {
        do throws(SourceError) {
            var used: Set<String> = []
            for repository in repositories { used.insert(try home(of: repository)) }
            RepositoryCredentials.removeHomes(under: try place(), except: used)
        } catch {}  // Without a place nothing was written.
    }

    /// Returns when one of them holds something else, or one that nobody could read is told now; throws when the task is cancelled.
    func change() async throws {
        let unread = standings.values.filter { $0.content == nil }.map(\.since).min()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [news] in try await news.wait() }
            if let unread {
                let rest = Self.patience - (ContinuousClock.now - unread)
                // One that is told as late already is told again when it was read.
                if rest > .zero { group.addTask { [clock] in try await clock.sleep(for: rest) } }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    // MARK: - One of them

    private func enter(_ repository: MigrationRepository) throws(SourceError) -> Ticket {
        if let standing = standings[repository] { return standing.ticket }
        let address = try GitAddress(repository.url, ref: repository.ref, paths: repository.path.isEmpty ? [] : [repository.path])
        let root = try place()
        count += 1
        let ticket = Ticket(repository: repository, number: count)
        let source = GitSource(
            address, under: repository.tenant.map { "\(root)/namespaces/\($0)" } ?? root, poll: poll, clock: clock, signers: signers,
            filesRead: nil)
        standings[repository] = Standing(source: source, ticket: ticket)
        polled.withLock { $0 = standings.values.map(\.source) }
        return ticket
    }

    private func refresh(_ ticket: Ticket) async {
        let repository = ticket.repository
        guard let standing = standings[repository], standing.ticket == ticket else { return }
        var content: RepositoryContent
        do throws(SourceError) {
            try await authorise(standing, repository)
            content = RepositoryContent(try await standing.source.snapshot(), of: repository)
        } catch {
            content = RepositoryContent(Self.problem(repository, error.message))
            // Without its token, what is there is as good as while the host is away.
            if error.code == Self.unauthorised, var before = standing.content, case .commit(let commit, _) = before.reading {
                before.reading = .commit(
                    commit, trouble: "\(error.message). Commit \(commit.prefix(12)), the last that was read, is kept")
                content = before
            }
        }
        guard standings[repository]?.ticket == ticket else {
            // Its key may have been written after it had left.
            if standings[repository] == nil { removeKeys(besideThoseOf: standings.keys) }
            return
        }
        let before = standings[repository]?.content
        standings[repository]?.content = content
        if before?.reading != content.reading || before?.identity != content.identity { news.raise() }
    }

    private static let unauthorised = SourceError.Code.unreadable

    /// Lets a source show what the spec names, as it is now.
    private func authorise(_ standing: Standing, _ repository: MigrationRepository) async throws(SourceError) {
        let root = try place()
        let reading = RepositoryCredentials(repository, under: root, values: values)
        let credentials = try await reading.credentials()
        guard standing.credentials != credentials else { return }
        let access = try GitAccess(
            credentials, isConfined: !repository.mayUseOperatorAccess, home: reading.home, environment: environment)
        try await standing.source.use(access)
        if standings[repository]?.ticket == standing.ticket { standings[repository]?.credentials = credentials }
    }

    /// `git`, as it reaches the host of a database's migrations, whose checkout may lack what is in older commits.
    ///
    /// Of a repository that nobody names any more it is confined as before: a pass may still work with what was read of it.
    public func git(for database: Database) -> Git {
        guard let repository = database.migrations.git?.unread else { return Git() }
        do throws(SourceError) {
            return try GitAccess(
                standings[repository]?.credentials ?? .init(), isConfined: !repository.mayUseOperatorAccess,
                home: try home(of: repository), environment: environment
            ).git()
        } catch {
            return Git.reachingNoHost  // Its own place is gone, and so is the checkout; or the operator's own access contradicts itself.
        }
    }

    private func home(of repository: MigrationRepository) throws(SourceError) -> String {
        RepositoryCredentials(repository, under: try place(), values: values).home
    }

    private static func problem(_ repository: MigrationRepository, _ why: String) -> Problem {
        let what = why.hasPrefix(repository.url) ? why : "\(repository.name): \(why)"
        return Problem(
            "MigrationsUnreadable", "the migrations cannot be read: \(what)", next: "correct migrations.git, or mend what it names")
    }
}
