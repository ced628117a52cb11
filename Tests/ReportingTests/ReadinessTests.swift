import JSONValues
import Model
import Reporting
import Testing
import TextLayout

/// What a status says is lacking, and how it says it.
struct ReadinessTests {
    struct Ready: Sendable, CustomTestStringConvertible {
        var why: String
        var observation: Observation
        var pin = "v1"
        var message: String
        var testDescription: String { why }
    }

    static let readiness = [
        Ready(why: "another release is live", observation: .make(), pin: "v2", message: "not at its pin: web"),
        Ready(why: "nothing could be read", observation: .unknown(.unreadable), message: "unknown: web"),
        Ready(why: "the pin is there and fails", observation: .make(settlement: .failed(.crash)), message: "failing: web"),
        Ready(
            why: "another release is live and fails", observation: .make(settlement: .failed(.crash)), pin: "v2",
            message: "not at its pin: web"),
        Ready(
            why: "the pin is there, and how it is nobody knows", observation: .make(settlement: .unknown(.crash)), message: "unknown: web"),
        Ready(why: "the pin is still rolling out", observation: .make(settlement: .progressing("1 of 2")), message: "not settled: web"),
    ]

    @Test(arguments: readiness)
    func whatIsLackingIsCalledByItsName(case example: Ready) {
        let scene = Scene(components: [.make("web", example.pin)], observations: ["web": example.observation])
        #expect(scene.status.conditions[0].message == example.message)
    }

    private static let checked = Component.make("api", verify: [.example])

    /// api is at its pin and has not passed its check.
    private static func owing(_ more: [String: Observation] = [:]) -> Scene {
        var observations = more
        observations["api"] = .make()
        let components = [checked] + more.keys.sorted().map { Component.make($0, $0 == "web" ? "v2" : "v1") }
        var scene = Scene(components: components, observations: observations)
        scene.recorded.transition = .make(
            Dictionary(uniqueKeysWithValues: components.map { ($0.id, Resolution.make($0.release.description)) }),
            obligations: [.check(checked.id), .systemChecks])
        scene.recorded.resolutions = scene.recorded.transition?.target ?? [:]
        return scene
    }

    @Test func checksThatAreOwedAreSaidToBe() {
        let status = Self.owing().status
        #expect(status.components.map(\.state) == [.checksOwed])
        #expect(
            status.text(.plain) == """
                default/shop  ● checks owed: api
                  revision bbbbbbbbbbbb, accepted

                  COMPONENT  PROVIDER  PINNED  LIVE  STATE
                  api        fake      v1      v1    checks owed
                    api: run the checks of v1 that are still owed
                  transition open since 2026-11-23T00:00:00Z, to revision bbbbbbbbbbbb; owed: checks of component/api, checks of the system

                """)
    }

    @Test func everythingThatIsLackingIsSaid() {
        let scene = Self.owing(["web": .make(), "docs": .unknown(.unreadable), "mail": .make(settlement: .failed(.crash))])
        #expect(
            scene.status.conditions[0].message == "not at its pin: web; unknown: docs; failing: mail; checks owed: api")
    }

    @Test func timesAreToldToTheSecond() {
        var scene = Self.owing()
        scene.recorded.transition?.opened = Timestamp(millisecondsSinceEpoch: 1_795_392_000_678)
        #expect(scene.status.text(.plain).contains("transition open since 2026-11-23T00:00:00Z, to"))
        #expect(scene.status.json["transition"]?["opened"] == "2026-11-23T00:00:00.678Z")
    }

    @Test(arguments: [
        ("web: undo to v2", "undo to v2"), ("component/web: it needs api", "it needs api"), ("fake/web: 403", "403"),
        ("component/web: web: both", "both"), ("component/api: it waits", "component/api: it waits"),
        ("webs: another name", "webs: another name"), ("the image of a/web: what", "the image of a/web: what"), ("web", "web"),
        ("web:1", "web:1"),
    ])
    func theNameIsNotSaidTwice(told: String, shown: String) {
        let status = Scene(observations: ["web": .make(notes: [told])]).status
        #expect(status.text(.plain).hasSuffix("\n    web: \(shown)\n"))
        #expect(status.markdown.hasSuffix("\n- web: \(shown.markdownEscaped)\n\n"))
        #expect(status.json["components"]?[0]?["notes"] == [.string(told)])
    }
}
