internal import JSONValues
internal import KubernetesAPI
internal import Model
internal import State

/// The lock of a state in a cluster, held, and its journal.
actor ClusterSession: StateSession {
    nonisolated let lease: Duration
    private let objects: StateObjects
    private let hold: Hold
    private let limit: Int
    private let memory: JournalMemory
    private let clock: any Clock<Duration>
    private var position: Position
    private var beat = 0
    private var isHeld = true
    /// Why nothing more can be appended.
    private var end: StateError?
    /// The last turn that was begun: each names the version that the one before left.
    private var tail: Task<Void, Never>?

    init(
        _ objects: StateObjects, hold: Hold, position: Position, limit: Int, memory: JournalMemory, clock: any Clock<Duration>
    ) {
        self.objects = objects
        self.hold = hold
        self.position = position
        self.limit = limit
        self.memory = memory
        self.clock = clock
        lease = hold.lease
    }

    var state: RecordedState { position.journal.state }

    // MARK: - Turns

    private enum Turn {
        case append(JournalEntry, Timestamp)
        case renew
        case release
    }

    /// One after the other, and to its end also for a task that is cancelled: what becomes of a write must not be forgotten.
    private func take(_ turn: Turn) async throws(StateError) {
        let before = tail
        let work = Task { () -> Result<Void, StateError> in
            await before?.value
            do throws(StateError) {
                switch turn {
                case .append(let entry, let time): try await write(entry, at: time)
                case .renew: if isHeld { try await commit([:], tries: 1) }
                case .release: try await giveBack()
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        tail = Task { _ = await work.value }
        try await work.value.get()
    }

    func append(_ entry: JournalEntry, at time: Timestamp) async throws(StateError) { try await take(.append(entry, time)) }

    func renew() async throws(StateError) {
        var failures = 0
        while isHeld, !Task.isCancelled {
            do throws(StateError) { return try await take(.renew) } catch {
                guard error.code == .unreachable else { throw error }
                // A lock that could not be renewed may still be held when the server answers again: the next append finds out.
                failures += 1
                guard failures < 5 else { return }
            }
            do { try await clock.sleep(for: max(.milliseconds(20), min(.seconds(1), lease / 15))) } catch { return }
        }
    }

    func release() async {
        guard isHeld else { return }
        isHeld = false
        do throws(StateError) { try await take(.release) } catch {}  // It ends by itself.
        if end == nil { end = givenBack }
    }

    // MARK: - Writing

    private func write(_ entry: JournalEntry, at time: Timestamp) async throws(StateError) {
        if let end { throw end }
        do throws(StateError) {
            guard isHeld else { throw givenBack }
            let (record, bytes) = try JournalRecord.line(entry, at: time, after: position.journal.last)
            let line = String(decoding: bytes.dropLast(), as: UTF8.self)
            var change: JSON = ["journal": [Head.key(of: record.sequence): .string(line)]]
            var moved: [Head.Line] = []
            var isWhole = false
            if position.size > 0, position.size + line.utf8.count > limit {
                (moved, isWhole) = try await seal()
                for line in moved { change["journal"]?[line.key] = .null }
                change["segments"] = .integer(position.segments + 1)
            }
            try await commit(change, tries: 10)
            if !moved.isEmpty {
                position.segments += 1
                if isWhole {
                    memory.remember(
                        JournalMemory.Sealed(chain: position.chain, segments: position.segments, journal: position.journal),
                        of: objects.key, hashKey: position.key)
                }
                position.size -= moved.reduce(0) { $0 + $1.text.utf8.count }
            }
            position.size += line.utf8.count
            position.journal.last = record
            position.journal.state.apply(entry)
        } catch {
            end = error
            throw error
        }
    }

    /// Writes the lines of the head, or the first of them, into the next segment; returns them, and whether they are all. They are in both until
    /// the head says that the segment is there.
    private func seal() async throws(StateError) -> (lines: [Head.Line], isWhole: Bool) {
        let lines = try await own().lines
        let number = position.segments + 1
        var tries = 0
        while true {
            do throws(KubernetesError) {
                try await objects.createSegment(number, of: position.chain, lines)
                return (lines, true)
            } catch {
                if error.reason == "AlreadyExists" {
                    // Of one who came no further: the journal has only grown since.
                    let present = try await objects.segmentLines(number, of: position.chain)
                    guard !present.isEmpty, zip(present, lines).allSatisfy({ $0.text == $1.text }), present.count <= lines.count else {
                        throw StateError(
                            .damaged,
                            "systemstate \(objects.segmentName(number, of: position.chain)) in namespace \(objects.namespace) does not hold the lines that the journal has",
                            next: "see who wrote it; without it the journal goes on as it is in systemstate \(objects.name)")
                    }
                    return (present, present.count == lines.count)
                }
                tries += 1
                guard error.mayPass, tries < 10 else { throw StateError(error, "cannot be written", objects) }
            }
            try await pause(after: tries)
        }
    }

    /// Changes the head. Every try names the same version, so that no two of them can take effect, and none that is still on its way
    /// does once another has.
    private func commit(_ change: JSON, tries: Int) async throws(StateError) {
        let next = beat + 1
        var change = change
        change["lock"] = ["beat": .integer(next)]
        var failures = 0
        var touches = 0
        while true {
            let failure: KubernetesError
            do throws(KubernetesError) {
                position.version = try await objects.patch(change, from: position.version)
                beat = next
                return
            } catch {
                failure = error
            }
            if failure.code == .notFound, failure.reason == "NotFound" { throw lost(nil, "it was deleted") }
            if failure.code == .conflict {
                let head = try await own(orAt: next)
                position.version = head.version
                if head.hold?.beat == next {
                    beat = next
                    return
                }
                // Somebody wrote a label or the like.
                touches += 1
                guard touches < 20 else { throw StateError(failure, "cannot be written: something changes it all the time", objects) }
                continue
            }
            failures += 1
            guard failure.mayPass, failures < tries else { throw StateError(failure, "cannot be written", objects) }
            try await pause(after: failures)
        }
    }

    /// The head, of which only this session's own doing is known.
    /// - Parameter next: the beat of a change that may be there.
    private func own(orAt next: Int? = nil) async throws(StateError) -> Head {
        var failures = 0
        while true {
            do throws(StateError) {
                guard let head = try await objects.readHead() else { throw lost(nil, "it was deleted") }
                guard let present = head.hold, present.id == hold.id, head.epoch == position.epoch, head.chain == position.chain,
                    present.beat == next || (present.beat == beat && head.ends(with: position.journal.last))
                else { throw lost(head.hold, "somebody else wrote there, or it was restored from a backup") }
                return head
            } catch {
                failures += 1
                guard error.code == .unreachable, failures < 10 else { throw error }
            }
            try await pause(after: failures)
        }
    }

    private func pause(after failures: Int) async throws(StateError) {
        let pause = min(.milliseconds(50) * (1 << min(failures, 10)), lease / 6)
        do { try await clock.sleep(for: pause) } catch {
            throw StateError(.interrupted, "waiting for the \(objects.place) was interrupted")
        }
    }

    // MARK: - The end

    private func giveBack() async throws(StateError) {
        for _ in 0..<3 {
            do throws(KubernetesError) {
                position.version = try await objects.patch(["lock": .null], from: position.version)
                if end == nil { memory.remember(free: position, of: objects.key) }
                return
            } catch {
                guard error.mayPass || error.code == .conflict else { return }
                if error.code == .conflict {
                    guard let head = try await objects.readHead(), head.hold?.id == hold.id else { return }
                    // Only the lock is given back: what is in it now is for the next one to read.
                    if end == nil { end = givenBack }
                    position.version = head.version
                }
            }
        }
    }

    private var givenBack: StateError { StateError(.lockLost, "the lock of the state in \(objects.place) was given back") }

    private func lost(_ other: Hold?, _ otherwise: String) -> StateError {
        let holder = other.flatMap { $0.id == hold.id ? nil : $0.holder }
        let who = holder.map { "\($0) has it" } ?? otherwise
        return StateError(
            .lockLost, "the lock of the state in \(objects.place) was lost while it was held: \(who)",
            next: "the next pass goes on from what is recorded", holder: holder)
    }
}
