import DatabaseServers
import TestPrograms
import Testing

extension UserPains {
    // golang-migrate#282, #337, #430, #518, #678, mattes#217: a dirty database, `force`, and repair by hand.
    @Test(arguments: Operator.Engine.allCases) func aMigrationThatFailedLeavesNothingToRepair(_ engine: Operator.Engine) async throws {
        try await Operator.with(engine) { ship in
            try ship.writeTable(1)
            try ship.write(
                Operator.stem(2), up: "CREATE TABLE t2 (id integer);\nINSERT INTO t2 VALUES (1);\nINSERT INTO nowhere VALUES (1);",
                down: "DROP TABLE t2;")
            try ship.writeTable(3)
            let failed = try await ship.move(to: Operator.stem(3))
            #expect(failed.status == 1, "\(failed.told)")
            #expect(failed.output.contains("\(Operator.stem(2)).sql:4:"), "file and line are told: \(failed.told)")
            #expect(try await ship.tables() == ["t1"])
            #expect(try await ship.versions() == [Operator.version(1)])
            try ship.writeTable(2)
            try await ship.arrive(at: Operator.stem(3))
            #expect(try await ship.tables() == ["t1", "t2", "t3"])
        }
    }

    // supabase/cli#610, #5020, #5062, neon-mcp#201, flyway#3643, mikro-orm#8062: semicolons that end no statement.
    @Test func functionsAreNotCutInPieces() async throws {
        try await Operator.with(.postgres) { ship in
            try ship.write(
                Operator.stem(1),
                up: """
                    CREATE TABLE t1 (id integer, note text DEFAULT 'a;b', "odd;name" integer); -- a ; in a comment
                    CREATE FUNCTION one() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;
                    CREATE FUNCTION two() RETURNS text LANGUAGE plpgsql AS $outer$
                      DECLARE text text := $$ ; $$;
                      BEGIN /* ; /* ; */ ; */ RETURN text || E'it\\';s'; END; $outer$;
                    CREATE FUNCTION three(a integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a > 1 THEN 2 ELSE 3 END; END;
                    DO $$ BEGIN INSERT INTO t1 (id) VALUES (1); INSERT INTO t1 (id) VALUES (2); END $$;
                    CREATE RULE quiet AS ON DELETE TO t1 DO ALSO (SELECT 1; SELECT 2);
                    INSERT INTO t1 (id) VALUES (3)
                    """,
                down: "DROP FUNCTION one(); DROP FUNCTION two(); DROP FUNCTION three(integer); DROP TABLE t1")
            try await ship.arrive(at: Operator.stem(1))
            #expect(try await ship.ask("SELECT one() || two() || three(5), (SELECT count(*) FROM t1)") == "1 ; it';s2|3")
            try await ship.arrive(at: "none")
            #expect(try await ship.dump() == [])
        }
    }

    // The same for triggers of SQLite.
    @Test func triggersAreNotCutInPieces() async throws {
        try await Operator.with(.sqlite) { ship in
            try ship.write(
                Operator.stem(1),
                up: """
                    CREATE TABLE t1 (id integer, note text DEFAULT 'a;b');
                    CREATE TABLE t2 (id integer);
                    CREATE TRIGGER g AFTER INSERT ON t1 BEGIN
                      INSERT INTO t2 VALUES (CASE WHEN NEW.id > 1 THEN 1 ELSE 2 END);
                      INSERT INTO t2 VALUES (NEW.id);
                    END;
                    INSERT INTO t1 (id) VALUES (3)
                    """, down: "DROP TABLE t1; DROP TABLE t2")
            try await ship.arrive(at: Operator.stem(1))
            #expect(try await ship.ask("SELECT count(*), sum(id) FROM t2") == "2|4")
            try await ship.arrive(at: "none")
            #expect(try await ship.dump() == [])
        }
    }

    // postgresql-simple-migration#26, dbmate PR#49, sequel-rails#86: the first migration is what pg_dump wrote, and it empties the search path.
    @Test func aDumpThatWipesTheSearchPathIsAMigrationLikeAnyOther() async throws {
        try await Operator.with(.postgres) { old in
            try await old.ask(
                "CREATE TABLE t1 (id integer PRIMARY KEY, note text); CREATE VIEW v1 AS SELECT id FROM t1; "
                    + "CREATE FUNCTION f1() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$; INSERT INTO t1 VALUES (1, 'one')"
            )
            let dumped = try await BuiltProgram(onSearchPath: "pg_dump").run([
                "--no-owner", "--inserts", try await PostgresServer.shared.url(of: old.database),
            ])
            #expect(dumped.output.contains("set_config('search_path', '', false)"))
            let expected = try await old.dump()
            try await Operator.with(.postgres) { ship in
                // The lines with a backslash are for psql and not SQL: pg_dump of 15.14 and later writes them.
                let sql = dumped.output.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("\\") }
                try ship.write(
                    Operator.stem(1), up: sql.joined(separator: "\n"), down: "DROP VIEW v1; DROP FUNCTION f1(); DROP TABLE t1;")
                try ship.writeTable(2)
                try await ship.arrive(at: Operator.stem(2))
                #expect(try await ship.versions() == [Operator.version(1), Operator.version(2)])
                #expect(try await ship.tables() == ["t1", "t2"], "it does not reach the next one")
                try await ship.arrive(at: Operator.stem(1))
                #expect(try await ship.dump() == expected)
                try await ship.arrive(at: "none")
                #expect(try await ship.dump() == [])
            }
        }
    }

    // dbmate#678: such lines are told as what they are.
    @Test func linesForPsqlAreRefusedByTheirName() async throws {
        try await Operator.with(.postgres) { ship in
            try ship.write(Operator.stem(1), up: "\\restrict abc\nCREATE TABLE t1 (id integer);", down: "DROP TABLE t1;")
            let ended = try await ship.move(to: Operator.stem(1))
            #expect(ended.status != 0 && ended.output.contains("psql"), "\(ended.told)")
            #expect(try await ship.tables() == [])
        }
    }

    // Firefox-AI/MLPA PR#254: the role's default kills the rollback after three seconds.
    @Test func theRolesOwnStatementTimeoutDoesNotEndARollback() async throws {
        try await Operator.with(.postgres) { ship in
            let role = "hasty_\(UInt32.random(in: 0 ... .max))"
            try await ship.ask(
                "CREATE ROLE \(role) LOGIN; ALTER ROLE \(role) SET statement_timeout = '300ms'; ALTER DATABASE \(ship.database) OWNER TO \(role)"
            )
            ship.variables["DATABASE_URL"] = try await PostgresServer.shared.url(of: ship.database, user: role)
            try await ship.ask("GRANT ALL ON SCHEMA public TO \(role)")
            try ship.write(
                Operator.stem(1), up: "CREATE TABLE t1 (id integer); SELECT pg_sleep(0.7);", down: "SELECT pg_sleep(0.7); DROP TABLE t1;")
            try await ship.arrive(at: Operator.stem(1))
            try await ship.arrive(at: "none")
            #expect(try await ship.tables() == [])
        }
    }

    // A file ends the transaction that it runs in: the runbook's own template does, and then the record is lost.
    @Test(arguments: Operator.Engine.allCases) func aScriptThatControlsTransactionsIsRefusedBeforeAnythingRuns(_ engine: Operator.Engine)
        async throws
    {
        try await Operator.with(engine) { ship in
            try ship.writeTable(1)
            try ship.write(
                Operator.stem(2), up: "CREATE TABLE t2 (id integer);\nCOMMIT;\nCREATE TABLE t2b (id integer);", down: "DROP TABLE t2;")
            let ended = try await ship.move(to: Operator.stem(2))
            #expect(ended.status != 0 && ended.reasons.first == "TransactionControlInMigration", "\(ended.told)")
            #expect(try await ship.tables() == [], "the whole way is looked at first")
        }
    }
}
