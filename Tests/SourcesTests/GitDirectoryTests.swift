import Model
import TestPrograms
import Testing

@testable import Sources

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A directory of a repository without specs in it: migrations.
@Suite(.timeLimit(.minutes(2))) struct GitDirectoryTests {
    private func source(_ repository: GitRepository, _ path: String = "db") throws -> GitSource {
        GitSource(
            try GitAddress(repository.url, paths: path.isEmpty ? [] : [path]), under: repository.place.path("state"), filesRead: nil)
    }

    @Test func whatADirectoryHoldsIsToldApartFromTheCommit() async throws {
        try await GitRepository.with { repository in
            let source = try source(repository)
            let one = try await repository.push("one", to: "db/1.sql")
            let first = try await source.snapshot()
            #expect(first.revision.id == one && first.files.isEmpty)
            try await repository.push("x", to: "README.md")
            let second = try await source.snapshot()
            #expect(second.revision != first.revision && second.beside == first.beside, "another commit, the same directory")
            try await repository.push("two", to: "db/2.sql")
            #expect(try await source.snapshot().beside != first.beside)
        }
    }

    @Test(arguments: [
        ("elsewhere", "elsewhere: there is no such directory in commit", "it is not there"),
        ("db/1.sql", "db/1.sql: there is no such directory in commit", "it is a file"),
        ("db", "db/2.sql: commit", "a link to a file of this machine"), ("out", "out: commit", "a link to a directory of this machine"),
        ("", "db/2.sql: commit", "the same in the whole tree"),
    ])
    func whatMustNotBeReadSaysWhy(path: String, words: String, why: String) async throws {
        try await GitRepository.with { repository in
            try repository.place.write("work/db/1.sql", "one")
            symlink("/etc/passwd", repository.place.path("work/db/2.sql"))
            symlink("/etc", repository.place.path("work/out"))
            try await repository.push()
            let error = await #expect(throws: SourceError.self, "\(why)") { try await source(repository, path).snapshot() }
            #expect(error?.message.hasPrefix(words) == true, "\(why): \(error?.message ?? "")")
        }
    }

    @Test func aLinkWithinTheRepositoryIsRead() async throws {
        try await GitRepository.with { repository in
            symlink("1.sql", repository.place.path("work/2.sql"))
            try await repository.push("one", to: "1.sql")
            _ = try await source(repository, "").snapshot()
        }
    }

    /// Whether or not something is there: it may come to be there, or be a socket of somebody.
    @Test(arguments: [
        ("/no/such/file", "an absolute one to nothing"), ("../../no/such/file", "a relative one to nothing"),
        ("inner/../../no/such", "one that leads out through another, and not as it is written"), ("2.sql", "one without an end"),
    ])
    func aLinkThatLeadsOutIsRefusedBeforeAnythingIsThere(target: String, why: String) async throws {
        try await GitRepository.with { repository in
            try repository.place.write("work/db/1.sql", "one")
            try repository.place.write("work/a/file", "x")
            symlink("../a", repository.place.path("work/db/inner"))
            symlink(target, repository.place.path("work/db/2.sql"))
            try await repository.push()
            let error = await #expect(throws: SourceError.self, "\(why)") { try await source(repository).snapshot() }
            #expect(error?.message.hasPrefix("db/2.sql: commit") == true, "\(why): \(error?.message ?? "")")
        }
    }

    @Test func aLinkIsFollowedToOthersBesideTheDirectory() async throws {
        try await GitRepository.with { repository in
            try repository.place.write("work/db/1.sql", "one")
            try repository.place.write("work/other/file", "x")
            symlink("../other", repository.place.path("work/db/more"))
            symlink("nothing", repository.place.path("work/db/dangling.sql"))
            symlink("/etc/passwd", repository.place.path("work/unread"))
            try await repository.push()
            _ = try await source(repository).snapshot()
            symlink("/etc/passwd", repository.place.path("work/other/2.sql"))
            try await repository.push()
            let error = await #expect(throws: SourceError.self) { try await source(repository).snapshot() }
            #expect(error?.message.hasPrefix("other/2.sql: commit") == true, "\(error?.message ?? "")")
        }
    }

    @Test func aMistakeOfTheOperatorsConcernsNoConfinedGit() throws {
        let environment = ["BELAY_GIT_SSH_KEY_FILE": "/no/such/key"]
        _ = try GitAccess(.init(), isConfined: true, home: "/h", environment: environment)
        #expect(throws: SourceError.self) { try GitAccess(.init(), isConfined: false, home: "/h", environment: environment) }
    }

    /// What a git that is confined to what a spec names would be run with.
    @Test func aConfinedGitKnowsNothingOfWhoRunsIt() throws {
        let kept = [
            "PATH": "/bin", "LC_ALL": "C", "https_proxy": "http://proxy", "NO_PROXY": "x", "GIT_SSL_CAINFO": "/ca", "SSL_CERT_FILE": "/ca",
            "GIT_TERMINAL_PROMPT": "1",
        ]
        let environment = kept.merging([
            "BELAY_GIT_TOKEN": "the-operators", "SSH_AUTH_SOCK": "/agent", "GIT_SSH_COMMAND": "ssh -i mine",
            "DATABASE_URL": "postgres://u:p@d",
            "HOME": "/home/of/the/operator", "GIT_CONFIG_SYSTEM": "/etc/own", "GIT_CONFIG_KEY_0": "http.extraHeader", "GIT_ASKPASS": "/ask",
        ]) { $1 }
        let confined = try GitAccess(.init(), isConfined: true, home: "/home/of/its/own", environment: environment)
        #expect(
            confined.sshCommand
                == "ssh -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=yes -F /dev/null -o IdentitiesOnly=yes "
                + "-o IdentityAgent=none -o IdentityFile='\"none\"'")
        let taken = [
            "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            "GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_SYSTEM", "GIT_SSH", "GIT_SSH_VARIANT", "GIT_SSL_CERT",
            "GIT_SSL_KEY", "GIT_SSL_CERT_PASSWORD_PROTECTED", "GIT_SSL_NO_VERIFY", "NETRC", "SSH_AUTH_SOCK", "BELAY_GIT_SSH_KEY_FILE",
            "BELAY_GIT_KNOWN_HOSTS_FILE", "BELAY_GIT_TOKEN", "BELAY_GIT_USER",
        ]
        let own = [
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/home/of/its/own", "XDG_CONFIG_HOME": "/home/of/its/own",
            "GIT_ALLOW_PROTOCOL": "https:http:ssh:git", "SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force", "GIT_ASKPASS": "",
            "KRB5CCNAME": "/dev/null", "KRB5_CLIENT_KTNAME": "/dev/null", "GIT_SSH_COMMAND": confined.sshCommand,
        ]
        let all = Dictionary(uniqueKeysWithValues: (taken + ["DATABASE_URL", "GIT_CONFIG_KEY_0"]).map { ($0, String?.none) })
        #expect(confined.variables == all.merging(own) { $1 })
        #expect(
            try GitAccess(.init(), isConfined: true, home: "/home/of/its/own", environment: [:]).variables
                == Dictionary(uniqueKeysWithValues: taken.map { ($0, String?.none) }).merging(own) { $1 })
        let shared = try GitAccess(.init(), isConfined: false, home: "", environment: environment)
        #expect(shared.sshCommand == nil, "git reads its own variable itself")
        let named = try GitAccess(.init(keyFile: "/key"), isConfined: true, home: "/h", environment: [:])
        #expect(named.sshCommand?.contains("-o IdentityFile='\"/key\"'") == true)
    }
}
