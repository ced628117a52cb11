import HTTPCore
import JSONValues
import KubernetesProvider
import Model
import ProviderKit
import Simulators
import Testing

/// Several components at once: for how many requests, and that of each the same is said as when it is observed alone.
struct ListingTests {
    private typealias Question = (component: Component, request: ObservationRequest)

    /// In place: its workload tells everything.
    private static func question(_ target: KubernetesTarget) -> Question {
        let component = Component(name: target.workload.name, target: target, release: .name("v1"))
        let resolution = Resolution(
            pin: component.release, identity: ArtifactIdentity(.image, "registry.test/api:v1"), label: "v1", revision: .test)
        return (component, ObservationRequest(component: component.name, pin: component.release, resolution: resolution))
    }

    private static func questions(_ names: [String], namespace: String = "prod") -> [Question] {
        names.map { question(KubernetesTarget(namespace: namespace, .deployment($0))) }
    }

    private static func workloads(_ names: [String], kind: String = "Deployment", namespace: String = "prod") -> [JSON] {
        names.map { Cluster.workload(kind: kind, name: $0, replicas: 1, images: ["v1"], ["namespace": .string(namespace)]) }
    }

    private static func names(_ prefix: String, _ count: Int) -> [String] { (0..<count).map { "\(prefix)-\(1000 + $0)" } }

    /// Asks, and says for how many requests.
    private static func cost(_ cluster: Cluster, _ questions: [Question]) async -> (observations: [Observation], cost: Int) {
        let before = cluster.transport.received.count
        let observations = await cluster.provider.observe(all: questions)
        return (observations, cluster.transport.received.count - before)
    }

    // MARK: - What it costs

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var wanted: Int
        /// Others of the namespace, which the list brings first.
        var others = 0
        var world: JSON = [:]
        /// The first time, and the second.
        var costs: [Int]
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "one is asked for by itself", wanted: 1, costs: [1, 1]),
        Case(why: "of two a list would save one request, or cost one", wanted: 2, costs: [2, 2]),
        Case(why: "three come with one list", wanted: 3, costs: [1, 1]),
        Case(why: "many come with few pages, others of their namespace between them", wanted: 40, others: 20, costs: [6, 6]),
        Case(why: "two pages are less than three requests", wanted: 3, others: 12, costs: [2, 2]),
        Case(why: "what only one further page would bring is asked for by itself", wanted: 5, others: 6, costs: [2, 2]),
        Case(why: "among too many others the rest is not read, and the next time nothing", wanted: 3, others: 60, costs: [4, 3]),
        Case(
            why: "where the list may not be read it is not asked for again", wanted: 3,
            world: ["forbidden": [["verb": "list", "resource": "deployments"]]], costs: [4, 3]),
    ]

    private static let pageSize = 10

    @Test(arguments: cases)
    func asksForNoMoreThanItMust(_ item: Case) async throws {
        let wanted = Self.names("web", item.wanted)
        let cluster = try Cluster(Self.workloads(Self.names("aside", item.others) + wanted), item.world, pageSize: Self.pageSize)
        for cost in item.costs {
            let (observations, made) = await Self.cost(cluster, Self.questions(wanted))
            #expect(made == cost)
            #expect(observations.allSatisfy { $0.settlement == .settled && $0.live.declared != nil })
        }
    }

    @Test func whatWasFoundOutOfAListHoldsForTenMinutes() async throws {
        let wanted = Self.names("web", 3)
        let cluster = try Cluster(Self.workloads(Self.names("aside", 60) + wanted))
        var costs: [Int] = []
        for _ in 0..<5 {
            costs.append(await Self.cost(cluster, Self.questions(wanted)).cost)
            cluster.clock.advance(by: .seconds(240))
        }
        #expect(costs == [4, 3, 3, 4, 3])
    }

    @Test func eachNamespaceAndEachKindIsAListOfItsOwn() async throws {
        let names = Self.names("web", 4)
        let cluster = try Cluster(
            Self.workloads(names) + Self.workloads(names, kind: "StatefulSet") + Self.workloads(names, namespace: "test"))
        let stateful = names.map { Self.question(KubernetesTarget(namespace: "prod", .statefulSet($0))) }
        let questions = Self.questions(names) + stateful + Self.questions(names, namespace: "test")
        let (observations, cost) = await Self.cost(cluster, questions)
        #expect(cost == 3)
        #expect(observations.allSatisfy { $0.settlement == .settled })
    }

    @Test func passesThatBeginTogetherTryAListOnce() async throws {
        let wanted = Self.names("web", 3)
        let cluster = try Cluster(Self.workloads(Self.names("aside", 60) + wanted))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { _ = await cluster.provider.observe(all: Self.questions(wanted)) } }
        }
        #expect(cluster.transport.received.count { $0.path.contains("limit=") } == 1)
    }

    // MARK: - What it says

    @Test func saysOfEachWhatIsSaidOfItAlone() async throws {
        let history: JSON = [["image": "registry.test/api:v1"], ["image": "registry.test/api:v2"]]
        let two: JSON = ["history": history, "containers": [["name": "api"], ["name": "proxy", "image": "registry.test/proxy:v7"]]]
        let cluster = try Cluster(
            [
                Cluster.workload(name: "rest", images: ["v1"]), Cluster.workload(name: "behind", images: ["v1", "v2"]),
                Cluster.workload(name: "paused", images: ["v1"], ["paused": true]),
                Cluster.workload(name: "broken", images: ["v1", "v9"]), Cluster.workload(name: "two", two),
                Cluster.workload(name: "owned", images: ["v1"], ["labels": ["argocd.argoproj.io/instance": "shop"]]),
                Cluster.workload(name: "none", replicas: 0, images: ["v1"]),
            ] + Self.workloads(["set"], kind: "StatefulSet") + Self.workloads(["daemon"], kind: "DaemonSet"),
            ["brokenImages": [":v9"]])
        var targets = ["rest", "behind", "paused", "broken", "two", "owned", "none", "nobody"].map {
            KubernetesTarget(namespace: "prod", .deployment($0))
        }
        targets += ["api", "proxy", "nothing"].map { KubernetesTarget(namespace: "prod", .deployment("two"), container: $0) }
        targets += [
            KubernetesTarget(namespace: "prod", .statefulSet("set")), KubernetesTarget(namespace: "prod", .daemonSet("daemon")),
            KubernetesTarget(namespace: "nowhere", .deployment("rest")),
            KubernetesTarget(namespace: "prod", .deployment("rest"), context: "unheard-of"),
        ]
        let questions = targets.map(Self.question)
        let together = await cluster.provider.observe(all: questions)
        // The others are for what is said of those that are not there.
        #expect(cluster.transport.received.count { $0.path.contains("/prod/deployments?limit=") && !$0.path.hasSuffix("limit=20") } == 1)
        #expect(together.count == questions.count)
        for (question, observation) in zip(questions, together) {
            let alone = await cluster.provider.observe(question.component, question.request)
            #expect(observation == alone, "\(question.component.target.identity)")
        }
    }

    // MARK: - When it fails

    private static func listed(_ kind: Fault.Kind, at path: String = "/deployments?limit=", skip: Int = 0, times: Int? = nil) -> Fault {
        Fault(method: .get, path: path, kind, skip: skip, times: times)
    }

    private static func answer(_ status: Int, _ headers: HTTPHeaders = [:]) -> Fault.Kind {
        .answer(
            status: status, headers: headers,
            body: (["kind": "Status", "message": "not now", "code": .integer(status)] as JSON).description)
    }

    struct Failure: Sendable, CustomTestStringConvertible {
        var why: String
        var kind: Fault.Kind
        /// Of ten that are wanted, on two pages.
        var cost: Int
        var isKnown: Bool
        var testDescription: String { why }
    }

    static let failures = [
        Failure(why: "a list alone is refused: each is asked for", kind: answer(403), cost: 11, isKnown: true),
        Failure(why: "a list alone cannot be made: each is asked for", kind: answer(500), cost: 11, isKnown: true),
        Failure(why: "a list is not understood: each is asked for", kind: answer(400), cost: 11, isKnown: true),
        Failure(why: "no credential, for one as for all", kind: answer(401), cost: 1, isKnown: false),
        Failure(why: "too much is asked: nothing more is", kind: answer(429, ["Retry-After": "7"]), cost: 1, isKnown: false),
        Failure(why: "overloaded: nothing more is asked", kind: answer(503), cost: 1, isKnown: false),
        Failure(why: "no answer", kind: .dropBefore, cost: 1, isKnown: false),
        Failure(why: "half an answer", kind: .truncate, cost: 1, isKnown: false),
    ]

    @Test(arguments: failures)
    func aListThatFailsIsNeverAnEmptyOne(_ item: Failure) async throws {
        let wanted = Self.names("web", 10)
        let cluster = try Cluster(Self.workloads(wanted))
        cluster.transport.faults.add(Self.listed(item.kind))
        let (observations, cost) = await Self.cost(cluster, Self.questions(wanted))
        #expect(cost == item.cost)
        for (name, observation) in zip(wanted, observations) {
            #expect((observation.live.problem == nil) == item.isKnown)
            #expect((observation.settlement == .settled) == item.isKnown)
            if let problem = observation.live.problem { #expect(problem.message.hasPrefix("kubernetes/\(name): ")) }
        }
        cluster.transport.faults.removeAll()
        let after = await cluster.provider.observe(all: Self.questions(wanted))
        #expect(after.allSatisfy { $0.settlement == .settled })
    }

    @Test(arguments: [(answer(504), 10), (.dropBefore, 10), (answer(429), 1)])
    func aListThatTheServerDoesNotManageIsNotAskedForAtTheNextLook(_ kind: Fault.Kind, cost: Int) async throws {
        let wanted = Self.names("web", 10)
        let cluster = try Cluster(Self.workloads(wanted))
        cluster.transport.faults.add(Self.listed(kind, times: 9))
        #expect(await cluster.provider.observe(all: Self.questions(wanted)).allSatisfy { $0.live.problem != nil })
        let (observations, again) = await Self.cost(cluster, Self.questions(wanted))
        #expect(again == cost)
        #expect(observations.allSatisfy { ($0.live.problem == nil) == (cost == 10) })
    }

    @Test func aPageThatFailsLeavesKnownWhatCameBefore() async throws {
        let wanted = Self.names("web", 5)
        let cluster = try Cluster(Self.workloads(Self.names("other", 8) + wanted), pageSize: Self.pageSize)
        cluster.transport.faults.add(Self.listed(Self.answer(429, ["Retry-After": "7"]), at: "continue="))
        let (observations, cost) = await Self.cost(cluster, Self.questions(wanted))
        #expect(cost == 2)
        #expect(observations.map(\.live.problem?.retryAfter) == [nil, nil, .seconds(7), .seconds(7), .seconds(7)])
        #expect(observations.prefix(2).allSatisfy { $0.settlement == .settled })
    }

    @Test func anExpiredPositionBeginsTheListAnew() async throws {
        let wanted = Self.names("web", 5)
        let cluster = try Cluster(Self.workloads(Self.names("other", 8) + wanted), pageSize: Self.pageSize)
        let expired = Self.answer(410)
        cluster.transport.faults.add(Self.listed(expired, at: "continue=", times: 1))
        let first = await Self.cost(cluster, Self.questions(wanted))
        #expect(first.cost == 4)
        #expect(first.observations.allSatisfy { $0.settlement == .settled })
        cluster.transport.faults.add(Self.listed(expired, at: "continue="))
        let second = await Self.cost(cluster, Self.questions(wanted))
        #expect(second.cost == 4 + 3, "two pages, each after an expired one, then one for each of the three that are missing")
        #expect(second.observations.allSatisfy { $0.settlement == .settled })
    }

    @Test func pagesWithoutEndEndWhereTheirCostDoes() async throws {
        let wanted = Self.names("web", 6)
        let cluster = try Cluster(Self.workloads(wanted))
        let page: JSON = ["kind": "DeploymentList", "metadata": ["continue": "more"], "items": []]
        cluster.transport.faults.add(Self.listed(.answer(status: 200, headers: [:], body: page.description)))
        let (observations, cost) = await Self.cost(cluster, Self.questions(wanted))
        #expect(cost <= 2 * wanted.count)
        #expect(observations.allSatisfy { $0.settlement == .settled })
    }
}
