import JSONValues
import Model
import Planning
import Testing

/// What is planned for a configuration that is not as the spec says.
@Suite struct ConfigurationTests {
    static let web = ResourceID.component("web")
    static let differences = [ConfigurationDifference("API_URL", .changed), ConfigurationDifference("DSN", .missing)]

    static func observed(_ differences: [ConfigurationDifference] = differences, refusal: Problem? = nil) -> ObservedConfiguration {
        ObservedConfiguration(
            differences: differences,
            route: differences.isEmpty
                ? nil : .make(.redeploy, means: "set 2 keys, then one deploy without a build", cautions: ["restarts it"], refusal: refusal))
    }

    static func plan(_ observation: Observation, _ recorded: RecordedState = RecordedState(isKnown: true), restores: Bool = false) -> Plan {
        let configuration = Configuration(sources: ["API_URL": .literal("value-a"), "DSN": .literal("value-b")], restores: restores)
        return Planning.plan(
            .make([.make("web", pins: .name("v2"), configuration: configuration)]), revision: .make(),
            observed: .make(["web": observation]), recorded: recorded)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var observation: Observation
        var work: [String] = []
        var isWritten = false
        var obstacles: [String] = []
        var testDescription: String { why }
    }

    static let cases = [
        Case(why: "nothing differs", observation: .make(live: "v2", configuration: observed([]))),
        Case(why: "nobody looked", observation: .make(live: "v2")),
        Case(
            why: "the pin is right and two keys differ: one change", observation: .make(live: "v2", configuration: observed()),
            work: ["advance/component/web"], isWritten: true),
        Case(
            why: "what failed may fail for want of a key",
            observation: .make(live: "v2", settlement: .failed(.make()), configuration: observed()),
            work: ["advance/component/web"], isWritten: true),
        Case(
            why: "what failed with every key right is waited for",
            observation: .make(live: "v2", settlement: .failed(.make()), configuration: observed([])), work: ["advance/component/web"]),
        Case(
            why: "a rollout under way is never overlapped",
            observation: .make(live: "v2", settlement: .progressing("1 of 2"), configuration: observed()), work: ["advance/component/web"]),
        Case(
            why: "what is in an unknown state is not written to",
            observation: .make(live: "v2", settlement: .unknown(.make()), configuration: observed()), work: ["advance/component/web"]),
        Case(
            why: "an operation that leads to the pin is adopted first",
            observation: .make(
                live: "v2", operation: Model.Operation(summary: "deploy", leadsTo: [.make("v2")]), configuration: observed()),
            work: ["advance/component/web"]),
        Case(
            why: "the way is refused", observation: .make(live: "v2", configuration: observed(refusal: .make("NeedsRebuild"))),
            obstacles: ["web: decision NeedsRebuild"]),
        Case(
            why: "there is no way",
            observation: .make(live: "v2", configuration: ObservedConfiguration(differences: differences)),
            obstacles: ["web: decision ConfigurationDiffers"]),
        Case(
            why: "somebody else owns it", observation: .make(live: "v2", blocker: .make("Owned"), configuration: observed()),
            obstacles: ["web: decision Owned"]),
        Case(
            why: "an owner is in nobody's way while nothing differs",
            observation: .make(live: "v2", blocker: .make("Owned"), configuration: observed([]))),
        Case(
            why: "values that cannot be read stop everything, the right pin included",
            observation: .make(live: "v2", configuration: ObservedConfiguration(problem: .make("NoVariable"))),
            obstacles: ["web: failure NoVariable"]),
        Case(
            why: "values that cannot be read stop a change of release",
            observation: .make(live: "v1", configuration: ObservedConfiguration(problem: .make("NoVariable"))),
            obstacles: ["web: failure NoVariable"]),
        Case(
            why: "a change of release takes the keys along by its own way: one change",
            observation: .make(live: "v1", configuration: observed()), work: ["advance/component/web"], isWritten: true),
    ]

    @Test(arguments: cases)
    func whatDiffersIsSetOnce(case example: Case) {
        let plan = Self.plan(example.observation)
        #expect(plan.work == example.work)
        #expect(plan.hasWrites == example.isWritten)
        #expect(plan.obstacles == example.obstacles)
        #expect(!plan.json.description.contains("value-"))
    }

    @Test func aReconfigurationReadsWell() throws {
        let step = try #require(Self.plan(.make(live: "v2", configuration: Self.observed())).step("advance/component/web"))
        #expect(step.summary == "web: set API_URL, DSN of v2 (set 2 keys, then one deploy without a build)")
        #expect(step.details == ["configuration: API_URL is changed", "configuration: DSN is added", "caution: restarts it"])
    }

    @Test func manyKeysAreCountedInTheSummaryAndNamedBelow() throws {
        let kinds: [(String, ConfigurationDifference.Kind)] = [
            ("A", .missing), ("B", .changed), ("C", .extra), ("D", .unverified), ("E", .notApplied),
        ]
        let plan = Self.plan(.make(live: "v2", configuration: Self.observed(kinds.map { .init($0.0, $0.1) })))
        let step = try #require(plan.step("advance/component/web"))
        #expect(step.summary.hasPrefix("web: set 4 keys, remove C of v2 ("))
        #expect(
            step.details.prefix(5) == [
                "configuration: A is added", "configuration: B is changed",
                "configuration: C is removed, because the spec does not name it",
                "configuration: D cannot be read back and is set once", "configuration: E is set, and takes effect",
            ])
    }

    @Test func aWayOfSeveralWritesIsToldAsOne() {
        var observed = Self.observed()
        observed.route?.part = "opaque"
        let plan = Self.plan(.make(live: "v2", configuration: observed))
        let hint = "in several writes, each observed before the next; after an interruption the next pass goes on with what is left"
        #expect(plan.text(colour: false).contains("\n       \(hint)\n"))
        #expect(plan.markdown.contains("<br><sub>\(hint)</sub>"))
        let action = plan.json["steps"]?.elements.first { $0["id"] == "advance/component/web" }?["action"]
        #expect(action?["severalWrites"] == true && action?["reconfigures"] == true)
        #expect(!plan.json.description.contains("opaque"))
        #expect(!Self.plan(.make(live: "v2", configuration: Self.observed())).text(colour: false).contains(hint))
    }

    // MARK: What was set when the release was recorded

    struct Then: Sendable, CustomTestStringConvertible {
        var why: String
        var then: [String: ConfigurationEntry]?
        var now: [String: ConfigurationEntry]
        var known: [String: ConfigurationEntry] = [:]
        var restores = false
        var told: [String] = []
        var testDescription: String { why }
    }

    static let records = [
        Then(why: "nothing was recorded", then: nil, now: ["X": .make("1")]),
        Then(why: "nothing has changed", then: ["X": .make("1")], now: ["X": .make("1")]),
        Then(
            why: "keys that the spec does not name have changed", then: ["X": .make("1"), "GONE": .make("1")],
            now: ["X": .make("2"), "NEW": .make("1")],
            told: [
                "configuration: GONE has been removed since v2 was recorded; it stays as it is",
                "configuration: NEW has been added since v2 was recorded; it stays as it is",
                "configuration: X has been changed since v2 was recorded; it stays as it is",
            ]),
        Then(why: "keys that the spec names are its own affair", then: ["API_URL": .make("1")], now: ["DSN": .make("2")]),
        Then(why: "an undo brings them back", then: ["X": .make("1")], now: ["X": .make("2")], restores: true),
        Then(
            why: "nothing tells whether it is the same", then: ["X": .make("1")], now: ["X": ConfigurationEntry(marker: "m")]),
        Then(
            why: "one that cannot be read back is the same when it was written so",
            then: ["X": ConfigurationEntry(fingerprint: "1", marker: "m1")],
            now: ["X": ConfigurationEntry(marker: "m2")], known: ["X": ConfigurationEntry(fingerprint: "1", marker: "m2")]),
        Then(
            why: "one that cannot be read back and was written by somebody else",
            then: ["X": ConfigurationEntry(fingerprint: "1", marker: "m1")], now: ["X": ConfigurationEntry(marker: "m2")],
            told: ["configuration: X has been changed since v2 was recorded; it stays as it is"]),
    ]

    @Test(arguments: records)
    func whatIsSetOtherwiseThanThenIsTold(case example: Then) {
        let recorded = RecordedState(
            isKnown: true, releases: [Self.web: [.make("v2", configuration: example.then), .make("v1")]],
            configurations: [Self.web: example.known])
        let observation = Observation.make(live: "v1", configuration: ObservedConfiguration(settings: example.now))
        let details = Self.plan(observation, recorded, restores: example.restores).steps.flatMap(\.details)
        #expect(details.filter { $0.hasPrefix("configuration: ") } == example.told)
    }

    @Test func whatIsRemovedIsNotSaidToStay() {
        let component = Component.make("web", pins: .name("v2"), configuration: Configuration(policy: .exact, restores: true))
        let observation = Observation.make(
            live: "v1", configuration: ObservedConfiguration(settings: ["NEW": .make("1")], differences: [.init("NEW", .extra)]))
        let recorded = RecordedState(isKnown: true, releases: [Self.web: [.make("v2", configuration: ["OLD": .make("1")]), .make("v1")]])
        let plan = Planning.plan(.make([component]), revision: .make(), observed: .make(["web": observation]), recorded: recorded)
        #expect(
            plan.steps.flatMap(\.details).filter { $0.hasPrefix("configuration: ") } == [
                "configuration: NEW is removed, because the spec does not name it",
                "configuration: OLD has been removed since v2 was recorded; it stays as it is",
            ])
    }
}
