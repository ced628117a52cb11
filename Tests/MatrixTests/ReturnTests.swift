import ControlLoop
import JSONValues
import Model
import Planning
import Testing

/// From one spec to another and back, over all four providers: everything ends as it began, as far as the spec says how.
@Suite struct ReturnTests {
    private static let a = """
        web: {vercel: {project: shop, team: acme}, release: dpl_A, after: [api]},
        api: {kubernetes: {namespace: prod, deployment: backend, container: api}, release: v1, after: [worker], env: {MODE: slow, DSN: {fromEnv: DSN}}},
        worker: {fly: {app: shop-worker}, release: v1, env: {MODE: slow}},
        docs: {render: {service: srv-docs}, release: dep-a},
        image: {render: {service: srv-api}, release: v1}
        """
    private static let b = """
        web: {vercel: {project: shop, team: acme}, release: dpl_B, after: [api]},
        api: {kubernetes: {namespace: prod, deployment: backend, container: api}, release: v2, after: [worker], env: {MODE: fast, DSN: {fromEnv: DSN}}},
        worker: {fly: {app: shop-worker}, release: v2, env: {MODE: fast}},
        docs: {render: {service: srv-docs}, release: dep-b},
        image: {render: {service: srv-api}, release: v2}
        """

    @Test func thereAndBackEndsWithThePinnedFactsOfTheFirst() async throws {
        let stage = try Stage(
            ["vercel": Write.world(), "kubernetes": Write.cluster, "fly": Write.machines, "render": Write.services],
            variables: ["DSN": "over the hills"])
        func go(_ spec: Spec) async throws -> Set<String> {
            let ended = try await stage.reconcile(spec)
            let journal = try await stage.journal()
            try #require(ended.report.verdict == .inSync, "\(ended.report.problems); \(journal)")
            return Set(await stage.facts())
        }
        let there = try await go(Spec(1, Self.a))
        let elsewhere = try await go(Spec(2, Self.b))
        let back = try await go(Spec(3, Self.a))
        #expect(there == back, "\(there.symmetricDifference(back).sorted())")
        #expect(there != elsewhere)
        let wanted = [
            "production dpl_A", "auto-assignment off", "backend runs registry.test/api:v1",
            "backend has MODE=ConfigMap \(Stage.mark("slow"))", "backend has DSN=Secret \(Stage.mark("over the hills"))",
            "m1 runs one, started", "m2 runs one, started", "m3 runs one, started", "m1 has MODE=slow", "docs runs aaaaaaa",
            "docs deploys by itself: off", "api runs sha256:\(String(repeating: "1", count: 64))",
        ]
        for fact in wanted { #expect(back.contains(fact), "\(back.sorted())") }
        #expect(stage.drifts.isEmpty)
        let fences = try await stage.recorded().fences
        #expect(fences.values.map(\.name).sorted() == ["autoAssignCustomDomains", "autoDeploy"])
        let sent = stage.sentWrites
        try await stage.reconcile(Spec(3, Self.a), passes: 1)
        #expect(stage.sentWrites == sent)
    }
}
