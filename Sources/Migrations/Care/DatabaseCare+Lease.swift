internal import Model
internal import ProviderKit
internal import SQL

extension DatabaseCare {
    private static let duration = Duration.seconds(30)
    /// As long as a killed holder's lease lasts, and a little.
    private static let patience = 35

    /// Keeps migrations away while `work` lasts: holds the database's lease and prolongs it.
    ///
    /// - Parameters:
    ///   - what: for people: what it is held for.
    ///   - mayLack: true where a role that may not write goes on without.
    ///   - work: is given the lease, to look whether it is still held before what cannot be taken back; nil where it goes on without.
    func withLease<Value: Sendable>(
        at place: CarePlace, _ what: String, mayLack: Bool = false, _ progress: @escaping @Sendable (String) -> Void,
        _ work: (Lease?) async throws(Problem) -> Value
    ) async throws(Problem) -> Value {
        let lease: Lease
        do throws(Problem) {
            lease = try await take(at: place, what, progress)
        } catch {
            guard mayLack, error.reason == "NotPermitted" else { throw error }
            progress("this role may not write: a migration that begins meanwhile waits for a lock, or fails")
            return try await work(nil)
        }
        let outcome: Result<Value, Problem> = await withTaskGroup(of: Void.self) { group in
            group.addTask { await keep(lease, at: place) }
            defer { group.cancelAll() }
            do throws(Problem) { return .success(try await work(lease)) } catch { return .failure(error) }
        }
        // Also after a cancellation; what a restore put aside gives nothing back, and a lease that stays expires by itself.
        await Task {
            try? await place.session { connection throws(Problem) -> Void in
                do throws(SQLError) { try await lease.release(on: connection) } catch { throw Problem(sql: error, "cannot release") }
            }
        }.value
        return try outcome.get()
    }

    private func take(at place: CarePlace, _ what: String, _ progress: @escaping @Sendable (String) -> Void) async throws(Problem) -> Lease
    {
        let holder = "\(request.actor), \(what), run \(request.run)"
        var tries = 0
        while true {
            let attempt = try await place.session { connection throws(Problem) -> Lease.Attempt in
                do throws(SQLError) {
                    try await Archive(connection.engine).ensure(on: connection)
                    return try await Lease.take(on: connection, holder: holder, for: Self.duration)
                } catch {
                    // A standby takes no writes either.
                    throw Problem(
                        sql: error, "\(database.id): cannot take the lease", reason: error.sqlState == "25006" ? "NotPermitted" : nil)
                }
            }
            switch attempt {
            case .taken(let lease): return lease
            case .held(let holding):
                let who = "\(database.id): \(holding.holder) works on it since \(holding.since), until \(holding.expires) at the latest"
                guard tries < Self.patience else {
                    throw Problem("DatabaseBusy", who, next: "wait until that has ended, and run it again")
                }
                if tries == 0 { progress("\(who); waiting") }
                tries += 1
                do { try await clock.sleep(for: .seconds(1)) } catch {
                    throw Problem("Interrupted", "\(database.id): the wait for the lease was interrupted", next: "run it again")
                }
            }
        }
    }

    /// Prolongs the lease until it is cancelled or somebody else has it. A session each time: one that stayed would keep a file open, or be in
    /// the way of a database that is renamed.
    private func keep(_ lease: Lease, at place: CarePlace) async {
        await lease.keep(every: .seconds(8), on: clock) { lease throws(Problem) in
            try await place.session { connection throws(Problem) in
                do throws(SQLError) { return try await lease.renew(on: connection, for: Self.duration) } catch {
                    throw Problem(sql: error, "cannot prolong the lease")
                }
            }
        }
    }
}

extension Lease {
    /// Prolongs the lease before something that takes seconds and cannot be taken back. Throws if somebody else has it.
    func confirm(for duration: Duration, on connection: any SQLConnection) async throws(Problem) {
        let isHeld: Bool
        do throws(SQLError) { isHeld = try await renew(on: connection, for: duration) } catch {
            throw Problem(sql: error, "cannot prolong the lease")
        }
        if !isHeld { throw Self.lost }
    }

    /// Looks from within a transaction that keeps everybody else from the lease until it ends. Throws if somebody else has it.
    func confirm(inTransactionOf connection: any SQLConnection) async throws(Problem) {
        if try await connection.ask(fence.sql, fence.parameters, for: "cannot look at the lease").rows.isEmpty { throw Self.lost }
    }

    private static let lost = Problem(
        "LeaseLost", "somebody else took over the lease of this database; nothing was changed",
        next: "look at what was done meanwhile, then run it again")
}

extension SQLConnection {
    /// Frees the lease that a copied database remembers: its holder held the original.
    func forgetLease() async throws(Problem) {
        let archive = Archive(engine)
        let question =
            engine == .postgres
            ? "SELECT 1 WHERE pg_catalog.to_regclass('\(archive.tables.lease)') IS NOT NULL"
            : "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '\(archive.tables.lease)'"
        guard try await ask(question, for: "cannot look for the lease").scalar != nil else { return }
        try await ask(
            "UPDATE \(archive.tables.lease) SET holder = NULL, since = NULL, expires_at = \(ArchiveTables.now(engine))",
            for: "cannot free the lease")
    }
}
