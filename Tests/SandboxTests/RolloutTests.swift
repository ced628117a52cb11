import CurlTransport
import HTTPCore
import JSONValues
import SandboxServer
import Simulators
import Testing

@Suite(.timeLimit(.minutes(1))) struct RolloutTests {
    /// The vendors are asynchronous: what was asked for is accepted at once, happens in their own time, and is seen through a watch.
    @Test func aRolloutIsWatchedToItsEndOverTheWire() async throws {
        let world: JSON = [
            "workloads": [
                ["namespace": "prod", "name": "backend", "replicas": 2, "containers": [["name": "api"]], "history": [["image": "api:v1"]]]
            ]
        ]
        let clock = SandboxServer.realTime(speed: 100)
        let cluster = KubernetesSimulator(world: world, clock: clock, token: "sandbox-token")
        let sandbox = try await SandboxServer.start(simulators: [cluster], clock: clock, speed: 100)
        let deployments = try #require(sandbox.urls["kubernetes"]) + "/apis/apps/v1/namespaces/prod/deployments"
        let credentials: HTTPHeaders = ["Authorization": "Bearer sandbox-token"]
        let transport = CurlTransport()
        let watch = try await transport.stream(HTTPRequest(.get, deployments + "?watch=true", headers: credentials))

        var patch = HTTPRequest(.patch, deployments + "/backend", headers: credentials)
        patch.headers["Content-Type"] = "application/strategic-merge-patch+json"
        patch.body = Array(#"{"spec":{"template":{"spec":{"containers":[{"name":"api","image":"api:v2"}]}}}}"#.utf8)
        #expect(try await transport.send(patch).status == 200)

        var updated: [Int] = []
        var rest: [UInt8] = []
        watching: for try await chunk in watch.chunks {
            rest += chunk
            while let end = rest.firstIndex(of: 0x0A) {
                let object = try JSON(parsing: Array(rest[..<end]))["object"]
                rest.removeFirst(end + 1)
                // A status of the generation before says nothing about this one.
                guard let status = object?["status"], status["observedGeneration"] == object?["metadata"]?["generation"] else { continue }
                updated.append(status["updatedReplicas"]?.integer ?? 0)
                if updated.last == 2, status["replicas"]?.integer == 2, status["availableReplicas"]?.integer == 2 { break watching }
            }
        }
        #expect(updated.count > 1 && updated.contains { $0 < 2 }, "\(updated)")
        await sandbox.stop()
    }
}
