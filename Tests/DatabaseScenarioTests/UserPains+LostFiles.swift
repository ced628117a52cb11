import DatabaseServers
import FoundationEssentials
import TestPrograms
import Testing

extension UserPains {
    // dbmate#671, dbmate PR#628, sql-migrate PR#15, sqlx#2943, alembic#691, arcane PR#1966, yiiext/migrate-command#5
    @Test(arguments: Operator.Engine.allCases) func aRevertedCommitThatRemovesTheFileTakesTheRightMigrationBack(_ engine: Operator.Engine)
        async throws
    {
        try await Operator.with(engine) { ship in
            func commit(_ pin: String, _ message: String) async throws {
                _ = try ship.spec(pin)
                try await ship.place.git("add", "one.yaml", "migrations")
                try await ship.place.git("commit", "-q", "-m", message)
            }
            func pass() async throws -> BuiltProgram.Ended {
                try await ship.reconcile(["--once", "--adopt", "-o", "json"], spec: ship.place.path("one.yaml"))
            }
            try await ship.place.git("init", "-q", "-b", "main")
            try ship.writeTables(1...2)
            try await commit(Operator.stem(2), "two tables")
            try ship.writeTable(3)
            try await commit(Operator.stem(3), "a third")
            #expect(try await pass().status == 0)
            #expect(try await ship.tables() == ["t1", "t2", "t3"])

            try await ship.place.git("revert", "--no-edit", "HEAD")
            #expect(!ship.holds(Operator.stem(3)), "the commit took the file with it")
            let ended = try await pass()
            #expect(ended.status == 0, "\(ended.told)")
            #expect(try await ship.tables() == ["t1", "t2"])
            #expect(try await ship.versions() == [Operator.version(1), Operator.version(2)])

            try await ship.place.git("revert", "--no-edit", "HEAD")
            #expect(try await pass().status == 0)
            #expect(try await ship.tables() == ["t1", "t2", "t3"])
        }
    }

    // The same to the empty schema: every file is gone, and with them what tells the format.
    @Test(arguments: Operator.Engine.allCases) func withEveryFileGoneTheSchemaGoesBackToEmpty(_ engine: Operator.Engine) async throws {
        try await Operator.with(engine) { ship in
            try ship.writeTables(1...3)
            try await ship.arrive(at: Operator.stem(3))
            for number in 1...3 { try ship.remove(Operator.stem(number)) }
            try await ship.arrive(at: "none")
            #expect(try await ship.tables() == [])
            #expect(try await ship.versions() == [])
            #expect(try await ship.plan("none").status == 0)
        }
    }

    // An archive that anybody may write to is a way to have one's own SQL run with the rights of migrations.
    @Test(arguments: Operator.Engine.allCases) func aKeptScriptThatWasTamperedWithIsNotRun(_ engine: Operator.Engine) async throws {
        try await Operator.with(engine) { ship in
            try ship.writeTables(1...3)
            try await ship.arrive(at: Operator.stem(3))
            try ship.remove(Operator.stem(3))
            let table = engine == .sqlite ? "_belay_migration_archive" : "belay.migration_archive"
            try await ship.ask("UPDATE \(table) SET down_sql = 'DROP TABLE t1' WHERE version = '\(Operator.stem(3))'")
            expectStop(try await ship.move(to: Operator.stem(2)), 3, "ArchiveTampered")
            #expect(try await ship.tables() == ["t1", "t2", "t3"])
            // With the file back, it counts.
            try ship.writeTable(3)
            try await ship.arrive(at: Operator.stem(2))
            #expect(try await ship.tables() == ["t1", "t2"])
        }
    }

    // kysely-ctl#157, castor, Rails: a missing way back is skipped, and the history is corrupt afterwards.
    @Test(arguments: Operator.Engine.allCases) func nothingIsExecutedWhereOneInTheMiddleHasNoWayBack(_ engine: Operator.Engine) async throws
    {
        try await Operator.with(engine) { ship in
            try ship.writeTables(1...5)
            try ship.write(Operator.stem(3), up: "CREATE TABLE t3 (id integer);", down: "-- nobody knows how")
            try await ship.arrive(at: Operator.stem(5))
            let before = try await ship.fingerprint()
            let ended = try await ship.move(to: Operator.stem(1))
            expectStop(ended, 3, "Irreversible")
            #expect(ended.output.contains("pin \(Operator.stem(3))"), "the nearest pin is named: \(ended.told)")
            #expect(try await ship.fingerprint() == before)
            #expect(try await ship.versions().count == 5)
            try await ship.arrive(at: Operator.stem(3))
            #expect(try await ship.tables() == ["t1", "t2", "t3"])
        }
    }

    // atlas#3298: "unable to downgrade, no dir-state found" after the database moved.
    @Test(arguments: Operator.Engine.allCases) func aDatabaseThatMovedToAnotherServerIsRolledBackThere(_ engine: Operator.Engine)
        async throws
    {
        try await Operator.with(engine) { ship in
            try ship.writeTables(1...3)
            try await ship.arrive(at: Operator.stem(3))
            for number in 2...3 { try ship.remove(Operator.stem(number)) }
            // Somebody else's machine, with a state directory that knows nothing.
            var moved = ship.colleague("moved")
            switch engine {
            case .sqlite:
                moved.database = ship.place.path("moved.db")
                try await ship.ask("VACUUM INTO '\(moved.database)'")
                try await moved.arrive(at: Operator.stem(1))
                #expect(try await moved.tables() == ["t1"])
            case .postgres:
                let other = PostgresServer()
                let name = try await other.makeDatabase()
                let url = try await other.url(of: name)
                let copied = try await BuiltProgram(onSearchPath: "bash").run([
                    "-c",
                    "set -o pipefail; pg_dump '\(try await PostgresServer.shared.url(of: ship.database))' | psql -X -q -1 -v ON_ERROR_STOP=1 '\(url)'",
                ])
                try #require(copied.status == 0, "\(copied.errors)")
                moved.variables["DATABASE_URL"] = url
                try await moved.arrive(at: Operator.stem(1))
                let tables = try await other.psql(
                    "SELECT relname FROM pg_class WHERE relname LIKE 't_' AND relkind = 'r'", database: name)
                #expect(tables == "t1")
                #expect(try await other.psql("SELECT version FROM schema_migrations", database: name) == Operator.version(1))
                try await other.stop()
            }
            #expect(try await ship.tables() == ["t1", "t2", "t3"], "the old one is as it was")
        }
    }
}
