import FakeCluster
import JSONValues
import KubernetesAPI
import Model
import Synchronization
import TestDoubles
import Testing

@testable import Leases

/// Several replicas, each with a Lease of its own, and the systems that they share.
@Suite(.timeLimit(.minutes(1))) struct ReplicasTests {
    static let systems = (0..<200).map { SystemID(namespace: "prod", name: "system-\($0)") }
    static let leases = "/apis/coordination.k8s.io/v1/namespaces/belay-system/leases/belay-replica-"

    private static func replica(_ name: String, on cluster: FakeCluster, _ time: VirtualTime) throws -> Replicas {
        Replicas(
            try cluster.client(), namespace: "belay-system", identity: name, clock: time,
            now: { Timestamp(millisecondsSinceEpoch: Int64(VirtualTime.Instant(offset: .zero).duration(to: time.now) / .milliseconds(1))) })
    }

    private static func owners(_ replicas: [Replicas]) -> [SystemID: [String]] {
        Dictionary(
            uniqueKeysWithValues: systems.map { system in
                (system, replicas.filter { $0.standing.gives(system, to: $0.identity) }.map(\.identity))
            })
    }

    @Test func everySystemHasOneReplicaAndNoneHasTooMany() async throws {
        let time = VirtualTime()
        try await time.run {
            let cluster = FakeCluster()
            let replicas = try ["a", "b", "c"].map { try Self.replica($0, on: cluster, time) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for replica in replicas { group.addTask { await replica.run { _ in } } }
                try await time.sleep(for: .seconds(10))
                let found = Self.owners(replicas).values.map { $0.joined(separator: " ") }
                for name in ["a", "b", "c"] {
                    let count = found.filter { $0 == name }.count
                    #expect(count > 40 && count < 95, "\(name) has \(count) of 200")
                }
                #expect(found.allSatisfy { ["a", "b", "c"].contains($0) }, "each has one")
                group.cancelAll()
            }
            #expect(cluster.paths.isEmpty, "whoever ends takes its Lease away")
        }
    }

    @Test func aReplicaThatDiesLeavesItsSystemsToTheOthersAndMovesNoOther() async throws {
        let time = VirtualTime()
        try await time.run {
            // As a power cut ends it: the first Lease that would be taken away stays.
            let removals = Tally()
            let cluster = FakeCluster { sent, _ in sent.verb == "delete" && removals.add() == 1 ? .lostBefore : nil }
            let replicas = try ["a", "b", "c"].map { try Self.replica($0, on: cluster, time) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for replica in replicas.dropLast() { group.addTask { await replica.run { _ in } } }
                let last = replicas[2]
                let dying = Task(executorPreference: time) { await last.run { _ in } }
                try await time.sleep(for: .seconds(10))
                let before = Self.owners(replicas)
                let died = time.now
                dying.cancel()
                try await time.sleep(for: .seconds(10))
                #expect(Self.owners(replicas.dropLast()).values.contains([]), "it is not given up too early")
                while replicas[0].standing.members != ["a", "b"] || replicas[1].standing.members != ["a", "b"] {
                    try await time.sleep(for: .milliseconds(500))
                }
                #expect(died.duration(to: time.now) < .seconds(20))
                let after = Self.owners(replicas.dropLast())
                for (system, owner) in before where owner != ["c"] { #expect(after[system] == owner) }
                #expect(after.values.allSatisfy { $0.count == 1 })
                // Some time later what it left is swept away.
                try await time.sleep(for: .seconds(400))
                #expect(cluster[Self.leases + "c"] == nil)
                group.cancelAll()
            }
        }
    }

    @Test func aReplicaThatComesGetsItsShareAndNothingElseMoves() async throws {
        let time = VirtualTime()
        try await time.run {
            let cluster = FakeCluster()
            let replicas = try ["a", "b", "c"].map { try Self.replica($0, on: cluster, time) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for replica in replicas.dropLast() { group.addTask { await replica.run { _ in } } }
                try await time.sleep(for: .seconds(10))
                let before = Self.owners(replicas)
                let last = replicas[2]
                group.addTask { await last.run { _ in } }
                try await time.sleep(for: .seconds(6))
                let after = Self.owners(replicas)
                let moved = Self.systems.filter { before[$0] != after[$0] }
                #expect(moved.count > 40 && moved.allSatisfy { after[$0] == ["c"] })
                group.cancelAll()
            }
        }
    }

    @Test func aReplicaThatCannotShowThatItLivesWorksOnNothing() async throws {
        let time = VirtualTime()
        try await time.run {
            let isCutOff = Mutex(false)
            let cluster = FakeCluster { _, _ in isCutOff.withLock { $0 } ? .lostBefore : nil }
            let alone = try Self.replica("a", on: cluster, time)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await alone.run { _ in } }
                try await time.sleep(for: .seconds(10))
                #expect(Self.owners([alone]).values.allSatisfy { $0 == ["a"] })
                isCutOff.withLock { $0 = true }
                try await time.sleep(for: .seconds(13))
                #expect(Self.owners([alone]).values.allSatisfy { $0.isEmpty })
                #expect(alone.standing.trouble?.reason == "LeaseUnusable")
                isCutOff.withLock { $0 = false }
                try await time.sleep(for: .seconds(5))
                #expect(Self.owners([alone]).values.allSatisfy { $0 == ["a"] })
                group.cancelAll()
            }
        }
    }

    /// A container that starts again in its pod is the same replica: nothing moves.
    @Test func aRestartInPlaceMovesNothing() async throws {
        let time = VirtualTime()
        try await time.run {
            let removals = Tally()
            let cluster = FakeCluster { sent, _ in sent.verb == "delete" && removals.add() == 1 ? .lostBefore : nil }
            let other = try Self.replica("b", on: cluster, time)
            let changes = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await other.run { _ in _ = changes.add() } }
                let first = try Self.replica("a", on: cluster, time)
                let dying = Task(executorPreference: time) { await first.run { _ in } }
                try await time.sleep(for: .seconds(6))
                dying.cancel()
                let before = changes.count
                let second = try Self.replica("a", on: cluster, time)
                group.addTask { await second.run { _ in } }
                try await time.sleep(for: .seconds(30))
                #expect(changes.count == before)
                #expect(other.standing.members == ["a", "b"])
                group.cancelAll()
            }
        }
    }
}

private final class Tally: Sendable {
    private let held = Mutex(0)
    var count: Int { held.withLock { $0 } }

    /// Returns the new count.
    @discardableResult func add() -> Int {
        held.withLock { count in
            count += 1
            return count
        }
    }
}
