import FoundationEssentials
import Synchronization
import Testing

/// Long runs of the loop in which much goes wrong, in virtual time. `make soak` runs a day of it for several seeds; a run with other seeds:
/// `BELAY_SEED=7 swift test --filter SoakTests`.
@Suite(.serialized) struct SoakTests {
    private static let variables = ProcessInfo.processInfo.environment
    private static let isLong = variables["BELAY_LONG"] == "1"
    static let seeds: [UInt64] = variables["BELAY_SEED"].flatMap { UInt64($0) }.map { [$0] } ?? (isLong ? [1, 2, 3, 4, 5, 6] : [1, 2])

    /// A day, or two hours.
    private static var rounds: [Soak.Round] {
        isLong
            ? Array(repeating: .init(storm: .seconds(5 * 3600), settling: .seconds(2400), quiet: .seconds(1200)), count: 4)
            : Array(repeating: .init(storm: .seconds(1800), settling: .seconds(1200), quiet: .seconds(600)), count: 2)
    }

    @Test(arguments: SoakTests.seeds) func hoursOfFaultsEndInSyncWithEveryEffectOnceAndNothingLeft(seed: UInt64) async throws {
        let soak = try Soak(seed: seed)
        let start = ContinuousClock.now
        let findings = try await soak.run(Self.rounds)
        print(
            "seed \(seed): \(soak.passes.withLock { $0 }) passes, \(soak.network.requests) requests, \(ContinuousClock.now - start), \(findings)"
        )
        #expect(
            soak.story.failures.isEmpty,
            """
            BELAY_SEED=\(seed) tells the same story again (with SWIFT_DETERMINISTIC_HASHING=1)
            \(soak.story.failures.joined(separator: "\n"))
            what was before:
            \(soak.story.scene)
            """)
    }

    @Test func aSeedTellsTheSameStoryEveryTime() async throws {
        let round = Soak.Round(storm: .seconds(900), settling: .seconds(300), quiet: .seconds(60))
        var digests: Set<String> = []
        for _ in 0..<2 {
            let soak = try Soak(seed: 11)
            _ = try await soak.run([round])
            digests.insert(soak.story.digest)
        }
        #expect(digests.count == 1, "\(digests)")
    }
}
