import HTTPCore
import JSONValues
import Model
import Simulators
import Testing

/// Other people at a project on Vercel that is rolled back.
@Suite struct VercelRaceTests {
    private let first = Spec(1, "web: {vercel: {project: shop, team: acme}, release: dpl_C}")
    private let back = Spec(2, "web: {vercel: {project: shop, team: acme}, release: dpl_A}")
    private static let sha = String(repeating: "9", count: 40)

    private func expectThePin(_ stage: Stage) async {
        let facts = await stage.facts()
        let wanted = ["production dpl_A", "shop.example.com dpl_A", "www.shop.example.com dpl_A", "auto-assignment off"]
        for fact in wanted { #expect(facts.contains(fact), "\(facts)") }
    }

    @Test(
        arguments: [
            ("before the fence", .before, .patch, "/v9/projects/shop"), ("behind the fence", .after, .patch, "/v9/projects/shop"),
            ("while the rollback's job runs", .after, .post, "/rollback/"),
        ] as [(String, Meddler.Moment, HTTPMethod, String)])
    func aPushWhileWeRollBackIsBuiltAndNotServed(_ why: String, _ moment: Meddler.Moment, _ method: HTTPMethod, _ path: String) async throws
    {
        let stage = try Stage(["vercel": Write.world()])
        stage.meddler.act(moment, method, path) { [vercel = stage.vercel] in vercel.pushCommit("shop", sha: Self.sha) }
        try await stage.reconcile(first)
        try await stage.watch(back)
        await expectThePin(stage)
        #expect(stage.drifts.isEmpty, "\(why): \(stage.drifts)")
        #expect(await stage.effects() == ["autoAssign off", "rollback dpl_A"], "\(why)")
    }

    @Test func aPushThatWasServedBeforeTheFenceIsDriftAndIsRolledBack() async throws {
        let stage = try Stage(["vercel": Write.world()])
        try await stage.reconcile(first)
        stage.vercel.pushCommit("shop", sha: Self.sha)
        try await stage.wait(.seconds(60))
        try await stage.watch(back)
        await expectThePin(stage)
        #expect(stage.drifts.count == 1, "\(stage.drifts)")
        #expect(await stage.effects() == ["autoAssign off", "rollback dpl_A"])
    }

    @Test(
        arguments: [
            ("before the fence: the rollback replaces the job", .before, .patch, "/v9/projects/shop", 0),
            ("just before the rollback, which replaces the job", .before, .post, "/rollback/", 0),
            ("while the rollback's job runs, which is replaced", .after, .post, "/rollback/", 1),
        ] as [(String, Meddler.Moment, HTTPMethod, String, Int)])
    func aPersonWhoPromotesWhileWeRollBackIsToldOfOnce(
        _ why: String, _ moment: Meddler.Moment, _ method: HTTPMethod, _ path: String, _ drifts: Int
    ) async throws {
        let stage = try Stage(["vercel": Write.world()])
        stage.meddler.act(moment, method, path) { [vercel = stage.vercel] in vercel.humanPromote("shop", "dpl_S") }
        try await stage.reconcile(first)
        try await stage.watch(back)
        await expectThePin(stage)
        #expect(stage.drifts.count == drifts, "\(why): \(stage.drifts)")
        let effects = await stage.effects()
        #expect(effects.count { $0 == "rollback dpl_A" } <= 2, "\(why): \(effects)")
    }

    @Test func aPersonWhoPromotesAfterwardsIsDriftAndTheFenceGoesUpAgain() async throws {
        let stage = try Stage(["vercel": Write.world()])
        try await stage.reconcile(first)
        try await stage.reconcile(back)
        stage.vercel.humanPromote("shop", "dpl_S")
        try await stage.wait(.seconds(30))
        try await stage.watch(back)
        await expectThePin(stage)
        #expect(stage.drifts.count == 1, "\(stage.drifts)")
        #expect(await stage.effects() == ["autoAssign off", "rollback dpl_A", "autoAssign off", "rollback dpl_A"])
    }

    @Test func automaticAssignmentThatIsSwitchedOnWhileWeRollBackIsOffInTheEnd() async throws {
        let stage = try Stage(["vercel": Write.world()])
        stage.meddler.act(.after, .post, "/rollback/") { [vercel = stage.vercel] in
            vercel.setAutoAssign("shop", true)
            vercel.pushCommit("shop", sha: Self.sha)
        }
        try await stage.reconcile(first)
        try await stage.watch(back)
        await expectThePin(stage)
        #expect(stage.drifts.isEmpty, "\(stage.drifts)")
        #expect(await stage.effects().count { $0 == "rollback dpl_A" } == 1)
    }
}
