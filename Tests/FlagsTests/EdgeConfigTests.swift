import Flags
import HTTPCore
import JSONValues
import Model
import OpenAPIValidation
import ProviderKit
import Simulators
import Testing

/// All flags in one item of an Edge Config.
@Suite struct EdgeConfigTests {
    private static let document = VendorDocument("vercel/vercel.openapi.json")

    private static func problem(_ result: ApplyResult) -> Problem? {
        switch result {
        case .refused(let problem), .throttled(let problem), .unknown(let problem): problem
        case .accepted, .alreadySo: nil
        }
    }

    @Test(
        arguments: [
            (true, FlagSetting(isOn: true), "bare"),
            (["enabled": true, "rollout": 25, "variant": "blue"], FlagSetting(isOn: true, rollout: 25, variant: "blue"), "all of it"),
            (["enabled": false, "rollout": 25], .off, "off, whatever else is said"),
        ] as [(JSON, FlagSetting, Comment)])
    func aFlagIsReadInBothForms(_ value: JSON, _ setting: FlagSetting, _ why: Comment) async throws {
        #expect(try await Stage.edgeConfigStage(["flags": ["known": value]]).stage.observe("known").setting == setting, why)
    }

    @Test(
        arguments: [
            "on", ["rollout": 5], ["enabled": "yes"], ["enabled": true, "rollout": "5"], ["enabled": true, "rollout": 101],
            ["enabled": true, "variant": 1], nil,
        ] as [JSON])
    func whatCannotBeReadIsNotOverwritten(_ value: JSON) async throws {
        let stage = try Stage.edgeConfigStage(["flags": .object(JSONObject([("known", value)]))]).stage
        let before = try await stage.content()
        #expect(await stage.observe("known").problem?.reason == "FlagUnclear")
        #expect(Self.problem(await stage.set("known", to: .off))?.reason == "FlagUnclear")
        #expect(try await stage.content() == before)
    }

    @Test func whatAnApplicationKeepsBesideStays() async throws {
        let stage = try Stage.edgeConfigStage([
            "flags": ["known": ["enabled": true, "rollout": 5, "variant": "a", "owner": "ann"]], "else": 1,
        ]).stage
        await stage.set("known", to: .off)
        #expect(try JSON(parsing: try await stage.content()) == ["flags": ["known": ["enabled": false, "owner": "ann"]], "else": 1])
        await stage.set("known", to: FlagSetting(isOn: true, variant: "b"))
        #expect(try JSON(parsing: try await stage.content())["flags"]?["known"] == ["enabled": true, "owner": "ann", "variant": "b"])
    }

    @Test(arguments: [204, 404]) func aMissingItemIsMadeWithTheFirstFlag(_ missing: Int) async throws {
        let account = try Stage.edgeConfigStage(["else": 1], missing: missing)
        #expect(await account.stage.observe("known") == FlagObservation())
        await account.stage.set("known", to: FlagSetting(isOn: true))
        #expect(try JSON(parsing: try await account.stage.content()) == ["else": 1, "flags": ["known": true]])
    }

    @Test func aMissingEdgeConfigIsNoMissingItem() async throws {
        let stage = try Stage.edgeConfigStage([:], missing: 404, EdgeConfigTarget(id: "ecfg_none", team: "acme")).stage
        #expect(await stage.observe("known").problem?.reason == "NotFound")
        #expect(
            await stage.observe("known").problem?.next == "check the Edge Config's id and its team: ecfg_none was looked for in team acme")
    }

    @Test func allChangesAreOneRequest() async throws {
        let account = try Stage.edgeConfigStage()
        let changes = [await account.stage.change("known", to: .off), await account.stage.change("new-one", to: FlagSetting(isOn: true))]
        _ = await account.stage.apply(changes)
        #expect(account.transport.received.filter { $0.method == .patch }.count == 1)
        #expect(await account.vercel.world["edgeConfigs"]?[0]?["writes"] == 1)
    }

    @Test func aLostAnswerIsAnUnknownOutcome() async throws {
        let account = try Stage.edgeConfigStage()
        let change = await account.stage.change("known", to: .off)
        account.transport.faults.add(Fault(method: .patch, .dropAfter))
        guard case .unknown = await account.stage.apply([change]) else {
            Issue.record("not unknown")
            return
        }
        #expect(await account.stage.apply([change]) == .alreadySo)
    }

    @Test func aLimitIsWaitedFor() async throws {
        let account = try Stage.edgeConfigStage(rateLimits: [["bucket": "edge-config.write", "limit": 0, "seconds": 60]])
        guard case .throttled(let problem) = await account.stage.set("known", to: .off) else {
            Issue.record("not throttled")
            return
        }
        #expect(problem.retryAfter == .seconds(60))
    }

    @Test func noTokenIsShown() async throws {
        let account = try Stage.edgeConfigStage()
        account.transport.faults.add(
            Fault(.answer(status: 403, headers: [:], body: #"{"error":{"code":"forbidden","message":"Bearer \#(Stage.token) may not"}}"#)))
        let problem = await account.stage.observe("known").problem
        #expect(problem?.reason == "Forbidden")
        #expect(problem?.description.contains(Stage.token) == false)
    }

    @Test(.enabled("\(document.need)") { try await document.isHere })
    func everyRequestFitsTheVendorsDocument() async throws {
        var recordings: [RecordingSimulator] = []
        // The document's pattern of keys, `^[\\w-]+$`, has one backslash too many: of all letters it lets through w.
        for (items, missing) in [(["w": ["known": true]], 204), ([:], 404)] as [(JSON, Int)] {
            var recording: RecordingSimulator?
            let account = try Stage.edgeConfigStage(items, missing: missing, EdgeConfigTarget(id: "ecfg_a", team: "acme", item: "w")) {
                vercel in
                let made = RecordingSimulator(vercel)
                recording = made
                return made
            }
            await account.stage.set("known", to: .off)
            await account.stage.set("new-one", to: FlagSetting(isOn: true, rollout: 5, variant: "blue"))
            if let recording { recordings.append(recording) }
        }
        let exchanges = recordings.flatMap(\.exchanges)
        #expect(exchanges.contains { $0.method == .patch })
        let mistakes = try await Self.document.mistakes(in: exchanges)
        #expect(mistakes.isEmpty, "\(mistakes.joined(separator: "\n"))")
    }
}
