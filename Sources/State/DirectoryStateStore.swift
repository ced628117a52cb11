public import Model

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// The state of one system in a directory: `journal.jsonl`, which is all of it, and `lock`.
///
/// There is no second file with a summary: one append-only file has one way of being torn, and nothing can contradict it.
/// Loading costs the reading of the whole journal.
public struct DirectoryStateStore: StateStore {
    public let directory: StateDirectory
    private let lease: Duration
    private let queue = DiskQueue()

    /// Touches nothing yet.
    /// - Parameter lease: how long a lock lives without renewal, for holders on other hosts.
    public init(_ directory: StateDirectory, lease: Duration = .seconds(30)) {
        self.directory = directory
        self.lease = lease
    }

    public func load() async throws(StateError) -> RecordedState { RecordedState(replaying: try await history()) }

    public func history() async throws(StateError) -> [JournalRecord] {
        try await run { directory throws(StateError) in
            guard let file = try OpenFile.existing(directory.journal, O_RDONLY) else { return [] }
            return try JournalText(file.contents(), path: directory.journal).records
        }
    }

    public func hashKey(making: Bool) async throws(StateError) -> [UInt8]? {
        try await run { directory throws(StateError) in making ? try directory.makeKey() : try directory.readKey() }
    }

    public func holder() async throws(StateError) -> LockHolder? {
        try await run { directory throws(StateError) in
            guard let file = try OpenFile.existing(directory.lock, O_RDONLY), let holder = LockText(try file.contents())?.holder,
                // A killed process leaves its text behind, and on this kernel its file lock is free.
                try file.isLocked() || holder.boot != LockHolder.current(command: "", environment: [:], since: holder.since).boot
            else { return nil }
            return holder
        }
    }

    public func lock(
        _ holder: LockHolder, patience: Duration, clock: any Clock<Duration>
    ) async throws(StateError) -> any StateSession {
        let watch = Stopwatch(clock)
        try await run { directory throws(StateError) in try directory.create() }
        let lock = try await takeFile(patience, watch)
        try await outwait(lock, own: holder, patience, watch)
        let text = LockText(id: String(UInt64.random(in: .min ... .max), radix: 36), holder: holder, lease: lease)
        return try await run { [queue] directory throws(StateError) in
            try lock.write(text)
            return try DirectorySession(directory, lock: lock, text: text, queue: queue)
        }
    }

    private func takeFile(_ patience: Duration, _ watch: Stopwatch) async throws(StateError) -> LockFile {
        while true {
            let lock = try await run { directory throws(StateError) in try LockFile.take(directory.lock) }
            if let lock { return lock }
            let bytes = try await run { directory throws(StateError) in try OpenFile.existing(directory.lock, O_RDONLY)?.contents() ?? [] }
            let left = patience - watch.elapsed
            guard left > .zero else { throw locked(LockText(bytes)?.holder, "it is free as soon as that process ends") }
            try await pause(min(left, .seconds(1)), watch)
        }
    }

    /// Returns when the holder that the file names, if any, is certainly gone.
    private func outwait(_ lock: LockFile, own: LockHolder, _ patience: Duration, _ watch: Stopwatch) async throws(StateError) {
        var seen = try await run { _ throws(StateError) in try lock.read() }
        var unchangedSince = watch.elapsed
        while !seen.isEmpty {
            let text = LockText(seen)
            // The same kernel has just given us the file lock: that holder was killed.
            if let text, text.holder.boot == own.boot { return }
            let lease = text?.lease ?? lease
            let left = lease - (watch.elapsed - unchangedSince)
            guard left > .zero else { return }
            try await pause(min(left, max(lease / 10, .milliseconds(100))), watch)
            let now = try await run { _ throws(StateError) in try lock.read() }
            guard now != seen else { continue }
            guard now.isEmpty || watch.elapsed < patience else {
                throw locked(LockText(now)?.holder, "it expires \(lease) after that process has last renewed it")
            }
            seen = now
            unchangedSince = watch.elapsed
        }
    }

    private func locked(_ holder: LockHolder?, _ expiry: String) -> StateError {
        let who = holder.map { "is locked by \($0)" } ?? "is locked by another process"
        return StateError(
            .locked, "the state in \(directory.path) \(who); \(expiry)", next: "try again when it has ended", path: directory.lock,
            holder: holder)
    }

    private func pause(_ duration: Duration, _ watch: Stopwatch) async throws(StateError) {
        do {
            try await watch.sleep(duration)
        } catch {
            throw StateError(.interrupted, "waiting for the lock of \(directory.path) was interrupted", path: directory.lock)
        }
    }

    private func run<Value: Sendable>(
        _ work: @Sendable (StateDirectory) throws(StateError) -> Value
    ) async throws(StateError) -> Value {
        let directory = directory
        return try await Disk(queue).run { () throws(StateError) in try work(directory) }
    }
}
