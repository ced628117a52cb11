import Model
import State
import TestDoubles

/// The disk is outside of virtual time: while it is waited for, that stands still.
struct StandingStore: StateStore {
    var inner: DirectoryStateStore
    var time: VirtualTime

    func load() async throws(StateError) -> RecordedState {
        try await time.outside { () async throws(StateError) in try await inner.load() }
    }

    func history() async throws(StateError) -> [JournalRecord] {
        try await time.outside { () async throws(StateError) in try await inner.history() }
    }

    func hashKey(making: Bool) async throws(StateError) -> [UInt8]? {
        try await time.outside { () async throws(StateError) in try await inner.hashKey(making: making) }
    }

    func lock(_ holder: LockHolder, patience: Duration, clock: any Clock<Duration>) async throws(StateError) -> any StateSession {
        let session = try await time.outside { () async throws(StateError) in
            try await inner.lock(holder, patience: .zero, clock: ContinuousClock())
        }
        return StandingSession(inner: session, time: time)
    }
}

private struct StandingSession: StateSession {
    var inner: any StateSession
    var time: VirtualTime

    var lease: Duration { inner.lease }
    var state: RecordedState { get async { await time.outside { await inner.state } } }

    func append(_ entry: JournalEntry, at moment: Timestamp) async throws(StateError) {
        try await time.outside { () async throws(StateError) in try await inner.append(entry, at: moment) }
    }

    func renew() async throws(StateError) { try await time.outside { () async throws(StateError) in try await inner.renew() } }
    func release() async { await time.outside { await inner.release() } }
}
