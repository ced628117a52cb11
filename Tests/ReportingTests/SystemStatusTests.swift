import JSONValues
import Model
import Reporting
import Testing
import TextLayout

struct SystemStatusTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var scene: Scene
        var state: ComponentStatus.State
        var detail = ""
        /// Ready, Reconciling, Stalled, Drifted: the reason, with `!` before what is not true.
        var conditions: [String]
        var testDescription: String { why }
    }

    private static let web = ResourceID.component("web")

    private static func away(_ observation: Observation) -> Scene {
        Scene(components: [.make("web", "v2")], observations: ["web": observation])
    }

    private static func lost() -> Scene {
        var scene = away(.make())
        scene.observations["web"]?.fate = .undecided("no trace yet")
        scene.recorded.openIntents[web] = Intent(
            id: "i1", resource: web, route: .make("v2"), resolution: .make("v2"), providerTime: nil, written: .example)
        return scene
    }

    private static func owned() -> Scene {
        var scene = away(.make())
        scene.observations["web"]?.blocker = Problem("OwnedByAnother", "fake/web: argocd owns the image", next: "set takeOwnership")
        return scene
    }

    private static func transition(_ scene: Scene, _ obligations: [Obligation] = []) -> Scene {
        var scene = scene
        let pin = scene.components[0].release.description
        scene.recorded.transition = .make([web: .make(pin)], obligations: obligations)
        return scene
    }

    static let cases = [
        Case(why: "the pin is live and healthy", scene: Scene(), state: .inSync, conditions: ["InSync", "!Idle", "!Moving", "!NoneSeen"]),
        Case(
            why: "another release is live", scene: away(.make()), state: .outOfSync, detail: "web: undo to v2 (fake undo)",
            conditions: ["!OutOfSync", "!Idle", "!Moving", "!NoneSeen"]),
        Case(
            why: "the pin is declared and still rolling out",
            scene: Scene(observations: ["web": .make(settlement: .progressing("1 of 2"))]),
            state: .progressing, detail: "1 of 2", conditions: ["!OutOfSync", "!Idle", "!Moving", "!NoneSeen"]),
        Case(
            why: "the pin is declared and nobody can tell how it is",
            scene: Scene(observations: ["web": .make(settlement: .unknown(.unreadable))]), state: .progressing,
            detail: "fake/web: 403 while reading releases; check the token", conditions: ["!OutOfSync", "!Idle", "!Moving", "!NoneSeen"]),
        Case(
            why: "the pin is declared and will not arrive", scene: Scene(observations: ["web": .make(settlement: .failed(.crash))]),
            state: .failed, detail: "fake/web: the container crashes; read its log",
            conditions: ["!OutOfSync", "!Idle", "ReleaseFailed", "!NoneSeen"]),
        Case(
            why: "what fails is about to be replaced: nothing is stalled", scene: away(.make(settlement: .failed(.crash))),
            state: .failed, detail: "fake/web: the container crashes; read its log",
            conditions: ["!OutOfSync", "!Idle", "!Moving", "!NoneSeen"]),
        Case(
            why: "nothing could be read", scene: Scene(observations: ["web": .unknown(.unreadable)]), state: .unknown,
            detail: "fake/web: 403 while reading releases; check the token", conditions: ["!OutOfSync", "!Idle", "!Moving", "!NoneSeen"]),
        Case(
            why: "somebody must decide", scene: owned(), state: .blocked, detail: "fake/web: argocd owns the image; set takeOwnership",
            conditions: ["!OutOfSync", "!Idle", "DecisionNeeded", "!NoneSeen"]),
        Case(
            why: "a lost answer is awaited: nobody has to do anything", scene: lost(), state: .progressing,
            detail: "component/web: the answer to fake undo to v2 was lost, and it may still take effect: no trace yet; "
                + "run again in a while; nothing is sent a second time until the provider shows what became of it",
            conditions: ["!OutOfSync", "!Idle", "!Moving", "!NoneSeen"]),
        Case(
            why: "a transition is open and nothing holds it up", scene: transition(away(.make())), state: .outOfSync,
            detail: "web: undo to v2 (fake undo)", conditions: ["!OutOfSync", "TransitionOpen", "!Moving", "!NoneSeen"]),
        Case(
            why: "a transition is open and held up", scene: transition(owned()), state: .blocked,
            detail: "fake/web: argocd owns the image; set takeOwnership",
            conditions: ["!OutOfSync", "!Stalled", "DecisionNeeded", "!NoneSeen"]),
        Case(
            why: "everything is in place and the transition is not closed", scene: transition(Scene()), state: .inSync,
            conditions: ["!OutOfSync", "TransitionOpen", "!Moving", "!NoneSeen"]),
    ]

    @Test(arguments: cases)
    func aComponentsStateFollowsFromWorldAndPlan(case example: Case) {
        let status = example.scene.status
        #expect(status.components.map(\.state) == [example.state])
        #expect(status.components.map(\.detail) == [example.detail])
        #expect(status.conditions.map { ($0.isTrue ? "" : "!") + $0.reason } == example.conditions)
        #expect(status.conditions.map(\.kind) == [.ready, .reconciling, .stalled, .drifted])
    }

    @Test func conditionsSayWhatKeepsTheSystem() {
        func messages(_ scene: Scene) -> [String] { scene.status.conditions.map(\.message) }
        #expect(messages(Scene()) == ["every pin is live and healthy", "", "", ""])
        #expect(messages(Self.away(.make())) == ["not at its pin: web", "", "", ""])
        #expect(messages(Self.transition(Scene())) == ["the transition is not closed yet", "on the way to revision bbbbbbbbbbbb", "", ""])
        #expect(
            messages(Self.transition(Self.owned()))
                == ["not at its pin: web", "held up on the way to revision bbbbbbbbbbbb", "waiting for a decision: component/web", ""])
        var owing = Self.transition(Scene(verify: [.example]), [.systemChecks])
        owing.components[0].verify = []
        #expect(messages(owing)[0] == "checks owed: the system")
    }

    /// Two components, one in sync with something to say, one on its way back.
    static let scene = Scene(
        components: [.make("web", "v2"), .make("api")],
        observations: [
            "web": .make("v1", also: ["v3"], settlement: .failed(.crash)), "api": .make(notes: ["its image is pinned by hand"]),
        ],
        recorded: RecordedState(
            isKnown: true, accepted: .older,
            transition: .make([web: .make("v2"), .component("api"): .make("v1")], obligations: [.check(web), .systemChecks]),
            releases: [web: [.make("v3"), .make("v1", .servedUnverified)]]))

    @Test func asText() {
        #expect(
            Self.scene.status.text(.plain) == """
                default/shop  ● not at its pin: web
                  revision bbbbbbbbbbbb, accepted so far: aaaaaaaaaaaa

                  COMPONENT  PROVIDER  PINNED  LIVE         PREVIOUS  STATE
                  web        fake      v2      v1 (and v3)  v3        failed
                  api        fake      v1      v1                     in sync
                    web: the container crashes; read its log
                    api: its image is pinned by hand
                  transition open since \(Timestamp.example), to revision bbbbbbbbbbbb; owed: checks of component/web, checks of the system

                """)
        #expect(
            Scene().status.text(.plain) == """
                default/shop  ✔ in sync
                  revision bbbbbbbbbbbb, accepted

                  COMPONENT  PROVIDER  PINNED  LIVE  STATE
                  web        fake      v1      v1    in sync

                """)
        var unknown = Scene(observations: ["web": .unknown(.unreadable)])
        unknown.recorded = RecordedState()
        #expect(unknown.status.text(.plain).contains("revision bbbbbbbbbbbb, never reconciled by Belay\n"))
        #expect(unknown.status.text(.plain).contains("  web        fake      v1      unknown  unknown\n"))
    }

    @Test func asMarkdown() {
        #expect(
            Self.scene.status.markdown == """
                ### default/shop: not at its pin: web

                Revision `bbbbbbbbbbbb`.

                | Component | Provider | Pinned | Live | Previous | State |
                |---|---|---|---|---|---|
                | web | fake | v2 | v1 (and v3) | v3 | failed |
                | api | fake | v1 | v1 |  | in sync |

                - web: the container crashes; read its log
                - api: its image is pinned by hand


                """)
    }

    private static let nothingToFence: JSON = [
        "state": "NothingToFence", "name": .null, "value": .null, "previous": .null, "message": "",
    ]

    @Test func asJSON() {
        #expect(
            Self.scene.status.json == [
                "system": "default/shop", "revision": .string(Revision.example.id), "dirty": false,
                "acceptedRevision": .string(Revision.older.id),
                "conditions": [
                    ["type": "Ready", "status": "False", "reason": "OutOfSync", "message": "not at its pin: web"],
                    [
                        "type": "Reconciling", "status": "True", "reason": "TransitionOpen",
                        "message": "on the way to revision bbbbbbbbbbbb",
                    ],
                    ["type": "Stalled", "status": "False", "reason": "Moving", "message": ""],
                    ["type": "Drifted", "status": "False", "reason": "NoneSeen", "message": ""],
                ],
                "components": [
                    [
                        "name": "web", "provider": "fake", "pinned": "v2", "resolved": "v2", "live": "v1", "alsoServing": ["v3"],
                        "lastKnownGood": "v3", "state": "Failed", "message": "fake/web: the container crashes; read its log", "notes": [],
                        "previous": "v3", "fence": Self.nothingToFence, "configuration": .null, "drift": .null,
                    ],
                    [
                        "name": "api", "provider": "fake", "pinned": "v1", "resolved": "v1", "live": "v1", "alsoServing": [],
                        "lastKnownGood": .null, "state": "InSync", "message": "", "notes": ["its image is pinned by hand"],
                        "previous": .null, "fence": Self.nothingToFence, "configuration": .null, "drift": .null,
                    ],
                ],
                "transition": [
                    "id": "t1", "revision": .string(Revision.example.id), "opened": .string(Timestamp.example.description),
                    "obligations": ["checks of component/web", "checks of the system"],
                ],
                "databases": [],
                "flags": [],
                "notes": [], "lockedBy": .null,
            ])
        #expect(JSON.list("X", [1]) == ["apiVersion": "belay.dev/v1alpha1", "kind": "X", "items": [1]])
    }

    @Test func textOfProvidersStaysInItsPlace() {
        var observation = Observation.make(settlement: .failed(Problem("X", hostile)), notes: [hostile])
        observation.live = .release(declared: .make(hostile), serving: [])
        let status = Scene(observations: ["web": observation]).status
        let text = status.text(.plain)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || ![.control, .format].contains($0.properties.generalCategory) })
        #expect(text.split(separator: "\n").count == 6)
        let shown = "\\[2J\\]0;xa  b &lt;b&gt;\\|\\`\\_\\*\\[x\\](y)"
        #expect(
            status.markdown == """
                ### default/shop: not at its pin: web

                Revision `bbbbbbbbbbbb`.

                | Component | Provider | Pinned | Live | Previous | State |
                |---|---|---|---|---|---|
                | web | fake | v1 | \(shown) |  | failed |

                - web: \(shown)
                - web: \(shown)


                """)
    }
}
