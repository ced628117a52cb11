internal import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The lock of a directory state store, held, and its journal, open.
actor DirectorySession: StateSession {
    nonisolated let lease: Duration
    private(set) var state: RecordedState

    private let directory: StateDirectory
    private let queue: DiskQueue
    private let journal: OpenFile
    private var last: JournalRecord?
    private var length: Int
    private var lock: LockFile?
    private var text: LockText
    /// Why nothing more can be appended.
    private var end: StateError?

    nonisolated var unownedExecutor: UnownedSerialExecutor { queue.asUnownedSerialExecutor() }

    /// Cuts off a line that was torn when its writer died. Throws on any other damage and then changes nothing.
    init(_ directory: StateDirectory, lock: LockFile, text: LockText, queue: DiskQueue) throws(StateError) {
        let journal = try OpenFile(directory.journal, O_RDWR | O_CREAT | O_APPEND)
        let bytes = try journal.contents()
        let read = try JournalText(bytes, path: directory.journal)
        if read.wholeLength < bytes.count { try journal.truncate(to: read.wholeLength) }
        // What a killed process left in the page cache becomes durable before anything is built on it.
        try journal.synchronize()
        try StateDirectory.synchronize(directory.path)
        self.directory = directory
        self.queue = queue
        self.journal = journal
        self.lock = lock
        self.text = text
        lease = text.lease
        last = read.records.last
        length = read.wholeLength
        state = RecordedState(replaying: read.records)
    }

    func append(_ entry: JournalEntry, at time: Timestamp) async throws(StateError) {
        if let end { throw end }
        do throws(StateError) {
            try confirmHold()
            let (record, bytes) = try JournalRecord.line(entry, at: time, after: last)
            try journal.write(bytes)
            // After a failed fsync nobody knows what is durable, so that nothing may follow: https://wiki.postgresql.org/wiki/Fsync_Errors
            try journal.synchronize()
            last = record
            length += bytes.count
            state.apply(entry)
        } catch {
            end = error
            throw error
        }
    }

    func renew() async throws(StateError) {
        guard let lock else { return }
        try confirmHold()
        text.beat += 1
        try lock.write(text)
    }

    func release() async {
        guard let lock else { return }
        do throws(StateError) {
            if LockText(try lock.read())?.id == text.id { try lock.clear() }
        } catch {
            // A text that stays behind costs the next holder nothing on this host, and elsewhere the wait of one lease.
        }
        self.lock = nil
        if end == nil { end = StateError(.lockLost, "the lock of \(directory.path) was given back", path: directory.lock) }
    }

    /// Throws when somebody took the lock over or wrote without it: possible where file locks do not reach other hosts
    /// and this process stood still for longer than its lease.
    private func confirmHold() throws(StateError) {
        let lost = StateError(
            .lockLost, "the lock of \(directory.path) was lost while it was held: somebody else writes there",
            next: "see in \(directory.lock) who it is; the next pass goes on from what is recorded", path: directory.lock)
        guard let lock, LockText(try lock.read())?.id == text.id, try lock.file.isStillNamed(), try journal.isStillNamed(),
            try journal.size() == length
        else { throw lost }
    }
}
