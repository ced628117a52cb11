import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing

/// The edge cases of the vendor's contract, section 12, by their numbers: deploys and what displaces them. Images and settings are in
/// ``RenderImageTests``.
@Suite struct RenderEdgeCaseTests {
    @Test("12.1: a write that is queued without an id is found by listing") func queued() async throws {
        let stage = try RenderStage.make(pin: .name("dep-a"), allowRebuild: true)
        let (change, intent) = try await build(stage)
        // Another deploy begins after the last look: Render answers 202, and ours comes when that one has ended.
        stage.inject(Fault(method: .get, path: "/deploys", .answer(status: 200, headers: [:], body: "[]")))
        stage.render.deployInDashboard("api")
        let result = await stage.world.apply(change, intent)
        #expect(result == .accepted(["operation": "build", "queued": "behind the deploy that runs"]))
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .inFlight)
        stage.pass(120)
        let running = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(running.fate == .inFlight)
        #expect(running.operation?.leadsTo.contains(ArtifactIdentity(.commit, RenderStage.shaA)) == true)
        stage.pass(200)
        let late = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(late.fate == .tookEffect)
        #expect(late.live.declared?.matches(change.resolution) == true)
    }

    @Test("12.1: a queued write that a later one displaced is void once nothing is left to wait for") func displacedInTheQueue()
        async throws
    {
        let stage = try RenderStage.make(pin: .name("dep-a"), allowRebuild: true)
        let (change, intent) = try await build(stage)
        stage.inject(Fault(method: .get, path: "/deploys", .answer(status: 200, headers: [:], body: "[]")))
        stage.render.deployInDashboard("api")
        _ = await stage.world.apply(change, intent)
        stage.render.deployInDashboard("api", commit: RenderStage.shaB)
        stage.pass(115)
        guard case .undecided = await stage.observe(resolution: change.resolution, intent: intent).fate else {
            Issue.record("another one runs in its place")
            return
        }
        stage.pass(300)
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .void)
    }

    @Test("12.2: the newest deploy is not what runs") func newestIsNotLive() async throws {
        let stage = try RenderStage.make(
            pin: .name("dep-c"),
            api: { api in
                var deploys = api["deploys"]?.elements ?? []
                deploys.append([
                    "id": "dep-y", "commit": "eeeeeeee00000000000000000000000000000005", "status": "update_failed", "minutesAgo": 5,
                ])
                api["deploys"] = .array(deploys)
            })
        let observation = await stage.observe()
        #expect(observation.live.declared?.id == "dep-c")
        #expect(observation.settlement == .settled)
        #expect(observation.notes.contains("the newest deploy, dep-y of eeeeeee, is not what runs: it is update_failed"))
    }

    @Test("12.2: what runs is found behind a hundred deploys that failed") func liveIsFarBack() async throws {
        let stage = try RenderStage.make(
            pin: .name("dep-c"),
            api: { api in
                let failed = (1...105).map { number -> JSON in
                    ["id": .string("dep-f\(number)"), "status": "build_failed", "minutesAgo": .number("\(0.5 * Double(number))")]
                }
                api["deploys"] = .array((api["deploys"]?.elements ?? []) + failed)
            })
        #expect(await stage.observe().live.declared?.id == "dep-c")
    }

    @Test("12.3: a push that has not shown yet is no success") func oldVersionIsNotTheNewOne() async throws {
        let stage = try RenderStage.make(pin: .name("ffffffff00000000000000000000000000000009"))
        stage.render.pushCommit("api", sha: "ffffffff00000000000000000000000000000009")
        stage.pass(10)
        #expect(await stage.observe().live.declared?.id == "dep-c")
        stage.pass(20)
        let building = await stage.observe()
        #expect(building.live.declared?.id == "dep-c")
        #expect(building.operation?.leadsTo.contains(ArtifactIdentity(.commit, "ffffffff00000000000000000000000000000009")) == true)
    }

    @Test("12.4: autodeploy is a fence, and a push in the middle of a rollback does not keep the pin from being reached")
    func autodeployInTheMiddle() async throws {
        let stage = try RenderStage.make()
        #expect(
            await stage.observe().automation
                == Automation(name: "autoDeploy", summary: "deploys every push to main", isOn: true, value: "commit", off: "off"))
        let walk = Walk(stage)
        walk.afterWrite = { number in
            if number == 1 { stage.render.pushCommit("api", sha: "ffffffff00000000000000000000000000000009") }
        }
        #expect(await walk.run() == .arrived)
        #expect(walk.causes.contains { $0.hasPrefix("push of fffffff to main, 2026-11-23T") })
        #expect(await stage.live["commit"]?.string == RenderStage.shaA)
        #expect(await stage.operations == ["rollback", "rollback"])
    }

    @Test("12.4: a deploy that begins between the look and the write stops the write") func overtaken() async throws {
        let stage = try RenderStage.make()
        let (change, intent) = try stage.world.change(after: await stage.observe())
        stage.render.deployInDashboard("api")
        guard case .throttled(let problem) = await stage.world.apply(change, intent) else {
            Issue.record("it was sent")
            return
        }
        #expect(problem.reason == "OperationInFlight")
        #expect(stage.world.writes == 0)
    }

    @Test("12.5: whether a rollback stops autodeploy is read, not believed", arguments: [true, false])
    func rollbackAndAutodeploy(_ stops: Bool) async throws {
        let stage = try RenderStage.make()
        stage.render.setRollbackStopsAutoDeploy(stops)
        #expect(await Walk(stage).run() == .arrived)
        #expect(await stage.observe().automation?.isOn == !stops)
    }

    @Test("12.6: autodeploy is set by a word, never by a Boolean", arguments: ["off", "commit", "checksPass", "no", "yes"])
    func theWord(_ value: String) async throws {
        let stage = try RenderStage.make()
        let (change, intent) = try stage.world.change(after: await stage.observe())
        let result = await stage.world.provider.setAutomation(
            FenceChange(.raise, name: "autoDeploy", from: "commit", to: value), of: stage.world.component.target,
            ApplyRequest(component: "web", intent: intent, revision: change.resolution.revision))
        #expect(result == .accepted(["operation": "autoDeploy", "value": value]))
        let sent = try JSON(parsing: try #require(stage.world.transport.received.last).body)
        #expect(sent["autoDeploy"]?.string == (["off", "no"].contains(value) ? "no" : "yes"))
        let after = await stage.observe().automation
        #expect(after?.isOn == !["off", "no"].contains(value))
        #expect(after?.value == (value == "no" ? "off" : value == "yes" ? "commit" : value))
    }

    @Test("12.7: a build that is gone is refused with what to do", arguments: [400, 404]) func goneIsRefused(_ status: Int) async throws {
        let stage = try RenderStage.make()
        stage.render.evictArtifact("api", "dep-a", status: status)
        let walk = Walk(stage)
        #expect(await walk.run() == .refused("ArtifactGone"))
        #expect(walk.problem?.next == "set allowRebuild: true to build its commit anew, or pin a release whose build is kept")
        // Known from then on, before anything is sent.
        let before = stage.world.writes
        #expect(await walk.run() == .refused("ArtifactGone"))
        #expect(stage.world.writes == before)
    }

    @Test("12.7: where it is allowed, a build that is gone is built anew without anybody's help", arguments: [400, 404])
    func goneIsBuilt(_ status: Int) async throws {
        let stage = try RenderStage.make(allowRebuild: true)
        stage.render.evictArtifact("api", "dep-a", status: status)
        let walk = Walk(stage)
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations == ["deploy aaaaaaa"])
        #expect(await stage.live["commit"]?.string == RenderStage.shaA)
    }

    @Test("12.7: the plan says that it may come to a build") func mayBeBuilt() async throws {
        let stage = try RenderStage.make(allowRebuild: true)
        let route = try #require(await stage.observe().routes(to: "dep-a").first)
        #expect(route.verb == .undo)
        #expect(route.cautions.contains("if Render keeps the build no longer, the commit is built anew, which takes minutes"))
    }

    @Test("12.14: a deploy that somebody else's displaced has failed, and says whose") func canceledByAnother() async throws {
        let stage = try RenderStage.make { $0["policy"] = "override" }
        let (_, change, intent) = try await stage.go()
        stage.pass(5)
        stage.render.deployInDashboard("api", commit: RenderStage.shaB)
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        guard case .failed(let problem) = observation.fate else {
            Issue.record("the fate is \(String(describing: observation.fate))")
            return
        }
        #expect(problem.reason == "DeployCanceled")
        #expect(problem.message.contains("of bbbbbbb took its place (manual)"))
    }

    @Test("12.15: behind a deploy that does not end one is told how to cancel it") func stuck() async throws {
        let stage = try RenderStage.make()
        stage.render.setNextDeploy("api", .stuck)
        stage.render.deployInDashboard("api")
        stage.pass(800)
        let operation = try #require(await stage.observe().operation)
        #expect(operation.summary.contains("is update_in_progress, begun 13 min ago"))
        #expect(operation.summary.contains("'render deploys cancel srv-api dep-"))
        // After everything that Render allows a deploy, it is not waited for any more.
        stage.pass(3 * 3600)
        let late = await stage.observe()
        #expect(late.operation == nil)
        #expect(late.notes.contains { $0.contains("is not waited for") })
    }

    @Test("12.16: a status that nobody has heard of is on its way") func unknownStatus() async throws {
        let stage = try RenderStage.make()
        stage.render.setNextDeploy("api", .passesThrough("canary_in_progress"))
        let (_, change, intent) = try await stage.go()
        let observation = await stage.observe(resolution: change.resolution, intent: intent)
        #expect(observation.fate == .inFlight)
        #expect(observation.operation?.summary.contains("is canary_in_progress") == true)
        stage.pass(60)
        #expect(await stage.observe(resolution: change.resolution, intent: intent).fate == .tookEffect)
    }

    @Test("12.17: a new deploy that is not found yet is found by listing") func notFoundYet() async throws {
        let stage = try RenderStage.make()
        stage.render.hideNewDeploys(for: .seconds(20))
        #expect(await Walk(stage).run() == .arrived)
        #expect(await stage.operations == ["rollback"])
    }

    @Test("12.18: Render's own deploy of the same commit is the same release") func platformRedeploys() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let walk = Walk(stage)
        #expect(await walk.run() == .arrived)
        stage.render.redeployByPlatform("api")
        stage.pass(60)
        let observation = await walk.observe()
        #expect(observation.live.declared?.id != "dep-c")
        #expect(observation.cause?.hasPrefix("Render's own deploy of ccccccc") == true)
        #expect(await walk.run() == .arrived)
        #expect(stage.world.writes == 0)
    }

    @Test("12.22: a suspended service is left alone, and who must resume it is said", arguments: ["user", "billing", "admin"])
    func suspended(_ actor: String) async throws {
        let stage = try RenderStage.make()
        stage.render.suspend("api", by: actor)
        let observation = await stage.observe()
        #expect(observation.blocker?.reason == "ServiceSuspended")
        #expect(observation.blocker?.next?.contains(actor == "user" ? "render services resume srv-api" : "Belay cannot resume it") == true)
        #expect(observation.failure?.reason == "ServiceSuspended")
        #expect(observation.live.declared?.id == "dep-c")
        #expect(observation.live.serving.isEmpty)
    }

    @Test("12.23: without a write left in the minute nothing is sent") func spent() async throws {
        let stage = try RenderStage.make { $0["limits"] = ["deploys": 1] }
        stage.pass(6)
        let (_, change, intent) = try await stage.go()
        stage.pass(30)
        let before = stage.world.writes
        var other = intent
        other.providerTime = Timestamp(millisecondsSinceEpoch: stage.world.clock.milliseconds + 60_000)
        guard case .throttled(let problem) = await stage.world.apply(change, other) else {
            Issue.record("it was sent")
            return
        }
        #expect(problem.retryAfter == .seconds(24))
        #expect(stage.world.writes == before)
    }

    @Test("12.25: a build that fails is told as that, a rollback needs none") func buildFails() async throws {
        let stage = try RenderStage.make(pin: .name("dep-x"), allowRebuild: true)
        stage.render.setNextDeploy("api", .buildFails)
        let walk = Walk(stage)
        #expect(await walk.run() == .failed("BuildFailed"))
        #expect(await walk.observe().failure?.reason == "BuildFailed")
        walk.pin(.name("dep-a"))
        #expect(await walk.run() == .arrived)
    }

    @Test(arguments: ["scheduled", "in_progress", "succeeded"]) func maintenanceByRenderIsToldBeforeAChangeAndCostsNothingWithoutOne(
        _ state: String
    ) async throws {
        let stage = try RenderStage.make { $0["maintenance"] = [["resource": "srv-api", "state": .string(state), "inMinutes": 60]] }
        let notes = await stage.observe().notes.filter { $0.hasPrefix("maintenance by Render is ") }
        #expect(notes.count == (state == "succeeded" ? 0 : 1))
        let count = stage.world.transport.received.count
        _ = await stage.observe(.name("dep-c"))
        #expect(!stage.sent(since: count).contains("GET /v1/maintenance"))
    }

    @Test("12.26: times with microseconds are read") func times() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let created = try #require(await stage.observe().live.declared?.created)
        #expect(created.description.hasPrefix("2026-11-22T22:19:5"))
    }

    private func build(_ stage: RenderStage) async throws -> (ReleaseChange, Intent) {
        var (change, intent) = try stage.world.change(after: await stage.observe())
        change.route = try #require(await stage.observe().routes(to: "dep-a").last)
        intent.route = change.route
        #expect(change.route.means == "build of commit aaaaaaa")
        return (change, intent)
    }
}
