import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import Synchronization
import TestPrograms
import Testing

/// `reconcile --listen`, asked as Kubernetes, Prometheus and the hosts ask it.
@Suite(.timeLimit(.minutes(3))) struct ServedTests {
    private static let secret = "a-secret-of-the-tests"

    private struct Late: Error { var what: String }

    private static func until(_ what: String, _ isSo: () async throws -> Bool) async throws {
        for _ in 0..<1500 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Late(what: what)
    }

    /// Runs the program until `body`, which gets its address, returns; gives what it printed.
    private static func run(
        _ system: SandboxedSystem, _ arguments: String..., variables: [String: String] = [:],
        _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws -> (status: Int32, output: String) {
        let file = system.place.path("out.txt")
        let ended = try await system.reconcile(
            arguments + ["--listen", "127.0.0.1:0"], by: .terminate, into: file,
            variables: [
                "BELAY_WEBHOOK_SECRET": secret
            ].merging(variables) { $1 }
        ) {
            var address: String?
            try await until("it listens") {
                let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
                address = text.firstMatch(of: /[Ll]istening.*(127\.0\.0\.1:[0-9]+)/).map { String($0.output.1) }
                return address != nil
            }
            try await body("http://\(address ?? "")")
        }
        return (ended.status, try system.place.read("out.txt") + ended.errors)
    }

    /// Asks with the program that people have; the status, and then the body.
    private static func curl(_ arguments: String...) async throws -> String {
        try await BuiltProgram(onSearchPath: "curl").run(["-s", "-w", "\n%{http_code}"] + arguments).output
    }

    private static func isRecorded(_ system: SandboxedSystem, _ count: Int) throws -> Bool {
        let text = try system.stateFiles().first { $0.name.hasSuffix("journal.jsonl") }?.text ?? ""
        return text.components(of: "\"accepted\"") >= count
    }

    @Test func aCommitThatAWebhookTellsOfIsReconciledAtOnce() async throws {
        try await SandboxedSystem.with { system in
            try await system.publish(web: "dpl_web3", api: "v3")
            let figures = Mutex("")
            let (status, output) = try await Self.run(
                system, "--git", system.place.path("remote.git"), "--ref", "main", "--path", "specs", "--poll", "1h"
            ) { url in
                try await Self.until("the baseline is recorded") { try Self.isRecorded(system, 1) }
                #expect(try await Self.curl("\(url)/readyz") == "ok\n\n200")
                try system.place.write("remote.git/hooks/post-receive", Self.hook(url))
                _ = try await BuiltProgram(onSearchPath: "chmod").run(["+x", system.place.path("remote.git/hooks/post-receive")])
                let before = system.sandbox.server.requests.count
                try await system.publish(web: "dpl_web3", api: "v2")
                // The next poll is an hour away, and the next resync five minutes: nothing but the webhook can be the cause.
                try await Self.until("a provider is asked") { system.sandbox.server.requests.count > before }
                try await Self.until("it has converged") {
                    let numbers = try await Self.curl("\(url)/metrics")
                    figures.withLock { $0 = numbers }
                    return numbers.contains("belay_transition_duration_seconds_count{")
                }
            }
            #expect(status == 0 && output.contains("webhook from generic accepted: the repository is asked for news"), "\(output)")
            #expect(output.hasSuffix(" stopped\n"), "\(output)")
            #expect(!output.contains(Self.secret))
            let numbers = figures.withLock { $0 }
            let missing = [
                "belay_build_info{version=",
                "belay_system_passes_total{system=\"default/shop\",result=\"in-sync\"}",
                "belay_system_state{system=\"default/shop\",state=\"in-sync\"} 1",
                "belay_provider_requests_total{provider=\"kubernetes\",method=\"P",
                "belay_provider_requests_total{provider=\"vercel\",method=\"GET\",code=\"200\"}",
                "belay_webhook_requests_total{sender=\"generic\",result=\"accepted\"} 1",
                "belay_transition_duration_seconds_count{direction=\"back\"} 1",
                "belay_phase_duration_seconds_count{phase=\"retreat\"}",
                "belay_source_up 1",
                "belay_queue_depth{reason=\"change\"} 0",
                "belay_source_revision_info{kind=\"commit\",revision=",
            ].filter { !numbers.contains($0) }
            #expect(missing.isEmpty)
        }
    }

    /// As a host without webhooks of its own sends one.
    private static func hook(_ url: String) -> String {
        """
        #!/bin/sh
        while read -r old new ref; do
          body="{\\"ref\\": \\"$ref\\", \\"after\\": \\"$new\\"}"
          signature=$(printf %s "$body" | openssl dgst -sha256 -hmac '\(secret)' -r | cut -d' ' -f1)
          curl -sS --max-time 5 -o /dev/null -H "X-Belay-Signature-256: sha256=$signature" -d "$body" -H 'Content-Type: application/json' \(url)/webhooks/generic
        done
        """
    }

    @Test func aHintOfAProviderIsLookedAtLongBeforeTheResync() async throws {
        try await SandboxedSystem.with(git: false) { system in
            try system.place.write("specs/system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v3"))
            let (status, output) = try await Self.run(system, "-f", system.specs, "--resync", "1h", "-o", "json") { url in
                try await Self.until("the baseline is recorded") { try Self.isRecorded(system, 1) }
                let body = #"{"type":"deployment.promoted","payload":{"project":{"id":"prj_1"},"deployment":{"name":"shop-web"}}}"#
                let line = "printf %s '\(body)' | openssl dgst -sha1 -hmac '\(Self.secret)' -r | cut -d' ' -f1"
                let signature = try await BuiltProgram(onSearchPath: "sh").run(["-c", line]).output.split(separator: "\n").joined()
                let before = system.sandbox.server.requests.count
                let answer = try await Self.curl(
                    "-H", "x-vercel-signature: \(signature)", "-d", body, "-H", "Content-Type: application/json", "\(url)/webhooks/vercel")
                #expect(answer.hasSuffix("202") && answer.contains("accepted"), "\(answer)")
                try await Self.until("it is looked at") { system.sandbox.server.requests.count > before }
            }
            #expect(status == 0, "\(output)")
            let events = output.split(separator: "\n").compactMap { try? JSON(parsing: String($0)) }
            #expect(
                events.contains { $0["event"]?.string == "Listening" } && events.contains { $0["event"]?.string == "Webhook" }, "\(output)")
        }
    }

    @Test func specsThatCannotBeReadAreNotReadyAndTheLoopIsAlive() async throws {
        try await SandboxedSystem.with { system in
            let (status, _) = try await Self.run(system, "--git", system.place.path("nothing.git")) { url in
                #expect(try await Self.curl("\(url)/healthz") == "ok\n\n200")
                let ready = try await Self.curl("\(url)/readyz")
                #expect(ready == "[-]specs: they have not been read yet\nreadyz check failed\n\n503")
            }
            #expect(status == 0)
        }
    }

    @Test func theAddressIsRefusedWithAReason() async throws {
        try await SandboxedSystem.with(git: false) { system in
            try system.place.write("specs/system.yaml", SandboxedSystem.spec(web: "dpl_web3", api: "v3"))
            _ = try await Self.run(system, "-f", system.specs) { url in
                let taken = try await system.reconcile("-f", system.specs, "--listen", String(url.dropFirst("http://".count)))
                #expect(taken.status == 1 && taken.errors.contains("another process listens there"), "\(taken.errors)")
            }
            for (address, code, words) in [("8080", Int32(64), "'8080' is invalid"), ("192.0.2.1:80", 1, "not an address of this machine")]
            {
                let ended = try await system.reconcile("-f", system.specs, "--listen", address)
                #expect(ended.status == code && ended.errors.contains(words), "\(ended.errors)")
            }
            let short = try await system.reconcile("-f", system.specs, "--listen", ":0", variables: ["BELAY_WEBHOOK_SECRET": "short"])
            #expect(short.status == 1 && short.errors.contains("openssl rand -hex 32"), "\(short.errors)")
        }
    }
}
