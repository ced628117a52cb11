import JSONValues
import Model
import Planning
import Testing

@Suite struct RenderingTests {
    static let plan = {
        let system = System.make(
            [
                .make("web", pins: .name("v2"), after: [.component("api")]), .make("api", pins: .name("v2"), after: []),
                .make("docs", pins: .name("v9")),
            ])
        return Planning.plan(
            system, revision: .make("3f2c1ab91d02aa"),
            observed: .make([
                "web": .make(live: "v3", routes: [.make(cautions: ["switches auto-assignment off"])]),
                "api": .make(live: "v3", routes: [.make(means: "rollout undo to revision 12", class: .minutes)]), "docs": .make(live: "v1"),
            ]), recorded: RecordedState(isKnown: true))
    }()

    @Test func aPlanReadsWell() {
        #expect(
            Self.plan.text(colour: false) == """
                Plan for default/shop at 3f2c1ab91d02

                 1 preflight
                     api: confirm the target and the way to v2
                     web: confirm the target and the way to v2

                 2 guard
                     open the transition to 3f2c1ab91d02

                 4 retreat
                     web: undo to v2 (instant rollback)             instant
                       from v3 to v2
                       v2 is older than v3: dependents go back first
                       caution: switches auto-assignment off
                     api: undo to v2 (rollout undo to revision 12)  minutes
                       from v3 to v2
                       v2 is older than v3: dependents go back first

                   blocked
                     component/docs  failure
                       component/docs: no release is called v9
                       next: pin one of: v3, v2, v1

                   notes
                     the transition stays open: the system's checks, contract migrations and finish wait until nothing is blocked

                Plan: 2 changes, 1 blocked.

                """)
    }

    @Test func colourChangesNothingButColour() {
        var text = Self.plan.text(colour: true)
        #expect(text.contains("\u{1B}[32minstant\u{1B}[0m"))
        for code in ["0", "1", "2", "31", "32", "33", "36"] { text = text.split(separator: "\u{1B}[\(code)m").joined() }
        #expect(text == Self.plan.text(colour: false))
    }

    @Test func inSyncIsOneSentence() {
        let plan = Planning.plan(
            .make([.make("web", pins: .name("v2"))]), revision: .make(), observed: .make(["web": .make(live: "v2")]),
            recorded: RecordedState())
        #expect(plan.text(colour: false) == "Plan for default/shop at aaaaaaaaaaaa\n\nPlan: in sync, nothing to do.\n")
    }

    static let hostile = "\u{1B}[2Jv2\n| <script>alert(1)</script> @team #77 [x](http://evil) `code` **b** www.evil.example"

    static var hostilePlan: Plan {
        var observation = Observation.make(live: "v3", routes: [.make(means: hostile, cautions: [hostile])])
        observation.notes = [hostile]
        return Planning.plan(
            .make([.make("web", pins: .name("v2")), .make("api", pins: .name("v2"))]), revision: .make(),
            observed: .make(["web": observation, "api": .unknown(Problem("No", hostile, next: hostile))]), recorded: RecordedState())
    }

    @Test func textFromProvidersCannotMoveTheCursorOrForgeALine() {
        for colour in [false, true] {
            let text = Self.hostilePlan.text(colour: colour)
            #expect(!text.contains("\u{1B}[2J"))
            #expect(!text.contains("\n| "))
        }
    }

    @Test func textFromProvidersIsNoMarkup() {
        let text = Self.hostilePlan.markdown
        for markup in ["<script", "@team", "#77", "[x]", "http://", " `code`", "**b", "www.evil", "\u{1B}"] {
            #expect(!text.contains(markup), "\(markup)")
        }
        #expect(text.contains("&lt;script&gt;"))
        for line in text.split(separator: "\n") where line.hasPrefix("|") { #expect(line.count { $0 == "|" } == 4, "\(line)") }
    }

    @Test func aPlanIsACommentOnAPullRequest() {
        #expect(
            Self.plan.markdown.hasPrefix(
                """
                ### Plan for default/shop at `3f2c1ab91d02`

                **Plan: 2 changes, 1 blocked.**

                | Phase | Step | Class |
                |---|---|---|
                | 1\u{A0}preflight | api: confirm the target and the way to v2 |  |
                """))
    }

    @Test func theMachineFormHasItsVersionAndNoToken() throws {
        let json = Self.plan.json
        #expect(json["apiVersion"] == "belay.dev/v1alpha1")
        #expect(json["kind"] == "Plan")
        #expect(json["verdict"] == "failure")
        #expect(json["exitStatus"] == 1)
        let step = try #require(json["steps"]?.elements.first { $0["id"] == "retreat/component/web" })
        #expect(
            step.description == #"""
                {"id":"retreat/component/web","phase":"retreat","resource":"component/web","action":{"type":"release","from":"v3","to":"v2",\#
                "pin":{"pin":"v2","identity":"image:v2","lineage":[],"label":"v2","revision":"3f2c1ab91d02aa"},"verb":"undo",\#
                "means":"instant rollback","cautions":["switches auto-assignment off"],"reconfigures":false,\#
                "severalWrites":false},"after":["guard/open"],"class":"instant",\#
                "writes":true,"summary":"web: undo to v2 (instant rollback)","details":["from v3 to v2",\#
                "v2 is older than v3: dependents go back first","caution: switches auto-assignment off"],"deadlineSeconds":600}
                """#)
        #expect(json["blocked"]?.elements.first?["reason"] == "PinNotFound")
        #expect(json["resolutions"]?.elements.map { $0["resource"]?.string } == ["component/api", "component/web"])
        #expect(json["opening"]?["directions"] == ["component/api": "retreat", "component/web": "retreat"])
        #expect(!json.description.contains("token"))
    }

    static let verdicts: [(Plan, Verdict, Int32)] = {
        func plan(_ steps: Int, _ kinds: Blocked.Kind...) -> Plan {
            Plan(
                system: SystemID(name: "s"), revision: .make(),
                steps: (0..<steps).map { Step(id: "\($0)", phase: .finish, action: .close, summary: "") },
                blocked: kinds.map { Blocked(.component("web"), $0, .make()) })
        }
        return [
            (plan(0), .inSync, 0), (plan(1), .changes, 2), (plan(1, .decision), .blocked, 3), (plan(0, .waiting), .blocked, 3),
            (plan(1, .decision, .failure), .failure, 1), (plan(0, .dependency), .blocked, 3),
        ]
    }()

    @Test(arguments: verdicts) func theWorstOfAPlanIsItsVerdict(_ plan: Plan, _ verdict: Verdict, _ status: Int32) {
        #expect(plan.verdict == verdict)
        #expect(verdict.exitStatus == status)
    }

    @Test func ofSeveralSystemsTheWorstCounts() {
        #expect(([.inSync, .changes, .blocked] as [Verdict]).max() == .blocked)
        #expect(([.blocked, .failure, .changes] as [Verdict]).max() == .failure)
        #expect(([.changes, .inSync] as [Verdict]).max() == .changes)
    }
}
