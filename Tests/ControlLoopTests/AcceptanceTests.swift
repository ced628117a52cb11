import Model
import Planning
import Sources
import State
import TestDoubles
import Testing

@testable import ControlLoop

/// Which revision counts as reconciled last: an older one is refused from then on.
struct AcceptanceTests {
    private let newer = Revision(.commit, String(repeating: "c", count: 40))

    @Test func aPassThatOnlyWaitedAcceptsItsRevision() async throws {
        let stage = try Stage(
            ["web": .init(declared: "v2")],
            look: { _, number, observation in
                var observation = observation
                if number == 1 { observation.settlement = .progressing("1 of 2 replicas updated") }
                return observation
            })
        try await stage.accept()
        let report = await stage.pass(at: newer)
        #expect(report.verdict == .inSync)
        #expect(try await stage.store.load().accepted == newer)
        #expect(await stage.pass(at: .example, relation: .descendant).problems.map(\.reason) == ["OlderRevision"])
    }

    @Test func aWriteToATargetThatTheComponentHadBeforeIsLetGoOf() async throws {
        let stage = try Stage()
        var intent = Intent.example
        intent.resolution.scope = "vercel/acme/shop"
        try await stage.accept(.intent(intent))
        let report = await stage.pass()
        #expect(report.verdict == .inSync, "\(report.problems)")
        #expect(try await stage.journal().contains("receipt void"))
        #expect(try await stage.store.load().openIntents.isEmpty)
    }

    @Test func aPassThatEndsTheTransitionOfAnOlderRevisionAcceptsItsOwn() async throws {
        let stage = try Stage(["web": .init(declared: "v2")])
        let resolution = Resolution(pin: .name("v2"), identity: ArtifactIdentity(.image, "v2"), label: "v2", revision: .example)
        let transition = Transition(
            id: "t1", revision: .example, start: [:], target: [.component("web"): resolution], directions: [:], obligations: [],
            opened: .example)
        try await stage.accept(.opened(.init(transition: transition, resolutions: [.component("web"): resolution])))
        #expect(await stage.pass(at: newer).verdict == .inSync)
        let state = try await stage.store.load()
        #expect(state.accepted == newer)
        #expect(state.transition == nil)
        #expect(state.resolutions[.component("web")]?.revision == newer)
    }

    @Test func whatSomebodyBroughtBackIsDriftAgainTheNextTime() async throws {
        let stage = try Stage(["web": .init(declared: "v2")])
        #expect(await stage.pass().verdict == .inSync)
        let drift = Drift(
            resource: .component("web"), expected: "v2", found: "v9", identity: ArtifactIdentity(.image, "v9"), cause: nil)
        try await stage.accept(.drift(drift))
        #expect(try await stage.store.load().drifts.count == 1)
        #expect(await stage.pass().verdict == .inSync)
        #expect(try await stage.store.load().drifts.isEmpty)
    }

    @Test func aPassThatDidNotConvergeAcceptsNothing() async throws {
        let stage = try Stage(
            ["web": .init(declared: "v2")],
            look: { _, _, observation in
                var observation = observation
                observation.settlement = .failed(Problem("CrashLoopBackOff", "v2 crashes"))
                return observation
            })
        try await stage.accept()
        #expect(await stage.pass(at: newer).verdict == .failure)
        #expect(try await stage.store.load().accepted == .example)
    }
}
