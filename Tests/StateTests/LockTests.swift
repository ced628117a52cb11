import FoundationEssentials
import Model
import Synchronization
import Testing

@testable import State

struct LockTests {
    private let directory: TemporaryDirectory
    private let store: DirectoryStateStore

    init() throws {
        directory = try TemporaryDirectory()
        store = directory.store()
    }

    private func locked(
        _ holder: LockHolder = .make(user: "bob"), patience: Duration = .zero, clock: ImpatientClock = ImpatientClock()
    ) async -> Result<any StateSession, StateError> {
        do throws(StateError) {
            return .success(try await directory.store().lock(holder, patience: patience, clock: clock))
        } catch {
            return .failure(error)
        }
    }

    private func error(_ result: Result<any StateSession, StateError>) -> StateError? {
        guard case .failure(let error) = result else { return nil }
        return error
    }

    /// What a holder on another host leaves in the file.
    private func leaveForeignText(_ beat: Int = 0) throws {
        var text = LockText(id: "foreign", holder: .make(user: "eve", boot: "boot-2"), lease: .seconds(30))
        text.beat = beat
        try write(try text.bytes(), to: store.directory.lock)
    }

    @Test func aSecondHolderIsToldWhoTheFirstIs() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        let error = try #require(error(await locked()))
        #expect(error.code == .locked)
        #expect(error.holder == .make())
        #expect(
            error.description == "the state in \(store.directory.path) is locked by ann@build-7, process 4711 (reconcile --once), "
                + "since 2026-11-23T00:00:00Z; it is free as soon as that process ends; try again when it has ended")
        await session.release()
        #expect(self.error(await locked()) == nil)
    }

    @Test func whoHoldsTheLockIsToldWithoutTakingIt() async throws {
        #expect(try await directory.store().holder() == nil)
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        #expect(try await directory.store().holder() == .make())
        try await session.renew()
        await session.release()
        #expect(try await directory.store().holder() == nil)
        #expect(error(await locked()) == nil)
    }

    /// A killed process of this kernel holds nothing; nobody can tell of one elsewhere.
    @Test func ofAHolderThatMayBeDeadTheTracesAreTold() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        await session.release()
        let here = LockHolder.current(command: "reconcile", environment: [:], since: .example)
        try write(try LockText(id: "dead", holder: here, lease: .seconds(30)).bytes(), to: store.directory.lock)
        #expect(try await store.holder() == nil)
        try leaveForeignText()
        #expect(try await store.holder()?.user == "eve")
    }

    @Test func readingNeedsNoLock() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        try await session.append(oneOfEach[0], at: .example)
        #expect(try await directory.store().load().isKnown)
        await session.release()
    }

    @Test func patienceWaitsForTheHolder() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        let waited = Mutex(Duration.zero)
        let clock = ImpatientClock { now in waited.withLock { $0 = now } }
        #expect(error(await locked(patience: .seconds(5), clock: clock))?.code == .locked)
        #expect(waited.withLock { $0 } == .seconds(5))
        await session.release()
    }

    @Test func anotherSystemIsAnotherLock() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        let other = try await directory.store("other").lock(.make(), patience: .zero, clock: ImpatientClock())
        await session.release()
        await other.release()
    }

    @Test func aDeadHolderOfThisKernelIsReplacedAtOnce() async throws {
        try await store.lock(.make(), patience: .zero, clock: ImpatientClock()).release()
        let text = LockText(id: "dead", holder: .make(), lease: .seconds(30))
        try write(try text.bytes(), to: store.directory.lock)
        let clock = ImpatientClock()
        #expect(error(await locked(clock: clock)) == nil)
        #expect(clock.now.offset == .zero)
    }

    @Test func aForeignHolderIsDeadWhenItsTextStandsStillForItsLease() async throws {
        try await store.lock(.make(), patience: .zero, clock: ImpatientClock()).release()
        try leaveForeignText()
        let clock = ImpatientClock()
        #expect(error(await locked(clock: clock)) == nil)
        #expect(clock.now.offset == .seconds(30))
    }

    @Test func aForeignHolderWhoseTextMovesIsAlive() async throws {
        try await store.lock(.make(), patience: .zero, clock: ImpatientClock()).release()
        try leaveForeignText()
        let clock = ImpatientClock { now in if now >= .seconds(12) { try? leaveForeignText(1) } }
        let error = try #require(error(await locked(clock: clock)))
        #expect(error.code == .locked)
        #expect(error.holder?.user == "eve")
        #expect(error.message.hasSuffix("; it expires 30.0 seconds after that process has last renewed it"))
        #expect(clock.now.offset == .seconds(12))
    }

    @Test func aForeignHolderThatGivesTheLockBackIsFollowedAtOnce() async throws {
        try await store.lock(.make(), patience: .zero, clock: ImpatientClock()).release()
        try leaveForeignText()
        let path = store.directory.lock
        let clock = ImpatientClock { now in if now >= .seconds(6) { try? write([], to: path) } }
        // Rewriting the file as a whole gives it another inode on some systems; emptying it is what a holder does.
        #expect(error(await locked(clock: clock)) == nil)
        #expect(clock.now.offset == .seconds(6))
    }

    @Test func anUnreadableTextIsJudgedByStandingStill() async throws {
        try await store.lock(.make(), patience: .zero, clock: ImpatientClock()).release()
        try write(Array("{torn".utf8), to: store.directory.lock)
        let clock = ImpatientClock()
        #expect(error(await locked(clock: clock)) == nil)
        #expect(clock.now.offset == .seconds(30))
    }

    @Test func renewingMovesTheText() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        let before = try bytes(of: store.directory.lock)
        try await session.renew()
        let after = try bytes(of: store.directory.lock)
        #expect(before != after && before.count == after.count)
        await session.release()
        #expect(try bytes(of: store.directory.lock).isEmpty)
    }

    @Test func whoLosesTheLockWritesNothingMore() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        try await session.append(oneOfEach[0], at: .example)
        try leaveForeignText()
        let written = try bytes(of: store.directory.journal)
        await #expect { try await session.append(oneOfEach[1], at: .example) } throws: { ($0 as? StateError)?.code == .lockLost }
        await #expect { try await session.renew() } throws: { ($0 as? StateError)?.code == .lockLost }
        #expect(try bytes(of: store.directory.journal) == written)
        await session.release()
        #expect(try !bytes(of: store.directory.lock).isEmpty, "the text of the one who has it now stays")
    }

    @Test func aJournalThatGrewWithoutTheLockIsNotAppendedTo() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        try await session.append(oneOfEach[0], at: .example)
        let handle = try OpenFile(store.directory.journal, 0o2001)  // Write only, append.
        try handle.write(Array("x".utf8))
        await #expect { try await session.append(oneOfEach[1], at: .example) } throws: { ($0 as? StateError)?.code == .lockLost }
        await session.release()
    }

    @Test func afterItsReleaseASessionWritesNothing() async throws {
        let session = try await store.lock(.make(), patience: .zero, clock: ImpatientClock())
        await session.release()
        await session.release()
        await #expect { try await session.append(oneOfEach[0], at: .example) } throws: { ($0 as? StateError)?.code == .lockLost }
    }

    @Test func withLockGivesItBackAlsoAfterAnError() async throws {
        struct Stop: Error {}
        await #expect(throws: Stop.self) {
            try await store.withLock(.make(), clock: ContinuousClock()) { _ in throw Stop() }
        }
        #expect(error(await locked()) == nil)
    }

    @Test func withLockRenewsWhileItRuns() async throws {
        let path = store.directory.lock
        let beats = Mutex(Set<[UInt8]>())
        // The body ends as soon as it has seen three different texts.
        try await store.withLock(.make(), clock: ImpatientClock()) { _ in
            while beats.withLock({ $0.count }) < 3 {
                let text = try bytes(of: path)
                beats.withLock { _ = $0.insert(text) }
                await Task.yield()
            }
        }
        #expect(error(await locked()) == nil)
    }

    @Test func thisProcessTellsWhoItIs() {
        let holder = LockHolder.current(command: "reconcile", environment: ["USER": "ann"], since: .example)
        #expect(holder.user == "ann")
        #expect(holder.pid > 0)
        #expect(!holder.boot.isEmpty && !holder.host.isEmpty)
    }
}
