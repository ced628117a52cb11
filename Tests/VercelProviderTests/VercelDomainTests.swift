import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

/// The edge cases of the vendor's contract, section 11, by their numbers: domains that disagree, and gradual rollouts.
@Suite struct VercelDomainTests {
    @Test func case13APartialFailureIsASplitProductionWithTheDomainsNamed() async throws {
        let stage = try VercelStage.make()
        stage.vercel.setNextJob("podcast-web", .failed(["www.podcast.example.com"]))
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(10))
        let waited = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(waited.live.declared?.id == "dpl_C")
        #expect(waited.live.serving.map(\.id) == ["dpl_C", "dpl_A"])
        #expect(waited.failure?.message == "vercel/web: the rollback to dpl_A failed; not moved: www.podcast.example.com")
        let later = await stage.observe(resolution: change.resolution)
        #expect(later.failure?.reason == "SplitProduction")
        #expect(
            later.failure?.message == "vercel/web: production is split: declared is dpl_C, but podcast.example.com serves dpl_A")
        // Asking once more is possible, and heals it.
        _ = try await stage.go()
        stage.pass(.seconds(10))
        #expect(await stage.observe(resolution: change.resolution).settlement == .settled)
    }

    @Test func case13WhileDomainsMoveOneByOneBothReleasesAreServing() async throws {
        let stage = try VercelStage.make()
        let (_, change, _) = try await stage.go()
        stage.pass(.milliseconds(1400))
        let observation = await stage.observe(resolution: change.resolution)
        #expect(observation.progress == "rollback to dpl_A: 1 of 2 domains")
        #expect(observation.live.serving.map(\.id) == ["dpl_C", "dpl_A"])
    }

    private func rolling(_ pin: Pin) throws -> VercelStage {
        try VercelStage.make(pin: pin) { project in
            project["rollingRelease"] = ["stages": [["percentage": 10, "minutes": 5], ["percentage": 100]]]
        }
    }

    @Test func case14TheCanaryOfARollingReleaseIsAwaitedAndNotPromotedAgain() async throws {
        let stage = try rolling(.name("dpl_S"))
        _ = try await stage.go()
        stage.pass(.seconds(30))
        let observation = await stage.observe()
        #expect(observation.progress == "rolling release to dpl_S: 10 % of the visitors")
        #expect(observation.operation?.leadsTo.contains(ArtifactIdentity(.deployment, "dpl_S")) == true)
        #expect(observation.live.serving.map(\.id) == ["dpl_C", "dpl_S"])
        #expect(observation.route(to: "dpl_S")?.refusal?.reason == "RollingRelease")
        stage.pass(.seconds(300))
        #expect(await stage.observe().live.declared?.id == "dpl_S")
    }

    @Test func case14ARollbackDoesNotWaitForARollingReleaseAndSaysThatItEndsIt() async throws {
        let stage = try rolling(.name("dpl_A"))
        stage.vercel.humanPromote("podcast-web", "dpl_S")
        let observation = await stage.observe()
        #expect(observation.operation == nil)
        #expect(observation.route(to: "dpl_A")?.cautions.contains("ends the rolling release to dpl_S at 10 % of the visitors") == true)
        _ = try await stage.go()
        stage.pass(.seconds(10))
        #expect(await stage.observe().settlement == .settled)
        #expect(await stage.project["rollingRelease"]?["state"]?.string == "ABORTED")
    }

    @Test func case14ARollbackDoesNotWaitForTheRollingReleaseThatWeBegan() async throws {
        let stage = try rolling(.name("dpl_S"))
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(30))
        // The rolling release is there to see, so that the write has taken effect: only the pin decides what is waited for.
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .tookEffect)
        let back = await stage.observe(.name("dpl_A"), intent: intent)
        #expect(back.fate == .tookEffect)
        #expect(back.operation == nil)
        #expect(back.route(to: "dpl_A")?.refusal == nil)
    }

    @Test func case2And14APromotionBehindARollingReleaseIsQueued() async throws {
        let stage = try rolling(.name("dpl_S"))
        let new = try #require(stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006"))
        let (change, intent) = try stage.world.change(after: await stage.observe())
        stage.pass(.seconds(90))
        #expect(await stage.project["rollingRelease"]?["canary"]?.string == new)
        guard case .accepted(let facts, _) = await stage.world.apply(change, intent) else {
            Issue.record("it was not accepted")
            return
        }
        #expect(facts["queued"] == "behind the active rolling release")
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.fate == .inFlight)
        #expect(observation.operation?.leadsTo.contains(ArtifactIdentity(.deployment, "dpl_S")) == true)
    }

    @Test func case19CronsThatStayedBehindAreSaid() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"))
        let body =
            #"{"id":"prj_podcastweb","name":"podcast-web","alias":[],"targets":{"production":{"id":"dpl_C","readyState":"READY"}},"#
            + #""crons":{"deploymentId":"dpl_B"}}"#
        stage.inject(Fault(method: .get, .answer(status: 200, headers: [:], body: body)))
        #expect(await stage.observe().notes.contains("cron jobs still run those of dpl_B"))
    }

    @Test func case19And28AnAliasThatWasSetByHandIsASplitProduction() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"))
        stage.vercel.setAlias("podcast-web", "www.podcast.example.com", "dpl_B")
        let observation = await stage.observe()
        #expect(observation.live.declared?.id == "dpl_C")
        #expect(observation.live.serving.map(\.id) == ["dpl_C", "dpl_B"])
        #expect(observation.failure?.reason == "SplitProduction")
    }
}
