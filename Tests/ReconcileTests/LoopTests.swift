import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import TestPrograms
import Testing

/// `reconcile` without `--once`, as its user runs it.
@Suite(.timeLimit(.minutes(5))) struct LoopTests {
    /// Looks every 20 ms until something is so; an error after half a minute.
    private static func until(_ what: String, _ isSo: @Sendable () async throws -> Bool) async throws {
        for _ in 0..<1500 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Late(what: what)
    }

    private struct Late: Error { var what: String }

    /// Runs the program with what it prints in a file, until `moment` returns; that is given what tells when it has printed something.
    private static func loop(
        _ system: SandboxedSystem, _ arguments: [String], by end: BuiltProgram.End = .terminate,
        _ moment: @Sendable (_ printed: @Sendable (String) async throws -> Void) async throws -> Void
    ) async throws -> BuiltProgram.Ended {
        let file = system.place.path("loop.log")
        return try await system.reconcile(arguments, by: end, into: file) {
            try await moment { words in try await until(words) { try String(contentsOfFile: file, encoding: .utf8).contains(words) } }
        }
    }

    /// The journal has so many lines of a kind.
    private static func journal(_ system: SandboxedSystem, has count: Int, _ kind: String) throws -> Bool {
        let text = try system.stateFiles().first { $0.name.hasSuffix("journal.jsonl") }?.text ?? ""
        return text.components(of: "\"\(kind)\"") >= count
    }

    @Test func anEditedFileIsReconciledAtOnceAndABrokenOneIsNot() async throws {
        try await SandboxedSystem.with(git: false) { system in
            try system.place.write("specs/system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v3"))
            let ended = try await Self.loop(system, ["-f", system.specs]) { printed in
                try await Self.until("the baseline is recorded") { try Self.journal(system, has: 1, "accepted") }
                try system.place.write("specs/system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v2"))
                let edited = ContinuousClock.now
                try await Self.until("the edit is reconciled") { !system.writes.isEmpty }
                // A fraction of a second; the rest is for a machine that does other things too.
                #expect(ContinuousClock.now - edited < .seconds(5))
                try await Self.until("it has converged") { try Self.journal(system, has: 1, "closed") }
                try system.place.write("specs/system.yaml", "kind: Sytsem\n")
                try await printed("does not load")
            }
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(system.writes.count == 1)
            #expect(ended.output.contains("✔ default/shop: converged, 1 change made"), "\(ended.output)")
            #expect(ended.output.contains("does not load"), "\(ended.output)")
            #expect(ended.output.contains("system.yaml:1:1:"), "\(ended.output)")
            #expect(ended.output.hasSuffix(" stopped\n"), "\(ended.output)")
        }
    }

    @Test func aPushedCommitIsReconciledWithinTheInterval() async throws {
        try await SandboxedSystem.with { system in
            try await system.publish(web: "dpl_web3", api: "v3")
            let ended = try await Self.loop(
                system, ["--git", system.place.path("remote.git"), "--path", "specs", "--poll", "1s", "-o", "json"], by: .interrupt
            ) { printed in
                try await Self.until("the baseline is recorded") { try Self.journal(system, has: 1, "accepted") }
                try await system.publish(web: "dpl_web2", api: "v2")
                let pushed = ContinuousClock.now
                try await Self.until("the commit is reconciled") { !system.writes.isEmpty }
                #expect(ContinuousClock.now - pushed < .seconds(6))
                try await Self.until("it has converged") { try Self.journal(system, has: 1, "closed") }
                // A commit that does not load, and then the host is gone: neither changes anything.
                try await system.publish(text: "kind: Sytsem\n")
                try await printed("RevisionRejected")
                try FileManager.default.moveItem(atPath: system.place.path("remote.git"), toPath: system.place.path("away.git"))
                try await printed("SourceOutOfReach")
            }
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            let events = try ended.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
            let names = events.compactMap { $0["event"]?.string }
            #expect(names.first == "RevisionLoaded" && names.last == "Stopped", "\(names)")
            #expect(names.contains("RevisionRejected") && names.contains("SourceOutOfReach") && names.contains("StepEnded"), "\(names)")
            #expect(system.writes.map(\.method) == [.patch, .post, .patch])
        }
    }

    @Test func afterARestartWithACommitThatDoesNotLoadTheLastGoodOneIsLookedAt() async throws {
        try await SandboxedSystem.with { system in
            try await system.publish(web: "dpl_web3", api: "v3")
            let arguments = ["--git", system.place.path("remote.git"), "--path", "specs", "--poll", "1s"]
            #expect(try await system.reconcile(["--once"] + arguments.prefix(4)).status == 0)
            try await system.publish(text: "kind: Sytsem\n")
            let ended = try await Self.loop(system, arguments) { printed in try await printed("looked at: in sync") }
            #expect(
                ended.output.contains("does not load: one mistake; nothing is applied until it is mended, and default/shop only looked at"))
            #expect(
                ended.output.contains("default/shop: looked at: in sync with the last pins that load"), "\(ended.output)\(ended.errors)")
            #expect(system.writes.isEmpty)
        }
    }

    @Test func severalRepositoriesAreReadSideBySide() async throws {
        try await SandboxedSystem.with { system in
            let other = SandboxedSystem.spec(web: "dpl_web3", api: "v3").replacing("name: shop", with: "name: blog")
            try system.place.write("blog/system.yaml", other)
            try await system.publish(web: "dpl_web3", api: "v3")
            let remote = system.place.path("remote.git")
            func run(_ second: String) async throws -> BuiltProgram.Ended {
                try await system.reconcile("--once", "--git", "\(remote)#main:specs", "--git", "\(remote)#main:\(second)")
            }
            let twice = try await run("blog")
            #expect(twice.status == 1, "\(twice.errors)")
            #expect(
                twice.errors.contains(
                    "#main:blog: default/blog: spec.components.web: vercel acme/shop-web belongs to component/web of default/shop already"),
                "\(twice.errors)")
            let same = try await run("specs/system.yaml")
            #expect(same.errors.contains("a system default/shop stands already at \(remote)#main:specs"), "\(same.errors)")
            #expect(try await system.reconcile("--once", "--git", "\(remote)#main:specs").status == 0)
        }
    }

    @Test func onceReadsARepositoryToo() async throws {
        try await SandboxedSystem.with { system in
            try await system.publish(web: "dpl_web3", api: "v3")
            let remote = system.place.path("remote.git")
            #expect(try await system.reconcile("--once", "--git", remote, "--path", "specs").status == 0)
            try await system.publish(web: "dpl_web3", api: "v2")
            let ended = try await system.reconcile("--once", "--git", remote, "--ref", "main")
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(system.writes.count == 1)
            try await system.place.git("push", "-q", "--force", remote, "HEAD~1:main")
            let older = try await system.reconcile("--once", "--git", remote, "--path", "specs")
            #expect(older.status == 3 && older.output.contains("older than"), "\(older.output)")
            try FileManager.default.removeItem(atPath: remote)
            let kept = try await system.reconcile("--once", "--git", remote, "--path", "specs", "--force")
            #expect(kept.errors.contains("the last that was read, is kept"), "\(kept.errors)")
        }
    }

    @Test func aKilledLoopGoesOnWhereItWasAndRepeatsNothing() async throws {
        try await SandboxedSystem.with { system in
            try await system.publish(web: "dpl_web3", api: "v3")
            let arguments = ["--git", system.place.path("remote.git"), "--path", "specs", "--poll", "1s"]
            _ = try await system.reconcile(arguments, by: .kill) {
                try await Self.until("the baseline is recorded") { try Self.journal(system, has: 1, "accepted") }
                try await system.publish(web: "dpl_web2", api: "v2")
                try await Self.until("it is in the middle") { system.writes.count >= 2 }
            }
            let ended = try await system.reconcile(arguments, by: .terminate) {
                try await Self.until("it has converged") { try Self.journal(system, has: 1, "closed") }
            }
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(system.writes.map(\.method) == [.patch, .post, .patch], "each once")
        }
    }

    @Test func beingStoppedInTheMiddleFinishesTheStepAndGivesTheLockBack() async throws {
        try await SandboxedSystem.with(git: false) { system in
            try system.place.write("specs/system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v3"))
            let ended = try await system.reconcile(["-f", system.specs], by: .terminate) {
                try await Self.until("the baseline is recorded") { try Self.journal(system, has: 1, "accepted") }
                try system.place.write("specs/system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v2"))
                // The front end goes back first; its write is the second, after the fence.
                try await Self.until("the front end is under way") { system.writes.count == 2 }
            }
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(system.writes.map(\.method) == [.patch, .post], "the back end had not begun: \(ended.output)")
            #expect(ended.output.contains("stopping: finishing the steps under way of default/shop"), "\(ended.output)")
            #expect(ended.output.contains("stopped between two steps"), "\(ended.output)")
            let rest = try await system.reconcile("--once", "-f", system.specs)
            #expect(rest.status == 0, "\(rest.output)\(rest.errors)")
            #expect(system.writes.map(\.method) == [.patch, .post, .patch])
        }
    }

    @Test func ofTwoLoopsOneWorksAndTheOtherSaysWhoDoes() async throws {
        try await SandboxedSystem.with(git: false) { system in
            // A rollout that never becomes ready keeps the lock.
            try system.place.write("specs/system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v3"))
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
            let slow = "      verify:\n        - http: {url: \"http://127.0.0.1:9/\", within: 20s}\n"
            let spec = SandboxedSystem.spec(web: "dpl_web3", api: "v2") + slow
            let first = try await system.reconcile(["-f", system.specs], by: .terminate) {
                try system.place.write("specs/system.yaml", spec)
                try await Self.until("the first is at work") { !system.writes.isEmpty }
                let second = try await Self.loop(system, ["-f", system.specs]) { printed in try await printed("looking again in 1 s") }
                #expect(second.status == 0, "\(second.output)\(second.errors)")
                #expect(second.output.contains("is locked by"), "\(second.output)")
                #expect(second.output.contains("(reconcile), since"), "\(second.output)")
                #expect(second.output.contains("looking again in 1 s"), "\(second.output)")
            }
            #expect(first.status == 0, "\(first.output)\(first.errors)")
            #expect(system.writes.count == 1, "one of them wrote, once")
        }
    }

    @Test(
        arguments: [
            (["-f", "no.yaml"], Int32(1), "no such file"), (["-f", "-"], 64, "cannot be watched"),
            (["-f", "a", "--git", "b"], 64, "not by both"), (["--ref", "main", "-f", "a"], 64, "belongs to --git"),
            (["-f", "a", "--force"], 64, "say --once"), (["-f", "a", "--once", "--poll", "5s"], 64, "belongs to the loop"),
            (["-f", "a", "--timeout", "5s"], 64, "belongs to --once"), (["-f", "a", "--concurrency", "0"], 64, "from 1 to 256"),
            (["-f", "a", "-o", "markdown"], 64, "a JSON object a line"), (["--git", "https://a:b@git.example/x"], 64, "BELAY_GIT_TOKEN"),
            (["--once", "--git", "/no/such.git"], 1, "check the URL"),
            (["--git", "a", "--git", "b", "--path", "x"], 64, "URL#REF:PATH"), (["--git", "a#m", "--git", "a#m"], 64, "is given twice"),
            (["--git", "a#m", "--ref", "x"], 64, "leave --ref and --path out"),
            (["-f", "a", "--once", "--grace", "5s"], 64, "belongs to the loop"),
            (["-f", "a", "--verify-signatures", "x"], 64, "belongs to --git"),
            (["-f", "a", "--provider-concurrency", "0"], 64, "from 1 to 256"),
            (["--git", "a", "--verify-signatures", "/no/file"], 1, "allowed SSH signers"), (["--resync", "5m"], 64, "Name the specs"),
        ] as [([String], Int32, String)])
    func whatCannotBeRunSaysWhy(arguments: [String], status: Int32, words: String) async throws {
        try await SandboxedSystem.with(git: false) { system in
            let ended = try await system.reconcile(arguments)
            #expect(ended.status == status && ended.errors.contains(words), "\(arguments): \(ended.errors)")
        }
    }

    @Test func aTokenReachesAnHTTPSHostAndIsSeenNowhere() async throws {
        try await SandboxedSystem.with { system in
            try await system.publish(web: "dpl_web3", api: "v3")
            let place = system.place
            try await place.git("-C", place.path("remote.git"), "config", "uploadpack.allowFilter", "true")
            try await GitServer.serving(place) { address in
                let url = "\(address)/remote.git"
                let arguments = ["--once", "--git", url, "--path", "specs"]
                let refused = try await system.reconcile(arguments)
                #expect(refused.status == 1 && refused.errors.contains("set BELAY_GIT_TOKEN"), "\(refused.errors)")
                let wrong = try await system.reconcile(arguments, variables: ["BELAY_GIT_TOKEN": "another-token"])
                #expect(
                    wrong.status == 1 && wrong.errors.contains("the host refuses the token: is BELAY_GIT_TOKEN valid"), "\(wrong.errors)")
                let right = try await system.reconcile(arguments, variables: ["BELAY_GIT_TOKEN": "a-token-of-git"])
                #expect(right.status == 0, "\(right.output)\(right.errors)")
                for text in [refused, wrong, right].flatMap({ [$0.output, $0.errors] }) + (try system.stateFiles().map(\.text)) {
                    #expect(!text.contains("a-token-of-git") && !text.contains("another-token"))
                }
            }
        }
    }
}

extension String {
    /// How often a text is in it.
    func components(of text: String) -> Int { split(separator: text, omittingEmptySubsequences: false).count - 1 }
}

extension SandboxedSystem {
    /// Commits the spec and pushes it to `remote.git`, which is made when there is none.
    func publish(web: String = "", api: String = "", text: String? = nil) async throws {
        let remote = place.path("remote.git")
        if !FileManager.default.fileExists(atPath: remote) {
            try await place.git("init", "-q", "--bare", "-b", "main", remote)
            try place.write(".gitignore", "remote.git/\nserver.py\nport\n")
        }
        try place.write("specs/system.yaml", text ?? Self.spec(web: web, api: api))
        _ = try await place.commit("publish")
        try await place.git("push", "-q", remote, "HEAD:main")
    }
}
