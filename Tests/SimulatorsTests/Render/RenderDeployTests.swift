import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct RenderDeployTests {
    @Test(
        arguments: [
            ("srv-api", "", ["build_in_progress", "update_in_progress", "live"], "Git builds first"),
            ("srv-api", "npm run migrate", ["build_in_progress", "pre_deploy_in_progress", "update_in_progress", "live"], "a command"),
            ("srv-worker", "", ["update_in_progress", "live"], "an image is not built"),
        ])
    func aDeployPassesThroughItsStages(_ service: String, _ preDeploy: String, _ expected: [String], _ why: Comment) async throws {
        let stage = try RenderStage(api: { $0["preDeployCommand"] = .string(preDeploy) })
        let id = try await stage.deploy(service)
        var seen: [String] = []
        for _ in 0..<150 {
            let status = try await stage.status(id, service)
            if seen.last != status { seen.append(status) }
            stage.pass(1)
        }
        #expect(seen == expected, why)
    }

    @Test func anImageOfACronJobIsLiveAtOnce() async throws {
        let stage = try RenderStage(worker: { $0["type"] = "cron_job" })
        let answer = try await stage.send(.post, "/services/crn-worker/deploys", [:])
        #expect(answer.status == 201)
        #expect(answer.body["status"]?.string == "live")
    }

    @Test func whatWasLiveIsDeactivatedAndItsTimeChanges() async throws {
        let stage = try RenderStage()
        let before = try await stage.send(.get, "/services/srv-api/deploys/dep-c").body
        let id = try await stage.deploy("srv-api", ["commitId": .string(RenderStage.shaA)])
        #expect(try await stage.status("dep-c") == "live")
        stage.pass(200)
        let after = try await stage.send(.get, "/services/srv-api/deploys/dep-c").body
        #expect(before["status"]?.string == "live" && after["status"]?.string == "deactivated")
        #expect(before["updatedAt"] != after["updatedAt"])
        #expect(try await stage.deploys("?status=live") == [id])
        #expect(await stage.live()["commit"]?.string == RenderStage.shaA)
    }

    @Test func underWaitASecondDeployHasNoAnswerToSpeakOf() async throws {
        let stage = try RenderStage()
        let first = try await stage.deploy()
        let second = try await stage.send(.post, "/services/srv-api/deploys", ["commitId": .string(RenderStage.shaA)])
        let third = try await stage.send(.post, "/services/srv-api/deploys", ["commitId": .string(RenderStage.shaB)])
        #expect(second.status == 202 && third.status == 202)
        #expect(second.body == .null && second.headers["Content-Type"] == nil)
        #expect(try await stage.deploys().first == first, "it is not listed while it waits")
        stage.pass(120)
        let begun = try await stage.send(.get, "/services/srv-api/deploys?limit=1").body[0]?["deploy"]
        #expect(begun?["commit"]?["id"]?.string == RenderStage.shaB, "the one between is skipped")
        #expect(begun?["trigger"]?.string == "api")
        stage.pass(200)
        #expect(await stage.live()["commit"]?.string == RenderStage.shaB)
        #expect(await stage.operations() == ["deploy", "deploy", "deploy"])
    }

    @Test func underOverrideTheRunningDeployIsCanceled() async throws {
        let stage = try RenderStage({ $0["policy"] = "override" })
        let first = try await stage.deploy()
        let second = try await stage.deploy()
        #expect(try await stage.status(first) == "canceled")
        #expect(try await stage.status(second) == "build_in_progress")
    }

    @Test func cancelingTheRunningDeployBeginsTheWaitingOne() async throws {
        let stage = try RenderStage()
        stage.render.setNextDeploy("api", .stuck)
        let first = try await stage.deploy()
        stage.pass(86_400)
        #expect(try await stage.status(first) == "update_in_progress")
        _ = try await stage.deploy()
        let canceled = try await stage.send(.post, "/services/srv-api/deploys/\(first)/cancel")
        #expect(canceled.body["status"]?.string == "canceled")
        #expect(try await stage.deploys().count == 6)
        #expect(try await stage.send(.post, "/services/srv-api/deploys/\(first)/cancel").status == 400)
        #expect(await stage.live()["deploy"]?.string == "dep-c")
    }

    @Test(
        arguments: [
            (RenderSimulator.Fate.buildFails, "build_failed", 95), (.preDeployFails, "pre_deploy_failed", 100),
            (.healthCheckFails, "update_failed", 1000),
        ])
    func aFailedDeployLeavesWhatRuns(_ fate: RenderSimulator.Fate, _ status: String, _ seconds: Int) async throws {
        let stage = try RenderStage()
        stage.render.setNextDeploy("api", fate)
        let id = try await stage.deploy()
        stage.pass(seconds)
        #expect(try await stage.status(id) == status)
        #expect(await stage.live()["deploy"]?.string == "dep-c")
        #expect(try await stage.deploys("?status=build_failed&status=live").contains("dep-x"))
    }

    @Test func aStatusMayBeUnknown() async throws {
        let stage = try RenderStage()
        stage.render.setNextDeploy("api", .passesThrough("warming_up"))
        let id = try await stage.deploy()
        stage.pass(100)
        #expect(try await stage.status(id) == "warming_up")
        stage.pass(100)
        #expect(try await stage.status(id) == "live")
    }

    @Test(
        arguments: [
            ("srv-api", nil, 400, "a body is required"), ("srv-api", [], 400, "an object"),
            ("srv-api", ["commitId": "eeeeeeee"], 400, "no such commit"),
            ("srv-api", ["imageUrl": "ghcr.io/acme/api:v1"], 400, "an image for Git"),
            ("srv-api", ["clearCache": "yes"], 400, "not of the enumeration"), ("srv-api", ["clearCache": "clear"], 201, "of it"),
            ("srv-api", ["deployMode": "deploy_only", "clearCache": "clear"], 400, "the mode stands alone"),
            ("srv-api", ["deployMode": "deploy_only"], 201, "alone"), ("srv-worker", ["commitId": "aaaaaaa"], 400, "a commit for an image"),
            ("srv-worker", ["imageUrl": "ghcr.io/acme/other:v1"], 400, "another image"),
            ("srv-worker", ["imageUrl": "acme/worker:v1"], 400, "another host"),
            ("srv-worker", ["imageUrl": "ghcr.io/acme/worker@sha256:111"], 201, "a digest"), ("srv-none", [:], 404, "no such service"),
        ] as [(String, JSON?, Int, Comment)])
    func aBodyIsReadClosely(_ service: String, _ body: JSON?, _ status: Int, _ why: Comment) async throws {
        #expect(try await RenderStage().send(.post, "/services/\(service)/deploys", body).status == status, why)
    }

    @Test func aDeployOfTheBuildHasTheNewEnvironmentAndNoBuild() async throws {
        let stage = try RenderStage()
        stage.render.pushCommit("api", sha: "eeeeeee")
        stage.render.setAutoDeploy("api", "off")
        stage.render.setVariable("api", "LEVEL", "newest")
        stage.pass(300)
        let id = try await stage.deploy("srv-api", ["deployMode": "deploy_only"])
        #expect(try await stage.status(id) == "update_in_progress")
        stage.pass(30)
        #expect(await stage.live()["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "newest"))
    }

    @Test func anImageOfOneDeployIsNotKept() async throws {
        let stage = try RenderStage()
        _ = try await stage.deploy("srv-worker", ["imageUrl": "ghcr.io/acme/worker@sha256:111"])
        stage.pass(60)
        #expect(await stage.live("worker")["sha"]?.string == "sha256:111")
        _ = try await stage.deploy("srv-worker")
        stage.pass(60)
        #expect(await stage.live("worker")["sha"]?.string == "sha256:222")
    }

    @Test func aPushIsDeployedLateAndOnlyWithAutodeploy() async throws {
        let stage = try RenderStage()
        stage.render.pushCommit("api", sha: "eeeeeee", message: "New")
        stage.pass(19)
        #expect(try await stage.deploys().first == "dep-c")
        stage.pass(2)
        let pushed = try await stage.send(.get, "/services/srv-api/deploys?limit=1").body[0]?["deploy"]
        #expect(pushed?["trigger"]?.string == "new_commit" && pushed?["commit"]?["message"]?.string == "New")
        stage.pass(200)
        try await stage.send(.patch, "/services/srv-api", ["autoDeploy": "no"])
        stage.render.pushCommit("api", sha: "fffffff")
        stage.pass(200)
        #expect(await stage.live()["commit"]?.string == "eeeeeee")
    }

    @Test func aListIsPagedFromTheNewestOn() async throws {
        let stage = try RenderStage()
        var seen: [String] = []
        var cursor = ""
        repeat {
            let page = try await stage.send(.get, "/services/srv-api/deploys?limit=3\(cursor)").body.elements
            seen += page.compactMap { $0["deploy"]?["id"]?.string }
            cursor = page.last?["cursor"]?.string.map { "&cursor=\($0)" } ?? ""
        } while !cursor.isEmpty
        #expect(seen == ["dep-c", "dep-x", "dep-b", "dep-a"])
        #expect(try await stage.send(.get, "/services/srv-api/deploys?limit=0").status == 400)
    }

    @Test func whatIsMadeNowLiesAfterNow() async throws {
        let stage = try RenderStage()
        let id = try await stage.deploy()
        #expect(try await stage.deploys("?createdAfter=2026-11-23T00:00:00Z") == [id])
        #expect(try await stage.deploys("?createdAfter=2026-11-23T01:00:00%2B01:00&status=live") == [])
        #expect(try await stage.deploys("?createdBefore=2026-11-23T00:00:00.000Z").count == 4)
        #expect(try await stage.send(.get, "/services/srv-api/deploys?createdAfter=yesterday").status == 400)
    }

    @Test func aNewDeployMayNotBeFoundAtFirst() async throws {
        let stage = try RenderStage()
        stage.render.hideNewDeploys(for: .seconds(5))
        let id = try await stage.deploy()
        #expect(try await stage.send(.get, "/services/srv-api/deploys/\(id)").status == 404)
        stage.pass(6)
        #expect(try await stage.status(id) == "build_in_progress")
    }

    @Test func thePlatformDeploysTheSameAgain() async throws {
        let stage = try RenderStage()
        stage.render.setVariable("api", "LEVEL", "saved only")
        stage.render.redeployByPlatform("api")
        stage.pass(60)
        let newest = try await stage.send(.get, "/services/srv-api/deploys?limit=1").body[0]?["deploy"]
        #expect(newest?["trigger"]?.string == "deployed_by_render" && newest?["status"]?.string == "live")
        #expect(newest?["commit"]?["id"]?.string == RenderStage.shaC)
        #expect(await stage.live()["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "new"))
    }

    @Test func aDeployMaySayNothingOfItsCommit() async throws {
        let stage = try RenderStage()
        stage.render.setShowsNoCommit("api", true)
        let deploy = try await stage.send(.get, "/services/srv-api/deploys/dep-c").body
        #expect(deploy.object?["commit"] == .null)
    }

    @Test func aDeployInTheDashboardSwitchesAutodeployOff() async throws {
        let stage = try RenderStage()
        stage.render.deployInDashboard("api", commit: RenderStage.shaA)
        #expect(try await stage.send(.get, "/services/srv-api").body["autoDeploy"]?.string == "no")
        stage.pass(200)
        #expect(await stage.live()["commit"]?.string == RenderStage.shaA)
        #expect(await stage.world()["writes"]?[0]?["by"]?.string == "human")
    }

    @Test func oneLongStepOfTheClockIsManyShortOnes() async throws {
        let short = try RenderStage()
        let long = try RenderStage()
        for stage in [short, long] {
            _ = try await stage.deploy()
            _ = try await stage.deploy()
            stage.render.pushCommit("api", sha: "eeeeeee")
        }
        for _ in 0..<400 {
            short.pass(1)
            _ = await short.render.world
        }
        long.pass(400)
        #expect(await short.render.world == long.render.world)
    }
}
