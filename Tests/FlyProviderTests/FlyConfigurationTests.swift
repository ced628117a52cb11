import FlyProvider
import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing

@Suite struct FlyConfigurationTests {
    private func kinds(_ observation: Observation) -> [String] {
        observation.configuration?.differences.map { "\($0.key) \($0.kind)" } ?? []
    }

    @Test func literalsStandInTheMachineAndReferencesAmongTheSecretsWithOneRolloutInAll() async throws {
        var stage = try FlyStage.make(.name("v87"), machines: [FlyStage.first, FlyStage.second])
        stage.configuration = .make(["LOG": "debug"], secrets: ["API_KEY": "k-1"])
        let observation = await stage.observe()
        #expect(kinds(observation) == ["API_KEY missing", "LOG changed"])
        #expect(observation.configuration?.route?.means.hasPrefix("set 1 secret, then update 2 machines in place") == true)
        let parts = try await stage.walk()
        #expect(parts.count == 3)
        #expect(try await stage.updates == [FlyStage.first, FlyStage.second])
        for machine in [FlyStage.first, FlyStage.second] {
            let machine = try await stage.machine(machine)
            #expect(machine["env"]?["LOG"]?.string == "debug")
            #expect(machine["env"]?["API_KEY"] == nil && machine["secrets"]?["API_KEY"] != nil)
        }
        #expect(!parts.joined().contains("k-1"))
    }

    @Test func anUpdateAsksForTheSecretsThatWereJustSet() async throws {
        var stage = try FlyStage.make(.name("v87")) { $0["seconds"] = ["secrets": 3600] }
        stage.configuration = .make(secrets: ["API_KEY": "k-1"])
        try await stage.walk()
        #expect(try await stage.machine()["secrets"]?["API_KEY"] != nil)
    }

    @Test func aKeyThatBecomesAReferenceIsRemovedFromTheMachine() async throws {
        var stage = try FlyStage.make(.name("v87"))
        stage.configuration = .make(secrets: ["LOG": "debug"])
        #expect(kinds(await stage.observe()) == ["LOG missing"])
        try await stage.walk()
        #expect(try await stage.machine()["env"]?["LOG"] == nil)
        #expect(await stage.holds("LOG", "debug"))
    }

    @Test func aKeyThatBecomesALiteralIsRemovedFromTheSecrets() async throws {
        var stage = try FlyStage.make(.name("v87"))
        stage.configuration = .make(["DATABASE_URL": "sqlite://here"])
        #expect(kinds(await stage.observe()) == ["DATABASE_URL missing"])
        try await stage.walk()
        #expect(try await stage.app["secrets"]?.elements.isEmpty == true)
        #expect(try await stage.machine()["env"]?["DATABASE_URL"]?.string == "sqlite://here")
    }

    @Test func withThePolicyExactWhatIsNotNamedIsRemovedButNotWhatThePlatformPutsThere() async throws {
        var stage = try FlyStage.make(.name("v87"))
        stage.configuration = .make(["KEPT": "1"], isExact: true)
        #expect(kinds(await stage.observe()) == ["DATABASE_URL extra", "KEPT missing", "LOG extra"])
        try await stage.walk()
        let environment = try await stage.machine()["env"]
        #expect(environment?["LOG"] == nil && environment?["KEPT"]?.string == "1")
        #expect(environment?["PRIMARY_REGION"]?.string == "fra" && environment?["FLY_PROCESS_GROUP"] != nil)
        #expect(try await stage.app["secrets"]?.elements.isEmpty == true)
    }

    @Test func aSecretThatIsOnlyStagedHasNotTakenEffect() async throws {
        var stage = try FlyStage.make(.name("v87"))
        stage.configuration = .make(secrets: ["DATABASE_URL": "postgres://hidden"])
        stage.pass(5)
        stage.fly.stageSecret("worker", "DATABASE_URL", "postgres://hidden")
        let marker = await stage.observe().configuration?.settings["DATABASE_URL"]?.marker
        stage.known["DATABASE_URL"] = ConfigurationEntry(
            fingerprint: ConfigurationKeeper.fingerprint("DATABASE_URL", "postgres://hidden"), marker: marker)
        #expect(kinds(await stage.observe()) == ["DATABASE_URL notApplied"])
        #expect(try await stage.walk().count == 1)
        #expect(kinds(await stage.observe()).isEmpty)
    }

    @Test func whatCannotBeReadBackIsSetOnceAndThenKnown() async throws {
        var stage = try FlyStage.make(.name("v87"))
        stage.configuration = .make(secrets: ["DATABASE_URL": "postgres://hidden"])
        #expect(kinds(await stage.observe()) == ["DATABASE_URL unverified"])
        try await stage.walk()
        #expect(kinds(await stage.observe()).isEmpty)
        #expect(try await stage.app["writes"]?.elements.count { $0["operation"]?.string == "set-secret" } == 1)
    }

    /// Fly.io tells nothing of a secret that is gone: whether a machine still has it follows from when it was removed.
    @Test(arguments: [false, true]) func aRemovedSecretIsTakenFromTheRunningMachinesWithOneUpdateOfEach(isAnswerLost: Bool) async throws {
        var stage = try FlyStage.make(.name("v87"), machines: [FlyStage.first, FlyStage.second], .immediate)
        stage.configuration = .make(["LOG": "info"], isExact: true)
        #expect(kinds(await stage.observe()) == ["DATABASE_URL extra"])
        let resolution = try stage.world.resolution(in: await stage.observe())
        if isAnswerLost { stage.inject(Fault(method: .delete, path: "/secrets", .dropAfter)) }
        let (result, _, intent) = try await stage.go(nil, resolution)
        let observation = await stage.observe(resolution: resolution, intent: intent)
        #expect(observation.fate == .tookEffect)
        if case .accepted(_, let told) = result { stage.known.merge(told) { $1 } }
        stage.known.merge(observation.configuration?.learned ?? [:]) { $1 }
        #expect(isAnswerLost == { if case .unknown = result { true } else { false } }())
        #expect(kinds(await stage.observe(resolution: resolution)) == ["DATABASE_URL notApplied"])
        #expect(try await stage.machine()["secrets"]?["DATABASE_URL"] != nil)
        #expect(try await stage.walk().count == 1)
        #expect(try await stage.updates == [FlyStage.first, FlyStage.second])
        for id in [FlyStage.first, FlyStage.second] { #expect(try await stage.machine(id)["secrets"]?["DATABASE_URL"] == nil) }
        #expect(kinds(await stage.observe(resolution: resolution)).isEmpty)
    }

    @Test func oneMachineThatDiffersIsSeenAndAloneUpdated() async throws {
        var stage = try FlyStage.make(.name("v87"), machines: []) { app in
            app["machines"] = [["id": .string(FlyStage.first)], ["id": .string(FlyStage.second), "env": ["LOG": "trace"]]]
        }
        stage.configuration = .make(["LOG": "info"])
        #expect(kinds(await stage.observe()) == ["LOG changed"])
        try await stage.walk()
        #expect(try await stage.updates == [FlyStage.second])
    }

    @Test func whatIsBroughtBackStandsInTheMachinesAndBecomesNoSecret() async throws {
        var stage = try FlyStage.make()
        var desired = DesiredConfiguration.make(["LOG": "named"], restores: true)
        desired.values["QUEUE"] = .init(
            Secret("then"), isReference: true, fingerprint: ConfigurationKeeper.fingerprint("QUEUE", "then"), isRestored: true)
        stage.configuration = desired
        try await stage.walk()
        let environment = try await stage.machine()["env"]
        #expect(environment?["QUEUE"]?.string == "then")
        let configuration = await stage.observe().configuration
        #expect(configuration?.settings["QUEUE"]?.fingerprint == ConfigurationKeeper.fingerprint("QUEUE", "then"), "it can be read")
        #expect(configuration?.differences == [])
    }

    @Test func anUndoThatRestoresBringsTheOldConfigBackWithTheNamedKeysOnTop() async throws {
        var stage = try FlyStage.make()
        try await stage.change { $0["env"] = ["LOG": "new", "ADDED": "1"] }
        stage.pass(60)
        stage.configuration = .make(["LOG": "named"], restores: true)
        try await stage.walk()
        let environment = try await stage.machine()["env"]
        #expect(environment?["ADDED"] == nil && environment?["LOG"]?.string == "named")
    }
}
