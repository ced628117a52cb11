import HTTPCore
import JSONValues
import Simulators
import Testing

/// Environment variables of a simulated project, as the API shows and changes them.
@Suite struct VercelVariableTests {
    private typealias Vercel = VercelSimulatorTests.Vercel

    private static let project: JSON = [
        ["id": "env_P", "key": "PLAIN", "value": "p", "type": "plain", "target": "production"],
        ["id": "env_E", "key": "URL", "value": "e", "target": ["production", "preview"], "comment": "kept"],
        ["id": "env_D", "key": "URL", "value": "d", "target": ["development"]],
        ["id": "env_S", "key": "TOKEN", "value": "hunter2", "type": "sensitive"],
    ]

    private static func make(policy: JSON = "off") throws -> Vercel {
        try Vercel(policy: policy) { $0["env"] = project }
    }

    private static func variable(_ key: String, _ value: String = "1", type: String = "encrypted", target: JSON = ["production"]) -> JSON {
        ["key": .string(key), "value": .string(value), "type": .string(type), "target": target]
    }

    private static func list(_ vercel: Vercel, _ query: String = "") async throws -> [JSON] {
        try await vercel.send(.get, "/v10/projects/web/env?\(query)").body["envs"]?.elements ?? []
    }

    private static func writes(_ vercel: Vercel) async -> [String] {
        (await vercel.simulator.world["projects"]?[0]?["writes"]?.elements ?? []).map {
            "\($0["operation"]?.string ?? "") \($0["key"]?.string ?? "") by \($0["by"]?.string ?? "")"
        }
    }

    // MARK: - Reading

    @Test(
        arguments: [
            ("env_P", "p", "p", "a plain value is always read"), ("env_E", nil, "e", "an encrypted one when it is asked for"),
            ("env_S", "", "", "a sensitive one never"),
        ] as [(String, String?, String, Comment)])
    func aListShowsValuesByTheirType(_ id: String, _ listed: String?, _ decrypted: String, _ why: Comment) async throws {
        let vercel = try Self.make()
        let shown = try await Self.list(vercel).first { $0["id"]?.string == id }
        if let listed {
            #expect(shown?["value"]?.string == listed, why)
        } else {
            #expect(shown?["value"]?.string?.hasPrefix("eyJ") == true)
        }
        let read = try await Self.list(vercel, "decrypt=true").first { $0["id"]?.string == id }
        #expect(read?["value"]?.string == decrypted, why)
        #expect(read?["decrypted"]?.bool == (id != "env_S"), why)
        let single = try await vercel.send(.get, "/v1/projects/web/env/\(id)").body
        #expect(single["value"]?.string == (id == "env_S" ? nil : decrypted), why)
    }

    @Test func anEncryptedValueLooksDifferentAfterEveryWriteOfTheSame() async throws {
        let vercel = try Self.make()
        let before = try await Self.list(vercel).first { $0["id"] == "env_E" }?["value"]
        vercel.clock.advance(by: .seconds(1))
        _ = try await vercel.send(.patch, "/v9/projects/web/env/env_E", ["value": "e"])
        #expect(try await Self.list(vercel).first { $0["id"] == "env_E" }?["value"] != before)
    }

    @Test(
        arguments: [
            ("", ["env_P", "env_E", "env_D", "env_S"], "all"), ("target=development", ["env_D"], "those of a target"),
            ("target=preview", ["env_E", "env_S"], "those of another"), ("gitBranch=x", ["env_E", "env_S"], "what a branch would get"),
        ] as [(String, [String], Comment)])
    func aListIsNarrowed(_ query: String, _ ids: [String], _ why: Comment) async throws {
        #expect(try await Self.list(Self.make(), query).compactMap { $0["id"]?.string } == ids, why)
    }

    // MARK: - Creating

    @Test(
        arguments: [
            (variable("NEW"), "", 201, nil, "a new key"),
            (variable("PLAIN", target: ["preview"]), "", 201, nil, "a known key with another target is another variable"),
            (variable("URL"), "", 400, "ENV_CONFLICT", "a target that is taken"),
            (variable("URL", target: ["production", "preview"]), "upsert=true", 201, nil, "the same targets, to be written over"),
            (variable("URL", target: ["preview", "production"]), "upsert=true", 201, nil, "in another order"),
            (variable("URL"), "upsert=true", 400, "ENV_CONFLICT", "fewer targets are in the way of an upsert too"),
            (variable("NEW-KEY"), "", 400, "env_key_invalid_characters", "a hyphen"),
            (variable(String(repeating: "K", count: 257)), "", 400, "env_key_invalid_length", "a key that is too long"),
            (variable("NEW", String(repeating: "v", count: 65_537)), "", 400, "env_value_invalid_length", "a value that is too long"),
            (variable("NEW", String(repeating: "v", count: 65_536)), "", 201, nil, "the longest value"),
            (variable("NEW", type: "secret"), "", 400, "bad_request", "a type of the past"),
            (variable("NEW", target: ["staging"]), "", 400, "bad_request", "no such target"),
            (variable("NEW", target: []), "", 400, "bad_request", "no target at all"),
            (
                variable("NEW", type: "sensitive", target: ["production", "development"]), "", 400, "bad_request",
                "sensitive for development"
            ),
            (["key": "NEW", "type": "plain", "target": ["production"]], "", 400, "bad_request", "no value"),
        ] as [(JSON, String, Int, String?, Comment)])
    func aVariableIsCreatedOrRefused(_ body: JSON, _ query: String, _ status: Int, _ code: String?, _ why: Comment) async throws {
        let vercel = try Self.make()
        let answer = try await vercel.send(.post, "/v10/projects/web/env?\(query)", body)
        #expect(answer.status == status, why)
        #expect(answer.body["error"]?["code"]?.string == code, why)
        #expect(await Self.writes(vercel).count == (status == 201 ? 1 : 0), why)
        if status == 201 {
            #expect(answer.body["failed"] == [], why)
            #expect(answer.body["created"]?["key"] == body["key"], why)
        }
    }

    @Test func aConflictSaysWithWhat() async throws {
        let error = try await Self.make().send(.post, "/v10/projects/web/env", Self.variable("URL")).body["error"]
        #expect(error?["message"] == "A variable with the name `URL` already exists for the target production on branch undefined")
        #expect(error?["envVarId"] == "env_E")
    }

    @Test func anUpsertKeepsTheIDAndTellsItsTime() async throws {
        let vercel = try Self.make()
        vercel.clock.advance(by: .seconds(5))
        let body = Self.variable("URL", "new", target: ["production", "preview"])
        let created = try await vercel.send(.post, "/v10/projects/web/env?upsert=true", body).body["created"]
        #expect(created?["id"] == "env_E")
        #expect(created?["updatedAt"]?.integer == Int(vercel.clock.milliseconds))
        #expect(created?["comment"] == "kept")
        #expect(await Self.writes(vercel) == ["env.edit URL by api"])
    }

    @Test func ofManyVariablesSomeMayFail() async throws {
        let vercel = try Self.make()
        vercel.simulator.failNextVariables("web", ["UNLUCKY"])
        let wanted = JSON.array([
            Self.variable("ONE"), Self.variable("URL"), Self.variable("UNLUCKY"), Self.variable("B-D"), Self.variable("TWO"),
        ])
        let answer = try await vercel.send(.post, "/v10/projects/web/env", wanted)
        #expect(answer.status == 201)
        #expect(answer.body["created"]?.elements.compactMap { $0["key"]?.string } == ["ONE", "TWO"])
        let failed = answer.body["failed"]?.elements.compactMap { $0["error"] } ?? []
        #expect(failed.map { $0["envVarKey"]?.string } == ["URL", "UNLUCKY", "B-D"])
        #expect(failed.map { $0["code"]?.string } == ["ENV_CONFLICT", "internal_server_error", "env_key_invalid_characters"])
        #expect(await Self.writes(vercel) == ["env.create ONE by api", "env.create TWO by api"])
        #expect(try await vercel.send(.post, "/v10/projects/web/env", JSON.array([Self.variable("UNLUCKY")])).body["failed"] == [])
    }

    // MARK: - Changing and deleting

    @Test(
        arguments: [
            ("env_E", ["value": "x"], 200, "another value"), ("env_E", ["comment": "why"], 200, "a comment alone"),
            ("env_E", ["target": ["production"]], 200, "fewer targets"),
            ("env_E", ["target": ["development"]], 400, "a target that another has"),
            ("env_E", ["key": "B-D"], 400, "a key with a hyphen"), ("env_E", ["colour": "red"], 400, "what nobody knows"),
            ("env_E", ["comment": .string(String(repeating: "c", count: 501))], 400, "a comment that is too long"),
            ("env_E", ["gitBranch": "x"], 400, "a branch goes with preview alone"), ("env_X", ["value": "x"], 404, "no such variable"),
        ] as [(String, JSON, Int, Comment)])
    func anEditIsTakenOrRefused(_ id: String, _ body: JSON, _ status: Int, _ why: Comment) async throws {
        let vercel = try Self.make()
        vercel.clock.advance(by: .seconds(5))
        let answer = try await vercel.send(.patch, "/v9/projects/web/env/\(id)", body)
        #expect(answer.status == status, why)
        #expect(await Self.writes(vercel) == (status == 200 ? ["env.edit URL by api"] : []), why)
        let kept = try await vercel.send(.get, "/v1/projects/web/env/env_E").body
        #expect((kept["updatedAt"]?.integer == Int(vercel.clock.milliseconds)) == (status == 200), why)
        if body["comment"] == nil { #expect(kept["comment"] == "kept", why) }
    }

    @Test func whatIsSensitiveStaysSo() async throws {
        let vercel = try Self.make()
        let edited = try await vercel.send(.patch, "/v9/projects/web/env/env_S", ["type": "encrypted", "value": "x"]).body
        #expect(edited["type"] == "sensitive")
        #expect(try await Self.list(vercel, "decrypt=true").first { $0["id"] == "env_S" }?["value"] == "")
    }

    @Test func variablesAreDeletedByTheirIDs() async throws {
        let vercel = try Self.make()
        #expect(try await vercel.send(.delete, "/v9/projects/web/env/env_E").body["key"] == "URL")
        #expect(try await vercel.send(.delete, "/v9/projects/web/env/env_E").status == 404)
        let batch = try await vercel.send(.delete, "/v1/projects/web/env", ["ids": ["env_P", "env_X"]]).body
        #expect(batch == ["deleted": 1, "ids": ["env_P"]])
        #expect(try await Self.list(vercel).compactMap { $0["id"]?.string } == ["env_D", "env_S"])
        #expect(await Self.writes(vercel) == ["env.delete URL by api", "env.delete PLAIN by api"])
    }

    // MARK: - The team's policy

    @Test(
        arguments: [
            ("on", "encrypted", ["production"], "sensitive", "the policy makes it sensitive"),
            (true, "encrypted", ["preview"], "sensitive", "YAML may read on as true"),
            ("off", "encrypted", ["production"], "encrypted", "no policy"),
            ("on", "plain", ["production"], "plain", "a plain variable is left alone"),
            ("on", "encrypted", ["development"], "encrypted", "development cannot be sensitive"),
        ] as [(JSON, String, JSON, String, Comment)])
    func theTeamsPolicyMakesVariablesSensitive(
        _ policy: JSON, _ type: String, _ target: JSON, _ made: String, _ why: Comment
    ) async throws {
        let vercel = try Self.make(policy: policy)
        let answer = try await vercel.send(.post, "/v10/projects/web/env", Self.variable("NEW", type: type, target: target)).body
        #expect(answer["created"]?["type"]?.string == made, why)
        // To ask for the same again changes nothing of the type: who compares types never comes to an end.
        let again = try await vercel.send(.post, "/v10/projects/web/env?upsert=true", Self.variable("NEW", type: type, target: target)).body
        #expect(again["created"]?["type"]?.string == made, why)
    }
}
