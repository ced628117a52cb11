import HTTPCore
import JSONValues
import Simulators
import Testing

/// Who owns which entry of a container's environment, and what that makes of an apply.
struct EnvironmentOwnershipTests {
    private static let reference: JSON = ["configMapKeyRef": ["name": "settings", "key": "LEVEL"]]

    /// A cluster whose Deployment has HELM and SHARED from helm, as a plain client writes them.
    private func cluster() -> AskedCluster {
        AskedCluster(containers: [["name": "api", "env": ["HELM": "1", "SHARED": "1"]]])
    }

    private static func names(_ env: [JSON]) -> [String] {
        env.map { "\($0["name"]?.string ?? "")=\($0["value"]?.string ?? $0["valueFrom"]?.description ?? "nothing")" }
    }

    @Test(
        arguments: [
            (
                [["name": "OWN", "value": "1"]], Optional.none, ["HELM=1", "SHARED=1"],
                "an entry that nobody else has goes with the set that named it"
            ),
            (
                [["name": "OWN", "value": "1"], ["name": "MORE", "value": "2"]], [["name": "MORE", "value": "2"]],
                ["HELM=1", "SHARED=1", "MORE=2"], "one of two goes"
            ),
            (
                [["name": "SHARED", "value": "1"]], Optional.none, ["HELM=1", "SHARED=1"],
                "an entry that both have stays for the other"
            ),
            (
                [["name": "OWN", "value": "1"]], [["name": "OWN", "value": "2"]], ["HELM=1", "SHARED=1", "OWN=2"],
                "an entry of one's own takes another value"
            ),
            (
                [["name": "OWN", "value": "1"]], [["name": "OWN", "valueFrom": reference]],
                ["HELM=1", "SHARED=1", "OWN={\"configMapKeyRef\":{\"name\":\"settings\",\"key\":\"LEVEL\"}}"],
                "a value gives way to a reference, for it was one's own"
            ),
            (
                [["name": "OWN", "valueFrom": reference]], [["name": "OWN", "value": "1"]], ["HELM=1", "SHARED=1", "OWN=1"],
                "a reference gives way to a value, and leaves no empty valueFrom"
            ),
            (
                [["name": "OWN", "valueFrom": reference]],
                [["name": "OWN", "valueFrom": ["configMapKeyRef": ["name": "other", "key": "K", "optional": true]]]],
                ["HELM=1", "SHARED=1", "OWN={\"configMapKeyRef\":{\"name\":\"other\",\"key\":\"K\",\"optional\":true}}"],
                "a reference has one owner as a whole"
            ),
        ] as [(JSON, JSON?, [String], Comment)])
    func anApplySaysAllThatItsManagerWants(_ first: JSON, _ second: JSON?, _ left: [String], _ why: Comment) async throws {
        let cluster = cluster()
        #expect(try await cluster.applyEnv(first, by: "belay").status == 200, why)
        let answer = try await cluster.applyEnv(second, by: "belay")
        #expect(answer.status == 200, why)
        #expect(Self.names(answer.body.env) == left, why)
        #expect(try await cluster.deployment()["spec"]?["template"]?["spec"]?["containers"]?[0]?["image"] == "r/api:v1", why)
    }

    @Test func aValueOfAnotherIsAConflictUnlessItIsForced() async throws {
        let cluster = cluster()
        let refused = try await cluster.applyEnv([["name": "HELM", "value": "2"]], by: "belay")
        #expect(refused.status == 409)
        #expect(refused.body["details"]?["causes"]?.elements.count == 1)
        #expect(
            refused.body["details"]?["causes"]?[0]?["field"]
                == ".spec.template.spec.containers[name=\"api\"].env[name=\"HELM\"].value")
        #expect(await cluster.changes() == 0)
        let forced = try await cluster.applyEnv([["name": "HELM", "value": "2"]], by: "belay", force: true).body
        #expect(forced.owners("HELM", "value") == ["belay"])
        #expect(forced.owners("HELM", "name") == ["belay", "helm"])
        #expect(forced.owners("SHARED", "value") == ["helm"])
        // The entry was helm's: let go of, it stays, without the value that was taken over.
        let left = try await cluster.applyEnv(Optional.none, by: "belay").body
        #expect(Self.names(left.env) == ["HELM=nothing", "SHARED=1"])
    }

    @Test func aPersonWhoSetsAnEntryTakesItOver() async throws {
        let cluster = cluster()
        _ = try await cluster.applyEnv([["name": "OWN", "value": "1"]], by: "belay")
        let set = try await cluster.setEnv([["name": "OWN", "value": "2"]]).body
        #expect(set.owners("OWN", "value") == ["kubectl-set"])
        #expect(set["metadata"]?["generation"] == 3)
        #expect(try await cluster.applyEnv([["name": "OWN", "value": "1"]], by: "belay").status == 409)
        let left = try await cluster.applyEnv(Optional.none, by: "belay").body
        #expect(Self.names(left.env) == ["HELM=1", "SHARED=1", "OWN=2"])
        #expect(await cluster.changes() == 3)
    }

    @Test(
        arguments: [
            (
                [["name": "HELM", "valueFrom": reference]], "valueFrom", "may not be specified when `value` is not empty",
                "a value and a reference at once"
            ),
            (
                [["name": "NEW", "valueFrom": [:]]], "valueFrom",
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`", "a reference to nothing"
            ),
            (
                [["name": "NEW", "valueFrom": ["fieldRef": ["fieldPath": "x"], "secretKeyRef": ["name": "a", "key": "b"]]]], "valueFrom",
                "may not have more than one field specified at a time", "two references"
            ),
        ] as [(JSON, String, String, Comment)])
    func anEntryHasOneSource(_ env: JSON, _ field: String, _ words: String, _ why: Comment) async throws {
        let cluster = cluster()
        let index = env[0]?["name"] == "HELM" ? 0 : 2
        let message =
            "Deployment.apps \"api\" is invalid: spec.template.spec.containers[0].env[\(index)].\(field): Invalid value: \"\": \(words)"
        // An apply, forced or not, does not take away what another client put there: the value of helm stays beside the reference.
        for answer in [try await cluster.setEnv(env), try await cluster.applyEnv(env, by: "belay", force: true)] {
            #expect(answer.status == 422, why)
            #expect(answer.body["reason"] == "Invalid", why)
            #expect(answer.body["message"]?.string == message, why)
        }
        #expect(await cluster.changes() == 0)
    }

    @Test func anEmptyValueBesideAReferenceIsNone() async throws {
        let cluster = cluster()
        #expect(try await cluster.setEnv([["name": "NEW", "value": "", "valueFrom": Self.reference]]).status == 200)
    }

    @Test func whatIsWrongAtTwoPlacesIsSaidAtOnce() async throws {
        let answer = try await cluster().setEnv([["name": "HELM", "valueFrom": Self.reference], ["name": "NEW", "valueFrom": [:]]])
        #expect(answer.body["details"]?["causes"]?.elements.count == 2)
        #expect(answer.body["message"]?.string?.hasPrefix("Deployment.apps \"api\" is invalid: [spec.template") == true)
    }

    @Test func anApplyMakesADeployment() async throws {
        let cluster = AskedCluster()
        let labels: JSON = ["app": "new"]
        let body: JSON = [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "new"],
            "spec": [
                "selector": ["matchLabels": labels],
                "template": ["metadata": ["labels": labels], "spec": ["containers": [["name": "c", "image": "r/new:v1"]]]],
            ],
        ]
        let path = "\(AskedCluster.apps)/deployments/new"
        #expect(try await cluster.send(.patch, "\(path)?fieldManager=belay", body, type: AskedCluster.apply).status == 201)
        cluster.clock.advance(by: .seconds(60))
        let made = try await cluster.send(.get, path).body
        #expect(made["status"]?["readyReplicas"] == 1)
        #expect(made["metadata"]?["managedFields"]?.elements.compactMap { $0["operation"]?.string } == ["Apply"])
    }
}
