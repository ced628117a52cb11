import FoundationEssentials
import Synchronization
import TestDoubles
import TestPrograms
import Testing

/// Long runs of the loop in which much goes wrong, in virtual time. `make soak` runs a day of it for several seeds; a run of another seed:
/// `BELAY_SEED=7 SWIFT_DETERMINISTIC_HASHING=1 swift test --filter SoakTests`.
@Suite(.serialized) struct SoakTests {
    private static let variables = ProcessInfo.processInfo.environment
    private static let isLong = variables["BELAY_LONG"] == "1"
    static let seeds: [UInt64] = variables["BELAY_SEED"].flatMap { UInt64($0) }.map { [$0] } ?? (isLong ? [1, 2, 3] : [1, 2])

    /// A day, or two hours.
    private static let rounds: [Soak.Round] =
        isLong
        ? Array(repeating: .init(storm: .seconds(5 * 3600), settling: .seconds(2400), quiet: .seconds(1200)), count: 4)
        : Array(repeating: .init(storm: .seconds(1500), settling: .seconds(1200), quiet: .seconds(600)), count: 2)

    @Test(arguments: SoakTests.seeds) func hoursOfFaultsEndInSyncWithEveryEffectOnceAndNothingLeft(seed: UInt64) async throws {
        let soak = try Soak(seed: seed)
        let start = ContinuousClock.now
        let findings = try await soak.run(Self.rounds) { finding in
            guard Self.isLong else { return }
            print(
                "seed \(seed): \(soak.time.now.offset) in \(ContinuousClock.now - start), \(soak.passes.withLock { $0 }) passes, \(finding)"
            )
        }
        Self.expectNoGrowth(findings, kilobytesPerRound: Self.isLong ? 30_000 : 10_000)
        #expect(soak.passes.withLock { $0 } > 200 && soak.network.writes > 50, "nothing happened")
        Self.expectNoFailure(soak)
    }

    /// Nothing is written and no journal grows, so that nothing may.
    @Test func hoursOfResyncsTakeNoMore() async throws {
        let soak = try Soak(seed: 5)
        let hour = Soak.Round(storm: .zero, settling: .seconds(600), quiet: .seconds(3000))
        let findings = try await soak.run(Array(repeating: hour, count: Self.isLong ? 24 : 2), isChanging: false)
        Self.expectNoGrowth(findings, kilobytesPerRound: 300)
        Self.expectNoFailure(soak)
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

    private static func expectNoFailure(_ soak: Soak) {
        #expect(
            soak.story.failures.isEmpty,
            """
            BELAY_SEED=\(soak.seed) tells the same story again (with SWIFT_DETERMINISTIC_HASHING=1)
            \(soak.story.failures.joined(separator: "\n"))
            what was before:
            \(soak.story.scene)
            """)
    }

    /// From the first calm to the last one.
    ///
    /// - Parameter kilobytesPerRound: for what the vendors' books and the journals grow by.
    private static func expectNoGrowth(_ findings: [Soak.Finding], kilobytesPerRound: Int) {
        guard let first = findings.first, let last = findings.last else { return }
        let rounds = findings.count - 1
        #expect(last.usage.descriptors <= first.usage.descriptors, "\(findings)")
        #expect(last.sleepers <= first.sleepers, "\(findings)")
        #expect(last.usage.kilobytes <= first.usage.kilobytes + 2000 + rounds * kilobytesPerRound, "\(findings)")
    }
}
