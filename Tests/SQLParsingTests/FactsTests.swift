import SQLParsing
import Testing

@Suite struct FactsTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var sql: String
        var risk: StatementFacts.Risk
        var phase: StatementFacts.Phase
        var losses: [StatementFacts.Loss] = []
        var isOutside = false
        var probe: CatalogueProbe?
        var testDescription: String { sql }
    }

    static let cases: [Case] = [
        Case(sql: "CREATE TABLE t (id int)", risk: .additive, phase: .expand, probe: .created(.table, "t")),
        Case(sql: "DROP TABLE a.b", risk: .dataLoss, phase: .contract, losses: [.init(.table, "a.b")], probe: .dropped(.table, "a.b")),
        Case(sql: "DROP TABLE t CASCADE", risk: .dataLoss, phase: .contract, losses: [.init(.table, "t", cascades: true)]),
        Case(sql: "DROP SCHEMA s", risk: .dataLoss, phase: .contract, losses: [.init(.schema, "s")]),
        Case(sql: "DROP INDEX i", risk: .availability, phase: .contract, probe: .dropped(.index, "i")),
        Case(sql: "DROP INDEX CONCURRENTLY i", risk: .availability, phase: .contract, isOutside: true),
        Case(sql: "DROP VIEW v", risk: .availability, phase: .contract),
        Case(sql: "DROP TYPE t CASCADE", risk: .dataLoss, phase: .contract, losses: [.init(.type, "t", cascades: true)]),
        Case(sql: "TRUNCATE t", risk: .dataLoss, phase: .backfill, losses: [.init(.table, "t")]),
        Case(sql: "DELETE FROM t", risk: .dataLoss, phase: .backfill, losses: [.init(.table, "t")]),
        Case(sql: "DELETE FROM t WHERE a", risk: .rowsAtRisk, phase: .backfill, losses: [.init(.rows, "t", condition: " WHERE a")]),
        Case(sql: "UPDATE t SET a = 1", risk: .dataLoss, phase: .backfill, losses: [.init(.table, "t")]),
        Case(sql: "INSERT INTO t VALUES (1)", risk: .additive, phase: .backfill, probe: .ambiguous),
        Case(
            sql: "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 2", risk: .rowsAtRisk, phase: .backfill,
            losses: [.init(.rows, "t")]),
        Case(sql: "WITH d AS (DELETE FROM t RETURNING 1) SELECT * FROM d", risk: .dataLoss, phase: .backfill, losses: [.init(.table, "t")]),
        Case(sql: "ALTER TABLE t ADD COLUMN a text", risk: .additive, phase: .expand, probe: .columnAdded(table: "t", column: "a")),
        Case(sql: "ALTER TABLE t ADD COLUMN a int NOT NULL", risk: .availability, phase: .contract),
        Case(sql: "ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 1", risk: .additive, phase: .expand),
        Case(sql: "ALTER TABLE t ADD COLUMN a uuid DEFAULT gen_random_uuid()", risk: .availability, phase: .expand),
        Case(
            sql: "ALTER TABLE s.t DROP COLUMN a", risk: .dataLoss, phase: .contract, losses: [.init(.column, "s.t", column: "a")],
            probe: .columnDropped(table: "s.t", column: "a")),
        Case(sql: "ALTER TABLE t ALTER a TYPE varchar(3)", risk: .dataLoss, phase: .contract, losses: [.init(.column, "t", column: "a")]),
        Case(sql: "ALTER TABLE t ALTER a TYPE text", risk: .availability, phase: .contract),
        Case(sql: "ALTER TABLE t ALTER a SET NOT NULL", risk: .availability, phase: .contract),
        Case(sql: "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", risk: .additive, phase: .expand),
        Case(sql: "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", risk: .availability, phase: .contract),
        Case(
            sql: "ALTER TABLE t VALIDATE CONSTRAINT c", risk: .additive, phase: .expand,
            probe: .constraintValidated(table: "t", constraint: "c")),
        Case(sql: "ALTER TABLE t RENAME a TO b", risk: .availability, phase: .contract),
        Case(sql: "CREATE INDEX i ON t (a)", risk: .availability, phase: .expand, probe: .created(.index, "i")),
        Case(
            sql: "CREATE INDEX CONCURRENTLY i ON t (a)", risk: .additive, phase: .expand, isOutside: true,
            probe: .indexBuilt(name: "i", table: "t")),
        Case(sql: "ALTER TYPE e ADD VALUE 'x'", risk: .additive, phase: .expand, probe: .enumValueAdded(type: "e", value: "x")),
        Case(sql: "VACUUM t", risk: .additive, phase: .backfill, isOutside: true, probe: .repeatable),
        Case(sql: "REINDEX TABLE CONCURRENTLY t", risk: .additive, phase: .backfill, isOutside: true, probe: .reindexed("t")),
        Case(
            sql: "ALTER TABLE p DETACH PARTITION c CONCURRENTLY", risk: .availability, phase: .contract, isOutside: true,
            probe: .partitionDetached(parent: "p", partition: "c")),
        Case(sql: "DO $$ BEGIN PERFORM 1; END $$", risk: .rowsAtRisk, phase: .backfill, losses: [.init(.opaque, "")]),
        Case(sql: "SELECT my_function()", risk: .rowsAtRisk, phase: .backfill, losses: [.init(.opaque, "")]),
        Case(sql: "SELECT pg_catalog.set_config('search_path', '', false)", risk: .additive, phase: .backfill),
        Case(sql: "CREATE OR REPLACE VIEW v AS SELECT 1", risk: .availability, phase: .expand),
        Case(sql: "ALTER SYSTEM SET work_mem = '1MB'", risk: .additive, phase: .expand, isOutside: true),
    ]

    @Test(arguments: cases) func aStatementOfPostgreSQLIsClassified(_ one: Case) throws {
        let facts = try #require(ScriptFacts(one.sql, dialect: .postgres).facts.first)
        #expect(facts.risk == one.risk)
        #expect(facts.phase == one.phase)
        #expect(facts.losses == one.losses)
        #expect(facts.isNonTransactional == one.isOutside)
        if let probe = one.probe { #expect(facts.probe == probe) }
    }

    static let sqlite: [Case] = [
        Case(sql: "CREATE TABLE t (id)", risk: .additive, phase: .expand),
        Case(sql: "DROP TABLE IF EXISTS \"t\"", risk: .dataLoss, phase: .contract, losses: [.init(.table, "t")]),
        Case(sql: "ALTER TABLE t DROP COLUMN a", risk: .dataLoss, phase: .contract, losses: [.init(.column, "t", column: "a")]),
        Case(sql: "DELETE FROM t WHERE 1", risk: .rowsAtRisk, phase: .backfill, losses: [.init(.rows, "t", condition: " WHERE 1")]),
        Case(sql: "UPDATE t SET a = 1", risk: .dataLoss, phase: .backfill, losses: [.init(.table, "t")]),
        Case(sql: "INSERT OR REPLACE INTO t VALUES (1)", risk: .rowsAtRisk, phase: .backfill, losses: [.init(.rows, "t")]),
        Case(sql: "VACUUM", risk: .additive, phase: .backfill, isOutside: true),
        Case(sql: "SELECT 'DROP TABLE t'", risk: .additive, phase: .backfill),
    ]

    @Test(arguments: sqlite) func aStatementOfSQLiteIsClassified(_ one: Case) throws {
        let facts = try #require(ScriptFacts(one.sql, dialect: .sqlite).facts.first)
        #expect(facts.risk == one.risk)
        #expect(facts.phase == one.phase)
        #expect(facts.losses == one.losses)
        #expect(facts.isNonTransactional == one.isOutside)
    }

    @Test func whatAScriptMakesItselfIsNoLoss() throws {
        let made = try ScriptFacts("CREATE TABLE t (id int); INSERT INTO t VALUES (1); DROP TABLE t", dialect: .postgres)
        #expect(made.losses.isEmpty)
        let rebuilt = try ScriptFacts(
            "CREATE TABLE n (id); INSERT INTO n SELECT id FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t", dialect: .sqlite)
        #expect(rebuilt.losses.isEmpty)
        #expect(rebuilt.phase == .contract)
    }

    @Test func anEnumValueThatIsUsedAtOnceNeedsItsOwnTransaction() throws {
        #expect(try ScriptFacts("ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'x' WHERE b", dialect: .postgres).nonTransactional == [0])
        #expect(try ScriptFacts("ALTER TYPE e ADD VALUE 'x'", dialect: .postgres).nonTransactional == [])
    }

    @Test func anEditThatChangesNothingHasTheSameFingerprint() {
        let one = "CREATE TABLE t (id int); -- note\nINSERT INTO t VALUES (1);"
        let same = "create table t\r\n(id INT);\n/* other */ insert INTO t values (1)"
        let other = "CREATE TABLE t (id int); INSERT INTO t VALUES (2);"
        for dialect in SQLDialect.allCases {
            let first = SQLScript.cosmeticFingerprint(one, dialect: dialect)
            #expect(first != nil)
            #expect(first != SQLScript.cosmeticFingerprint(other, dialect: dialect))
            if dialect == .postgres { #expect(first == SQLScript.cosmeticFingerprint(same, dialect: dialect)) }
        }
    }
}
