internal import JSONValues
internal import KubernetesAPI
internal import Model
internal import State

/// The way to a lock: it is taken when nobody has it, and when its holder has shown no sign for its lease, by the clock of the one who looks.
struct HoldTaking {
    let objects: StateObjects
    let memory: JournalMemory
    let hold: Hold

    /// What is seen of a holder.
    private struct Watch {
        var hold: Hold
        var since: Duration
    }

    private enum Attempt {
        case taken(Position)
        case held(Hold, by: Head)
        /// Somebody else was faster, with whatever.
        case again
        /// An answer is missing. It may be taken.
        case lost(KubernetesError)
    }

    /// Returns what is there now that it is taken.
    ///
    /// Whether a holder is dead can only be told by watching it: one that shows a sign lives, and is waited for as long as patience lasts.
    func take(patience: Duration, _ watch: Stopwatch) async throws(StateError) -> Position {
        var isInDoubt = false
        do throws(StateError) {
            return try await take(patience, watch, &isInDoubt)
        } catch {
            if isInDoubt { await giveUp() }
            throw error
        }
    }

    private func take(_ patience: Duration, _ watch: Stopwatch, _ isInDoubt: inout Bool) async throws(StateError) -> Position {
        if let known = memory.takeFree(objects.key), case .taken(let position) = try await retake(known) { return position }
        var first: Watch?
        var isAlive = false
        var failures = 0
        while true {
            switch try await attempt() {
            case .taken(let position): return position
            case .again: continue
            case .lost(let error):
                isInDoubt = isInDoubt || error.mayHaveTakenEffect
                failures += 1
                guard failures < 4 else { throw StateError(error, "cannot be locked", objects) }
            case .held(let other, let head):
                if let seen = first, seen.hold.id == other.id, seen.hold.beat == other.beat {
                    if watch.elapsed - seen.since >= other.lease {
                        if case .taken(let position) = try await attempt(replacing: head) { return position }
                        continue
                    }
                } else {
                    // A sign of the holder, or another hold than the one that was seen first: somebody else was faster.
                    isAlive = isAlive || first != nil
                    first = Watch(hold: other, since: watch.elapsed)
                }
                // A holder that shows signs without end is seen at the latest after its lease.
                if isAlive, watch.elapsed >= patience { throw locked(other) }
            }
            try await pause(watch)
        }
    }

    /// Looks, and takes what is free.
    private func attempt() async throws(StateError) -> Attempt {
        let object: JSON?
        do throws(KubernetesError) { object = try await objects.head() } catch { return try failed(error, "cannot be read") }
        guard let object else {
            memory.forget(objects.key)
            return try await create()
        }
        let head = try Head(object, of: objects)
        guard let other = head.hold else { return try await attempt(replacing: head) }
        // The answer that would have said so was lost.
        if other.id == hold.id { return .taken(try await objects.position(of: head, memory)) }
        return .held(other, by: head)
    }

    private func create() async throws(StateError) -> Attempt {
        let members = Head.members(chain: ClusterStateStore.newChain(), key: ClusterStateStore.newKey(), hold: hold)
        let made: JSON
        do throws(KubernetesError) { made = try await objects.createHead(members) } catch { return try failed(error, "cannot be made") }
        return .taken(try await objects.position(of: try Head(made, of: objects), memory))
    }

    /// What is in the head is read before the lock is taken: it is taken from this version, or not at all.
    private func attempt(replacing head: Head) async throws(StateError) -> Attempt {
        try await retake(try await objects.position(of: head, memory))
    }

    private func retake(_ position: Position) async throws(StateError) -> Attempt {
        var position = position
        let change: JSON = ["epoch": .integer(position.epoch + 1), "lock": hold.json]
        do throws(KubernetesError) { position.version = try await objects.patch(change, from: position.version) } catch {
            return try failed(error, "cannot be locked")
        }
        position.epoch += 1
        return .taken(position)
    }

    private func failed(_ error: KubernetesError, _ what: String) throws(StateError) -> Attempt {
        let isDeleted = error.code == .notFound && error.reason == "NotFound" && what == "cannot be locked"
        if error.code == .conflict || isDeleted { return .again }
        guard error.mayPass else { throw StateError(error, what, objects) }
        return .lost(error)
    }

    /// What may have been taken is given back; what cannot be given back ends by itself.
    private func giveUp() async {
        await Task {
            do {
                guard let head = try await objects.readHead(), head.hold?.id == hold.id else { return }
                _ = try await objects.patch(["lock": .null], from: head.version)
            } catch {}  // Out of reach.
        }.value
    }

    private func locked(_ other: Hold) -> StateError {
        let who = other.holder.map { "is locked by \($0)" } ?? "is locked by another process"
        return StateError(
            .locked, "the state in \(objects.place) \(who); it expires \(other.lease) after that process has last renewed it",
            next: "try again when it has ended", holder: other.holder)
    }

    private func pause(_ watch: Stopwatch) async throws(StateError) {
        do {
            try await watch.sleep(max(.milliseconds(50), min(.seconds(1), hold.lease / 20)))
        } catch {
            throw StateError(.interrupted, "waiting for the lock of the state in \(objects.place) was interrupted")
        }
    }
}
