import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

/// The edge cases of the vendor's contract, section 11, by their numbers: jobs, assignment and limits. Builds are in ``VercelBuildTests``,
/// domains that disagree and gradual rollouts in ``VercelDomainTests``.
@Suite struct VercelEdgeCaseTests {
    @Test func case1TheJobIsAskedForWithRollbackInfo() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"))
        stage.vercel.humanRollback("podcast-web", "dpl_B")
        let observation = await stage.observe()
        #expect(stage.world.transport.received.first?.path == "/v9/projects/podcast-web?rollbackInfo=true&slug=acme")
        #expect(observation.operation?.summary == "rollback to dpl_B, requested 0 s ago")
        #expect(observation.operation?.leadsTo.contains(ArtifactIdentity(.deployment, "dpl_B")) == true)
    }

    @Test func case2AcceptedIsNotFinished() async throws {
        let stage = try VercelStage.make()
        let (result, change, _) = try await stage.go()
        guard case .accepted = result else {
            Issue.record("\(result)")
            return
        }
        let soon = await stage.observe(resolution: change.resolution)
        #expect(soon.live.declared?.id == "dpl_C")
        #expect(soon.progress == "rollback to dpl_A: 0 of 2 domains")
        stage.pass(.seconds(3))
        let late = await stage.observe(resolution: change.resolution)
        #expect(late.live.declared?.id == "dpl_A")
        #expect(late.settlement == .settled)
    }

    @Test(arguments: [Pin.name("dpl_A"), .name("dpl_S")]) func case3AskingForWhatIsCurrentIsAlreadySo(_ pin: Pin) async throws {
        let stage = try VercelStage.make(pin: pin)
        let (change, intent) = try stage.world.change(after: await stage.observe())
        _ = await stage.world.apply(change, intent)
        stage.pass(.seconds(10))
        #expect(await stage.world.apply(change, intent) == .alreadySo)
        #expect(await stage.world.effects() == 1)
    }

    @Test func case4ARolledBackProjectSaysThatNewerBuildsWaitAndPromotesThem() async throws {
        let stage = try VercelStage.make()
        _ = try await stage.go()
        stage.pass(.seconds(10))
        let new = try #require(stage.vercel.pushCommit("podcast-web", sha: "f00df00d00000000000000000000000000000006", message: "Fifth"))
        stage.pass(.seconds(200))
        let observation = await stage.observe(.name(new))
        #expect(observation.live.declared?.id == "dpl_A")
        let since = try #require(
            observation.notes.first?.firstMatch(of: #/^automatic assignment of domains is off since the rollback of (.*) to /#)?.1)
        #expect(since.hasPrefix("2026-11-23T") && since.count == 20, "a time without its milliseconds")
        #expect(observation.notes.contains("2 newer builds wait unserved, the newest is \(new) (f00df00)"))
        #expect(observation.operation == nil)
        let route = try #require(observation.route(to: new))
        #expect(route.verb == .promote)
        #expect(route.cautions == ["switches automatic assignment of domains on; a fence goes up again at the end"])
    }

    @Test func case5AutomaticAssignmentThatPeopleSwitchedOffIsSaidAndLeftAlone() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"))
        stage.vercel.setAutoAssign("podcast-web", false)
        let observation = await stage.observe()
        #expect(observation.settlement == .settled)
        #expect(
            observation.notes.first
                == "automatic assignment of domains is off, and not by a rollback, set by user_sim: pushes are built and not served")
        #expect(stage.world.writes == 0)
    }

    @Test func case5APausedProjectIsNotHealthy() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C"))
        stage.vercel.setPaused("podcast-web", true)
        let observation = await stage.observe()
        #expect(observation.failure?.reason == "ProjectPaused")
        #expect(observation.notes.first == "automatic assignment of domains is off while the project is paused")
    }

    @Test func case6PromotedIsHistoryAndNotWhatIsCurrent() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_B"))
        let observation = await stage.observe()
        #expect(observation.live.declared?.id == "dpl_C")
        #expect(observation.live.serving.map(\.id) == ["dpl_C"])
        #expect(observation.route(to: "dpl_B")?.verb == .undo)
    }

    @Test func case9TheHobbyPlanIsAPlanLimitAndNotACredentialError() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_A"), plan: "hobby")
        let (result, change, _) = try await stage.go()
        #expect(change.route.cautions.contains("on the Hobby plan, Vercel rolls back one release only"))
        guard case .refused(let problem) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(problem.reason == "PlanLimit")
        #expect(problem.next?.contains("pin the release that served before this one") == true)
        let next = try VercelStage.make(pin: .name("dpl_B"), plan: "hobby")
        guard case .accepted = try await next.go().result else {
            Issue.record("one step back was refused")
            return
        }
    }

    @Test func case10AnUnsettledJobIsAwaitedAndNotOverlapped() async throws {
        let stage = try VercelStage.make()
        stage.vercel.setNextJob("podcast-web", .neverEnds)
        stage.inject(Fault(method: .post, .dropAfter))
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(300))
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.fate == .inFlight)
        #expect(observation.operation?.summary == "rollback to dpl_A, requested 5 min ago")
        #expect(observation.progress == "rollback to dpl_A: 1 of 2 domains")
    }

    @Test func case11AJobOfSomebodyElseIsNotTakenForOurs() async throws {
        let stage = try VercelStage.make()
        stage.inject(Fault(method: .post, .dropBefore))
        let (_, change, intent) = try await stage.go()
        stage.vercel.humanRollback("podcast-web", "dpl_B")
        stage.pass(.seconds(10))
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.live.declared?.id == "dpl_B")
        #expect(
            observation.fate == .undecided("no trace of it after 10 s; Vercel may show it for up to 90 s"))
    }

    @Test func case11AJobOfTheSameTargetFromBeforeIsNotTakenForOurs() async throws {
        let stage = try VercelStage.make()
        stage.vercel.humanRollback("podcast-web", "dpl_A")
        stage.pass(.seconds(60))
        stage.vercel.humanPromote("podcast-web", "dpl_B")
        stage.pass(.seconds(60))
        stage.vercel.setNextJob("podcast-web", .failed(["podcast.example.com", "www.podcast.example.com"]))
        stage.vercel.humanRollback("podcast-web", "dpl_A")
        stage.pass(.seconds(60))
        stage.inject(Fault(method: .post, .dropBefore))
        let (_, change, intent) = try await stage.go()
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        guard case .undecided = observation.fate else {
            Issue.record("the fate is \(String(describing: observation.fate))")
            return
        }
        #expect(observation.settlement == .settled, "the failure of an older job is not ours")
    }

    @Test func case11APromotionIsNotTakenForARollback() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_S"))
        stage.inject(Fault(method: .post, .dropBefore))
        let (_, change, intent) = try await stage.go()
        // Another type with the same target: not our job, and the pointer tells that nothing has to be sent any more.
        stage.vercel.humanRollback("podcast-web", "dpl_S")
        #expect(
            await stage.observe(resolution: change.resolution, intent: intent).fate
                == .undecided("no trace of it after 0 s; Vercel may show it for up to 90 s"))
        stage.pass(.seconds(10))
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .tookEffect)
    }

    @Test func case12ASkippedJobIsNoSuccess() async throws {
        let stage = try VercelStage.make()
        stage.vercel.setNextJob("podcast-web", .skipped)
        let (_, change, intent) = try await stage.go()
        stage.pass(.seconds(10))
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.live.declared?.id == "dpl_C")
        #expect(observation.fate == observation.failure.map { .failed($0) })
        #expect(observation.failure?.reason == "JobSkipped")
    }

    @Test(arguments: ["mystery", "queued-for-later"]) func case12AnUnknownStatusIsNeitherSuccessNorFailure(_ status: String) async throws {
        let stage = try VercelStage.make(pin: .name("dpl_B"))
        let body =
            #"{"id":"prj_podcastweb","name":"podcast-web","alias":[{"domain":"a.example.com","target":"PRODUCTION","deployment":{"id":"dpl_A"}}],"#
            + #""targets":{"production":{"id":"dpl_B","readyState":"READY"}},"lastAliasRequest":{"type":"rollback","jobStatus":"\#(status)","#
            + #""toDeploymentId":"dpl_B","requestedAt":1795391990000}}"#
        stage.inject(Fault(method: .get, .answer(status: 200, headers: [:], body: body)))
        let observation = await stage.observe()
        guard case .unknown(let problem) = observation.settlement else {
            Issue.record("the settlement is \(observation.settlement)")
            return
        }
        #expect(problem.message.contains(status))
        #expect(observation.notes.first == "the last rollback, to dpl_B, says \(status), which is not known")
    }

    @Test func case20AJobThatNeverEndsBlocksInsteadOfBeingSentAgain() async throws {
        let stage = try VercelStage.make()
        stage.vercel.setNextJob("podcast-web", .neverBegins)
        let (_, change, _) = try await stage.go()
        stage.pass(.seconds(700))
        let observation = await stage.observe(resolution: change.resolution)
        #expect(observation.operation == nil)
        #expect(observation.blocker?.reason == "JobStuck")
        #expect(observation.failure?.message == "vercel/web: rollback to dpl_A: 0 of 2 domains, requested 11 min ago")
        // A job of somebody else that is stuck does not hold the pin for ever.
        let other = await stage.observe(.name("dpl_B"))
        #expect(other.blocker == nil)
        #expect(other.route(to: "dpl_B")?.cautions.last == "replaces the rollback to dpl_A, which has been pending since 11 min")
    }

    @Test func case24WaitsOfDaysAreSaidAndAskedAboutEveryHour() async throws {
        let stage = try VercelStage.make()
        stage.inject(
            Fault(
                method: .get,
                .answer(
                    status: 429,
                    headers: [
                        "Date": "Mon, 23 Nov 2026 00:00:00 GMT", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795996800",
                    ],
                    body: #"{"error":{"code":"rate_limited","message":"The rate limit of 6 exceeded. Try again in 7 days"}}"#)))
        let problem = try #require(await stage.observe().live.problem)
        #expect(problem.retryAfter == .seconds(3600))
        #expect(problem.message.contains("Try again in 7 days"))
    }

    @Test func case25NothingIsAskedOfUserOrTeam() async throws {
        let stage = try VercelStage.make()
        _ = await stage.observe(depth: .history)
        _ = try await stage.go()
        #expect(stage.world.transport.received.allSatisfy { !$0.path.hasPrefix("/v2/user") && !$0.path.hasPrefix("/v2/teams") })
    }

    @Test func case29BuildsFromTheCommandLineAreRolledBackToWithoutGit() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_Cli")) { project in
            var all = project["deployments"]?.elements ?? []
            all.append(["id": "dpl_Cli", "minutesAgo": 250, "prebuilt": true])
            project["deployments"] = .array(all)
        }
        let observation = await stage.observe()
        #expect(observation.route(to: "dpl_Cli")?.verb == .undo)
        #expect(observation.candidate("dpl_Cli")?.release.label == "dpl_Cli")
    }

    @Test func aProjectWithoutProductionHasNothingLive() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_S")) { project in project["production"] = nil }
        let observation = await stage.observe()
        #expect(observation.live == .nothing)
        #expect(observation.route(to: "dpl_S")?.verb == .promote)
    }
}
