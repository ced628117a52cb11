import JSONValues
import Model
import Reporting
import Testing
import TextLayout

/// What a status says of fences, configuration and drift.
struct FenceAndDriftTests {
    private static let web = ResourceID.component("web")

    // MARK: - Fences

    struct Fencing: Sendable, CustomTestStringConvertible {
        var why: String
        var automation: Automation?
        var fence: Fence?
        var isFenced = true
        var isKnown = true
        var state: FenceStatus.State
        var message: String
        var testDescription: String { why }
    }

    static let fences = [
        Fencing(
            why: "Belay switched it off", automation: .make("no"), fence: .make(), state: .raised,
            message: "fence up (autoDeploy: was commit)"),
        Fencing(
            why: "nobody has switched it off", automation: .make(), state: .down,
            message: "fence down: autoDeploy is on (commit); it deploys every push to main, which replaces the pin"),
        Fencing(
            why: "somebody switched it on again", automation: .make(setBy: "ann"), fence: .make(), state: .down,
            message: "fence down: autoDeploy is on (commit), set by ann, though Belay had switched it off; "
                + "it deploys every push to main, which replaces the pin"),
        Fencing(
            why: "somebody else switched it off", automation: .make("no"), state: .offByOthers,
            message: "autoDeploy is off (no), by no fence that is recorded here: it stays so"),
        Fencing(
            why: "the spec wants none", automation: .make(), isFenced: false, state: .unwanted,
            message: "no fence wanted; autoDeploy is on (commit)"),
        Fencing(
            why: "the spec wants none any more, and it is still up", automation: .make("no"), fence: .make(), isFenced: false,
            state: .unwanted, message: "no fence wanted, and one is still up (autoDeploy: was commit)"),
        Fencing(
            why: "there is no switch", automation: .make(off: nil), state: .watched,
            message: "watched only, there is no switch: deploys every push to main"),
        Fencing(why: "it is off for good", automation: .make("no", off: nil), state: .nothingToFence, message: ""),
        Fencing(why: "nothing deploys by itself", state: .nothingToFence, message: ""),
        Fencing(why: "nobody knows", isKnown: false, state: .unknown, message: ""),
        Fencing(
            why: "nobody knows, and a fence was put up", fence: .make(), isKnown: false, state: .unknown,
            message: "fence unknown; it was put up (autoDeploy: was commit)"),
        Fencing(
            why: "the switch has gone", fence: .make(), state: .nothingToFence,
            message: "fence gone: there is no switch any more (autoDeploy: was commit)"),
    ]

    @Test(arguments: fences)
    func aFenceIsToldWithWhatItReplaced(case example: Fencing) {
        var scene = Scene(components: [.make(isFenced: example.isFenced)])
        scene.observations["web"] = example.isKnown ? .make(automation: example.automation) : .unknown(.unreadable)
        scene.recorded.fences[Self.web] = example.fence
        let status = scene.status
        #expect(status.components.map(\.fence.state) == [example.state])
        #expect(status.components.map(\.fence.message) == [example.message])
        #expect(status.text(.plain).contains("    web: \(example.message)\n") == !example.message.isEmpty)
    }

    @Test func aFenceThatIsNotAsItShouldBeIsNotInSync() {
        var scene = Scene(observations: ["web": .make(automation: .make())])
        #expect(scene.status.components.map(\.state) == [.inSync])
        scene.recorded.fences[Self.web] = .make()
        let status = scene.status
        #expect(status.components.map(\.state) == [.outOfSync])
        #expect(status.components.map(\.detail) == ["web: fence: switch autoDeploy off (commit to no)"])
        #expect(status.conditions.first?.message == "fence not as it should be: web")
    }

    /// The fence's own step comes first in the plan, and says nothing of the release.
    @Test func aReleaseBehindAFenceIsOutOfSync() {
        let scene = Scene(components: [.make("web", "v2")], observations: ["web": .make(automation: .make())])
        #expect(scene.status.components.map(\.detail) == ["web: undo to v2 (fake undo)"])
        #expect(scene.status.conditions.first?.message == "not at its pin: web")
    }

    // MARK: - Configuration

    private static func configured(_ differences: [ConfigurationDifference], policy: Configuration.Policy = .named) -> Scene {
        let sources = ["A": Configuration.Source.literal("value-of-a"), "B": .literal("value-of-b"), "C": .literal("value-of-c")]
        return Scene(
            components: [.make(configuration: Configuration(sources: sources, policy: policy))],
            observations: [
                "web": .make(
                    configuration: ObservedConfiguration(
                        differences: differences, route: differences.isEmpty ? nil : .make("keys", .redeploy)))
            ])
    }

    @Test func configurationIsToldByNamesAlone() {
        let inSync = Self.configured([]).status
        #expect(inSync.components.map(\.state) == [.inSync])
        #expect(inSync.text(.plain).hasSuffix("    web: configuration: 3 keys managed, in sync\n"))
        let status = Self.configured(
            [
                ConfigurationDifference("A", .missing), ConfigurationDifference("B", .changed), ConfigurationDifference("C", .unverified),
                ConfigurationDifference("D", .extra), ConfigurationDifference("E", .notApplied),
            ], policy: .exact
        ).status
        #expect(status.components.map(\.state) == [.outOfSync])
        #expect(status.conditions.first?.message == "configured otherwise: web")
        let words =
            "A is not set, B differs, C cannot be read back, D is set and not named, E is set and not in effect yet; "
            + "3 keys managed, no others allowed"
        #expect(status.text(.plain).contains("    web: configuration: \(words)\n"))
        #expect(status.markdown.contains("- web: configuration: \(words)\n"))
        let json = status.json["components"]?[0]?["configuration"]
        #expect(json?["managed"] == 3 && json?["exact"] == true && json?["inSync"] == false)
        #expect(json?["differences"]?[0] == ["key": "A", "kind": "missing"])
        for text in [status.text(.plain), status.markdown, status.json.description] { #expect(!text.contains("value-of")) }
    }

    @Test func configurationThatNobodyKnowsIsNotInSync() {
        var scene = Self.configured([])
        scene.observations["web"]?.configuration?.problem = Problem("NoVariable", "fake/web: A is not set in the environment")
        let status = scene.status
        #expect(status.text(.plain).contains("    web: configuration: 3 keys managed, not known whether they are set so\n"))
        #expect(status.json.description.contains("\"inSync\":null"))
        #expect(status.conditions.first?.message == "configured otherwise: web")
    }

    // MARK: - Drift

    private static let drifted = Scene(
        observations: ["web": .make("v3", automation: .make(), cause: "push of 9f2c1ab to main, 14:02")],
        recorded: RecordedState(
            isKnown: true, accepted: .example, releases: [web: [.make("v2"), .make("v1")]], resolutions: [web: .make("v1")]))

    @Test func driftIsToldWithItsCause() {
        let status = Self.drifted.status
        #expect(
            status.text(.plain) == """
                default/shop  ● not at its pin: web
                  revision bbbbbbbbbbbb, accepted

                  COMPONENT  PROVIDER  PINNED  LIVE  PREVIOUS  STATE
                  web        fake      v1      v3    v1        drifted
                    web: drift: v3 is live instead of v1: push of 9f2c1ab to main, 14:02
                    web: undo to v1 (fake undo)
                    web: fence down: autoDeploy is on (commit); it deploys every push to main, which replaces the pin

                """)
        #expect(status.markdown.contains("| web | fake | v1 | v3 | v1 | drifted |\n"))
        #expect(
            status.json["components"]?[0]?["drift"] == [
                "resource": "component/web", "expected": "v1", "found": "v3", "identity": "image:v3",
                "cause": "push of 9f2c1ab to main, 14:02",
            ])
        #expect(status.json["components"]?[0]?["state"] == "OutOfSync")
    }

    /// A vendor words a cause anew as it learns more; what it is about stays.
    @Test func theConditionOfDriftDoesNotFlap() {
        var later = Self.drifted
        later.observations["web"]?.cause = "push of 9f2c1ab to main by ann, 14:02"
        let condition = Self.drifted.status.conditions.last
        #expect(condition == later.status.conditions.last)
        #expect(condition?.kind == .drifted && condition?.isTrue == true)
        #expect(condition?.reason == "ChangedElsewhere" && condition?.message == "web: v3 instead of v1")
    }

    // MARK: - Room

    @Test func whatRanBeforeMovesBelowATableThatIsTooWide() {
        func text(_ length: Int) -> String {
            let name = "dpl_" + String(repeating: "x", count: length)
            var scene = Scene(components: [.make("web", name)], observations: ["web": .make(name)])
            scene.recorded.releases[Self.web] = [.make("dpl_before")]
            return scene.status.text(.plain)
        }
        #expect(text(10).contains("PREVIOUS"))
        for length in [25, 30] {
            #expect(text(length).contains("    web: previous: dpl_before\n") && !text(length).contains("PREVIOUS"))
        }
        #expect(text(28).contains("PROVIDER") && !text(34).contains("PROVIDER"))
        for length in 0...34 { #expect(text(length).split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(length)") }
    }

    @Test func whoIsAtWorkIsSaid() {
        var status = Scene().status
        status.holder = "ann@build-7, process 4711 (reconcile --once), since 2026-11-23T00:00:00Z"
        #expect(status.text(.plain).hasSuffix("  at work now: ann@build-7, process 4711 (reconcile --once), since 2026-11-23T00:00:00Z\n"))
        #expect(status.markdown.contains("- at work now: ann\\@build-7"))
        #expect(status.json["lockedBy"]?.string == status.holder)
    }
}
