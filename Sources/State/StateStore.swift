public import Model

/// Where the state of one system is kept. Reading needs no lock; writing needs a ``StateSession``.
public protocol StateStore: Sendable {
    /// What is remembered now; empty before the first contact.
    func load() async throws(StateError) -> RecordedState

    /// Everything that was ever written, the oldest first.
    func history() async throws(StateError) -> [JournalRecord]

    /// The key of keyed hashes that the store keeps, 32 random bytes; nil when there is none yet and none is to be made.
    func hashKey(making: Bool) async throws(StateError) -> [UInt8]?

    /// Who holds the lock, without waiting for it; nil when nobody does. Of a holder on another host only its traces can be seen: it may be
    /// dead.
    func holder() async throws(StateError) -> LockHolder?

    /// Takes the lock and opens the journal for writing.
    ///
    /// Whether a holder on another host is dead can only be told by watching it for its lease: then this takes that long.
    /// - Parameter patience: how long to wait for a living holder; after that the error is ``StateError/Code/locked``.
    func lock(_ holder: LockHolder, patience: Duration, clock: any Clock<Duration>) async throws(StateError) -> any StateSession
}

/// The lock of a system, held, and with it the right to write. A decorator of it is the seam for crash tests.
public protocol StateSession: Sendable {
    /// What is remembered, everything appended included.
    var state: RecordedState { get async }

    /// How long the lock lives without ``renew()``.
    var lease: Duration { get }

    /// Writes one entry. Returning means durable. After an error nothing more can be appended in this session,
    /// and the entry may or may not be there when the journal is opened again.
    func append(_ entry: JournalEntry, at time: Timestamp) async throws(StateError)

    /// Shows that the holder lives.
    func renew() async throws(StateError)

    /// Gives the lock back; appending is an error from then on. May be called twice.
    func release() async
}

extension StateStore {
    /// For stores that cannot tell.
    public func holder() async throws(StateError) -> LockHolder? { nil }

    /// Runs `body` with the lock held and renewed, and gives it back whatever happens.
    ///
    /// Losing the lock does not end `body`: its next append does.
    public func withLock<Value: Sendable>(
        _ holder: LockHolder, patience: Duration = .zero, clock: any Clock<Duration>,
        _ body: (any StateSession) async throws -> Value
    ) async throws -> Value {
        let session = try await lock(holder, patience: patience, clock: clock)
        do {
            let value = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    while true {
                        try await clock.sleep(for: session.lease / 3)
                        try await session.renew()
                    }
                }
                defer { group.cancelAll() }
                return try await body(session)
            }
            await session.release()
            return value
        } catch {
            await session.release()
            throw error
        }
    }
}
