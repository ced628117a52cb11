import HTTPCore
import JSONValues
import Model
import Simulators
import Testing

/// Somebody pushes while a service on Render is rolled back: its deploy begins whenever Render comes to it, whatever is switched off by then.
@Suite struct RenderRaceTests {
    enum Moment: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case beforeTheFence = "before the fence"
        case afterTheFence = "between the fence and the rollback"
        case duringTheRollback = "while the rollback runs"
        case afterTheRollback = "just after the rollback is live"
        case later = "a minute later"

        var testDescription: String { rawValue }

        /// How long after the push, which comes just before the fence, its deploy begins.
        var seconds: JSON {
            switch self {
            case .beforeTheFence: 0
            case .afterTheFence: 1
            case .duringTheRollback: 4
            case .afterTheRollback: 12
            case .later: 60
            }
        }
    }

    @Test(arguments: Moment.allCases, ["wait", "override"])
    func aDeployOfAPushEndsWithThePin(_ moment: Moment, _ policy: String) async throws {
        var world = Write.services
        world["policy"] = .string(policy)
        var services = world["services"]?.elements ?? []
        services[0]["seconds"] = ["build": 10, "update": 8, "push": moment.seconds]
        world["services"] = .array(services)
        let stage = try Stage(["render": world])
        let push = String(repeating: "9", count: 40)
        stage.meddler.act(.before, .patch, "/services/srv-docs") { [render = stage.render] in render.pushCommit("docs", sha: push) }
        try await stage.reconcile(Spec(1, "docs: {render: {service: srv-docs}, release: dep-c}"))
        let back = Spec(2, "docs: {render: {service: srv-docs}, release: dep-a}")
        try await stage.watch(back)

        let facts = await stage.facts()
        #expect(facts.contains("docs runs aaaaaaa") && facts.contains("docs deploys by itself: off"), "\(facts)")
        let deploys = await stage.render.world["services"]?[0]?["deploys"]?.elements ?? []
        let pushed = try #require(deploys.first { $0["commit"]?.string == push && $0["to"] == nil }, "\(deploys)")
        let wasLive = ["live", "deactivated"].contains(pushed["status"]?.string)
        let rollbacks = await stage.effects().count { $0.hasPrefix("rollback") }
        let journal = try await stage.journal()
        #expect(stage.drifts.count == (wasLive ? 1 : 0), "\(stage.drifts); \(journal)")
        #expect(rollbacks <= 2)
    }

    @Test func aPushBehindTheFenceIsNotDeployed() async throws {
        let stage = try Stage(["render": Write.services])
        stage.meddler.act(.after, .patch, "/services/srv-docs") { [render = stage.render] in
            render.pushCommit("docs", sha: String(repeating: "9", count: 40))
        }
        try await stage.reconcile(Spec(1, "docs: {render: {service: srv-docs}, release: dep-c}"))
        try await stage.watch(Spec(2, "docs: {render: {service: srv-docs}, release: dep-a}"))
        #expect(await stage.facts().contains("docs runs aaaaaaa"))
        #expect(await stage.effects() == ["update autoDeploy", "rollback dep-a"])
        #expect(stage.drifts.isEmpty)
    }

    @Test func somebodyWhoSwitchesAutoDeployOnAgainIsAnsweredOnce() async throws {
        let stage = try Stage(["render": Write.services])
        let back = Spec(2, "docs: {render: {service: srv-docs}, release: dep-a}")
        try await stage.reconcile(Spec(1, "docs: {render: {service: srv-docs}, release: dep-c}"))
        try await stage.reconcile(back)
        stage.render.setAutoDeploy("docs", "commit")
        stage.render.pushCommit("docs", sha: String(repeating: "9", count: 40))
        try await stage.watch(back)
        let facts = await stage.facts()
        #expect(facts.contains("docs runs aaaaaaa") && facts.contains("docs deploys by itself: off"), "\(facts)")
        #expect(stage.drifts.count == 1)
        let effects = await stage.effects().map { $0.prefix { $0 != " " } }
        #expect(effects == ["update", "rollback", "update", "rollback"], "\(effects)")
    }
}
