import Model
import State
import Synchronization

/// A journal in memory. Appending can be made to fail.
final class MemorySession: StateSession {
    private let entries: Mutex<[JournalEntry]>
    private let failure: @Sendable (JournalEntry) -> StateError?
    let lease = Duration.seconds(30)

    init(_ entries: [JournalEntry] = [], failure: @escaping @Sendable (JournalEntry) -> StateError? = { _ in nil }) {
        self.entries = Mutex(entries)
        self.failure = failure
    }

    var written: [JournalEntry] { entries.withLock { $0 } }

    /// `receipt accepted`, and the kind alone of the others.
    var kinds: [String] {
        written.map { entry in
            if case .receipt(let receipt) = entry { "receipt \(receipt.ending.rawValue)" } else { entry.kind.rawValue }
        }
    }

    var state: RecordedState {
        var state = RecordedState()
        for entry in written { state.apply(entry) }
        return state
    }

    func append(_ entry: JournalEntry, at time: Timestamp) async throws(StateError) {
        if let error = failure(entry) { throw error }
        entries.withLock { $0.append(entry) }
    }

    func renew() async throws(StateError) {}
    func release() async {}
}

extension StateError {
    static let full = StateError(.noSpace, "cannot write journal.jsonl: No space left on device", next: "make room there")
}
