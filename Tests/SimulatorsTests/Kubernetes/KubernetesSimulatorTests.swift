import HTTPCore
import JSONValues
import Simulators
import Testing

/// The simulated API server, asked as any client would.
struct KubernetesSimulatorTests {
    let clock = ManualClock()
    private let simulator: KubernetesSimulator

    init() {
        simulator = KubernetesSimulator(
            world: [
                "token": "t", "brokenImages": [":broken"], "forbidden": [["verb": "delete", "resource": "pods"]],
                "workloads": [
                    [
                        "namespace": "prod", "name": "api", "replicas": 2, "managedBy": "helm",
                        "history": [["image": "r/api:v1", "changeCause": "one"], ["image": "r/api:v2"]],
                    ],
                    [
                        "namespace": "prod", "kind": "StatefulSet", "name": "db", "replicas": 2,
                        "history": [["image": "r/db:v1"], ["image": "r/db:v2"]],
                    ],
                    ["namespace": "prod", "kind": "DaemonSet", "name": "log", "history": [["image": "r/log:v1"]]],
                ],
            ], clock: clock)
    }

    private func send(
        _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, type: String = "application/json", token: String = "t"
    ) async throws -> (status: Int, body: JSON) {
        let request = HTTPRequest(
            method, "https://x\(path)", headers: ["Authorization": "Bearer \(token)", "Content-Type": type], body: body?.bytes ?? [])
        guard case .whole(let response) = await simulator.answer(request) else { return (0, [:]) }
        return (response.status, try JSON(parsing: response.body))
    }

    private static let apps = "/apis/apps/v1/namespaces/prod"
    private static func image(_ image: String, _ container: String = "api") -> JSON {
        ["spec": ["template": ["spec": ["containers": [["name": .string(container), "image": .string(image)]]]]]]
    }

    @Test func aHistoryIsOneOfReplicaSetsAndOneOfControllerRevisions() async throws {
        let sets = try await send(.get, "\(Self.apps)/replicasets").body["items"]?.elements ?? []
        #expect(Set(sets.compactMap { $0["metadata"]?["annotations"]?["deployment.kubernetes.io/revision"]?.string }) == ["1", "2"])
        #expect(sets.contains { $0["metadata"]?["annotations"]?["kubernetes.io/change-cause"] == "one" })
        let revisions = try await send(.get, "\(Self.apps)/controllerrevisions").body["items"]?.elements ?? []
        #expect(revisions.count == 3)
        #expect(revisions.allSatisfy { $0["data"]?["spec"]?["template"]?["$patch"] == "replace" })
    }

    @Test func aRefusedTokenAndAMissingPermissionAreStatusObjects() async throws {
        let refused = try await send(.get, "\(Self.apps)/deployments", token: "wrong")
        #expect(refused.status == 401)
        #expect(refused.body["reason"] == "Unauthorized")
        let forbidden = try await send(.delete, "/api/v1/namespaces/prod/pods/x")
        #expect(
            forbidden.body["message"]
                == "pods \"x\" is forbidden: User \"sandbox\" cannot delete resource \"pods\" in API group \"\" in the namespace \"prod\"")
        let missing = try await send(.get, "\(Self.apps)/deployments/nobody")
        #expect(missing.body["message"] == "deployments.apps \"nobody\" not found")
        #expect(try await send(.get, "/apis/batch/v1/jobs").status == 404)
    }

    @Test func aListHasPagesAndSelectors() async throws {
        let first = try await send(.get, "\(Self.apps)/replicasets?limit=1").body
        #expect(first["items"]?.elements.count == 1)
        #expect(first["metadata"]?["remainingItemCount"] == 1)
        let next = first["metadata"]?["continue"]?.string ?? ""
        #expect(first["items"]?[0]?.object?.keys.contains("kind") == false)
        let second = try await send(.get, "\(Self.apps)/replicasets?limit=1&continue=\(next)").body
        #expect(second["metadata"]?["continue"] == nil)
        #expect(second["items"]?[0]?["metadata"]?["name"] != first["items"]?[0]?["metadata"]?["name"])
        for (selector, count) in [
            ("app=api", 2), ("app%20in%20(api,db)", 4), ("app!=api", 5), ("app,!tier", 7), ("app%20notin%20(api,log)", 2),
        ] {
            #expect(
                try await send(.get, "/api/v1/namespaces/prod/pods?labelSelector=\(selector)").body["items"]?.elements.count == count,
                "\(selector)")
        }
    }

    @Test(
        arguments: [
            ("application/merge-patch+json", ["metadata": ["resourceVersion": "1"]] as JSON),
            ("application/strategic-merge-patch+json", ["metadata": ["resourceVersion": "1"]]),
            ("application/json-patch+json", [["op": "replace", "path": "/metadata/resourceVersion", "value": "1"]]),
            ("application/apply-patch+yaml", ["apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["resourceVersion": "1"]]),
        ] as [(String, JSON)])
    func aPatchOfAnOldVersionIsAConflict(_ type: String, _ body: JSON) async throws {
        let answer = try await send(.patch, "\(Self.apps)/deployments/api?fieldManager=me", body, type: type)
        #expect(answer.status == 409)
        #expect(answer.body["reason"] == "Conflict")
        #expect(await simulator.world["changes"] == 0)
    }

    @Test func anApplyOfAnOthersFieldIsAConflictUnlessForced() async throws {
        var body = Self.image("r/api:v3")
        body["apiVersion"] = "apps/v1"
        body["kind"] = "Deployment"
        let type = "application/apply-patch+yaml"
        let path = "\(Self.apps)/deployments/api?fieldManager=me"
        let conflict = try await send(.patch, path, body, type: type)
        #expect(conflict.status == 409)
        let cause = conflict.body["details"]?["causes"]?[0]
        #expect(cause?["message"] == "conflict with \"helm\" using apps/v1")
        #expect(cause?["field"] == ".spec.template.spec.containers[name=\"api\"].image")
        let forced = try await send(.patch, "\(path)&force=true", body, type: type).body
        #expect(forced["metadata"]?["generation"] == 3)
        func owners(_ object: JSON) -> [String] {
            (object["metadata"]?["managedFields"]?.elements ?? []).filter { entry in
                let containers = entry["fieldsV1"]?["f:spec"]?["f:template"]?["f:spec"]?["f:containers"]
                return containers?["k:{\"name\":\"api\"}"]?["f:image"] != nil
            }.compactMap { $0["manager"]?.string }
        }
        #expect(owners(forced) == ["me"])
        let updated = try await send(
            .patch, "\(Self.apps)/deployments/api?fieldManager=kubectl-set", Self.image("r/api:v4"),
            type: "application/strategic-merge-patch+json"
        ).body
        #expect(owners(updated) == ["kubectl-set"])
    }

    @Test(arguments: ["application/merge-patch+json", "application/strategic-merge-patch+json"])
    func nullTakesAMemberAway(_ type: String) async throws {
        let body: JSON = ["metadata": ["annotations": ["a": "1"]]]
        _ = try await send(.patch, "\(Self.apps)/deployments/api?fieldManager=me", body, type: type)
        let gone: JSON = ["metadata": ["annotations": ["a": .null]]]
        let after = try await send(.patch, "\(Self.apps)/deployments/api?fieldManager=me", gone, type: type).body
        #expect(after["metadata"]?["annotations"]?.object?.keys.contains("a") == false)
    }

    @Test func aPatchThatChangesNothingIsNoChange() async throws {
        let before = try await send(.get, "\(Self.apps)/deployments/api").body
        let after = try await send(
            .patch, "\(Self.apps)/deployments/api?fieldManager=helm", Self.image("r/api:v2"), type: "application/strategic-merge-patch+json"
        ).body
        #expect(before["metadata"]?["resourceVersion"] == after["metadata"]?["resourceVersion"])
        #expect(await simulator.world["changes"] == 0)
    }

    @Test(
        arguments: [
            ("application/json-patch+json", [["op": "replace", "path": "/spec/nothing/there", "value": 1]] as JSON, 422),
            ("application/json-patch+json", [["op": "test", "path": "/spec/replicas", "value": 9]], 422),
            ("application/merge-patch+json", ["spec": ["template": ["metadata": ["labels": ["app": "other"]]]]], 422),
            ("application/merge-patch+json", ["spec": ["template": ["spec": ["containers": []]]]], 422),
            (
                "application/strategic-merge-patch+json", ["spec": ["template": ["spec": ["containers": [["name": "api", "image": ""]]]]]],
                422
            ),
            ("text/plain", [:], 415),
        ] as [(String, JSON, Int)])
    func whatIsNotValidIsRefused(_ type: String, _ body: JSON, _ status: Int) async throws {
        let answer = try await send(.patch, "\(Self.apps)/deployments/api?fieldManager=me", body, type: type)
        #expect(answer.status == status, "\(answer.body)")
    }

    @Test func aRolloutTakesItsTimeAndKeepsEnoughPodsReady() async throws {
        _ = try await send(
            .patch, "\(Self.apps)/deployments/api?fieldManager=me", Self.image("r/api:v3"), type: "application/strategic-merge-patch+json")
        let status = { try await send(.get, "\(Self.apps)/deployments/api").body["status"] }
        #expect(try await status()?["observedGeneration"] == 2)
        var leastAvailable = Int.max
        var mostPods = 0
        for _ in 0..<60 {
            clock.advance(by: .milliseconds(250))
            let now = try await status()
            leastAvailable = min(leastAvailable, now?["availableReplicas"]?.integer ?? 0)
            mostPods = max(mostPods, now?["replicas"]?.integer ?? 0)
        }
        #expect(leastAvailable == 2)
        #expect(mostPods == 3)
        let end = try await status()
        #expect(end?["updatedReplicas"] == 2)
        #expect(end?["replicas"] == 2)
        let progressing = (end?["conditions"]?.elements ?? []).first { $0["type"] == "Progressing" }
        #expect(progressing?["reason"] == "NewReplicaSetAvailable")
    }

    @Test func aBrokenImageExceedsTheProgressDeadline() async throws {
        _ = try await send(
            .patch, "\(Self.apps)/deployments/api?fieldManager=me", Self.image("r/api:broken"),
            type: "application/strategic-merge-patch+json")
        clock.advance(by: .seconds(60))
        let pods = try await send(.get, "/api/v1/namespaces/prod/pods?labelSelector=app%3Dapi").body["items"]?.elements ?? []
        let waiting = pods.compactMap { $0["status"]?["containerStatuses"]?[0]?["state"]?["waiting"] }
        #expect(waiting.map { $0["reason"]?.string } == ["ImagePullBackOff"])
        #expect(pods.count == 3)
        clock.advance(by: .seconds(600))
        let status = try await send(.get, "\(Self.apps)/deployments/api").body["status"]
        let progressing = (status?["conditions"]?.elements ?? []).first { $0["type"] == "Progressing" }
        #expect(progressing?["reason"] == "ProgressDeadlineExceeded")
        #expect(status?["availableReplicas"] == 2)
    }

    @Test func aStatefulSetWithABrokenPodStaysStuckUntilThePodIsGone() async throws {
        let path = "\(Self.apps)/statefulsets/db?fieldManager=me"
        let type = "application/strategic-merge-patch+json"
        _ = try await send(.patch, path, Self.image("r/db:broken", "db"), type: type)
        clock.advance(by: .seconds(60))
        _ = try await send(.patch, path, Self.image("r/db:v2", "db"), type: type)
        clock.advance(by: .seconds(60))
        #expect(try await send(.get, "\(Self.apps)/statefulsets/db").body["status"]?["readyReplicas"] == 1)
    }
}
