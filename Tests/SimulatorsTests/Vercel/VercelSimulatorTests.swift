import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct VercelSimulatorTests {
    struct Vercel {
        let clock = ManualClock()
        let simulator: VercelSimulator

        init(
            plan: String = "pro", limits: JSON = [], unauthorized: Int = 403, policy: JSON = "off", _ more: (inout JSON) -> Void = { _ in }
        ) throws {
            var project: JSON = [
                "name": "web", "team": "acme", "domains": ["a.example.com", "b.example.com"], "production": "dpl_C",
                "deployments": [
                    ["id": "dpl_A", "sha": "aaaaaaa1", "minutesAgo": 30], ["id": "dpl_B", "sha": "bbbbbbb2", "minutesAgo": 20],
                    ["id": "dpl_C", "sha": "ccccccc3", "minutesAgo": 10], ["id": "dpl_S", "sha": "ddddddd4", "minutesAgo": 5],
                    ["id": "dpl_P", "sha": "eeeeeee5", "minutesAgo": 15, "target": "preview"],
                    ["id": "dpl_D", "minutesAgo": 40, "state": "DELETED"],
                ],
            ]
            more(&project)
            let world: JSON = [
                "plan": .string(plan), "unauthorized": .integer(unauthorized), "rateLimits": limits, "projects": [project],
                "sensitiveEnvironmentVariablePolicy": policy,
            ]
            simulator = try VercelSimulator(world: world, clock: clock, token: "token")
        }

        func send(
            _ method: HTTPMethod, _ path: String, _ body: JSON? = nil, token: String? = "token", scope: String = "slug=acme"
        ) async throws -> (status: Int, body: JSON, headers: HTTPHeaders) {
            var request = HTTPRequest(method, "https://host" + path + (path.contains("?") ? "&" : "?") + scope)
            if let token { request.headers["Authorization"] = "Bearer \(token)" }
            if let body { request.body = body.bytes }
            guard case .whole(let response) = await simulator.answer(request) else { throw Failure() }
            return (response.status, response.body.isEmpty ? .null : try JSON(parsing: response.body), response.headers)
        }

        func project() async throws -> JSON { try await send(.get, "/v9/projects/web?rollbackInfo=true").body }

        func served() async throws -> [String?] {
            try await project()["alias"]?.elements.map { $0["deployment"]?["id"]?.string } ?? []
        }

        func promote(_ id: String) async throws -> Int { try await send(.post, "/v10/projects/prj_web/promote/\(id)", [:]).status }
        func rollback(_ id: String) async throws -> Int { try await send(.post, "/v1/projects/prj_web/rollback/\(id)", [:]).status }
    }

    struct Failure: Error {}

    @Test func everyAnswerCarriesTimeAndID() async throws {
        let vercel = try Vercel()
        let answer = try await vercel.send(.get, "/v9/projects/web")
        #expect(answer.headers["Date"] == "Mon, 23 Nov 2026 00:00:00 GMT")
        #expect(answer.headers["x-vercel-id"]?.hasPrefix("fra1::") == true)
    }

    @Test(arguments: [(nil, 403), ("wrong", 403), ("wrong", 401)] as [(String?, Int)])
    func aMissingOrWrongTokenIsRefused(_ token: String?, _ status: Int) async throws {
        let answer = try await Vercel(unauthorized: status).send(.get, "/v9/projects/web", token: token)
        #expect(answer.status == status)
        #expect(answer.body["error"]?["code"]?.string == "forbidden")
    }

    @Test(
        arguments: [
            ("slug=acme", 200), ("teamId=team_acme", 200), ("slug=other", 403), ("teamId=team_other", 403), ("", 404),
        ])
    func projectsAreSeenInTheirTeamOnly(_ scope: String, _ status: Int) async throws {
        #expect(try await Vercel().send(.get, "/v9/projects/web", scope: scope).status == status)
    }

    @Test func theLastJobIsHiddenWithoutRollbackInfo() async throws {
        let vercel = try Vercel()
        _ = try await vercel.rollback("dpl_A")
        #expect(try await vercel.send(.get, "/v9/projects/web").body["lastAliasRequest"] == nil)
        let job = try #require(try await vercel.project()["lastAliasRequest"])
        #expect(job["type"]?.string == "rollback")
        #expect(job["toDeploymentId"]?.string == "dpl_A")
        #expect(job["fromDeploymentId"]?.string == "dpl_C")
        #expect(job["jobStatus"]?.string == "pending")
    }

    @Test func domainsMoveOneByOneAndThePointerLast() async throws {
        let vercel = try Vercel()
        #expect(try await vercel.rollback("dpl_A") == 201)
        #expect(try await vercel.served() == ["dpl_C", "dpl_C"])
        vercel.clock.advance(by: .milliseconds(1200))
        #expect(try await vercel.served() == ["dpl_A", "dpl_C"])
        #expect(try await vercel.project()["targets"]?["production"]?["id"]?.string == "dpl_C")
        vercel.clock.advance(by: .milliseconds(800))
        #expect(try await vercel.served() == ["dpl_A", "dpl_A"])
        vercel.clock.advance(by: .milliseconds(600))
        let project = try await vercel.project()
        #expect(project["targets"]?["production"]?["id"]?.string == "dpl_A")
        #expect(project["crons"]?["deploymentId"]?.string == "dpl_A")
        #expect(project["lastAliasRequest"]?["jobStatus"]?.string == "succeeded")
    }

    @Test func aRollbackSwitchesAssignmentOffAndAPromotionOn() async throws {
        let vercel = try Vercel()
        _ = try await vercel.rollback("dpl_A")
        vercel.clock.advance(by: .seconds(5))
        #expect(try await vercel.project()["autoAssignCustomDomains"]?.bool == false)
        let pushed = try #require(vercel.simulator.pushCommit("web", sha: "fffffff6"))
        vercel.clock.advance(by: .seconds(120))
        let waiting = try await vercel.send(.get, "/v13/deployments/\(pushed)").body
        #expect(waiting["readyState"]?.string == "READY")
        #expect(waiting["readySubstate"]?.string == "STAGED")
        #expect(waiting["aliasAssigned"]?.bool == false)
        // What was promoted before can be promoted again: this is how a rollback is undone.
        #expect(try await vercel.promote("dpl_C") == 201)
        vercel.clock.advance(by: .seconds(5))
        #expect(try await vercel.project()["autoAssignCustomDomains"]?.bool == true)
    }

    @Test func aPushIsBuiltAndThenTakesTheDomains() async throws {
        let vercel = try Vercel()
        let id = try #require(vercel.simulator.pushCommit("web", sha: "fffffff6", message: "New"))
        var states: [String] = []
        for _ in 0..<4 {
            states.append(try await vercel.send(.get, "/v13/deployments/\(id)").body["readyState"]?.string ?? "")
            vercel.clock.advance(by: states.count < 3 ? .milliseconds(500) : .seconds(61))
        }
        #expect(states == ["QUEUED", "INITIALIZING", "BUILDING", "READY"])
        #expect(try await vercel.served() == [id, id])
    }

    @Test(
        arguments: [
            ("dpl_C", 409, 422, "current"), ("dpl_P", 422, 422, "a preview"), ("dpl_S", 201, 422, "never served"),
            ("dpl_A", 201, 201, "served before"), ("dpl_D", 410, 410, "deleted"), ("dpl_Nowhere", 404, 404, "unknown"),
        ])
    func promoteAndRollbackAnswerByWhatTheTargetIs(_ id: String, _ promote: Int, _ rollback: Int, _ why: Comment) async throws {
        #expect(try await Vercel().promote(id) == promote, why)
        #expect(try await Vercel().rollback(id) == rollback, why)
    }

    @Test func aBuildThatIsNotReadyCannotBePromoted() async throws {
        let vercel = try Vercel()
        let id = try #require(vercel.simulator.pushCommit("web", sha: "fffffff6"))
        #expect(try await vercel.promote(id) == 400)
    }

    @Test func theHobbyPlanGoesOneStepBack() async throws {
        #expect(try await Vercel(plan: "hobby").rollback("dpl_A") == 402)
        #expect(try await Vercel(plan: "hobby").rollback("dpl_B") == 201)
    }

    @Test func aFailedJobLeavesTheNamedDomains() async throws {
        let vercel = try Vercel()
        vercel.simulator.setNextJob("web", .failed(["b.example.com"]))
        _ = try await vercel.rollback("dpl_A")
        vercel.clock.advance(by: .seconds(5))
        #expect(try await vercel.served() == ["dpl_A", "dpl_C"])
        let failed = try await vercel.send(.get, "/v9/projects/prj_web/rollback/aliases?failedOnly=true").body
        #expect(failed["aliases"]?.elements.compactMap { $0["alias"]?.string } == ["b.example.com"])
        #expect(try await vercel.project()["targets"]?["production"]?["id"]?.string == "dpl_C")
    }

    @Test(arguments: [(VercelSimulator.JobOutcome.skipped, "skipped"), (.neverBegins, "pending"), (.neverEnds, "in-progress")])
    func aJobMayEndOtherwiseOrNever(_ outcome: VercelSimulator.JobOutcome, _ status: String) async throws {
        let vercel = try Vercel()
        vercel.simulator.setNextJob("web", outcome)
        _ = try await vercel.rollback("dpl_A")
        vercel.clock.advance(by: .seconds(3600))
        #expect(try await vercel.project()["lastAliasRequest"]?["jobStatus"]?.string == status)
        #expect(try await vercel.project()["targets"]?["production"]?["id"]?.string == "dpl_C")
    }

    @Test func creatingTheSameTwiceGivesOneDeploymentUnlessForced() async throws {
        let vercel = try Vercel()
        let body: JSON = ["name": "web", "deploymentId": "dpl_P", "target": "production", "meta": ["mark": "1"]]
        let first = try await vercel.send(.post, "/v13/deployments", body).body["id"]?.string
        let second = try await vercel.send(.post, "/v13/deployments", body).body["id"]?.string
        let forced = try await vercel.send(.post, "/v13/deployments?forceNew=1", body).body["id"]?.string
        #expect(first != nil && first == second && forced != first)
        let found = try await vercel.send(.get, "/v7/deployments?meta-mark=1").body
        #expect(Set(found["deployments"]?.elements.compactMap { $0["uid"]?.string } ?? []) == Set([first, forced].compactMap(\.self)))
    }

    @Test func withoutATargetACreationIsAPreview() async throws {
        let answer = try await Vercel().send(.post, "/v13/deployments?forceNew=1", ["name": "web", "deploymentId": "dpl_A"])
        #expect(answer.status == 200)
        #expect(answer.body["target"] == nil)
        #expect(answer.body["readyState"]?.string == "QUEUED")
    }

    @Test func listsArePagedByTime() async throws {
        let vercel = try Vercel()
        var seen: [String] = []
        var cursor = ""
        repeat {
            let page = try await vercel.send(.get, "/v7/deployments?limit=2&target=production" + cursor).body
            seen += page["deployments"]?.elements.compactMap { $0["uid"]?.string } ?? []
            cursor = page["pagination"]?["next"].map { "&until=\($0)" } ?? ""
        } while !cursor.isEmpty
        #expect(seen == ["dpl_S", "dpl_C", "dpl_B", "dpl_A"])
    }

    @Test(
        arguments: [
            ("sha=bbbbbbb2", ["dpl_B"]), ("state=DELETED", ["dpl_D"]), ("rollbackCandidate=true", ["dpl_C", "dpl_B", "dpl_A"]),
            ("target=preview", ["dpl_P"]), ("projectId=prj_other", []), ("app=web&limit=1", ["dpl_S"]),
        ])
    func listsAreFiltered(_ filter: String, _ expected: [String]) async throws {
        let page = try await Vercel().send(.get, "/v7/deployments?\(filter)").body
        #expect(page["deployments"]?.elements.compactMap { $0["uid"]?.string } == expected)
    }

    @Test func aProductionDomainTellsWhatItServes() async throws {
        let vercel = try Vercel()
        vercel.simulator.setAlias("web", "b.example.com", "dpl_B")
        #expect(try await vercel.send(.get, "/v13/deployments/a.example.com").body["id"]?.string == "dpl_C")
        #expect(try await vercel.send(.get, "/v13/deployments/b.example.com").body["id"]?.string == "dpl_B")
    }

    @Test(arguments: [("dpl_D", 410), ("dpl_Nowhere", 404), ("nonsense", 400)])
    func whatIsNotThereSaysHow(_ id: String, _ status: Int) async throws {
        #expect(try await Vercel().send(.get, "/v13/deployments/\(id)").status == status)
    }

    @Test func whatIsOverCannotBeCanceled() async throws {
        let vercel = try Vercel()
        #expect(try await vercel.send(.patch, "/v12/deployments/dpl_A/cancel").status == 400)
        let id = try #require(vercel.simulator.pushCommit("web", sha: "fffffff6"))
        #expect(try await vercel.send(.patch, "/v12/deployments/\(id)/cancel").body["readyState"]?.string == "CANCELED")
        vercel.clock.advance(by: .seconds(200))
        #expect(try await vercel.served() == ["dpl_C", "dpl_C"])
    }

    @Test func aBucketThatIsEmptySaysWhenItIsFilled() async throws {
        let vercel = try Vercel(limits: [["bucket": "projects.get", "limit": 2, "seconds": 60]])
        for _ in 0..<2 { #expect(try await vercel.send(.get, "/v9/projects/web").status == 200) }
        let refused = try await vercel.send(.get, "/v9/projects/web")
        #expect(refused.status == 429)
        #expect(refused.headers["Retry-After"] == "60")
        #expect(refused.headers["X-RateLimit-Remaining"] == "0")
        #expect(refused.body["error"]?["code"]?.string == "rate_limited")
        #expect(try await vercel.send(.get, "/v7/deployments").status == 200)
        vercel.clock.advance(by: .seconds(60))
        #expect(try await vercel.send(.get, "/v9/projects/web").status == 200)
    }

    @Test func aRollingReleaseQueuesPromotionsAndARollbackEndsIt() async throws {
        let vercel = try Vercel { project in
            project["rollingRelease"] = ["stages": [["percentage": 10, "minutes": 5], ["percentage": 100]]]
        }
        #expect(try await vercel.promote("dpl_S") == 201)
        #expect(try await vercel.promote("dpl_B") == 202)
        let active = try await vercel.send(.get, "/v1/projects/web/rolling-release?state=ACTIVE").body["rollingRelease"]
        #expect(active?["canaryDeployment"]?["id"]?.string == "dpl_S")
        #expect(active?["queuedDeploymentId"]?.string == "dpl_B")
        #expect(active?["activeStage"]?["duration"]?.integer == 300)
        #expect(try await vercel.rollback("dpl_A") == 201)
        vercel.clock.advance(by: .seconds(5))
        #expect(try await vercel.served() == ["dpl_A", "dpl_A"])
        #expect(try await vercel.send(.get, "/v1/projects/web/rolling-release").body["rollingRelease"]?["state"]?.string == "ABORTED")
    }

    @Test func promotingTheCanaryCompletesARollingRelease() async throws {
        let vercel = try Vercel { project in
            project["rollingRelease"] = ["stages": [["percentage": 10], ["percentage": 100]]]
        }
        _ = try await vercel.promote("dpl_S")
        vercel.clock.advance(by: .seconds(86_400))
        #expect(try await vercel.served() == ["dpl_C", "dpl_C"])
        #expect(try await vercel.promote("dpl_S") == 201)
        #expect(try await vercel.served() == ["dpl_S", "dpl_S"])
    }

    @Test func anUnknownProjectCannotBePaused() async throws {
        #expect(try await Vercel().send(.post, "/v1/projects/prj_other/pause").status == 400)
        #expect(try await Vercel().send(.post, "/v1/projects/prj_web/pause").status == 200)
    }

    @Test func aLaterEventIsAnsweredOnlyInItsTime() async throws {
        // One long step of the clock, or many short ones: the same world.
        let short = try Vercel()
        let long = try Vercel()
        for vercel in [short, long] {
            _ = try await vercel.rollback("dpl_A")
            vercel.simulator.pushCommit("web", sha: "fffffff6")
        }
        for _ in 0..<200 {
            short.clock.advance(by: .seconds(1))
            _ = await short.simulator.world
        }
        long.clock.advance(by: .seconds(200))
        #expect(await short.simulator.world == long.simulator.world)
    }
}
