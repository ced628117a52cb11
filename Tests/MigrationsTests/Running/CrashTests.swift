import DatabaseServers
import FoundationEssentials
import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing
import TestPrograms
import Testing

/// Killed at any effect, the next run ends in the same world.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(10))) struct CrashTests {
    static let whole = "CREATE TABLE t (id int); INSERT INTO t VALUES (1); ALTER TABLE t ADD n int DEFAULT 2"
    static let steps =
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE INDEX CONCURRENTLY i ON t (id); ALTER TABLE t ADD n int DEFAULT 2"

    private func run(_ address: String, _ run: String, _ script: String, steps: Bool, last: Int) async throws -> BuiltProgram.Ended {
        try await BuiltProgram("migration-subject").run([address, run, "up", script, steps ? "1" : "0", String(last)])
    }

    private func expectWhole(_ connection: any SQLConnection, _ table: String, _ note: String) async throws {
        #expect(try await connection.query("SELECT count(*) FROM \(table)").scalar == "1", "\(note)")
        #expect(try await connection.query("SELECT count(*) FROM t").scalar == "1", "\(note)")
        #expect(try await connection.query("SELECT n FROM t").scalar == "2", "\(note)")
    }

    @Test(arguments: [false, true]) func killedAtEveryEffect(steps: Bool) async throws {
        let script = steps ? Self.steps : Self.whole
        var last = 1
        while true {
            let bench = try await Bench()
            let first = try await run(bench.url, "a", script, steps: steps, last: last)
            if first.status == 0 {
                #expect(first.output.contains(" done"), "\(first.output)")
                #expect(last > 8)
                await bench.connection.close()
                break
            }
            // Never a record without its migration, nor the other way round.
            if try await bench.recorded() == ["1"] { try await expectWhole(bench.connection, "public.schema_migrations", "at \(last)") }
            if !steps, try await bench.recorded() == [] { #expect(try await bench.scalar("SELECT to_regclass('t')") == nil, "at \(last)") }
            let second = try await run(bench.url, "b", script, steps: steps, last: 0)
            #expect(second.output.contains(" done"), "at \(last): \(second.output)\(second.errors)")
            try await expectWhole(bench.connection, "public.schema_migrations", "at \(last)")
            if steps { #expect(try await bench.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i'::regclass") == "t") }
            #expect(try await bench.scalar("SELECT count(*) FROM belay.migration_journal WHERE event = 'applied'") == "1")
            await bench.connection.close()
            last += 1
        }
    }

    @Test func killedAgainAndAgainAtRandomEffects() async throws {
        let rounds = ProcessInfo.processInfo.environment["BELAY_LONG"] == "1" ? 200 : 40
        var random = Seeded(state: 20_261_130)
        for round in 0..<rounds {
            let bench = try await Bench()
            let isStepwise = Bool.random(using: &random)
            let script = isStepwise ? Self.steps : Self.whole
            for kill in 0..<2 {
                _ = try await run(bench.url, "k\(kill)", script, steps: isStepwise, last: Int.random(in: 1...14, using: &random))
            }
            let end = try await run(bench.url, "z", script, steps: isStepwise, last: 0)
            #expect(end.output.contains(" done"), "round \(round): \(end.output)\(end.errors)")
            try await expectWhole(bench.connection, "public.schema_migrations", "round \(round)")
            await bench.connection.close()
        }
    }

    @Test func killedAtEveryEffectOnSQLite() async throws {
        var last = 1
        while true {
            let place = try Place()
            let path = place.path("a.db")
            let connection = try await SQLiteConnection(path, mode: .create)
            try await connection.execute("CREATE TABLE schema_migrations (version TEXT PRIMARY KEY)")
            await connection.close()
            let first = try await run(path, "a", Self.whole, steps: false, last: last)
            if first.status != 0 {
                let second = try await run(path, "b", Self.whole, steps: false, last: 0)
                #expect(second.output.contains(" done"), "at \(last): \(second.output)\(second.errors)")
            }
            let reader = try await SQLiteConnection(path, mode: .create)
            try await expectWhole(reader, "schema_migrations", "at \(last)")
            await reader.close()
            try place.remove()
            if first.status == 0 { break }
            last += 1
        }
        #expect(last > 6)
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
