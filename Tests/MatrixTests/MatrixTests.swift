import ControlLoop
import Planning
import Simulators
import Testing

/// Whatever befalls a write, the passes after it end where they would have ended, and the write has taken effect once.
@Suite struct MatrixTests {
    @Test(arguments: Write.vercel, Trouble.allCases)
    func aWriteToVercelHasOneEffectWhateverBefallsIt(_ write: Write, _ trouble: Trouble) async throws { try await check(write, trouble) }

    @Test(arguments: Write.kubernetes, Trouble.allCases)
    func aWriteToKubernetesHasOneEffectWhateverBefallsIt(_ write: Write, _ trouble: Trouble) async throws {
        try await check(write, trouble)
    }

    @Test(arguments: Write.fly, Trouble.allCases)
    func aWriteToFlyHasOneEffectWhateverBefallsIt(_ write: Write, _ trouble: Trouble) async throws { try await check(write, trouble) }

    @Test(arguments: Write.render, Trouble.allCases)
    func aWriteToRenderHasOneEffectWhateverBefallsIt(_ write: Write, _ trouble: Trouble) async throws { try await check(write, trouble) }

    private func check(_ write: Write, _ trouble: Trouble) async throws {
        let stage = try Stage(write.world, variables: write.variables)
        if let first = write.first {
            let ended = try await stage.reconcile(first)
            try #require(ended.report.verdict == .inSync, "the first spec: \(ended.report.problems)")
        }
        let before = await stage.effects()
        stage.wire.faults.add(write.fault(trouble))
        let ended = try await stage.reconcile(write.second)
        let story = "\(ended.passes) passes; \(ended.report.problems); \(try await stage.journal())"
        #expect(stage.wire.faults.isEmpty, "the write was not made: \(story)")
        #expect(ended.report.verdict == .inSync && ended.report.openTransition == nil, "\(story)")
        var effects = await stage.effects()
        for effect in before { effects.firstIndex(of: effect).map { _ = effects.remove(at: $0) } }
        #expect(effects.sorted() == write.effects.sorted(), "\(story)")
        let facts = await stage.facts()
        for fact in write.holds { #expect(facts.contains(fact), "\(facts); \(story)") }

        let (sent, records) = (stage.sentWrites, try await stage.journal().count)
        let again = try await stage.reconcile(write.second, passes: 1)
        #expect(again.report.verdict == .inSync && stage.sentWrites == sent, "it does not stay: \(again.report.problems)")
        let added = try await stage.journal().dropFirst(records)
        #expect(added.isEmpty, "it does not stay")
    }
}
