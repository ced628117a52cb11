import Model
import State
import Testing

@Suite struct ForgettingTests {
    private let web = ResourceID.component("web")
    private let api = ResourceID.component("api")

    /// Everything that can be recorded of a component.
    private func entries(_ resource: ResourceID) -> [JournalEntry] {
        let fence = Fence(name: "autoDeploy", previous: "yes", set: "no", target: "{}", provider: "render")
        var record = ReleaseRecord.make()
        record.configuration = ["A": ConfigurationEntry(fingerprint: "f", marker: "m", sealed: "s")]
        return [
            .accepted(.init(revision: .make("1"), resolutions: [resource: .make()], releases: [resource: .make()])),
            .intent(.make("i-\(resource.name)", resource)), .reached(.init(resource, record)), .fence(.init(resource, .raised, fence)),
            .drift(Drift(resource: resource, expected: "v2", found: "v3", identity: ArtifactIdentity(.image, "v3"), cause: nil)),
        ]
    }

    private func state(_ entries: [JournalEntry]) -> RecordedState {
        var state = RecordedState()
        for entry in entries { state.apply(entry) }
        return state
    }

    @Test func aForgottenComponentIsAsIfItHadNeverBeenThere() {
        let both = state(entries(api) + entries(web) + [.forgotten(.init(web))])
        #expect(both == state(entries(api)))
        #expect(state(entries(web) + [.forgotten(.init(web))]).isKnown, "the system is known all the same")
    }

    @Test func nothingIsOwedForItAnyMore() {
        let opened = JournalEntry.opened(
            .init(transition: .make(obligations: [.check(web), .check(api), .systemChecks]), resolutions: [:]))
        #expect(state([opened, .forgotten(.init(web))]).transition?.obligations == [.check(api), .systemChecks])
    }

    @Test(arguments: [true, false])
    func itIsReadBackFromTheJournal(leavesFence: Bool) async throws {
        let directory = try TemporaryDirectory()
        let entries = entries(web) + [.forgotten(.init(web, leavesFence: leavesFence))]
        let session = try await directory.store().lock(.make(), patience: .seconds(5), clock: ContinuousClock())
        for entry in entries { try await session.append(entry, at: .example) }
        await session.release()
        #expect(try await directory.store().history().map(\.entry) == entries)
        #expect(try await directory.store().load() == state(entries))
    }
}
