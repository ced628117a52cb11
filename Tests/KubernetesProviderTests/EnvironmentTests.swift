import HTTPCore
import JSONValues
import Model
import ProviderKit
import Simulators
import Testing

@testable import KubernetesProvider

/// The environment of the pinned container: what differs, and the one rollout that ends it.
struct EnvironmentTests {
    static let live = Pin.name("v1.42.0")

    static func walk(_ cluster: Cluster, _ desired: DesiredConfiguration?, pin: Pin = live) -> Walk {
        Walk(provider: cluster.provider, component: cluster.component(pin), configuration: desired)
    }

    static func variables(_ cluster: Cluster) async -> [String: JSON] {
        let found = await cluster.object("Deployment", "backend")?["spec"]?["template"]?["spec"]?["containers"]?[0]?["env"]?.elements ?? []
        return Dictionary(found.compactMap { item in item["name"]?.string.map { ($0, item) } }, uniquingKeysWith: { $1 })
    }

    static func revisions(_ cluster: Cluster) async -> Int {
        // The controller takes a moment.
        cluster.clock.advance(by: .seconds(60))
        return await cluster.simulator.world["objects"]?.elements.count { $0["kind"] == "ReplicaSet" } ?? 0
    }

    static func objects(_ cluster: Cluster) async -> [String] {
        (await cluster.simulator.world["objects"]?.elements ?? []).filter { ["ConfigMap", "Secret"].contains($0["kind"]?.string) }
            .compactMap { $0["metadata"]?["name"]?.string }
    }

    // MARK: - Adding and changing

    @Test func keysThatAreMissingComeWithOneRollout() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = Self.walk(cluster, .make(["LOG_LEVEL": "debug"], secrets: ["DSN": "hunter2"]))
        let before = await walk.observe()
        #expect(before.configuration?.differences == [.init("DSN", .missing), .init("LOG_LEVEL", .missing)])
        #expect(before.configuration?.settings["RELEASE"]?.fingerprint != nil)
        let change = try #require(try walk.change(before))
        #expect(change.route.means == "2 keys set, then one rollout")
        #expect(change.route.cautions.isEmpty)
        #expect(change.route.refusal == nil)
        let parts = try await walk.go()
        #expect(parts.map { $0.prefix { $0 != "/" } } == ["configMap", "secret", "-"])
        #expect(await Self.revisions(cluster) == 4)
        let variables = await Self.variables(cluster)
        #expect(variables["RELEASE"]?["value"] == "v1.42.0")
        let reference = try #require(variables["LOG_LEVEL"]?["valueFrom"]?["configMapKeyRef"])
        #expect(reference["key"] == "LOG_LEVEL")
        #expect(variables["DSN"]?["valueFrom"]?["secretKeyRef"]?["key"] == "DSN")
        let map = try #require(await cluster.object("ConfigMap", reference["name"]?.string ?? ""))
        #expect(map["data"] == ["LOG_LEVEL": "debug"])
        #expect(map["immutable"] == true)
        #expect(
            map["metadata"]?["labels"] == [
                "app.kubernetes.io/managed-by": "belay", "belay.dev/kind": "deployment", "belay.dev/workload": "backend",
                "belay.dev/container": "api",
            ])
        #expect(map["metadata"]?["ownerReferences"]?[0]?["name"] == "backend")
        cluster.clock.advance(by: .seconds(60))
        let after = await walk.observe()
        #expect(after.settlement == .settled)
        #expect(after.configuration?.differences == [])
        #expect(after.configuration?.route == nil)
        #expect(!"\(before) \(change) \(after)".contains("hunter2"))
        let sent = cluster.transport.received.filter { $0.method == .patch }
        #expect(sent.count == 1)
    }

    @Test func whatIsInPlaceCostsOneRequestForEachOfItsObjects() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = Self.walk(cluster, .make(["LOG_LEVEL": "debug"], secrets: ["DSN": "hunter2"]))
        try await walk.go()
        cluster.clock.advance(by: .seconds(600))
        let before = cluster.transport.received.count
        let observation = await walk.observe()
        #expect(observation.configuration?.differences == [])
        #expect(cluster.transport.received.count - before == 3)
        walk.configuration = nil
        _ = await walk.observe()
        #expect(cluster.transport.received.count - before == 4)
    }

    @Test func onlyTheKeyThatChangedIsADifference() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = Self.walk(cluster, .make(["A": "1", "B": "2"]))
        try await walk.go()
        cluster.clock.advance(by: .seconds(60))
        walk.configuration = .make(["A": "1", "B": "3"])
        let observation = await walk.observe()
        #expect(observation.configuration?.differences == [.init("B", .changed)])
        let parts = try await walk.go()
        #expect(parts.count == 2)
        #expect(await Self.revisions(cluster) == 5)
        #expect(await Self.objects(cluster).count == 2)
    }

    @Test func aKeyThatTheSpecNoLongerNamesStaysAsItIs() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = Self.walk(cluster, .make(["A": "1", "B": "2"]))
        try await walk.go()
        walk.configuration = .make(["A": "1"])
        #expect(await walk.observe().configuration?.differences == [])
        walk.configuration = nil
        walk.component.release = .name("v3.0.0")
        walk.resolution = nil
        #expect(try await walk.go() == ["-"])
        let variables = await Self.variables(cluster)
        #expect(variables.keys.sorted() == ["A", "B", "RELEASE"])
        let image = await cluster.object("Deployment", "backend")?["spec"]?["template"]?["spec"]?["containers"]?[0]?["image"]
        #expect(image == "registry.test/api:v3.0.0")
    }

    // MARK: - What stands there already

    struct Standing: Sendable, CustomTestStringConvertible {
        var why: String
        var entry: JSON
        var difference: ConfigurationDifference.Kind?
        var desired = DesiredConfiguration.make(["KEY": "right"])
        var testDescription: String { why }
    }

    static let standing = [
        Standing(why: "a plain value that is right is left alone", entry: "right"),
        Standing(why: "a plain value that is another one is taken over", entry: "wrong", difference: .changed),
        Standing(
            why: "a plain value that the kubelet expands is not what it says", entry: "$(RELEASE)", difference: .unverified,
            desired: .make(["KEY": "$(RELEASE)"])),
        Standing(
            why: "what comes from somebody else's ConfigMap is set once", entry: ["configMapKeyRef": ["name": "theirs", "key": "KEY"]],
            difference: .unverified),
        Standing(
            why: "what comes from somebody else's Secret is set once", entry: ["secretKeyRef": ["name": "theirs", "key": "KEY"]],
            difference: .unverified, desired: .make(secrets: ["KEY": "right"])),
        Standing(why: "a field of the pod is no value", entry: ["fieldRef": ["fieldPath": "metadata.name"]], difference: .unverified),
    ]

    @Test(arguments: standing)
    func whatStandsThereIsTakenOver(_ item: Standing) async throws {
        let history: JSON = [["image": "registry.test/api:v1.42.0", "env": ["KEY": item.entry, "OTHER": "x"], "container": "api"]]
        let cluster = try Cluster(
            [Cluster.workload(["history": history])],
            [
                "configMaps": [["namespace": "prod", "name": "theirs", "data": ["KEY": "right"]]],
                "secrets": [["namespace": "prod", "name": "theirs", "stringData": ["KEY": "right"]]],
            ])
        var walk = Self.walk(cluster, item.desired)
        let before = await walk.observe()
        #expect(before.configuration?.differences == (item.difference.map { [.init("KEY", $0)] } ?? []))
        guard item.difference != nil else { return }
        let change = try #require(try walk.change(before))
        #expect(change.route.cautions == ["takes KEY over from kubectl-client-side-apply"])
        try await walk.go()
        let key = await Self.variables(cluster)["KEY"]
        #expect(key?["value"] == nil)
        #expect(key?["valueFrom"] != nil)
        #expect(await Self.variables(cluster)["OTHER"]?["value"] == "x")
        cluster.clock.advance(by: .seconds(60))
        let after = await walk.observe()
        #expect(after.configuration?.differences == [])
        #expect(after.settlement == .settled)
        #expect(await Self.revisions(cluster) == 2)
    }

    @Test func exactTakesAwayWhatTheSpecDoesNotName() async throws {
        let fields: JSON = ["POD": ["fieldRef": ["fieldPath": "metadata.name"]], "OLD": "1", "KEY": "right"]
        let history: JSON = [["image": "registry.test/api:v1.42.0", "env": fields, "container": "api"]]
        let cluster = try Cluster([Cluster.workload(["history": history])])
        var walk = Self.walk(cluster, .make(["KEY": "right"], isExact: true))
        let before = await walk.observe()
        #expect(before.configuration?.differences == [.init("OLD", .extra)])
        #expect(try walk.change(before)?.route.means == "1 key removed, then one rollout")
        #expect(try await walk.go() == ["-"])
        #expect(await Self.variables(cluster).keys.sorted() == ["KEY", "POD"])
    }

    // MARK: - Undo

    static let pins: [Pin] = [.name("v1.41.3"), .revision(2), .image("registry.test/api:v1.41.3")]

    @Test(arguments: pins, ["Deployment", "StatefulSet", "DaemonSet"])
    func anUndoHasTheNamedKeysOnTopAndIsOneRollout(_ pin: Pin, _ kind: String) async throws {
        let cluster = try Cluster([Cluster.workload(kind: kind)])
        let workload: Workload =
            kind == "Deployment" ? .deployment("backend") : kind == "StatefulSet" ? .statefulSet("backend") : .daemonSet("backend")
        let component = cluster.component(pin, target: KubernetesTarget(namespace: "prod", workload))
        var walk = Walk(provider: cluster.provider, component: component, configuration: .make(["LOG_LEVEL": "debug"]))
        let before = await walk.observe()
        let change = try #require(try walk.change(before))
        #expect(change.route.verb == .undo)
        #expect(change.route.means == "rollout undo to revision 2 with 1 key set on top")
        #expect(change.route.cautions.contains("comes back with revision 2: environment RELEASE"))
        let parts = try await walk.go()
        #expect(parts.count == 2)
        let patches = cluster.transport.received.count { $0.method == .patch }
        #expect(patches == 1)
        cluster.clock.advance(by: .seconds(120))
        let after = await walk.observe()
        #expect(after.settlement == .settled)
        #expect(after.configuration?.differences == [])
        #expect(after.live.declared?.matches(change.resolution) == true)
        #expect(after.live.serving.allSatisfy { $0.matches(change.resolution) })
        let env = await cluster.object(kind, "backend")?["spec"]?["template"]?["spec"]?["containers"]?[0]?["env"]
        #expect(env?[0] == ["name": "RELEASE", "value": "v1.41.3"])
        #expect(env?[1]?["name"] == "LOG_LEVEL")
        #expect(env?.elements.count == 2)
    }

    @Test func thereAndBackEndsAtTheSameTemplate() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = Self.walk(cluster, .make(["A": "1"]))
        try await walk.go()
        let start = await cluster.object("Deployment", "backend")?["spec"]?["template"]
        cluster.clock.advance(by: .seconds(60))
        for pin in ["v1.41.3", "v1.42.0"] {
            walk.component.release = .name(pin)
            walk.resolution = nil
            try await walk.go()
            cluster.clock.advance(by: .seconds(60))
        }
        #expect(await cluster.object("Deployment", "backend")?["spec"]?["template"] == start)
    }

    @Test func templatesThatDifferInNamedKeysAreOneRelease() async throws {
        let cluster = try Cluster([Cluster.workload()])
        var walk = Self.walk(cluster, .make(["A": "1"]), pin: .revision(3))
        try await walk.go()
        let resolution = try #require(walk.resolution)
        walk.configuration = .make(["A": "2"])
        let again = await walk.observe()
        #expect(again.live.declared?.matches(resolution) == true)
        #expect(again.configuration?.differences == [.init("A", .changed)])
        // Nobody manages it any more: what Belay put there still makes no other release of it.
        walk.configuration = nil
        #expect(await walk.observe().live.declared?.matches(resolution) == true)
        // The first one is no copy, and another image is another release.
        let candidates = await walk.observe().candidates
        #expect(candidates.first { $0.release.label == "v1.42.0 (revision 3)" }?.release.lineage == [])
        #expect(candidates.count { $0.release.matches(resolution) } == 2)
    }

    // MARK: - What nobody manages

    @Test func settingsAreToldWhereAPlanComparesThem() async throws {
        let env: JSON = [
            "A": "1", "B": ["secretKeyRef": ["name": "db", "key": "DSN"]], "POD": ["fieldRef": ["fieldPath": "metadata.name"]],
        ]
        let history: JSON = [
            ["image": "registry.test/api:v1", "container": "api"], ["image": "registry.test/api:v2", "env": env, "container": "api"],
        ]
        let cluster = try Cluster([Cluster.workload(["history": history])])
        let component = cluster.component(.name("v1"))
        let observation = await cluster.provider.observe(
            component, ObservationRequest(component: "api", pin: component.release, keeper: .test))
        let fingerprint = ConfigurationKeeper.fingerprint("A", Secret("1"))
        #expect(
            observation.configuration
                == ObservedConfiguration(settings: [
                    "A": ConfigurationEntry(fingerprint: fingerprint), "B": ConfigurationEntry(marker: "secret/db/DSN"),
                ]))
    }

    @Test func namesTellNothingOfTheValuesAndFitIntoKubernetes() {
        let long = String(repeating: "long-name.", count: 25) + "x"
        for (workload, container) in [("backend", "api"), (long, String(repeating: "c", count: 63))] {
            let owner = OwnObject.Owner(workload: .deployment(workload), namespace: "prod", container: container)
            let objects = ManagedEnvironment(.make(["A": "1"], secrets: ["B": "1"]), owner).objects
            #expect(objects.map(\.object.kind) == [.configMap, .secret])
            #expect(Set(objects.map(\.object.name)).count == 2)
            for object in objects {
                #expect(object.object.name.utf8.count <= 253)
                #expect(!object.object.name.contains(".-"))
                #expect(owner.labels.allSatisfy { $0.value.utf8.count <= 63 })
            }
        }
        func name(_ desired: DesiredConfiguration, _ workload: Workload) -> String? {
            ManagedEnvironment(desired, .init(workload: workload, namespace: "prod", container: "api")).objects.first?.object.name
        }
        #expect(name(.make(["A": "1"]), .deployment("x")) != name(.make(["A": "2"]), .deployment("x")))
        #expect(name(.make(["A": "1"]), .deployment("x")) != name(.make(["B": "1"]), .deployment("x")))
        #expect(name(.make(["A": "1"]), .deployment("x")) != name(.make(["A": "1"]), .statefulSet("x")))
        #expect(name(.make(["A": "1"]), .deployment("x")) == name(.make(["A": "1"]), .deployment("x")))
    }
}
