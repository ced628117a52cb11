import JSONValues
import Model
import Planning
import ProviderKit
import Simulators
import Testing

@testable import KubernetesProvider

/// What an observation costs, and that it says the same however much was read.
struct InPlaceTests {
    private static let kinds: [(kind: String, workload: Workload)] = [
        ("Deployment", .deployment("backend")), ("StatefulSet", .statefulSet("backend")), ("DaemonSet", .daemonSet("backend")),
    ]

    private static func image(_ tag: String, as pin: Pin? = nil) -> Resolution {
        Resolution(
            pin: pin ?? .name(tag), identity: ArtifactIdentity(.image, "registry.test/api:\(tag)"), label: tag, revision: .test)
    }

    private static func cost(_ cluster: Cluster, _ body: () async -> Observation) async -> (observation: Observation, cost: Int) {
        let before = cluster.transport.received.count
        let observation = await body()
        return (observation, cluster.transport.received.count - before)
    }

    // MARK: - What it costs

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var pin = Pin.name("v1.42.0")
        var resolution: Resolution? = InPlaceTests.image("v1.42.0")
        var world: JSON = [:]
        var workload: JSON = [:]
        var hasIntent = false
        var depth = ObservationRequest.Depth.pin
        var cost: Int
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "in place", cost: 1),
        Case(
            why: "a whole image is in place", pin: .image("registry.test/api:v1.42.0"),
            resolution: image("v1.42.0", as: .image("registry.test/api:v1.42.0")), cost: 1),
        Case(
            why: "in place, and another reconciler's: the workload tells whose",
            workload: ["labels": ["argocd.argoproj.io/instance": "shop"]], cost: 1),
        Case(why: "none are wanted", workload: ["replicas": 0], cost: 1),
        Case(why: "the first look at a pin: its tag may be that of two registries", resolution: nil, cost: 3),
        Case(why: "what another pin meant says nothing of this one", resolution: image("v1.42.0", as: .image("v1.42.0")), cost: 3),
        Case(
            why: "the tag was resolved to another registry's image",
            resolution: Resolution(
                pin: .name("v1.42.0"), identity: ArtifactIdentity(.image, "mirror.test/api:v1.42.0"), label: "v1.42.0", revision: .test),
            cost: 3),
        Case(why: "not in place", pin: .name("v1.41.3"), resolution: image("v1.41.3"), cost: 3),
        Case(
            why: "the image no longer bears the pinned name", pin: .commit("abcdef1"), resolution: image("v1.42.0", as: .commit("abcdef1")),
            cost: 3),
        Case(
            why: "a revision is known from the history alone", pin: .revision(3),
            resolution: Resolution(
                pin: .revision(3), identity: ArtifactIdentity(.template, "abc"), label: "v1.42.0 (revision 3)", revision: .test), cost: 3),
        Case(why: "paused", workload: ["paused": true], cost: 3),
        Case(why: "failed", world: ["brokenImages": ["v1.42.0"]], cost: 3),
        Case(why: "an open intent", hasIntent: true, cost: 3),
        Case(why: "the whole history", depth: .history, cost: 3),
    ]

    @Test(arguments: cases, kinds.map(\.kind))
    func costsNoMoreThanTheAnswerNeeds(_ item: Case, _ kind: String) async throws {
        // Only a Deployment can be paused.
        guard kind == "Deployment" || item.workload["paused"] == nil else { return }
        // A DaemonSet wants a pod on every node.
        guard kind != "DaemonSet" || item.workload["replicas"] == nil else { return }
        let cluster = try Cluster(
            [Cluster.workload(kind: kind, replicas: item.workload["replicas"]?.integer ?? 3, item.workload)], item.world)
        let workload = try #require(Self.kinds.first { $0.kind == kind }).workload
        let component = cluster.component(item.pin, target: KubernetesTarget(namespace: "prod", workload))
        var intent: Intent?
        if item.hasIntent {
            let change = try #require(await cluster.observe(component).change(to: "v1.41.3", pin: component.release))
            intent = cluster.intent(change, component)
        }
        let (observation, cost) = await Self.cost(cluster) { [intent] in
            await cluster.observe(component, resolution: item.resolution, intent: intent, depth: item.depth)
        }
        #expect(cost == item.cost)
        #expect(observation.live.declared != nil)
    }

    @Test(arguments: kinds.map(\.kind))
    func aRolloutCostsThreeReadsEachTimeUntilItHasSettled(_ kind: String) async throws {
        let cluster = try Cluster([Cluster.workload(kind: kind)])
        let workload = try #require(Self.kinds.first { $0.kind == kind }).workload
        let component = cluster.component(.name("v1.41.3"), target: KubernetesTarget(namespace: "prod", workload))
        let change = try #require(await cluster.observe(component).change(to: "v1.41.3", pin: component.release))
        _ = await cluster.apply(change, component)
        var costs: [Int] = []
        for _ in 0..<60 {
            let (observation, cost) = await Self.cost(cluster) { await cluster.observe(component, resolution: change.resolution) }
            #expect(cost == (observation.settlement == .settled ? 1 : 3))
            if costs.last != cost { costs.append(cost) }
            cluster.clock.advance(by: .seconds(1))
        }
        #expect(costs == [3, 1])
    }

    // MARK: - What it says

    @Test(arguments: kinds.map(\.kind), [3, 0])
    func saysWhatTheFullReadingSays(_ kind: String, _ replicas: Int) async throws {
        let history: JSON = [
            ["image": "registry.test/api:v1.41.3", "changeCause": "release v1.41.3"],
            ["image": .string("registry.test/api:main-9e8d7c6@\(Self.digest)"), "changeCause": "release main"],
        ]
        let cluster = try Cluster([Cluster.workload(kind: kind, replicas: replicas, managedBy: "helm", ["history": history])])
        let workload = try #require(Self.kinds.first { $0.kind == kind }).workload
        for pin in [Pin.name("main-9e8d7c6"), .image(Self.digest), .commit("9e8d7c6"), .commit("9e8d7c6b5a49382716050f1e2d3c4b5a69788796")]
        {
            let component = cluster.component(pin, target: KubernetesTarget(namespace: "prod", workload))
            let full = await cluster.observe(component)
            guard case .resolved(let identity, let label) = resolve(pin, among: full.candidates) else {
                Issue.record("\(pin) is not resolved")
                continue
            }
            let resolution = Resolution(pin: pin, identity: identity, label: label, revision: .test)
            let (alone, cost) = await Self.cost(cluster) { await cluster.observe(component, resolution: resolution) }
            #expect(cost == 1)
            let (known, declared) = (try #require(full.live.declared), try #require(alone.live.declared))
            #expect(declared.label == known.label)
            #expect(declared.label == (kind == "Deployment" ? "main-9e8d7c6 (revision 2)" : "main-9e8d7c6"))
            #expect(known.note == "release main")
            #expect(declared.note == nil, "whose it is, is known from the history alone")
            #expect(declared.names == known.names.filter { $0.kind != .revision })
            #expect(declared.matches(resolution))
            #expect(alone.live.serving == (full.live.serving.isEmpty ? [] : [declared]))
            #expect(alone.candidates.map(\.release) == [declared])
            #expect(alone.candidates.first?.routes == full.candidates.first?.routes)
            #expect(resolve(pin, among: alone.candidates) == .resolved(identity, label: label))
            #expect(alone.settlement == full.settlement)
            #expect(alone.blocker == full.blocker)
            #expect(alone.notes == full.notes)
            #expect(alone.providerTime == full.providerTime)
        }
    }

    private static let digest = "sha256:" + String(repeating: "ab", count: 32)

    @Test(arguments: kinds.filter { $0.kind != "Deployment" }.map(\.kind))
    func theHistoryNumbersEveryRevision(_ kind: String) async throws {
        let cluster = try Cluster([Cluster.workload(kind: kind)])
        let workload = try #require(Self.kinds.first { $0.kind == kind }).workload
        let component = cluster.component(.name("v1.42.0"), target: KubernetesTarget(namespace: "prod", workload))
        let history = await cluster.observe(component, depth: .history)
        #expect(history.candidates.map(\.release.label) == ["v1.42.0 (revision 3)", "v1.41.3 (revision 2)", "v1.41.2 (revision 1)"])
        let pinned = await cluster.observe(component)
        #expect(pinned.candidates.map(\.release.label) == ["v1.42.0", "v1.41.3 (revision 2)", "v1.41.2 (revision 1)"])
    }

    // MARK: - Pods that are ending

    struct Ending: Sendable, CustomTestStringConvertible {
        var why: String
        var kind = Workload.Kind.deployment
        var spec: JSON = [:]
        var status: JSON = [:]
        var grace: Int?
        var annotations: JSON = ["deployment.kubernetes.io/revision": "2"]
        var time: String? = "2026-11-23T03:01:00Z"
        var isWhole: Bool
        var testDescription: String { why }
    }

    private static func completed(_ time: String) -> JSON {
        ["conditions": [["type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "lastUpdateTime": .string(time)]]]
    }

    static let endings = [
        Ending(why: "nothing tells of a rollout", isWhole: true),
        Ending(why: "the rollout was complete long ago", status: completed("2026-11-23T03:00:29Z"), isWhole: true),
        Ending(why: "pods may be in their grace period", status: completed("2026-11-23T03:00:30Z"), isWhole: false),
        Ending(why: "this template's grace period is longer", status: completed("2026-11-23T02:59:00Z"), grace: 300, isWhole: false),
        Ending(why: "the one before may have had the default", status: completed("2026-11-23T03:00:50Z"), grace: 0, isWhole: false),
        Ending(
            why: "without the server's time nobody knows how long ago", status: completed("2026-11-23T02:00:00Z"), time: nil, isWhole: false
        ),
        Ending(why: "the server counts pods that are ending", status: ["terminatingReplicas": 1], isWhole: false),
        Ending(why: "the server counts none", status: ["terminatingReplicas": 0], isWhole: true),
        Ending(why: "a Deployment without its revision's number", annotations: [:], isWhole: false),
        Ending(why: "a StatefulSet's pods end before their successors begin", kind: .statefulSet, isWhole: true),
        Ending(why: "so do a DaemonSet's", kind: .daemonSet, isWhole: true),
        Ending(
            why: "a DaemonSet with a surge of none", kind: .daemonSet, spec: ["updateStrategy": ["rollingUpdate": ["maxSurge": 0]]],
            isWhole: true),
        Ending(
            why: "a DaemonSet whose pods overlap", kind: .daemonSet, spec: ["updateStrategy": ["rollingUpdate": ["maxSurge": "10%"]]],
            isWhole: false),
    ]

    @Test(arguments: endings)
    func podsThatMayStillBeEndingAreLookedFor(_ item: Ending) {
        var template: JSON = ["spec": ["containers": [["name": "api", "image": "registry.test/api:v2"]]]]
        template["spec"]?["terminationGracePeriodSeconds"] = item.grace.map { .integer($0) }
        var status: JSON = [
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1,
            "desiredNumberScheduled": 1, "updatedNumberScheduled": 1, "numberAvailable": 1,
        ]
        for (name, value) in item.status.object?.members ?? [] { status[name] = value }
        var object: JSON = [
            "metadata": ["uid": "workload", "generation": 1, "annotations": item.annotations], "spec": item.spec, "status": status,
        ]
        object["spec"]?["template"] = template
        let snapshot = WorkloadSnapshot(
            target: KubernetesTarget(namespace: "prod", Workload(item.kind, "backend")), object: object, template: PodTemplate(template),
            container: "api", image: ImageReference("registry.test/api:v2"), time: item.time.flatMap { Timestamp($0) })
        let request = ObservationRequest(component: "api", pin: .name("v2"), resolution: Self.image("v2"))
        #expect(ReleaseReading(snapshot, request).isWhole == item.isWhole)
    }
}
