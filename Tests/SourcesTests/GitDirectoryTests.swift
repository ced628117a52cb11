import Model
import Sources
import TestPrograms
import Testing

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

    /// What a git that is confined to what a spec names would be run with.
    @Test func aConfinedGitKnowsNothingOfWhoRunsIt() throws {
        let environment = ["BELAY_GIT_TOKEN": "the-operators", "SSH_AUTH_SOCK": "/agent", "GIT_SSH_COMMAND": "ssh -i mine"]
        let confined = try GitAccess(.init(), isConfined: true, home: "/home/of/its/own", environment: environment)
        #expect(
            confined.sshCommand
                == "ssh -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking=yes -F /dev/null -o IdentitiesOnly=yes "
                + "-o IdentityAgent=none -o IdentityFile='\"none\"'")
        let shared = try GitAccess(.init(), isConfined: false, home: "", environment: environment)
        #expect(shared.sshCommand == nil, "git reads its own variable itself")
        let named = try GitAccess(.init(keyFile: "/key"), isConfined: true, home: "/h", environment: [:])
        #expect(named.sshCommand?.contains("-o IdentityFile='\"/key\"'") == true)
    }
}
