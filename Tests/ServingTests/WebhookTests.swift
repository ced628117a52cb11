import Crypto
import FoundationEssentials
import HTTPCore
import JSONValues
import Serving
import Synchronization
import Testing

/// Webhooks as their senders make them.
@Suite struct WebhookTests {
    static let secret = "a-secret-of-the-tests"
    static let now: Double = 1_800_000_000

    /// An endpoint that keeps what it is told.
    final class Stand: Sendable {
        let hints = Mutex<[WebhookHint]>([])
        let notes = Mutex<[WebhookEndpoint.Note]>([])
        let endpoints: Endpoints

        init(_ variables: [String: String] = [WebhookSecrets.variable: secret]) throws {
            let (hints, notes) = (Log<WebhookHint>(), Log<WebhookEndpoint.Note>())
            log = (hints, notes)
            endpoints = Endpoints(
                alive: { [] }, ready: { [] }, metrics: { _ in ("", "") },
                webhooks: WebhookEndpoint(
                    secrets: try WebhookSecrets(variables), secondsSince1970: { WebhookTests.now },
                    act: { hint in
                        hints.append(hint)
                        return .accepted("done")
                    }, note: { notes.append($0) }))
        }

        private let log: (Log<WebhookHint>, Log<WebhookEndpoint.Note>)
        var heard: [WebhookHint] { log.0.all }
        var told: [WebhookEndpoint.Note] { log.1.all }

        func post(_ sender: String, _ body: String, _ headers: [String: String], peer: String = "10.0.0.1") async -> HTTPResponse {
            var fields = HTTPHeaders()
            for (name, value) in headers { fields.append(name, value) }
            return await endpoints.answer(
                ServedRequest("POST", "/webhooks/\(sender)", headers: fields, peer: peer) { limit in
                    body.utf8.count > limit ? nil : Array(body.utf8)
                })
        }
    }

    final class Log<Value: Sendable>: Sendable {
        private let values = Mutex<[Value]>([])
        func append(_ value: Value) { values.withLock { $0.append(value) } }
        var all: [Value] { values.withLock { $0 } }
    }

    static func hex(_ body: String, _ secret: String = secret) -> String {
        HMAC<SHA256>.authenticationCode(for: Array(body.utf8), using: SymmetricKey(data: Array(secret.utf8))).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    static func sha1(_ body: String) -> String {
        HMAC<Insecure.SHA1>.authenticationCode(for: Array(body.utf8), using: SymmetricKey(data: Array(secret.utf8))).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    static func standard(_ body: String, id: String = "msg_1", time: Double = now, key: [UInt8] = Array(secret.utf8)) -> [String: String] {
        let time = String(Int(time))
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(id).\(time).\(body)".utf8), using: SymmetricKey(data: key))
        return [
            "webhook-id": id, "webhook-timestamp": time, "webhook-signature": "v1,bm90IGl0 v1,\(Data(code).base64EncodedString())",
        ]
    }

    // MARK: - Who is believed

    @Test func theSignatureOfAPublishedExampleIsRight() {
        // https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
        let body = "Hello, World!"
        let published = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        #expect(Self.hex(body, "It's a Secret to Everybody") == published, "the tests sign as the host does")
    }

    static let push =
        #"{"ref":"refs/heads/main","after":"1111111111111111111111111111111111111111","repository":{"full_name":"acme/specs","clone_url":"https://h/acme/specs.git"}}"#
    static let pushed = WebhookHint.push(
        PushEvent(
            repository: ["https://h/acme/specs.git", "acme/specs"], ref: "refs/heads/main", object: String(repeating: "1", count: 40)))

    static let proofs: [(sender: String, headers: [String: String], status: Int, why: String)] = [
        ("github", ["X-Hub-Signature-256": "sha256=" + hex(push), "X-GitHub-Event": "push"], 202, "GitHub"),
        ("github", ["x-hub-signature-256": "sha256=" + hex(push).uppercased(), "x-github-event": "push"], 202, "in other letters"),
        (
            "github", ["X-Hub-Signature-256": "sha256=" + hex(push, "another-secret-of-mine"), "X-GitHub-Event": "push"], 401,
            "another secret"
        ),
        ("github", ["X-Hub-Signature-256": "sha256=" + hex(push + " "), "X-GitHub-Event": "push"], 401, "another body"),
        ("github", ["X-Hub-Signature-256": hex(push), "X-GitHub-Event": "push"], 401, "another form"),
        ("github", ["X-Hub-Signature-256": "sha256=", "X-GitHub-Event": "push"], 401, "nothing"),
        ("github", ["X-Hub-Signature-256": "sha256=zz", "X-GitHub-Event": "push"], 401, "no digits"),
        ("github", ["X-Hub-Signature-256": "sha256=" + String(hex(push).dropLast(2)), "X-GitHub-Event": "push"], 401, "cut short"),
        ("github", ["X-Hub-Signature": "sha1=" + sha1(push), "X-GitHub-Event": "push"], 401, "the older way alone"),
        ("github", ["X-GitHub-Event": "push"], 401, "no signature"),
        ("gitea", ["X-Gitea-Signature": hex(push), "X-Gitea-Event": "push"], 202, "Gitea"),
        ("forgejo", ["X-Forgejo-Signature": hex(push), "X-Forgejo-Event": "push", "X-Gitea-Signature": hex(push)], 202, "Forgejo"),
        ("gitea", ["X-Forgejo-Signature": hex("x"), "X-Gitea-Signature": hex(push), "X-Gitea-Event": "push"], 401, "the newer one counts"),
        ("vercel", ["x-vercel-signature": hex(push)], 401, "Vercel signs otherwise"),
        ("render", standard(push, id: "msg_old", time: now - 400), 401, "too old"),
        ("render", standard(push, id: "msg_new", time: now + 400), 401, "from the future"),
        ("render", standard(push, key: Array("another".utf8)), 401, "another key"),
        ("render", ["webhook-signature": "v1,abc", "webhook-id": "a"], 401, "no time"),
        ("generic", ["X-Belay-Signature-256": "sha256=" + hex(push)], 400, "proved, and then not what the generic one must be"),
    ]

    @Test(arguments: proofs) func onlyWhoKnowsTheSecretIsHeard(proof: (sender: String, headers: [String: String], status: Int, why: String))
        async throws
    {
        let stand = try Stand()
        let response = await stand.post(proof.sender, Self.push, proof.headers)
        #expect(response.status == proof.status, "\(proof.why): \(response.text)")
        #expect(stand.heard == (proof.status == 202 ? [Self.pushed] : []), "\(proof.why)")
        #expect(!response.text.contains(Self.secret) && stand.told.count == 1)
    }

    @Test func nothingIsReadBeforeItIsProved() async throws {
        let stand = try Stand()
        let response = await stand.post("github", "{not json", ["X-Hub-Signature-256": "sha256=00", "X-GitHub-Event": "push"])
        #expect(response.status == 401)
        let proved = await stand.post("github", "{not json", ["X-Hub-Signature-256": "sha256=" + Self.hex("{not json")])
        #expect(proved.status == 400 && proved.text.contains("not JSON"), "\(proved.text)")
    }

    @Test func ofTwoSecretsEachIsRight() async throws {
        let stand = try Stand(["BELAY_WEBHOOK_SECRET_GITHUB": "the-older-secret-of-two  the-newer-secret-of-two\n"])
        for secret in ["the-older-secret-of-two", "the-newer-secret-of-two"] {
            let headers = ["X-Hub-Signature-256": "sha256=" + Self.hex(Self.push, secret), "X-GitHub-Event": "push"]
            #expect(await stand.post("github", Self.push, headers).status == 202, "\(secret)")
        }
    }

    @Test func aSecretMayStandInAFileThatChanges() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/belay-secret-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("the-first-secret-there\n".utf8).write(to: URL(filePath: path))
        let stand = try Stand(["BELAY_WEBHOOK_SECRET_FILE": path])
        let headers = ["X-Hub-Signature-256": "sha256=" + Self.hex(Self.push, "the-second-secret-there"), "X-GitHub-Event": "push"]
        #expect(await stand.post("github", Self.push, headers).status == 401)
        try Data("the-second-secret-there\n".utf8).write(to: URL(filePath: path))
        #expect(await stand.post("github", Self.push, headers).status == 202)
    }

    @Test(arguments: [
        (["BELAY_WEBHOOK_SECRET": "short"], "BELAY_WEBHOOK_SECRET: a secret of under 16"),
        (["BELAY_WEBHOOK_SECRET_RENDER_FILE": "/no/such/file"], "BELAY_WEBHOOK_SECRET_RENDER_FILE: /no/such/file cannot be read"),
        (["BELAY_WEBHOOK_SECRET_VERCEL": "long-enough-of-a-secret short"], "BELAY_WEBHOOK_SECRET_VERCEL: a secret of under 16"),
    ]) func aSecretThatCannotBeUsedIsToldAtOnce(variables: [String: String], words: String) throws {
        let error = #expect(throws: ServingError.self) { try WebhookSecrets(variables) }
        #expect(error?.message.hasPrefix(words) ?? false, "\(error?.message ?? "")")
    }

    @Test func withoutASecretNobodyIsHeard() async throws {
        let stand = try Stand(["BELAY_WEBHOOK_SECRET_GITHUB": Self.secret])
        let response = await stand.post("gitlab", "{}", ["X-Gitlab-Token": ""])
        #expect(
            response.status == 503 && response.text.contains("set BELAY_WEBHOOK_SECRET_GITLAB, or BELAY_WEBHOOK_SECRET"), "\(response.text)"
        )
        #expect(stand.told.map(\.result) == [.notConfigured])
    }

    // MARK: - What is heard

    static let gitLab =
        #"{"object_kind":"push","ref":"refs/heads/main","after":"0000000000000000000000000000000000000000","project":{"git_http_url":"https://h/a/b.git","path_with_namespace":"a/b"}}"#

    @Test func gitLabProvesItselfByATokenOrByASignature() async throws {
        let hint = WebhookHint.push(PushEvent(repository: ["https://h/a/b.git", "a/b"], ref: "refs/heads/main"))
        let key = Array("a key of thirty-two bytes, or so".utf8)
        let stand = try Stand(["BELAY_WEBHOOK_SECRET_GITLAB": "\(Self.secret) whsec_\(Data(key).base64EncodedString())"])
        #expect(await stand.post("gitlab", Self.gitLab, ["X-Gitlab-Token": Self.secret]).status == 202)
        #expect(await stand.post("gitlab", Self.gitLab, Self.standard(Self.gitLab, key: key)).status == 202)
        var both = Self.standard(Self.gitLab, id: "msg_2", key: Array("not known here".utf8))
        both["X-Gitlab-Token"] = Self.secret
        #expect(await stand.post("gitlab", Self.gitLab, both).status == 202, "a token that is known is enough")
        #expect(stand.heard == [hint, hint, hint])
        for token in ["", "a", Self.secret + "x", String(Self.secret.dropLast())] {
            #expect(await stand.post("gitlab", Self.gitLab, ["X-Gitlab-Token": token]).status == 401, "\(token)")
        }
    }

    static let events: [(sender: String, headers: [String: String], body: String, hint: WebhookHint?, words: String)] = [
        ("github", ["X-GitHub-Event": "ping"], #"{"zen":"x"}"#, nil, "ping"),
        (
            "github", ["X-GitHub-Event": "create"], #"{"ref":"v2","ref_type":"tag","repository":{"full_name":"a/b"}}"#,
            .push(PushEvent(repository: ["a/b"], ref: "refs/tags/v2")), ""
        ),
        ("github", [:], "{}", nil, "(none)"),
        ("gitlab", [:], #"{"object_kind":"merge_request"}"#, nil, "merge_request"),
        ("generic", [:], "", .push(PushEvent()), ""),
        ("generic", [:], #"{"systems":["shop","prod/blog"]}"#, .systems(["shop", "prod/blog"]), ""),
        ("generic", [:], #"{"time":1799999800,"ref":"refs/heads/main"}"#, .push(PushEvent(ref: "refs/heads/main")), ""),
        ("generic", [:], #"{"time":1799990000}"#, nil, "within 5 minutes"),
        (
            "vercel", [:],
            #"{"type":"deployment.succeeded","createdAt":1799999900000,"payload":{"project":{"id":"prj_1"},"deployment":{"name":"web"}}}"#,
            .target(provider: "vercel", names: ["prj_1", "web"], namesAreComplete: true), ""
        ),
        (
            "vercel", [:], #"{"type":"deployment.rollback","payload":{"project":{"id":"prj_1"}}}"#,
            .target(provider: "vercel", names: ["prj_1"], namesAreComplete: false), ""
        ),
        (
            "vercel", [:], #"{"type":"deployment.succeeded","createdAt":1799900000000,"payload":{"project":{"id":"prj_1"}}}"#, nil,
            "10 minutes"
        ),
        ("vercel", [:], #"{"type":"alerts.triggered","payload":{}}"#, nil, "alerts.triggered"),
        (
            "render", [:], #"{"type":"deploy_ended","data":{"serviceId":"srv-1","serviceName":"docs"}}"#,
            .target(provider: "render", names: ["srv-1", "docs"], namesAreComplete: true), ""
        ),
    ]

    @Test(arguments: events) func anEventIsReadAsItsSenderMeansIt(
        event: (sender: String, headers: [String: String], body: String, hint: WebhookHint?, words: String)
    ) async throws {
        let stand = try Stand()
        let signatures: [String: String] =
            switch event.sender {
            case "github": ["X-Hub-Signature-256": "sha256=" + Self.hex(event.body)]
            case "gitlab": ["X-Gitlab-Token": Self.secret]
            case "vercel": ["x-vercel-signature": Self.sha1(event.body)]
            case "render": Self.standard(event.body)
            default: ["X-Belay-Signature-256": "sha256=" + Self.hex(event.body)]
            }
        let response = await stand.post(event.sender, event.body, signatures.merging(event.headers) { $1 })
        #expect(response.status == 202, "\(response.text)")
        #expect(stand.heard == event.hint.map { [$0] } ?? [], "\(event.body)")
        #expect(stand.told.map(\.result) == [event.hint == nil ? .ignored : .accepted])
        #expect(response.text.contains(event.words), "\(response.text)")
    }

    @Test(arguments: [
        ("ref=main", "application/x-www-form-urlencoded", "choose the content type application/json"),
        ("[]", "application/json", "not an object"),
        (#"{"ref":1}"#, "application/json", "ref is not a text"), (#"{"systems":[1]}"#, "application/json", "not a list of names"),
        (#"{"time":"now"}"#, "application/json", "seconds since 1970"),
        (String(repeating: "[", count: 100_000), "application/json", "not JSON"),
    ]) func whatCannotBeReadSaysWhy(body: String, type: String, words: String) async throws {
        let stand = try Stand()
        let response = await stand.post(
            "generic", body, ["X-Belay-Signature-256": "sha256=" + Self.hex(body), "Content-Type": type])
        #expect(response.status == 400 && response.text.contains(words), "\(response.text)")
        #expect(stand.heard.isEmpty)
    }

    @Test func aReplayMeansNothing() async throws {
        let stand = try Stand()
        let body = #"{"data":{"serviceId":"srv-1"}}"#
        let headers = Self.standard(body)
        #expect(await stand.post("render", body, headers).text.contains("accepted"))
        let again = await stand.post("render", body, headers)
        #expect(again.status == 202 && again.text.contains("it came before"))
        #expect(stand.heard.count == 1)
    }

    @Test func whoSendsTooMuchHasToWaitAndOthersHaveNot() async throws {
        let stand = try Stand()
        var statuses: [Int: Int] = [:]
        for _ in 0..<70 { statuses[await stand.post("github", "{}", [:]).status, default: 0] += 1 }
        #expect((statuses[429] ?? 0) > 0 && (statuses[401] ?? 0) >= 50, "\(statuses)")
        let limited = await stand.post("github", "{}", [:])
        #expect(limited.status == 429 && limited.headers["Retry-After"] == "1")
        #expect(await stand.post("github", "{}", [:], peer: "10.0.0.2").status == 401)
        for _ in 0..<100 { _ = await stand.post("gitlab", "{}", [:], peer: "10.0.0.3") }
        #expect(await stand.post("gitea", "{}", [:], peer: "10.0.0.4").status == 429, "and all together have a limit too")
    }

    @Test func aBodyHasALimit() async throws {
        let stand = try Stand()
        let body = String(repeating: " ", count: WebhookEndpoint.bodyLimit + 1)
        #expect(await stand.post("github", body, [:]).status == 413)
        #expect(stand.told.map(\.result) == [.tooLarge])
    }
}
