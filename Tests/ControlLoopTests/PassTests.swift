import ControlLoop
import Execution
import FoundationEssentials
import Model
import Planning
import ProviderKit
import Reporting
import Sources
import State
import TestDoubles
import Testing
import TextLayout

struct PassTests {
    @Test func anInSyncFirstContactRecordsTheBaseline() async throws {
        let stage = try Stage()
        let report = await stage.pass(.make(.make("web", "v1")))
        #expect(report.verdict == .inSync && report.problems.isEmpty && report.again == nil)
        #expect(try await stage.journal() == ["accepted"])
        #expect(try await stage.store.load().accepted == .example)
        #expect(await stage.pass(.make(.make("web", "v1"))).verdict == .inSync)
        #expect(try await stage.journal() == ["accepted"], "nothing new")
    }

    @Test func aFirstContactThatWouldChangeSomethingIsRefusedUntilItIsAdopted() async throws {
        let stage = try Stage(["web": .init(), "api": .init()])
        let system = System.make(.make("web"), .make("api"))
        let refused = await stage.pass(system)
        #expect(refused.verdict == .blocked && refused.again == nil && refused.result == nil)
        #expect(
            refused.problems == [
                Problem(
                    "FirstContact",
                    "default/shop: Belay has no record of this system, and its first contact would make 2 changes",
                    next: "check the plan and that this is the right place of its state, then add --adopt")
            ])
        #expect(stage.world["web"].writes.isEmpty && stage.world["api"].writes.isEmpty)
        #expect(try await stage.journal().isEmpty)
        let adopted = await stage.pass(system, stage.options(adopts: true))
        #expect(adopted.verdict == .inSync)
        #expect(stage.world["web"].effects.count == 1 && stage.world["api"].effects.count == 1)
    }

    @Test func anOlderRevisionIsRefusedUntilItIsForced() async throws {
        let stage = try Stage()
        try await stage.accept()
        let refused = await stage.pass(at: .older, relation: .descendant)
        #expect(refused.verdict == .blocked && refused.verdict.exitStatus == 3)
        #expect(refused.problems.map(\.reason) == ["OlderRevision"])
        #expect(stage.world["web"].writes.isEmpty)
        #expect(try await stage.store.load().accepted == .example)
        let forced = await stage.pass(at: .older, relation: .descendant, stage.options(forces: true))
        #expect(forced.verdict == .inSync)
        #expect(try await stage.store.load().accepted == .older)
    }

    @Test(
        arguments: [
            (.descendant, "OlderRevision", nil, "it is older: refused"), (.ancestor, nil, nil, "it is newer"),
            (nil, nil, "note: whether bbbbbbbbbbbb is older than aaaaaaaaaaaa", "nobody knows: reconciled as before, and said"),
        ] as [(RevisionRelation?, String?, String?, String)])
    func whereOnlyTheRemoteKnowsTheOrderItIsAsked(asked: RevisionRelation?, refusal: String?, note: String?, why: String) async throws {
        let stage = try Stage()
        try await stage.accept(at: .older)
        let report = await stage.pass(at: .example, relation: .unknown, asked: asked)
        #expect(report.problems.first?.reason == refusal, "\(why)")
        #expect(stage.world["web"].writes.isEmpty == (refusal != nil), "\(why)")
        let text = report.text(.plain)
        if let note { #expect(text.contains(note), "\(why): \(text)") } else { #expect(!text.contains("note: "), "\(why): \(text)") }
    }

    @Test func anOlderRevisionIsRefusedEvenWhenItWouldChangeNothing() async throws {
        let stage = try Stage()
        try await stage.accept()
        #expect(await stage.pass(.make(.make("web", "v1")), at: .older, relation: .descendant).verdict == .blocked)
        #expect(try await stage.store.load().accepted == .example)
    }

    @Test func aProviderThatCannotBeUsedMakesItsOwnComponentUnknownAndNoOther() async throws {
        let stage = try Stage()
        try await stage.accept()
        let docs = Component(name: "docs", target: BarredTarget(identity: "docs"), release: .name("v2"))
        let report = await stage.pass(.make(.make(), docs))
        #expect(report.verdict == .failure && report.problems == [.tokenMissing] && report.again == nil)
        #expect(report.survey?.world.components[.component("docs")]?.live == .unknown(.tokenMissing))
        #expect(stage.world["web"].effects.count == 1)
        #expect(report.openTransition != nil, "the system is not at its pins")
    }

    @Test func whoHoldsTheLockIsNamed() async throws {
        let stage = try Stage()
        let session = try await stage.store.lock(.make(), patience: .seconds(5), clock: ContinuousClock())
        let report = await stage.pass()
        await session.release()
        #expect(report.verdict == .blocked && report.survey == nil)
        #expect(
            report.problems == [
                Problem(
                    "Locked",
                    "the state in \(stage.directory.path) is locked by ann@build-7, process 4711 (reconcile --once), "
                        + "since \(Timestamp.example); it is free as soon as that process ends",
                    next: "try again when it has ended")
            ])
        #expect(stage.world["web"].looks.isEmpty)
    }

    @Test func aDamagedJournalFailsAndNothingIsWritten() async throws {
        let stage = try Stage()
        try await stage.accept()
        let journal = URL(filePath: stage.directory.journal)
        let damaged = Data("not a record\n".utf8) + (try Data(contentsOf: journal))
        try damaged.write(to: journal)
        let report = await stage.pass()
        #expect(report.verdict == .failure && report.again == nil)
        #expect(report.problems.map(\.reason) == ["JournalDamaged"])
        #expect(stage.world["web"].writes.isEmpty)
        #expect(try Data(contentsOf: journal) == damaged)
    }

    @Test func anOpenIntentIsSettledBeforeAnythingIsPlanned() async throws {
        let stage = try Stage()
        try await stage.accept(.intent(.example))
        let report = await stage.pass()
        #expect(report.verdict == .inSync)
        #expect(report.survey?.recorded.openIntents.isEmpty == true)
        #expect(
            try await stage.journal()
                == [
                    "accepted", "intent", "receipt void", "opened", "intent", "receipt accepted", "receipt tookEffect", "reached", "closed",
                ])
    }

    @Test func nothingIsSentWhileTheFateOfAWriteIsOpen() async throws {
        let stage = try Stage(look: { _, _, observation in
            var observation = observation
            observation.fate = .undecided("no trace yet")
            return observation
        })
        try await stage.accept(.intent(.example))
        let report = await stage.pass()
        #expect(report.verdict == .failure && report.again == .soon)
        #expect(report.problems.map(\.reason) == ["AnswerLost"])
        #expect(stage.world["web"].writes.isEmpty)
        #expect(try await stage.journal() == ["accepted", "intent"])
    }

    struct Trouble: Sendable, CustomTestStringConvertible {
        var why: String
        var problems: [Problem]
        var again: PassReport.Again?
        var testDescription: String { why }
    }

    static let troubles = [
        Trouble(why: "a server's error often passes", problems: [.unreachable], again: .afterBackoff(atLeast: nil)),
        Trouble(
            why: "so does a lost connection", problems: [Problem("ProviderUnreachable", "no answer")], again: .afterBackoff(atLeast: nil)),
        Trouble(why: "a rejected token does not", problems: [Problem("Unauthorized", "401")]),
        Trouble(
            why: "somebody said when", problems: [Problem("RateLimited", "429", retryAfter: .seconds(7))],
            again: .afterBackoff(atLeast: .seconds(7))),
        Trouble(
            why: "the longest time asked for counts",
            problems: [Problem("RateLimited", "429", retryAfter: .seconds(7)), Problem("Busy", "503", retryAfter: .seconds(9))],
            again: .afterBackoff(atLeast: .seconds(9))),
        Trouble(why: "one that stays is enough to stop", problems: [.unreachable, Problem("NotFound", "404")]),
    ]

    @Test(arguments: troubles)
    func whatPassesByItselfIsWorthAnotherPass(case example: Trouble) async throws {
        let names = example.problems.indices.map { "c\($0)" }
        let stage = try Stage(look: { place, _, observation in
            names.firstIndex(of: place).map { .unknown(example.problems[$0]) } ?? observation
        })
        try await stage.accept()
        var system = System.make()
        system.components = names.map { .make($0) }
        let report = await stage.pass(system)
        #expect(report.verdict == .failure)
        #expect(report.problems == example.problems)
        #expect(report.again == example.again)
    }

    @Test func aWorldThatChangedSinceItWasPlannedIsPlannedAnew() async throws {
        let stage = try Stage(look: { _, number, observation in
            var observation = observation
            if number == 2 { observation.live = .release(declared: .fake("v3"), serving: [.fake("v3")]) }
            return observation
        })
        try await stage.accept()
        let report = await stage.pass()
        #expect(report.problems.map(\.reason) == ["WorldChanged"])
        #expect(report.again == .afterBackoff(atLeast: nil))
        #expect(await stage.pass().verdict == .inSync)
    }

    @Test func aPassThatANewerRevisionSupersededIsNotMadeAgain() async throws {
        let stage = try Stage()
        try await stage.accept()
        let report = await stage.pass(stage.options(isSuperseded: { true }))
        #expect(report.verdict == .blocked && report.again == nil)
        #expect(
            report.problems == [
                Problem(
                    "Superseded", "default/shop: a newer revision than bbbbbbbbbbbb is there; what was not begun is left to it",
                    next: "run it again with the newer revision")
            ])
        #expect(report.text(.plain).hasPrefix("■ default/shop: left to a newer revision\n"))
        #expect(stage.world["web"].writes.isEmpty)
    }

    @Test func healthRunsEveryCheckSideBySide() async throws {
        let stage = try Stage(["web": .init(), "api": .init()], transport: FakeTransport.status(500))
        let system = System.make(.make("web", verify: [.example]), .make("api", verify: [.example]), verify: [.example])
        let report = try await stage.time.run { [reconciler = stage.reconciler] in
            try await reconciler.health(of: system, revision: .example, within: .seconds(20))
        }
        #expect(report.entries.map(\.component) == ["web", "api", nil])
        #expect(report.entries.allSatisfy { !$0.isHealthy && $0.checks.count == 1 })
        #expect(stage.time.now.offset == .seconds(20))
        #expect(try await stage.journal().isEmpty)
    }
}

extension Stage {
    fileprivate func pass(_ options: PassOptions) async -> PassReport { await pass(.make(), options) }
}
