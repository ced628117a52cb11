import HTTPCore
import JSONValues
import Simulators
import Testing

@testable import KubernetesAPI

struct ClientTests {
    struct Mapping: Sendable, CustomTestStringConvertible {
        var why: String
        var answer: Result<HTTPResponse, TransportError>
        var code: KubernetesError.Code
        var mayHaveTakenEffect = false
        var retryAfter: Duration?
        var testDescription: String { why }
    }

    static let mappings = [
        Mapping(why: "a mistake of ours", answer: .json(400, ["kind": "Status"]), code: .badRequest),
        Mapping(why: "not permitted", answer: .json(403, ["kind": "Status"]), code: .forbidden),
        Mapping(why: "not there", answer: .json(404, ["kind": "Status"]), code: .notFound),
        Mapping(why: "changed in between", answer: .json(409, ["kind": "Status"]), code: .conflict),
        Mapping(why: "not valid", answer: .json(422, ["kind": "Status"]), code: .invalid),
        Mapping(why: "too many", answer: .json(429, [:], headers: ["Retry-After": "3"]), code: .rateLimited, retryAfter: .seconds(3)),
        Mapping(
            why: "the server gave up and says when to come back",
            answer: .json(504, ["kind": "Status", "details": ["retryAfterSeconds": 5]]), code: .server, mayHaveTakenEffect: true,
            retryAfter: .seconds(5)),
        Mapping(why: "a proxy's page", answer: .text(503, "<html>"), code: .server, mayHaveTakenEffect: true),
        Mapping(why: "a redirect is no answer", answer: .text(302, ""), code: .refused, mayHaveTakenEffect: true),
        Mapping(why: "broken off", answer: .text(200, "{\"kind\""), code: .malformed, mayHaveTakenEffect: true),
        Mapping(why: "a list where an object is promised", answer: .text(200, "[]"), code: .malformed, mayHaveTakenEffect: true),
        Mapping(
            why: "cut off after it was sent", answer: .failure(TransportError(.connectionLost, "cut", mayHaveTakenEffect: true)),
            code: .transport, mayHaveTakenEffect: true),
        Mapping(
            why: "never sent", answer: .failure(TransportError(.connect, "refused", mayHaveTakenEffect: false)), code: .transport),
    ]

    @Test(arguments: mappings)
    func aFailedWriteSaysWhetherItMayHaveTakenEffect(_ mapping: Mapping) async {
        let client = KubernetesClient(.make(), transport: ScriptedTransport(mapping.answer))
        let error = await failure { () async throws(KubernetesError) in
            try await client.patch(.deployments, namespace: "prod", name: "api", .merge([:]))
        }
        #expect(error?.code == mapping.code)
        #expect(error?.mayHaveTakenEffect == mapping.mayHaveTakenEffect)
        #expect(error?.retryAfter == mapping.retryAfter)
    }

    @Test(arguments: mappings)
    func aFailedReadingNeverTookEffect(_ mapping: Mapping) async {
        let client = KubernetesClient(.make(), transport: ScriptedTransport(mapping.answer))
        let error = await failure { () async throws(KubernetesError) in try await client.get(.deployments, namespace: "prod", name: "api") }
        #expect(error?.code == mapping.code)
        #expect(error?.mayHaveTakenEffect == false)
    }

    @Test func aRefusalNamesTheVerbToGrant() async {
        let client = KubernetesClient(
            .make(), transport: ScriptedTransport(.json(403, ["kind": "Status", "message": "deployments.apps is forbidden"])))
        let error = await failure { () async throws(KubernetesError) in
            try await client.patch(.deployments, namespace: "prod", name: "api", .merge([:]))
        }
        #expect(
            error?.description
                == "403 while patching deployments.apps api in namespace prod (context test, https://cluster.test): deployments.apps is forbidden; "
                + "grant user me the verb patch on deployments.apps in namespace prod")
    }

    @Test func aTLSFailureNamesServerAndContext() async {
        let client = KubernetesClient(
            .make(), transport: ScriptedTransport(.failure(TransportError(.tls, "unknown authority", mayHaveTakenEffect: false))))
        let error = await failure { () async throws(KubernetesError) in try await client.list(.pods, namespace: "prod") }
        #expect(
            error?.description == "no answer while listing pods in namespace prod (context test, https://cluster.test): unknown authority; "
                + "check certificate-authority of the cluster in context test: the server must show a certificate that it signed")
    }

    @Test func theTokenIsTakenOutOfWhatTheServerRepeats() async {
        let client = KubernetesClient(
            .make(), transport: ScriptedTransport(.json(400, ["kind": "Status", "message": "bad secret-token!", "reason": "secret-token"])))
        let error = await failure { () async throws(KubernetesError) in try await client.get(.pods, namespace: "a", name: "b") }
        #expect(error?.message.hasSuffix("bad (secret)!") == true)
        #expect(!"\(String(describing: error))".contains("secret-token"))
    }

    @Test func aConflictOfFieldsNamesManagerAndField() async {
        let status: JSON = [
            "kind": "Status", "message": "Apply failed with 1 conflict", "reason": "Conflict",
            "details": [
                "causes": [
                    [
                        "reason": "FieldManagerConflict",
                        "message": "conflict with \"kubectl-client-side-apply\" using apps/v1 at 2026-11-23T01:00:00Z",
                        "field": ".spec.replicas",
                    ]
                ]
            ],
        ]
        let client = KubernetesClient(.make(), transport: ScriptedTransport(.json(409, status)))
        let error = await failure { () async throws(KubernetesError) in
            try await client.patch(.deployments, namespace: "a", name: "b", .apply([:], force: false))
        }
        #expect(error?.fieldConflicts == [.init(manager: "kubectl-client-side-apply", field: ".spec.replicas")])
    }

    @Test(arguments: [
        (KubernetesPatch.json([]), "application/json-patch+json", "fieldManager=belay"),
        (.merge([:]), "application/merge-patch+json", "fieldManager=belay"),
        (.strategicMerge([:]), "application/strategic-merge-patch+json", "fieldManager=belay"),
        (.apply([:], force: true), "application/apply-patch+yaml", "fieldManager=belay&force=true"),
    ])
    func aPatchTellsItsKindAndItsManager(_ patch: KubernetesPatch, _ type: String, _ query: String) async throws {
        let transport = ScriptedTransport(.json(200, [:]))
        _ = try await KubernetesClient(.make(), transport: transport).patch(.deployments, namespace: "prod", name: "api", patch)
        #expect(transport.requests.map(\.url) == ["https://cluster.test/apis/apps/v1/namespaces/prod/deployments/api?\(query)"])
        #expect(transport.requests.map { $0.headers["Content-Type"] } == [type])
    }

    @Test func aListIsReadPageByPageAndAnewWhenItsPositionExpires() async throws {
        func page(_ names: [String], next: String?) -> Result<HTTPResponse, TransportError> {
            .json(
                200,
                [
                    "kind": "PodList", "metadata": ["resourceVersion": "7", "continue": .optional(next)],
                    "items": .array(names.map { ["metadata": ["name": .string($0)]] }),
                ])
        }
        let transport = ScriptedTransport(
            page(["a"], next: "p1"), .json(410, ["kind": "Status", "reason": "Expired"]), page(["a"], next: "p2"),
            page(["b", "c"], next: ""))
        let list = try await KubernetesClient(.make(), transport: transport).list(
            .pods, namespace: "x", labelSelector: "app=a,b in (c)", pageSize: 2)
        #expect(list.items.compactMap { $0["metadata"]?["name"]?.string } == ["a", "b", "c"])
        #expect(list.resourceVersion == "7")
        #expect(
            transport.requests.map { $0.url.split(separator: "?").last.map(String.init) ?? "" } == [
                "labelSelector=app%3Da%2Cb%20in%20%28c%29&limit=2", "labelSelector=app%3Da%2Cb%20in%20%28c%29&limit=2&continue=p1",
                "labelSelector=app%3Da%2Cb%20in%20%28c%29&limit=2", "labelSelector=app%3Da%2Cb%20in%20%28c%29&limit=2&continue=p2",
            ])
    }

    @Test func aListWhosePagesHaveNoEndIsNotReadWithoutEnd() async throws {
        let page = Result<HTTPResponse, TransportError>.json(
            200, ["kind": "PodList", "metadata": ["resourceVersion": "7", "continue": "again"], "items": []])
        let client = KubernetesClient(.make(), transport: ScriptedTransport(page, page, page))
        let error = await failure { () async throws(KubernetesError) in try await client.list(.pods, namespace: "x") }
        #expect(error?.message.hasSuffix("its pages have no end") == true, "\(String(describing: error))")
    }

    // MARK: - Watching

    @Test func eventsAreReadWhereverTheNetworkCutsThem() async throws {
        let body = """
            {"type":"ADDED","object":{"metadata":{"name":"ä"}}}

            {"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"12"}}}\r
            {"type":"DELETED","object":{"metadata":{"name":"b"}}}
            {"type":"MODIFIED","obj
            """
        let client = KubernetesClient(.make(), transport: ScriptedTransport(.text(200, body)))
        var events: [WatchEvent] = []
        for try await event in try await client.watch(.pods, namespace: "a", from: "7") { events.append(event) }
        #expect(events == [.added(["metadata": ["name": "ä"]]), .bookmark(resourceVersion: "12"), .deleted(["metadata": ["name": "b"]])])
    }

    @Test(arguments: [
        Result<HTTPResponse, TransportError>.json(410, ["kind": "Status", "code": 410, "message": "too old resource version"]),
        .text(200, #"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old resource version"}}"# + "\n"),
    ])
    func aVersionThatIsTooOldIsGoneHoweverItIsSaid(_ answer: Result<HTTPResponse, TransportError>) async {
        let client = KubernetesClient(.make(), transport: ScriptedTransport(answer))
        await #expect {
            for try await _ in try await client.watch(.pods, from: "1") {}
        } throws: { error in
            (error as? KubernetesError)?.code == .gone
        }
    }

    @Test func aWatchOfASimulatedClusterTellsOfARollout() async throws {
        let clock = ManualClock()
        let simulator = KubernetesSimulator(
            world: ["workloads": [["namespace": "prod", "name": "api", "replicas": 1, "history": [["image": "r/api:v1"]]]]], clock: clock)
        let client = KubernetesClient(.make(), transport: SimulatedTransport(["https://cluster.test": simulator]))
        let list = try await client.list(.pods, namespace: "prod")
        #expect(list.items.count == 1)
        _ = try await client.patch(
            .deployments, namespace: "prod", name: "api",
            .strategicMerge(["spec": ["template": ["spec": ["containers": [["name": "api", "image": "r/api:v2"]]]]]]))
        clock.advance(by: .seconds(60))
        var seen: [String] = []
        for try await event in try await client.watch(.pods, namespace: "prod", from: list.resourceVersion) {
            switch event {
            case .added(let pod): seen.append("added \(pod["spec"]?["containers"]?[0]?["image"]?.string ?? "")")
            case .deleted(let pod): seen.append("deleted \(pod["spec"]?["containers"]?[0]?["image"]?.string ?? "")")
            case .modified, .bookmark: continue
            }
            if seen.count == 2 { break }
        }
        #expect(seen == ["added r/api:v2", "deleted r/api:v1"])
        simulator.compact()
        let error = await failure { () async throws(KubernetesError) in try await client.watch(.pods, from: "1") }
        #expect(error?.code == .gone)
    }
}
