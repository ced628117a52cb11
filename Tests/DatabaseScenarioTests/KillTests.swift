import DatabaseServers
import SQL
import TestPrograms
import Testing

/// The program is ended by SIGKILL in the middle of a schema's way (contract migrations.md §3.7): at no moment is a migration there without
/// its record or a record without its migration, nothing takes effect twice, and the next passes arrive.
@Suite(.timeLimit(.minutes(60))) struct KillTests {
    /// Before every statement of every migration, up and down; the server goes on with what it was sent, or is stopped with its client.
    @Test(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), arguments: [true, false])
    func killedBeforeAnyStatementItConverges(isUp: Bool) async throws {
        let places = (2...4).flatMap { number in (isUp ? 1...3 : 4...6).map { number * 10 + $0 } }
        for (index, place) in places.enumerated() where TestLength.isLong || index % 2 == (isUp ? 0 : 1) {
            // Whoever comes next finds the statement under way, or ended.
            for opensFirst in TestLength.isLong ? [true, false] : [index % 4 < 2] {
                try await Self.kill(at: place, isUp: isUp, opensFirst: opensFirst)
            }
        }
    }

    private static func kill(at place: Int, isUp: Bool, opensFirst: Bool) async throws {
        let note = "killed at \(place), \(isUp ? "up" : "down")\(opensFirst ? "" : ", the next pass finds the statement under way")"
        try await Operator.with(.postgres) { ship in
            let migrations = try LoggedMigrations(ship, count: 4) { Gate.statement($0 * 10 + $1) }
            let gate = try await Gate(ship)
            try await ship.arrive(at: Operator.stem(isUp ? 1 : 4))
            let (end, pin) = isUp ? (4, Operator.stem(4)) : (1, Operator.stem(1))
            let digest = try await ship.plan(pin).digest
            try await gate.shut(place)
            let killed = try await ship.once(pin, approving: digest) { try await gate.awaitArrival(place) }
            #expect(killed.status == 128 + 9, "\(note): \(killed.told)")
            try await migrations.expectWhole(note)
            if opensFirst {
                try await gate.open(place)
                try await migrations.expectWhole(note)
                try await migrations.converge(to: end, note)
            } else {
                async let passes: Void = migrations.converge(to: end, note)
                try await Task.sleep(for: .milliseconds(300))
                try await migrations.expectWhole(note)
                try await gate.open(place)
                try await passes
            }
            await gate.close()
        }
    }

    /// The index that an interrupted `CREATE INDEX CONCURRENTLY` leaves is not taken for a finished one.
    @Test(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), arguments: [true, false])
    func killedWhileAnIndexIsMadeConcurrently(theServerGoesOn: Bool) async throws {
        try await Operator.with(.postgres) { ship in
            let migrations = try LoggedMigrations(ship, count: 4, stepwise: [3]) { _, _ in "" }
            try await ship.arrive(at: Operator.stem(2))
            // Somebody's transaction that has written to the table: the index waits for its end.
            let writer = try await ship.connect()
            try await writer.execute("BEGIN; INSERT INTO t_2 VALUES (2)")
            let asker = ship
            let killed = try await ship.once(migrations.last) {
                try await eventually("no index is being made") {
                    try await asker.ask(
                        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock' "
                            + "AND pid <> pg_backend_pid()") != "0"
                }
            }
            #expect(killed.status == 128 + 9, "\(killed.told)")
            #expect(try await ship.versions() == (1...2).map(Operator.version), "it is not recorded before it is there")
            if !theServerGoesOn {
                try await ship.ask(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND pid <> pg_backend_pid()"
                )
                try await eventually("the session did not end") {
                    try await ship.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('i_3')") == "f"
                }
            }
            try await writer.execute("COMMIT")
            await writer.close()
            try await migrations.converge(to: 4, theServerGoesOn ? "the server went on" : "the session was ended")
        }
    }

    /// Killed again and again after random times, while the pin moves to and fro.
    @Test(
        .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"),
        arguments: Operator.Engine.allCases)
    func killedAtRandomItConverges(_ engine: Operator.Engine) async throws {
        var random = Seeded(state: TestLength.seed &+ 2)
        try await Operator.with(engine) { ship in
            let pause =
                engine == .postgres
                ? "SELECT pg_sleep(0.01);"
                : "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT count(*) FROM n;"
            let migrations = try LoggedMigrations(ship, count: 6, stepwise: engine == .postgres ? [4] : []) { _, _ in pause }
            try await ship.arrive(at: Operator.stem(1))
            var target = 1
            for round in 0..<TestLength.choose(short: engine == .postgres ? 16 : 9, long: 200) {
                target = [1, 2, 3, 4, 5, 6].filter { $0 != target }.randomElement(using: &random) ?? 1
                let note = "seed \(TestLength.seed), \(engine), round \(round) to \(target)"
                let digest = try await ship.plan(Operator.stem(target)).digest
                let milliseconds = Int.random(in: 10...400, using: &random)
                _ = try await ship.once(Operator.stem(target), approving: digest) {
                    try await Task.sleep(for: .milliseconds(milliseconds))
                }
                try await migrations.expectWhole("\(note), killed after \(milliseconds) ms")
                // Sometimes the next one wants something else.
                if Int.random(in: 0..<3, using: &random) == 0 { continue }
                try await migrations.converge(to: target, "\(note), killed after \(milliseconds) ms")
            }
            try await migrations.converge(to: 6, "in the end")
        }
    }
}
