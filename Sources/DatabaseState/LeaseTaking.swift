internal import Model
internal import SQL
internal import State

/// The way to a lease: it is taken when nobody has it, and when its holder has shown no sign until it ended.
struct LeaseTaking {
    let database: ResourceID
    let tables: StateTables
    let lease: Duration
    let connection: StateConnection

    /// What is seen of a holder.
    private struct Watch {
        var holding: Holding
        var since: Duration
    }

    /// Returns the epoch.
    ///
    /// Whether a holder is dead can only be told by watching it: one that shows a sign lives, and is waited for as long as patience lasts.
    func take(_ id: String, holder: String, patience: Duration, _ watch: Stopwatch) async throws(StateError) -> Int {
        var first: Watch?
        var isAlive = false
        while true {
            let stale = first.flatMap { mayBeReplaced($0, watch.elapsed) ? $0.holding : nil }
            switch try await attempt(id, holder, from: stale) {
            case .taken(let epoch): return epoch
            case .busy:
                // Whoever writes the file keeps the holder from renewing: the watch begins anew.
                first?.since = watch.elapsed
                guard watch.elapsed < max(patience, lease) else {
                    throw locked(first?.holding, "somebody is writing the file all the time")
                }
            case .held(let holding):
                if let seen = first, !holding.isUnchanged(since: seen.holding) { isAlive = isAlive || holding.id == seen.holding.id }
                if first.map({ !holding.isUnchanged(since: $0.holding) }) ?? true { first = Watch(holding: holding, since: watch.elapsed) }
                if isAlive, watch.elapsed >= patience { throw locked(holding, expiry(holding)) }
                // A clock that jumps must not make it endless.
                guard watch.elapsed < patience + holding.lease * 3 else { throw locked(holding, expiry(holding)) }
                // The lease of another hold than the one that was seen first: somebody else was faster.
                if first?.holding.id != holding.id { isAlive = true }
            }
            try await pause(watch)
        }
    }

    private enum Attempt {
        case taken(Int)
        case held(Holding)
        case busy
    }

    private func attempt(_ id: String, _ holder: String, from stale: Holding?) async throws(StateError) -> Attempt {
        do throws(SQLError) {
            try await connection.ensure(tables)
            while true {
                let taken = try await connection.ask(tables.take(id, holder: holder, for: lease, from: stale))
                if let epoch = taken.scalar.flatMap({ Int($0) }) { return .taken(epoch) }
                // Given back in between: it is free now.
                if let row = try await connection.ask(tables.holding).rows.first, let holding = Holding(row) { return .held(holding) }
            }
        } catch {
            if error.meansBusy { return .busy }
            throw StateError(error, "cannot be locked", in: database)
        }
    }

    /// On PostgreSQL an ended lease is anybody's. A SQLite file has one writer at a time, and a migration of an hour keeps the holder from
    /// renewing for so long: it gets the time of a renewal after the file has become free.
    private func mayBeReplaced(_ watch: Watch, _ now: Duration) -> Bool {
        tables.engine == .sqlite && now - watch.since >= watch.holding.lease / 3
    }

    private func expiry(_ holding: Holding) -> String { "it expires \(holding.lease) after that process has last renewed it" }

    private func locked(_ holding: Holding?, _ expiry: String) -> StateError {
        let holder = holding?.person
        let who = holder.map { "is locked by \($0)" } ?? "is locked by another process"
        return StateError(.locked, "the state in \(database) \(who); \(expiry)", next: "try again when it has ended", holder: holder)
    }

    private func pause(_ watch: Stopwatch) async throws(StateError) {
        do {
            try await watch.sleep(max(.milliseconds(50), min(.seconds(1), lease / 20)))
        } catch {
            throw StateError(.interrupted, "waiting for the lock of the state in \(database) was interrupted")
        }
    }
}
