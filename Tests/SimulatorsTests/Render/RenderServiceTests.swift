import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct RenderServiceTests {
    @Test func aPatchSavesWhatItNamesAndDeploysNothing() async throws {
        let stage = try RenderStage()
        let body: JSON = ["image": ["ownerId": "tea-acme", "imagePath": "nginx"]]
        let patched = try await stage.send(.patch, "/services/srv-worker", body).body
        #expect(patched["imagePath"]?.string == "docker.io/library/nginx:latest")
        #expect(patched["autoDeploy"]?.string == "yes", "an image says yes too")
        #expect(try await stage.deploys("", "srv-worker").first == "dep-2")
    }

    @Test(
        arguments: [
            (["autoDeploy": false], "yes", "a Boolean is ignored"), (["autoDeploy": "no"], "no", "a word counts"),
            (["autoDeployTrigger": "off"], "no", "so does the trigger"),
        ] as [(JSON, String, Comment)])
    func autodeployIsAWord(_ body: JSON, _ expected: String, _ why: Comment) async throws {
        #expect(try await RenderStage().send(.patch, "/services/srv-api", body).body["autoDeploy"]?.string == expected, why)
    }

    @Test func aRestartKeepsWhatRuns() async throws {
        let stage = try RenderStage()
        try await stage.send(.put, "/services/srv-api/env-vars/LEVEL", ["value": "saved"])
        #expect(try await stage.send(.post, "/services/srv-api/restart").status == 200)
        #expect(await stage.live()["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "new"))
    }

    @Test func suspendedNothingIsLiveUntilItIsResumed() async throws {
        let stage = try RenderStage()
        #expect(try await stage.send(.post, "/services/srv-api/suspend").status == 202)
        #expect(try await stage.deploys("?status=live") == [])
        #expect(try await stage.send(.post, "/services/srv-api/resume").status == 202)
        stage.pass(60)
        #expect(await stage.live()["commit"]?.string == RenderStage.shaC)
    }

    @Test func aListOfVariablesReplacesAllAndEndsItsCursors() async throws {
        let stage = try RenderStage()
        let cursor = try await stage.send(.get, "/services/srv-api/env-vars?limit=1").body[0]?["cursor"]?.string ?? ""
        #expect(try await stage.send(.get, "/services/srv-api/env-vars?cursor=\(cursor)").body.elements.count == 1)
        try await stage.send(.put, "/services/srv-api/env-vars", [["key": "KEY", "value": "1"]])
        #expect(try await stage.send(.get, "/services/srv-api/env-vars?cursor=\(cursor)").status == 400)
        #expect(try await stage.send(.put, "/services/srv-api/env-vars", JSON.null).body == [])
        #expect(await !stage.render.world.description.contains("secret-value"))
    }
}
