import ControlLoop
import Execution
import Model
import Planning
import ProviderKit
import Sources
import State
import TestDoubles
import Testing

/// Flags in a pass.
@Suite struct FlagTests {
    static let on = FlagSetting(isOn: true)
    static let webGuard = FlagGuard(component: "web", release: ">=v2")

    @Test func whatIsAsPinnedIsRecordedOnceAndNothingIsWritten() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": Self.on])
        let system = System.make("v1", flags: .make("a"))
        #expect(await stage.pass(system, store, adopts: false).verdict == .inSync)
        #expect(try await stage.journal() == ["accepted", "flag"])
        #expect(try await stage.store.load().flags["a"] == FlagRecord(flag: .make("a"), setting: Self.on))
        #expect(await stage.pass(system, store).verdict == .inSync)
        #expect(try await stage.journal() == ["accepted", "flag"], "nothing new")
        #expect(store.writes.isEmpty)
    }

    @Test func aSecondPassWritesNothing() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["b": Self.on])
        let system = System.make("v1", flags: .make("a", .init(isOn: true, rollout: 25)), .make("b", .off))
        let report = await stage.pass(system, store)
        #expect(report.verdict == .inSync, "\(report.problems)")
        #expect(store.writes == [["b off"], ["a on for 25 %"]], "off first, on last")
        #expect(await stage.pass(system, store).verdict == .inSync)
        #expect(store.writes.count == 2)
        #expect(try await stage.store.load().transition == nil)
    }

    @Test func aGuardedFlagIsOffBeforeItsComponentLeavesAndOnAfterItIsBack() async throws {
        let stage = try Stage(["web": .init(declared: "v2")])
        let store = FakeFlagStore(["a": Self.on], propagation: .seconds(7))
        let flag = FeatureFlag.make("a", guard: Self.webGuard)
        #expect(await stage.pass(.make("v2", flags: flag), store).verdict == .inSync)
        let began = stage.time.now.offset
        #expect(await stage.pass(.make("v1", flags: flag), store).verdict == .inSync)
        #expect(store["a"] == .off)
        #expect(stage.world["web"].writes.first.map { $0 - began >= .seconds(7) } == true, "applications have seen it")
        let count = store.writes.count
        #expect(await stage.pass(.make("v1", flags: flag), store).verdict == .inSync)
        #expect(store.writes.count == count, "it is held off, and that is in sync")
        #expect(await stage.pass(.make("v2", flags: flag), store).verdict == .inSync)
        #expect(store["a"] == Self.on, "its own guard's off is no kill")
        #expect(store.writes == [["a off"], ["a on"]])
    }

    @Test func aFlagThatCannotBeSwitchedOffKeepsItsComponent() async throws {
        let stage = try Stage(["web": .init(declared: "v2")])
        let store = FakeFlagStore(["a": Self.on])
        let flag = FeatureFlag.make("a", guard: Self.webGuard)
        _ = await stage.pass(.make("v2", flags: flag), store)
        store.answerNext(.refused(FakeFlagStore.away))
        let report = await stage.pass(.make("v1", flags: flag), store)
        #expect(report.verdict == .failure && report.problems.contains(FakeFlagStore.away))
        #expect(stage.world["web"].writes.isEmpty)
        #expect(try await stage.store.load().flags["a"]?.setting == Self.on, "what was not done is not recorded")
        #expect(await stage.pass(.make("v1", flags: flag), store).verdict == .inSync)
        #expect(store["a"] == .off && stage.world["web"].declared == "v1")
    }

    @Test func aRefusedWriteOfAFlagThatWasNeverRecordedLeavesNoRecord() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": Self.on])
        let system = System.make("v1", flags: .make("a", .off))
        store.answerNext(.refused(FakeFlagStore.away))
        #expect(await stage.pass(system, store).verdict == .failure)
        #expect(try await stage.store.load().flags["a"] == nil, "nobody switched it off")

        store.answerNext(.refused(FakeFlagStore.away))
        let killed = await stage.set(order(.off, isKill: true), of: .make("v1", flags: .make("a")), store)
        #expect(killed.verdict == .failure && killed.problem == FakeFlagStore.away)
        #expect(try await stage.store.load().flags["a"] == nil)
    }

    @Test func aRefusedKillLeavesWhatWasRecordedBefore() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": Self.on])
        let system = System.make("v1", flags: .make("a"))
        _ = await stage.pass(system, store)
        store.answerNext(.refused(FakeFlagStore.away))
        #expect(await stage.set(order(.off, isKill: true), of: system, store).verdict == .failure)
        #expect(try await stage.store.load().flags["a"] == FlagRecord(flag: .make("a"), setting: Self.on))
    }

    @Test func aLostAnswerIsReadBack() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": .off])
        store.answerNext(.unknown(Problem("Lost", "fake/flags: no answer while writing")))
        let system = System.make("v1", flags: .make("a"))
        #expect(await stage.pass(system, store).verdict != .inSync)
        #expect(await stage.pass(system, store).verdict == .inSync)
        #expect(store.writes == [["a on"]], "not sent again")
        #expect(try await stage.store.load().transition == nil)
    }

    @Test func aStoreThatCannotBeReachedHoldsBackNothingElse() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": .off])
        store.isReachable = false
        let report = await stage.pass(.make("v2", flags: .make("a"), .make("b")), store)
        #expect(report.verdict == .failure && report.problems == [FakeFlagStore.away], "told once")
        #expect(stage.world["web"].declared == "v2")
        #expect(report.openTransition != nil, "the system is not at its pins")
        store.isReachable = true
        #expect(await stage.pass(.make("v2", flags: .make("a"), .make("b")), store).verdict == .inSync)
        #expect(store["a"] == Self.on && store["b"] == Self.on)
    }

    @Test func aProgramWithoutStoresSaysSo() async throws {
        let report = try await Stage().pass(.make("v1", flags: .make("a")))
        #expect(report.problems.map(\.reason) == ["Unsupported"])
    }

    @Test func aKillByHandStaysAndIsToldOnce() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": Self.on])
        let system = System.make("v1", flags: .make("a"))
        _ = await stage.pass(system, store)
        store["a"] = .off
        let told = await stage.pass(system, store)
        #expect(told.verdict == .inSync && told.survey?.plan.flags.first?.state == .killedOutOfBand)
        #expect(try await stage.journal() == ["accepted", "flag", "drift"])
        _ = await stage.pass(system, store)
        #expect(try await stage.journal() == ["accepted", "flag", "drift"], "told once")
        _ = await stage.pass(.make("v2", flags: .make("a")), store)
        #expect(store["a"] == .off && stage.world["web"].declared == "v2", "also when something else moves")
        #expect(await stage.pass(.make("v2", flags: .make("a", kill: false)), store).verdict == .inSync)
        #expect(store["a"] == Self.on)
        store["a"] = .off
        let again = await stage.pass(.make("v2", flags: .make("a", kill: false)), store)
        #expect(again.survey?.plan.flags.first?.state == .killedOutOfBand, "kill: false clears one kill, not the next")
    }

    @Test func whatElseIsChangedByHandIsSetBackAndTold() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": .init(isOn: true, rollout: 25)])
        let system = System.make("v1", flags: .make("a", .init(isOn: true, rollout: 25)))
        _ = await stage.pass(system, store)
        store["a"] = .init(isOn: true, rollout: 75)
        let report = await stage.pass(system, store)
        #expect(report.verdict == .inSync && store["a"] == .init(isOn: true, rollout: 25))
        #expect(report.survey?.plan.drifts.map(\.found) == ["on for 75 %"])
        store["a"] = .init(isOn: true, rollout: 75)
        _ = await stage.pass(system, store)
        #expect(try await stage.journal().count { $0 == "drift" } == 2, "the same again is told again")
    }

    // MARK: - At once

    private func order(_ setting: FlagSetting, isKill: Bool = false, breaksGlass: Bool = false) -> FlagOrder {
        FlagOrder(name: "a", setting: setting, isKill: isKill, reason: "melts", breaksGlass: breaksGlass, holder: .make())
    }

    @Test func aKillGoesThroughAtOnceAndStays() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": Self.on])
        let system = System.make("v1", flags: .make("a"))
        _ = await stage.pass(system, store)
        let report = await stage.set(order(.off, isKill: true), of: system, store)
        #expect(report.verdict == .inSync && report.before == Self.on && report.after == .off && report.isRecorded)
        #expect(try await stage.store.load().flags["a"] == FlagRecord(flag: .make("a"), setting: .off, reason: "melts (ann@build-7)"))
        let pass = await stage.pass(system, store)
        #expect(pass.survey?.plan.flags.first?.reason == "it was switched off by hand: melts (ann@build-7)")
        #expect(store["a"] == .off)
        _ = await stage.pass(.make("v1", flags: .make("a", kill: true)), store)
        #expect(try await stage.store.load().flags["a"]?.reason == "melts (ann@build-7)", "why stays known")
        _ = await stage.pass(.make("v1", flags: .make("a", kill: false)), store)
        #expect(store["a"] == Self.on)
    }

    @Test func aKillNeedsNoFirstContact() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": Self.on])
        #expect(await stage.set(order(.off, isKill: true), of: .make("v1", flags: .make("a")), store).verdict == .inSync)
        #expect(try await stage.store.load().isKnown == false)
    }

    @Test func somebodyElsesLockIsNamedAndGlassCanBeBroken() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": Self.on])
        let system = System.make("v1", flags: .make("a"))
        let session = try await stage.store.lock(.make(), patience: .seconds(5), clock: ContinuousClock())
        let report = await stage.set(order(.off, isKill: true), of: system, store)
        #expect(report.verdict == .blocked && report.problem?.next?.contains("--break-glass") == true && store["a"] == Self.on)
        let broken = await stage.set(order(.off, isKill: true, breaksGlass: true), of: system, store)
        #expect(broken.verdict == .inSync && !broken.isRecorded && store["a"] == .off)
        await session.release()
    }

    @Test func onAtOnceAsksItsGuard() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": .off])
        let flag = FeatureFlag.make("a", .off, guard: Self.webGuard)
        let unknown = await stage.set(order(Self.on), of: .make("v1", flags: flag), store)
        #expect(unknown.verdict == .blocked && unknown.problem?.reason == "FirstContact")
        _ = await stage.pass(.make("v1", flags: flag), store)
        let refused = await stage.set(order(Self.on), of: .make("v1", flags: flag), store)
        #expect(refused.verdict == .blocked && refused.problem?.reason == "FlagHeldOff" && store["a"] == .off)
        _ = await stage.pass(.make("v2", flags: flag), store)
        #expect(await stage.set(order(Self.on), of: .make("v2", flags: flag), store).verdict == .inSync)
        #expect(store["a"] == Self.on)
    }

    @Test func aStoreThatRefusesIsTold() async throws {
        let stage = try Stage()
        let store = FakeFlagStore(["a": Self.on])
        store.isReachable = false
        let report = await stage.set(order(.off, isKill: true), of: .make("v1", flags: .make("a")), store)
        #expect(report.verdict == .failure && report.problem == FakeFlagStore.away)
    }
}
