import HTTPCore
import JSONValues
import Simulators
import Testing

/// What builds are made with, and who decides whether pushes take the domains.
@Suite struct VercelConfigurationTests {
    private typealias Vercel = VercelSimulatorTests.Vercel

    private static func project(_ vercel: Vercel) async -> JSON { await vercel.simulator.world["projects"]?[0] ?? .null }

    /// The marker that a deployment was built with.
    private static func built(_ vercel: Vercel, _ id: String?) async -> String? {
        await project(vercel)["deployments"]?.elements.first { $0["id"]?.string == id }?["env"]?["URL"]?.string
    }

    private static func current(_ vercel: Vercel, _ position: Int = 0) async -> String? {
        await project(vercel)["env"]?[position]?["value"]?.string
    }

    // MARK: - Builds

    @Test func aBuildKeepsTheValuesOfItsTime() async throws {
        let vercel = try Vercel { project in
            project["env"] = [["key": "URL", "value": "one", "target": "production"]]
        }
        let before = try #require(await Self.current(vercel))
        #expect(await Self.built(vercel, "dpl_A") == before, "what a world does not say was built with what it has")
        vercel.simulator.setVariable("web", "URL", "two")
        let after = try #require(await Self.current(vercel))
        #expect(after != before)
        #expect(await Self.built(vercel, "dpl_C") == before)
        let pushed = vercel.simulator.pushCommit("web", sha: "fffffff6")
        vercel.simulator.setVariable("web", "URL", "three")
        vercel.clock.advance(by: .seconds(200))
        #expect(await Self.built(vercel, pushed) == after)
        // A rollback brings the old values back; a rebuild of the same deployment does not.
        _ = try await vercel.rollback("dpl_A")
        vercel.clock.advance(by: .seconds(5))
        #expect(await Self.built(vercel, await Self.project(vercel)["production"]?.string) == before)
        let body: JSON = ["name": "web", "deploymentId": "dpl_A", "target": "production"]
        let rebuilt = try await vercel.send(.post, "/v13/deployments?forceNew=1", body).body
        #expect(await Self.built(vercel, rebuilt["id"]?.string) == (await Self.current(vercel)))
        #expect(rebuilt["env"] == ["URL"])
    }

    @Test func aWorldTellsWhatItsPastWasBuiltWith() async throws {
        let vercel = try Vercel { project in
            project["env"] = [["key": "URL", "value": "two", "target": "production"]]
            project["production"] = "dpl_A"
            project["deployments"] = [["id": "dpl_A", "env": ["URL": "one"]], ["id": "dpl_B", "env": ["URL": "two"], "minutesAgo": 5]]
        }
        let current = await Self.current(vercel)
        #expect(await Self.built(vercel, "dpl_A") != current)
        #expect(await Self.built(vercel, "dpl_B") == current)
    }

    @Test func aBuildTakesTheVariablesOfItsTargetAndItsBranch() async throws {
        let vercel = try Vercel { project in
            project["env"] = [
                ["key": "URL", "value": "one", "target": "production"], ["key": "URL", "value": "all previews", "target": "preview"],
                ["key": "URL", "value": "this branch", "target": "preview", "gitBranch": "feature"],
            ]
        }
        let production = vercel.simulator.pushCommit("web", sha: "fffffff6")
        let preview = vercel.simulator.pushCommit("web", sha: "fffffff7", toProduction: false)
        #expect(await Self.built(vercel, production) == (await Self.current(vercel, 0)))
        #expect(await Self.built(vercel, preview) == (await Self.current(vercel, 2)))
    }

    @Test func aBuildWithTooMuchEnvironmentFails() async throws {
        let half = String(repeating: "v", count: 40_000)
        let vercel = try Vercel { project in
            project["env"] = [
                ["key": "A", "value": .string(half), "target": "production"], ["key": "B", "value": .string(half), "target": "production"],
            ]
        }
        let id = try #require(vercel.simulator.pushCommit("web", sha: "fffffff6"))
        vercel.clock.advance(by: .seconds(200))
        let shown = try await vercel.send(.get, "/v13/deployments/\(id)").body
        #expect(shown["readyState"] == "ERROR")
        #expect(shown["errorCode"] == "env_too_large")
    }

    @Test func theWorldNeverShowsAValue() async throws {
        let vercel = try Vercel { project in
            project["env"] = [["key": "TOKEN", "value": "hunter2", "type": "plain", "comment": "rotate me"]]
        }
        _ = try await vercel.send(
            .post, "/v10/projects/web/env", ["key": "NEW", "value": "hunter3", "type": "encrypted", "target": ["production"]])
        vercel.simulator.setVariable("web", "NEW", "hunter4")
        vercel.simulator.pushCommit("web", sha: "fffffff6")
        let world = await vercel.simulator.world
        #expect(!world.description.contains("hunter"))
        let shown = world["projects"]?[0]?["env"]?[0]
        #expect(shown?["key"] == "TOKEN")
        #expect(shown?["type"] == "plain")
        #expect(shown?["target"] == ["production", "preview", "development"])
        #expect(shown?["comment"] == "rotate me")
        #expect(shown?["updatedAt"]?.integer != nil)
        #expect(shown?["value"]?.string?.count == 10)
    }

    @Test func aPersonsChangeOfAVariableIsInTheBooks() async throws {
        let vercel = try Vercel { $0["env"] = [["id": "env_U", "key": "URL", "value": "one", "target": "production"]] }
        vercel.clock.advance(by: .seconds(5))
        vercel.simulator.setVariable("web", "URL", "two")
        vercel.simulator.setVariable("web", "NEW", "1", kind: .plain)
        vercel.simulator.removeVariable("web", "NEW")
        let project = await Self.project(vercel)
        let writes = project["writes"]?.elements.map {
            "\($0["operation"]?.string ?? "") \($0["key"]?.string ?? "") \($0["by"]?.string ?? "")"
        }
        #expect(writes == ["env.edit URL human", "env.create NEW human", "env.delete NEW human"])
        let shown = try await vercel.send(.get, "/v1/projects/web/env/env_U").body
        #expect(shown["updatedAt"]?.integer == Int(vercel.clock.milliseconds))
        #expect(shown["updatedBy"] == "user_sim")
    }

    // MARK: - Automatic assignment of domains

    private enum Switch: Sendable {
        case person(Bool)
        case api(Bool)
        case asNamed(Bool)
        case promote, rollback, pause
    }

    @Test(
        arguments: [
            ([.person(false)], false, "user_sim", ["autoAssign human"], "a person switches it off"),
            ([.api(false)], false, "user_belay", ["autoAssign api"], "the API switches it off"),
            ([.asNamed(false)], false, "belay", ["autoAssign api"], "the API names somebody else"),
            ([.api(true)], true, nil, [], "what it was already is no write, and tells of nobody"),
            ([.api(false), .person(false)], false, "user_belay", ["autoAssign api"], "whoever comes second changes nothing"),
            ([.api(false), .person(true)], true, "user_sim", ["autoAssign api", "autoAssign human"], "a person takes it back"),
            ([.rollback], false, "system", ["rollback api"], "a rollback switches it off"),
            ([.person(false), .rollback], false, "user_sim", ["autoAssign human", "rollback api"], "it was off before the rollback"),
            ([.rollback, .promote], true, "system", ["rollback api", "promote api"], "a promotion switches it on again"),
            ([.api(false), .promote], true, "system", ["autoAssign api", "promote api"], "whoever had switched it off"),
            ([.pause], false, "user_belay", ["pause api"], "a pause switches it off"),
        ] as [([Switch], Bool, String?, [String], Comment)])
    private func itIsKnownWhoSwitchedAssignmentOnOrOff(
        _ steps: [Switch], _ isOn: Bool, _ who: String?, _ writes: [String], _ why: Comment
    ) async throws {
        let vercel = try Vercel()
        for step in steps {
            switch step {
            case .person(let isOn): vercel.simulator.setAutoAssign("web", isOn)
            case .api(let isOn): _ = try await vercel.send(.patch, "/v9/projects/web", ["autoAssignCustomDomains": .bool(isOn)])
            case .asNamed(let isOn):
                let body: JSON = ["autoAssignCustomDomains": .bool(isOn), "autoAssignCustomDomainsUpdatedBy": "belay"]
                _ = try await vercel.send(.patch, "/v9/projects/web", body)
            case .promote: _ = try await vercel.promote("dpl_S")
            case .rollback: _ = try await vercel.rollback("dpl_A")
            case .pause: _ = try await vercel.send(.post, "/v1/projects/prj_web/pause")
            }
            vercel.clock.advance(by: .seconds(5))
        }
        let project = try await vercel.project()
        #expect(project["autoAssignCustomDomains"]?.bool == isOn, why)
        #expect(project["autoAssignCustomDomainsUpdatedBy"]?.string == who, why)
        let books = await Self.project(vercel)["writes"]?.elements ?? []
        #expect(books.map { "\($0["operation"]?.string ?? "") \($0["by"]?.string ?? "")" } == writes, why)
    }

    @Test(
        arguments: [
            (true, "PROMOTED", true, "assignment is on: the push takes the domains"),
            (false, "STAGED", false, "assignment is off: the push waits to be promoted"),
        ] as [(Bool, String, Bool, Comment)])
    func aPushTakesTheDomainsOnlyWhileAssignmentIsOn(_ isOn: Bool, _ state: String, _ serves: Bool, _ why: Comment) async throws {
        let vercel = try Vercel()
        vercel.simulator.setAutoAssign("web", isOn)
        let id = try #require(vercel.simulator.pushCommit("web", sha: "fffffff6"))
        vercel.clock.advance(by: .seconds(200))
        #expect(try await vercel.send(.get, "/v13/deployments/\(id)").body["readySubstate"]?.string == state, why)
        #expect(try await vercel.served() == (serves ? [id, id] : ["dpl_C", "dpl_C"]), why)
        // What waited does not move when assignment is switched on afterwards: only a promotion moves it.
        vercel.simulator.setAutoAssign("web", true)
        vercel.clock.advance(by: .seconds(200))
        #expect(try await vercel.served() == (serves ? [id, id] : ["dpl_C", "dpl_C"]), why)
    }

    @Test(
        arguments: [
            (-61_600, "built before the job begins: it takes the domains, and the rollback takes them back"),
            (-60_000, "built while domains move: it stays staged"), (1200, "pushed in the middle of the job: it stays staged"),
        ] as [(Int, Comment)])
    func aPushAroundARollbackDoesNotUndoIt(_ milliseconds: Int, _ why: Comment) async throws {
        let vercel = try Vercel()
        var pushed: String?
        if milliseconds < 0 {
            pushed = vercel.simulator.pushCommit("web", sha: "fffffff6")
            vercel.clock.advance(by: .milliseconds(-milliseconds))
        }
        #expect(try await vercel.rollback("dpl_A") == 201)
        if milliseconds >= 0 {
            vercel.clock.advance(by: .milliseconds(milliseconds))
            #expect(try await vercel.served() == ["dpl_A", "dpl_C"], "the job is half done")
            pushed = vercel.simulator.pushCommit("web", sha: "fffffff6")
        }
        vercel.clock.advance(by: .seconds(200))
        #expect(try await vercel.served() == ["dpl_A", "dpl_A"], why)
        let id = try #require(pushed)
        let state = try await vercel.send(.get, "/v13/deployments/\(id)").body["readySubstate"]?.string
        #expect(state == (milliseconds == -61_600 ? "PROMOTED" : "STAGED"), why)
        #expect(try await vercel.project()["autoAssignCustomDomains"]?.bool == false, why)
    }

    @Test func aPersonWhoSwitchesAssignmentOnAfterARollbackLetsTheNextPushThrough() async throws {
        let vercel = try Vercel()
        _ = try await vercel.rollback("dpl_A")
        vercel.clock.advance(by: .seconds(5))
        vercel.simulator.setAutoAssign("web", true)
        let id = try #require(vercel.simulator.pushCommit("web", sha: "fffffff6"))
        vercel.clock.advance(by: .seconds(200))
        #expect(try await vercel.served() == [id, id])
    }
}
