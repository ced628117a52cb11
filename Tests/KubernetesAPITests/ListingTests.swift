import HTTPCore
import JSONValues
import Simulators
import Testing

@testable import KubernetesAPI

struct ListingTests {
    @Test func aPageSaysWhereTheNextOneBeginsAndHowManyFollow() async throws {
        let transport = ScriptedTransport(
            .json(
                200,
                [
                    "kind": "PodList", "metadata": ["resourceVersion": "7", "continue": "p 1", "remainingItemCount": 3],
                    "items": [["metadata": ["name": "a"]]],
                ], headers: ["Date": "Mon, 30 Nov 2026 14:00:00 GMT"]),
            .json(200, ["kind": "PodList", "metadata": ["resourceVersion": "7", "continue": ""], "items": nil]))
        let client = KubernetesClient(.make(), transport: transport)
        let first = try await client.page(.pods, namespace: "prod", limit: 1)
        #expect(first.items == [["metadata": ["name": "a"]]])
        #expect([first.resourceVersion, first.next, first.headers["Date"]] == ["7", "p 1", "Mon, 30 Nov 2026 14:00:00 GMT"])
        #expect(first.remaining == 3)
        let last = try await client.page(.pods, namespace: "prod", limit: 1, from: first.next)
        #expect(last.items.isEmpty && last.next == nil && last.remaining == nil)
        #expect(
            transport.requests.map(\.url) == [
                "https://cluster.test/api/v1/namespaces/prod/pods?limit=1",
                "https://cluster.test/api/v1/namespaces/prod/pods?limit=1&continue=p%201",
            ])
    }

    static let unusable: [JSON] = [
        [:], ["kind": "Pod", "metadata": [:]], ["kind": "PodList", "items": []], ["kind": "PodList", "metadata": [:], "items": [:]],
    ]

    @Test(arguments: unusable)
    func whatIsNoListIsNotAnEmptyOne(_ body: JSON) async {
        let client = KubernetesClient(.make(), transport: ScriptedTransport(.json(200, body)))
        let error = await failure { () async throws(KubernetesError) in try await client.page(.pods, namespace: "prod", limit: 1) }
        #expect(error?.code == .malformed)
    }

    @Test func aPositionExpiresWhenTheClusterForgetsThePast() async throws {
        let clock = ManualClock()
        let workloads = ["a", "b", "c"].map { ["namespace": "prod", "name": .string($0), "history": [["image": "r/api:v1"]]] as JSON }
        let simulator = KubernetesSimulator(world: ["workloads": .array(workloads)], clock: clock)
        let client = KubernetesClient(.make(), transport: SimulatedTransport(["https://cluster.test": simulator]))
        let first = try await client.page(.deployments, namespace: "prod", limit: 1)
        #expect(first.remaining == 2)
        let second = try await client.page(.deployments, namespace: "prod", limit: 1, from: first.next)
        #expect(second.items.map { $0["metadata"]?["name"] } == ["b"])
        #expect(second.resourceVersion == first.resourceVersion)
        simulator.compact()
        let error = await failure { () async throws(KubernetesError) in
            try await client.page(.deployments, namespace: "prod", limit: 1, from: second.next)
        }
        #expect(error?.code == .gone)
    }
}
