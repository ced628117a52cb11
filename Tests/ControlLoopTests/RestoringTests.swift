import ConfigurationValues
import Model
import ProviderKit
import State
import TestDoubles
import Testing

@testable import ControlLoop

/// What an undo brings back of the keys that the spec does not name.
struct RestoringTests {
    private static let web = ResourceID.component("web")
    static let key = ConfigurationKey([UInt8](repeating: 7, count: 32), seals: true)

    static func record(_ name: String, _ values: [String: String], scope: String? = nil) -> ReleaseRecord {
        ReleaseRecord(
            resolution: Resolution(
                pin: .name(name), identity: ArtifactIdentity(.image, name), label: name, revision: .example, scope: scope),
            quality: .good,
            configuration: Dictionary(uniqueKeysWithValues: values.map { ($0, key.keeper.entry($0, Secret($1))) }), reached: .example)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var records: [ReleaseRecord]
        var configuration = Configuration(sources: ["NAMED": .literal("of the spec")], restores: true)
        var key = RestoringTests.key
        var expected: [String: String]
        var testDescription: String { why }
    }

    private static let then = record("v1", ["NAMED": "of then", "OTHER": "came back"])
    private static let later = record("v2", ["OTHER": "of now"])
    private static let named = ["NAMED": "of the spec"]

    @Test(arguments: [
        Case(
            why: "an undo: what was recorded, and the spec's own above it", records: [then, later],
            expected: ["NAMED": "of the spec", "OTHER": "came back"]),
        Case(why: "it is there already: from then on nothing holds those keys", records: [then, later, then], expected: named),
        Case(why: "it was never there", records: [later], expected: named),
        Case(
            why: "of several times, the last", records: [then, later, record("v1", ["OTHER": "the second time"]), later],
            expected: ["NAMED": "of the spec", "OTHER": "the second time"]),
        Case(why: "recorded at another target", records: [record("v1", ["OTHER": "x"], scope: "fake/old"), later], expected: named),
        Case(
            why: "the spec does not ask for it", records: [then, later],
            configuration: Configuration(sources: ["NAMED": .literal("of the spec")]),
            expected: named),
        Case(
            why: "it would be removed again", records: [then, later],
            configuration: Configuration(sources: ["NAMED": .literal("of the spec")], policy: .exact, restores: true), expected: named),
        Case(
            why: "the operator holds another key now", records: [then, later],
            key: ConfigurationKey([UInt8](repeating: 8, count: 32), seals: true), expected: named),
        Case(
            why: "nobody holds a key", records: [then, later], key: ConfigurationKey([UInt8](repeating: 7, count: 32), seals: false),
            expected: named),
        Case(
            why: "the record tells nothing of its configuration",
            records: [
                ReleaseRecord(resolution: then.resolution, quality: .good, reached: .example), later,
            ], expected: named),
    ])
    func anUndoBringsBackWhatWasRecordedWithTheRelease(case example: Case) async {
        let component = Component(
            name: "web", target: FakeTarget(identity: "web"), release: .name("v1"), configuration: example.configuration)
        let observer = await Observer(
            System(id: SystemID(name: "shop"), components: [component]),
            recorded: RecordedState(isKnown: true, releases: [Self.web: example.records]),
            providers: ProviderRegistry(
                [], environment: ProviderEnvironment(variables: [:], transport: FakeTransport(), now: { .example })),
            values: ConfigurationReader(variables: [:]), key: .success(example.key), adopts: false)
        let desired = observer.configurations[Self.web]
        #expect(desired?.values.mapValues { $0.secret.reveal() } == example.expected)
        #expect(desired?.values.filter(\.value.isRestored).map(\.key) == example.expected.keys.filter { $0 != "NAMED" })
    }
}
