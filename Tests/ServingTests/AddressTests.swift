import Serving
import Testing

@Suite struct AddressTests {
    @Test(
        arguments: [
            (":8080", nil, 8080), ("127.0.0.1:0", "127.0.0.1", 0), ("[::1]:80", "::1", 80), ("localhost:65535", "localhost", 65535),
            ("*:1", nil, 1), ("0.0.0.0:8080", "0.0.0.0", 8080),
        ] as [(String, String?, Int)])
    func anAddressIsAHostAndAPort(text: String, host: String?, port: Int) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host && address.port == port)
    }

    @Test(arguments: ["", "8080", ":", "host:", ":-1", ":65536", ":8080x", "::1:80", "[::1]", "[]:80", "http://a:80", "a b:80", ":٣"])
    func anythingElseIsNone(text: String) { #expect(ListenAddress(text) == nil) }

    /// What is watched, what a host says, and whether it concerns the watcher.
    @Test(
        arguments: [
            ("https://github.com/acme/specs", nil, ["https://github.com/acme/specs.git"], "refs/heads/main", nil, "the same"),
            ("git@github.com:Acme/Specs.git", nil, ["https://github.com/acme/specs.git"], nil, nil, "another way to say it"),
            (
                "ssh://git@gitea.internal:22/acme/specs", nil, ["https://git.example.com/acme/specs.git"], nil, nil,
                "another name of the host"
            ),
            ("https://example.com/gitlab/acme/specs.git", nil, ["git@example.com:acme/specs.git"], nil, nil, "a host under a path"),
            ("https://github.com/acme/specs", nil, ["https://github.com/acme/other.git"], nil, "another repository", "another one"),
            (
                "https://github.com/acme/specs", nil, ["https://github.com/evil/specs"], nil, "another repository",
                "somebody else's of that name"
            ),
            ("https://github.com/acme/specs", nil, ["https://github.com/acme/specs/more"], nil, "another repository", "one below it"),
            ("/srv/git/specs.git", nil, ["/srv/git/specs.git"], nil, nil, "a path"),
            ("https://github.com/acme/specs", "main", [], "refs/heads/main", nil, "the branch"),
            ("https://github.com/acme/specs", "v1", [], "refs/tags/v1", nil, "or the tag"),
            ("https://github.com/acme/specs", "refs/heads/main", [], "refs/heads/main", nil, "its full name"),
            ("https://github.com/acme/specs", "main", [], "refs/heads/feature/main", "another ref", "another branch"),
            ("https://github.com/acme/specs", nil, [], "refs/heads/feature", nil, "its own branch has a name that is not known"),
            ("https://github.com/acme/specs", "main", ["acme/specs"], nil, nil, "no ref is told"),
        ] as [(String, String?, [String], String?, String?, String)])
    func aPushConcernsWhoeverWatchesThatRef(url: String, ref: String?, names: [String], moved: String?, reason: String?, why: String) {
        let watched = WatchedRepository(url: url, ref: ref, isCommit: false)
        let untouched = watched.isUntouched(by: PushEvent(repository: names, ref: moved))
        #expect(untouched.map { $0.hasPrefix(reason ?? "-") } ?? (reason == nil), "\(why): \(untouched ?? "nil")")
    }

    @Test func aCommitNeverMoves() {
        #expect(WatchedRepository(url: "/a", ref: "0", isCommit: true).isUntouched(by: PushEvent()) != nil)
    }
}
