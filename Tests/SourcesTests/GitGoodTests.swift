import Model
import Sources
import SpecLoading
import TestPrograms
import Testing

/// The last commit that loaded, for the next process.
@Suite(.timeLimit(.minutes(3))) struct GitGoodTests {
    private func revision(_ holding: Holding) -> String? { holding.parts.first?.lastGood?.revision.id }

    @Test func aRestartFindsTheLastCommitThatLoaded() async throws {
        try await GitRepository.with { repository in
            let one = try await repository.push("one")
            do {
                let source = try repository.source()
                let holding = try await source.holding()
                #expect(revision(holding) == nil, "nothing is known yet")
                await source.accept(try holding.parts[0].result.get())
                try await repository.push("two")
                #expect(revision(try await source.holding()) == nil, "this process knows itself")
            }
            let source = try repository.source()
            let holding = try await source.holding()
            #expect(revision(holding) == one)
            #expect(holding.parts[0].lastGood?.files.map(\.bytes) == [Array("one".utf8)])
            await source.accept(try holding.parts[0].result.get())
            #expect(revision(try await source.holding()) == nil)
        }
    }

    @Test(arguments: ["a commit that cannot be read", "a ref that is gone", "a history that was rewritten", "a host that is down"])
    func itIsThereWhateverBecameOfTheBranch(what: String) async throws {
        try await GitRepository.with { repository in
            try await repository.push("zero")
            let one = try await repository.push("one")
            do {
                let source = try repository.source("specs")
                await source.accept(try await source.snapshot())
            }
            switch what {
            case "a commit that cannot be read":
                try await repository.place.git("-C", "work", "rm", "-q", "-r", "specs")
                try await repository.push()
            case "a ref that is gone":
                try await repository.place.git("-C", "remote.git", "update-ref", "-d", "refs/heads/main")
            case "a history that was rewritten":
                try await repository.place.git("-C", "work", "reset", "-q", "--hard", "HEAD~1")
                try await repository.push("else", force: true)
            default:
                // The commit that was fetched last does not load; nothing of that is known to the clone.
                try await repository.push("broken")
                _ = try await repository.source("specs").snapshot()
                repository.hide(true)
            }
            let holding = try await repository.source("specs").holding()
            #expect(revision(holding) == one, "\(what)")
            if what == "a commit that cannot be read", case .failure(let error) = holding.parts[0].result {
                #expect(error.revision?.kind == .commit && error.code == .noFiles || error.code == .notFound, "\(error)")
            }
        }
    }

    @Test func severalRepositoriesAreEachForThemselves() async throws {
        try await GitRepository.with { repository in
            try repository.place.write("work/blog/system.yaml", "blog")
            let one = try await repository.push("shop", to: "shop/system.yaml")
            try await repository.place.git("-C", "work", "push", "-q", "origin", "HEAD:stable")
            let two = try await repository.push("shop two", to: "shop/system.yaml")
            let source = GitSources([
                try repository.source(ref: "main", "shop"), try repository.source(ref: "stable", "blog"), try repository.source("nowhere"),
            ])
            let holding = try await source.holding()
            let remote = repository.place.path("remote.git")
            #expect(holding.parts.map(\.origin) == ["\(remote)#main:shop", "\(remote)#stable:blog", "\(remote)#:nowhere"])
            let snapshots = try holding.parts.prefix(2).map { try $0.result.get() }
            #expect(snapshots.map(\.revision.id) == [two, one])
            #expect(try await source.relation(of: Revision(.commit, one), to: snapshots[0].revision) == .ancestor)
            await source.accept(snapshots[1])
            #expect(try repository.stateFiles("/good").filter { !$0.contains("/repository/") }.count == 1, "only that one is known to load")
            let error = #expect(throws: SourceError.self) { () throws(SourceError) in try holding.parts[2].result.get() }
            #expect(error?.code == .notFound && error?.revision?.id == two)
        }
    }
}
