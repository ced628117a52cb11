import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing

/// The edge cases of the vendor's contract, section 12, by their numbers: images, settings and cron jobs.
@Suite struct RenderImageTests {
    @Test("12.8: a tag that moved is another release") func tagMoves() async throws {
        let stage = try RenderStage.make("worker", pin: .name("dep-2"))
        let walk = Walk(stage)
        #expect(await walk.run() == .arrived)
        let moved = try #require(stage.render.moveTag("ghcr.io/acme/worker:v2"))
        stage.render.deployInDashboard("worker")
        stage.pass(120)
        let drifted = await walk.observe()
        #expect(drifted.live.declared?.identities.contains(ArtifactIdentity(.image, moved)) == true)
        #expect(await walk.run() == .arrived)
        #expect(await stage.live["sha"]?.string == RenderStage.digest2)
        #expect(await stage.state["settings"]?["imagePath"]?.string == "ghcr.io/acme/worker@\(RenderStage.digest2)")
        #expect(await stage.operations == ["update", "deploy"])
        #expect(walk.means == ["image by its digest, then one deploy without a build", "one deploy without a build"])
    }

    @Test("12.9: an image that left the registry fails, and what served goes on") func imageIsGone() async throws {
        let stage = try RenderStage.make("worker", pin: .name("v1"))
        stage.render.deleteImage("ghcr.io/acme/worker:v1")
        let walk = Walk(stage)
        #expect(await walk.run() == .failed("DeployFailed"))
        #expect(await stage.live["sha"]?.string == RenderStage.digest2)
    }

    @Test("12.10: what runs is told from the deploy, whatever the settings say") func settingsAreNotWhatRuns() async throws {
        let stage = try RenderStage.make("worker", pin: .name("v2"), worker: { $0["imagePath"] = "ghcr.io/acme/worker:v1" })
        let observation = await stage.observe()
        #expect(observation.live.declared?.id == "dep-2")
        let rolledBack = try RenderStage.make()
        #expect(await Walk(rolledBack).run() == .arrived)
        #expect(
            await rolledBack.observe().notes.contains(
                "what runs is a rollback: environment, start command and instance count are those of then, the settings those of now"))
    }

    @Test("12.11: a later change of settings cannot undo an image pin") func imagePinIsDurable() async throws {
        let stage = try RenderStage.make("worker", pin: .name("v1"))
        let walk = Walk(stage)
        #expect(await walk.run() == .arrived)
        stage.render.setVariable("worker", "NEW", "x", deploys: true)
        stage.pass(120)
        #expect(await stage.live["sha"]?.string == RenderStage.digest1)
        #expect(await walk.run() == .arrived)
    }

    @Test("12.12: variables behind the first page are seen, and none is lost by setting one") func manyVariables() async throws {
        let stage = try RenderStage.make(
            pin: .name("dep-c"),
            api: { api in
                var env: JSON = [:]
                for number in 100...349 { env["KEY_\(number)"] = "value" }
                env["LAST_Z"] = "old"
                api["env"] = env
            })
        let walk = Walk(stage, values: ["LAST_Z": "new"])
        await walk.recordBaseline()
        #expect(walk.known.count == 251)
        #expect(await walk.run() == .arrived)
        let settings = try #require(await stage.state["settings"]?["env"]?.object)
        #expect(settings.keys.count == 251)
        #expect(settings["LAST_Z"]?.string == RenderSimulator.marker(of: "new"))
        #expect(await stage.operations == ["env.put LAST_Z", "deploy only"])
        #expect(!stage.sent().contains { $0 == "PUT /v1/services/srv-api/env-vars" })
    }

    @Test("12.13: a restart applies nothing: settings take effect by a deploy") func noRestart() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let walk = Walk(stage, values: ["LEVEL": "newer"])
        await walk.recordBaseline()
        #expect(await walk.run() == .arrived)
        #expect(!stage.sent().contains { $0.hasSuffix("/restart") })
        #expect(await stage.live["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "newer"))
    }

    @Test("12.19, 12.20: a rollback says that instances and environment come back") func whatComesBack() async throws {
        let stage = try RenderStage.make()
        let cautions = try #require(await stage.observe().routes(to: "dep-a").first).cautions
        #expect(
            cautions.first
                == "environment variables, start command and instance count of dep-a come back with it; the instance type and the settings stay today's"
        )
    }

    @Test("12.21: a cron job is pinned by its image") func cronByImage() async throws {
        let stage = try RenderStage.make("night", pin: .name("v1"))
        let walk = Walk(stage)
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations == ["update", "deploy"])
        #expect(await stage.live["sha"]?.string == RenderStage.digest1)
    }

    @Test("12.21: a cron job from Git cannot be pinned, and says so") func cronFromGit() async throws {
        let stage = try RenderStage.make(
            "night", pin: .name("dep-g1"), allowRebuild: true,
            night: {
                $0 = [
                    "name": "night", "type": "cron_job",
                    "deploys": [
                        ["id": "dep-g1", "commit": .string(RenderStage.shaA), "minutesAgo": 20],
                        ["id": "dep-g2", "commit": .string(RenderStage.shaB), "minutesAgo": 10],
                    ],
                ]
            })
        let walk = Walk(stage)
        #expect(await walk.run() == .refused("CronJob"))
        #expect(walk.problem?.next == "run the cron job from an image and pin its digest")
        #expect(stage.world.writes == 0)
    }

    @Test("12.24: keys of an env group are told and never written") func groups() async throws {
        let stage = try RenderStage.make(pin: .name("dep-b"), allowRebuild: true)
        let walk = Walk(stage, values: ["LEVEL": "newer", "TEAM": "red"])
        let notes = await walk.observe().notes
        #expect(notes.contains("LEVEL is given by env group shared too; the service's own value wins"))
        #expect(notes.contains("TEAM is given by env group shared"))
        #expect(await walk.run() == .arrived)
        #expect(!stage.sent().contains { !$0.hasPrefix("GET") && $0.contains("env-groups") })
    }

    @Test(arguments: ["nginx", "library/nginx:latest", "docker.io/library/nginx", "docker.io/library/nginx:latest"])
    func referencesAreComparedAsRenderWritesThem(_ pin: String) async throws {
        let stage = try RenderStage.make(
            "worker", pin: .image(pin),
            worker: { worker in
                worker["imagePath"] = "nginx"
                worker["deploys"] = [["id": "dep-1", "tag": "latest", "sha": .string(RenderStage.digest1)]]
            })
        #expect(await Walk(stage).run() == .arrived)
        #expect(stage.world.writes == 0)
    }

    @Test func aDigestThatNeverRanIsPinnedAsItIs() async throws {
        let digest = "sha256:3333333333333333333333333333333333333333333333333333333333333333"
        let stage = try RenderStage.make("worker", pin: .image("ghcr.io/acme/worker@\(digest)"))
        #expect(await Walk(stage).run() == .arrived)
        #expect(await stage.live["sha"]?.string == digest)
    }

    @Test func autodeployOfAnImageIsNoAutomationThatIsOn() async throws {
        let automation = try #require(await RenderStage.make("worker").observe().automation)
        #expect(!automation.isOn)
        #expect(automation.value == "commit")
        #expect(automation.off == nil)
    }

    @Test func maintenanceModeIsTold() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        _ = await stage.render.answer(
            HTTPRequest(
                .patch, "\(RenderStage.url)/v1/services/srv-api", headers: ["Authorization": "Bearer \(RenderStage.token)"],
                body: Array(#"{"serviceDetails":{"maintenanceMode":{"enabled":true,"uri":""}}}"#.utf8)))
        #expect(await stage.observe().notes.first == "maintenance mode is on: the public gets 503, whatever is deployed")
    }
}
