import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing

/// Named values beside kept builds: what a rollback brings back, what a deploy without a build runs, and one deployment in all.
@Suite struct RenderConfigurationTests {
    /// Belay sets `LEVEL` to `one` with C; then to `two` with the release of the commit `next`.
    private func grown(allowRebuild: Bool = false) async throws -> (RenderStage, Walk) {
        let stage = try RenderStage.make(pin: .name("dep-c"), allowRebuild: allowRebuild)
        let walk = Walk(stage, values: ["LEVEL": "one"])
        await walk.recordBaseline()
        #expect(await walk.run() == .arrived)
        stage.pass(600)
        stage.render.pushCommit("api", sha: Self.next)
        stage.pass(300)
        walk.pin(.commit(Self.next))
        #expect(await walk.run() == .arrived)
        walk.values = ["LEVEL": "two"]
        #expect(await walk.run() == .arrived)
        stage.pass(600)
        #expect(await stage.operations == ["env.put LEVEL", "deploy only", "env.put LEVEL", "deploy only"])
        return (stage, walk)
    }

    private static let next = "ffffffff00000000000000000000000000000009"

    @Test func aRollbackToADeployThatHadTheNamedValuesIsTheOneDeployment() async throws {
        let (stage, walk) = try await grown()
        walk.pin(.commit(RenderStage.shaC))
        walk.values = ["LEVEL": "one"]
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations.suffix(2) == ["env.put LEVEL", "rollback"])
        #expect(walk.means.suffix(2) == ["set 1 key, then rollback without a build", "rollback without a build"])
        #expect(await stage.live["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "one"))
        #expect(await stage.state["settings"]?["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "one"))
        // It stays so: what a rollback brought back is known, and is not set again.
        let writes = stage.world.writes
        stage.pass(3600)
        #expect(await walk.run() == .arrived)
        #expect(stage.world.writes == writes)
    }

    /// Each rollback may go back to any of Render's own deploys before it, each of which goes on with the rollback before it.
    @Test(.timeLimit(.minutes(1))) func aLongRowOfRollbacksIsReadInNoTime() async throws {
        let stage = try RenderStage.make(
            pin: .name("dep-r59"),
            api: { api in
                api["deploys"] = .array(
                    [["id": "dep-a", "commit": .string(RenderStage.shaA), "minutesAgo": 900]]
                        + (0..<60).map { number in
                            [
                                "id": .string("dep-r\(number)"), "commit": .string(RenderStage.shaA), "minutesAgo": .integer(800 - number),
                                "trigger": number.isMultiple(of: 2) ? "rollback" : "deployed_by_render",
                            ]
                        })
            })
        let walk = Walk(stage, values: ["LEVEL": "one"])
        await walk.recordBaseline()
        #expect(await walk.observe().configuration != nil)
        walk.values = ["LEVEL": "two"]
        #expect(await walk.observe().configuration?.differences.isEmpty == false)
    }

    @Test func aRollbackToADeployThatHadAnotherValueIsRefusedBeforeAnythingIsWritten() async throws {
        let (stage, walk) = try await grown()
        let writes = stage.world.writes
        walk.pin(.commit(RenderStage.shaC))
        #expect(await walk.run() == .refused("ConfigurationKept"))
        #expect(
            walk.problem?.message.hasSuffix("brings its own environment back, in which LEVEL is not what env says") == true,
            "\(String(describing: walk.problem))")
        #expect(walk.problem?.next?.hasPrefix("set allowRebuild: true to build ccccccc anew with what env says") == true)
        #expect(stage.world.writes == writes)
    }

    @Test func whereItIsAllowedTheCommitIsBuiltWithWhatTheSpecSays() async throws {
        let (stage, walk) = try await grown(allowRebuild: true)
        walk.pin(.commit(RenderStage.shaC))
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations.last == "deploy ccccccc")
        #expect(await stage.live["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "two"))
        #expect(await stage.live["commit"]?.string == RenderStage.shaC)
    }

    @Test func whatAPastDeployHadIsNotGuessed() async throws {
        let stage = try RenderStage.make(pin: .name("dep-a"))
        let walk = Walk(stage, values: ["LEVEL": "old"])
        await walk.recordBaseline()
        #expect(await walk.run() == .refused("ConfigurationKept"))
        #expect(
            walk.problem?.message
                == "render/web: a rollback to dep-a brings its own environment back, and it is not known whether in it LEVEL is what env says"
        )
        #expect(stage.world.writes == 0)
    }

    @Test func withoutNamedKeysARollbackSaysWhatComesBack() async throws {
        let stage = try RenderStage.make()
        let walk = Walk(stage, values: [:])
        #expect(await walk.run() == .arrived)
        #expect(await stage.live["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "old"))
    }

    /// After a rollback, the last successful build is another release's: a deploy without a build would undo the pin.
    @Test(arguments: [true, false]) func aNewValueForARolledBackReleaseNeedsABuild(_ allowRebuild: Bool) async throws {
        let stage = try RenderStage.make(allowRebuild: allowRebuild)
        let walk = Walk(stage)
        #expect(await walk.run() == .arrived)
        await walk.recordBaseline()
        walk.values = ["LEVEL": "newest"]
        let end = await walk.run()
        #expect(end == (allowRebuild ? .arrived : .refused("RebuildNotAllowed")))
        #expect(await stage.live["commit"]?.string == RenderStage.shaA)
        #expect(await stage.operations == ["rollback"] + (allowRebuild ? ["env.put LEVEL", "deploy aaaaaaa"] : []))
    }

    @Test func aSettingThatWhatRunsHasAlreadyIsSetWithoutADeployment() async throws {
        let (stage, walk) = try await grown()
        walk.pin(.commit(RenderStage.shaC))
        walk.values = nil
        #expect(await walk.run() == .arrived)
        // Running: one. Saved: two.
        walk.values = ["LEVEL": "one"]
        let deploys = await stage.state["deploys"]?.elements.count
        #expect(await walk.run() == .arrived)
        #expect(walk.means.last == "set 1 key, then nothing more: what runs has it already")
        #expect(await stage.state["deploys"]?.elements.count == deploys)
        #expect(await stage.state["settings"]?["env"]?["LEVEL"]?.string == RenderSimulator.marker(of: "one"))
    }

    @Test func atFirstContactWhatRunsIsTakenToHaveWhatIsSet() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let walk = Walk(stage, values: ["LEVEL": "new"])
        #expect(await walk.run() == .arrived)
        #expect(stage.world.writes == 0)
    }

    @Test func aValueThatWasSavedAndNotDeployedTakesEffect() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let walk = Walk(stage, values: ["LEVEL": "new"])
        await walk.recordBaseline()
        stage.render.setVariable("api", "LEVEL", "saved")
        stage.pass(60)
        walk.values = ["LEVEL": "saved"]
        #expect(await walk.observe().differing == ["LEVEL notApplied"])
        // Since when it is so is not known: setting it once more is recorded, whoever is killed when.
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations == ["env.put LEVEL", "deploy only"])
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations.count == 2)
    }

    @Test func exactRemovesWhatTheSpecDoesNotNameAndDeploysOnce() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let walk = Walk(stage, values: ["LEVEL": "new"])
        walk.isExact = true
        await walk.recordBaseline()
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations == ["env.delete KEY", "deploy only"])
        #expect(await stage.live["env"]?["KEY"] == nil)
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations.count == 2)
    }

    @Test(arguments: [true, false]) func aRemovalWhoseAnswerWasLostStillTakesEffect(_ isRecorded: Bool) async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let walk = Walk(stage, values: ["LEVEL": "new"])
        walk.isExact = true
        if isRecorded { await walk.recordBaseline() }
        stage.inject(Fault(method: .delete, .dropAfter))
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations.filter { !$0.hasPrefix("env.put") } == ["env.delete KEY", "deploy only"])
        #expect(await stage.live["env"]?["KEY"] == nil)
    }

    @Test(arguments: [true, false]) func whatSomebodyElseRemovedIsAnsweredWithOneDeployAtMost(_ isAnswerLost: Bool) async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let walk = Walk(stage, values: ["LEVEL": "new"])
        await walk.recordBaseline()
        walk.isExact = true
        _ = await stage.render.answer(
            HTTPRequest(
                .delete, RenderStage.url + "/v1/services/srv-api/env-vars/KEY", headers: ["Authorization": "Bearer \(RenderStage.token)"]))
        if isAnswerLost { stage.inject(Fault(method: .post, path: "/deploys", .dropAfter)) }
        #expect(await stage.state["settings"]?["env"]?["KEY"] == nil)
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations.filter { $0.hasPrefix("deploy") }.count == 1)
        stage.pass(3600)
        #expect(await walk.run() == .arrived)
        #expect(await stage.operations.filter { $0.hasPrefix("deploy") }.count == 1)
    }

    @Test func aListThatChangesWhileItIsReadIsReadAnew() async throws {
        let stage = try RenderStage.make(
            pin: .name("dep-c"),
            api: { api in
                var env: JSON = [:]
                for number in 100...349 { env["KEY_\(number)"] = "value" }
                api["env"] = env
            })
        stage.inject(Fault(method: .get, path: "cursor=", .answer(status: 400, headers: [:], body: #"{"message":"invalid cursor"}"#)))
        let walk = Walk(stage, values: [:])
        #expect(await walk.observe().configuration?.settings.count == 250)
    }

    @Test func aCursorThatDoesNotAdvanceIsNoEndlessLoop() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let page = "[" + (1...100).map { #"{"envVar":{"key":"K\#($0)","value":"v"},"cursor":"same"}"# }.joined(separator: ",") + "]"
        stage.inject(Fault(method: .get, path: "/env-vars", .answer(status: 200, headers: [:], body: page), times: nil))
        let observation = await Walk(stage, values: [:]).observe()
        #expect(observation.live.problem?.message.contains("cursor that advances") == true)
    }

    @Test func keysOfAnyShapeAreWrittenAsTheyAre() async throws {
        let stage = try RenderStage.make(pin: .name("dep-c"))
        let walk = Walk(stage, values: ["A/B C?": "x", "ÄÖ": "\"quoted\"\n"])
        await walk.recordBaseline()
        #expect(await walk.run() == .arrived)
        let settings = await stage.state["settings"]?["env"]
        #expect(settings?["A/B C?"]?.string == RenderSimulator.marker(of: "x"))
        #expect(settings?["ÄÖ"]?.string == RenderSimulator.marker(of: "\"quoted\"\n"))
    }
}
