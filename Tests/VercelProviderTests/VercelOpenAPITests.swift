import HTTPCore
import JSONValues
import Model
import OpenAPIValidation
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

/// The simulator's answers and the provider's requests against the vendor's OpenAPI document.
@Suite struct VercelOpenAPITests {
    private static let document = VendorDocument("vercel/vercel.openapi.json")

    @Test(.enabled("\(document.need)") { try await document.isHere })
    func everyAnswerAndEveryRequestFitsTheVendorsDocument() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_A"), allowRebuild: true)
        let recording = RecordingSimulator(stage.vercel)
        try await driveTheAPI(recording, stage)
        try await driveTheProvider(recording, stage)
        let configured = try await driveVariablesAndFences()
        for operation in Self.variableOperations {
            #expect(Self.operations(of: configured).contains(operation), "not driven: \(operation)")
        }

        let rolling = try await driveARollingRelease()
        #expect(Self.operations(of: rolling).contains("POST /v1/projects/*/rolling-release/complete 200"))

        let seen = Self.operations(of: recording)
        for operation in Self.operations { #expect(seen.contains(operation), "not driven: \(operation)") }
        let mistakes = try await Self.document.mistakes(in: recording.exchanges + rolling.exchanges + configured.exchanges)
        #expect(mistakes.isEmpty, "\(mistakes.joined(separator: "\n"))")
    }

    private static func operations(of recording: RecordingSimulator) -> Set<String> {
        recording.operations {
            $0.hasPrefix("prj_") || $0.hasPrefix("dpl_") || $0.hasPrefix("env_") || $0 == "podcast-web" || $0.contains(".")
        }
    }

    private static let variableOperations = [
        "GET /v10/projects/*/env 200", "POST /v10/projects/*/env 201", "PATCH /v9/projects/*/env/* 200", "DELETE /v9/projects/*/env/* 200",
        "POST /v13/deployments 200", "PATCH /v9/projects/* 200",
    ]

    private static let operations = [
        "GET /v9/projects/* 200", "GET /v9/projects/* 404", "PATCH /v9/projects/* 200", "GET /v10/projects 200",
        "GET /v9/projects/*/domains 200", "GET /v6/deployments 200", "GET /v7/deployments 200", "GET /v7/deployments 400",
        "GET /v13/deployments/* 200", "GET /v13/deployments/* 404", "GET /v13/deployments/* 410", "POST /v13/deployments 200",
        "POST /v13/deployments 404", "PATCH /v12/deployments/*/cancel 200", "PATCH /v12/deployments/*/cancel 400",
        "DELETE /v13/deployments/* 200", "POST /v10/projects/*/promote/* 201", "POST /v10/projects/*/promote/* 409",
        "POST /v10/projects/*/promote/* 422", "POST /v10/projects/*/promote/* 400", "POST /v1/projects/*/rollback/* 201",
        "POST /v9/projects/*/rollback/* 201", "POST /v1/projects/*/rollback/* 422", "POST /v1/projects/*/rollback/* 403",
        "PATCH /v1/projects/*/rollback/*/update-description 200", "GET /v1/projects/*/promote/aliases 200",
        "GET /v9/projects/*/promote/aliases 200", "GET /v9/projects/*/rollback/aliases 200", "GET /v1/projects/*/rolling-release 200",
        "POST /v1/projects/*/pause 200", "POST /v1/projects/*/unpause 200", "POST /v1/projects/*/pause 400",
    ]

    private func driveTheAPI(_ recording: RecordingSimulator, _ stage: VercelStage) async throws {
        func send(_ method: HTTPMethod, _ path: String, _ body: JSON? = nil, token: String = VercelStage.token) async {
            let scope = path.contains("?") ? "&slug=acme" : "?slug=acme"
            var request = HTTPRequest(method, VercelStage.url + path + scope, headers: ["Authorization": "Bearer \(token)"])
            if let body { request.body = body.bytes }
            _ = await recording.answer(request)
        }
        stage.vercel.setNextBuild("podcast-web", .error("npm failed"))
        stage.vercel.pushCommit("podcast-web", sha: "1111111000000000000000000000000000000001", message: "broken")
        stage.vercel.setNextBuild("podcast-web", .blocked)
        stage.vercel.pushCommit("podcast-web", sha: "1111111000000000000000000000000000000002")
        stage.vercel.setNextBuild("podcast-web", .ready, assignment: .checksFailed)
        stage.vercel.pushCommit("podcast-web", sha: "1111111000000000000000000000000000000003")
        stage.vercel.setNextBuild("podcast-web", .ready, assignment: .error("no certificate"))
        stage.vercel.pushCommit("podcast-web", sha: "1111111000000000000000000000000000000004", toProduction: false)
        let building = stage.vercel.pushCommit("podcast-web", sha: "1111111000000000000000000000000000000005") ?? ""
        for _ in 0..<3 {
            await send(.get, "/v7/deployments?projectId=prj_podcastweb&limit=100")
            await send(.get, "/v6/deployments?projectId=prj_podcastweb&limit=3&target=production")
            for deployment in await stage.project["deployments"]?.elements ?? [] {
                await send(.get, "/v13/deployments/\(deployment["id"]?.string ?? "")")
            }
            await send(.get, "/v9/projects/podcast-web")
            stage.pass(.seconds(40))
        }
        await send(.get, "/v7/deployments?limit=1000")
        await send(.get, "/v9/projects/prj_other")
        await send(.get, "/v10/projects")
        await send(.get, "/v9/projects/podcast-web/domains")
        await send(.patch, "/v9/projects/podcast-web", ["autoAssignCustomDomains": true])
        await send(.get, "/v13/deployments/podcast.example.com")
        await send(.get, "/v13/deployments/dpl_Nowhere")
        await send(.post, "/v13/deployments", ["name": "podcast-web", "deploymentId": "dpl_Nowhere"])
        await send(.post, "/v13/deployments?forceNew=1", ["name": "podcast-web", "deploymentId": "dpl_A", "target": "production"])
        if let made = await stage.project["deployments"]?.elements.last?["id"]?.string {
            await send(.patch, "/v12/deployments/\(made)/cancel")
            await send(.patch, "/v12/deployments/\(made)/cancel")
            await send(.delete, "/v13/deployments/\(made)")
            await send(.get, "/v13/deployments/\(made)")
            await send(.get, "/v7/deployments?state=DELETED")
        }
        await send(.get, "/v1/projects/prj_podcastweb/promote/aliases")
        await send(.post, "/v1/projects/prj_podcastweb/rollback/dpl_A?description=broken", [:])
        stage.pass(.milliseconds(1500))
        await send(.get, "/v9/projects/podcast-web?rollbackInfo=true")
        await send(.get, "/v9/projects/prj_podcastweb/rollback/aliases")
        stage.pass(.seconds(5))
        await send(.get, "/v9/projects/podcast-web?rollbackInfo=true")
        await send(.patch, "/v1/projects/prj_podcastweb/rollback/dpl_A/update-description", ["description": "still broken"])
        await send(.post, "/v1/projects/prj_podcastweb/rollback/dpl_A", [:])
        await send(.post, "/v1/projects/prj_podcastweb/rollback/dpl_B", [:], token: "wrong")
        await send(.post, "/v9/projects/prj_podcastweb/rollback/dpl_B", [:])
        stage.pass(.seconds(5))
        await send(.post, "/v10/projects/prj_podcastweb/promote/dpl_P", [:])
        await send(.post, "/v10/projects/prj_podcastweb/promote/dpl_B", [:])
        stage.vercel.setNextBuild("podcast-web", .stuck)
        let stuck = stage.vercel.pushCommit("podcast-web", sha: "1111111000000000000000000000000000000006") ?? building
        await send(.post, "/v10/projects/prj_podcastweb/promote/\(stuck)", [:])
        await send(.post, "/v10/projects/prj_podcastweb/promote/dpl_S", [:])
        await send(.get, "/v9/projects/prj_podcastweb/promote/aliases")
        stage.pass(.seconds(5))
        await send(.get, "/v1/projects/podcast-web/rolling-release?state=ACTIVE")
        await send(.post, "/v1/projects/prj_podcastweb/pause")
        await send(.get, "/v9/projects/podcast-web")
        await send(.post, "/v1/projects/prj_podcastweb/unpause")
        await send(.post, "/v1/projects/prj_other/pause")
    }

    /// Every kind of observation and every write, so that the requests that they send are seen.
    private func driveTheProvider(_ recording: RecordingSimulator, _ stage: VercelStage) async throws {
        var stage = stage
        stage.world.provider = try provider(recording)
        let commit = "2222222000000000000000000000000000000001"
        for pin: Pin in [.name("dpl_A"), .name("dpl_C"), .name("dpl_P"), .name("aaaaaaa"), .commit(VercelStage.shaB), .commit(commit)] {
            stage.world.component.release = pin
            _ = await stage.observe(depth: .history)
            let (change, intent) = try stage.world.change(after: await stage.observe())
            guard case .accepted = await stage.world.apply(change, intent) else {
                Issue.record("\(pin) was not accepted")
                continue
            }
            _ = await stage.observe(resolution: change.resolution, intent: intent)
            stage.pass(.seconds(200))
        }
    }

    /// Every kind of variable and every change of one, a build from a commit and one without, and the fence.
    private func driveVariablesAndFences() async throws -> RecordingSimulator {
        var stage = try VercelStage.make(pin: .name("dpl_C"), allowRebuild: true, sensitivePolicy: true) { project in
            project["env"] = [
                .variable("API_URL", "old", "encrypted", ["production", "preview"]), .variable("OLD", "x", "plain"),
                .variable("DSN", "s", "sensitive"), .variable("VERCEL_URL", "", "system"),
            ]
        }
        let recording = RecordingSimulator(stage.vercel)
        stage.world.provider = try provider(recording)
        for value in ["1", "2"] {
            var walk = VercelWalk(stage, .make(["API_URL": value], secrets: ["DSN": "t"], isExact: true), isFenced: true)
            let end = try await walk.go().end
            #expect(end == .arrived)
            stage.pass(.seconds(60))
        }
        stage.world.component.release = .name("dpl_A")
        var back = VercelWalk(stage, .make(["API_URL": "3"]), isFenced: true)
        #expect(try await back.go().end == .arrived)
        _ = await stage.turn(.lower, from: "false", to: "true")
        return recording
    }

    private func provider(_ recording: RecordingSimulator) throws -> AnyProvider {
        AnyProvider(
            try VercelProvider.connect(
                ProviderEnvironment(
                    variables: ["VERCEL_TOKEN": VercelStage.token, "VERCEL_API_URL": VercelStage.url],
                    transport: SimulatedTransport([VercelStage.url: recording]), now: { Timestamp(millisecondsSinceEpoch: 0) })
            ).get())
    }

    private func driveARollingRelease() async throws -> RecordingSimulator {
        let stage = try VercelStage.make(pin: .name("dpl_S")) { project in
            project["rollingRelease"] = ["stages": [["percentage": 10, "minutes": 5], ["percentage": 50], ["percentage": 100]]]
        }
        let recording = RecordingSimulator(stage.vercel)
        stage.vercel.humanPromote("podcast-web", "dpl_S")
        let headers: HTTPHeaders = ["Authorization": "Bearer \(VercelStage.token)"]
        let base = "\(VercelStage.url)/v1/projects/podcast-web/rolling-release"
        for _ in 0..<2 {
            _ = await recording.answer(HTTPRequest(.get, "\(base)?state=ACTIVE&slug=acme", headers: headers))
            _ = await recording.answer(HTTPRequest(.get, "\(VercelStage.url)/v9/projects/podcast-web?slug=acme", headers: headers))
            stage.pass(.seconds(400))
        }
        var complete = HTTPRequest(.post, "\(base)/complete?slug=acme", headers: headers)
        complete.body = JSON.object(JSONObject([("canaryDeploymentId", "dpl_S")])).bytes
        _ = await recording.answer(complete)
        _ = await recording.answer(HTTPRequest(.get, "\(base)?slug=acme", headers: headers))
        return recording
    }
}
