import ControlPlane
import JSONValues
import KubernetesAPI
import Model
import ProviderKit
import Testing

@testable import KubernetesProvider

/// The environment of a container on a real API server.
@Suite(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)))
struct RealEnvironmentTests {
    private static let all = [KubernetesResource.deployments, .statefulSets, .daemonSets]

    private func variables(_ cluster: RealCluster, _ resource: KubernetesResource) async throws -> [String: JSON] {
        let found = try await cluster.object(resource, "api")["spec"]?["template"]?["spec"]?["containers"]?[0]?["env"]?.elements ?? []
        return Dictionary(found.compactMap { item in item["name"]?.string.map { ($0, item) } }, uniquingKeysWith: { $1 })
    }

    private func revisions(_ cluster: RealCluster, _ resource: KubernetesResource) async throws -> Int {
        try await cluster.client.list(
            resource == .deployments ? .replicaSets : .controllerRevisions, namespace: cluster.namespace
        ).items.count
    }

    @Test(arguments: all)
    func keysAreAddedChangedAndUndoneWithOneRolloutEach(_ resource: KubernetesResource) async throws {
        let cluster = try await RealCluster("env\(resource.plural)")
        try await cluster.release(resource, "api", ["v1", "v2"])
        let target = cluster.target(resource, "api")
        var walk = Walk(
            provider: cluster.provider, component: cluster.component(.image("v2"), target),
            configuration: .make(["RELEASE": "mine", "LEVEL": "debug"], secrets: ["DSN": "hunter2"]))
        let before = await walk.observe()
        #expect(before.configuration?.differences == [.init("DSN", .missing), .init("LEVEL", .missing), .init("RELEASE", .changed)])
        #expect(try walk.change(before)?.route.cautions == ["takes RELEASE over from kubectl-client-side-apply"])
        // A plain value of somebody else's is taken over.
        let parts = try await walk.go()
        #expect(parts.map { $0.prefix { $0 != "/" } } == ["configMap", "secret", "-"])
        try await cluster.settle(walk.component)
        #expect(try await revisions(cluster, resource) == 3)
        var found = try await variables(cluster, resource)
        #expect(found["RELEASE"]?["value"] == nil)
        #expect(found["RELEASE"]?["valueFrom"]?["configMapKeyRef"]?["key"] == "RELEASE")
        let secret = try #require(found["DSN"]?["valueFrom"]?["secretKeyRef"]?["name"]?.string)
        #expect(SecretData.values(of: try await cluster.object(.secrets, secret)) == ["DSN": Array("hunter2".utf8)])
        #expect(await walk.observe().configuration?.differences == [])

        // A changed value is a new object and one rollout; nothing else moves.
        walk.configuration = .make(["RELEASE": "mine", "LEVEL": "info"], secrets: ["DSN": "hunter2"])
        #expect(await walk.observe().configuration?.differences == [.init("LEVEL", .changed)])
        #expect(try await walk.go().count == 2)
        try await cluster.settle(walk.component)
        #expect(try await revisions(cluster, resource) == 4)

        // An undo is the old template with the keys on top.
        walk.component.release = .revision(1)
        walk.resolution = nil
        let change = try #require(try walk.change(await walk.observe()))
        #expect(change.route.means == "rollout undo to revision 1 with 3 keys set on top")
        #expect(try await walk.go() == ["-"])
        try await cluster.settle(cluster.component(.image("v1"), target))
        #expect(try await revisions(cluster, resource) == 5)
        let after = await walk.observe()
        #expect(after.live.declared?.matches(change.resolution) == true)
        #expect(after.live.serving.allSatisfy { $0.matches(change.resolution) })
        #expect(after.configuration?.differences == [])
        found = try await variables(cluster, resource)
        #expect(found.keys.sorted() == ["DSN", "LEVEL", "RELEASE"])
        #expect(!"\(after)".contains("hunter2"))
    }

    @Test func aServerSideApplyCannotTakeAVariableOverFromItsPlainValue() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.deployments, "api", ["v1"])
        func applying(_ variable: JSON) -> JSON {
            let container: JSON = ["name": "api", "env": [variable]]
            return [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "api"],
                "spec": ["template": ["spec": ["containers": [container]]]],
            ]
        }
        let reference: JSON = ["configMapKeyRef": ["name": "any", "key": "RELEASE"]]
        await #expect {
            _ = try await cluster.client.patch(
                .deployments, namespace: cluster.namespace, name: "api",
                .apply(applying(["name": "RELEASE", "valueFrom": reference]), force: true))
        } throws: { error in
            let error = error as? KubernetesError
            return error?.code == .invalid && error?.message.contains("may not be specified when `value` is not empty") == true
        }
    }

    @Test func exactTakesAwayWhatOthersSet() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.deployments, "api", ["v1"])
        var walk = Walk(
            provider: cluster.provider, component: cluster.component(.image("v1"), cluster.target(.deployments, "api")),
            configuration: .make(["LEVEL": "debug"], isExact: true))
        #expect(await walk.observe().configuration?.differences == [.init("LEVEL", .missing), .init("RELEASE", .extra)])
        try await walk.go()
        try await cluster.settle(walk.component)
        #expect(try await variables(cluster, .deployments).keys.sorted() == ["LEVEL"])
        #expect(try await revisions(cluster, .deployments) == 2)
        // The image alone, later: the environment stays.
        walk.configuration = nil
        walk.component.release = .image("v2")
        walk.resolution = nil
        #expect(try await walk.go() == ["-"])
        try await cluster.settle(walk.component)
        #expect(try await variables(cluster, .deployments).keys.sorted() == ["LEVEL"])
    }

    @Test func anOldObjectThatIsGoneBlocksAndAnOwnOneThatIsGoneIsMadeAgain() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.deployments, "api", ["v1"])
        let target = cluster.target(.deployments, "api")
        var walk = Walk(
            provider: cluster.provider, component: cluster.component(.image("v1"), target),
            configuration: .make(["LEVEL": "debug", "MODE": "a"]))
        let parts = try await walk.go()
        try await cluster.settle(walk.component)
        let name = try #require(parts.first.flatMap { ConfigurationObject($0) }?.name)
        // Made again under the same name, though it was immutable; no rollout.
        try await cluster.client.delete(.configMaps, namespace: cluster.namespace, name: name)
        #expect(try await walk.go() == [parts[0]])
        #expect(try await revisions(cluster, .deployments) == 2)
        // Somebody takes the reference out of the template and removes the object: the way back would hang.
        let plain: JSON = ["spec": ["template": ["spec": ["containers": [["name": "api", "env": [], "image": "registry.test/api:v2"]]]]]]
        var template = try await cluster.object(.deployments, "api")["spec"]?["template"] ?? [:]
        template["spec"]?["containers"] = plain["spec"]?["template"]?["spec"]?["containers"] ?? []
        _ = try await cluster.client.patch(
            .deployments, namespace: cluster.namespace, name: "api",
            .json([["op": "replace", "path": "/spec/template", "value": template]]), fieldManager: "kubectl-edit")
        try await cluster.settle(cluster.component(.image("v2"), target))
        try await cluster.client.delete(.configMaps, namespace: cluster.namespace, name: name)
        walk.configuration = nil
        walk.component.release = .revision(2)
        walk.resolution = nil
        let observation = await walk.observe()
        let change = try #require(try walk.change(observation))
        #expect(change.route.refusal?.reason == "ReferenceGone")
        #expect(change.route.refusal?.message.contains("ConfigMap \(name)") == true)
        #expect(observation.cause?.hasPrefix("kubectl-edit at 20") == true)
        // Named keys need no old object.
        walk.configuration = .make(["LEVEL": "debug", "MODE": "b"])
        #expect(try await walk.go().count == 2)
    }

    @Test func oldObjectsGoWithTheRevisionsThatNameThem() async throws {
        let cluster = try await RealCluster()
        try await cluster.release(.deployments, "api", ["v1"], replicas: 1, spec: ["revisionHistoryLimit": 1])
        var walk = Walk(
            provider: cluster.provider, component: cluster.component(.image("v1"), cluster.target(.deployments, "api")))
        var names: [String] = []
        for value in ["1", "2", "3", "4"] {
            walk.configuration = .make(["A": value])
            names.append(try #require(try await walk.go().first.flatMap { ConfigurationObject($0) }?.name))
            try await cluster.settle(walk.component)
        }
        let left = try await cluster.client.list(.configMaps, namespace: cluster.namespace, labelSelector: "belay.dev/workload=api").items
            .compactMap { $0["metadata"]?["name"]?.string }
        #expect(left.contains(names[2]) && left.contains(names[3]))
        #expect(!left.contains(names[0]))
    }

    @Test func aSecretIsReadForTheSpec() async throws {
        let cluster = try await RealCluster()
        _ = try await cluster.client.create(
            .secrets, namespace: cluster.namespace,
            ["apiVersion": "v1", "kind": "Secret", "metadata": ["name": "db"], "stringData": ["DSN": "hunter2"]])
        let reading = KubernetesSecretReading(cluster.environment)
        #expect(await reading.read(namespace: cluster.namespace, name: "db", key: "DSN") == .success(Secret("hunter2")))
        guard case .failure(let problem) = await reading.read(namespace: cluster.namespace, name: "nobody", key: "DSN") else {
            Issue.record("it was found")
            return
        }
        #expect(problem.reason == "SecretMissing")
    }
}
