import HTTPCore
import JSONValues
import Simulators
import Testing

@Suite struct FlySecretTests {
    private static let secrets = "/v1/apps/worker/secrets"
    private static let image = "registry.fly.io/worker:deployment-86"

    private func given(_ stage: FlyStage, _ name: String) async throws -> String? {
        try await stage.app["machines"]?[0]?["secrets"]?[name]?.string
    }

    @Test func aSecretIsStagedUntilAMachineBoots() async throws {
        let stage = try FlyStage()
        let before = try await given(stage, "DATABASE_URL")
        let set = try await stage.send(.post, Self.secrets, ["values": ["DATABASE_URL": "postgres://other", "NEW": "1"]])
        #expect(set.body["version"]?.integer == 2)
        let digest = set.body["secrets"]?[0]?["digest"]?.string
        #expect(digest != before)
        #expect(try await given(stage, "DATABASE_URL") == before)
        _ = try await stage.send(.post, "\(FlyStage.machine)/restart")
        stage.pass(20)
        #expect(try await given(stage, "DATABASE_URL") == before, "a restart applies nothing")
        _ = try await stage.update(Self.image)
        #expect(try await given(stage, "DATABASE_URL") == digest, "it rides along with an update")
        #expect(try await given(stage, "NEW") != nil)
    }

    @Test func aStartAppliesWhatIsStagedToo() async throws {
        let stage = try FlyStage()
        _ = try await stage.send(.post, "\(FlyStage.machine)/stop", [:])
        stage.pass(2)
        stage.fly.stageSecret("worker", "LATE", "1")
        _ = try await stage.send(.post, "\(FlyStage.machine)/start")
        #expect(try await given(stage, "LATE") != nil)
    }

    @Test func secretsAreSetAndUnset() async throws {
        let stage = try FlyStage()
        #expect(try await stage.send(.post, "\(Self.secrets)/KEY", ["value": "hidden too"]).status == 201)
        #expect(try await stage.send(.get, "\(Self.secrets)/KEY").body["name"]?.string == "KEY")
        #expect(try await stage.send(.post, Self.secrets, ["values": ["KEY": nil]]).body["version"]?.integer == 3)
        #expect(try await stage.send(.get, "\(Self.secrets)/KEY").status == 404)
        #expect(try await stage.send(.delete, "\(Self.secrets)/DATABASE_URL").body["version"]?.integer == 4)
        #expect(try await stage.send(.delete, "\(Self.secrets)/DATABASE_URL").status == 404)
        #expect(try await stage.send(.get, Self.secrets).body == ["secrets": []])
        let writes = try await stage.app["writes"]?.elements.map { $0["operation"]?.string }
        #expect(writes == ["set-secret", "unset-secret", "unset-secret"])
    }

    @Test func aValueIsNeverReadable() async throws {
        let stage = try FlyStage()
        _ = try await stage.send(.post, "\(Self.secrets)/KEY", ["value": "hidden too"])
        for path in ["?show_secrets=true", "/KEY?show_secrets=true", "/DATABASE_URL"] {
            #expect(!(try await stage.send(.get, Self.secrets + path).text.contains("hidden")))
        }
        #expect(!(await stage.fly.world.description.contains("hidden")))
    }

    @Test func aChangeReachesMachinesLaterUnlessTheyAskForItsVersion() async throws {
        for asks in [false, true] {
            let stage = try FlyStage { $0["seconds"] = ["secrets": 10] }
            let set = try await stage.send(.post, "\(Self.secrets)/KEY", ["value": "1"])
            _ = try await stage.update(Self.image) { if asks { $0["min_secrets_version"] = set.body["version"] } }
            #expect((try await given(stage, "KEY") != nil) == asks)
        }
    }

    @Test func aVersionThatIsNotThereYetIsRefused() async throws {
        let stage = try FlyStage()
        #expect(try await stage.update(Self.image) { $0["min_secrets_version"] = 9 }.status == 412)
        #expect(try await stage.send(.get, "\(Self.secrets)?min_version=9").status == 412)
        #expect(try await stage.send(.get, "\(Self.secrets)?min_version=1").status == 200)
    }
}
