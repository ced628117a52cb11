import DatabaseServers
import SQL
import TestPrograms
import Testing

/// Migrations that write down when they are run: a table each, and a row in the table `log` for every time that a direction took effect.
/// The first makes the table `log` and stays.
struct LoggedMigrations: Sendable {
    let ship: Operator
    let count: Int
    /// Those that make an index outside of a transaction instead, on the table before.
    let stepwise: Set<Int>

    /// - Parameter pause: a statement between every two others, told which number it has in its migration, from 1.
    init(_ ship: Operator, count: Int, stepwise: Set<Int> = [], pause: (_ migration: Int, _ place: Int) -> String) throws {
        self.ship = ship
        self.count = count
        self.stepwise = stepwise
        let key = ship.engine == .postgres ? "bigint GENERATED ALWAYS AS IDENTITY" : "integer PRIMARY KEY AUTOINCREMENT"
        try ship.write(
            Operator.stem(1), up: "CREATE TABLE log (id \(key), migration integer, direction text);", down: "DROP TABLE log;")
        for number in 2...count {
            if stepwise.contains(number) {
                try ship.write(
                    Operator.stem(number), up: "CREATE INDEX CONCURRENTLY i_\(number) ON t_\(number - 1) (id);",
                    down: "DROP INDEX CONCURRENTLY i_\(number);", isTransactional: false)
                continue
            }
            func log(_ direction: String) -> String { "INSERT INTO log (migration, direction) VALUES (\(number), '\(direction)');" }
            try ship.write(
                Operator.stem(number),
                up: [
                    "CREATE TABLE t_\(number) (id integer);", pause(number, 1), "INSERT INTO t_\(number) VALUES (1);", pause(number, 2),
                    log("up"), pause(number, 3),
                ].joined(separator: "\n"),
                down: [pause(number, 4), log("down"), pause(number, 5), "DROP TABLE t_\(number);", pause(number, 6)].joined(
                    separator: "\n"))
        }
    }

    var last: String { Operator.stem(count) }

    /// Of the transactional ones, those whose record, table, log and archive do not say the same; asked in one statement, which sees one
    /// moment.
    func halfApplied() async throws -> String {
        let numbers = (2...count).filter { !stepwise.contains($0) }
        let isPostgres = ship.engine == .postgres
        let parts = numbers.map { number in
            let table =
                isPostgres
                ? "(SELECT count(*) FROM pg_class WHERE relname = 't_\(number)' AND relnamespace = 'public'::regnamespace)"
                : "(SELECT count(*) FROM sqlite_master WHERE name = 't_\(number)')"
            let record = "(SELECT count(*) FROM schema_migrations WHERE version = '\(Operator.version(number))')"
            let log = "(SELECT count(*) % 2 FROM log WHERE migration = \(number))"
            let archive =
                "(SELECT count(*) FROM \(isPostgres ? "belay.migration_archive" : "_belay_migration_archive") "
                + "WHERE version = '\(Operator.stem(number))' AND state = 'applied')"
            return
                "SELECT '\(number): record ' || \(record) || ', table ' || \(table) || ', log ' || \(log) || ', archive ' || \(archive) AS found, "
                + "\(record) = \(table) AND \(table) = \(log) AND \(log) = \(archive) AS agrees"
        }
        return try await ship.ask("SELECT found FROM (\(parts.joined(separator: " UNION ALL "))) parts WHERE NOT agrees")
    }

    /// What took effect twice in the same direction, or first went back.
    func doubled() async throws -> [String] {
        var directions: [String: String] = [:]
        var problems: [String] = []
        for line in try await ship.ask("SELECT migration, direction FROM log ORDER BY id").split(separator: "\n") {
            let parts = line.split(separator: "|").map(String.init)
            guard parts.count == 2 else { continue }
            if directions[parts[0], default: "down"] == parts[1] { problems.append("\(parts[0]) \(parts[1]) again") }
            directions[parts[0]] = parts[1]
        }
        return problems
    }

    /// Expects that nothing is half done at this moment, whoever is still at work.
    func expectWhole(_ note: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        #expect(try await halfApplied() == "", "\(note)", sourceLocation: sourceLocation)
        #expect(try await doubled() == [], "\(note)", sourceLocation: sourceLocation)
    }

    /// Passes until it is done, as somebody would run them after a crash; expects that it comes to its end.
    func converge(to number: Int, _ note: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        var last: BuiltProgram.Ended?
        for _ in 0..<8 {
            try await ship.letTheLeaseExpire()
            let ended = try await ship.move(to: Operator.stem(number))
            last = ended
            if ended.status == 0 { break }
        }
        #expect(
            last?.status == 0, "\(note): it does not converge: \(last?.told ?? "")", sourceLocation: sourceLocation)
        try await expectWhole(note, sourceLocation: sourceLocation)
        #expect(
            try await ship.versions() == (1...number).map(Operator.version), "\(note)", sourceLocation: sourceLocation)
        if ship.engine == .postgres {
            let indexes = try await ship.ask(
                "SELECT relname || ' ' || indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname LIKE 'i\\_%' ORDER BY 1")
            let expected = stepwise.filter { $0 <= number }.sorted().map { "i_\($0) true" }
            #expect(indexes.split(separator: "\n").map(String.init) == expected, "\(note)", sourceLocation: sourceLocation)
        }
    }
}

/// Statements of migrations that stop until a test lets them pass, through advisory locks of PostgreSQL.
actor Gate {
    private let connection: any SQLConnection
    private let watcher: any SQLConnection
    private static let space = 4711

    init(_ ship: Operator) async throws {
        connection = try await ship.connect()
        watcher = try await ship.connect()
    }

    /// The statement that passes when the gate is open.
    static func statement(_ number: Int) -> String { "SELECT pg_advisory_xact_lock_shared(\(space), \(number));" }

    func shut(_ number: Int) async throws { _ = try await connection.query("SELECT pg_advisory_lock(\(Self.space), \(number))") }
    func open(_ number: Int) async throws { _ = try await connection.query("SELECT pg_advisory_unlock(\(Self.space), \(number))") }

    /// Waits until somebody stands before a gate.
    func awaitArrival(_ number: Int) async throws {
        try await eventually("nobody came to gate \(number)") {
            try await watcher.query(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = \(Self.space) AND objid = \(number) "
                    + "AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).scalar != "0"
        }
    }

    func close() async {
        await connection.close()
        await watcher.close()
    }
}

/// Asks until it is so; throws after half a minute.
func eventually(_ problem: String, isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw Operator.Failure(text: problem) }
        try await Task.sleep(for: .milliseconds(5))
    }
}
