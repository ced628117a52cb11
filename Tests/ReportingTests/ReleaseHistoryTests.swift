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
                     RELEASE  CREATED               RECORDED            TAKES                                 NOTE
                  ▶  v3       2026-11-23T00:00:00Z                      live
                     v2       2026-11-23T00:00:00Z  served, unverified  instant (fake undo)                   \
                \(String(repeating: "n", count: 59))…
                  •  v1                             good                refused: a rebuild; set allowRebuild  first
                     v0                                                 gone: its image was deleted
                     v00                                                no way
                  ▶ live   • pinned; to go back, commit a release of the list as the component's pin

                """)
    }

    // MARK: - A release that is declared and fails

    /// The cluster pulls an image that is not there: nothing of v3 has started, and v2 serves on.
    private static let failing: Observation = {
        var observation = Self.observation
        observation.live = .release(declared: .make("v3"), serving: [.make("v3"), .make("v2")])
        observation.settlement = .failed(
            Problem(
                "ImagePullBackOff", "fake/web: container web of pod web-5c9 does not start: Back-off pulling image \"shop:v3\"",
                next: "check that the image exists"))
        return observation
    }()

    @Test func whatIsDeclaredAndFailsIsNotLive() {
        let text = history(.make("web", "v3"), Self.failing).text(.plain)
        #expect(
            text == """
                default/shop web
                      RELEASE  CREATED               RECORDED  TAKES                                                         NOTE
                  ✘•  v3       2026-11-23T00:00:00Z            fails: ImagePullBackOff: container web of pod web-5c9 does …
                      v2       2026-11-23T00:00:00Z            still serving; instant (fake undo)                            \
                \(String(repeating: "n", count: 59))…
                      v1                                       refused: a rebuild; set allowRebuild                          first
                      v0                                       gone: its image was deleted
                      v00                                      no way
                  ✘ fails   • pinned; to go back, commit a release of the list as the component's pin

                """)
    }

    @Test func whyItFailsIsWholeWhereThereIsRoom() {
        let history = history(.make("web", "v3"), Self.failing)
        let way = "fails: ImagePullBackOff: container web of pod web-5c9 does not start: Back-off pulling image \"shop:v3\""
        #expect(history.markdown.contains("\n| fails, pinned | v3 | 2026-11-23T00:00:00Z |  | \(way) |  |  |\n"))
        let releases = history.json["releases"]?.elements ?? []
        #expect(releases.first?["way"] == .string(way))
        #expect(releases.map { $0["live"] } == [false, false, false, false, false])
        #expect(releases.map { $0["declared"] } == [true, false, false, false, false])
        #expect(releases.map { $0["serving"] } == [true, true, false, false, false])
        #expect(releases.map { $0["reachable"] } == [false, true, false, false, false])
    }

    @Test func aLiveReleaseThatIsPinnedHasBothMarks() {
        let observation = Observation(
            live: .release(declared: .make("v2"), serving: [.make("v2")]),
            candidates: [
                Candidate(.make("v2", created: Timestamp(millisecondsSinceEpoch: 1_795_392_000_678)), routes: []),
                Candidate(.make("v1"), routes: [.make("v1")]),
            ])
        #expect(
            history(.make("web", "v2"), observation).text(.plain) == """
                default/shop web
                      RELEASE  CREATED               RECORDED  TAKES                NOTE
                  ▶•  v2       2026-11-23T00:00:00Z            live
                      v1                                       instant (fake undo)
                  ▶ live   • pinned; to go back, commit a release of the list as the component's pin

                """)
        #expect(
            history(.make("web", "v9"), observation).text(.plain).hasSuffix(
                "\n  ▶ live; to go back, commit a release of the list as the component's pin\n"))
        #expect(
            history(.make("web", "v9"), Observation(live: .nothing, candidates: observation.candidates)).text(.plain).hasSuffix(
                "\n  to go back, commit a release of the list as the component's pin\n"))
    }

    @Test func aLongRefusalDoesNotWidenTheTable() {
        let words = String(repeating: "it must not be walked ", count: 10)
        let observation = Observation(
            live: .nothing, candidates: [Candidate(.make("v1", note: "first"), routes: [.make("v1", refusal: Problem("Refused", words))])])
        let history = history(.make("web", "v9"), observation)
        #expect(
            history.text(.plain).contains(
                "    v1                          refused: it must not be walked it must not be walked it mus…  first\n"))
        #expect(history.json["releases"]?[0]?["way"] == .string("refused: \(words)"))
    }

    @Test func asMarkdown() {
        #expect(
            history(recorded: Self.recorded).markdown == """
                ### default/shop web

                | | Release | Created | Recorded | Takes | Configuration | Note |
                |---|---|---|---|---|---|---|
                | live | v3 | 2026-11-23T00:00:00Z |  | live |  |  |
                |  | v2 | 2026-11-23T00:00:00Z | served, unverified | instant (fake undo) |  | \(String(repeating: "n", count: 70)) |
                | pinned | v1 |  | good | refused: a rebuild; set allowRebuild |  | first |
                |  | v0 |  |  | gone: its image was deleted |  |  |
                |  | v00 |  |  | no way |  |  |


                """)
    }

    @Test func asJSON() {
        let json = history(recorded: Self.recorded).json
        #expect(json["system"] == "default/shop" && json["component"] == "web" && json["error"] == nil)
        #expect(json["releases"]?.elements.count == 5)
        #expect(
            json["releases"]?.elements.first == [
                "label": "v3", "names": ["v3"], "created": "2026-11-23T00:00:00Z", "live": true, "declared": true, "serving": true,
                "pinned": false, "recorded": .null, "reachable": true, "way": "live", "note": .null,
                "takes": "live", "configurationRecorded": false, "configurationChanges": .null,
            ])
        #expect(json["releases"]?.elements.map { $0["takes"] } == ["live", "instant", "refused", "gone", "unknown"])
        #expect(json["releases"]?.elements.map { $0["reachable"] } == [true, true, false, false, false])
        #expect(json["releases"]?.elements.map { $0["pinned"] } == [false, false, true, false, false])
    }

    // MARK: - Configuration

    @Test func whatIsSetOtherwiseThanThenIsToldByNamesAlone() {
        func entry(_ value: String) -> ConfigurationEntry { ConfigurationEntry(fingerprint: value) }
        var observation = Self.observation
        // B cannot be read back: that it is the same is known from when it was written.
        observation.configuration = ObservedConfiguration(
            settings: ["A": entry("a2"), "B": ConfigurationEntry(marker: "m2"), "NEW": entry("n")])
        let recorded = RecordedState(
            isKnown: true,
            releases: [
                Self.web: [
                    .make("v1", configuration: ["A": entry("a1"), "B": entry("b"), "OLD": entry("o")]),
                    .make("v2", configuration: ["A": entry("a2"), "B": entry("b"), "NEW": entry("n")]), .make("v3"),
                ]
            ], configurations: [Self.web: ["B": ConfigurationEntry(fingerprint: "b", marker: "m2")]])
        let found = history(.make("web", "v3"), observation, recorded: recorded)
        #expect(
            found.text(.plain).contains(
                """
                    v2: configuration: recorded, and set the same now
                    v1: configuration: A changed, NEW added, OLD removed since it was recorded
                  ▶ live
                """))
        #expect(found.markdown.contains("| A changed, NEW added, OLD removed since it was recorded |"))
        let releases = found.json["releases"]?.elements ?? []
        #expect(releases.prefix(3).map { $0["configurationRecorded"] } == [false, true, true])
        #expect(
            releases.prefix(3).map { $0["configurationChanges"] ?? .null } as [JSON] == [
                .null, [], [["key": "A", "kind": "changed"], ["key": "NEW", "kind": "added"], ["key": "OLD", "kind": "removed"]],
            ])
        observation.configuration = nil
        #expect(
            history(.make("web", "v3"), observation, recorded: recorded).text(.plain).contains(
                "    v1: configuration: recorded; how it is set now is not known\n"))
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
        #expect(history.text(.plain).contains("instant (fake undo)  [2J]0;xa  b <b>|`_*[x](y)\n"))
        #expect(history.markdown.contains("| instant (fake undo) |  | \\[2J\\]0;xa  b &lt;b&gt;\\|\\`\\_\\*\\[x\\](y) |\n"))
    }
}
