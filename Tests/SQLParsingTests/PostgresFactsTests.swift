import SQLParsing
import Testing

/// One row a statement: what it is, and why. The letters are those of contract migrations.md §3.8 and §3.9.
@Suite struct PostgresFactsTests {
    typealias Loss = StatementFacts.Loss

    static let harmless: [(sql: String, phase: StatementFacts.Phase)] = [
        ("CREATE TABLE t (id serial PRIMARY KEY, a int REFERENCES b)", .expand),
        ("CREATE TABLE p PARTITION OF t FOR VALUES IN (1)", .expand),
        ("CREATE TABLE t AS SELECT lower(a) FROM u", .expand), ("SELECT 1 AS a INTO t", .expand), ("CREATE VIEW v AS SELECT f()", .expand),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1", .expand), ("CREATE SEQUENCE s", .expand), ("CREATE SCHEMA s CREATE TABLE t ()", .expand),
        ("CREATE TYPE t AS ENUM ('a')", .expand), ("CREATE DOMAIN d AS int", .expand), ("CREATE EXTENSION e", .expand),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; END'", .expand),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC DELETE FROM t; SELECT 1; END", .expand), ("CREATE POLICY p ON t", .expand),
        ("ALTER TABLE t ADD a int", .expand), ("ALTER TABLE t ADD a timestamptz DEFAULT now()", .expand),
        ("ALTER TABLE t ADD a timestamptz DEFAULT CURRENT_TIMESTAMP", .expand), ("ALTER TABLE t ALTER a SET DEFAULT f()", .expand),
        ("ALTER TABLE t ALTER a DROP NOT NULL", .expand), ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b NOT VALID", .expand),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", .expand), ("ALTER TABLE t OWNER TO r", .expand),
        ("ALTER TABLE t SET (fillfactor = 70)", .expand),
        ("ALTER DOMAIN d ADD CONSTRAINT c CHECK (value > 0) NOT VALID", .expand), ("ALTER TYPE e ADD VALUE IF NOT EXISTS 'x'", .expand),
        ("GRANT SELECT ON t TO r", .expand), ("COMMENT ON TABLE t IS 'x'", .expand), ("INSERT INTO t VALUES (1)", .backfill),
        ("INSERT INTO t VALUES (gen_random_uuid()) ON CONFLICT DO NOTHING", .backfill), ("SELECT 1", .backfill),
        ("SELECT count(*), now(), setval('s', 3) FROM t", .backfill), ("SET LOCAL lock_timeout = '1s'", .backfill),
        ("ANALYZE t", .backfill),
        ("EXPLAIN DELETE FROM t", .backfill), ("EXPLAIN (ANALYZE false) DELETE FROM t", .backfill),
        ("PREPARE p AS DELETE FROM t", .backfill),
        ("COPY t FROM '/data'", .backfill), ("COPY t TO '/data'", .backfill), ("DISCARD TEMP", .expand), ("CHECKPOINT", .backfill),
    ]

    @Test(arguments: harmless) func nothingIsLostAndNobodyWaits(_ sql: String, _ phase: StatementFacts.Phase) throws {
        let facts = try facts(sql)
        #expect(facts.risk == .additive)
        #expect(facts.phase == phase)
        #expect(facts.losses.isEmpty)
        #expect(!facts.isNonTransactional)
    }

    static let availability: [(sql: String, phase: StatementFacts.Phase, why: String)] = [
        ("CREATE INDEX ON t (a)", .expand, "writers wait"),
        ("CREATE UNIQUE INDEX i ON t (a)", .contract, "older releases may write duplicates"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", .expand, "older releases see the new one"),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'x'", .expand, "older releases call the new one"),
        ("CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f()", .expand, "writes do something else"),
        ("CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u", .expand, "not run now, but later"),
        ("ALTER TABLE t ADD a int DEFAULT random()", .expand, "rewrites"), ("ALTER TABLE t ADD a serial", .expand, "rewrites"),
        ("ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) STORED", .expand, "rewrites"),
        ("ALTER TABLE t ADD a int GENERATED ALWAYS AS IDENTITY", .expand, "rewrites"),
        ("ALTER TABLE t ADD a int REFERENCES b", .expand, "locks"),
        ("ALTER TABLE t ADD a int UNIQUE", .expand, "builds an index"), ("ALTER TABLE t ADD a int NOT NULL", .contract, "inserts fail"),
        ("ALTER TABLE t ADD a int PRIMARY KEY", .contract, "inserts fail"),
        ("ALTER TABLE t ALTER a SET NOT NULL", .contract, "inserts fail"),
        ("ALTER TABLE t ADD CHECK (a > 0)", .contract, "inserts fail"), ("ALTER TABLE t ADD UNIQUE (a)", .contract, "inserts fail"),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i", .contract, "inserts fail"),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b", .contract, "inserts fail"),
        ("ALTER TABLE t RENAME TO u", .contract, "the old name is gone"),
        ("ALTER TABLE t RENAME a TO b", .contract, "the old name is gone"),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b", .contract, "ON CONFLICT names it"),
        ("ALTER TYPE t RENAME TO u", .contract, "the name is gone"),
        ("ALTER TYPE e RENAME VALUE 'a' TO 'b'", .contract, "the old value is gone"),
        ("ALTER TABLE t SET SCHEMA s", .contract, "moved away"),
        ("ALTER TABLE t ALTER a TYPE text", .contract, "rewrites"), ("ALTER TABLE t ALTER a TYPE varchar", .contract, "rewrites"),
        ("ALTER TABLE t ALTER a TYPE bigint", .contract, "rewrites"), ("ALTER TABLE t ALTER a TYPE numeric", .contract, "rewrites"),
        ("ALTER TABLE t ALTER a TYPE jsonb", .contract, "rewrites"), ("ALTER TABLE t ALTER a TYPE text[]", .contract, "rewrites"),
        ("ALTER TABLE t ALTER a TYPE text USING a::text", .contract, "every value has a text"),
        ("ALTER TABLE t DETACH PARTITION p", .contract, "its rows are not seen"), ("ALTER TABLE t SET UNLOGGED", .expand, "rewrites"),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", .contract, "rows are hidden"),
        ("ALTER SEQUENCE s RESTART", .expand, "values come again"),
        ("ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)", .expand, "checks every row"), ("DROP VIEW v", .contract, "it is gone"),
        ("DROP INDEX i", .contract, "it is gone"), ("DROP FUNCTION f", .contract, "it is gone"),
        ("DROP TRIGGER g ON t", .contract, "it is gone"),
        ("DROP TYPE t", .contract, "it is gone"), ("DROP EXTENSION e", .contract, "it is gone"),
        ("DROP POLICY p ON t", .contract, "it is gone"),
        ("DROP ROLE r", .contract, "it is gone"), ("REVOKE SELECT ON t FROM r", .contract, "rights are gone"),
        ("REFRESH MATERIALIZED VIEW m", .backfill, "readers wait"), ("CLUSTER t", .backfill, "rewrites"),
        ("REINDEX TABLE t", .backfill, "writers wait"),
        ("LOCK TABLE t", .backfill, "everybody waits"),
    ]

    @Test(arguments: availability) func nothingIsLostButSomebodyWaitsOrFails(_ sql: String, _ phase: StatementFacts.Phase, _ why: String)
        throws
    {
        let facts = try facts(sql)
        #expect(facts.risk == .availability, Comment(rawValue: why))
        #expect(facts.phase == phase, Comment(rawValue: why))
        #expect(facts.losses.isEmpty)
        #expect(!facts.isNonTransactional)
    }

    static let losing: [(sql: String, phase: StatementFacts.Phase, losses: [Loss])] = [
        ("DROP TABLE IF EXISTS a, s.b", .contract, [Loss(.table, "a"), Loss(.table, "s.b")]),
        ("DROP TABLE \"Order\", \"user\", s.\"a.b\"", .contract, [Loss(.table, "Order"), Loss(.table, "user"), Loss(.table, "s.\"a.b\"")]),
        ("DROP FOREIGN TABLE t", .contract, [Loss(.table, "t")]), ("DROP MATERIALIZED VIEW m", .contract, [Loss(.view, "m")]),
        ("DROP SCHEMA s CASCADE", .contract, [Loss(.schema, "s", cascades: true)]), ("DROP SEQUENCE q", .contract, [Loss(.sequence, "q")]),
        ("DROP DATABASE d", .contract, [Loss(.database, "d")]), ("DROP VIEW v CASCADE", .contract, [Loss(.view, "v", cascades: true)]),
        ("DROP TYPE t CASCADE", .contract, [Loss(.type, "t", cascades: true)]),
        ("DROP DOMAIN t CASCADE", .contract, [Loss(.type, "t", cascades: true)]),
        ("DROP EXTENSION e CASCADE", .contract, [Loss(.extension, "e", cascades: true)]),
        ("DROP FUNCTION f CASCADE", .contract, [Loss(.opaque, "", cascades: true)]),
        ("DROP SERVER s CASCADE", .contract, [Loss(.opaque, "", cascades: true)]), ("DROP OWNED BY r", .contract, [Loss(.opaque, "")]),
        ("ALTER TABLE t DROP CONSTRAINT c CASCADE", .contract, [Loss(.opaque, "", cascades: true)]),
        ("TRUNCATE a, s.b CASCADE", .backfill, [Loss(.table, "a", cascades: true), Loss(.table, "s.b", cascades: true)]),
        (
            "ALTER TABLE t DROP a, DROP b CASCADE", .contract,
            [Loss(.column, "t", column: "a"), Loss(.column, "t", column: "b", cascades: true)]
        ),
        ("ALTER TYPE t DROP ATTRIBUTE a", .contract, [Loss(.column, "t", column: "a")]),
        ("ALTER TABLE t ALTER a TYPE varchar(9)", .contract, [Loss(.column, "t", column: "a")]),
        ("ALTER TABLE t ALTER a TYPE numeric(9, 2)", .contract, [Loss(.column, "t", column: "a")]),
        ("ALTER TABLE t ALTER a TYPE int", .contract, [Loss(.column, "t", column: "a")]),
        ("ALTER TABLE t ALTER a TYPE date", .contract, [Loss(.column, "t", column: "a")]),
        ("ALTER TABLE t ALTER a TYPE bigint USING 0", .contract, [Loss(.column, "t", column: "a")]),
        ("ALTER TABLE t ALTER a TYPE text USING b::text", .contract, [Loss(.column, "t", column: "a")]),
        ("DELETE FROM t", .backfill, [Loss(.table, "t")]),
        ("UPDATE t SET a = (SELECT b FROM u WHERE u.i = t.i)", .backfill, [Loss(.table, "t")]),
        ("DELETE FROM t WHERE true", .backfill, [Loss(.table, "t")]), ("EXPLAIN ANALYZE DELETE FROM t", .backfill, [Loss(.table, "t")]),
        ("WITH d AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM d", .backfill, [Loss(.table, "t")]),
        ("COPY (DELETE FROM t RETURNING *) TO '/x'", .backfill, [Loss(.table, "t")]),
        ("CREATE TABLE u AS WITH d AS (DELETE FROM t RETURNING 1) SELECT 1", .backfill, [Loss(.table, "t")]),
    ]

    @Test(arguments: losing) func whatIsLostIsNamed(_ sql: String, _ phase: StatementFacts.Phase, _ losses: [Loss]) throws {
        let facts = try facts(sql)
        #expect(facts.risk == .dataLoss)
        #expect(facts.phase == phase)
        #expect(facts.losses == losses)
    }

    static let risky: [(sql: String, phase: StatementFacts.Phase, losses: [Loss])] = [
        ("DELETE FROM t WHERE a", .backfill, [Loss(.rows, "t", condition: " WHERE a")]),
        ("UPDATE s.t SET a = 1 WHERE b", .backfill, [Loss(.rows, "s.t", condition: " WHERE b")]),
        ("MERGE INTO t USING u ON t.i = u.i WHEN MATCHED THEN DELETE", .backfill, [Loss(.rows, "t")]),
        ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1", .backfill, [Loss(.rows, "t")]),
        ("DO $$ BEGIN END $$", .backfill, [Loss(.opaque, "")]), ("CALL p()", .backfill, [Loss(.opaque, "")]),
        ("EXECUTE p", .backfill, [Loss(.opaque, "")]), ("SELECT s.clean_up()", .backfill, [Loss(.opaque, "")]),
        ("INSERT INTO t SELECT clean_up()", .backfill, [Loss(.opaque, "")]),
        ("EXPLAIN ANALYZE SELECT clean_up()", .backfill, [Loss(.opaque, "")]),
        ("CREATE TABLE t AS SELECT clean_up()", .backfill, [Loss(.opaque, "")]),
        ("ALTER EXTENSION e UPDATE", .backfill, [Loss(.opaque, "")]),
        ("COPY t TO PROGRAM 'x'", .backfill, [Loss(.opaque, "")]), ("ALTER TABLE t DROP CONSTRAINT c", .contract, []),
        ("ALTER TABLE t ALTER a DROP DEFAULT", .contract, []), ("ALTER TABLE t ALTER a DROP IDENTITY", .contract, []),
        ("ALTER TABLE t ALTER a DROP EXPRESSION", .contract, []), ("ALTER TABLE t DISABLE TRIGGER ALL", .contract, []),
        ("ALTER DOMAIN d DROP CONSTRAINT c", .contract, []),
    ]

    @Test(arguments: risky) func rowsAreAtRisk(_ sql: String, _ phase: StatementFacts.Phase, _ losses: [Loss]) throws {
        let facts = try facts(sql)
        #expect(facts.risk == .rowsAtRisk)
        #expect(facts.phase == phase)
        #expect(facts.losses == losses)
    }

    static let outside = [
        "CREATE INDEX CONCURRENTLY i ON t (a)", "DROP INDEX CONCURRENTLY i", "REINDEX INDEX CONCURRENTLY i",
        "REINDEX (CONCURRENTLY) TABLE t",
        "REINDEX SCHEMA s", "REINDEX DATABASE d", "REINDEX SYSTEM d", "VACUUM", "VACUUM FULL t", "CREATE DATABASE d", "DROP DATABASE d",
        "CREATE TABLESPACE x LOCATION '/x'", "DROP TABLESPACE x", "ALTER SYSTEM SET a = 1", "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "DROP SUBSCRIPTION s", "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
        "DISCARD ALL",
        "CLUSTER", "ALTER DATABASE d SET TABLESPACE x", "COMMIT PREPARED 'x'",
    ]

    @Test(arguments: outside) func itCannotRunInATransaction(_ sql: String) throws { #expect(try facts(sql).isNonTransactional) }

    @Test(arguments: [
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)", "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        "REINDEX TABLE t",
        "ALTER SUBSCRIPTION s DISABLE", "ALTER TYPE e ADD VALUE 'x'", "DISCARD PLANS", "ANALYZE", "ALTER DATABASE d SET a = 1",
    ]) func itCan(_ sql: String) throws { #expect(try !facts(sql).isNonTransactional) }

    static let probes: [(sql: String, probe: CatalogueProbe)] = [
        ("CREATE INDEX CONCURRENTLY i ON s.t (a)", .indexBuilt(name: "i", table: "s.t")), ("CREATE INDEX ON t (a)", .ambiguous),
        ("CREATE INDEX CONCURRENTLY ON t (a)", .indexBuilt(name: nil, table: "t")),
        ("DROP INDEX CONCURRENTLY s.i", .dropped(.index, "s.i")),
        ("DROP TABLE a, b", .ambiguous), ("DROP TRIGGER g ON s.t", .dropped(.trigger, "g")), ("REINDEX SCHEMA s", .reindexed("s")),
        ("ALTER TABLE t ADD a int", .columnAdded(table: "t", column: "a")), ("ALTER TABLE t ADD a int, ADD b int", .ambiguous),
        ("ALTER TABLE t ALTER a SET NOT NULL", .notNullSet(table: "t", column: "a")),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a)", .constraintAdded(table: "t", constraint: "c")),
        ("ALTER TABLE t ADD CHECK (a)", .ambiguous),
        ("ALTER TABLE t DROP CONSTRAINT c", .constraintDropped(table: "t", constraint: "c")),
        ("ALTER TYPE s.e ADD VALUE 'x y'", .enumValueAdded(type: "s.e", value: "x y")),
        ("ALTER TYPE e RENAME VALUE 'a' TO 'b'", .ambiguous),
        ("ALTER TABLE p DETACH PARTITION q FINALIZE", .partitionDetached(parent: "p", partition: "q")), ("VACUUM", .repeatable),
        ("CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'x'", .created(.function, "s.f")), ("INSERT INTO t VALUES (1)", .ambiguous),
        ("CREATE TABLE \"T\" ()", .created(.table, "T")), ("DROP SCHEMA s", .dropped(.schema, "s")), ("DO 'x'", .ambiguous),
    ]

    @Test(arguments: probes) func theEffectIsSeenInTheCatalogue(_ sql: String, _ probe: CatalogueProbe) throws {
        #expect(try facts(sql).probe == probe)
    }

    static let controls: [(sql: String, control: StatementFacts.TransactionControl?)] = [
        ("BEGIN", .begin), ("START TRANSACTION READ ONLY", .begin), ("COMMIT", .commit), ("END", .commit),
        ("PREPARE TRANSACTION 'x'", .commit),
        ("ROLLBACK", .rollback), ("ABORT", .rollback), ("SAVEPOINT a", .savepoint), ("ROLLBACK TO a", .savepoint),
        ("RELEASE a", .savepoint),
        ("SELECT 1", nil), ("PREPARE begin AS SELECT 1", nil),
    ]

    @Test(arguments: controls) func transactionsAreSeen(_ sql: String, _ control: StatementFacts.TransactionControl?) throws {
        #expect(try facts(sql).control == control)
        #expect(try SQLScript.removingOuterTransaction(sql, dialect: .postgres).control.isEmpty == (control == nil), "by tokens the same")
    }

    @Test func relationsAreNamedOnceAndInOrder() throws {
        #expect(try facts("SELECT * FROM a JOIN s.b ON true WHERE EXISTS (SELECT 1 FROM a)").relations == ["a", "s.b"])
        #expect(try facts("WITH d AS (DELETE FROM x RETURNING *) SELECT * FROM d").relations == ["x"])
        #expect(try facts("DROP TABLE \"A b\", c").relations == ["A b", "c"])
        #expect(try facts("CREATE TABLE t (a int REFERENCES u)").relations == ["t", "u"])
    }

    @Test func aSettingThatChangesNamesIsToldOf() throws {
        #expect(try facts("SET search_path = a").cautions.count == 2)
        #expect(
            try facts("SELECT set_config('search_path', '', false)").cautions == [
                "changes a setting of the session: it is reset after the migration"
            ])
    }

    private func facts(_ sql: String) throws -> StatementFacts {
        try #require(ScriptFacts(sql, dialect: .postgres).facts.first)
    }
}
