import JSONValues
import Model
import Reporting
import Testing
import TextLayout

struct ReleaseHistoryTests {
    private static let web = ResourceID.component("web")

    private func history(
        _ component: Component = .make("web", "v1"), _ observation: Observation = Self.observation,
        recorded: RecordedState = RecordedState()
    ) -> ReleaseHistory {
        ReleaseHistory(component, of: SystemID(name: "shop"), observation: observation, recorded: recorded)
    }

    private static let observation = Observation(
        live: .release(declared: .make("v3"), serving: [.make("v3")]),
        candidates: [
            Candidate(.make("v3", created: .example), routes: []),
            Candidate(
                .make("v2", created: .example, note: String(repeating: "n", count: 70)),
                routes: [.make("v2", .redeploy, class: .minutes), .make("v2", .undo)]),
            Candidate(
                .make("v1", note: "first"),
                routes: [.make("v1", .redeploy, class: .minutes, refusal: Problem("Refused", "a rebuild", next: "set allowRebuild"))]),
            Candidate(.make("v0"), routes: [], gone: Problem("Gone", "its image was deleted")),
            Candidate(.make("v00"), routes: []),
        ])

    private static let recorded = RecordedState(
        isKnown: true, releases: [web: [.make("v1", .good), .make("v2", .servedUnverified)]], resolutions: [web: .make("v1")])

    @Test func asText() {
        #expect(
            history(recorded: Self.recorded).text(.plain) == """
                default/shop web
                     RELEASE  CREATED               RECORDED            WAY                                   NOTE
                  ▶  v3       2026-11-23T00:00:00Z                      live
                     v2       2026-11-23T00:00:00Z  served, unverified  undo: fake undo (instant)             \
                \(String(repeating: "n", count: 59))…
                  •  v1                             good                refused: a rebuild; set allowRebuild  first
                     v0                                                 gone: its image was deleted
                     v00                                                no way
                  ▶ live   • pinned; to go back, commit a release of the list as the component's pin

                """)
    }

    @Test func asMarkdown() {
        #expect(
            history(recorded: Self.recorded).markdown == """
                ### default/shop web

                | | Release | Created | Recorded | Way | Note |
                |---|---|---|---|---|---|
                | live | v3 | 2026-11-23T00:00:00Z |  | live |  |
                |  | v2 | 2026-11-23T00:00:00Z | served, unverified | undo: fake undo (instant) | \(String(repeating: "n", count: 70)) |
                | pinned | v1 |  | good | refused: a rebuild; set allowRebuild | first |
                |  | v0 |  |  | gone: its image was deleted |  |
                |  | v00 |  |  | no way |  |


                """)
    }

    @Test func asJSON() {
        let json = history(recorded: Self.recorded).json
        #expect(json["system"] == "default/shop" && json["component"] == "web" && json["error"] == nil)
        #expect(json["releases"]?.elements.count == 5)
        #expect(
            json["releases"]?.elements.first == [
                "label": "v3", "names": ["v3"], "created": "2026-11-23T00:00:00Z", "live": true, "pinned": false, "recorded": .null,
                "reachable": true, "way": "live", "note": .null,
            ])
        #expect(json["releases"]?.elements.map { $0["reachable"] } == [true, true, false, false, false])
        #expect(json["releases"]?.elements.map { $0["pinned"] } == [false, false, true, false, false])
    }

    struct Pinned: Sendable, CustomTestStringConvertible {
        var why: String
        var pin: String
        var recorded: RecordedState
        var marked: [String]
        var testDescription: String { why }
    }

    static let pins = [
        Pinned(why: "before the first contact, as it would be resolved", pin: "v2", recorded: RecordedState(), marked: ["v2"]),
        Pinned(why: "a pin that was changed since, not the recorded one", pin: "v2", recorded: recorded, marked: ["v2"]),
        Pinned(
            why: "a tag that moved still means what it was resolved to", pin: "v2",
            recorded: RecordedState(
                resolutions: [
                    web: Resolution(pin: .name("v2"), identity: ArtifactIdentity(.image, "v1"), label: "v1", revision: .example)
                ]), marked: ["v1"]),
        Pinned(
            why: "a pin of an older revision means what it meant then", pin: "v2",
            recorded: RecordedState(
                releases: [
                    web: [
                        ReleaseRecord(
                            resolution: Resolution(
                                pin: .name("v2"), identity: ArtifactIdentity(.image, "v0"), label: "v0", revision: .older), quality: .good,
                            reached: .example)
                    ]
                ], resolutions: [web: .make("v1")]), marked: ["v0"]),
        Pinned(why: "a pin that means nothing", pin: "v9", recorded: recorded, marked: []),
    ]

    @Test(arguments: pins)
    func theSpecsPinIsMarked(case example: Pinned) {
        let history = history(.make("web", example.pin), recorded: example.recorded)
        #expect(history.entries.filter(\.isPinned).map(\.label) == example.marked)
    }

    @Test func whatCannotBeReadIsSaid() {
        let unknown = history(.make(), .unknown(.unreadable))
        #expect(unknown.text(.plain) == "default/shop web\n  fake/web: 403 while reading releases; check the token\n")
        #expect(unknown.markdown == "### default/shop web\n\nfake/web: 403 while reading releases; check the token\n\n")
        #expect(unknown.json["error"] == "fake/web: 403 while reading releases; check the token")
        let nothing = history(.make(), Observation(live: .nothing))
        #expect(nothing.text(.plain) == "default/shop web\n  the provider knows no release\n")
        #expect(nothing.markdown == "### default/shop web\n\nThe provider knows no release.\n\n")
    }

    @Test func textOfProvidersStaysInItsPlace() {
        let observation = Observation(
            live: .nothing, candidates: [Candidate(.make("v1", note: hostile), routes: [.make("v1")])])
        let history = history(.make(), observation)
        #expect(history.text(.plain).contains("undo: fake undo (instant)  [2J]0;xa  b <b>|`_*[x](y)\n"))
        #expect(history.markdown.contains("| undo: fake undo (instant) | \\[2J\\]0;xa  b &lt;b&gt;\\|\\`\\_\\*\\[x\\](y) |\n"))
    }
}
