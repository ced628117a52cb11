import DatabaseServers
import TestPrograms
import Testing

// golang-migrate#282 and the others, for scripts that cannot run in one transaction: how far it came is known statement by statement.
extension UserPains {
    @Test func aScriptOutsideOfATransactionThatFailedGoesOnWhereItStopped() async throws {
        try await Operator.with(.postgres) { ship in
            try ship.write(
                Operator.stem(1), up: "CREATE TABLE t1 (id integer); INSERT INTO t1 VALUES (1), (1);", down: "DROP TABLE t1;")
            try ship.write(
                Operator.stem(2),
                up: "CREATE TABLE t2 (id integer);\nCREATE UNIQUE INDEX CONCURRENTLY i1 ON t1 (id);\nCREATE TABLE t3 (id integer);",
                down: "DROP TABLE t3;\nDROP INDEX CONCURRENTLY i1;\nDROP TABLE t2;", isTransactional: false)
            let failed = try await ship.move(to: Operator.stem(2))
            #expect(failed.status == 1, "\(failed.told)")
            #expect(failed.output.contains("\(Operator.stem(2)).sql:3:"), "the statement is told: \(failed.told)")
            #expect(try await ship.tables() == ["t1", "t2"], "what came before stays, what comes after was not begun")
            #expect(try await ship.versions() == [Operator.version(1)])
            try await ship.ask("DELETE FROM t1 WHERE ctid IN (SELECT ctid FROM t1 LIMIT 1)")
            try await ship.arrive(at: Operator.stem(2))
            #expect(try await ship.tables() == ["t1", "t2", "t3"])
            #expect(try await ship.ask("SELECT indisvalid FROM pg_index WHERE indexrelid = 'i1'::regclass") == "t")
            #expect(try await ship.versions() == [Operator.version(1), Operator.version(2)])
            try await ship.arrive(at: Operator.stem(1))
            #expect(try await ship.tables() == ["t1"])
        }
    }

    /// The process dies within a procedure that commits on its way: nothing tells afterwards how far that came, so somebody has to say it, and
    /// there is a word for each of the three answers.
    @Test(arguments: ["--done", "--retry", "--undo"]) func whatNobodyCanTellIsAskedForAndResolvedByOneOfThreeWords(_ verb: String)
        async throws
    {
        try await Operator.with(.postgres) { ship in
            try ship.write(
                Operator.stem(1),
                up: """
                    CREATE TABLE t1 (id integer);
                    CREATE PROCEDURE slowly() LANGUAGE plpgsql AS $$
                    BEGIN
                      INSERT INTO t1 VALUES (1);
                      COMMIT;
                      PERFORM \(Gate.statement(1).dropFirst("SELECT ".count))
                      INSERT INTO t1 VALUES (2);
                    END $$;
                    """, down: "DROP PROCEDURE slowly(); DROP TABLE t1;")
            try ship.write(
                Operator.stem(2), up: "CREATE TABLE t2 (id integer);\nCALL slowly();\nCREATE TABLE t3 (id integer);",
                down: "DROP TABLE IF EXISTS t3;\nDROP TABLE t2;", isTransactional: false)
            try await ship.arrive(at: Operator.stem(1))
            let gate = try await Gate(ship)
            try await gate.shut(1)
            let digest = try await ship.plan(Operator.stem(2)).digest
            let killed = try await ship.once(Operator.stem(2), approving: digest) { try await gate.awaitArrival(1) }
            #expect(killed.status == 128 + 9, "\(killed.told)")
            try await ship.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 4711 AND NOT granted "
                    + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
            try await gate.open(1)
            await gate.close()
            try await ship.letTheLeaseExpire()

            let found = try await ship.move(to: Operator.stem(2))
            #expect(found.status != 0, "\(found.told)")
            let stuck = try await ship.move(to: Operator.stem(2))
            expectStop(stuck, 3, "MigrationStuck")
            for word in [Operator.stem(2), "--done", "--retry", "--undo"] { #expect(stuck.told.contains(word), "\(stuck.told)") }
            #expect(try await ship.versions() == [Operator.version(1)])
            #expect(try await ship.ask("SELECT id FROM t1") == "1", "it was not run again by itself")

            let resolved = try await ship.reconcile(["migrate", "resolve", Operator.stem(2), verb], spec: ship.spec(Operator.stem(2)))
            #expect(resolved.status == 0, "\(resolved.output)\(resolved.errors)")
            if verb == "--undo" {
                try await ship.arrive(at: Operator.stem(1))
                #expect(try await ship.tables() == ["t1"])
                #expect(try await ship.versions() == [Operator.version(1)])
            }
            try await ship.arrive(at: Operator.stem(2))
            #expect(try await ship.tables() == ["t1", "t2", "t3"])
            #expect(try await ship.ask("SELECT id FROM t1 ORDER BY id") == (verb == "--done" ? "1" : "1\n1\n2"))
            #expect(try await ship.versions() == [Operator.version(1), Operator.version(2)])
        }
    }
}
