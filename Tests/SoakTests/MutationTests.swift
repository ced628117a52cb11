import Testing

/// A soak proves something only if it sees what it looks for.
@Suite(.serialized) struct MutationTests {
    @Test(arguments: [
        (Mutation.sendsTwice, "one write had two effects"),
        (.forgetsReceipts, "a write is open still"),
        (.forgetsIntents, "no write was announced"),
        (.deniesEffects, "a write that is recorded as void had effects"),
        (.isUnfenced, "no write was announced"),
        (.losesWrites, "is not in place"),
        (.fidgets, "were sent while everything was in sync"),
    ]) func aSoakSeesWhatBelayWouldDoWrong(_ mutation: Mutation, _ words: String) async throws {
        let soak = try Soak(seed: 1, mutation: mutation)
        let round = Soak.Round(storm: .zero, settling: .seconds(120), quiet: .seconds(mutation == .fidgets ? 330 : 60))
        _ = try await soak.run([round], beginning: .seconds(120))
        #expect(soak.story.failures.contains { $0.contains(words) }, "\(soak.story.failures)")
    }

    @Test(arguments: [
        (Mutation.leaksDescriptors, "open files: "), (.leaksSleepers, "sleeping tasks: "), (.leaksTasks, "memory: "),
        (.leaksMemory, "memory: "),
    ]) func aSoakSeesWhatIsLeftBehind(_ mutation: Mutation, _ words: String) async throws {
        let soak = try Soak(seed: 5, mutation: mutation)
        let findings = try await soak.run(Array(repeating: SoakTests.hour, count: 3), isChanging: false)
        let problems = Finding.growth(in: findings, bytes: SoakTests.bytesAnHour)
        #expect(problems.contains { $0.hasPrefix(words) }, "\(problems) \(findings)")
        #expect(soak.story.failures.isEmpty, "\(soak.story.failures)")
    }
}
