import FoundationEssentials
import Model
import Sources
import SpecLoading
import TestPrograms
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What goes wrong with hosts, refs and clones.
@Suite(.timeLimit(.minutes(3))) struct GitTroubleTests {
    private func texts(_ snapshot: Snapshot) -> [String] { snapshot.files.map { String(decoding: $0.bytes, as: UTF8.self) } }

    @Test func aRefThatIsDeletedAndComesBackIsReadAgain() async throws {
        try await GitRepository.with { repository in
            try await repository.push("one")
            let source = try repository.source(ref: "main")
            let first = try await source.snapshot()
            try await repository.place.git("-C", "work", "push", "-q", "origin", "HEAD:other")
            try await repository.place.git("-C", "remote.git", "symbolic-ref", "HEAD", "refs/heads/other")
            try await repository.place.git("-C", "work", "push", "-q", "origin", ":main")
            let error = await #expect(throws: SourceError.self) { try await source.snapshot() }
            #expect(error?.code == .notFound && error?.message.hasSuffix("branches: other") ?? false, "\(error as SourceError?)")
            try await repository.place.git("-C", "work", "push", "-q", "origin", "HEAD:main")
            #expect(try await source.snapshot().revision == first.revision)
        }
    }

    @Test func theDefaultBranchMayBeRenamed() async throws {
        try await GitRepository.with { repository in
            try await repository.push("one")
            let source = try repository.source()
            _ = try await source.snapshot()
            try await repository.place.git("-C", "remote.git", "branch", "-m", "main", "trunk")
            try await repository.place.git("-C", "work", "branch", "-q", "-m", "main", "trunk")
            let two = try await repository.push("two")
            let snapshot = try await source.snapshot()
            #expect(snapshot.revision.id == two && texts(snapshot) == ["two"])
        }
    }

    enum Damage: String, CaseIterable {
        case objectsAreGone, aPackIsCutOff, theRefIsGarbage, theHeadIsGone, theRepositoryIsGone, theIndexOfACheckoutIsGarbage

        func happen(in repository: GitRepository) throws {
            func first(_ end: String) throws -> String { try #require(try repository.stateFiles(end).first) }
            func garbage(_ path: String) throws {
                chmod(path, 0o600)
                try Data("garbage".utf8).write(to: URL(filePath: path))
            }
            switch self {
            case .objectsAreGone:
                for path in try repository.stateFiles(".pack") + repository.stateFiles(".idx") { unlink(path) }
            case .aPackIsCutOff: try garbage(try first(".pack"))
            case .theRefIsGarbage: try garbage(try first("refs/belay/current"))
            case .theHeadIsGone: unlink(try first("repository/HEAD"))
            case .theRepositoryIsGone: try FileManager.default.removeItem(atPath: try first("0/repository"))
            case .theIndexOfACheckoutIsGarbage:
                try garbage(try #require(try repository.stateFiles("/index").first { $0.contains("worktrees") }))
            }
        }
    }

    @Test(arguments: Damage.allCases, [false, true])
    func aDamagedCloneIsMadeAnew(damage: Damage, isRestarted: Bool) async throws {
        try await GitRepository.with { repository in
            try await repository.push("one")
            var source = try repository.source(url: repository.url)
            let first = try await source.snapshot()
            try damage.happen(in: repository)
            if isRestarted { source = try repository.source(url: repository.url) }
            let two = try await repository.push("two")
            let second = try await source.snapshot()
            #expect(second.revision.id == two && texts(second) == ["two"] && second.trouble == nil, "\(second)")
            #expect(texts(first) == ["one"], "a pass under way reads on")
            #expect(try await source.relation(of: first.revision, to: second.revision) == .ancestor)
        }
    }

    @Test func whatTheHostSaysOfItselfMakesNoCloneAnew() async throws {
        try await GitRepository.with { repository in
            // A host whose own repository is damaged.
            let program = try repository.place.write(
                "git",
                """
                #!/bin/sh
                case "$*" in *ls-remote*) echo "remote: fatal: bad object HEAD" >&2; echo "fatal: the remote end hung up" >&2; exit 128;; esac
                exec git "$@"
                """)
            chmod(program, 0o755)
            let error = await #expect(throws: SourceError.self) { try await repository.source(program: program).snapshot() }
            #expect(error?.code == .gitFailed, "\(error as SourceError?)")
        }
    }

    @Test func aHostThatLeavesContentsOutAndDoesNotGiveThemLaterIsReadWhole() async throws {
        try await GitRepository.with { repository in
            // As through an sshd that passes no GIT_PROTOCOL on.
            let program = try repository.place.write("git", "#!/bin/sh\nexec git -c protocol.version=0 \"$@\"\n")
            chmod(program, 0o755)
            try await repository.push("one")
            let source = try repository.source("specs", url: repository.url, program: program)
            let first = try await source.snapshot()
            #expect(texts(first) == ["one"] && first.notes.contains { $0.contains("all are fetched at once") }, "\(first.notes)")
            try await repository.push("two")
            let second = try await source.snapshot()
            #expect(texts(second) == ["two"] && !second.notes.contains { $0.contains("made anew") }, "\(second.notes)")
        }
    }

    /// What git and ssh say, word for word, and what somebody is told to do.
    @Test(arguments: [
        ("fatal: could not read Username for 'https://git.example': terminal prompts disabled", "set BELAY_GIT_TOKEN, or a credential"),
        ("fatal: Authentication failed for 'https://git.example/x/'", "set BELAY_GIT_TOKEN"),
        ("fatal: unable to access 'https://git.example/x/': The requested URL returned error: 403", "set BELAY_GIT_TOKEN"),
        (
            "No ED25519 host key is known for git.example and you have requested strict checking.\nHost key verification failed.",
            "put the host's key, which its owner publishes, into known_hosts"
        ),
        (
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.",
            "only when its owner says that it is new"
        ),
        ("git@git.example: Permission denied (publickey).", "BELAY_GIT_SSH_KEY_FILE, an agent"),
        ("@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\nPermission denied (publickey).", "chmod 600"),
        ("No user exists for uid 65532", "/etc/passwd"), ("fatal: cannot run ssh: No such file or directory", "install ssh"),
        ("fatal: write error: No space left on device", "the disk that holds the clone is full: free some of it"),
        ("fatal: unable to access 'https://git.example/': Could not resolve host: git.example", "is the host reachable from here?"),
        ("fatal: unable to access 'https://git.example/': server certificate verification failed.", "GIT_SSL_CAINFO"),
    ])
    func whatGitSaysComesWithWhatToDo(words: String, next: String) async throws {
        let place = try Place()
        defer { try? place.remove() }
        let lines = words.split(separator: "\n").map { "echo '\($0.replacing("'", with: "'\\''"))' >&2;" }.joined(separator: " ")
        let program = try place.write(
            "git", "#!/bin/sh\ncase \"$*\" in *ls-remote*) \(lines) exit 128;; *init*) mkdir -p \"$2/repository\";; *) exit 1;; esac\n")
        chmod(program, 0o755)
        let source = GitSource(try GitAddress("ssh://git.example/x"), under: place.path("state"), program: program)
        let error = await #expect(throws: SourceError.self) { try await source.snapshot() }
        #expect(error?.message.contains(next) ?? false, "\(error as SourceError?)")
    }

    @Test func aHostThatOnlyServesFilesIsRefusedAtOnce() async throws {
        try await GitRepository.with { repository in
            try await repository.push("one")
            try await repository.place.git("-C", "remote.git", "update-server-info")
            try repository.place.write(
                "server.py",
                """
                import functools, http.server, sys
                handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
                server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
                open(sys.argv[2], "w").write(str(server.server_address[1]))
                server.serve_forever()
                """)
            let place = repository.place
            _ = try await BuiltProgram(onSearchPath: "python3").run([place.path("server.py"), place.root, place.path("port")]) {
                for _ in 0..<500 where ((try? place.read("port")) ?? "").isEmpty { try await Task.sleep(for: .milliseconds(20)) }
                let url = "http://127.0.0.1:\(try place.read("port"))/remote.git"
                let error = await #expect(throws: SourceError.self) { try await repository.source(url: url).snapshot() }
                #expect(error?.code == .refused && error?.message.contains("dumb HTTP") ?? false, "\(error as SourceError?)")
                #expect(try repository.stateFiles("/trace").isEmpty)
            }
        }
    }

    @Test func aCallThatTakesTooLongEndsWithWhateverItStarted() async throws {
        let place = try Place()
        defer { try? place.remove() }
        // A git whose helper neither ends nor lets go of its output, and wants to know nothing of being asked to end.
        let program = try place.write(
            "git", "#!/bin/sh\nsh -c 'trap \"\" TERM; echo $$ > \(place.path("child")); while :; do sleep 0.1; done' &\nwait\n")
        chmod(program, 0o755)
        try place.write(".git/HEAD", "")
        let begun = ContinuousClock.now
        let error = await #expect(throws: SourceError.self) {
            try await PathSource([try place.write("a.yaml", "a")], git: Git(program: program, deadline: .milliseconds(300))).snapshot()
        }
        #expect(error?.message.contains("did not end within") ?? false, "\(error as SourceError?)")
        #expect(ContinuousClock.now - begun < .seconds(10))
        let child = try #require(Int32(try place.read("child").split(separator: "\n").first ?? ""))
        for _ in 0..<100 where kill(child, 0) == 0 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(kill(child, 0) != 0, "the helper is gone")
    }
}
