import Model
import State

/// A state store in which the process can be killed before and after every journal entry.
struct CrashingStore: StateStore {
    var inner: any StateStore
    var trigger: CrashTrigger

    func load() async throws(StateError) -> RecordedState { try await inner.load() }

    func history() async throws(StateError) -> [JournalRecord] { try await inner.history() }

    func hashKey(making: Bool) async throws(StateError) -> [UInt8]? { try await inner.hashKey(making: making) }

    func lock(_ holder: LockHolder, patience: Duration, clock: any Clock<Duration>) async throws(StateError) -> any StateSession {
        CrashingSession(inner: try await inner.lock(holder, patience: patience, clock: clock), trigger: trigger)
    }
}

private struct CrashingSession: StateSession {
    var inner: any StateSession
    var trigger: CrashTrigger

    var state: RecordedState { get async { await inner.state } }
    var lease: Duration { inner.lease }

    func append(_ entry: JournalEntry, at time: Timestamp) async throws(StateError) {
        trigger.pass(.journalBefore)
        try await inner.append(entry, at: time)
        trigger.pass(.journalAfter)
    }

    func renew() async throws(StateError) { try await inner.renew() }

    func release() async { await inner.release() }
}
