import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

/// The edge cases of the vendor's contract, section 11, by their numbers: builds, and releases that only a build brings back.
@Suite struct VercelBuildTests {
    @Test func case7APreviewIsRebuiltOnlyWhereItIsAllowed() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"))
        let route = try #require(await stage.observe().route(to: "dpl_P"))
        #expect(route.verb == .redeploy)
        #expect(route.class == .minutes)
        #expect(route.refusal?.reason == "RebuildNotAllowed")
        #expect(
            route.refusal?.message == "vercel/web: dpl_P is a preview, which cannot serve production as it is")
    }

    @Test func case7ARebuildHasItsSourceAsLineageAndIsRolledBackToLater() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(120))
        let arrived = await stage.observe(resolution: change.resolution, intent: intent)
        let rebuilt = try #require(arrived.live.declared)
        #expect(rebuilt.id != "dpl_P")
        #expect(rebuilt.lineage == [ArtifactIdentity(.deployment, "dpl_P")])
        #expect(arrived.settlement == .settled)

        stage.vercel.humanRollback("podcast-web", "dpl_A")
        stage.pass(.seconds(10))
        // No resolution, as on the first contact of a new machine.
        let back = try stage.world.change(after: await stage.observe()).change
        #expect(back.route.verb == .undo)
        #expect(back.to.id == rebuilt.id)
    }

    @Test func case7APinMetByARebuildIsUnderstoodWithoutRecords() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        _ = try await stage.go()
        stage.pass(.seconds(120))
        let observation = await stage.observe()
        let resolution = try stage.world.resolution(in: observation)
        #expect(resolution.identity == ArtifactIdentity(.deployment, "dpl_P"))
        #expect(observation.live.declared?.matches(resolution) == true)
    }

    @Test(
        arguments: [
            (.error("npm failed"), "BuildFailed", "npm failed"), (.canceled, "BuildFailed", "it was canceled"),
            (.blocked, "DeploymentBlocked", "not a verified member"),
        ] as [(VercelSimulator.BuildOutcome, String, String)])
    func case8ARebuildThatFailsLeavesTheDomainsAndSaysSo(
        _ outcome: VercelSimulator.BuildOutcome, _ reason: String, _ words: String
    ) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        stage.vercel.setNextBuild("podcast-web", outcome)
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(120))
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.live.declared?.id == "dpl_C")
        #expect(observation.fate == observation.failure.map { .failed($0) })
        #expect(observation.failure?.reason == reason)
        #expect(observation.failure?.message.contains(words) == true)
        #expect(observation.operation == nil)
    }

    /// Deployments from the command line carry no meta at all.
    @Test(arguments: [#"{"githubCommitSha":"\#(VercelStage.shaC)"}"#, "{}"]) func aListThatPassesOverTheFilterShowsNoBuildOfOurs(
        _ meta: String
    ) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        stage.inject(Fault(method: .post, .dropBefore))
        let (_, change, intent) = try await stage.go()
        let body =
            #"{"deployments":[{"uid":"dpl_C","name":"podcast-web","readyState":"READY","target":"production","#
            + #""created":1,"meta":\#(meta)}],"pagination":{"count":1,"next":null,"prev":null}}"#
        stage.inject(Fault(method: .get, path: "/v7/deployments", .answer(status: 200, headers: [:], body: body)))
        guard case .undecided = await stage.observe(resolution: change.resolution, intent: intent).fate else {
            Issue.record("another deployment was taken for the build of the intent")
            return
        }
    }

    @Test func case15ADeletedDeploymentIsGoneAndSaysHowItComesBack() async throws {
        let stage = try VercelStage.make()
        stage.vercel.expire("podcast-web", "dpl_A")
        let candidate = try #require(await stage.observe().candidate("dpl_A"))
        #expect(candidate.routes.isEmpty)
        #expect(candidate.gone?.reason == "Gone")
        #expect(candidate.gone?.next == "restore it in the dashboard, which is possible for 30 days, or pin another release")
    }

    @Test(arguments: [false, true]) func case15ACommitWhoseDeploymentIsGoneIsBuiltOnlyWhereItIsAllowed(_ allowed: Bool) async throws {
        let stage = try VercelStage.make(pin: .commit(VercelStage.shaA), allowRebuild: allowed)
        stage.vercel.expire("podcast-web", "dpl_A")
        let route = try #require(await stage.observe().route(to: VercelStage.shaA))
        #expect(route.verb == .redeploy)
        guard allowed else {
            #expect(route.refusal?.message == "vercel/web: no deployment of commit aaaaaaa is left")
            return
        }
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(120))
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.live.declared?.matches(change.resolution) == true)
        #expect(observation.settlement == .settled)
    }

    @Test func case20ABuildWhoseDomainsWereSkippedIsPromotedAfterAMinute() async throws {
        let stage = try VercelStage.make(pin: .name("f00df00"))
        stage.vercel.setNextBuild("podcast-web", .ready, assignment: .skipped)
        let new = try #require(stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006"))
        stage.pass(.seconds(70))
        #expect(await stage.observe().operation?.summary == "the domains are being assigned to \(new)")
        stage.pass(.seconds(60))
        let observation = await stage.observe()
        #expect(observation.operation == nil)
        #expect(observation.route(to: new)?.verb == .promote)
        #expect(observation.route(to: new)?.refusal == nil)
    }

    @Test func case21ChecksHoldABuildBack() async throws {
        for (outcome, reason) in [(VercelSimulator.AssignmentOutcome.checksFailed, "ChecksFailed"), (.checksPending, "ChecksRunning")] {
            let stage = try VercelStage.make(pin: .name("f00df00"))
            stage.vercel.setNextBuild("podcast-web", .ready, assignment: outcome)
            let new = try #require(stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006"))
            stage.pass(.seconds(200))
            let observation = await stage.observe()
            #expect(observation.route(to: new)?.refusal?.reason == reason)
            #expect((observation.operation != nil) == (reason == "ChecksRunning"))
        }
    }

    @Test func case21DomainsThatCouldNotBeAssignedAreAFailureOfOurBuild() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        stage.vercel.setNextBuild("podcast-web", .ready, assignment: .error("no certificate"))
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(200))
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.failure?.reason == "AliasError")
        #expect(observation.failure?.message.contains("no certificate") == true)
    }

    @Test func case22ABlockedDeploymentIsNotWaitedFor() async throws {
        let stage = try VercelStage.make(pin: .name("f00df00"))
        stage.vercel.setNextBuild("podcast-web", .blocked)
        let new = try #require(stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006"))
        stage.pass(.seconds(200))
        let observation = await stage.observe()
        #expect(observation.operation == nil)
        #expect(observation.route(to: new)?.refusal?.reason == "DeploymentBlocked")
    }

    @Test func case23ALostCreationIsFoundByItsMarkAndNotRepeated() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        stage.inject(Fault(method: .post, .dropAfter))
        let (_, change, intent) = try await stage.go()
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.fate == .inFlight)
        #expect(observation.operation?.summary.contains("begun 0 s ago") == true)
        #expect(
            stage.world.transport.received.contains { $0.path.contains("meta-belay-intent=\(intent.id)") })
        stage.pass(.seconds(120))
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .tookEffect)
        #expect(await stage.world.effects() == 1)
    }

    @Test func aBuildThatIsUnderWayIsAwaited() async throws {
        let stage = try VercelStage.make(pin: .name("f00df00"))
        let new = try #require(stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006"))
        stage.pass(.seconds(12))
        let observation = await stage.observe()
        #expect(observation.operation?.summary == "build \(new) is building, begun 12 s ago")
        // A build of somebody else does not hold an undo up.
        #expect(await stage.observe(.name("dpl_A")).operation == nil)
    }

    @Test func aStageOfOurOwnIsPromotedNext() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"), allowRebuild: true)
        stage.vercel.setAutoAssign("podcast-web", false)
        let first = try await stage.go()
        #expect(
            first.change.route.cautions.contains("the build is promoted when it is ready, because automatic assignment of domains is off"))
        stage.pass(.seconds(200))
        let ready = await stage.observe(resolution: first.change.resolution, intent: first.intent)
        #expect(ready.fate == .tookEffect)
        #expect(ready.operation == nil)
        let second = try await stage.go()
        #expect(second.change.route.verb == .promote)
        stage.pass(.seconds(10))
        #expect(await stage.observe(resolution: second.change.resolution).settlement == .settled)
    }
}
