internal import Model
internal import SQL
internal import State

/// The lease of a system in a database, held, and its journal.
actor DatabaseSession: StateSession {
    nonisolated let lease: Duration
    private(set) var state: RecordedState

    private let database: StateDatabase
    private let tables: StateTables
    private let id: String
    private let clock: any Clock<Duration>
    private let writing: StateConnection
    /// Of its own, so that a write that takes long does not end the lease.
    private let renewing: StateConnection
    private var epoch: Int
    private var last: JournalRecord?
    private var isHeld = true
    /// Why nothing more can be appended.
    private var end: StateError?
    /// The last append that was begun: steps run side by side, and the lines of a journal do not.
    private var tail: Task<Void, Never>?

    init(
        _ database: StateDatabase, _ tables: StateTables, id: String, epoch: Int, lease: Duration, records: [JournalRecord],
        connection: StateConnection, clock: any Clock<Duration>
    ) {
        self.database = database
        self.tables = tables
        self.id = id
        self.epoch = epoch
        self.lease = lease
        self.clock = clock
        writing = connection
        // While somebody else writes a SQLite file, the renewal stands at the door, to be in before anybody who has watched the lease.
        renewing = StateConnection(database, busy: lease / 3, limit: lease / 3)
        last = records.last
        state = RecordedState(replaying: records)
    }

    // MARK: - Appending

    func append(_ entry: JournalEntry, at time: Timestamp) async throws(StateError) {
        let before = tail
        // A task that is cancelled still records what it did: what becomes of a write must not be forgotten.
        let work = Task { () -> Result<Void, StateError> in
            await before?.value
            do throws(StateError) { return .success(try await write(entry, at: time)) } catch { return .failure(error) }
        }
        tail = Task { _ = await work.value }
        try await work.value.get()
    }

    private func write(_ entry: JournalEntry, at time: Timestamp) async throws(StateError) {
        if let end { throw end }
        do throws(StateError) {
            guard isHeld else { throw givenBack }
            let (record, bytes) = try JournalRecord.line(entry, at: time, after: last)
            try await write(String(decoding: bytes.dropLast(), as: UTF8.self), of: record)
            last = record
            state.apply(entry)
        } catch {
            end = error
            throw error
        }
    }

    /// Sends the line; where the answer is lost, the journal is asked, and only what is certainly not there is sent again.
    private func write(_ line: String, of record: JournalRecord) async throws(StateError) {
        var attempts = 0
        while true {
            let question = tables.append(line, record.sequence, behind: last?.hash, id: id, epoch: epoch, for: lease)
            attempts += 1
            switch await writing.answer(to: question) {
            case .success(let answer):
                guard answer.rows.isEmpty else { return }
                throw await lost()
            case .failure(let error):
                // Somebody wrote this number without the lease, or took the tables away.
                if error.meansTaken || error.meansNoTable { throw await lost() }
                guard error.leavesOpen, attempts < 4 else { throw StateError(error, "cannot be written", in: database.id) }
                if try await isWritten(line, record.sequence, after: error) { return }
            }
        }
    }

    /// What became of a line whose answer was lost.
    ///
    /// The lease's row is changed first: that waits for a statement that is still at work, and a statement that comes later finds another
    /// epoch, so that the answer is final.
    private func isWritten(_ line: String, _ sequence: Int, after failure: SQLError) async throws(StateError) -> Bool {
        var pause = Duration.milliseconds(100)
        var error = failure
        for _ in 0..<10 {
            switch await writing.answer(to: tables.fence(id, for: lease)) {
            case .success(let answer):
                guard let epoch = answer.scalar.flatMap({ Int($0) }) else { throw await lost() }
                self.epoch = epoch
                switch await writing.answer(to: tables.line(sequence)) {
                case .success(let answer): return answer.scalar == line
                case .failure(let next): error = next
                }
            case .failure(let next): error = next
            }
            do { try await clock.sleep(for: pause) } catch { break }
            pause = min(pause * 2, lease / 6)
        }
        throw StateError(error, "could not be read back after an answer was lost", in: database.id)
    }

    // MARK: - Holding

    func renew() async throws(StateError) {
        guard isHeld else { return }
        var failures = 0
        while isHeld, !Task.isCancelled {
            switch await renewing.answer(to: tables.renew(id, for: lease)) {
            case .success(let answer):
                guard answer.rows.isEmpty, isHeld else { return }
                throw await lost()
            case .failure(let error):
                // A lease that could not be prolonged may still be held when the database answers again: the next append finds out.
                failures += error.meansBusy ? 0 : 1
                guard failures < 5 else { return }
                do { try await clock.sleep(for: max(.milliseconds(20), min(.seconds(1), lease / 30))) } catch { return }
            }
        }
    }

    func release() async {
        guard isHeld else { return }
        isHeld = false
        let before = tail
        // Given back also by a task that is cancelled.
        await Task {
            await before?.value
            do throws(SQLError) {
                _ = try await writing.ask(tables.release(id))
            } catch {
                // It ends by itself.
            }
            await writing.close()
            await renewing.close()
        }.value
        if end == nil { end = givenBack }
    }

    private var givenBack: StateError { StateError(.lockLost, "the lock of the state in \(database.id) was given back") }

    /// Says who has the lease now, where that can be told.
    private func lost() async -> StateError {
        var holder: LockHolder?
        do throws(SQLError) {
            holder = try await writing.ask(tables.holding).rows.first.flatMap { Holding($0) }.flatMap { $0.id == id ? nil : $0.person }
        } catch {
            // Only the name is missing.
        }
        let who = holder.map { "\($0) has it" } ?? "somebody else wrote there, or the database was restored"
        return StateError(
            .lockLost, "the lock of the state in \(database.id) was lost while it was held: \(who)",
            next: "the next pass goes on from what is recorded", holder: holder)
    }
}
