import Synchronization

/// What this process has read of journals: so that a pass costs two requests, however long the journal is.
final class JournalMemory: Sendable {
    /// What the first segments of a chain amount to.
    struct Sealed: Sendable {
        var chain: String
        var segments: Int
        var journal: Journal
    }

    private struct Memory: Sendable {
        var sealed: Sealed?
        /// Of keyed hashes, as the head that was read last has it.
        var hashKey: String?
        /// As it was given back: the lock is free as long as the head has that version.
        var free: Position?
    }

    private let memories = Mutex<[String: Memory]>([:])

    /// As many segments as both have.
    func sealed(_ key: String, of head: Head) -> Sealed? {
        memories.withLock { memories in
            guard let sealed = memories[key]?.sealed, sealed.chain == head.chain, sealed.segments <= head.segments else { return nil }
            return sealed
        }
    }

    func remember(_ sealed: Sealed, of key: String, hashKey: String) {
        memories.withLock {
            $0[key, default: Memory()].sealed = sealed
            $0[key]?.hashKey = hashKey
        }
    }

    func hashKey(_ key: String) -> String? { memories.withLock { $0[key]?.hashKey } }

    /// There is nothing any more, or not yet.
    func forget(_ key: String) { memories.withLock { $0[key] = nil } }

    /// For one who tries to take the lock, who is told it once.
    func takeFree(_ key: String) -> Position? {
        memories.withLock { memories in
            let free = memories[key]?.free
            memories[key]?.free = nil
            return free
        }
    }

    /// What the head amounts to, if it still has this version.
    func free(_ key: String, at version: String) -> Position? {
        memories.withLock { memories in
            memories[key]?.free.flatMap { $0.version == version ? $0 : nil }
        }
    }

    func remember(free position: Position, of key: String) { memories.withLock { $0[key, default: Memory()].free = position } }
}
