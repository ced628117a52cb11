import DatabaseServers
import JSONValues
import TestPrograms
import Testing

/// Ways of migrations are walked on a copy before they are needed.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct DrillTests {
    @Test(arguments: BackedShop.Engine.allCases) func aWayThatRestoresEverythingPasses(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            let none = try await shop.run("drill")
            #expect(none.status == 1 && none.errors.contains("--fresh"), "\(none.errors)")
            let drill = try await shop.json("drill", "--fresh", "--to", "none")
            #expect(
                drill["passed"]?.bool == true && drill["from"]?.string == "20240103000000_c" && drill["to"]?.string == "none", "\(drill)")
            #expect(drill["migrations"]?[2]?["result"]?.string == "exact")
            #expect(try await shop.ask("SELECT count(*) FROM t_c") == "1", "the live database is as it was")
            let status = try await shop.run("status")
            #expect(status.output.contains("from 20240103000000_c to none: passed"), "\(status.output)")
            // Without anything between the two the last one is rehearsed.
            #expect(try await shop.json("drill")["to"]?.string == "20240102000000_b")
            let lost = try await shop.run("drill", "--to", "nowhere")
            #expect(lost.status == 1 && lost.errors.contains("there is no migration nowhere"), "\(lost.errors)")
        }
    }

    @Test(arguments: BackedShop.Engine.allCases) func aWayBackThatLeavesSomethingFails(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            _ = try await shop.backUp()
            try shop.migration(
                "d", up: "CREATE TABLE t_d (id integer); CREATE TABLE t_left (id integer);", down: "DROP TABLE t_d;")
            try shop.migration("e", up: "CREATE TABLE t_e (id integer);", down: "DROP TABLE t_e;")
            try shop.pin("e")
            let ended = try await shop.run("drill")
            #expect(ended.status == 1, "\(ended.output)\(ended.errors)")
            #expect(ended.output.contains("20240105000000_e  up   exact"), "\(ended.output)")
            #expect(ended.output.contains("back: + table \(engine == .postgres ? "public.t_left" : "t_left")"), "\(ended.output)")
            #expect(try await shop.run("status").output.contains("to 20240105000000_e: failed"))
        }
    }

    /// What was there before a migration is remembered with it, so that its way back is judged without going up again.
    @Test(arguments: BackedShop.Engine.allCases) func aRollbackIsComparedWithWhatTheDatabaseRemembers(
        _ engine: BackedShop.Engine
    ) async throws {
        try await BackedShop.with(engine) { shop in
            try shop.migration("d", up: "CREATE TABLE t_d (id integer); CREATE TABLE t_left (id integer);", down: "DROP TABLE t_d;")
            try shop.pin("d")
            #expect(try await shop.run("--once").status == 0)
            let ended = try await shop.run("drill", "--fresh")
            #expect(ended.status == 1, "\(ended.output)\(ended.errors)")
            let table = engine == .postgres ? "public.t_left" : "t_left"
            #expect(ended.output.contains("back to before it: + table \(table)"), "\(ended.output)")
        }
    }

    @Test(arguments: BackedShop.Engine.allCases) func aWayBackThatCannotBeRunFails(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            _ = try await shop.backUp()
            try shop.migration("d", up: "CREATE TABLE t_d (id integer);", down: "DROP TABLE t_dd;")
            try shop.pin("d")
            let ended = try await shop.run("drill", "-o", "json")
            #expect(ended.status == 1 && ended.output.contains("back: ") && ended.output.contains("t_dd"), "\(ended.output)")
        }
    }

    /// A rollback whose commit took the file along: the way there is the point.
    @Test func aFileThatIsGoneIsOneWay() async throws {
        try await BackedShop.with(.postgres) { shop in
            _ = try await shop.backUp()
            _ = try await BuiltProgram(onSearchPath: "rm").run([shop.place.path("migrations/20240103000000_c.sql")])
            try shop.pin("b")
            let drill = try await shop.json("drill")
            #expect(drill["passed"]?.bool == true && drill["migrations"]?[0]?["result"]?.string == "oneWay", "\(drill)")
        }
    }
}
