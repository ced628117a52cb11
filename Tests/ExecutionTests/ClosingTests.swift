import Model
import State
import TestDoubles
import Testing

/// What the end of a transition records.
@Suite struct ClosingTests {
    @Test func whatTheReceiptsOfAnInterruptedPassToldOfTheConfigurationIsKept() async {
        let web = ResourceID.component("web")
        let before = ReleaseRecord(
            resolution: .make(), quality: .servedUnverified, configuration: ["MODE": ConfigurationEntry(fingerprint: "slow")],
            reached: .example)
        let transition = Transition(
            id: "t1", revision: .example, start: [web: ArtifactIdentity(.image, "v2")], target: [web: .make()], directions: [:],
            obligations: [], opened: .example)
        let told = ["MODE": ConfigurationEntry(fingerprint: "fast", marker: "7")]
        let session = MemorySession([
            .accepted(.init(revision: .example, resolutions: [web: .make()], releases: [web: before])),
            .opened(.init(transition: transition, resolutions: [web: .make()])),
            .intent(.make()),
            // The pass ended here, and the next one finds everything in place.
            .receipt(.init(.make(), .tookEffect, configuration: told)),
        ])
        let pass = Pass(session: session)
        _ = await pass.run(pass.world(["web": .init(declared: "v2")]))
        #expect(session.state.transition == nil)
        #expect(session.state.configurations[web] == told)
        #expect(session.state.releases[web]?.last?.configuration == told)
    }
}
