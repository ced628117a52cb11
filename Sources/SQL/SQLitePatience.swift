internal import CSQLite

/// How long a SQLite session works on a statement, or waits for somebody else's lock: until the task is cancelled.
///
/// SQLite asks it on the session's own thread, in the midst of the call that the task is making.
final class SQLitePatience {
    private let busy: Duration
    private var heedsCancellation = true
    private var waitingSince: ContinuousClock.Instant?
    /// Whether the wait for a lock ended because of the task.
    private(set) var wasCancelled = false

    init(_ busy: Duration) { self.busy = busy }

    /// It has to live as long as the session.
    func watch(_ handle: OpaquePointer) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        // Every thousand steps of SQLite's machine.
        sqlite3_progress_handler(
            handle, 1000, { $0.map { Unmanaged<SQLitePatience>.fromOpaque($0).takeUnretainedValue().isOver } == true ? 1 : 0 }, context)
        sqlite3_busy_handler(
            handle,
            { context, count in context.map { Unmanaged<SQLitePatience>.fromOpaque($0).takeUnretainedValue().waits(count) } == true ? 1 : 0
            },
            context)
    }

    func begin(heedsCancellation: Bool) {
        self.heedsCancellation = heedsCancellation
        wasCancelled = false
    }

    private var isOver: Bool { heedsCancellation && Task.isCancelled }

    /// Whether a lock that is still held is tried again, after a moment.
    private func waits(_ count: Int32) -> Bool {
        let now = ContinuousClock().now
        if count == 0 { waitingSince = now }
        wasCancelled = isOver
        guard !wasCancelled, let since = waitingSince, now - since < busy else { return false }
        sqlite3_sleep(count < 5 ? 2 : 20)
        return true
    }
}
