import ControlLoop
import Execution
import Model
import Planning
import ProviderKit
import State
import TestDoubles
import Testing

/// Letting go of a component: its fence comes down, then nothing of it is recorded.
@Suite struct ForgetTests {
    private let web = ResourceID.component("web")

    private func fence(_ set: String = "off", target: String = #"{"identity":"web"}"#, provider: String = "fake") -> JournalEntry {
        .fence(
            .init(web, .raised, Fence(name: "autoDeploy", previous: "commit", set: set, target: target, provider: provider)))
    }

    private var reached: JournalEntry {
        .reached(.init(web, ReleaseRecord(resolution: Intent.example.resolution, quality: .good, reached: .example)))
    }

    /// A stage whose automation has `value` and takes what it is set to, unless `isStuck`.
    private func stage(_ value: String = "off", isStuck: Bool = false, problem: Problem? = nil) throws -> Stage {
        let stage = try Stage(look: { _, _, observation in
            if let problem { return .unknown(problem) }
            return observation
        })
        stage.world.automation = .init(value: value, isStuck: isStuck)
        return stage
    }

    private func forget(
        _ stage: Stage, _ name: String = "web", of system: System = .make(.make("api")), leavesFence: Bool = false
    ) async -> ForgetReport {
        await stage.time.run { [reconciler = stage.reconciler] in
            await reconciler.forget(name, of: system, ForgetOptions(leavesFence: leavesFence, holder: .make()))
        }
    }

    @Test func theFenceComesDownAndNothingIsRecordedAnyMore() async throws {
        let stage = try stage()
        try await stage.accept(reached, fence())
        let report = await forget(stage)
        #expect(report.verdict == .inSync && report.problem == nil)
        #expect(report.done == ["its fence is down: autoDeploy is commit", "one recorded release is forgotten"])
        #expect(stage.world.automation?.value == "commit")
        #expect(try await stage.journal() == ["accepted", "reached", "fence", "fence", "fence", "forgotten"])
        let state = try await stage.store.load()
        #expect(state.fences.isEmpty && state.releases.isEmpty && state.isKnown)
        #expect(stage.world["web"].writes.isEmpty, "what runs stays")
        #expect(await forget(stage).problem?.reason == "NothingRecorded", "once")
    }

    @Test func whatSomebodyElseSetSinceStays() async throws {
        let stage = try stage("checks")
        try await stage.accept(fence())
        let report = await forget(stage)
        #expect(report.verdict == .inSync)
        #expect(report.done == ["its fence is down: autoDeploy is checks, set by somebody else; it stays so"])
        #expect(stage.world.automation?.value == "checks")
        #expect(try await stage.store.load().fences.isEmpty)
    }

    @Test func withoutAFenceNobodyIsAsked() async throws {
        let stage = try stage(problem: .unreachable)
        try await stage.accept(reached)
        #expect(await forget(stage).verdict == .inSync)
        #expect(stage.world["web"].looks.isEmpty)
    }

    @Test func whatTheSpecNamesIsNotForgotten() async throws {
        let stage = try stage()
        try await stage.accept(reached, fence())
        let report = await forget(stage, of: .make(.make("web")))
        #expect(report.verdict == .blocked)
        #expect(
            report.problem?.description
                == "component/web: the spec still names it; take it out of the spec first; or say fence: false there, to give its automation back and keep it"
        )
        #expect(try await stage.journal().count == 3 && stage.world["web"].looks.isEmpty)
    }

    @Test func anUnknownNameIsToldWithTheKnownOnes() async throws {
        let stage = try stage()
        try await stage.accept(reached)
        let report = await forget(stage, "wbe")
        #expect(report.verdict == .failure)
        #expect(
            report.problem?.description == "default/shop: nothing is recorded of component/wbe; recorded and not in the spec: web")
        let empty = try self.stage()
        #expect(
            await forget(empty).problem?.description
                == "default/shop: nothing is recorded of component/web; there is nothing to forget")
        #expect(try await empty.journal() == [])
    }

    @Test func anOpenTransitionThatMovesItComesFirst() async throws {
        let stage = try stage()
        let transition = Transition(
            id: "t1", revision: .example, start: [:], target: [web: Intent.example.resolution], directions: [:], obligations: [],
            opened: .example)
        try await stage.accept(.opened(.init(transition: transition, resolutions: [:])), fence())
        let report = await forget(stage)
        #expect(report.verdict == .blocked && report.problem?.reason == "TransitionOpen", "\(report)")
        #expect(try await stage.store.load().fences.count == 1)
    }

    @Test(arguments: [
        ("unreachable", "ProviderError", "a provider that does not answer"), ("stuck", "FenceNotSeen", "a switch that does not turn"),
        ("gone", "NoSwitch", "a switch that is not there any more"), ("barred", "TokenMissing", "a provider without its token"),
        ("unknown", "UnknownTarget", "a provider that this version does not know"),
    ])
    func nothingIsForgottenUnlessTheFenceIsDown(trouble: String, reason: String, why: String) async throws {
        let stage = try stage(isStuck: trouble == "stuck", problem: trouble == "unreachable" ? .unreachable : nil)
        if trouble == "gone" { stage.world.automation = nil }
        try await stage.accept(reached, fence(provider: ["barred", "unknown"].contains(trouble) ? trouble : "fake"))
        let report = await forget(stage)
        #expect(report.verdict == .failure && report.problem?.reason == reason, "\(why): \(report)")
        #expect(
            report.problem?.next?.hasSuffix("--leave-fence forgets it and leaves autoDeploy as it is (off; before, it was commit)") == true)
        let state = try await stage.store.load()
        #expect(state.fences.count == 1 && state.releases.count == 1)

        let left = await forget(stage, leavesFence: true)
        #expect(left.verdict == .inSync, "\(left)")
        #expect(left.done.first == "its fence is left: autoDeploy stays off; before, it was commit")
        #expect(try await stage.store.load().fences.isEmpty)
    }

    @Test func aWriteWhoseEndWasNotSeenIsTold() async throws {
        let stage = try stage()
        try await stage.accept(.intent(.example))
        #expect(
            await forget(stage).done == ["the end of a write was not seen: fake rollback to v2; nobody looks for it any more"])
        #expect(try await stage.store.load().openIntents.isEmpty)
    }

    @Test func whoeverHoldsTheLockComesFirst() async throws {
        let stage = try stage()
        try await stage.accept(reached)
        let session = try await stage.store.lock(.make(), patience: .seconds(5), clock: ContinuousClock())
        #expect(await forget(stage).verdict == .blocked)
        await session.release()
        #expect(await forget(stage).verdict == .inSync)
    }
}
