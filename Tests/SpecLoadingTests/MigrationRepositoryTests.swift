import Model
import SpecFields
import Testing

@testable import SpecLoading

@Suite struct MigrationRepositoryTests {
    private static func load(_ migrations: String) -> LoadResult {
        let database = "{postgres: {url: {fromEnv: URL}}, migrations: \(migrations), schema: a}"
        let text = "apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec:\n  databases:\n    main: \(database)\n"
        return SpecLoader(targets: targets).load([SourceFile(name: "specs/s.yaml", bytes: Array(text.utf8))])
    }

    @Test func migrationsMayBeInARepository() throws {
        let result = Self.load(
            "{git: {url: 'https://git.example/acme/db', ref: main, path: db/m, user: bot, token: {fromFile: token}, "
                + "sshKey: {fromSecret: {name: git, key: id}}, knownHosts: 'git.example ssh-ed25519 AAAA'}, onMissing: git}")
        #expect(result.diagnostics.isEmpty, "\(result.diagnostics)")
        let settings = try #require(result.systems.first?.databases.first?.migrations)
        #expect(settings.onMissing == .git && settings.path == "")
        #expect(
            settings.git
                == MigrationRepository(
                    url: "https://git.example/acme/db", ref: "main", path: "db/m", token: .file("specs/token"), user: "bot",
                    sshKey: .kubernetesSecret(namespace: nil, name: "git", key: "id"),
                    knownHosts: .literal("git.example ssh-ed25519 AAAA")))
        #expect(result.systems[0].filesRead.isEmpty && result.systems[0].repositoriesRead.count == 1)
        #expect(settings.git?.name == "https://git.example/acme/db#main:db/m" && settings.git?.host == "git.example")
    }

    @Test func aLocalRepositoryIsRelativeToTheFile() {
        #expect(Self.load("{git: {url: ../db.git}}").systems.first?.databases.first?.migrations.git?.url == "specs/../db.git")
    }

    @Test(arguments: [
        ("{format: dbmate}", "spec.databases.main.migrations: does not name a place; add one of path, git", "neither"),
        ("{path: m, git: {url: 'https://x/y'}}", "names a place twice: path at line 6, and git; keep one", "both"),
        ("{git: {ref: main}}", "spec.databases.main.migrations.git.url: is required", "no URL"),
        (
            "{git: {url: 'https://u:secret@x/y'}}",
            "migrations.git.url: expected the URL of a repository, without blanks and without a password", "a password in the URL"
        ),
        (
            "{git: {url: 'https://evil.example?@git.example/x'}}", "without ?, #, % and \\ before the path",
            "a URL whose host is not the one that it seems to be"
        ),
        ("{git: {url: 'https://evil.example#@git.example/x'}}", "without ?, #, % and \\ before the path", "the same"),
        ("{git: {url: 'https://evil.example\\@git.example/x'}}", "without ?, #, % and \\ before the path", "the same"),
        ("{git: {url: 'ssh://evil.example%2F@git.example/x'}}", "without ?, #, % and \\ before the path", "git decodes it first"),
        ("{git: {url: '[git@git.example:2222]:x'}}", "migrations.git.url: expected", "a port that is not where it seems to be"),
        ("{git: {url: 'ext::sh'}}", "migrations.git.url: expected", "what runs programs"),
        ("{git: {url: 'https://x/y', path: ../z}}", "migrations.git.path: expected a directory in the repository", "a path that leads out"),
        ("{git: {url: 'https://x/y', ref: 'a b'}}", "migrations.git.ref: expected the name of a branch, a tag or a commit", "no ref"),
        ("{git: {url: 'https://x/y', token: abc}}", "migrations.git.token: expected", "a token that is written out"),
    ])
    func whatIsWrongNamesItsField(migrations: String, words: String, why: String) {
        let lines = Self.load(migrations).diagnostics.map(\.description)
        #expect(lines.count == 1 && lines.first?.contains(words) == true, "\(why): \(lines)")
    }

    /// The function that reads and the pattern in the schemas are two texts of one rule.
    @Test(arguments: [StringRule.repositoryURL, .repositoryRef, .repositoryPath, .repositoryUser])
    func patternAndFunctionAgree(rule: StringRule) throws {
        let pattern = try Regex(rule.pattern)
        for text in [
            "", "-x", "x", "x y", "a/b", "/a/b", "../a", "a/../b", "a/..", "..", ".", "./a", "a/", "a//b", "..a/b", ".a", "https://x/y",
            "https://u@x/y", "https://u:p@x/y", "https://@x/y", "HTTPS://x", "ssh://git@x:22/y", "git@x:y/z", "git@x:/y", "x:", ":x",
            "x://",
            "x:y:z", "a/b:c", "file:///x", "https://x/a@b", "https://a@b@c/d", "1x://a", "main", "v1.2", "a^", "a:b", "a[b", "a\\b",
            "refs/x",
            "https:/x", "https:x@y", "https://a?@b/x", "https://a#@b/x", "https://a\\@b/x", "ssh://a%2F@b/x", "https://a/x?y#z%20",
            "https://a?x",
            "a?b:c", "[git@a:22]:x", "a%b:c", "a\\b:c", "a#b:c", "ext::sh", "https::https://x/y", "x:/:y",
        ] {
            #expect(rule.accepts(text) == (text.wholeMatch(of: pattern) != nil), "\(rule.pattern): \(text)")
        }
    }

    @Test(
        arguments: [
            ("https://git.example/a", "git.example", "a host"), ("ssh://git@Git.Example:2222/a", "git.example:2222", "with its port"),
            ("git@git.example:a/b", "git.example", "as ssh has it"),
            ("https://evil.example?@git.example/x", "evil.example", "where git goes"),
            ("https://evil.example#@git.example/x", "evil.example", "where git goes"),
            ("https://evil.example\\@git.example/x", nil, "nobody can tell"),
            ("ssh://evil.example%2F@git.example/x", nil, "git decodes it first"),
            ("../db.git", nil, "no host"), ("file:///db.git", nil, "no host"),
        ] as [(String, String?, String)])
    func theHostIsTheOneThatIsAsked(url: String, host: String?, why: String) {
        #expect(MigrationRepository(url: url).host == host, "\(why)")
    }
}
