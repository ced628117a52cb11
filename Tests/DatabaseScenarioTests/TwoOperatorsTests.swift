import DatabaseServers
import SQL
import TestPrograms
import Testing

/// Two that move one database's schema at once, each with a state directory of its own: one works, the other waits or is told so
/// (contract migrations.md §3.6).
@Suite(.enabled(if: PostgresServer.isPoolerAvailable, "\(PostgresServer.poolerNeed)"), .timeLimit(.minutes(10)))
struct TwoOperatorsTests {
    /// What somebody who comes second may be told.
    private static let reasonsOfTheSecond: Set<String> = [
        "DatabaseBusy", "TimeIsOver", "WorldChanged", "LeaseLost", "LockTimeout", "ApprovalNeeded", "Unfinished",
    ]

    @Test(arguments: [false, true]) func nothingIsAppliedTwiceAndNobodyDeadlocks(isPooled: Bool) async throws {
        try await Operator.with(.postgres, isPooled: isPooled) { one in
            let migrations = try LoggedMigrations(one, count: 6, stepwise: [3, 5]) { _, _ in "SELECT pg_sleep(0.01);" }
            let two = one.colleague("two")
            try await one.arrive(at: Operator.stem(1))
            try await two.arrive(at: Operator.stem(1))
            for target in [6, 1, 6] {
                async let first: Void = Self.settle(one, target)
                async let second: Void = Self.settle(two, target)
                _ = try await (first, second)
                try await migrations.expectWhole("to \(target)")
                #expect(try await one.versions() == (1...target).map(Operator.version))
            }
            let ups = try await one.ask("SELECT count(*) FROM log WHERE direction = 'up'")
            #expect(ups == "6", "three migrations with a row each, applied twice each")
            #expect(try await Self.deadlocks(one) == "0")
            #expect(try await Self.locks(one) == "0", "no lock is left on a session of the pool")
        }
    }

    /// One waits within `CREATE INDEX CONCURRENTLY` for somebody's transaction; the other must not wait for a lock in a statement, or the
    /// index would wait for that one as well.
    @Test(arguments: [false, true]) func anIndexThatIsMadeConcurrentlyIsNotHeldUpByWhoComesSecond(isPooled: Bool) async throws {
        try await Operator.with(.postgres, isPooled: isPooled) { one in
            let migrations = try LoggedMigrations(one, count: 4, stepwise: [3]) { _, _ in "" }
            let two = one.colleague("two")
            try await one.arrive(at: Operator.stem(2))
            try await two.arrive(at: Operator.stem(2))
            let writer = try await one.connect()
            try await writer.execute("BEGIN; INSERT INTO t_2 VALUES (2)")
            async let first: Void = Self.settle(one, 4)
            try await eventually("no index is being made") {
                try await one.ask(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock' "
                        + "AND pid <> pg_backend_pid()") != "0"
            }
            let second = try await two.once(Operator.stem(4), timeout: "3s")
            #expect(second.status != 0, "\(second.told)")
            #expect(second.reasons.allSatisfy(Self.reasonsOfTheSecond.contains), "\(second.told)")
            try await writer.execute("COMMIT")
            await writer.close()
            try await first
            try await Self.settle(two, 4)
            try await migrations.converge(to: 4, "both arrived")
            #expect(try await Self.deadlocks(one) == "0")
            #expect(try await one.ask("SELECT count(*) FROM log WHERE migration = 4") == "1")
        }
    }

    /// Passes until it has arrived; whatever stops it on the way must be the other one.
    private static func settle(_ ship: Operator, _ target: Int) async throws {
        let pin = Operator.stem(target)
        for _ in 0..<100 {
            let ended = try await ship.move(to: pin)
            if ended.status == 0 { return }
            #expect(
                !ended.reasons.isEmpty && ended.reasons.allSatisfy(reasonsOfTheSecond.contains),
                "\(ship.name) to \(target): \(ended.told)")
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("\(ship.name) does not arrive at \(target)")
    }

    private static func deadlocks(_ ship: Operator) async throws -> String {
        try await ship.ask("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    }

    private static func locks(_ ship: Operator) async throws -> String {
        try await ship.ask(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    }
}
