import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct RenderRollbackTests {
    @Test func aRollbackIsANewDeployOfWhatTheTargetRan() async throws {
        let stage = try RenderStage()
        let answer = try await stage.rollBack(to: "dep-a")
        #expect(answer.status == 201)
        #expect(answer.body["trigger"]?.string == "rollback")
        #expect(answer.body["status"]?.string == "update_in_progress", "nothing is built")
        stage.pass(30)
        let live = await stage.live()
        #expect(live["commit"]?.string == RenderStage.shaA)
        #expect(live["instances"]?.integer == 3)
        #expect(live["startCommand"]?.string == "old")
        #expect(live["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "old"), "the target's own value wins over the group's")
        #expect(live["env"]?["KEY"] == nil && live["env"]?["TEAM"]?.string == RenderSimulator.marker(of: "blue"))
    }

    @Test func settingsStayAndTheNextDeployUsesThem() async throws {
        let stage = try RenderStage()
        _ = try await stage.rollBack(to: "dep-a")
        stage.pass(30)
        let value = try await stage.send(.get, "/services/srv-api/env-vars/LEVEL").body
        #expect(value["value"]?.string == "new")
        #expect(try await stage.send(.get, "/services/srv-api").body["serviceDetails"]?["numInstances"]?.integer == 2)
        _ = try await stage.deploy()
        stage.pass(200)
        #expect(await stage.live()["commit"]?.string == RenderStage.shaC)
    }

    @Test(arguments: [(false, "yes"), (true, "no")])
    func aRollbackMaySwitchAutodeployOff(_ stops: Bool, _ autoDeploy: String) async throws {
        let stage = try RenderStage()
        stage.render.setRollbackStopsAutoDeploy(stops)
        _ = try await stage.rollBack(to: "dep-a")
        #expect(try await stage.send(.get, "/services/srv-api").body["autoDeploy"]?.string == autoDeploy)
    }

    @Test(arguments: [400, 404])
    func aBuildThatIsGoneCannotComeBack(_ status: Int) async throws {
        let stage = try RenderStage()
        stage.render.evictArtifact("api", "dep-a", status: status)
        #expect(try await stage.rollBack(to: "dep-a").status == status)
        #expect(await stage.operations() == [])
        #expect(try await RenderStage({ $0["retention"] = 2 }).rollBack(to: "dep-b").status == 201)
        #expect(try await RenderStage({ $0["retention"] = 2 }).rollBack(to: "dep-a").status == 400)
    }

    @Test(arguments: [("dep-x", 400, "it failed"), ("dep-none", 404, "no such deploy"), ("dep-1", 404, "another service's")])
    func onlyWhatHasServedCanComeBack(_ id: String, _ status: Int, _ why: Comment) async throws {
        #expect(try await RenderStage().rollBack(to: id).status == status, why)
    }

    @Test func aTagIsPulledAgain() async throws {
        let stage = try RenderStage()
        stage.render.moveTag("ghcr.io/acme/worker:v1", to: "sha256:999")
        #expect(try await stage.rollBack(to: "dep-1", "srv-worker").body["image"]?["sha"]?.string == "sha256:999")
        stage.pass(60)
        #expect(await stage.live("worker")["sha"]?.string == "sha256:999")
        stage.render.deleteImage("ghcr.io/acme/worker:v2")
        let id = try await stage.rollBack(to: "dep-2", "srv-worker").body["id"]?.string ?? ""
        stage.pass(60)
        #expect(try await stage.status(id, "srv-worker") == "update_failed")
        #expect(await stage.live("worker")["sha"]?.string == "sha256:999")
    }

    @Test func duringADeployARollbackWaitsOrIsRefused() async throws {
        let stage = try RenderStage()
        _ = try await stage.deploy()
        let answer = try await stage.rollBack(to: "dep-a")
        #expect(answer.status == 201 && answer.body["status"]?.string == "queued")
        stage.pass(300)
        #expect(await stage.live()["commit"]?.string == RenderStage.shaA)
        let strict = try RenderStage({ $0["rollbackDuringDeploy"] = "refused" })
        _ = try await strict.deploy()
        #expect(try await strict.rollBack(to: "dep-a").status == 400)
    }
}
