import HTTPCore
import JSONValues
import Simulators
import Testing

/// Containers that refer to ConfigMaps and Secrets, and what the kubelet says when they are not there.
struct ConfigurationReferenceTests {
    private static let config: JSON = [
        "configMaps": [["namespace": "prod", "name": "settings", "data": ["LEVEL": "info"]]],
        "secrets": [["namespace": "prod", "name": "dsn", "stringData": ["DSN": "postgres://x"]]],
    ]

    private static func variable(_ source: String, _ name: String, _ key: String, optional: Bool? = nil) -> JSON {
        var reference: JSON = ["name": .string(name), "key": .string(key)]
        if let optional { reference["optional"] = .bool(optional) }
        var from: JSON = [:]
        from[source] = reference
        return ["env": [["name": "V", "valueFrom": from]]]
    }

    @Test(
        arguments: [
            (variable("configMapKeyRef", "settings", "LEVEL"), nil, "a key that is there"),
            (variable("secretKeyRef", "dsn", "DSN"), nil, "a Secret's key that is there"),
            (variable("configMapKeyRef", "nowhere", "LEVEL"), "configmap \"nowhere\" not found", "no such ConfigMap"),
            (variable("secretKeyRef", "nowhere", "DSN"), "secret \"nowhere\" not found", "no such Secret"),
            (
                variable("configMapKeyRef", "settings", "COLOR"), "couldn't find key COLOR in ConfigMap prod/settings",
                "the ConfigMap lacks the key"
            ),
            (variable("secretKeyRef", "dsn", "URL"), "couldn't find key URL in Secret prod/dsn", "the Secret lacks the key"),
            (variable("configMapKeyRef", "nowhere", "LEVEL", optional: true), nil, "optional, and no such ConfigMap"),
            (variable("secretKeyRef", "dsn", "URL", optional: true), nil, "optional, and no such key"),
            (
                variable("secretKeyRef", "dsn", "URL", optional: false), "couldn't find key URL in Secret prod/dsn",
                "said not to be optional"
            ),
            (["envFrom": [["configMapRef": ["name": "settings"]], ["secretRef": ["name": "dsn"]]]], nil, "all keys of what is there"),
            (["envFrom": [["configMapRef": ["name": "nowhere"]]]], "configmap \"nowhere\" not found", "all keys of nothing"),
            (["envFrom": [["secretRef": ["name": "nowhere", "optional": true]]]], nil, "all keys of nothing, optional"),
            (
                ["env": [["name": "V", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]]]], nil,
                "a reference to the pod itself"
            ),
        ] as [(JSON, String?, Comment)])
    func aRolloutStandsStillWhereAReferenceLeadsNowhere(_ changes: JSON, _ message: String?, _ why: Comment) async throws {
        let cluster = AskedCluster(Self.config)
        let patch = AskedCluster.container(Optional.none, changes)
        #expect(try await cluster.send(.patch, "\(AskedCluster.apps)/deployments/api", patch, type: AskedCluster.strategic).status == 200)
        cluster.clock.advance(by: .seconds(60))
        #expect(try await cluster.waiting() == (message.map { ["CreateContainerConfigError: \($0)"] } ?? []), why)
        let status = try await cluster.deployment()["status"]
        #expect(status?["readyReplicas"] == 2, "the old pods serve on")
        #expect(status?["updatedReplicas"]?.integer == (message == nil ? 2 : 1), why)
        cluster.clock.advance(by: .seconds(600))
        let progressing = try await cluster.deployment()["status"]?["conditions"]?.elements.first { $0["type"] == "Progressing" }
        #expect(progressing?["reason"]?.string == (message == nil ? "NewReplicaSetAvailable" : "ProgressDeadlineExceeded"), why)
    }

    @Test(arguments: ["the whole object comes", "the key comes"])
    func whatComesLaterSetsTheRolloutFree(_ why: String) async throws {
        let cluster = AskedCluster()
        if why == "the key comes" { _ = try await cluster.create("ConfigMap", "settings", ["data": ["OTHER": "1"]]) }
        _ = try await cluster.setEnv([["name": "V", "valueFrom": ["configMapKeyRef": ["name": "settings", "key": "LEVEL"]]]])
        cluster.clock.advance(by: .seconds(60))
        #expect(try await cluster.waiting().count == 1)
        #expect(try await cluster.applyConfigMap(["LEVEL": "info"], by: "me").status < 300)
        cluster.clock.advance(by: .seconds(60))
        #expect(try await cluster.waiting() == [])
        #expect(try await cluster.deployment()["status"]?["updatedReplicas"] == 2)
    }

    @Test func aPodThatRunsKeepsItsValuesWhenTheConfigMapGoes() async throws {
        let cluster = AskedCluster(
            Self.config,
            containers: [["name": "api", "env": [["name": "V", "valueFrom": ["configMapKeyRef": ["name": "settings", "key": "LEVEL"]]]]]])
        #expect(try await cluster.readyPods() == 2)
        _ = try await cluster.send(.delete, "\(AskedCluster.core)/configmaps/settings")
        cluster.clock.advance(by: .seconds(600))
        #expect(try await cluster.readyPods() == 2)
        #expect(try await cluster.waiting() == [])
    }

    @Test func anImageThatCannotBePulledIsSaidBeforeAMissingKey() async throws {
        let cluster = AskedCluster(["brokenImages": [":broken"]])
        let container = AskedCluster.container(
            [["name": "V", "valueFrom": ["secretKeyRef": ["name": "nowhere", "key": "K"]]]], ["image": "r/api:broken"])
        _ = try await cluster.send(.patch, "\(AskedCluster.apps)/deployments/api", container, type: AskedCluster.strategic)
        cluster.clock.advance(by: .seconds(60))
        #expect(try await cluster.waiting() == ["ImagePullBackOff: Back-off pulling image \"r/api:broken\""])
    }

    // MARK: - What a world file may say

    @Test(
        arguments: [
            (["name": "api", "env": [["name": "A", "value": "1"]]], [:], [["name": "A", "value": "1"]], "as Kubernetes writes it"),
            (["name": "api", "env": ["A": 1]], [:], [["name": "A", "value": "1"]], "a mapping"),
            (
                ["name": "api", "env": ["A": "1", "B": "2"]], ["B": "3"], [["name": "A", "value": "1"], ["name": "B", "value": "3"]],
                "a release's own value lies over the container's"
            ),
            (
                ["name": "api"], ["K": ["configMapKeyRef": ["name": "settings", "key": "LEVEL"]]],
                [["name": "K", "valueFrom": ["configMapKeyRef": ["name": "settings", "key": "LEVEL"]]]], "a reference"
            ),
        ] as [(JSON, JSON, JSON, Comment)])
    func aWorldsContainersHaveAnEnvironment(_ container: JSON, _ release: JSON, _ env: JSON, _ why: Comment) async throws {
        let cluster = AskedCluster(
            Self.config, containers: [container], history: [["image": "r/api:v1", "env": release]])
        #expect(try await JSON.array(cluster.env()) == env, why)
        #expect(try await cluster.readyPods() == 2, why)
    }
}
