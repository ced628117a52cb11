import Serving
import Synchronization

/// Keeps what a sender repeats from filling the log: a refusal is told once a minute, what was accepted always.
final class RepeatedNotes: Sendable {
    private let told = Mutex<[String: ContinuousClock.Instant]>([:])

    func isNews(_ note: WebhookEndpoint.Note, at now: ContinuousClock.Instant = .now) -> Bool {
        if note.result == .accepted { return true }
        return told.withLock { told in
            // Few kinds of each: nothing in it is the sender's own words.
            let key = "\(note.sender) \(note.result)"
            if let before = told[key], now - before < .seconds(60) { return false }
            told[key] = now
            return true
        }
    }
}
