import FlyProvider
import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import SpecFields
import Synchronization
import Testing
import YAMLReading

@Suite struct FlyConnectionTests {
    /// Keeps what was sent as `Authorization` and `Cookie`.
    private final class Listening: Transport {
        let inner: SimulatedTransport
        let heard = Mutex<[(url: String, authorization: String, cookie: String?)]>([])

        init(_ inner: SimulatedTransport) { self.inner = inner }

        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            heard.withLock { $0.append((request.url, request.headers["Authorization"] ?? "", request.headers["Cookie"])) }
            return try await inner.send(request)
        }

        func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream { try await inner.stream(request) }
    }

    private func observe(_ token: String, simulated: String) async throws -> (Observation, Listening) {
        let stage = try FlyStage.make(token: simulated)
        let transport = Listening(stage.world.transport)
        var variables = ["FLY_API_TOKEN": token]
        for name in ["FLY_FLAPS_BASE_URL", "FLY_UIEX_BASE_URL", "FLY_API_BASE_URL", "FLY_REGISTRY_URL"] { variables[name] = FlyStage.url }
        let provider = AnyProvider(
            try FlyProvider.connect(
                ProviderEnvironment(variables: variables, transport: transport, now: { Timestamp(millisecondsSinceEpoch: 0) })
            ).get())
        let request = ObservationRequest(component: "worker", pin: .name("v86"))
        _ = await provider.observe(stage.world.component, request)
        return (await provider.observe(stage.world.component, request), transport)
    }

    @Test(arguments: [
        ("fm2_abc", "fm2_abc", "FlyV1 fm2_abc"), ("FlyV1 fm2_abc,fm2_def", "fm2_abc", "FlyV1 fm2_abc,fm2_def"),
        ("Bearer fo1_abc", "fo1_abc", "Bearer fo1_abc"), (" fo1_abc\n", "fo1_abc", "Bearer fo1_abc"),
    ])
    func aTokenIsSentWithTheSchemeOfItsKind(_ token: String, _ simulated: String, _ expected: String) async throws {
        let (observation, transport) = try await observe(token, simulated: simulated)
        #expect(observation.live.declared?.label == "v87 (deployment-87)")
        #expect(observation.candidate("v86")?.routes.isEmpty == false)
        for sent in transport.heard.withLock({ $0 }) {
            if sent.url.contains("/v1/apps/") && !sent.url.contains("/api/v1/") { #expect(sent.authorization == expected) }
            if sent.url.contains("/api/v1/") { #expect(sent.authorization.hasPrefix("Bearer ")) }
            if sent.url.contains("/v2/") { #expect(sent.authorization.hasPrefix("Basic ")) }
        }
    }

    @Test("11.22: the cookie that leads an app's requests to the same place is sent back")
    func theCookieIsKept() async throws {
        let (_, transport) = try await observe("fo1_abc", simulated: "fo1_abc")
        let machines = transport.heard.withLock { $0 }.filter { $0.url.contains("/machines?") }
        #expect(machines.map { $0.cookie == nil } == [true, false])
        #expect(machines.last?.cookie?.hasPrefix("fly_flaps_affinity=") == true && machines.last?.cookie?.contains(";") == false)
    }

    @Test func withoutATokenItSaysWhereToGetOne() throws {
        let environment = ProviderEnvironment(
            variables: [:], transport: SimulatedTransport([:]), now: { Timestamp(millisecondsSinceEpoch: 0) })
        guard case .failure(let problem) = FlyProvider.connect(environment) else {
            Issue.record("connected")
            return
        }
        #expect(problem.reason == "TokenMissing" && problem.next?.contains("fly tokens create deploy") == true)
    }

    @Test func theVendorsIdOfARequestIsToldForASupportCase() async throws {
        let stage = try FlyStage.make()
        stage.inject(Fault(method: .get, .answer(status: 503, headers: ["fly-request-id": "01REQUEST-fra"], body: #"{"msg":"later"}"#)))
        let problem = await stage.observe().live.problem
        #expect(problem?.message == "fly/worker: 503 while listing machines: later (request 01REQUEST-fra)")
    }

    @Test func aTargetIsReadBackAsItIsRemembered() throws {
        let target = FlyTarget(app: "worker", processGroup: "web", strategy: .immediate, maxUnavailable: "2")
        #expect(FlyProvider.registration.target(target.text) as? FlyTarget == target)
        #expect(target.identity == "worker/web" && target.scope == "fly/worker/web")
        #expect(FlyTarget(app: "worker").identity == "worker")
    }
}
