import FoundationEssentials
import HTTPCore
import JSONValues
import Model
import ProviderContract
import Simulators
import Testing

struct ConfigurationContractTests {
    @Test(arguments: Clause.configuration)
    func clauseIsKept(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: ConfiguredFixture())
        #expect(violation == nil)
    }

    @Test(arguments: Clause.configuration)
    func clauseIsKeptAmongOthersOfItsNamespace(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: ConfiguredFixture(others: ["aside", "cron"]))
        #expect(violation == nil)
    }
}

/// A Deployment whose container has plain values that kubectl set.
private struct ConfiguredFixture: ProviderFixture {
    /// See ``KubernetesFixture/others``.
    var others: [String] = []

    func makeWorld() async throws -> ContractWorld {
        let history: JSON = .array(
            ["v1.41.3", "v1.42.0"].map { tag in
                [
                    "image": .string("registry.test/api:\(tag)"), "env": ["REGION": "near-the-sea", "MODE": "slow-and-safe"],
                    "container": "api",
                ]
            })
        let cluster = try Cluster([Cluster.workload(["history": history])] + others.map { Cluster.workload(name: $0) })
        var world = try await KubernetesFixture.world(of: cluster, others)
        world.configuration = ContractConfiguration(
            present: [.init("REGION", "near-the-sea", isReference: false), .init("MODE", "slow-and-safe", isReference: false)],
            wanted: [.init("MODE", "fast-and-risky", isReference: false), .init("DSN", "dsn-secret-0815")],
            holds: { key, text in await cluster.value(of: key) == text },
            setByHand: { key, text in
                let variable: JSON = ["name": .string(key), "value": .string(text), "valueFrom": nil]
                await cluster.send(
                    .patch, "/apis/apps/v1/namespaces/prod/deployments/backend?fieldManager=kubectl-edit",
                    ["spec": ["template": ["spec": ["containers": [["name": "api", "env": [variable]]]]]]],
                    type: "application/strategic-merge-patch+json")
                cluster.clock.advance(by: .seconds(60))
            }, deployments: { await cluster.object("Deployment", "backend")?["metadata"]?["generation"]?.integer ?? -1 })
        return world
    }
}

extension Cluster {
    /// What a pod that is made now gets; nil when it gets nothing.
    fileprivate func value(of key: String) async -> String? {
        let variables = await object("Deployment", "backend")?["spec"]?["template"]?["spec"]?["containers"]?[0]?["env"]?.elements
        guard let variable = variables?.first(where: { $0["name"]?.string == key }) else { return nil }
        guard let from = variable["valueFrom"] else { return variable["value"]?.string }
        if let reference = from["configMapKeyRef"] {
            return await object("ConfigMap", reference["name"]?.string ?? "")?["data"]?[reference["key"]?.string ?? ""]?.string
        }
        guard let reference = from["secretKeyRef"] else { return nil }
        let answer = await simulator.answer(
            HTTPRequest(
                .get, "\(Self.server)/api/v1/namespaces/prod/secrets/\(reference["name"]?.string ?? "")",
                headers: ["Authorization": "Bearer \(Self.token)"]))
        guard case .whole(let response) = answer, let secret = try? JSON(parsing: response.body) else { return nil }
        let text = secret["data"]?[reference["key"]?.string ?? ""]?.string
        return text.flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
    }
}
