import ClusterSource
import ControlLoop
import Execution
import HTTPCore
import JSONValues
import KubernetesAPI
import Model
import Synchronization
import Testing

@testable import ClusterStatus

/// What is written, to an API server whose answers a test gives.
@Suite(.timeLimit(.minutes(1))) struct ClusterReporterTests {
    /// Answers writes by their number, counted from 1, and keeps them.
    final class FakeAPI: Transport {
        private let answers: @Sendable (Int) -> Int?
        private let log = Mutex<[(String, JSON)]>([])

        init(_ answers: @escaping @Sendable (Int) -> Int? = { _ in 200 }) { self.answers = answers }

        /// `PATCH …/systems/shop/status Pending`.
        var requests: [String] {
            log.withLock { $0 }.map { url, body in
                let what = body["status"]?["phase"]?.string ?? body["reason"]?.string ?? body["count"].map { "count \($0)" }
                return url + " " + (what ?? body["metadata"]?["finalizers"]?.description ?? "")
            }
        }

        var bodies: [JSON] { log.withLock { $0.map(\.1) } }

        func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
            let path = request.url.split(separator: "?")[0].split(separator: "/").dropFirst(6).joined(separator: "/")
            let body = (request.body.isEmpty ? nil : try? JSON(parsing: request.body)) ?? [:]
            let number = log.withLock { log in
                log.append(("\(request.method.rawValue) \(path)", body))
                return log.count
            }
            guard let status = answers(number) else { throw TransportError(.connect, "refused", mayHaveTakenEffect: false) }
            let answer: JSON =
                status < 300
                ? ClusterReporterTests.object(version: 9)
                : ["kind": "Status", "code": .integer(status), "reason": "X", "message": "no"]
            return HTTPResponse(status: status, headers: [:], body: answer.bytes)
        }

        func stream(_ request: HTTPRequest) async throws(TransportError) -> HTTPStream {
            throw TransportError(.badURL, "nothing is watched here", mayHaveTakenEffect: false)
        }

        var client: KubernetesClient {
            get throws {
                let kubeconfig = """
                    {apiVersion: v1, kind: Config, current-context: t, contexts: [{name: t, context: {cluster: c, user: u}}],
                     clusters: [{name: c, cluster: {server: "https://cluster.test"}}], users: [{name: u, user: {token: secret-token}}]}
                    """
                let environment = ClusterEnvironment(
                    variables: ["KUBECONFIG": "/k"], now: { StatusSheetTests.start }, read: { _ in Array(kubeconfig.utf8) })
                return KubernetesClient(try ClusterConnection.load(context: nil, environment: environment), transport: self)
            }
        }
    }

    static func object(version: Int = 1, status: JSON? = nil, finalizers: [JSON] = []) -> JSON {
        var json: JSON = [
            "apiVersion": "belay.dev/v1alpha1", "kind": "System",
            "metadata": [
                "name": "shop", "namespace": "prod", "uid": "u", "resourceVersion": .string(String(version)), "generation": 1,
                "finalizers": .array(finalizers),
            ], "spec": [:],
        ]
        json["status"] = status
        return json
    }

    private static let shop = SystemID(namespace: "prod", name: "shop")
    private static let loaded = LoopEvent.loaded(Revision(.generation, "u/1"), [shop], notes: [])

    /// What is written for these events; what was complained of goes to `complaints`.
    private static func written(
        _ events: [LoopEvent], to api: FakeAPI, object: JSON? = object(), complaints: Complaints = Complaints()
    ) async throws -> [String] {
        let known = object.flatMap { SystemObject($0) }
        let reporter = ClusterReporter(
            try api.client, guards: true, instance: "pod-1", clock: ImmediateClock(), now: { StatusSheetTests.start },
            objects: { _ in known },
            survey: { _, _ in nil }, complain: { complaint in complaints.all.withLock { $0.append(complaint) } })
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await reporter.run() }
            for event in events { reporter.take(event) }
            // Retries come before the end.
            for _ in 0..<200 where api.requests.count < 40 { await Task.yield() }
            do { try await Task.sleep(for: .milliseconds(50)) } catch {}
            reporter.finish()
        }
        return api.requests
    }

    final class Complaints: Sendable {
        let all = Mutex<[String]>([])
    }

    /// Every pause is over at once.
    struct ImmediateClock: Clock {
        typealias Instant = ContinuousClock.Instant
        var now: Instant { .now }
        var minimumResolution: Duration { .zero }
        func sleep(until deadline: Instant, tolerance: Duration?) async throws { try Task.checkCancellation() }
    }

    @Test func everyPhaseIsWrittenInItsOrderAndTheFinalizerBeforeAnythingIsFenced() async throws {
        let api = FakeAPI()
        let phases = [Phase.preflight, .guard, .retreat, .migrateDown, .finish]
        let requests = try await Self.written([Self.loaded] + phases.map { .execution(Self.shop, .phaseEntered($0)) }, to: api)
        #expect(
            requests == [
                "PATCH prod/systems/shop/status Pending", "PATCH prod/systems/shop/status Preflight",
                #"PATCH prod/systems/shop ["belay.dev/fences"]"#, "PATCH prod/systems/shop/status Guard",
                "PATCH prod/systems/shop/status Retreat", "PATCH prod/systems/shop/status MigrateDown",
                "PATCH prod/systems/shop/status Finish",
            ])
        #expect(api.bodies.allSatisfy { $0["metadata"]?["uid"] == "u" }, "never on another object of the same name")
    }

    @Test func whatStandsAlreadyIsNotWrittenAgain() async throws {
        var sheet = StatusSheet()
        sheet.load(Revision(.generation, "u/1"), generation: 1)
        let object = Self.object(status: sheet.json(after: nil, at: StatusSheetTests.start))
        let api = FakeAPI()
        #expect(try await Self.written([Self.loaded, Self.loaded], to: api, object: object).isEmpty)
    }

    @Test func mistakesAreWrittenAndToldAsAnEvent() async throws {
        let api = FakeAPI()
        let rejected = LoopEvent.rejected(Revision(.generation, "u/1"), mistakes: ["spec.x: unknown"], watched: [], origin: "prod/shop")
        #expect(try await Self.written([rejected], to: api) == ["PATCH prod/systems/shop/status Invalid", "POST events SpecInvalid"])
        let event = try #require(api.bodies.last)
        #expect(event["involvedObject"]?["uid"] == "u" && event["type"] == "Warning" && event["message"] == "spec.x: unknown")
        #expect(event["reportingInstance"] == "pod-1")
    }

    @Test(
        arguments: [
            ([nil, nil, 200], 3, 1, "no answer: again"), ([503, 200], 2, 1, "an answer that passes: again"),
            ([409, 200], 2, 1, "somebody was faster: again"), ([404], 1, 0, "it is gone: nothing more"),
            ([422], 1, 1, "it is refused for what it is: told, and not again"),
        ] as [([Int?], Int, Int, String)])
    func whatIsNotTakenIsTriedAgainWhereThatMayHelp(answers: [Int?], count: Int, complaints: Int, why: String) async throws {
        let api = FakeAPI { answers[min($0, answers.count) - 1] }
        let told = Complaints()
        #expect(try await Self.written([Self.loaded], to: api, complaints: told).count == count, "\(why)")
        #expect(told.all.withLock { $0.count } == complaints, "\(why)")
        #expect(!told.all.withLock { $0.joined() }.contains("secret-token"))
    }

    @Test func anObjectThatNobodyKnowsGetsNothing() async throws {
        #expect(try await Self.written([Self.loaded], to: FakeAPI(), object: nil).isEmpty)
    }

    @Test func aFinalizerIsSetOnceAmongOthers() async throws {
        let guarding = LoopEvent.execution(Self.shop, .phaseEntered(.guard))
        let api = FakeAPI()
        let others = try await Self.written([guarding], to: api, object: Self.object(finalizers: ["other.example/x"]))
        #expect(others.first == #"PATCH prod/systems/shop ["other.example/x","belay.dev/fences"]"#)
        let present = try await Self.written([guarding], to: FakeAPI(), object: Self.object(finalizers: ["belay.dev/fences"]))
        #expect(present == ["PATCH prod/systems/shop/status Guard"])
    }
}
