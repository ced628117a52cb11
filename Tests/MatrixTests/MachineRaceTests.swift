import ControlLoop
import HTTPCore
import JSONValues
import Model
import Planning
import Simulators
import Testing

/// Other people at what runs on Fly.io and Kubernetes while it is rolled back.
@Suite struct MachineRaceTests {
    @Test(arguments: [("m1", 1), ("m2", 1), ("m3", 1)])
    func somebodysDeployBetweenTheMachinesEndsWithThePin(_ machine: String, _ skip: Int) async throws {
        let stage = try Stage(["fly": Write.machines])
        // The second POST is the update.
        stage.meddler.act(.after, .post, "/machines/\(machine)", skip: skip) { [fly = stage.fly] in fly.deploy("shop-worker", tag: "four") }
        try await stage.reconcile(Spec(1, "worker: {fly: {app: shop-worker}, release: v3}"))
        try await stage.watch(Spec(2, "worker: {fly: {app: shop-worker}, release: v1}"))
        #expect(stage.meddler.isDone)
        let facts = await stage.facts()
        for machine in ["m1", "m2", "m3"] { #expect(facts.contains("\(machine) runs one, started"), "\(facts)") }
        #expect(!facts.contains { $0.contains("leased") })
        let (effects, journal) = (await stage.effects(), try await stage.journal())
        #expect(stage.drifts.count == 1, "\(stage.drifts); \(effects); \(journal)")
        #expect(effects.count { $0.hasPrefix("update") } <= 6, "\(effects)")
    }

    @Test(
        arguments: [
            ("before our patch", Meddler.Moment.before), ("just after our patch", .after),
        ])
    func setImageInTheMiddleEndsWithThePin(_ why: String, _ moment: Meddler.Moment) async throws {
        let stage = try Stage(["kubernetes": Write.cluster])
        stage.meddler.act(moment, .patch, "/deployments/backend") { await stage.setImage("registry.test/api:v7") }
        let component = "api: {kubernetes: {namespace: prod, deployment: backend, container: api}, release:"
        try await stage.reconcile(Spec(1, "\(component) v3}"))
        try await stage.watch(Spec(2, "\(component) v1}"))
        let facts = await stage.facts()
        #expect(facts.contains("backend runs registry.test/api:v1") && facts.contains("backend is settled"), "\(facts)")
        let (effects, journal) = (await stage.effects(), try await stage.journal())
        #expect(stage.drifts.count == 1, "\(why): \(stage.drifts); \(journal)")
        #expect(effects.count { $0 == "roll out backend" } <= 3, "\(effects)")
    }
}

extension Stage {
    /// `kubectl set image`.
    func setImage(_ image: String) async {
        let body: JSON = ["spec": ["template": ["spec": ["containers": [["name": "api", "image": .string(image)]]]]]]
        _ = await kubernetes.answer(
            HTTPRequest(
                .patch, "http://kubernetes.test/apis/apps/v1/namespaces/prod/deployments/backend?fieldManager=kubectl-set",
                headers: [
                    "Authorization": "Bearer stage-token-4711", "Content-Type": "application/strategic-merge-patch+json",
                    "User-Agent": "kubectl/v1.33",
                ], body: body.bytes))
    }

    /// Comes back every minute and a half, as a schedule would, until nothing has happened for some time; the last pass may write nothing.
    func watch(_ spec: Spec) async throws {
        for _ in 0..<4 {
            let ended = try await reconcile(spec)
            let journal = try await journal()
            #expect(ended.report.verdict == .inSync, "\(ended.passes) passes: \(ended.report.problems); \(journal)")
            try await wait(.seconds(90))
        }
        let sent = sentWrites
        let ended = try await reconcile(spec, passes: 1)
        #expect(ended.report.verdict == .inSync && sentWrites == sent, "it does not stay: \(ended.report.problems)")
        #expect(try await journal().count { $0 == "drift" } == drifts.count)
    }
}
