import Synchronization

/// The signed ids of deliveries of the last minutes: one that comes again within them is a replay.
final class SeenDeliveries: Sendable {
    private let ids = Mutex<[String: ContinuousClock.Instant]>([:])
    private static let most = 4096

    /// True if it was seen before, within the time in which its signature counts.
    func contains(_ id: String, at now: ContinuousClock.Instant = .now) -> Bool {
        ids.withLock { ids in
            // Twice the window: a signature counts that long before and after its time.
            if ids.count >= Self.most { ids = ids.filter { now - $0.value < .seconds(2 * WebhookProof.window) } }
            if let before = ids[id], now - before < .seconds(2 * WebhookProof.window) { return true }
            if ids.count < Self.most { ids[id] = now }
            return false
        }
    }
}
