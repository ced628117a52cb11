import Execution
import Model
import State
import TestDoubles
import Testing

struct IntentSettlementTests {
    private let web = ResourceID.component("web")

    @Test(
        arguments: [
            (IntentFate.tookEffect, [.receipt(.init(.make(), .tookEffect))], "its effect is seen"),
            (.void, [.receipt(.init(.make(), .void))], "it may be sent again"), (.inFlight, [], "its effect is still to come"),
            (.undecided("?"), [], "nobody knows"), (nil, [], "nobody said"),
        ] as [(IntentFate?, [JournalEntry], Comment)])
    func anOpenIntentIsClosedByWhatIsSeen(case arguments: (fate: IntentFate?, entries: [JournalEntry], why: Comment)) async throws {
        let session = MemorySession([.intent(.make())])
        var observation = Observation(live: .nothing)
        observation.fate = arguments.fate
        let state = try await session.settleIntents(in: World(components: [web: observation]), at: .example)
        #expect(Array(session.written.dropFirst()) == arguments.entries, arguments.why)
        #expect(state.openIntents.isEmpty == !arguments.entries.isEmpty)
    }

    @Test func anInSyncFirstContactIsTheBaseline() async {
        let pass = Pass(system: .make(.make("web", "v1")))
        let plan = await pass.planned(pass.world())
        guard case .accepted(let accepted)? = acceptance(of: plan, for: pass.system, recorded: pass.session.state, at: .example) else {
            Issue.record("nothing was accepted")
            return
        }
        #expect(accepted.revision == .example)
        #expect(accepted.releases[web]?.quality == .servedUnverified)
        #expect(accepted.resolutions[web]?.identity == ArtifactIdentity(.image, "v1"))
    }

    @Test func whatIsKnownIsNotAcceptedAgain() async throws {
        let pass = Pass(system: .make(.make("web", "v1")))
        let plan = await pass.planned(pass.world())
        let entry = try #require(acceptance(of: plan, for: pass.system, recorded: pass.session.state, at: .example))
        try await pass.session.append(entry, at: .example)
        #expect(acceptance(of: plan, for: pass.system, recorded: pass.session.state, at: .example) == nil)
        var newer = plan
        newer.revision = Revision(.commit, String(repeating: "b", count: 40))
        #expect(acceptance(of: newer, for: pass.system, recorded: pass.session.state, at: .example) != nil)
    }

    @Test func aPlanWithStepsIsNotABaseline() async {
        let pass = Pass()
        let plan = await pass.planned(pass.world())
        #expect(acceptance(of: plan, for: pass.system, recorded: pass.session.state, at: .example) == nil)
    }
}
