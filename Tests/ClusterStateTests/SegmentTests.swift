import FakeCluster
import JSONValues
import Model
import State
import StateContract
import Synchronization
import Testing

@testable import ClusterState

/// A journal that grows: older lines go into objects that never change again.
@Suite(.timeLimit(.minutes(1))) struct SegmentTests {
    private func grow(_ stand: Stand, by count: Int, memory: JournalMemory? = nil) async throws {
        let session = try await stand.lock(memory: memory)
        for number in 0..<count { try await session.append(.accepted(number.isMultiple(of: 2) ? "a" : "b"), at: .example) }
        await session.release()
    }

    @Test func theHeadStaysSmallAndNothingIsLost() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster, headLimit: 2000)
        for _ in 0..<5 { try await grow(stand, by: 20) }
        let history = try await stand.store().history()
        #expect(history.map(\.sequence) == Array(1...100))
        #expect(try await stand.store().load() == RecordedState(replaying: history))
        let head = try #require(cluster[headPath])
        #expect(head.bytes.count < 5000)
        let segments = try #require(head["segments"]?.integer)
        #expect(segments > 10 && cluster.paths.count == segments + 1)
    }

    @Test func aPassOfAProcessThatKnowsItCostsTwoRequestsHoweverLongItIs() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster, headLimit: 2000)
        let memory = JournalMemory()
        try await grow(stand, by: 50, memory: memory)
        let before = cluster.sent.count
        let session = try await stand.lock(memory: memory)
        #expect(try await stand.store(memory: memory).hashKey(making: true) != nil)
        #expect(await session.state.isKnown)
        await session.release()
        #expect(cluster.sent.count == before + 2)
        // Somebody else writes: what is new is read, and nothing twice.
        try await grow(stand, by: 1)
        let others = cluster.sent.count
        let next = try await stand.lock(memory: memory)
        #expect(cluster.sent.dropFirst(others).filter { $0.verb == "get" }.count <= 2)
        await next.release()
        #expect(try await stand.store(memory: memory).load() == RecordedState(replaying: stand.store().history()))
    }

    /// Whoever died between the segment and the head left both with the same lines.
    @Test(arguments: [FakeCluster.Fault.lostBefore, .lostAfter]) func aSegmentOfOneWhoCameNoFurtherIsUsed(_ fault: FakeCluster.Fault)
        async throws
    {
        let isDying = Mutex(false)
        let cluster = FakeCluster { sent, _ in
            guard sent.verb == "patch", sent.json["segments"] != nil else { return nil }
            return isDying.withLock { isDying in
                guard isDying else { return nil }
                if case .lostAfter = fault { isDying = false }
                return fault
            }
        }
        let stand = try Stand(cluster, headLimit: 1000)
        try await grow(stand, by: 1)
        isDying.withLock { $0 = true }
        let session = try await stand.lock(lease: .milliseconds(100))
        var ended: StateError?
        for _ in 0..<5 where ended == nil {
            do throws(StateError) { try await session.append(.accepted("c"), at: .example) } catch { ended = error }
        }
        if case .lostBefore = fault { #expect(ended?.code == .unreachable) } else { #expect(ended == nil, "it is there and is found") }
        await session.release()
        isDying.withLock { $0 = false }
        try await grow(stand, by: 10)
        let history = try await stand.store().history()
        #expect(history.map(\.sequence) == Array(1...history.count))
    }

    @Test func aSegmentThatIsMissingIsDamage() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster, headLimit: 1000)
        try await grow(stand, by: 10)
        let segment = try #require(cluster.paths.first { $0.hasSuffix(".2") })
        cluster[segment] = nil
        let error = try await stateError { _ = try await stand.store().load() }
        #expect(error.code == .damaged)
        #expect(error.message.contains("is not there"), "\(error)")
    }

    @Test func theObjectsSayWhoseTheyAre() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster, headLimit: 1000)
        try await grow(stand, by: 10)
        for path in cluster.paths {
            #expect(cluster[path]?["system"] == "default/shop")
            #expect(cluster[path]?["metadata"]?["labels"]?["belay.dev/system"] == "shop")
        }
        let other = StateObjects(SystemID(namespace: "prod", name: "shop"), in: "ops", try cluster.client())
        #expect(other.name == "prod.shop" && other.namespace == "ops")
    }
}
