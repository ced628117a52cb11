import FakeCluster
import JSONValues
import KubernetesAPI
import Model
import Synchronization
import TestDoubles
import Testing

@testable import Leases

/// Several processes and one Lease, in a time that passes when everybody sleeps.
@Suite(.timeLimit(.minutes(1))) struct ElectionTests {
    static let path = "/apis/coordination.k8s.io/v1/namespaces/belay-system/leases/belay-leader"

    /// What one candidate was, and when, in seconds.
    struct Moment: Sendable, Equatable {
        var isLeader: Bool
        var second: Int64
    }

    /// A candidate that keeps a diary.
    final class Candidate: Sendable {
        let elector: LeaderElector
        private let time: VirtualTime
        private let start: VirtualTime.Instant
        private let diary = Mutex<[Moment]>([])

        /// - Parameter skew: of its clock, against everybody else's.
        init(_ name: String, on cluster: FakeCluster, _ time: VirtualTime, skew: Duration = .zero) throws {
            self.time = time
            start = time.now
            elector = LeaderElector(
                try cluster.client(), namespace: "belay-system", identity: name, clock: time,
                now: {
                    Timestamp(
                        millisecondsSinceEpoch: 1_795_392_000_000
                            + Int64(VirtualTime.Instant(offset: .zero).duration(to: time.now) / .milliseconds(1))) + skew
                },
                jitter: { 0 })
        }

        func run() async {
            await elector.run { standing in
                let moment = Moment(isLeader: standing.isLeader, second: start.duration(to: time.now).components.seconds)
                diary.withLock { if $0.last?.isLeader != moment.isLeader { $0.append(moment) } }
            }
        }

        var moments: [Moment] { diary.withLock { $0 } }
        var isLeader: Bool { elector.standing.isLeader }
    }

    /// Runs candidates beside `body`, and ends them with it.
    private func run(
        _ candidates: [Candidate], on time: VirtualTime, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for candidate in candidates { group.addTask { await candidate.run() } }
            try await body()
            group.cancelAll()
        }
    }

    @Test func oneOfManyLeads() async throws {
        let time = VirtualTime()
        try await time.run {
            let cluster = FakeCluster()
            let candidates = try (1...4).map { try Candidate("c\($0)", on: cluster, time) }
            try await run(candidates, on: time) {
                for _ in 0..<30 {
                    try await time.sleep(for: .seconds(2))
                    #expect(candidates.filter(\.isLeader).count == 1)
                }
                let leader = try #require(candidates.first(where: \.isLeader)?.elector.identity)
                #expect(candidates.allSatisfy { $0.elector.standing.leader == leader })
            }
            #expect(candidates.map(\.moments.count).reduce(0, +) <= 5, "the lead did not change")
        }
    }

    /// The follower's clock says that the lease ended long ago, or that it will in an hour: neither is asked.
    @Test(arguments: [Duration.seconds(-3600), .zero, .seconds(3600)])
    func aDeadLeaderIsFollowedAfterItsLeaseWhateverTheClocksSay(_ skew: Duration) async throws {
        let time = VirtualTime()
        try await time.run {
            // As a power cut ends it: nothing is given back.
            let cluster = FakeCluster { sent, _ in sent.json["spec"]?["leaseDurationSeconds"] == 1 ? .lostBefore : nil }
            let first = try Candidate("a", on: cluster, time)
            let second = try Candidate("b", on: cluster, time, skew: skew)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let dying = Task(executorPreference: time) { await first.run() }
                try await time.sleep(for: .seconds(1))
                group.addTask { await second.run() }
                try await time.sleep(for: .seconds(20))
                #expect(first.isLeader && !second.isLeader)
                let died = time.now
                dying.cancel()
                while !second.isLeader { try await time.sleep(for: .milliseconds(500)) }
                let took = died.duration(to: time.now)
                #expect(took > .seconds(10) && took <= .seconds(18), "\(took)")
                #expect(cluster[Self.path]?["spec"]?["holderIdentity"] == "b")
                #expect(cluster[Self.path]?["spec"]?["leaseTransitions"]?.integer ?? 0 >= 1)
                group.cancelAll()
            }
        }
    }

    @Test func aLeaderThatCannotRenewCeasesBeforeAnybodyElseBegins() async throws {
        let time = VirtualTime()
        try await time.run {
            let isCutOff = Mutex(false)
            let far = FakeCluster { _, _ in isCutOff.withLock { $0 } ? .lostBefore : nil }
            let first = try Candidate("a", on: far, time)
            try await run([first], on: time) {
                try await time.sleep(for: .seconds(20))
                #expect(first.isLeader)
                isCutOff.withLock { $0 = true }
                let cut = time.now
                while first.isLeader { try await time.sleep(for: .milliseconds(100)) }
                let took = cut.duration(to: time.now)
                #expect(took > .seconds(7) && took <= .seconds(11), "\(took)")
                #expect(first.elector.standing.trouble?.reason == "LeaseUnusable")
                // The way is there again, and nobody took it meanwhile.
                isCutOff.withLock { $0 = false }
                try await time.sleep(for: .seconds(20))
                #expect(first.isLeader && first.elector.standing.trouble == nil)
            }
        }
    }

    @Test func aLeaderThatEndsGivesTheLeadBackAtOnce() async throws {
        let time = VirtualTime()
        try await time.run {
            let cluster = FakeCluster()
            let first = try Candidate("a", on: cluster, time)
            let second = try Candidate("b", on: cluster, time)
            try await withThrowingTaskGroup(of: Void.self) { group in
                let ending = Task(executorPreference: time) { await first.run() }
                try await time.sleep(for: .seconds(1))
                group.addTask { await second.run() }
                try await time.sleep(for: .seconds(5))
                ending.cancel()
                await ending.value
                #expect(!first.isLeader && cluster[Self.path]?["spec"]?["holderIdentity"] != "a", "nobody has it, or the other one by now")
                let given = time.now
                while !second.isLeader { try await time.sleep(for: .milliseconds(100)) }
                #expect(given.duration(to: time.now) <= .seconds(3))
                group.cancelAll()
            }
        }
    }

    @Test(arguments: [FakeCluster.Fault.lostBefore, .lostAfter, .delayed, .answer(500, reason: "InternalError", message: "leader changed")])
    func answersThatAreLostNowAndThenChangeNothing(_ fault: FakeCluster.Fault) async throws {
        let time = VirtualTime()
        try await time.run {
            let cluster = FakeCluster { _, number in number % 3 == 1 ? fault : nil }
            let candidate = try Candidate("a", on: cluster, time)
            try await run([candidate], on: time) {
                try await time.sleep(for: .seconds(10))
                for _ in 0..<50 {
                    try await time.sleep(for: .seconds(1))
                    #expect(candidate.isLeader)
                }
                // What was on its way so long changes nothing that is new.
                #expect(cluster.deliver().allSatisfy { $0 == 409 })
            }
        }
    }

    @Test func aVerbThatIsMissingIsSaid() async throws {
        let time = VirtualTime()
        try await time.run {
            let cluster = FakeCluster { sent, _ in sent.verb == "create" ? .answer(403, reason: "Forbidden", message: "no") : nil }
            let candidate = try Candidate("a", on: cluster, time)
            try await run([candidate], on: time) {
                try await time.sleep(for: .seconds(5))
                let trouble = try #require(candidate.elector.standing.trouble)
                #expect(trouble.message.hasPrefix("lease belay-leader in namespace belay-system: 403 while creating"))
                #expect(trouble.next == "grant user ann the verb create on leases.coordination.k8s.io in namespace belay-system")
                #expect(!candidate.isLeader)
            }
        }
    }

    @Test func theLeaseIsOneThatKubernetesKnows() async throws {
        let time = VirtualTime()
        try await time.run {
            let cluster = FakeCluster()
            let candidate = try Candidate("a", on: cluster, time)
            try await run([candidate], on: time) {
                try await time.sleep(for: .seconds(5))
                #expect(cluster[Self.path]?["spec"]?["leaseDurationSeconds"] == 15)
                #expect(cluster[Self.path]?["spec"]?["acquireTime"] == "2026-11-23T00:00:00.000000Z")
                #expect(cluster[Self.path]?["spec"]?["renewTime"] == "2026-11-23T00:00:04.000000Z")
            }
        }
    }

    @Test(arguments: [
        (LeaseTiming(), nil),
        (LeaseTiming(lease: .seconds(10)), "the lease must be longer than the time for its renewal"),
        (
            LeaseTiming(retry: .seconds(9)),
            "the time for a renewal must be longer than six fifths of the pause between two tries"
        ),
        (
            LeaseTiming(lease: .milliseconds(900), renewal: .milliseconds(500), retry: .milliseconds(100)),
            "the lease must last for a second at least"
        ),
    ]) func timesThatDoNotGoTogetherAreRefused(_ timing: LeaseTiming, _ mistake: String?) {
        #expect(timing.mistake == mistake)
    }
}
