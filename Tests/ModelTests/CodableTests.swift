import FoundationEssentials
import Model
import Testing

@Suite struct CodableTests {
    static let pins: [(Pin, String)] = [
        (.name("1.10"), #""1.10""#), (.commit("3f2c1ab"), #"{"commit":"3f2c1ab"}"#), (.image("app:v1"), #"{"image":"app:v1"}"#),
        (.revision(12), #"{"revision":12}"#), (.deployment("dpl_7"), #"{"deployment":"dpl_7"}"#),
    ]

    @Test(arguments: pins) func aPinIsWrittenAsInASpec(_ pin: Pin, _ text: String) throws {
        #expect(try written(pin) == text)
        #expect(try JSONDecoder().decode(Pin.self, from: Data(text.utf8)) == pin)
    }

    @Test(arguments: [#"{}"#, #"{"tag":"v1"}"#, "12", "null", "[]"]) func whatIsNoPinIsRefused(_ text: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(Pin.self, from: Data(text.utf8)) }
    }

    @Test func aResourceIsAKeyOfAnObject() throws {
        let values: [ResourceID: Int] = [.component("web"): 1, .database("main"): 2, ResourceID(.flag, "a/b"): 3]
        #expect(try written(values) == #"{"component/web":1,"database/main":2,"flag/a/b":3}"#)
        #expect(try read(values) == values)
    }

    @Test(arguments: ["web", "thing/web", ""]) func whatIsNoResourceIsRefused(_ text: String) {
        #expect(ResourceID(text) == nil)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(ResourceID.self, from: Data("\"\(text)\"".utf8)) }
    }

    @Test func whatIsRecordedSurvivesBeingWrittenAndRead() throws {
        let resolution = Resolution(
            pin: .commit("3f2c1ab"), identity: ArtifactIdentity(.image, "v1"), lineage: [ArtifactIdentity(.deployment, "d1")], label: "v1",
            revision: Revision(.commit, "abc", isDirty: true, committed: Timestamp(millisecondsSinceEpoch: 1)))
        let time = Timestamp(millisecondsSinceEpoch: 1_700_000_000_123)
        let web = ResourceID.component("web")
        let state = RecordedState(
            isKnown: true, accepted: resolution.revision,
            transition: Transition(
                id: "t", revision: resolution.revision, start: [web: resolution.identity], target: [web: resolution],
                directions: [web: .retreat], obligations: [.check(web), .systemChecks], opened: time),
            releases: [
                web: [
                    ReleaseRecord(
                        resolution: resolution, quality: .good, requires: ["main": VersionWindow(lowest: "1")], schemas: ["main": "2"],
                        reached: time)
                ]
            ],
            resolutions: [web: resolution],
            openIntents: [
                web: Intent(
                    id: "i", resource: web,
                    route: Route(.undo, means: "rollback", class: .instant, token: "t", isIdempotent: false, refusal: Problem("No", "no")),
                    resolution: resolution, providerTime: nil, written: time)
            ])
        #expect(try read(state) == state)
    }

    @Test func phasesStandInTheirOrder() {
        #expect(Phase.allCases.map(\.position) == Array(1...11))
        #expect(Phase.allCases == Phase.allCases.sorted())
        #expect(Phase.migrateDown.rawValue == "migrate-down")
    }

    @Test func theSameArtifactIsFoundByIdentityAndLineage() {
        let one = ArtifactIdentity(.deployment, "one")
        let two = ArtifactIdentity(.deployment, "two")
        func resolution(_ identity: ArtifactIdentity, lineage: [ArtifactIdentity] = []) -> Resolution {
            Resolution(pin: .name("x"), identity: identity, lineage: lineage, label: "x", revision: Revision(.digest, "d"))
        }
        #expect(resolution(one).isSameArtifact(as: resolution(one)))
        #expect(!resolution(one).isSameArtifact(as: resolution(two)))
        #expect(resolution(one, lineage: [two]).isSameArtifact(as: resolution(two)))
        #expect(resolution(one).isSameArtifact(as: resolution(two, lineage: [one])))
        let copy = Release(label: "copy", names: [ReleaseName(.deployment, "two", denotes: two)], lineage: [one])
        #expect(copy.matches(resolution(one)))
        #expect(copy.matches(resolution(two)))
        #expect(!copy.matches(resolution(ArtifactIdentity(.image, "one"))))
    }

    private func written(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func read<Value: Codable>(_ value: Value) throws -> Value {
        try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value))
    }
}
