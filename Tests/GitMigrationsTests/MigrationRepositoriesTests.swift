import FoundationEssentials
import Model
import SpecLoading
import Synchronization
import TestPrograms
import Testing

@testable import GitMigrations
@testable import Sources

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
        poll: Duration = .seconds(3600), signers: [String] = [],
        values: @escaping RepositoryCredentials.ValueReading = { _, what in .failure(Problem("ValueMissing", "\(what) is not there")) }
    ) throws -> MigrationRepositories {
        let state = place.path("state")
        let allowed = signers.isEmpty ? nil : try GitSigners(signers)
        return MigrationRepositories(under: { state }, poll: poll, signers: allowed, environment: [:], values: values)
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
        let repositories = try repositories()
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
        let source = source(try repositories(), watches: false)
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
        let snapshot = try snapshot(try await source(try repositories(), watches: false).holding())
        let database = snapshot.completed(system(repository)).databases[0]
        #expect(database.migrationsProblem?.reason == "MigrationsUnreadable")
        #expect(
            database.migrationsProblem?.message.contains("there is no such branch or tag") == true,
            "\(database.migrationsProblem as Problem?)")
        try place.remove()
    }

    @Test func aMovedRefIsNewsAndAPartWaitsForItsFirstCopy() async throws {
        _ = try await push("db/1_a.sql")
        let repositories = try repositories(poll: .milliseconds(50))
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
        let repositories = try repositories { _, what in
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

    @Test func aCommitThatNobodyAllowedHasSignedIsNotUsed() async throws {
        _ = try await push("db/1_a.sql")
        let file = try place.write(
            "signers", "ann@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0000000000000000000000000000000000000000000\n")
        let repositories = try repositories(signers: [file])
        guard case .failed(let problem)? = await repositories.read([repository])[repository]?.reading else { throw Unexpected() }
        #expect(problem.message.contains("it is not signed"), "\(problem)")
        try place.remove()
    }

    @Test func aRepositoryThatNobodyNamesAnyMoreStaysConfined() async throws {
        var confined = repository
        (confined.tenant, confined.mayUseOperatorAccess) = ("shop", false)
        let database = system(confined).databases[0]
        let repositories = try repositories()
        _ = await repositories.read([confined])
        let before = await repositories.git(for: database).variables
        #expect(before["GIT_CONFIG_GLOBAL"] == "/dev/null" && before["HOME"] != nil)
        await repositories.keep(only: [])
        #expect(await repositories.git(for: database).variables == before)
        let beside = Database(name: "main", schema: "1", migrations: MigrationSettings(path: "db"))
        #expect(await repositories.git(for: beside).variables.isEmpty, "migrations beside the spec are whose the spec is")
        let homeless = MigrationRepositories(
            under: { () throws(SourceError) in throw SourceError(.unreadable, "there is no place") }, environment: [:],
            values: { _, what in .failure(Problem("ValueMissing", what)) })
        #expect(await homeless.git(for: database).variables == ["GIT_ALLOW_PROTOCOL": ""], "speaks to nobody")
        try place.remove()
    }

    @Test func keysGoWithTheLastThatNamesThem() async throws {
        _ = try await push("db/1_a.sql")
        let homes = place.path("state/git-access")
        try place.write("state/git-access/0123456789abcdef/key", "of a process before this one")
        var named = repository
        named.sshKey = .literal("a key")
        var (other, twin) = (named, named)
        (other.sshKey, twin.path) = (.literal("another"), "")
        let repositories = try repositories { source, _ in .success(Secret("\(source)")) }
        func keys() throws -> Set<String> {
            Set(
                try FileManager.default.contentsOfDirectory(atPath: homes).compactMap {
                    try String(contentsOf: URL(filePath: "\(homes)/\($0)/key"), encoding: .utf8)
                })
        }
        _ = await repositories.read([named, twin, other])
        #expect(try keys().count == 3)
        await repositories.keep(only: [named, twin, other])
        #expect(try keys() == ["\(named.sshKey!)\n", "\(other.sshKey!)\n"], "what was left over is gone")
        await repositories.keep(only: [twin, other])
        #expect(try keys().count == 2, "one is still used")
        await repositories.keep(only: [other])
        #expect(try keys() == ["\(other.sshKey!)\n"])
        await repositories.keep(only: [])
        #expect(try keys().isEmpty)
        try place.remove()
    }

    @Test func namespacesShareNoClone() async throws {
        _ = try await push("db/1_a.sql")
        var (one, two) = (repository, repository)
        (one.tenant, two.tenant) = ("one", "two")
        let found = try await repositories().read([one, two])
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
