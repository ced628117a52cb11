import JSONValues
import Model
import Planning
import Reporting
import Testing
import TextLayout

struct KeptFlags: FlagTarget {
    static let store = "fake"
    var identity = "flags"
}

/// Flags in a system's status.
@Suite struct FlagStatusTests {
    private static let on = FlagSetting(isOn: true)

    private static func status(_ observations: [String: FlagObservation], _ records: [String: FlagRecord] = [:]) -> SystemStatus {
        var system = System(id: SystemID(name: "shop"), components: [.make()])
        system.flags = FeatureFlags(
            store: KeptFlags(),
            flags: observations.keys.sorted().map { FeatureFlag(name: $0, setting: on, kill: $0 == "killed" ? true : nil) })
        var world = World(components: [.component("web"): .make()])
        for (name, observation) in observations { world.flags[.flag(name)] = observation }
        var recorded = RecordedState(isKnown: true, accepted: .example)
        recorded.flags = records
        return SystemStatus(
            system, revision: .example, world: world, recorded: recorded,
            plan: plan(system, revision: .example, observed: world, recorded: recorded))
    }

    @Test func everyFlagIsARowWithWhatItsStoreShows() {
        let status = Self.status(
            [
                "a": .init(setting: Self.on, marker: "m"), "b": .init(setting: .off, marker: "m"),
                "byHand": .init(setting: .off, marker: "m"), "killed": .init(setting: .off, marker: "m"), "nothing": .init(marker: "m"),
            ], ["byHand": FlagRecord(flag: FeatureFlag(name: "byHand", setting: Self.on), setting: .off, reason: "melts (ann@mac)")])
        let text = status.text(TextStyle(isColoured: false))
        let table = """
              flags in fake/flags
              FLAG     PINNED  NOW                  STATE
              a        on      on                   in sync
              b        on      off                  out of sync
              byHand   on      off                  killed by hand
              killed   on      off                  killed
              nothing  on      no value of its own  out of sync
                byHand: it was switched off by hand: melts (ann@mac)
                killed: killed by the spec

            """
        #expect(text.contains(table), "\(text)")
        #expect(status.markdown.contains("| byHand | on | off | killed by hand |"))
        #expect(status.conditions.first { $0.kind == .ready }?.message == "not at its pin: flag/b, flag/nothing")
        #expect(status.conditions.first { $0.kind == .drifted }?.reason == "KilledOutOfBand")
        let flag = status.json["flags"]?[2]
        #expect(flag?["name"] == "byHand" && flag?["effective"] == "off" && flag?["pinned"] == "on" && flag?["store"] == "fake/flags")
        #expect(status.isKnown)
    }

    @Test func aStoreThatCannotTellIsToldOnce() {
        let problem = Problem("StoreUnreachable", "fake/flags: no answer")
        let status = Self.status(["a": .init(problem: problem), "b": .init(problem: problem)])
        let text = status.text(TextStyle(isColoured: false))
        #expect(text.contains("  a     on      unknown  unknown\n"), "\(text)")
        #expect(text.contains("    flags: fake/flags: no answer\n"), "\(text)")
        #expect(!status.isKnown)
    }

    @Test func readyTellsOfAKillByHand() {
        let status = Self.status(
            ["a": .init(setting: .off, marker: "m")], ["a": FlagRecord(flag: FeatureFlag(name: "a", setting: Self.on), setting: Self.on)])
        let ready = status.conditions.first { $0.kind == .ready }
        #expect(ready?.isTrue == true)
        #expect(ready?.message == "every pin is live and healthy, but for flags that were killed by hand: a")
    }
}
