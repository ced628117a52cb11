import HTTPCore
import JSONValues
import Model
import ProviderContract
import ProviderKit
import Simulators
import Testing
import VercelProvider

@Suite struct VercelPinTests {
    @Test(
        arguments: [
            (.name("dpl_A"), "deployment:dpl_A", "a deployment's id"),
            (.deployment("dpl_A"), "deployment:dpl_A", "the same, said so"),
            (.name("podcast-web-a.vercel.app"), "deployment:dpl_A", "a deployment's host name"),
            (.name("https://podcast-web-a.vercel.app"), "deployment:dpl_A", "its URL as it is copied from a browser"),
            (.name("aaaaaaa"), "commit:\(VercelStage.shaA)", "the first seven digits of a commit"),
            (.name(VercelStage.shaA), "commit:\(VercelStage.shaA)", "a whole commit"),
            (.commit("AAAAAAA0"), "commit:\(VercelStage.shaA)", "upper-case digits"),
        ] as [(Pin, String, Comment)])
    func aPinFindsItsRelease(_ pin: Pin, _ identity: String, _ why: Comment) async throws {
        let stage = try VercelStage.make(pin: pin)
        let observation = await stage.observe()
        let candidate = try #require(
            observation.candidates.first { $0.release.identities.contains { $0.description == identity } }, why)
        #expect(candidate.release.id == "dpl_A", why)
        #expect(candidate.routes.first?.verb == .undo, why)
    }

    @Test func aPinInPlaceCostsOneRequest() async throws {
        for pin in [Pin.name("dpl_C"), .name("ccccccc"), .commit(VercelStage.shaC)] {
            let stage = try VercelStage.make(pin: pin)
            let observation = await stage.observe()
            #expect(observation.settlement == .settled)
            #expect(stage.world.transport.received.count == 1, "\(pin)")
        }
    }

    @Test func aPinThatNobodyKnowsListsWhatThereIs() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_Nowhere"))
        let observation = await stage.observe()
        #expect(observation.candidate("dpl_Nowhere") == nil)
        #expect(observation.candidates.map(\.release.id) == ["dpl_S", "dpl_C", "dpl_B", "dpl_A"])
    }

    @Test(arguments: [(Pin.image("shop:v1"), "shop:v1", "images"), (.revision(12), "12", "revisions")])
    func aPinOfAnotherKindIsRefusedForWhatItIs(_ pin: Pin, _ name: String, _ kind: String) async throws {
        let stage = try VercelStage.make(pin: pin)
        let observation = await stage.observe()
        #expect(observation.live.declared?.id == "dpl_C")
        let candidate = try #require(observation.candidate(name))
        #expect(candidate.release.label == pin.description)
        #expect(
            candidate.routes.map(\.refusal?.description) == ["vercel/web: Vercel has no \(kind); pin a deployment id, a URL or a commit"])
        #expect(await stage.observe(depth: .history).candidates.map(\.release.id) == ["dpl_S", "dpl_C", "dpl_B", "dpl_A"])
    }

    @Test func anUnreadableLookupIsUnknownAndNotAMissingRelease() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_P"))
        stage.inject(Fault(path: "/v13/deployments/dpl_P", .answer(status: 500, headers: [:], body: "")))
        #expect(await stage.observe().live.problem?.reason == "ProviderError")
    }

    @Test func theHistoryIsReadPageByPage() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C")) { project in
            var all = project["deployments"]?.elements ?? []
            for number in 0..<230 { all.append(["id": .string("dpl_Old\(number)"), "minutesAgo": .integer(1000 + number)]) }
            project["deployments"] = .array(all)
        }
        let observation = await stage.observe(depth: .history)
        #expect(observation.candidates.count == 234)
        #expect(
            observation.candidates.map(\.release.created)
                == observation.candidates.map(\.release.created).sorted { ($0 ?? .zero) > ($1 ?? .zero) })
        #expect(stage.world.transport.received.count == 4)
    }

    @Test func aCursorThatDoesNotAdvanceEndsTheReading() async throws {
        let stage = try VercelStage.make(pin: .name("dpl_C")) { project in
            var all = project["deployments"]?.elements ?? []
            for number in 0..<230 { all.append(["id": .string("dpl_Old\(number)"), "minutesAgo": .integer(1000 + number)]) }
            project["deployments"] = .array(all)
            project["stuckCursor"] = true
        }
        let problem = await stage.observe(depth: .history).live.problem
        #expect(problem?.message == "vercel/web: no answer while listing deployments: the answer has no cursor that advances")
        #expect(stage.world.transport.received.count < 5)
    }

    @Test func aShortCommitIsFoundOnALaterPage() async throws {
        let stage = try VercelStage.make(pin: .name("aaaaaaa")) { project in
            var all = project["deployments"]?.elements ?? []
            for number in 0..<130 { all.append(["id": .string("dpl_New\(number)"), "minutesAgo": .integer(105 + number / 2)]) }
            project["deployments"] = .array(all)
        }
        #expect(await stage.observe().route(to: "dpl_A")?.verb == .undo)
    }
}

extension Timestamp {
    fileprivate static let zero = Timestamp(millisecondsSinceEpoch: 0)
}
