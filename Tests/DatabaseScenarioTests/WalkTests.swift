import DatabaseServers
import Migrations
import SQL
import TestPrograms
import Testing

/// Made-up migrations and a random walk over pins: after every move what is applied is exactly what is at or below the pin, and the schema
/// is the one that the same files make in a database of their own.
@Suite struct WalkTests {
    @Test(
        .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(60)),
        arguments: Operator.Engine.allCases)
    func theSchemaIsThatOfThePinWhereverOneComesFrom(_ engine: Operator.Engine) async throws {
        let count = TestLength.choose(short: 30, long: 300)
        let migrations = MigrationGenerator.make(count, for: engine, seed: TestLength.seed)
        let expected = try await Self.schemas(migrations, engine)
        var random = Seeded(state: TestLength.seed &+ 1)
        try await Operator.with(engine) { ship in
            // Where every file is gone there is nothing left to tell the format from.
            ship.settings = ["format: dbmate"]
            var position = 0
            for move in 0..<TestLength.choose(short: 10, long: 200) {
                let target = Self.next(after: position, move: move, of: count, &random)
                // What a reverted commit takes away: the files above the pin. What a newer one brings: all up to it.
                for (index, migration) in migrations.enumerated() {
                    let isThere = ship.holds(migration.stem)
                    if index < target, !isThere {
                        try ship.write(migration)
                    } else if index >= target, isThere {
                        try ship.remove(migration.stem)
                    }
                }
                let pin = target == 0 ? "none" : migrations[target - 1].stem
                let note = "seed \(TestLength.seed), move \(move), from \(position) to \(target)"
                do { try await ship.arrive(at: pin) } catch { throw Operator.Failure(text: "\(note): \(error)") }
                #expect(try await ship.versions() == migrations.prefix(target).map { String($0.stem.prefix(14)) }, "\(note)")
                let found = try await ship.fingerprint()
                #expect(Set(found.lines).symmetricDifference(expected[target].fingerprint.lines).sorted() == [], "\(note)")
                #expect(found.hash == expected[target].fingerprint.hash, "\(note)")
                let dump = try await ship.dump()
                #expect(Set(dump).symmetricDifference(expected[target].dump).sorted() == [], "\(note)")
                #expect(try await ship.plan(pin).status == 0, "\(note)")
                position = target
            }
        }
    }

    /// The first moves go to both ends; most of the others are not far, some go anywhere.
    private static func next(after position: Int, move: Int, of count: Int, _ random: inout Seeded) -> Int {
        switch move {
        case 0: return count / 2
        case 1: return count
        case 2: return 0
        default:
            while true {
                let isFar = Int.random(in: 0..<4, using: &random) == 0
                let target =
                    isFar
                    ? Int.random(in: 0...count, using: &random) : position + Int.random(in: -15...15, using: &random)
                if target != position, (0...count).contains(target) { return target }
            }
        }
    }

    private struct Expected {
        var fingerprint: SchemaFingerprint
        var dump: [String]
    }

    /// What the up scripts alone make of an empty database, after each of them.
    private static func schemas(_ migrations: [GeneratedMigration], _ engine: Operator.Engine) async throws -> [Expected] {
        var found: [Expected] = []
        try await Operator.with(engine) { reference in
            let connection = try await reference.connect()
            found.append(Expected(fingerprint: try await reference.fingerprint(), dump: try await reference.dump()))
            for migration in migrations {
                try await connection.execute(migration.up)
                found.append(Expected(fingerprint: try await reference.fingerprint(), dump: try await reference.dump()))
            }
            await connection.close()
        }
        return found
    }
}
