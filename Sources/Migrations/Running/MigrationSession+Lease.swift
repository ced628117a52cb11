internal import Model
internal import ProviderKit
internal import SQL

extension MigrationSession {
    /// Takes the lease, and the advisory lock with it. Once, when the session is opened: a session that lost its lease gets no other, because
    /// whoever uses it has read the schema as it was before.
    func takeLease() async -> Problem? {
        let clock = ContinuousClock()
        let deadline = clock.now + settings.patience
        let holder = "\(settings.actor), run \(settings.run)"
        while true {
            do throws(SQLError) {
                let main = try mainConnection()
                switch try await Lease.take(on: main, holder: holder, for: settings.leaseDuration) {
                case .taken(let taken):
                    lease = taken
                    renewed = clock.now
                    if archive.engine == .postgres, !isPooled { return await holdSession(main) }
                    return nil
                case .held(let holding):
                    guard clock.now < deadline else {
                        return Problem(
                            "DatabaseBusy",
                            "\(holding.holder) has been moving this database's schema since \(holding.since); its lease runs until \(holding.expires)",
                            next: "wait for it; a runner that died is succeeded when its lease has run out")
                    }
                }
                try await pause(.milliseconds(200))
            } catch {
                return Self.problem(error)
            }
        }
    }

    /// Makes sure of lease and connection before a migration. A lease that merely ran out is prolonged.
    func ready() async -> Problem? {
        guard lease != nil || main != nil else { return await leaseLost(nil) }
        let isNew = main == nil
        do throws(SQLError) {
            if isNew { try await prepare(try await settings.connect(false)) }
            let main = try mainConnection()
            guard let lease else { return await leaseLost(main) }
            if isNew || ContinuousClock.now - renewed > settings.heartbeat {
                guard try await lease.renew(on: main, for: settings.leaseDuration) else {
                    self.lease = nil
                    return await leaseLost(main)
                }
                renewed = ContinuousClock.now
            }
            return isNew ? await hold(main) : nil
        } catch {
            // What was not prepared to the end is not used.
            if isNew { await drop() }
            return Self.problem(error)
        }
    }

    /// Makes a connection that was just prepared the one that moves the schema; one that cannot be is given up.
    func hold(_ connection: any SQLConnection) async -> Problem? {
        guard archive.engine == .postgres, !isPooled, let problem = await holdSession(connection) else { return nil }
        await drop()
        return problem
    }

    private func leaseLost(_ connection: (any SQLConnection)?) async -> Problem {
        var who = ""
        do throws(SQLError) {
            if let connection, let holding = try await Lease.holding(on: connection) { who = ": \(holding.holder), since \(holding.since)" }
        } catch {
            // Who it was matters less than that it is lost.
        }
        return Problem(
            "LeaseLost", "somebody else took over the lease of this database\(who)",
            next: "the next pass goes on from what the other one did")
    }

    // MARK: - Between two migrations

    /// Prolongs the lease while nothing is run, on a connection of its own: the session's own one may be given something to do meanwhile. What
    /// fails here is found out by the next migration.
    public func keep() async {
        guard let lease, !isRunning, ContinuousClock.now - renewed > settings.heartbeat else { return }
        do throws(SQLError) {
            let connection = try await settings.connect(false)
            let begun = ContinuousClock.now
            let isHeld: Bool
            do throws(SQLError) { isHeld = try await lease.renew(on: connection, for: settings.leaseDuration) } catch {
                await connection.close()
                throw error
            }
            await connection.close()
            if isHeld { renewed = max(renewed, begun) }
        } catch {
            // It may run out, and is prolonged then unless somebody else takes it.
        }
    }

    // MARK: - While a migration runs

    func withHeartbeat(_ work: @escaping @Sendable () async -> MigrationEnd) async -> MigrationEnd {
        guard archive.engine == .postgres, let lease else { return await work() }
        let settings = settings
        let (end, last) = await withTaskGroup(of: Beat.self) { group in
            group.addTask { .ended(await work()) }
            group.addTask { .stopped(await Self.beat(lease, settings)) }
            var end = MigrationEnd.undecided(Problem("Cancelled", "the migration was cancelled"))
            var last: ContinuousClock.Instant?
            for await beat in group {
                switch beat {
                case .ended(let ended):
                    end = ended
                    group.cancelAll()
                case .stopped(let time): last = time
                }
            }
            return (end, last)
        }
        if let last { renewed = last }
        return end
    }

    private enum Beat: Sendable {
        case ended(MigrationEnd)
        case stopped(ContinuousClock.Instant?)
    }

    /// Renews the lease on a connection of its own until it is cancelled. Whoever stops here too early is found out at the fence. Returns when
    /// it was last renewed.
    private static func beat(_ lease: Lease, _ settings: Settings) async -> ContinuousClock.Instant? {
        let clock = ContinuousClock()
        var connection: (any SQLConnection)?
        var last: ContinuousClock.Instant?
        await lease.keep(every: settings.heartbeat, on: clock) { lease throws(SQLError) in
            do throws(SQLError) {
                let open: any SQLConnection
                if let connection { open = connection } else { open = try await settings.connect(false) }
                connection = open
                guard try await lease.renew(on: open, for: settings.leaseDuration) else { return false }
                last = clock.now
                return true
            } catch {
                // The next one has a connection of its own.
                await connection?.close()
                connection = nil
                throw error
            }
        }
        await connection?.close()
        return last
    }
}
