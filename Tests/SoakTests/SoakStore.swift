import Model
import State
import Synchronization
import TestDoubles

/// The state store of a life of a replica: the real directory, outside of virtual time, and places where the life may end.
struct SoakStore: StateStore {
    let inner: DirectoryStateStore
    let system: SystemID
    let life: Life
    let time: VirtualTime
    let exclusion: Exclusion
    let mutation: Mutation?

    func load() async throws(StateError) -> RecordedState {
        guard !life.hasEnded else { throw Life.stateError }
        return try await time.outside { () async throws(StateError) in try await inner.load() }
    }

    func history() async throws(StateError) -> [JournalRecord] {
        try await time.outside { () async throws(StateError) in try await inner.history() }
    }

    func hashKey(making: Bool) async throws(StateError) -> [UInt8]? {
        guard !life.hasEnded else { throw Life.stateError }
        return try await time.outside { () async throws(StateError) in try await inner.hashKey(making: making) }
    }

    func lock(_ holder: LockHolder, patience: Duration, clock: any Clock<Duration>) async throws(StateError) -> any StateSession {
        guard !life.hasEnded else { throw Life.stateError }
        let session = try await time.outside { () async throws(StateError) in
            try await inner.lock(holder, patience: patience, clock: time.outsideClock)
        }
        guard !life.hasEnded else { throw Life.stateError }
        exclusion.enter(system, life)
        return SoakSession(inner: session, store: self)
    }
}

private struct SoakSession: StateSession {
    let inner: any StateSession
    let store: SoakStore

    private var time: VirtualTime { store.time }

    var lease: Duration { inner.lease }
    var state: RecordedState { get async { await time.outside { await inner.state } } }

    func append(_ entry: JournalEntry, at moment: Timestamp) async throws(StateError) {
        guard !store.life.reach(.journalBefore) else { throw Life.stateError }
        if let entry = store.mutation.map({ $0.entry(instead: entry) }) ?? entry {
            try await time.outside { () async throws(StateError) in try await inner.append(entry, at: moment) }
        }
        guard !store.life.reach(.journalAfter) else { throw Life.stateError }
    }

    func renew() async throws(StateError) {
        guard !store.life.hasEnded else { throw Life.stateError }
        try await time.outside { () async throws(StateError) in try await inner.renew() }
    }

    /// Of a process that was killed the kernel closes the files, when the last reference to the session goes.
    func release() async {
        guard !store.life.hasEnded else { return }
        store.exclusion.leave(store.system, store.life)
        await time.outside { await inner.release() }
    }
}

/// Sees that a system is worked on by one life at a time.
final class Exclusion: Sendable {
    private let holders = Mutex<[SystemID: Life]>([:])
    private let story: Story

    init(_ story: Story) { self.story = story }

    func enter(_ system: SystemID, _ life: Life) {
        let before = holders.withLock { $0.updateValue(life, forKey: system) }
        if let before, !before.hasEnded { story.fail("\(system): \(life.name) has the lock, and \(before.name) too") }
    }

    func leave(_ system: SystemID, _ life: Life) {
        holders.withLock { holders in
            if holders[system] === life { holders[system] = nil }
        }
    }
}
