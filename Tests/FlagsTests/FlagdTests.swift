import Flags
import FoundationEssentials
import JSONValues
import Model
import ProviderKit
import TestPrograms
import Testing

/// What a flag definition of flagd holds, and what is left of a person's work in it.
@Suite struct FlagdTests {
    private static let rules = #"{"if":[{"ends_with":[{"var":"email"},"@corp.com"]},"on"]}"#

    private static func definition(_ flag: String) -> String { #"{"flags": {"known": \#(flag)}}"# }

    private static func flag(_ stage: Stage, _ name: String = "known") async throws -> JSON? {
        try JSON(parsing: try await stage.content())["flags"]?[name]
    }

    private static func reason(_ result: ApplyResult) -> String? {
        guard case .refused(let problem) = result else { return nil }
        return problem.reason
    }

    // MARK: - Reading

    @Test(
        arguments: [
            (
                #"{"state": "ENABLED", "variants": {"yes": true, "no": false}, "defaultVariant": "yes"}"#, FlagSetting(isOn: true), 0,
                "Booleans say it"
            ),
            (
                #"{"state": "ENABLED", "variants": {"on": "A", "off": "B"}, "defaultVariant": "off", "targeting": {}}"#, .off, 0,
                "else names; no rules"
            ),
            (
                #"{"state": "ENABLED", "variants": {"red": 1, "off": 0}, "defaultVariant": "red"}"#,
                FlagSetting(isOn: true, variant: "red"), 0, "a variant of its own"
            ),
            (
                #"{"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"}"#, nil, 1,
                "no value: the code's default, which may be on"
            ),
            (#"{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": null}"#, nil, 1, "no value either"),
            (
                #"{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": \#(rules)}"#,
                FlagSetting(isOn: true), 1, "on for some: not off"
            ),
            (
                #"{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [["on", 1], ["off", 3]]}}"#,
                FlagSetting(isOn: true, rollout: 25), 0, "other weights, and flagd's own bucketing"
            ),
            (
                #"{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off", "targeting": {"fractional": [{"var": "email"}, ["on", 25], ["off", 75]]}}"#,
                FlagSetting(isOn: true), 1, "by another key: rules of its own"
            ),
            (
                #"{"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on", "targeting": {"fractional": [["on", 25], ["off", 75]]}}"#,
                FlagSetting(isOn: true), 1, "who has no key is on: not our rollout"
            ),
        ] as [(String, FlagSetting?, Int, Comment)])
    func aFlagIsReadAsUsersAreServed(_ flag: String, _ setting: FlagSetting?, _ notes: Int, _ why: Comment) async throws {
        let seen = try await Stage.flagd(Self.definition(flag)).observe("known")
        #expect(seen.problem == nil, why)
        #expect(seen.setting == setting, why)
        #expect(seen.notes.count == notes, why)
    }

    @Test(
        arguments: [
            ("{", "not JSON at byte 1: expected a member name"), ("[]", "it is no JSON object"), ("{}", "it has no member flags"),
            (#"{"flags": []}"#, "its member flags is no object; lists of flags are not supported"),
        ] as [(String, String)])
    func whatIsNoDefinitionIsNotWritten(_ text: String, _ message: String) async throws {
        let stage = try Stage.flagd(text)
        let problem = await stage.observe("known").problem
        #expect(problem?.message.hasSuffix(": " + message) == true, "\(problem?.message ?? "")")
        #expect(Self.reason(await stage.set("known", to: .off)) == "FlagsNotUnderstood")
        #expect(try await stage.content() == text)
    }

    @Test func aMissingFileIsNotMade() async throws {
        let stage = try Stage.flagd()
        let place = try Place()
        let target = FlagdTarget(file: place.path("none.json"))
        #expect(await stage.store.observe(["a"], in: target)["a"]?.problem?.reason == "FileMissing")
        let change = FlagChange(name: "a", from: nil, to: .off, marker: nil)
        #expect(Self.reason(await stage.store.apply([change], to: target, reason: "")) == "FileMissing")
    }

    @Test func variantsThatDoNotTellOnFromOffAreNamed() async throws {
        let stage = try Stage.flagd(Self.definition(#"{"state": "ENABLED", "variants": {"red": 1, "blue": 2}, "defaultVariant": "red"}"#))
        let problem = await stage.observe("known").problem
        #expect(problem?.reason == "VariantUnclear")
        #expect(problem?.message.hasSuffix("which variant of known is off cannot be told: it has blue, red") == true)
    }

    // MARK: - Writing

    @Test func aKillIsEnabledWithTheOffVariantAndNoTargeting() async throws {
        let stage = try Stage.flagd(
            Self.definition(#"{"state": "DISABLED", "variants": {"yes": true, "no": false}, "defaultVariant": "yes", "x": [1.0]}"#))
        await stage.set("known", to: .off)
        #expect(
            try await Self.flag(stage) == [
                "state": "ENABLED", "variants": ["yes": true, "no": false], "defaultVariant": "no", "x": [.number("1.0")],
            ])
    }

    @Test func aRolloutNamesTheOnVariantFirst() async throws {
        let stage = try Stage.flagd()
        await stage.set("known", to: FlagSetting(isOn: true, rollout: 10))
        #expect(
            try await Self.flag(stage)?["targeting"]?.description
                == #"{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"targetingKey"}]},["on",10],["off",90]]}"#)
        #expect(try await Self.flag(stage)?["defaultVariant"] == "off")
    }

    @Test func aPersonsRulesComeBackAfterAKillAndARollout() async throws {
        let before = try JSON(
            parsing:
                #"{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":\#(Self.rules),"metadata":{"team":"a"}}"#
        )
        let stage = try Stage.flagd(Self.definition(before.description))
        await stage.set("known", to: .off)
        let killed = try await Self.flag(stage)
        #expect(killed?["targeting"] == nil)
        #expect(killed?["metadata"] == ["team": "a", "belay.targeting": .string(Self.rules), "belay.defaultVariant": "off"])
        await stage.set("known", to: FlagSetting(isOn: true, rollout: 10))
        #expect(await stage.observe("known").setting?.rollout == 10)
        #expect(try await Self.flag(stage)?["metadata"]?["belay.targeting"] == .string(Self.rules))
        await stage.set("known", to: .off)
        await stage.set("known", to: FlagSetting(isOn: true))
        #expect(try await Self.flag(stage) == before, "as if nothing had been")
    }

    @Test func newRulesOfAPersonAreKeptInPlaceOfOldOnes() async throws {
        let stage = try Stage.flagd(
            Self.definition(
                #"{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on","targeting":\#(Self.rules),"metadata":{"belay.targeting":"{\"if\":[true,\"off\"]}"}}"#
            ))
        await stage.set("known", to: .off)
        #expect(try await Self.flag(stage)?["metadata"]?["belay.targeting"] == .string(Self.rules))
    }

    @Test func aVariantIsServedAsItIsDefined() async throws {
        let stage = try Stage.flagd(
            Self.definition(#"{"state":"ENABLED","variants":{"on":1,"off":0,"blue":7},"defaultVariant":"off"}"#))
        await stage.set("known", to: FlagSetting(isOn: true, variant: "blue"))
        #expect(try await Self.flag(stage)?["defaultVariant"] == "blue")
        await stage.set("known", to: FlagSetting(isOn: true, rollout: 5, variant: "blue"))
        #expect(await stage.observe("known").setting == FlagSetting(isOn: true, rollout: 5, variant: "blue"))
        for (variant, reason) in [("green", "VariantUnknown"), ("on", "VariantNotNeeded"), ("off", "VariantNotNeeded")] {
            #expect(Self.reason(await stage.set("known", to: FlagSetting(isOn: true, variant: variant))) == reason)
        }
    }

    @Test func everythingElseStaysAsItWasWritten() async throws {
        let stage = try Stage.flagd()
        await stage.set("known", to: .off)
        await stage.set("new-one", to: FlagSetting(isOn: true))
        let text = try await stage.content()
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let old = Stage.definition.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(Array(lines.prefix(3)) == Array(old.prefix(3)))
        #expect(text.contains(old[6]), "the evaluators")
        #expect(text.contains("\n        \"new-one\": {\n            \"state\": \"ENABLED\","), "\(text)")
        #expect(text.hasSuffix("}\n"))
        #expect(try JSON(parsing: text)["flags"]?["new-one"]?["metadata"] == ["managed_by": "belay"])
    }

    @Test(arguments: [
        #"{"flags":{}}"#, "{\n\t\"flags\": {}\n}\n", "{ \"flags\" : {\n} }", #"{"flags":{"a\"}":{"state":"ENABLED"}},"flags2":{}}"#,
    ])
    func aFirstFlagIsMadeInAnyLayout(_ text: String) async throws {
        let stage = try Stage.flagd(text)
        await stage.set("known", to: .off)
        let written = try await stage.content()
        #expect(await stage.observe("known").setting == .off, "\(written)")
        var rest = try JSON(parsing: try await stage.content())
        rest["flags"]?["known"] = nil
        #expect(rest == (try JSON(parsing: text)))
        #expect(try await stage.content().contains("\n") == text.contains("\n"))
    }

    // MARK: - The file

    @Test func modeLinkAndDirectoryStayAsTheyWere() async throws {
        let place = try Place()
        let stage = try Stage.flagd(at: place)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: place.path("flags.json"))
        try FileManager.default.createSymbolicLink(atPath: place.path("link.json"), withDestinationPath: "flags.json")
        let target = FlagdTarget(file: place.path("link.json"))
        let marker = await stage.observe("known").marker
        _ = await stage.store.apply([FlagChange(name: "known", from: nil, to: .off, marker: marker)], to: target, reason: "")
        #expect(await stage.observe("known").setting == .off, "the link was followed")
        let mode = try await BuiltProgram(onSearchPath: "stat").run(["-c", "%a", place.path("flags.json")]).output
        #expect(mode == "640\n")
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.root).sorted() == ["flags.json", "link.json"])
    }

    @Test func twoWritersAtOnceLoseNothing() async throws {
        let stage = try Stage.flagd()
        let names = (1...8).map { "flag-\($0)" }
        await withTaskGroup(of: Void.self) { group in
            for name in names {
                group.addTask {
                    // A store of its own has a queue of its own, as another process has.
                    _ = await AnyFlagStore(FlagdStore()).apply(
                        [FlagChange(name: name, from: nil, to: FlagSetting(isOn: true), marker: nil)], to: stage.target, reason: "")
                }
            }
        }
        for name in names { #expect(await stage.observe(name).setting == FlagSetting(isOn: true)) }
    }
}
