import CurlTransport
import FoundationEssentials
import HTTPCore
import JSONValues
import SandboxServer
import Testing

@Suite struct SandboxTests {
    /// The repository's own files.
    static let repository = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func demo() throws -> WorldFile {
        let file = repository.appending(path: "docs/demo/world.yaml")
        return try WorldFile(reading: Array(try Data(contentsOf: file)), file: "world.yaml")
    }

    private func variables(_ sandbox: Sandbox) -> [String: String] {
        Dictionary(sandbox.environment.map { ($0.name, $0.value) }) { first, _ in first }
    }

    @Test func theDemoWorldIsServed() async throws {
        let world = try Self.demo()
        let sandbox = try await Sandbox.start(world: world)
        let variables = variables(sandbox)
        let project = try #require(world.sections["vercel"]?["projects"]?[0])
        let workload = try #require(world.sections["kubernetes"]?["workloads"]?[0])
        let transport = CurlTransport()
        func get(_ url: String?, _ path: String, token: String?) async throws -> JSON {
            let response = try await transport.send(
                HTTPRequest(.get, try #require(url) + path, headers: ["Authorization": "Bearer \(try #require(token))"]))
            #expect(response.status == 200)
            return try JSON(parsing: response.body)
        }
        let served = try await get(
            variables["VERCEL_API_URL"],
            "/v9/projects/\(project["name"]?.string ?? "")?slug=\(project["team"]?.string ?? "")&rollbackInfo=true",
            token: variables["VERCEL_TOKEN"])
        #expect(served["targets"]?["production"]?["id"] == project["production"])

        let kubeconfig = String(decoding: try Data(contentsOf: URL(filePath: try #require(variables["KUBECONFIG"]))), as: UTF8.self)
        let token = try #require(kubeconfig.firstMatch(of: /token: "([^"]+)"/)).1
        #expect(kubeconfig.contains("server: \"\(try #require(sandbox.server.urls["kubernetes"]))\""))
        let running = try await get(
            sandbox.server.urls["kubernetes"],
            "/apis/apps/v1/namespaces/\(workload["namespace"]?.string ?? "")/deployments/\(workload["name"]?.string ?? "")",
            token: String(token))
        let image = running["spec"]?["template"]?["spec"]?["containers"]?[0]?["image"]
        #expect(image != nil && image == workload["history"]?.elements.last?["image"])
        try await sandbox.stop()
    }

    @Test func theKubeconfigIsItsOwnersAloneAndGoesWithTheSandbox() async throws {
        let sandbox = try await Sandbox.start()
        let path = try #require(variables(sandbox)["KUBECONFIG"])
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try await sandbox.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
        try await sandbox.stop()
    }

    @Test func oneListenerIsAllOfFly() async throws {
        let sandbox = try await Sandbox.start(
            world: try WorldFile(
                reading: Array(
                    """
                    apiVersion: sandbox.belay.dev/v1alpha1
                    kind: World
                    fly: {apps: [{name: worker, org: acme, machines: 1, releases: [{version: 1}]}]}
                    """.utf8), file: "world.yaml"))
        let variables = variables(sandbox)
        let token = try #require(variables["FLY_API_TOKEN"])
        let requests: [(variable: String, method: HTTPMethod, path: String)] = [
            ("FLY_FLAPS_BASE_URL", .get, "/v1/apps/worker/machines"), ("FLY_UIEX_BASE_URL", .get, "/api/v1/apps/worker/releases"),
            ("FLY_API_BASE_URL", .post, "/graphql"), ("FLY_REGISTRY_URL", .head, "/v2/worker/manifests/deployment-1"),
        ]
        for request in requests {
            let url = try #require(variables[request.variable])
            #expect(url == sandbox.server.urls["fly"])
            let response = try await CurlTransport().send(
                HTTPRequest(
                    request.method, url + request.path, headers: ["Authorization": "Bearer \(token)"],
                    body: request.method == .post ? Array(#"{"query": "{ app(name: \"worker\") { id } }"}"#.utf8) : []))
            #expect(response.status == 200, "\(request.variable)")
        }
        try await sandbox.stop()
    }

    @Test func everyRunHasTokensOfItsOwn() async throws {
        let first = try await Sandbox.start()
        let second = try await Sandbox.start()
        let (one, two) = (variables(first), variables(second))
        for name in ["VERCEL_API_URL", "VERCEL_TOKEN", "KUBECONFIG"] {
            #expect(one[name] != nil && one[name] != two[name])
        }
        let response = try await CurlTransport().send(
            HTTPRequest(
                .get, try #require(two["VERCEL_API_URL"]) + "/v9/projects",
                headers: ["Authorization": "Bearer \(try #require(one["VERCEL_TOKEN"]))"]))
        #expect(response.status == 403)
        try await first.stop()
        try await second.stop()
    }

    @Test func tokensAppearInNothingThatIsReadBack() async throws {
        let sandbox = try await Sandbox.start(world: try Self.demo())
        let token = try #require(variables(sandbox)["VERCEL_TOKEN"])
        let url = try #require(sandbox.server.urls["vercel"])
        let transport = CurlTransport()
        _ = try await transport.send(HTTPRequest(.get, url + "/v9/projects?x=\(token)", headers: ["Authorization": "Bearer \(token)"]))
        for path in ["requests", "world"] {
            let text = try await transport.send(HTTPRequest(.get, "\(url)/_sandbox/\(path)")).text
            #expect(!text.isEmpty && !text.contains(token))
        }
        try await sandbox.stop()
    }

    @Test func numbersAndWordsOfAWorldKeepTheirDigits() throws {
        let text = """
            apiVersion: sandbox.belay.dev/v1alpha1
            kind: World
            vercel: {a: 1.10, b: on, c: 0x1F, d: '2', e: ~, f: [true, 1e3], g: .5}
            """
        let world = try WorldFile(reading: Array(text.utf8), file: "w.yaml")
        let expected: JSON = [
            "a": .number("1.10"), "b": "on", "c": 31, "d": "2", "e": nil, "f": [true, .number("1e3")], "g": .number("0.5"),
        ]
        #expect(world.sections["vercel"] == expected)
    }

    static let badWorlds: [(why: String, text: String, message: String)] = [
        ("an empty file", "", "w.yaml:1:1: is empty"),
        (
            "not a mapping", "- a",
            "w.yaml:1:1: expected a mapping with the fields apiVersion, kind, vercel, fly, render, kubernetes, found a list"
        ),
        (
            "the wrong kind", "apiVersion: sandbox.belay.dev/v1alpha1\nkind: Faults\n",
            "w.yaml:2:7: kind: expected one of World"
        ),
        (
            "a misspelt vendor", "apiVersion: sandbox.belay.dev/v1alpha1\nkind: World\nkubernets: {}\n",
            "w.yaml:3:1: unknown field \"kubernets\"; did you mean \"kubernetes\"?"
        ),
        (
            "a number that JSON does not have", "apiVersion: sandbox.belay.dev/v1alpha1\nkind: World\nvercel:\n  x: [.inf]\n",
            "w.yaml:4:7: vercel.x[0]: JSON has no number .inf; put it in quotes"
        ),
        (
            "two documents", "apiVersion: sandbox.belay.dev/v1alpha1\nkind: World\n---\na: b\n",
            "w.yaml:4:1: a second document; one was expected"
        ),
    ]

    @Test(arguments: badWorlds) func aBadWorldSaysWhere(why: String, text: String, message: String) {
        let error = #expect(throws: SandboxError.self) { try WorldFile(reading: Array(text.utf8), file: "w.yaml") }
        #expect(error?.code == .file)
        #expect(error?.message == message)
    }
}
