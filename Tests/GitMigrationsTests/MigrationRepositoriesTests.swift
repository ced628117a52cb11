import FoundationEssentials
import Model
import Sources
import SpecLoading
import Synchronization
import TestPrograms
import Testing

@testable import GitMigrations

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// With the real git and a bare repository.
@Suite(.timeLimit(.minutes(2))) struct MigrationRepositoriesTests {
    /// A source whose one part is a system with migrations in a repository.
    private struct OnePart: WatchedSource {
        var part: Holding.Part

        func change() async throws { try await Task.sleep(for: .seconds(3600)) }
        func holding() async throws(SourceError) -> Holding { Holding([part]) }
        func snapshot() async throws(SourceError) -> Snapshot { try part.result.get() }
        func relation(of older: Revision, to newer: Revision) async throws(SourceError) -> RevisionRelation { .same }
    }

    private struct Unexpected: Error {}

    private let place: Place

    init() async throws {
        place = try Place()
        try await place.git("init", "-q", "--bare", "-b", "main", "db.git")
        try await place.git("-C", "db.git", "config", "uploadpack.allowFilter", "true")
        try await place.git("init", "-q", "-b", "main", "work")
    }

    private func push(_ name: String, _ text: String = "-- migrate:up\nSELECT 1;\n") async throws -> String {
        try place.write("work/\(name)", text)
        try await place.git("-C", "work", "add", ".")
        try await place.git("-C", "work", "commit", "-q", "-m", "a change")
        try await place.git("-C", "work", "push", "-q", place.path("db.git"), "HEAD:main")
        return try await place.git("-C", "work", "rev-parse", "HEAD")
    }

    private var repository: MigrationRepository { MigrationRepository(url: "file://" + place.path("db.git"), path: "db") }

    private func repositories(
        poll: Duration = .seconds(3600), environment: [String: String] = [:],
        values: @escaping RepositoryCredentials.ValueReading = { _, what in .failure(Problem("ValueMissing", "\(what) is not there")) }
    ) -> MigrationRepositories {
        let state = place.path("state")
        return MigrationRepositories(under: { state }, poll: poll, environment: environment, values: values)
    }

    private func system(_ repository: MigrationRepository) -> System {
        System(
            id: SystemID(namespace: "default", name: "shop"),
            databases: [Database(name: "main", schema: "1", migrations: MigrationSettings(path: "", git: repository))])
    }

    private func source(_ repositories: MigrationRepositories, watches: Bool) -> SourceWithMigrations {
        let system = system(repository)
        let snapshot = Snapshot(revision: Revision(.generation, "u/1"), files: [SourceFile(name: "default/shop", bytes: Array("git".utf8))])
        return SourceWithMigrations(OnePart(part: .init(origin: "default/shop", .success(snapshot))), repositories, watches: watches) { _ in
            [system]
        }
    }

    private func snapshot(_ holding: Holding) throws -> Snapshot { try #require(holding.parts.first).result.get() }

    @Test func aSystemGetsTheDirectoryOfTheCommitThatWasRead() async throws {
        let commit = try await push("db/1_a.sql")
        let repositories = repositories()
        let snapshot = try snapshot(try await source(repositories, watches: false).holding())
        let database = snapshot.completed(system(repository)).databases[0]
        #expect(database.migrations.git?.reading == .commit(commit, trouble: nil))
        #expect(try FileManager.default.contentsOfDirectory(atPath: database.migrations.path) == ["1_a.sql"])
        #expect(database.migrationsProblem == nil)
        #expect(snapshot.notes == ["migrations of \(repository.name) at \(commit.prefix(12))"])
        try place.remove()
    }

    @Test func aHostThatIsAwayLeavesTheLastCommitAndThatIsSaid() async throws {
        let commit = try await push("db/1_a.sql")
        let source = source(repositories(), watches: false)
        let before = try snapshot(try await source.holding())
        rename(place.path("db.git"), place.path("away.git"))
        let holding = try await source.holding()
        let after = try snapshot(holding)
        guard case .commit(commit, let trouble?)? = after.repositories[repository]?.reading else {
            Issue.record("\(String(describing: after.repositories[repository]?.reading))")
            return
        }
        #expect(trouble.hasSuffix("Commit \(commit.prefix(12)), the last that was read, is kept"), "\(trouble)")
        #expect(holding.troubles.map(\.message) == ["migrations: \(trouble)"])
        #expect(after.holds([repository], as: before) && !after.tells([repository], as: before), "nothing changed, and it is told")
        try place.remove()
    }

    @Test func aRepositoryThatCannotBeReadHoldsUpItsDatabaseAlone() async throws {
        let snapshot = try snapshot(try await source(repositories(), watches: false).holding())
        let database = snapshot.completed(system(repository)).databases[0]
        #expect(database.migrationsProblem?.reason == "MigrationsUnreadable")
        #expect(
            database.migrationsProblem?.message.contains("there is no such branch or tag") == true,
            "\(database.migrationsProblem as Problem?)")
        try place.remove()
    }

    @Test func aMovedRefIsNewsAndAPartWaitsForItsFirstCopy() async throws {
        _ = try await push("db/1_a.sql")
        let repositories = repositories(poll: .milliseconds(50))
        let source = source(repositories, watches: true)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await source.run() }
            #expect(try await source.holding().parts.isEmpty, "nobody has read it yet")
            try await source.change()
            let first = try snapshot(try await source.holding())
            let commit = try await push("db/2_b.sql")
            try await source.change()
            let second = try snapshot(try await source.holding())
            #expect(second.repositories[repository]?.reading == .commit(commit, trouble: nil))
            #expect(!second.holds([repository], as: first))
            _ = try await push("README.md", "x")
            try await source.change()
            let third = try snapshot(try await source.holding())
            #expect(third.holds([repository], as: second) && !third.tells([repository], as: second))
            group.cancelAll()
        }
        try place.remove()
    }

    @Test func aTokenThatIsGoneLeavesWhatWasReadAndANewOneIsUsed() async throws {
        _ = try await push("db/1_a.sql")
        var named = repository
        named.token = .kubernetesSecret(namespace: "shop", name: "git", key: "token")
        let secret = Mutexed<String?>("one")
        let repositories = repositories { _, what in
            secret.value.map { .success(Secret($0)) } ?? .failure(Problem("SecretMissing", "\(what): there is no Secret git"))
        }
        func reading() async -> MigrationRepository.Reading? { await repositories.read([named])[named]?.reading }
        guard case .commit(let commit, nil)? = await reading() else { throw Unexpected() }
        secret.value = nil
        guard case .commit(commit, let trouble?)? = await reading() else { throw Unexpected() }
        #expect(trouble.contains("migrations.git.token: there is no Secret git"), "\(trouble)")
        secret.value = "two"
        #expect(await reading() == .commit(commit, trouble: nil))
        try place.remove()
    }

    @Test func namespacesShareNoClone() async throws {
        _ = try await push("db/1_a.sql")
        var (one, two) = (repository, repository)
        (one.tenant, two.tenant) = ("one", "two")
        let found = await repositories().read([one, two])
        let places = Set(found.values.map(\.directory))
        #expect(places.count == 2 && places.allSatisfy { $0.contains("/namespaces/") }, "\(places)")
        try place.remove()
    }
}

/// A value that a closure and a test share.
private final class Mutexed<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value {
        get { mutex.withLock { $0 } }
        set { mutex.withLock { $0 = newValue } }
    }
}
