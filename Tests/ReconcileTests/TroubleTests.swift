import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import Simulators
import TestPrograms
import Testing

/// What stands in the way is said with what to do next, and loses nothing.
@Suite struct TroubleTests {
    @Test(
        arguments: [
            ("nope.yaml", nil, "nope.yaml: no such file or directory; name a spec file", "a missing file"),
            ("empty.yaml", "", "empty.yaml:1:1: the file is empty; expected a System", "an empty file"),
            ("broken.yaml", "a: [", "broken.yaml:", "not YAML"),
            ("kind.yaml", "apiVersion: v1\nkind: Pod\n", "kind.yaml:2:7: kind: expected System, found Pod", "another kind"),
            (
                "version.yaml", "apiVersion: belay.dev/v9\nkind: System\n", "version.yaml:1:13: apiVersion: expected belay.dev/v1alpha1",
                "another version"
            ),
        ] as [(String, String?, String, Comment)])
    func aBadFileIsAnErrorWithItsPlace(name: String, text: String?, message: String, reason: Comment) async throws {
        try await SandboxedSystem.with(git: false) { system in
            if let text { try system.place.write(name, text) }
            for command in [["--once"], ["plan"], ["status"]] {
                let ended = try await system.reconcile(command + ["-f", name])
                #expect(ended.status == 1, reason)
                #expect(ended.errors.contains(message), "\(reason): \(ended.errors)")
            }
            #expect(system.sandbox.server.requests.isEmpty)
        }
    }

    @Test func twoSystemsWithOneNameAreNamedWithBothPlaces() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = SandboxedSystem.spec(web: "a", api: "b")
            try system.place.write("specs/a.yaml", spec)
            try system.place.write("specs/b.yaml", spec)
            let ended = try await system.reconcile("validate", "-f", "specs")
            #expect(ended.status == 1)
            #expect(ended.output.contains("specs/b.yaml:4:9") && ended.output.contains("specs/a.yaml:4:9"), "\(ended.output)")
        }
    }

    @Test(arguments: [
        ("dpl_nope", "dpl_web2", "a pin that nothing carries lists what there is"),
        ("{commit: 9999999}", "2222222", "a commit that nobody deployed"),
    ])
    func anUnresolvablePinListsTheCandidates(pin: String, candidate: String, reason: Comment) async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: pin, api: "v3"))
            let ended = try await system.reconcile("--once", "-f", spec, "--adopt")
            #expect(ended.status == 1 || ended.status == 3, "\(ended.status)")
            #expect(ended.output.contains(candidate), "\(reason): \(ended.output)")
            #expect(system.writes.isEmpty)
        }
    }

    @Test func aMissingTokenSaysWhichVariableAndWhereToCreateOne() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v3"))
            let ended = try await system.reconcile(["--once", "-f", spec, "--adopt"], variables: ["VERCEL_TOKEN": String?.none])
            #expect(ended.status == 1)
            #expect(ended.output.contains("VERCEL_TOKEN") && ended.output.contains("vercel.com/account"), "\(ended.output)")
            let wrong = try await system.reconcile(["status", "-f", spec], variables: ["VERCEL_TOKEN": "not-the-token"])
            #expect(wrong.status == 1)
            #expect(wrong.output.contains("403") && !wrong.output.contains("not-the-token"), "\(wrong.output)")
        }
    }

    @Test func aClusterThatIsNotThereIsUnknown() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v3"))
            let missing = try await system.reconcile(["status", "-f", spec], variables: ["KUBECONFIG": "/nonexistent/kubeconfig"])
            #expect(missing.status == 1)
            #expect(missing.output.contains("KUBECONFIG"), "\(missing.output)")
        }
    }

    @Test(arguments: [
        (404, "", 1), (401, "", 1), (403, "", 1), (500, "", 1), (503, "<html>down</html>", 1),
    ])
    func readsThatFailMakeUnknownAndWriteNothing(status: Int, body: String, code: Int32) async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v3"))
            system.sandbox.server.faults.add(
                Fault(simulator: "vercel", method: .get, .answer(status: status, headers: [:], body: body), times: nil))
            let ended = try await system.reconcile("plan", "-f", spec)
            #expect(ended.status == code, "\(ended.output)")
            #expect(ended.output.contains("\(status)"), "\(ended.output)")
            #expect(system.writes.isEmpty)
        }
    }

    @Test func aProviderThatCannotBeReachedSaysHowAndWhatToLookAt() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v3"))
            let vercel = try #require(system.sandbox.server.urls["vercel"])
            let cases: [(String, String, Comment)] = [
                ("http://127.0.0.1:9", "127.0.0.1", "nobody listens"),
                ("https" + vercel.dropFirst(4), "TLS", "TLS with a server that speaks none"),
                ("http://no-such-host.invalid", "no-such-host.invalid", "a name that does not resolve"),
            ]
            for (url, words, reason) in cases {
                let ended = try await system.reconcile(["plan", "-f", spec], variables: ["VERCEL_API_URL": url])
                #expect(ended.status == 1, reason)
                #expect(ended.output.contains(words) && ended.output.contains("status page"), "\(reason): \(ended.output)")
            }
        }
    }

    @Test func anAmbiguousPinListsWhatItCouldMean() async throws {
        let twice = SandboxedSystem.world.replacing(
            "sha: 1111111111111111111111111111111111111111", with: "sha: 2222222bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
        try await SandboxedSystem.with(world: twice, git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "{commit: \"2222222\"}", api: "v3"))
            let ended = try await system.reconcile("--once", "-f", spec, "--adopt")
            #expect(ended.status != 0)
            #expect(ended.output.contains("dpl_web1") && ended.output.contains("dpl_web2"), "\(ended.output)")
            #expect(system.writes.isEmpty)
        }
    }

    @Test func aServerErrorPassesByItself() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v3"))
            system.sandbox.server.faults.add(
                Fault(simulator: "vercel", method: .get, .answer(status: 503, headers: [:], body: "<html>"), times: 1))
            let ended = try await system.reconcile("--once", "-f", spec, "--adopt")
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(ended.errors.contains("looking again in"), "\(ended.errors)")
        }
    }

    @Test func aThrottledWriteWaitsForAsLongAsItIsAsked() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v3"))
            system.sandbox.server.faults.add(
                Fault(simulator: "vercel", method: .post, .answer(status: 429, headers: ["Retry-After": "1"], body: "{}"), times: 1))
            let ended = try await system.reconcile("--once", "-f", spec, "--adopt")
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(system.writes.filter { $0.method == .post }.map(\.status) == [429, 201])
        }
    }

    @Test func aLockedSystemIsBlockedAndSaysByWhom() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v3"))
            // The first process holds the lock for as long as its write is held back.
            system.sandbox.server.faults.add(Fault(simulator: "vercel", method: .post, .delay(.seconds(100)), times: 1))
            async let first = system.reconcile("--once", "-f", spec, "--adopt")
            while system.writes.isEmpty { try await ContinuousClock().sleep(for: .milliseconds(20)) }
            let second = try await system.reconcile("--once", "-f", spec, "--adopt")
            #expect(second.status == 3, "\(second.output)\(second.errors)")
            #expect(second.output.contains("is locked by"), "\(second.output)")
            #expect(try await system.reconcile("status", "-f", spec).status == 0, "reading needs no lock")
            #expect(try await first.status == 0)
            #expect(system.writes.map(\.method) == [.patch, .post], "one fence and one rollback, whoever came first")
        }
    }

    @Test(
        arguments: [
            ("\"seq\":1", "\"seq\":7", "damaged", "a line that somebody edited"),
            ("dpl_web3", "dpl_web1", "damaged", "a fact that somebody edited"),
            ("\"v\":1", "\"v\":9", "newer", "a journal that a newer Belay wrote"),
        ] as [(String, String, String, Comment)])
    func aJournalThatCannotBeReadStopsEverythingAndIsNotOverwritten(
        found: String, forged: String, word: String, reason: Comment
    ) async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v3"))
            #expect(try await system.reconcile("--once", "-f", spec).status == 0)
            let journal = try system.statePath("journal.jsonl")
            let before = String(decoding: try #require(FileManager.default.contents(atPath: journal)), as: UTF8.self)
            let damaged = before.replacing(found, with: forged)
            try #require(damaged != before, reason)
            try Data(damaged.utf8).write(to: URL(filePath: journal))
            try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v3"))
            let ended = try await system.reconcile("--once", "-f", spec)
            #expect(ended.status == 1)
            #expect(ended.output.contains(word) && ended.output.contains("→"), "\(reason): \(ended.output)")
            #expect(system.writes.isEmpty)
            #expect(FileManager.default.contents(atPath: journal) == Data(damaged.utf8), "nothing was overwritten")
        }
    }

    @Test func aFullDiskStopsBeforeTheWrite() async throws {
        try await SandboxedSystem.with(git: false) { system in
            let spec = try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v3"))
            #expect(try await system.reconcile("--once", "-f", spec).status == 0)
            try system.place.write("system.yaml", SandboxedSystem.spec(web: "dpl_web2", api: "v3"))
            let journal = try system.statePath("journal.jsonl")
            let size = try #require(FileManager.default.contents(atPath: journal)).count
            // The limit on a file's size is met as a full disk is: the journal cannot grow.
            let variables = system.sandbox.environment.map { "\($0.name)='\($0.value)'" }.joined(separator: " ")
            let line = "trap '' XFSZ; ulimit -f \(size / 1024 + 1); XDG_STATE_HOME='\(system.state)' \(variables) "
            // Fill the journal's last block, so that the next entry does not fit.
            let ended = try await BuiltShell.run(line + "\(BuiltShell.reconcile) --once -f \(spec)")
            #expect(ended.status == 1, "\(ended.output)\(ended.errors)")
            #expect(system.writes.isEmpty, "an intent that is not durable is not sent: \(ended.output)")
            let after = try await system.reconcile("--once", "-f", spec)
            #expect(after.status == 0, "nothing was lost: \(after.output)\(after.errors)")
        }
    }

    @Test(arguments: [
        (["--once"], "Name the specs: -f PATH"), (["plan"], "Name the specs: -f PATH"),
        (["-f", "x.yaml", "--timeout", "5s"], "belongs to --once"),
        (["--once", "-f", "x.yaml", "--timeout", "soon"], "--timeout"), (["history", "-f", "x.yaml"], "component"),
        (["frobnicate"], "frobnicate"),
    ])
    func wrongUsageIsExitCode64(arguments: [String], message: String) async throws {
        try await SandboxedSystem.with(git: false) { system in
            let ended = try await system.reconcile(arguments)
            #expect(ended.status == 64)
            #expect(ended.errors.contains(message), "\(ended.errors)")
        }
    }
}
