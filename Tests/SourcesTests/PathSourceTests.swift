import FoundationEssentials
import Model
import Sources
import SpecLoading
import TestPrograms
import Testing

@Suite struct PathSourceTests {
    @Test func aFileOutsideOfGitHasADigestThatFollowsItsBytes() async throws {
        let place = try Place()
        defer { try? place.remove() }
        try place.write("a.yaml", "one")
        let first = try await PathSource([place.path("a.yaml")]).snapshot()
        let again = try await PathSource([place.path("a.yaml")]).snapshot()
        try place.write("a.yaml", "two")
        let second = try await PathSource([place.path("a.yaml")]).snapshot()
        #expect(first.revision.kind == .digest)
        #expect(first.revision == again.revision)
        #expect(first.revision != second.revision)
        #expect(first.files == [SourceFile(name: place.path("a.yaml"), bytes: Array("one".utf8))])
    }

    @Test func aTreeGivesItsYAMLFilesSortedAndLeavesTheRestOut() async throws {
        let place = try Place()
        defer { try? place.remove() }
        for name in ["b/z.yml", "b/a.yaml", "top.yaml", "notes.txt", ".hidden/x.yaml", "b/.x.yaml"] { try place.write(name, name) }
        let snapshot = try await PathSource([place.root]).snapshot()
        #expect(snapshot.files.map(\.name) == ["b/a.yaml", "b/z.yml", "top.yaml"].map(place.path))
        #expect(snapshot.files.allSatisfy { !$0.isExplicit })
    }

    @Test func aMountedConfigMapIsReadThroughItsLinks() async throws {
        let place = try Place()
        defer { try? place.remove() }
        try place.write("..data_1/system.yaml", "mounted")
        try FileManager.default.createSymbolicLink(atPath: place.path("system.yaml"), withDestinationPath: "..data_1/system.yaml")
        let snapshot = try await PathSource([place.root]).snapshot()
        #expect(snapshot.files.map(\.name) == [place.path("system.yaml")])
    }

    @Test func missingAndEmptyPlacesSayWhatToName() async throws {
        let place = try Place()
        defer { try? place.remove() }
        let missing = await #expect(throws: SourceError.self) { try await PathSource([place.path("no.yaml")]).snapshot() }
        #expect(
            missing?.message
                == "\(place.path("no.yaml")): no such file or directory; name a spec file, a directory of them, or - for standard input")
        let empty = await #expect(throws: SourceError.self) { try await PathSource([place.root]).snapshot() }
        #expect(empty?.code == .noFiles)
    }

    @Test func insideGitTheRevisionIsHeadAndADirtyTreeIsSaidToBeSo() async throws {
        let place = try Place()
        defer { try? place.remove() }
        try await place.git("init", "-q", "-b", "main")
        try place.write("system.yaml", "one")
        let unborn = try await PathSource([place.root]).snapshot()
        #expect(unborn.revision.kind == .digest)
        let first = try await place.commit("first")
        let clean = try await PathSource([place.path("system.yaml")]).snapshot()
        #expect(clean.revision == Revision(.commit, first, committed: clean.revision.committed))
        #expect(clean.revision.committed == Timestamp(millisecondsSinceEpoch: 1_700_000_000_000))
        #expect(clean.notes == [])
        try place.write("elsewhere.txt", "not a spec")
        #expect(try await PathSource([place.path("system.yaml")]).snapshot().revision.isDirty == false)
        try place.write("system.yaml", "two")
        let dirty = try await PathSource([place.path("system.yaml")]).snapshot()
        #expect(dirty.revision.isDirty)
        #expect(dirty.notes == ["the specs differ from commit \(first.prefix(12)): the working tree is dirty"])
    }

    @Test(arguments: [
        ("secret.yaml", "the file itself is ignored"), ("local/", "the directory that it is in is ignored"),
        ("*.yaml", "a pattern ignores it"),
    ])
    func aSpecThatGitIgnoresIsNotInTheCommit(pattern: String, why: String) async throws {
        let place = try Place()
        defer { try? place.remove() }
        try await place.git("init", "-q", "-b", "main")
        try place.write("tracked.yaml", "one")
        _ = try await place.commit("first")
        try place.write(".gitignore", pattern + "\n")
        _ = try await place.commit("second")
        let name = pattern == "local/" ? "local/secret.yaml" : "secret.yaml"
        try place.write(name, "two")
        for path in [place.path(name), place.root] {
            let revision = try await PathSource([path]).snapshot().revision
            #expect(revision.kind == .commit && revision.isDirty, "\(why): \(path)")
        }
        #expect(try await PathSource([place.path("tracked.yaml")]).snapshot().revision.isDirty == false, "\(why)")
    }

    @Test func whatGitIgnoresAndIsNoSpecDoesNotCount() async throws {
        let place = try Place()
        defer { try? place.remove() }
        try await place.git("init", "-q", "-b", "main")
        try place.write("system.yaml", "one")
        try place.write(".gitignore", "build/\n*.log\n.cache.yaml\n")
        _ = try await place.commit("first")
        for name in ["build/x.txt", "a.log", ".cache.yaml"] { try place.write(name, "not a spec") }
        #expect(try await PathSource([place.root]).snapshot().revision.isDirty == false)
    }

    @Test func aFileThatTheUserHidesFromItsStatusIsUntrackedAllTheSame() async throws {
        let place = try Place()
        defer { try? place.remove() }
        try await place.git("init", "-q", "-b", "main")
        try place.write("system.yaml", "one")
        _ = try await place.commit("first")
        try await place.git("config", "status.showUntrackedFiles", "no")
        try place.write("new.yaml", "two")
        #expect(try await PathSource([place.root]).snapshot().revision.isDirty)
    }

    @Test func aProgramThatDoesNotEndIsStoppedAndTheErrorSaysWhatToDo() async throws {
        let place = try Place()
        defer { try? place.remove() }
        let program = place.path("git.sh")
        try place.write("git.sh", "#!/bin/sh\ntrap '' TERM\nexec sleep 600\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        try place.write("system.yaml", "one")
        try place.write(".git", "")
        let source = PathSource([place.root], git: Git(program: program, deadline: .milliseconds(200)))
        let error = await #expect(throws: SourceError.self) { try await source.snapshot() }
        #expect(error?.code == .gitFailed)
        #expect(
            error?.message == "\(place.root): git rev-parse did not end within 0.2 seconds and was stopped; "
                + "run git -C \(place.root) rev-parse by hand: a file system that does not answer holds it up, or a lock")
    }

    @Test func aLinkIntoAWorkTreeIsReadWithTheTreesRevision() async throws {
        let place = try Place()
        defer { try? place.remove() }
        let elsewhere = try Place()
        defer { try? elsewhere.remove() }
        try await place.git("init", "-q", "-b", "main")
        try place.write("specs/system.yaml", "one")
        let head = try await place.commit("first")
        try FileManager.default.createSymbolicLink(atPath: elsewhere.path("linked"), withDestinationPath: place.path("specs"))
        let revision = try await PathSource([elsewhere.path("linked")]).snapshot().revision
        #expect(revision.id == head && !revision.isDirty)
    }

    @Test func historyTellsOlderFromNewer() async throws {
        let place = try Place()
        defer { try? place.remove() }
        try await place.git("init", "-q", "-b", "main")
        try place.write("system.yaml", "one")
        let first = try await place.commit("first")
        try place.write("system.yaml", "two")
        let second = try await place.commit("second")
        try await place.git("checkout", "-q", "-b", "side", first)
        try place.write("system.yaml", "three")
        let side = try await place.commit("side")
        let source = PathSource([place.root])
        let cases: [(String, String, RevisionRelation, Comment)] = [
            (first, first, .same, "one commit"),
            (first, second, .ancestor, "history goes forward"),
            (second, first, .descendant, "an old job run again"),
            (second, side, .diverged, "two branches"),
            (String(repeating: "a", count: 40), second, .unknown, "a shallow clone does not hold the commit"),
        ]
        for (older, newer, expected, reason) in cases {
            #expect(try await source.relation(of: Revision(.commit, older), to: Revision(.commit, newer)) == expected, reason)
        }
        #expect(try await source.relation(of: Revision(.digest, "x"), to: Revision(.commit, first)) == .unknown, "a digest has no history")
    }

    @Test func whatAShallowCheckoutLacksIsAskedOfItsRemoteAndTheCheckoutStaysAsItIs() async throws {
        try await GitRepository.with { repository in
            let commits = [try await repository.push("one"), try await repository.push("two"), try await repository.push("three")]
            try await repository.place.git("-C", "work", "checkout", "-q", "-b", "side", commits[0])
            let side = try await repository.push("side")
            try await repository.place.git("clone", "-q", "--depth", "1", "-b", "main", repository.url, "clone")
            let checkout = repository.place.path("clone")
            let source = PathSource([checkout + "/specs"])
            @Sendable func relation(of older: String, to newer: String = commits[2]) async throws -> RevisionRelation {
                try await source.askedRelation(of: Revision(.commit, older), to: Revision(.commit, newer))
            }
            #expect(try await source.relation(of: Revision(.commit, commits[0]), to: Revision(.commit, commits[2])) == .unknown)
            #expect(try await relation(of: commits[0]) == .ancestor, "it goes forward")
            #expect(try await relation(of: commits[2], to: commits[1]) == .descendant, "an old job run again")
            #expect(try await relation(of: side) == .diverged, "two branches")
            #expect(try await relation(of: String(repeating: "a", count: 40)) == .unknown, "the remote has no such commit")
            #expect(try await repository.place.git("-C", checkout, "rev-parse", "--is-shallow-repository") == "true")
            #expect(try await repository.place.git("-C", checkout, "rev-list", "--all", "--count") == "1")
            #expect(try await repository.place.git("-C", checkout, "config", "--get-regexp", "^remote[.]").contains("partial") == false)
            repository.hide(true)
            #expect(try await relation(of: commits[0]) == .unknown, "the remote does not answer")
        }
    }

    @Test func withoutTheProgramGitACheckoutIsRefusedAndADirectoryIsADirectory() async throws {
        let place = try Place()
        defer { try? place.remove() }
        try place.write("system.yaml", "one")
        let source = PathSource([place.root], git: Git(program: "no-such-program-of-this-name"))
        #expect(try await source.snapshot().revision.kind == .digest)
        try await place.git("init", "-q")
        let error = await #expect(throws: SourceError.self) { try await source.snapshot() }
        #expect(
            error?.message.hasSuffix(
                "this is a Git checkout, and there is no program git to read its history with; "
                    + "install git, or copy the specs out of the checkout to reconcile them without it") == true)
    }

    @Test(arguments: [(false, "no work tree above it"), (true, "a .git above it, whatever it is worth")])
    func theProgramIsStartedOnlyWhereItCouldFindSomething(hasGit: Bool, why: String) async throws {
        let place = try Place()
        defer { try? place.remove() }
        let program = place.path("git.sh")
        try place.write("git.sh", "#!/bin/sh\ntouch '\(place.path("started"))'\nexit 128\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        try place.write("specs/system.yaml", "one")
        if hasGit { try place.write(".git", "") }
        let snapshot = try await PathSource([place.path("specs/system.yaml")], git: Git(program: program)).snapshot()
        #expect(snapshot.revision.kind == .digest)
        #expect(FileManager.default.fileExists(atPath: place.path("started")) == hasGit, "\(why)")
    }
}
