import SQLParsing
import Testing

@Suite struct ScriptFactsTests {
    static let own: [(sql: String, risk: StatementFacts.Risk, why: String)] = [
        ("CREATE TABLE t (); DROP TABLE t", .availability, "it was made here"),
        ("CREATE TEMP TABLE t (); DROP TABLE t; DROP TABLE t", .dataLoss, "the second one is another table"),
        ("CREATE TABLE IF NOT EXISTS t (); DROP TABLE t", .dataLoss, "it may have been there"),
        ("CREATE TABLE t (); DROP TABLE s.t", .dataLoss, "it may be another one"),
        ("CREATE TABLE t (); DROP TABLE t CASCADE", .dataLoss, "what depends on it may have been there"),
        ("CREATE TABLE t (); SET search_path = s; DROP TABLE t", .dataLoss, "it is another one"),
        ("CREATE TABLE t (); SELECT set_config('search_path', 's', false); DROP TABLE t", .dataLoss, "it is another one"),
        ("CREATE TABLE n (); ALTER TABLE n RENAME TO x; ALTER TABLE old RENAME TO n; DROP TABLE n", .dataLoss, "it is another one"),
        ("DROP TABLE t; CREATE TABLE t ()", .dataLoss, "made too late"),
        ("CREATE TABLE t (); DELETE FROM t", .availability, "there was nothing in it"),
        ("CREATE TABLE t (); INSERT INTO t VALUES (1); UPDATE t SET a = 1", .availability, "rows of its own"),
        ("ALTER TABLE t ADD a int; ALTER TABLE t DROP a", .availability, "the column was made here"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int; ALTER TABLE t DROP a", .dataLoss, "it may have been there"),
        ("ALTER TABLE t ADD a int; ALTER TABLE t DROP b", .dataLoss, "another column"),
        ("CREATE TABLE t (); DO $$ BEGIN END $$", .rowsAtRisk, "it may do anything"),
    ]

    @Test(arguments: own) func onlyWhatTheScriptMadeItselfIsNoLoss(_ sql: String, _ risk: StatementFacts.Risk, _ why: String) throws {
        let facts = try ScriptFacts(sql, dialect: .postgres)
        #expect(facts.risk == risk, Comment(rawValue: why))
        #expect(facts.losses.isEmpty == (risk == .availability))
    }

    static let phases: [(sql: String, phase: StatementFacts.Phase, isMixed: Bool)] = [
        ("", .expand, false), ("CREATE TABLE t ()", .expand, false), ("UPDATE t SET a = 1 WHERE b", .backfill, false),
        ("CREATE TABLE t (); INSERT INTO t VALUES (1)", .backfill, false), ("DROP TABLE t", .contract, false),
        ("CREATE TABLE u (); DROP TABLE t", .contract, true), ("BEGIN; DROP TABLE t; COMMIT", .contract, false),
        ("SET lock_timeout = 1; DROP TABLE t", .contract, false),
    ]

    @Test(arguments: phases) func aScriptTakesAwayIfOneStatementDoes(_ sql: String, _ phase: StatementFacts.Phase, _ isMixed: Bool) throws {
        let facts = try ScriptFacts(sql, dialect: .postgres)
        #expect(facts.phase == phase)
        #expect(facts.isMixed == isMixed)
    }

    @Test func aLossIsToldOnce() throws {
        let facts = try ScriptFacts("DELETE FROM t; DELETE FROM t; TRUNCATE u", dialect: .postgres)
        #expect(facts.losses == [.init(.table, "t"), .init(.table, "u")])
        #expect(facts.relations == ["t", "u"])
    }

    @Test func controlIsListed() throws {
        let facts = try ScriptFacts("BEGIN; SELECT 1; SAVEPOINT a; COMMIT", dialect: .postgres)
        #expect(facts.transactionControl.map(\.text) == ["BEGIN", "SAVEPOINT a", "COMMIT"])
    }

    @Test func anEnumValueWithAQuoteIsFound() throws {
        #expect(
            try ScriptFacts("ALTER TYPE e ADD VALUE 'it''s'; INSERT INTO t VALUES ('it''s')", dialect: .postgres).nonTransactional == [0])
        #expect(try ScriptFacts("INSERT INTO t VALUES ('x'); ALTER TYPE e ADD VALUE 'x'", dialect: .postgres).nonTransactional == [])
    }

    static let sqlite: [(sql: String, risk: StatementFacts.Risk, phase: StatementFacts.Phase, losses: [StatementFacts.Loss])] = [
        ("CREATE INDEX i ON t (a)", .availability, .expand, []), ("CREATE UNIQUE INDEX i ON t (a)", .availability, .contract, []),
        ("CREATE TABLE t (\"drop\" TEXT, [index] INT)", .additive, .expand, []), ("ALTER TABLE t ADD a INT", .additive, .expand, []),
        ("ALTER TABLE t ADD a INT NOT NULL", .availability, .contract, []),
        ("ALTER TABLE t ADD a INT NOT NULL DEFAULT 1", .additive, .expand, []),
        ("ALTER TABLE t RENAME TO u", .availability, .contract, []), ("ALTER TABLE t RENAME a TO b", .availability, .contract, []),
        ("ALTER TABLE main.[t] DROP COLUMN `a``b`", .dataLoss, .contract, [.init(.column, "main.t", column: "a`b")]),
        ("DROP VIEW v", .availability, .contract, []), ("DROP TABLE t", .dataLoss, .contract, [.init(.table, "t")]),
        ("DELETE FROM t", .dataLoss, .backfill, [.init(.table, "t")]),
        ("UPDATE t SET a = (SELECT b FROM u WHERE u.i = t.i)", .dataLoss, .backfill, [.init(.table, "t")]),
        ("UPDATE OR IGNORE t SET a = 1 WHERE b", .rowsAtRisk, .backfill, [.init(.rows, "t")]),
        ("WITH x AS (SELECT 1 WHERE 1) DELETE FROM t", .dataLoss, .backfill, [.init(.table, "t")]),
        ("WITH x AS (SELECT 1) SELECT * FROM x", .additive, .backfill, []),
        ("INSERT INTO t SELECT replace(a, 'b', 'c') FROM u", .additive, .backfill, []),
        ("REPLACE INTO t VALUES (1)", .rowsAtRisk, .backfill, [.init(.rows, "t")]),
        ("INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1", .rowsAtRisk, .backfill, [.init(.rows, "t")]),
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", .additive, .backfill, []),
        ("PRAGMA foreign_keys = off", .additive, .backfill, []),
        ("PRAGMA writable_schema = 1", .rowsAtRisk, .backfill, [.init(.opaque, "")]),
        ("CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; END", .availability, .expand, []),
        (
            "CREATE TABLE n (a); INSERT INTO n SELECT a FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t", .availability, .contract, []
        ),
        (
            "CREATE TABLE n (a); INSERT INTO n SELECT a FROM t WHERE b; DROP TABLE t; ALTER TABLE n RENAME TO t", .dataLoss, .contract,
            [.init(.table, "t")]
        ),
        (
            "CREATE TABLE n (a); INSERT INTO n SELECT a FROM other; DROP TABLE t; ALTER TABLE n RENAME TO t", .dataLoss, .contract,
            [.init(.table, "t")]
        ),
        ("CREATE TABLE n (a); DROP TABLE t; ALTER TABLE n RENAME TO t", .dataLoss, .contract, [.init(.table, "t")]),
    ]

    @Test(arguments: sqlite) func scriptsOfSQLiteAreClassified(
        _ sql: String, _ risk: StatementFacts.Risk, _ phase: StatementFacts.Phase, _ losses: [StatementFacts.Loss]
    ) throws {
        let facts = try ScriptFacts(sql, dialect: .sqlite)
        #expect(facts.risk == risk)
        #expect(facts.phase == phase)
        #expect(facts.losses == losses)
    }

    @Test(arguments: ["VACUUM", "ATTACH 'x' AS y", "DETACH y", "PRAGMA journal_mode = wal"]) func sqliteRefusesItInATransaction(
        _ sql: String
    ) throws {
        #expect(try ScriptFacts(sql, dialect: .sqlite).nonTransactional == [0])
    }

    @Test(arguments: [
        ("by comparing columns", "DELETE FROM a WHERE id = 7", " WHERE id = 7"),
        ("with another name", "UPDATE s.a AS x SET n = 1 WHERE x.id < 7 AND NOT x.done", " AS x WHERE x.id < 7 AND NOT x.done"),
        ("the word may be missing", "DELETE FROM a x WHERE x.id IN (1, 2) RETURNING x.id", " AS x WHERE x.id IN (1, 2)"),
        ("brackets are no call", "DELETE FROM \"A\" WHERE (id = 1 OR (id = 2))", " WHERE (id = 1 OR (id = 2))"),
        ("a function may do anything", "DELETE FROM a WHERE f(id)", nil), ("a quoted one too", "DELETE FROM a WHERE \"f\" (id)", nil),
        ("another table", "DELETE FROM a WHERE id IN (SELECT id FROM b)", nil), ("joined", "DELETE FROM a USING b WHERE a.id = b.id", nil),
        ("joined", "UPDATE a SET n = b.n FROM b WHERE a.id = b.id", nil), ("a cursor", "DELETE FROM a WHERE CURRENT OF c", nil),
        ("not the first", "UPDATE b SET id = 2; DELETE FROM a WHERE id = 7", nil), ("no condition", "DELETE FROM a", nil),
        ("the condition of another statement", "WITH g AS (DELETE FROM a WHERE id = 1 RETURNING *) SELECT * FROM g", nil),
    ]) func aConditionThatCanBeAskedBeforeIsKept(_ why: String, _ script: String, _ condition: String?) throws {
        let losses = try ScriptFacts(script, dialect: .postgres).losses
        #expect(losses.last?.condition == condition, "\(why)")
    }
}
