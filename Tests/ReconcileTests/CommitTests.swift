import FoundationEssentials
import TestPrograms
import Testing

/// A pin is committed alone, and published only on top of what the remote has.
@Suite struct CommitTests {
    @Test func theCommitSaysWhatFromWhatToWhatAndWhyAndHoldsTheFileAlone() async throws {
        let repository = try await SpecRepository()
        try await repository.publish()
        try repository.place.write("work/notes.txt", "untracked\n")
        let ended = try await repository.reconcile("pin", "web", "v2", "--commit", "--push", "--reason", "v3 loses carts")
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        #expect(ended.output.contains("pushed to origin/main"), "\(ended.output)")
        #expect(try await repository.git("log", "-1", "--format=%B") == "shop: web from v3 to v2\n\nv3 loses carts\n\n")
        #expect(try await repository.git("show", "--name-only", "--format=", "HEAD") == "system.yaml\n")
        #expect(try await repository.git("rev-parse", "HEAD") == repository.git("rev-parse", "origin/main"))
        let published = try await repository.place.git("--git-dir", repository.place.path("remote.git"), "rev-parse", "main")
        #expect(try await repository.git("rev-parse", "HEAD") == published + "\n")
        #expect(try await repository.git("status", "--porcelain") == "?? notes.txt\n")
        try repository.place.remove()
    }

    enum Trouble: String, CaseIterable, Sendable {
        case fileIsDirty, fileIsStaged, otherIsStaged, untracked, merging, detached, remoteMoved, noUpstream, remoteIsGone, noRepository
        case hookRefuses

        var words: String {
            switch self {
            case .fileIsDirty, .fileIsStaged: "it differs from the last commit already"
            case .otherIsStaged: "the index holds other changes (notes.txt)"
            case .untracked: "Git does not track it"
            case .merging: "a merge is under way"
            case .detached: "no branch is checked out"
            case .remoteMoved: "the remote moved: origin/main has 1 commit that main has not; git pull --rebase"
            case .noUpstream: "follows no branch of a remote"
            case .remoteIsGone: "git fetch origin failed"
            case .noRepository: "it is in no Git work tree"
            case .hookRefuses: "not on Fridays"
            }
        }

        var status: Int32 { self == .remoteIsGone || self == .hookRefuses ? 1 : 3 }
    }

    @Test(arguments: Trouble.allCases)
    func nothingIsWrittenWhereTheCommitCouldNotStandAlone(_ trouble: Trouble) async throws {
        let repository = try await SpecRepository()
        let place = repository.place
        if trouble != .noUpstream { try await repository.publish() }
        switch trouble {
        case .fileIsDirty: try place.write("work/system.yaml", SpecRepository.spec + "# more\n")
        case .fileIsStaged:
            try place.write("work/system.yaml", SpecRepository.spec + "# more\n")
            try await repository.git("add", "system.yaml")
        case .otherIsStaged:
            try place.write("work/notes.txt", "mine\n")
            try await repository.git("add", "notes.txt")
        case .untracked:
            try await repository.git("rm", "-q", "--cached", "system.yaml")
            try await repository.git("commit", "-q", "-m", "untracked")
        case .merging: try place.write("work/.git/MERGE_HEAD", try await repository.git("rev-parse", "HEAD"))
        case .detached: try await repository.git("checkout", "-q", "--detach")
        case .remoteMoved: try await repository.pushFromElsewhere()
        case .noUpstream: break
        case .remoteIsGone: try FileManager.default.removeItem(atPath: place.path("remote.git"))
        case .noRepository: try FileManager.default.removeItem(atPath: place.path("work/.git"))
        case .hookRefuses:
            try place.write("work/.git/hooks/pre-commit", "#!/bin/sh\necho not on Fridays >&2\nexit 1\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: place.path("work/.git/hooks/pre-commit"))
        }
        let before = try repository.text
        let commits = trouble == .noRepository ? "" : try await repository.git("rev-list", "--count", "HEAD")
        let index = trouble == .noRepository ? "" : try await repository.git("diff", "--cached", "--name-only")
        let ended = try await repository.reconcile("pin", "web", "v2", "--commit", "--push")
        #expect(ended.status == trouble.status, "\(ended.output)\(ended.errors)")
        #expect(ended.errors.contains(trouble.words), "\(ended.errors)")
        #expect(try repository.text == before)
        if trouble != .noRepository {
            #expect(try await repository.git("rev-list", "--count", "HEAD") == commits)
            #expect(try await repository.git("diff", "--cached", "--name-only") == index)
        }
        try repository.place.remove()
    }

    @Test func aPushThatIsRejectedLeavesTheCommitAndSaysHowToGoOn() async throws {
        let repository = try await SpecRepository()
        try await repository.publish()
        // The remote refuses after it was fetched: as a race would have it.
        try repository.place.write("remote.git/hooks/pre-receive", "#!/bin/sh\necho branch is protected >&2\nexit 1\n")
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: repository.place.path("remote.git/hooks/pre-receive"))
        let ended = try await repository.reconcile("pin", "web", "v2", "--commit", "--push")
        #expect(ended.status == 1)
        #expect(
            ended.errors.contains("the commit is made and not pushed") && ended.errors.contains("branch is protected"), "\(ended.errors)")
        #expect(try await repository.git("log", "-1", "--format=%s") == "shop: web from v3 to v2\n")
        #expect(try await repository.git("status", "--porcelain") == "")
        try repository.place.remove()
    }

    @Test func aCredentialInTheRemotesAddressIsNotPrinted() async throws {
        let repository = try await SpecRepository()
        try await repository.publish()
        try await repository.git("remote", "set-url", "origin", "http://ann:hunter2hunter2@127.0.0.1:9/shop.git")
        let ended = try await repository.reconcile("pin", "web", "v2", "--commit", "--push")
        #expect(ended.status == 1 && ended.errors.contains("git fetch origin failed"), "\(ended.errors)")
        #expect(!(ended.output + ended.errors).contains("hunter2"))
        try repository.place.remove()
    }
}
