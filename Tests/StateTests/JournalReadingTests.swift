import Model
import Testing

@testable import State

/// Lines are written by `Encodable` and read by hand: whatever can be written is read back.
struct JournalReadingTests {
    static let web = ResourceID.component("web")

    static func resolution(_ pin: Pin = .name("v2")) -> Resolution {
        Resolution(
            pin: pin, identity: ArtifactIdentity(.commit, "abc"),
            lineage: [ArtifactIdentity(.template, "t"), ArtifactIdentity(.schema, "7")],
            label: "v2 \"quoted\" \u{1F600} \n", revision: Revision(.digest, "d", isDirty: true, committed: .example))
    }

    static func problem(_ retryAfter: Duration?) -> Problem { Problem("Reason", "message", next: "next", retryAfter: retryAfter) }

    static func record(_ quality: ReleaseRecord.Quality) -> ReleaseRecord {
        ReleaseRecord(
            resolution: resolution(), quality: quality,
            requires: ["main": VersionWindow(lowest: "1", highest: "9"), "half": VersionWindow(lowest: "1"), "open": VersionWindow()],
            schemas: ["main": "7"],
            configuration: [
                "A": ConfigurationEntry(fingerprint: "f", marker: "m", sealed: "s"), "B": ConfigurationEntry(marker: "m"),
                "C": ConfigurationEntry(),
            ], reached: .example)
    }

    static func intent(_ verb: Verb, _ class: StepClass) -> Intent {
        Intent(
            id: "i", resource: .database("main"),
            route: Route(
                verb, means: "means", class: `class`, token: #"{"a":1}"#, part: "set A", key: "A", isIdempotent: true,
                cautions: ["one", "two"],
                refusal: problem(.seconds(90))),
            resolution: resolution(), fingerprint: "f", providerTime: nil, written: Timestamp(millisecondsSinceEpoch: 1_795_392_000_678))
    }

    static let pins: [Pin] = [.name("v2"), .commit("abc"), .image("a/b@sha256:1"), .revision(12), .deployment("dpl_1")]
    static let durations: [Duration?] = [nil, .zero, .milliseconds(1500), .seconds(-3), .seconds(Int64.max), .nanoseconds(1)]

    static let entries: [JournalEntry] =
        oneOfEach
        + pins.map { .accepted(.init(revision: .make(), resolutions: [web: resolution($0), .database("main"): resolution($0)])) }
        + Verb.allCases.flatMap { verb in StepClass.allCases.map { .intent(intent(verb, $0)) } }
        + JournalEntry.Receipt.Ending.allCases.map {
            .receipt(
                .init(
                    intent(.undo, .instant), $0, facts: ["id": "1"],
                    configuration: ["A": ConfigurationEntry(fingerprint: "f", marker: "m")], problem: problem(nil)))
        }
        + durations.map { .receipt(.init(intent(.undo, .instant), .refused, problem: problem($0))) }
        + [ReleaseRecord.Quality.good, .servedUnverified].map { .reached(.init(web, record($0))) }
        + [
            .opened(
                .init(
                    transition: Transition(
                        id: "t", revision: .make(), start: [web: ArtifactIdentity(.image, "v1")], target: [web: resolution()],
                        directions: [web: .retreat, .component("api"): .advance], obligations: [.check(web), .systemChecks],
                        opened: .example),
                    resolutions: [web: resolution()], supersedes: "s")),
            .paid(.init(transition: "t", .systemChecks, releases: [web: record(.good)])),
            .closed(.init(transition: "t", releases: [:])),
            .drift(.make(nil)),
        ] + JournalEntry.Fencing.Stage.allCases.map { .fence(.init(web, $0, .make())) }

    @Test(arguments: entries)
    func whatIsWrittenIsRead(entry: JournalEntry) throws {
        let (record, bytes) = try JournalRecord.line(entry, at: .example, after: nil)
        #expect(try JournalRecord(line: bytes.dropLast(), after: nil) == record)
    }

    @Test(arguments: [
        (#""pin":"v2""#, #""pin":{}"#, "a pin of no kind"),
        (#""kind":"image""#, #""kind":"wish""#, "an unknown word"),
        (#""isIdempotent":false"#, #""isIdempotent":0"#, "another type"),
        (#""resource":"component/web""#, #""resource":"web""#, "a resource without its kind"),
        (#""written":"2026"#, #""written":"MMXXVI"#, "no time"),
        (#""token":"v2","#, "", "a member that is missing"),
    ])
    func whatCannotHaveBeenWrittenIsDamage(old: String, new: String, why: String) throws {
        let (_, bytes) = try JournalRecord.line(.intent(.make()), at: .example, after: nil)
        let text = String(decoding: bytes.dropLast(76), as: UTF8.self)
        let changed = Array(text.replacing(old, with: new).utf8)
        #expect(changed != Array(text.utf8), "the line holds what is replaced")
        let line = changed + Array(#","hash":"\#(JournalRecord.hash(of: changed))"}"#.utf8)
        let flaw = #expect(throws: JournalRecord.Flaw.self) { try JournalRecord(line: line[...], after: nil) }
        guard case .damaged(let reason) = flaw else { throw try #require(flaw) }
        #expect(reason == "its intent cannot be read", "\(why)")
    }
}
