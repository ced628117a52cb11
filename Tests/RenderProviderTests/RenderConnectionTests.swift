import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import RenderProvider
import Simulators
import Testing

@Suite struct RenderConnectionTests {
    private func connect(_ variables: [String: String]) -> Result<RenderProvider, Problem> {
        RenderProvider.connect(
            ProviderEnvironment(variables: variables, transport: SimulatedTransport([:]), now: { Timestamp(millisecondsSinceEpoch: 0) }))
    }

    @Test(arguments: [[:], ["RENDER_API_KEY": ""]]) func aMissingKeySaysWhatToSetAndWhereToGetOne(_ variables: [String: String]) {
        guard case .failure(let problem) = connect(variables) else {
            Issue.record("connected without a key")
            return
        }
        #expect(
            problem.description
                == "render: RENDER_API_KEY is not set; create an API key at https://dashboard.render.com/settings#api-keys and set RENDER_API_KEY to it"
        )
    }

    @Test func anAddressThatIsNoURLIsRefusedWithoutShowingIt() {
        guard case .failure(let problem) = connect(["RENDER_API_KEY": "secret-key", "RENDER_API_URL": "user:secret-key@host"]) else {
            Issue.record("connected to no URL")
            return
        }
        #expect(problem.reason == "BadURL")
        #expect(!problem.description.contains("secret-key"))
    }

    @Test(arguments: ["", "/", "/v1", "/v1/"]) func theAddressMayHoldTheVersion(_ suffix: String) async throws {
        let stage = try RenderStage.make()
        let provider = try RenderProvider.connect(
            ProviderEnvironment(
                variables: ["RENDER_API_KEY": RenderStage.token, "RENDER_API_URL": RenderStage.url + suffix],
                transport: stage.world.transport, now: { Timestamp(millisecondsSinceEpoch: 0) })
        ).get()
        let observation = await provider.observe(
            RenderTarget(service: "srv-api"), ObservationRequest(component: "web", pin: .name("dep-a")))
        #expect(observation.live.declared?.id == "dep-c")
    }

    @Test func aServiceGoesByItsNameIfNoOtherHasIt() async throws {
        let stage = try RenderStage.make(target: "api")
        let walk = Walk(stage)
        #expect(await walk.run() == .arrived)
        let (change, intent) = try stage.world.change(after: await stage.observe(.name("dep-b")))
        let result = await stage.world.provider.setAutomation(
            FenceChange(.raise, name: "autoDeploy", from: "commit", to: "off"), of: stage.world.component.target,
            ApplyRequest(component: "web", intent: intent, revision: change.resolution.revision))
        #expect(result == .accepted(["operation": "autoDeploy", "value": "off"]))
        #expect(await stage.state["autoDeploy"]?.string == "off")
    }

    @Test func twoServicesOfOneNameAreToldByTheirIDs() async throws {
        let stage = try RenderStage.make(target: "api")
        let two = #"[{"service":{"id":"srv-2","name":"api"},"cursor":"a"},{"service":{"id":"srv-1","name":"api"},"cursor":"b"}]"#
        stage.inject(Fault(method: .get, path: "/services?", .answer(status: 200, headers: [:], body: two)))
        let problem = await stage.observe().live.problem
        #expect(problem?.reason == "AmbiguousName")
        #expect(problem?.message == "render/web: 2 services are called api: srv-1, srv-2")
    }

    @Test func anUnknownNameSaysWhereItWasLookedFor() async throws {
        let problem = await (try RenderStage.make(target: "apj")).observe().live.problem
        #expect(problem?.message == "render/web: no service is called apj")
        #expect(problem?.next?.contains("RENDER_API_KEY") == true)
    }

    @Test func anErrorNamesTheRequest() async throws {
        let stage = try RenderStage.make()
        stage.inject(
            Fault(
                .answer(
                    status: 403, headers: ["Render-Request-Id": "abc123"], body: #"{"message":"forbidden"}"#)))
        #expect(await stage.observe().live.problem?.message == "render/web: 403 while reading service srv-api: forbidden (request abc123)")
    }

    @Test(arguments: [
        ("Ratelimit-Remaining: 0|Ratelimit-Reset: 54", 54),
        ("Ratelimit-Remaining: 0|Ratelimit-Reset: 1795392030|Date: Mon, 23 Nov 2026 00:00:00 GMT", 30),
        ("Retry-After: 7|Ratelimit-Remaining: 0|Ratelimit-Reset: 54", 7),
    ])
    func theResetOfALimitIsReadAsSecondsOrAsATime(_ lines: String, _ seconds: Int) async throws {
        var headers = HTTPHeaders()
        for line in lines.split(separator: "|") {
            let halves = line.split(separator: " ", maxSplits: 1)
            headers.append(String(halves[0].dropLast()), String(halves[1]))
        }
        let stage = try RenderStage.make()
        stage.inject(Fault(.answer(status: 429, headers: headers, body: #"{"message":"rate limit exceeded"}"#)))
        #expect(await stage.observe().live.problem?.retryAfter == .seconds(seconds))
    }

    @Test func aServiceThatNeverServedHasNothingLive() async throws {
        let stage = try RenderStage.make(pin: .commit(RenderStage.shaA), allowRebuild: true, api: { $0["deploys"] = [] })
        let observation = await stage.observe()
        #expect(observation.live == .nothing)
        #expect(observation.candidate(RenderStage.shaA)?.routes.first?.means == "build of commit aaaaaaa")
    }

    @Test func theHistoryHoldsEveryDeployWithItsWays() async throws {
        let stage = try RenderStage.make()
        let history = await stage.observe(depth: .history)
        #expect(history.candidates.map(\.release.id) == ["dep-c", "dep-x", "dep-b", "dep-a"])
        #expect(history.routes(to: "dep-b").map(\.class) == [.instant, .minutes])
        #expect(history.routes(to: "dep-b").last?.refusal?.reason == "RebuildNotAllowed")
        #expect(history.routes(to: "dep-x").first?.refusal?.message == "render/web: dep-x is build_failed")
        #expect(history.candidate("dep-a")?.release.label == "dep-a (aaaaaaa)")
        #expect(history.candidate("dep-a")?.release.note == "First")
    }
}
