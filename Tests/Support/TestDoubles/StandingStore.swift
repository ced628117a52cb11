package import Model
package import State

/// The disk is outside of virtual time: while it is waited for, that stands still.
package struct StandingStore: StateStore {
    private let inner: DirectoryStateStore
    private let time: VirtualTime

    package init(inner: DirectoryStateStore, time: VirtualTime) {
        self.inner = inner
        self.time = time
    }

    package func load() async throws(StateError) -> RecordedState {
        try await time.outside { () async throws(StateError) in try await inner.load() }
    }

    package func history() async throws(StateError) -> [JournalRecord] {
        try await time.outside { () async throws(StateError) in try await inner.history() }
    }

    package func hashKey(making: Bool) async throws(StateError) -> [UInt8]? {
        try await time.outside { () async throws(StateError) in try await inner.hashKey(making: making) }
    }

    package func lock(_ holder: LockHolder, patience: Duration, clock: any Clock<Duration>) async throws(StateError) -> any StateSession {
        var left = patience
        while true {
            do throws(StateError) {
                let session = try await time.outside { () async throws(StateError) in
                    try await inner.lock(holder, patience: .zero, clock: ContinuousClock())
                }
                return StandingSession(inner: session, time: time)
            } catch  where error.code == .locked && left > .zero {
                // Waiting is done here, where time passes.
                try? await time.sleep(for: min(left, .seconds(1)))
                left -= .seconds(1)
            }
        }
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
