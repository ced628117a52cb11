import JSONValues
import KubernetesAPI
import SandboxServer
import Synchronization
import TestPrograms

/// What the two pods work on.
extension ClusterSoak {
    func spec(_ pins: Pins) -> String {
        """
        apiVersion: belay.dev/v1alpha1
        kind: System
        metadata: {name: shop, namespace: \(stand.namespace)}
        spec:
          state: {cluster: {}}
          components:
            web: {vercel: {project: shop-web, team: acme}, release: \(pins.web), after: [api]}
            api: {kubernetes: {namespace: \(stand.namespace), deployment: api}, release: \(pins.api)}
            worker: {fly: {app: shop-worker}, release: \(pins.worker)}
        """
    }

    /// Makes the Deployment with its history.
    func deploy() async throws {
        func image(_ tag: String) -> JSON { .string("registry.example/api:\(tag)") }
        let labels: JSON = ["app": "api"]
        func body(_ tag: String) -> JSON {
            [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "api"],
                "spec": [
                    "replicas": 1, "selector": ["matchLabels": labels],
                    "template": ["metadata": ["labels": labels], "spec": ["containers": [["name": "api", "image": image(tag)]]]],
                ],
            ]
        }
        _ = try await stand.client.create(.deployments, namespace: stand.namespace, body("v1"))
        for tag in ["v1", "v2", "v3"] {
            if tag != "v1" {
                _ = try await stand.client.patch(.deployments, namespace: stand.namespace, name: "api", .merge(body(tag)))
            }
            try await until("the rollout of \(tag) is done") {
                let (object, status) = (try await self.deployment(), try await self.deployment()["status"])
                return status?["observedGeneration"] == object["metadata"]?["generation"] && status?["updatedReplicas"] == 1
                    && status?["availableReplicas"] == 1 && status?["replicas"] == 1
            }
        }
        let generation = try await generation()
        state.withLock { $0.generation = generation }
    }

    private func deployment() async throws -> JSON {
        try await stand.client.get(.deployments, namespace: stand.namespace, name: "api").body
    }

    func generation() async throws -> Int { try await deployment()["metadata"]?["generation"]?.integer ?? 0 }

    /// What is in place.
    func live() async throws -> Pins {
        let project = (try await world("vercel")["projects"]?.elements ?? []).first
        let app = (try await world("fly")["apps"]?.elements ?? []).first
        let digests = Set((app?["machines"]?.elements ?? []).compactMap { $0["digest"]?.string })
        let tags = digests.map { digest in
            app?["images"]?.elements.first { $0["digest"]?.string == digest || $0["image"]?.string == digest }?["tag"]?.string ?? digest
        }
        let containers = try await deployment()["spec"]?["template"]?["spec"]?["containers"]?.elements
        let image = containers?.first?["image"]?.string ?? ""
        return Pins(
            web: project?["production"]?.string ?? "", worker: tags.sorted().joined(separator: "+"),
            api: String(image.drop { $0 != ":" }.dropFirst()))
    }

    func world(_ vendor: String) async throws -> JSON {
        let url = (sandbox.server.urls[vendor] ?? "") + "/_sandbox/world"
        let answer = try await BuiltProgram(onSearchPath: "curl").run(["-sf", "--noproxy", "*", url])
        return try JSON(parsing: answer.output)[vendor] ?? [:]
    }

    static let world = """
        apiVersion: sandbox.belay.dev/v1alpha1
        kind: World
        vercel:
          projects:
            - name: shop-web
              team: acme
              repository: acme/shop
              domains: [shop.example.com]
              production: dpl_web3
              seconds: {queue: 1, build: 20, assign: 1, pending: 1, job: 5}
              deployments:
                - {id: dpl_web1, sha: 1111111111111111111111111111111111111111, minutesAgo: 300, target: production, state: READY}
                - {id: dpl_web2, sha: 2222222222222222222222222222222222222222, minutesAgo: 200, target: production, state: READY}
                - {id: dpl_web3, sha: 3333333333333333333333333333333333333333, minutesAgo: 100, target: production, state: READY}
        fly:
          rateLimits: false
          apps:
            - name: shop-worker
              org: acme
              machines: [{id: 148e000000000a}, {id: 148e000000000b}]
              env: {REGION: fra}
              releases: [{version: 1, tag: v1}, {version: 2, tag: v2}, {version: 3, tag: v3}]
        """
}
