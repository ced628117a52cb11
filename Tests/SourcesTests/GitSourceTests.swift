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

/// With the real git, a bare repository, and a work tree that pushes to it.
@Suite(.timeLimit(.minutes(3))) struct GitSourceTests {
    private func texts(_ snapshot: Snapshot) -> [String] { snapshot.files.map { String(decoding: $0.bytes, as: UTF8.self) } }

    @Test func whatWasPushedIsReadAsItsCommitAndAnOlderSnapshotStaysAsItWas() async throws {
        try await GitRepository.with { repository in
            let source = try repository.source("specs")
            let one = try await repository.push("one")
            let first = try await source.snapshot()
            #expect(first.revision.id == one && !first.revision.isDirty && first.revision.committed != nil)
            #expect(texts(first) == ["one"])
            #expect(first.plain(first.files[0].name) == "specs/system.yaml")
            let two = try await repository.push("two")
            #expect(await source.supersedes(first))
            let second = try await source.snapshot()
            #expect(second.revision.id == two && texts(second) == ["two"])
            #expect(try String(contentsOfFile: first.files[0].name, encoding: .utf8) == "one", "a pass under way reads on")
            #expect(try await source.relation(of: first.revision, to: second.revision) == .ancestor)
            #expect(try await source.relation(of: second.revision, to: first.revision) == .descendant)
        }
    }

    @Test func aCheckoutThatNobodyUsesIsTakenAway() async throws {
        try await GitRepository.with { repository in
            let source = try repository.source()
            for text in ["one", "two", "three", "four"] {
                try await repository.push(text)
                _ = try await source.snapshot()
            }
            let trees = try FileManager.default.subpathsOfDirectory(atPath: repository.place.path("state")).filter {
                $0.hasSuffix("specs/system.yaml")
            }
            #expect(trees.count <= 2, "\(trees)")
        }
    }

    @Test(
        arguments: [
            (nil, "tag", "the repository's own branch"), ("main", "tag", "a branch"), ("v1", "one", "an annotated tag"),
            ("refs/tags/v1", "one", "a full name"),
        ] as [(String?, String, String)])
    func aRefIsABranchATagOrAFullName(ref: String?, text: String, why: String) async throws {
        try await GitRepository.with { repository in
            try await repository.push("one")
            try await repository.place.git("-C", "work", "tag", "-a", "-m", "v1", "v1")
            try await repository.place.git("-C", "work", "push", "-q", "origin", "v1")
            let last = try await repository.push("tag")
            let snapshot = try await repository.source(ref: ref).snapshot()
            #expect(texts(snapshot) == [text], "\(why)")
            #expect((snapshot.revision.id == last) == (text == "tag"), "\(why)")
            let pinned = try await repository.source(ref: last).snapshot()
            #expect(pinned.revision.id == last, "a commit")
        }
    }

    @Test func aHostThatIsDownLeavesTheLastSnapshotAlsoToTheNextProcess() async throws {
        try await GitRepository.with { repository in
            let one = try await repository.push("one")
            let source = try repository.source()
            _ = try await source.snapshot()
            repository.hide(true)
            let kept = try await source.snapshot()
            #expect(kept.revision.id == one && texts(kept) == ["one"])
            #expect(kept.trouble?.message.hasSuffix("Commit \(one.prefix(12)), the last that was read, is kept") ?? false, "\(kept)")
            // A clone of its own, as the first is still in use: nothing is there yet.
            await #expect(throws: SourceError.self) { try await repository.source().snapshot() }
            repository.hide(false)
            let two = try await repository.push("two")
            let again = try await source.snapshot()
            #expect(again.revision.id == two && again.trouble == nil)
        }
    }

    @Test func aRestartFindsWhatWasReadBefore() async throws {
        try await GitRepository.with { repository in
            let one = try await repository.push("one")
            do { _ = try await repository.source().snapshot() }
            repository.hide(true)
            let kept = try await repository.source().snapshot()
            #expect(kept.revision.id == one && texts(kept) == ["one"] && kept.trouble != nil)
        }
    }

    @Test func aCommitThatAForcedPushLeftBehindIsAskedFor() async throws {
        try await GitRepository.with { repository in
            let one = try await repository.push("one")
            let two = try await repository.push("two")
            try await repository.place.git("-C", "work", "push", "-q", "--force", "origin", "\(one):main")
            let source = try repository.source(url: repository.url)
            let newest = try await source.snapshot().revision
            let accepted = Revision(.commit, two)
            #expect(newest.id == one)
            // The clone was made since; git brings what a partial clone lacks.
            #expect(try await source.relation(of: accepted, to: newest) == .descendant)
            let nowhere = Revision(.commit, String(repeating: "a", count: 40))
            #expect(try await source.relation(of: nowhere, to: newest) == .unknown)
        }
    }

    @Test func aForcedPushIsReadAndSaid() async throws {
        try await GitRepository.with { repository in
            let one = try await repository.push("one")
            let two = try await repository.push("two")
            let source = try repository.source()
            _ = try await source.snapshot()
            try await repository.place.git("-C", "work", "reset", "-q", "--hard", one)
            let three = try await repository.push("three", force: true)
            let rewritten = try await source.snapshot()
            #expect(rewritten.revision.id == three)
            #expect(rewritten.notes.contains { $0.contains("was rewritten: \(two.prefix(12)) does not lead to \(three.prefix(12))") })
            #expect(try await source.relation(of: Revision(.commit, two), to: rewritten.revision) == .diverged)
            try await repository.place.git("-C", "work", "push", "-q", "--force", "origin", "\(one):main")
            let back = try await source.snapshot()
            #expect(back.revision.id == one && back.notes.contains { $0.contains("was set back") }, "\(back.notes)")
        }
    }

    @Test func aRefThatIsNotThereIsAnErrorThatNamesThoseThatAre() async throws {
        try await GitRepository.with { repository in
            try await repository.push("one")
            let error = await #expect(throws: SourceError.self) { try await repository.source(ref: "mian").snapshot() }
            #expect(error?.message == "\(repository.place.path("remote.git")) (mian): there is no such branch or tag; branches: main")
            try await repository.place.git("-C", "work", "tag", "main")
            try await repository.place.git("-C", "work", "push", "-q", "origin", "refs/tags/main")
            let double = await #expect(throws: SourceError.self) { try await repository.source(ref: "main").snapshot() }
            #expect(double?.message.hasSuffix("name one as refs/heads/main or refs/tags/main") ?? false, "\(double as SourceError?)")
        }
    }

    @Test func whatCannotBeReadOfACommitIsToldWithIt() async throws {
        try await GitRepository.with { repository in
            let one = try await repository.push("one")
            let missing = await #expect(throws: SourceError.self) { try await repository.source("prod").snapshot() }
            #expect(
                missing?.message
                    == "prod: there is no such file or directory in commit \(one.prefix(12)) of \(repository.place.path("remote.git"))")
            try await repository.push("*.yaml filter=lfs\n", to: ".gitattributes")
            let lfs = try await repository.push(
                "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "0", count: 64))\nsize 1\n")
            let pointer = await #expect(throws: SourceError.self) { try await repository.source("specs").snapshot() }
            #expect(
                pointer?.message.hasPrefix("specs/system.yaml: commit \(lfs.prefix(12)) has a Git LFS pointer") ?? false,
                "\(pointer as SourceError?)")
            try await repository.push("plain: true")
            try await repository.push("[submodule \"lib\"]\n\tpath = lib\n\turl = ../lib.git\n", to: ".gitmodules")
            let snapshot = try await repository.source("specs").snapshot()
            #expect(snapshot.notes.contains("lib is a submodule, and its files are not read"), "\(snapshot.notes)")
        }
    }

    @Test(
        arguments: [
            ("https://ann:secret@git.example/specs", nil, [], "holds a password"), ("--upload-pack=x", nil, [], "is not the URL"),
            ("git.example:specs", "--x", [], "is not the name"), ("git.example:specs", nil, ["../x"], "relative to its root"),
            ("git.example:specs", nil, ["/etc"], "relative to its root"),
        ] as [(String, String?, [String], String)])
    func whatCannotBeAnAddressIsRefused(url: String, ref: String?, paths: [String], words: String) {
        let error = #expect(throws: SourceError.self) { () throws(SourceError) in try GitAddress(url, ref: ref, paths: paths) }
        #expect(error?.message.contains(words) ?? false, "\(error as SourceError?)")
        #expect(!(error?.message.contains("secret") ?? true))
    }
}
