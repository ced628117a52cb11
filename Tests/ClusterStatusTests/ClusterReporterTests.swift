import ClusterSource
import ControlLoop
import Execution
import HTTPCore
import JSONValues
import KubernetesAPI
import Model
import Sources
import Synchronization
import Testing

@testable import ClusterStatus

/// What is written, to an API server whose answers a test gives.
@Suite(.timeLimit(.minutes(1))) struct ClusterReporterTests {
    /// Answers writes by their number, counted from 1, and keeps them.
    final class FakeAPI: Transport {
        private let answers: @Sendable (Int) -> Int?
        private let log = Mutex<[(String, JSON)]>([])

        /// Those of the object that it answers with.
        private let finalizers: [JSON]

        init(finalizers: [JSON] = [], _ answers: @escaping @Sendable (Int) -> Int? = { _ in 200 }) {
            self.answers = answers
            self.finalizers = finalizers
        }

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
                ? ClusterReporterTests.object(version: 9, finalizers: finalizers)
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

    static func object(version: Int = 1, status: JSON? = nil, finalizers: [JSON] = [], isLeaving: Bool = false) -> JSON {
        var json: JSON = [
            "apiVersion": "belay.dev/v1alpha1", "kind": "System",
            "metadata": [
                "name": "shop", "namespace": "prod", "uid": "u", "resourceVersion": .string(String(version)), "generation": 1,
                "finalizers": .array(finalizers),
            ], "spec": [:],
        ]
        json["status"] = status
        if isLeaving { json["metadata"]?["deletionTimestamp"] = "2026-12-01T00:00:00Z" }
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

    @Test func everyPhaseIsWrittenInItsOrder() async throws {
        let api = FakeAPI()
        let phases = [Phase.preflight, .guard, .retreat, .migrateDown, .finish]
        let requests = try await Self.written([Self.loaded] + phases.map { .execution(Self.shop, .phaseEntered($0)) }, to: api)
        #expect(
            requests == [
                "PATCH prod/systems/shop/status Pending", "PATCH prod/systems/shop/status Preflight",
                "PATCH prod/systems/shop/status Guard",
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

    @Test func aRevisionThatMovesNothingLeavesWhatWasSeen() async throws {
        var sheet = StatusSheet()
        sheet.load(Revision(.commit, "aaaaaaaaaaaaaaaa"), generation: 1)
        sheet.enter(.verify)
        let object = Self.object(status: sheet.json(after: nil, at: StatusSheetTests.start))
        let next = Revision(.commit, "bbbbbbbbbbbbbbbb")
        let loaded = LoopEvent.loaded(next, [Self.shop], notes: [])
        let kept = FakeAPI()
        let written = try await Self.written([.unmoved(next, [Self.shop]), loaded], to: kept, object: object)
        #expect(written == ["PATCH prod/systems/shop/status \(Phase.verify.word)"])
        #expect(kept.bodies.first?["status"]?["revision"]?.string?.hasPrefix("bbbb") ?? false)
        #expect(try await Self.written([loaded], to: FakeAPI(), object: object) == ["PATCH prod/systems/shop/status Pending"])
    }

    @Test func aFinalizerThatWasJustSetIsTakenAwayThoughItWasNeverSeen() async throws {
        // Who makes one pass does not watch: what it knows of the object is as it was at the start.
        let api = FakeAPI(finalizers: ["belay.dev/fences"])
        let known = SystemObject(Self.object())
        _ = try await Self.working(with: api, on: known) { reporter in
            let problem = await reporter.promise(to: Self.shop)
            reporter.take(.letGo(LettingGo(Self.shop, problems: []), again: nil))
            for _ in 0..<5000 where !api.requests.contains("PATCH prod/systems/shop []") { await Task.yield() }
            return problem
        }
        let finalizers = api.requests.filter { !$0.contains("status") && !$0.contains("events") }
        #expect(
            finalizers == [
                #"PATCH prod/systems/shop ["belay.dev/fences"]"#, "GET prod/systems/shop ", "PATCH prod/systems/shop []",
            ])
    }

    @Test func mistakesAreWrittenAndToldAsAnEvent() async throws {
        let api = FakeAPI()
        let rejected = LoopEvent.rejected(Revision(.generation, "u/1"), mistakes: ["spec.x: unknown"], watched: [], origin: "prod/shop")
        #expect(try await Self.written([rejected], to: api) == ["PATCH prod/systems/shop/status Invalid", "POST events SpecInvalid"])
        let event = try #require(api.bodies.last)
        #expect(event["involvedObject"]?["uid"] == "u" && event["type"] == "Warning" && event["message"] == "spec.x: unknown")
        #expect(event["reportingInstance"] == "pod-1")
    }

    @Test func mistakesThatTheStatusTellsAlreadyAreNotToldAgain() async throws {
        // By this process before it started again, or by the replica that had the system.
        var sheet = StatusSheet()
        sheet.reject(["spec.x: unknown"], generation: 1)
        let object = Self.object(status: sheet.json(after: nil, at: StatusSheetTests.start))
        func rejected(_ mistake: String) -> LoopEvent {
            .rejected(Revision(.generation, "u/1"), mistakes: [mistake], watched: [], origin: "prod/shop")
        }
        #expect(try await Self.written([rejected("spec.x: unknown")], to: FakeAPI(), object: object).isEmpty)
        let other = try await Self.written([rejected("spec.y: unknown")], to: FakeAPI(), object: object)
        #expect(other == ["PATCH prod/systems/shop/status Invalid", "POST events SpecInvalid"])
        // An answer that is lost costs no event.
        let lost = FakeAPI { $0 == 1 ? nil : 200 }
        #expect(try await Self.written([rejected("spec.y: unknown")], to: lost, object: object).last == "POST events SpecInvalid")
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

    @Test(
        arguments: [
            (object(), [200], [#"PATCH prod/systems/shop ["belay.dev/fences"]"#], nil, "it has none"),
            (
                object(finalizers: ["other.example/x"]), [200], [#"PATCH prod/systems/shop ["other.example/x","belay.dev/fences"]"#], nil,
                "those of others stay"
            ),
            (
                object(finalizers: ["belay.dev/fences"]), [200],
                ["GET prod/systems/shop ", #"PATCH prod/systems/shop ["belay.dev/fences"]"#], nil,
                "it seemed to have it, and somebody took it away"
            ),
            (
                object(), [409, 200, 200],
                [
                    #"PATCH prod/systems/shop ["belay.dev/fences"]"#, "GET prod/systems/shop ",
                    #"PATCH prod/systems/shop ["belay.dev/fences"]"#,
                ], nil, "somebody wrote it at the same time"
            ),
            (object(), [503], [#"PATCH prod/systems/shop ["belay.dev/fences"]"#], "no", "who waits is told at once, and asks again"),
            (object(isLeaving: true), [200], [], "it is being deleted", "it takes none any more"),
            (nil, [200], [], "it is not there any more", "nobody would undo anything"),
        ] as [(JSON?, [Int], [String], String?, String)])
    func whoIsPromisedThatAnObjectStaysKnowsThatTheFinalizerStands(
        object: JSON?, answers: [Int], requests: [String], refusal: String?, why: String
    ) async throws {
        let api = FakeAPI { answers[min($0, answers.count) - 1] }
        let known = object.flatMap { SystemObject($0) }
        let problem = try await Self.working(with: api, on: known) { await $0.promise(to: Self.shop) }
        #expect(api.requests == requests, "\(why)")
        if let refusal { #expect(problem?.message.contains(refusal) ?? false, "\(why)") } else { #expect(problem == nil, "\(why)") }
    }

    @Test func aPromiseWaitsForNothingThatCannotBeWritten() async throws {
        // The status is not taken; the finalizer is.
        let api = FakeAPI { $0 == 2 ? 200 : 503 }
        let problem = try await Self.working(with: api, on: SystemObject(Self.object()), clock: ContinuousClock()) { reporter in
            reporter.take(Self.loaded)
            for _ in 0..<2000 where api.requests.isEmpty { await Task.yield() }
            return await reporter.promise(to: Self.shop)
        }
        #expect(problem == nil)
        #expect(api.requests.prefix(2) == ["PATCH prod/systems/shop/status Pending", #"PATCH prod/systems/shop ["belay.dev/fences"]"#])
    }

    private static func working(
        with api: FakeAPI, on object: SystemObject?, clock: any Clock<Duration> = ImmediateClock(),
        _ body: (ClusterReporter) async -> Problem?
    ) async throws -> Problem? {
        let reporter = ClusterReporter(
            try api.client, guards: true, instance: "pod-1", clock: clock, now: { StatusSheetTests.start }, objects: { _ in object },
            survey: { _, _ in nil }, complain: { _ in })
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await reporter.run() }
            let problem = await body(reporter)
            group.cancelAll()
            return problem
        }
    }

    private static let blog = SystemID(namespace: "prod", name: "blog")
    private static let generation = Revision(.generation, "u/1")

    @Test(
        arguments: [
            (.loaded(generation, [blog, shop], notes: []), "loaded prod/shop", "each tells of its own"),
            (.loaded(generation, [blog], notes: []), nil, "it is another's"),
            (
                .rejected(generation, mistakes: ["x"], watched: [shop, blog], origin: "git"), "rejected git prod/shop",
                "each tells of its own"
            ),
            (.rejected(generation, mistakes: ["x"], watched: [blog], origin: "prod/blog"), nil, "it is another's"),
            (
                .rejected(generation, mistakes: ["x"], watched: [], origin: "prod/shop"), "rejected prod/shop ",
                "an object that never loaded"
            ),
            (.rejected(generation, mistakes: ["x"], watched: [], origin: "prod/blog"), nil, "another's object that never loaded"),
            (.unreadable(SourceError(.unreadable, "x"), watched: [shop], origin: ""), "unreadable  prod/shop", "as with mistakes"),
            (.unreadable(SourceError(.unreadable, "x"), watched: [blog], origin: ""), nil, "as with mistakes"),
            (.tookOver([shop], .loaded(generation, [blog, shop], notes: [])), "loaded prod/shop", "what was told before is caught up on"),
            (
                .tookOver([shop], .rejected(generation, mistakes: ["x"], watched: [], origin: "prod/shop")), "rejected prod/shop ",
                "mistakes too"
            ),
            (.tookOver([blog], .loaded(generation, [blog, shop], notes: [])), nil, "it was another's again meanwhile"),
        ] as [(LoopEvent, String?, String)])
    func ofWhatAllReplicasReadOneTells(event: LoopEvent, words: String?, why: String) {
        let shared = event.share { $0 == Self.shop }
        let told: String? =
            switch shared {
            case .loaded(_, let systems, _): "loaded \(systems.map(\.description).joined(separator: " "))"
            case .rejected(_, _, let watched, let origin): "rejected \(origin) \(watched.map(\.description).joined(separator: " "))"
            case .unreadable(_, let watched, let origin): "unreadable \(origin) \(watched.map(\.description).joined(separator: " "))"
            default: nil
            }
        #expect(told == words, "\(why)")
    }
}
