import Flags
import Model
import ProviderKit
import Testing

/// What every flag store must keep. Each clause is run against each of them.
@Suite struct ContractTests {
    private static func refusal(_ result: ApplyResult) -> Problem? {
        guard case .refused(let problem) = result else { return nil }
        return problem
    }

    private static func isAccepted(_ result: ApplyResult) -> Bool {
        guard case .accepted = result else { return false }
        return true
    }

    @Test(arguments: Kept.here) func observingChangesNothing(_ kept: Kept) async throws {
        let stage = try await Stage.make(kept)
        let before = try await stage.content()
        let seen = await stage.store.observe(["known", "none", "known"], in: stage.target)
        #expect(seen.keys.sorted() == ["known", "none"])
        #expect(seen["known"]?.setting == FlagSetting(isOn: true))
        #expect(seen["known"]?.marker != nil)
        #expect(await stage.observe("known") == seen["known"])
        #expect(try await stage.content() == before)
    }

    @Test(arguments: Kept.here) func anUnknownFlagIsNoProblem(_ kept: Kept) async throws {
        #expect(try await Stage.make(kept).observe("none") == FlagObservation())
    }

    @Test(
        arguments: Kept.here,
        [
            .off, FlagSetting(isOn: true), FlagSetting(isOn: true, rollout: 0), FlagSetting(isOn: true, rollout: 25),
            FlagSetting(isOn: true, rollout: 100),
        ] as [FlagSetting])
    func aSettingIsReadAsItWasWritten(_ kept: Kept, _ setting: FlagSetting) async throws {
        let stage = try await Stage.make(kept)
        for name in ["known", "new-one"] {
            await stage.set(name, to: setting)
            let seen = await stage.observe(name)
            #expect(seen.setting == setting, "\(name): \(seen.problem?.description ?? "")")
            #expect(seen.marker != nil)
            // And from there to everywhere.
            for next in [.off, FlagSetting(isOn: true, rollout: 10), FlagSetting(isOn: true)] as [FlagSetting] {
                await stage.set(name, to: next)
                #expect(await stage.observe(name).setting == next)
            }
        }
        #expect(try await stage.content().contains(stage.strangers))
    }

    @Test(arguments: Kept.here) func everyChangeHasAMarkerOfItsOwn(_ kept: Kept) async throws {
        let stage = try await Stage.make(kept)
        let first = await stage.observe("known").marker
        await stage.set("known", to: .off)
        #expect(await stage.observe("known").marker != first)
    }

    @Test(arguments: Kept.here) func aChangeThatSomebodyElseHasOvertakenIsRefused(_ kept: Kept) async throws {
        let stage = try await Stage.make(kept)
        let change = await stage.change("known", to: FlagSetting(isOn: true, rollout: 5))
        try await stage.meddle()
        let before = try await stage.content()
        #expect(Self.refusal(await stage.apply([change]))?.reason == "FlagChanged")
        #expect(try await stage.content() == before)
    }

    @Test(arguments: Kept.here) func whatWasMadeMeanwhileIsNotOverwritten(_ kept: Kept) async throws {
        let stage = try await Stage.make(kept)
        let before = try await stage.content()
        let change = FlagChange(name: "known", from: nil, to: .off, marker: nil)
        #expect(Self.refusal(await stage.apply([change]))?.reason == "FlagChanged")
        #expect(try await stage.content() == before)
    }

    @Test(arguments: Kept.here) func whatIsGoneMeanwhileIsNotMadeAnew(_ kept: Kept) async throws {
        let stage = try await Stage.make(kept)
        let before = try await stage.content()
        let change = FlagChange(name: "none", from: .off, to: FlagSetting(isOn: true), marker: "of something that was there")
        #expect(Self.refusal(await stage.apply([change]))?.reason == "FlagChanged")
        #expect(try await stage.content() == before)
    }

    @Test(arguments: Kept.here) func allChangesOrNone(_ kept: Kept) async throws {
        let stage = try await Stage.make(kept)
        #expect(stage.store.promise.isAtomic)
        let before = try await stage.content()
        let good = await stage.change("new-one", to: FlagSetting(isOn: true))
        let bad = FlagChange(name: "known", from: .off, to: FlagSetting(isOn: true, rollout: 3), marker: "another")
        for changes in [[good, bad], [bad, good]] {
            #expect(Self.refusal(await stage.apply(changes)) != nil)
            #expect(try await stage.content() == before)
        }
        let known = await stage.change("known", to: .off)
        #expect(Self.isAccepted(await stage.apply([good, known])))
        #expect(await stage.observe("new-one").setting == FlagSetting(isOn: true))
        #expect(await stage.observe("known").setting == .off)
        #expect(try await stage.content().contains(stage.strangers))
    }

    @Test(arguments: Kept.here) func whatIsSoAlreadyIsNotWrittenAgain(_ kept: Kept) async throws {
        let stage = try await Stage.make(kept)
        let change = await stage.change("known", to: .off)
        #expect(Self.isAccepted(await stage.apply([change])))
        let before = try await stage.content()
        #expect(await stage.apply([change]) == .alreadySo, "the answer was lost, and the change is sent again")
        #expect(await stage.apply([]) == .alreadySo)
        #expect(try await stage.content() == before)
    }

    @Test(arguments: Kept.here, [-1, 101]) func aRolloutIsAPartOfAll(_ kept: Kept, _ rollout: Int) async throws {
        let stage = try await Stage.make(kept)
        let before = try await stage.content()
        let result = await stage.set("known", to: FlagSetting(isOn: true, rollout: rollout))
        #expect(Self.refusal(result)?.message.contains("a rollout of \(rollout) % was asked for known") == true)
        #expect(try await stage.content() == before)
    }

    @Test(arguments: Kept.here) func aTargetOfAnotherStoreIsRefused(_ kept: Kept) async throws {
        struct Other: FlagTarget {
            static let store = "other"
            var identity: String { "other" }
        }
        let stage = try await Stage.make(kept)
        #expect(Self.refusal(await stage.store.apply([], to: Other(), reason: ""))?.reason == "WrongTarget")
    }
}
