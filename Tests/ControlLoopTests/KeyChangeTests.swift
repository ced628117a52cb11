import ConfigurationValues
import ControlLoop
import Model
import State
import TestDoubles
import Testing

/// The key behind fingerprints is another one than before.
@Suite struct KeyChangeTests {
    private let web = ResourceID.component("web")

    private func system() -> System {
        System(
            id: SystemID(name: "shop"),
            components: [
                Component(
                    name: "web", target: FakeTarget(identity: "web"), release: .name("v1"),
                    configuration: Configuration(sources: ["A": .literal("1")]))
            ])
    }

    private func record(_ fingerprint: String) -> JournalEntry {
        .reached(
            .init(
                web,
                ReleaseRecord(
                    resolution: Resolution(
                        pin: .name("v1"), identity: ArtifactIdentity(.image, "v1"), label: "v1", revision: .example),
                    quality: .good, configuration: ["A": ConfigurationEntry(fingerprint: fingerprint)], reached: .example)))
    }

    @Test func whatWasRecordedWithAnotherKeyIsNotComparedAndNothingIsWritten() async throws {
        let stage = try Stage()
        try await stage.accept(record("0123456789abcdef0123456789abcdef.00000000"))
        let report = await stage.pass(system())
        #expect(report.problems.map(\.reason) == ["KeyChanged"])
        #expect(report.problems.first?.next?.contains("BELAY_KEY") == true)
        #expect(stage.world["web"].writes.isEmpty)
        let adopting = await stage.pass(system(), stage.options(adopts: true))
        #expect(adopting.problems.isEmpty, "somebody decided to begin anew")
    }

    @Test func whatWasRecordedWithThisKeyIsCompared() async throws {
        let stage = try Stage()
        let bytes = try #require(try await stage.store.hashKey(making: true))
        try await stage.accept(record(ConfigurationKey(bytes, seals: false).fingerprint("A", Secret("1"))))
        #expect(await stage.pass(system()).problems.isEmpty)
    }
}
