import JSONValues
import Model
import Planning
import TestDoubles
import Testing
import TextLayout

@testable import ControlLoop

struct PassReportTests {
    /// A change that converges.
    private func converged() async throws -> PassReport {
        let stage = try Stage()
        try await stage.accept()
        return await stage.pass(.make(.make(verify: [.example])))
    }

    /// A change whose checks fail.
    private func failed() async throws -> PassReport {
        let stage = try Stage(transport: FakeTransport.status(500))
        try await stage.accept()
        return await stage.pass(.make(.make(verify: [.example]), verify: [.example]))
    }

    /// A first contact that would change something.
    private func blocked() async throws -> PassReport {
        let stage = try Stage(look: { _, _, observation in
            var observation = observation
            observation.candidates = observation.candidates.map { candidate in
                var candidate = candidate
                candidate.release.label += "\u{1B}[2J | <b>*"
                return candidate
            }
            return observation
        })
        return await stage.pass()
    }

    @Test func aConvergedPassSaysHowMuchItChanged() async throws {
        let report = try await converged()
        #expect(report.text(.plain) == "✔ default/shop: converged, 1 change made\n")
        #expect(
            report.text(TextStyle(isColoured: true)) == "\u{1B}[32m✔\u{1B}[0m \u{1B}[1mdefault/shop\u{1B}[0m: converged, 1 change made\n")
        #expect(
            report.markdown == """
                ### default/shop: converged, 1 change made

                - `advance` web: undo to v2 (fake rollback): succeeded


                """)
        #expect(
            report.json.pretty == """
                {
                  "system": "default/shop",
                  "revision": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                  "verdict": "converged",
                  "exitCode": 0,
                  "steps": [
                    {
                      "id": "preflight/component/web",
                      "phase": "preflight",
                      "resource": "component/web",
                      "summary": "web: confirm the target and the way to v2",
                      "outcome": "succeeded",
                      "message": null
                    },
                    {
                      "id": "guard/open",
                      "phase": "guard",
                      "resource": null,
                      "summary": "open the transition to bbbbbbbbbbbb",
                      "outcome": "succeeded",
                      "message": null
                    },
                    {
                      "id": "advance/component/web",
                      "phase": "advance",
                      "resource": "component/web",
                      "summary": "web: undo to v2 (fake rollback)",
                      "outcome": "succeeded",
                      "message": null
                    },
                    {
                      "id": "finish/close",
                      "phase": "finish",
                      "resource": null,
                      "summary": "record the releases, close the transition",
                      "outcome": "succeeded",
                      "message": null
                    }
                  ],
                  "problems": [],
                  "notes": [],
                  "drifts": [],
                  "fences": [],
                  "obligations": []
                }
                """)
    }

    @Test func aFailedPassSaysWhyWhatToDoAndWhatIsOwed() async throws {
        let report = try await failed()
        #expect(
            report.text(.plain) == """
                ✘ default/shop: failed
                  component/web: the check of https://shop.example/healthz failed for 60.0 seconds: it answered 500, expected 200
                  → look at what it answers, or pin another release; the next pass runs the check again
                  the transition to bbbbbbbbbbbb stays open; owed: checks of component/web, checks of the system
                  → run it again to go on, or commit other pins

                """)
        #expect(
            report.markdown == """
                ### default/shop: failed

                - component/web: the check of https://shop.example/healthz failed for 60.0 seconds: it answered 500, expected 200; \
                look at what it answers, or pin another release; the next pass runs the check again

                - `advance` web: undo to v2 (fake rollback): failed


                """)
        #expect(report.json["verdict"] == "failure" && report.json["exitCode"] == 1)
        #expect(report.json["steps"]?.elements.map { $0["outcome"] } == ["succeeded", "succeeded", "failed", "skipped", "skipped"])
        #expect(
            report.json["problems"] == [
                [
                    "reason": "CheckFailed",
                    "message":
                        "component/web: the check of https://shop.example/healthz failed for 60.0 seconds: it answered 500, expected 200",
                    "next": "look at what it answers, or pin another release; the next pass runs the check again",
                ]
            ])
        #expect(report.json["obligations"] == ["checks of component/web", "checks of the system"])
    }

    @Test func aRefusedPassShowsThePlanThatItRefused() async throws {
        let report = try await blocked()
        #expect(
            report.text(.plain) == """
                Plan for default/shop at bbbbbbbbbbbb

                 1 preflight
                     web: confirm the target and the way to v2[2J | <b>*

                 2 guard
                     open the transition to bbbbbbbbbbbb

                 7 advance
                     web: undo to v2[2J | <b>* (fake rollback)            instant
                       from v1 to v2[2J | <b>*
                       nothing tells whether v2[2J | <b>* is older or newer than v1

                11 finish
                     record the releases, close the transition

                Plan: 1 change.

                ■ default/shop: blocked, nothing was changed
                  default/shop: Belay has no record of this system, and its first contact would make one change
                  → check the plan and that this is the right place of its state, then add --adopt

                """)
        #expect(
            report.markdown == """
                ### default/shop: blocked, nothing was changed

                - default/shop: Belay has no record of this system, and its first contact would make one change; \
                check the plan and that this is the right place of its state, then add --adopt


                """)
        #expect(report.json["exitCode"] == 3)
        #expect(report.json["steps"] == [] && report.json["obligations"] == [])
    }

    @Test func whatIsBlockedIsToldOnce() async throws {
        let stage = try Stage(look: { _, _, _ in .unknown(.unreachable) })
        try await stage.accept()
        #expect(
            await stage.pass().text(.plain) == """
                ✘ default/shop: failed
                  fake/web: 502 while reading releases

                """)
    }

    @Test func textOfOthersCannotMoveTheCursorOrWriteMarkdown() async throws {
        let hostile = Problem("NotFound", "fake/web: \u{1B}[2J\n# <script>|`x`", next: "\rsee\u{202E} [here](x)")
        let stage = try Stage(look: { _, _, _ in .unknown(hostile) })
        try await stage.accept()
        let report = await stage.pass()
        #expect(
            report.text(.plain) == """
                ✘ default/shop: failed
                  fake/web: [2J # <script>|`x`
                  →  see [here](x)

                """)
        #expect(
            report.markdown == """
                ### default/shop: failed

                - fake/web: \\[2J \\# &lt;script&gt;\\|\\`x\\`;  see \\[here\\](x)


                """)
    }

    struct Ending: Sendable, CustomTestStringConvertible {
        var why: String
        var blocked: [Blocked]
        var verdict: Verdict
        var again: PassReport.Again?
        var told: [String]
        var testDescription: String { why }
    }

    private static func obstacle(_ name: String, _ kind: Blocked.Kind, _ reason: String = "Rejected") -> Blocked {
        Blocked(.component(name), kind, Problem(reason, "\(name) is \(kind.rawValue)"))
    }

    static let endings: [Ending] = [
        Ending(why: "nothing is in the way", blocked: [], verdict: .inSync, told: []),
        Ending(why: "the world stands in the way", blocked: [obstacle("a", .failure)], verdict: .failure, told: ["a is failure"]),
        Ending(why: "somebody must decide", blocked: [obstacle("a", .decision)], verdict: .blocked, told: ["a is decision"]),
        Ending(
            why: "something is under way", blocked: [obstacle("a", .waiting)], verdict: .failure, again: .soon, told: ["a is waiting"]),
        Ending(
            why: "something is under way while somebody must decide", blocked: [obstacle("a", .decision), obstacle("b", .waiting)],
            verdict: .blocked, again: .soon, told: ["a is decision", "b is waiting"]),
        Ending(
            why: "what fails is worse than what must be decided", blocked: [obstacle("a", .decision), obstacle("b", .failure)],
            verdict: .failure, told: ["a is decision", "b is failure"]),
        Ending(
            why: "what depends on something is told by that", blocked: [obstacle("a", .dependency), obstacle("b", .failure)],
            verdict: .failure, told: ["b is failure"]),
        Ending(
            why: "a dependency with no other cause is as the plan says, and not silent", blocked: [obstacle("a", .dependency)],
            verdict: .blocked, told: ["a is dependency"]),
        Ending(
            why: "what fails and often passes is tried again, whatever waits",
            blocked: [obstacle("a", .failure, "ProviderError"), obstacle("b", .waiting)], verdict: .failure,
            again: .afterBackoff(atLeast: nil), told: ["a is failure", "b is waiting"]),
    ]

    @Test(arguments: endings)
    func whatIsInTheWayDecidesTheVerdict(case example: Ending) {
        let system = System.make()
        let plan = Plan(system: system.id, revision: .example, blocked: example.blocked)
        let survey = Survey(system: system, revision: .example, recorded: RecordedState(), world: World(), plan: plan)
        let report = PassReport(survey, result: nil)
        #expect(report.verdict == example.verdict)
        #expect(report.again == example.again)
        #expect(report.problems.map(\.message) == example.told)
    }
}
