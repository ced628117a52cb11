import FakeCluster
import JSONValues
import KubernetesAPI
import Model
import State
import StateContract
import Synchronization
import TestDoubles
import Testing

@testable import ClusterState

/// What can happen to the API server, to the way there and to the objects.
@Suite(.timeLimit(.minutes(1))) struct TroubleTests {
    /// True for a request that appends a line.
    private static func isAppend(_ sent: FakeCluster.Sent) -> Bool { sent.verb == "patch" && sent.json["journal"] != nil }

    // MARK: Answers that are lost

    @Test(arguments: [FakeCluster.Fault.lostBefore, .lostAfter, .answer(503, reason: "ServiceUnavailable", message: "it starts")])
    func anAppendWhoseAnswerIsLostIsThereOnce(_ fault: FakeCluster.Fault) async throws {
        let tried = Mutex(0)
        let cluster = FakeCluster { sent, _ in
            guard Self.isAppend(sent) else { return nil }
            return tried.withLock { count in
                count += 1
                return count == 2 ? fault : nil
            }
        }
        let stand = try Stand(cluster)
        let session = try await stand.lock()
        for digit in "123" { try await session.append(.accepted(digit), at: .example) }
        await session.release()
        #expect(try await stand.store().history().map(\.entry) == "123".map { .accepted($0) })
    }

    @Test func whatIsStillOnItsWayTakesNoEffectLater() async throws {
        let tried = Mutex(0)
        let cluster = FakeCluster { sent, _ in
            guard Self.isAppend(sent) else { return nil }
            return tried.withLock { count in
                count += 1
                return count == 1 ? .delayed : nil
            }
        }
        let stand = try Stand(cluster)
        let session = try await stand.lock()
        try await session.append(.accepted("1"), at: .example)
        try await session.append(.accepted("2"), at: .example)
        let before = try #require(cluster[headPath])
        #expect(cluster.deliver() == [409])
        #expect(cluster[headPath] == before)
        await session.release()
    }

    @Test(arguments: [FakeCluster.Fault.lostBefore, .lostAfter]) func aLockWhoseAnswerIsLostIsHadOnce(_ fault: FakeCluster.Fault)
        async throws
    {
        for memory in [nil, JournalMemory()] {
            // Made, then taken, then taken from memory: each time the answer is lost once.
            let lost = Mutex<Set<Int>>([])
            let turn = Mutex(0)
            let cluster = FakeCluster { sent, _ in
                let isTaking = sent.json["lock"]?["id"] != nil
                return isTaking && lost.withLock { $0.insert(turn.withLock { $0 }).inserted } ? fault : nil
            }
            let stand = try Stand(cluster)
            for number in 1...3 {
                turn.withLock { $0 = number }
                let session = try await stand.lock(lease: .seconds(1), memory: memory)
                try await session.append(.accepted("1"), at: .example)
                await session.release()
            }
            #expect(lost.withLock { $0 } == [1, 2, 3])
            #expect(cluster[headPath]?["epoch"] == 3 && cluster[headPath]?["lock"] == nil)
        }
    }

    @Test func aServerThatIsGoneEndsTheSessionWithItsName() async throws {
        let isGone = Mutex(false)
        let cluster = FakeCluster { _, _ in isGone.withLock { $0 } ? .lostBefore : nil }
        let stand = try Stand(cluster)
        let session = try await stand.lock(lease: .milliseconds(300))
        try await session.append(.accepted("1"), at: .example)
        isGone.withLock { $0 = true }
        // A beat that fails is not yet the end: the server may come back.
        try await session.renew()
        let error = try await stateError { try await session.append(.accepted("2"), at: .example) }
        #expect(error.code == .unreachable)
        #expect(
            error.message
                == "the state in systemstate shop in namespace default cannot be written: no answer while patching systemstates.belay.dev shop in namespace default (context fake, http://fake.test): connection reset"
        )
        isGone.withLock { $0 = false }
        #expect(try await stateError { try await session.append(.accepted("3"), at: .example) } == error, "it stays ended")
        await session.release()
        #expect(try await stand.store().history().count == 1)
    }

    @Test func aServerThatStartsAgainInTheMiddleIsWaitedFor() async throws {
        let failures = Mutex(0)
        let cluster = FakeCluster { sent, _ in
            guard Self.isAppend(sent) else { return nil }
            return failures.withLock { count in
                count += 1
                return count <= 6 ? .answer(500, reason: "InternalError", message: "etcdserver: leader changed") : nil
            }
        }
        let stand = try Stand(cluster)
        let session = try await stand.lock(lease: .seconds(1))
        try await session.append(.accepted("1"), at: .example)
        await session.release()
        #expect(try await stand.store().history().count == 1)
    }

    // MARK: Somebody else's hands

    @Test func aLabelThatSomebodyWritesChangesNothing() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster)
        let session = try await stand.lock()
        try await session.append(.accepted("1"), at: .example)
        cluster[headPath]?["metadata"]?["labels"]?["team"] = "shop"
        try await session.append(.accepted("2"), at: .example)
        cluster[headPath]?["metadata"]?["labels"]?["team"] = "api"
        try await session.renew()
        cluster[headPath]?["metadata"]?["labels"]?["team"] = "web"
        await session.release()
        #expect(cluster[headPath]?["lock"] == nil)
        #expect(try await stand.store().history().count == 2)
    }

    @Test func anObjectThatIsDeletedUnderneathEndsTheSession() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster)
        let memory = JournalMemory()
        let session = try await stand.lock(memory: memory)
        try await session.append(.accepted("1"), at: .example)
        let key = try await stand.store(memory: memory).hashKey(making: true)
        cluster[headPath] = nil
        let error = try await stateError { try await session.append(.accepted("2"), at: .example) }
        #expect(error.code == .lockLost)
        #expect(
            error.message
                == "the lock of the state in systemstate shop in namespace default was lost while it was held: it was deleted")
        await session.release()
        // The next contact is a first one.
        let next = try await stand.lock(memory: memory)
        #expect(await next.state == RecordedState())
        #expect(try await stand.store(memory: memory).hashKey(making: true) != key)
        await next.release()
    }

    @Test func anOlderStateThatIsRestoredEndsTheSessionAndIsBelieved() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster)
        let memory = JournalMemory()
        let session = try await stand.lock(memory: memory)
        try await session.append(.accepted("1"), at: .example)
        let backup = try #require(cluster[headPath])
        try await session.append(.accepted("2"), at: .example)
        cluster[headPath] = backup
        #expect(try await stateError { try await session.append(.accepted("3"), at: .example) }.code == .lockLost)
        await session.release()
        #expect(try await stand.store(memory: memory).history().map(\.entry) == [.accepted("1")])
        #expect(try await stand.store(memory: memory).load().accepted == Revision(.commit, String(repeating: "1", count: 40)))
    }

    @Test func aLineThatWasChangedByHandIsNamedAndNothingIsOverwritten() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster)
        let session = try await stand.lock()
        for digit in "123" { try await session.append(.accepted(digit), at: .example) }
        await session.release()
        let line = try #require(cluster[headPath]?["journal"]?["0000000002"]?.string)
        cluster[headPath]?["journal"]?["0000000002"] = .string(line.replacing("2222", with: "2223"))
        let before = cluster[headPath]
        for body in [{ _ = try await stand.store().load() }, { _ = try await stand.lock() }] {
            let error = try await stateError(body)
            #expect(error.code == .damaged && error.line == 2)
        }
        #expect(cluster[headPath] == before, "not even the lock is taken")
    }

    @Test func anObjectOfAnotherSystemIsNotWrittenTo() async throws {
        let cluster = FakeCluster()
        let stand = try Stand(cluster)
        await (try await stand.lock()).release()
        cluster[headPath]?["system"] = "prod/shop"
        let error = try await stateError { _ = try await stand.lock() }
        #expect(
            error.description
                == "the systemstate shop in namespace default is that of prod/shop, not of default/shop; nothing was changed; restore it from a backup, or delete it and begin anew from the world as it is with --adopt"
        )
    }

    // MARK: Refusals

    @Test(arguments: [("get", "cannot be read"), ("create", "cannot be made"), ("patch", "cannot be locked")])
    func aVerbThatIsMissingIsNamed(_ verb: String, _ what: String) async throws {
        let stand = try Stand(FakeCluster())
        if verb == "patch" { await (try await stand.lock()).release() }
        let cluster = FakeCluster { sent, _ in sent.verb == verb ? .answer(403, reason: "Forbidden", message: "no") : nil }
        if verb == "patch" {
            cluster[headPath] = try await stand.client.get(StateObjects.resource, namespace: "default", name: "shop").body
        }
        let refused = try Stand(cluster)
        let error = try await stateError { _ = try await refused.lock() }
        #expect(error.code == .notPermitted)
        #expect(error.message.hasPrefix("the state in systemstate shop in namespace default \(what): 403 while "), "\(error)")
        #expect(error.next == "grant user ann the verb \(verb) on systemstates.belay.dev in namespace default")
    }

    @Test func aClusterWithoutTheKindSaysHowToInstallIt() async throws {
        let stand = try Stand(FakeCluster { _, _ in .unknownKind })
        for body in [{ _ = try await stand.store().load() }, { _ = try await stand.lock() }] {
            let error = try await stateError(body)
            #expect(error.code == .failed)
            #expect(error.message.hasSuffix("the cluster (context fake, http://fake.test) does not know the kind SystemState"))
            #expect(error.next?.contains("kubectl apply -f DIR/manifests/crd/systemstates.belay.dev.yaml") == true)
        }
    }

    @Test func anEntryThatNoObjectCanHoldIsRefusedOnce() async throws {
        let cluster = FakeCluster(limit: 5000)
        let stand = try Stand(cluster, headLimit: 2000)
        let session = try await stand.lock()
        try await session.append(.accepted("1"), at: .example)
        let long = JournalEntry.accepted(.init(revision: Revision(.commit, String(repeating: "a", count: 6000))))
        let sent = cluster.sent.count
        let error = try await stateError { try await session.append(long, at: .example) }
        #expect(error.message.contains("etcdserver: request is too large"))
        #expect(error.next?.hasPrefix("an object of a cluster holds 1.5 MB at most") == true)
        #expect(cluster.sent.count - sent <= 3, "it is not sent again and again")
        await session.release()
        #expect(try await stand.store().history().count == 1)
    }

    // MARK: Time

    /// A holder in another time: only that it shows no sign counts, and how long that is by the watcher's own clock.
    @Test(arguments: [0, 4_102_444_800_000] as [Int64]) func aDeadHoldersClockIsNeverAsked(_ since: Int64) async throws {
        let time = VirtualTime()
        try await time.run {
            let stand = try Stand(FakeCluster())
            var dead = LockHolder.make("bob")
            dead.since = Timestamp(millisecondsSinceEpoch: since)
            _ = try await stand.store().lock(dead, patience: .zero, clock: time)
            let start = time.now
            let session = try await stand.store().lock(.make(), patience: .zero, clock: time)
            let waited = start.duration(to: time.now)
            #expect(waited >= .seconds(15) && waited < .seconds(17), "\(waited)")
            await session.release()
        }
    }
}
