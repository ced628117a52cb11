import SQLParsing
import Testing

@Suite struct InverseTests {
    static let certain: [(sql: String, back: [String])] = [
        ("CREATE TABLE s.t (id int)", [#"DROP TABLE "s"."t""#]),
        ("CREATE TABLE t AS SELECT 1", [#"DROP TABLE "t""#]),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1", [#"DROP MATERIALIZED VIEW "m""#]),
        ("CREATE TABLE p PARTITION OF t FOR VALUES IN (1)", [#"DROP TABLE "p""#]),
        ("CREATE TABLE a (i int); CREATE INDEX i ON a (i)", [#"DROP INDEX "i""#, #"DROP TABLE "a""#]),
        ("CREATE INDEX CONCURRENTLY i ON s.t (a)", [#"DROP INDEX CONCURRENTLY "s"."i""#]),
        ("CREATE VIEW v AS SELECT 1", [#"DROP VIEW "v""#]),
        ("CREATE SEQUENCE s", [#"DROP SEQUENCE "s""#]),
        ("CREATE SCHEMA s", [#"DROP SCHEMA "s""#]),
        ("CREATE EXTENSION \"uuid-ossp\"", [#"DROP EXTENSION "uuid-ossp""#]),
        ("CREATE TYPE s.mood AS ENUM ('sad')", [#"DROP TYPE "s"."mood""#]),
        ("CREATE TYPE pair AS (a int)", [#"DROP TYPE "pair""#]),
        ("CREATE DOMAIN d AS int", [#"DROP DOMAIN "d""#]),
        (
            "CREATE FUNCTION f(a int, OUT b text, VARIADIC c text[]) LANGUAGE sql AS 'x'",
            [#"DROP FUNCTION "f"("pg_catalog"."int4", "text"[])"#]
        ),
        ("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'x'", [#"DROP FUNCTION "f"()"#]),
        ("CREATE PROCEDURE p(INOUT a int) LANGUAGE sql AS 'x'", [#"DROP PROCEDURE "p"("pg_catalog"."int4")"#]),
        ("CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()", [#"DROP TRIGGER "g" ON "t""#]),
        ("CREATE POLICY p ON t", [#"DROP POLICY "p" ON "t""#]),
        ("ALTER TABLE t ADD COLUMN a int, ADD b int", [#"ALTER TABLE "t" DROP COLUMN "b""#, #"ALTER TABLE "t" DROP COLUMN "a""#]),
        ("ALTER TABLE ONLY t ADD CONSTRAINT c CHECK (a > 0)", [#"ALTER TABLE ONLY "t" DROP CONSTRAINT "c""#]),
        ("ALTER TABLE t ALTER a SET NOT NULL", [#"ALTER TABLE "t" ALTER COLUMN "a" DROP NOT NULL"#]),
        ("ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)", [#"ALTER TABLE "t" DETACH PARTITION "p""#]),
        ("ALTER TABLE s.a RENAME TO b", [#"ALTER TABLE "s"."b" RENAME TO "a""#]),
        ("ALTER TABLE t RENAME a TO b", [#"ALTER TABLE "t" RENAME COLUMN "b" TO "a""#]),
        ("ALTER TABLE t RENAME CONSTRAINT a TO b", [#"ALTER TABLE "t" RENAME CONSTRAINT "b" TO "a""#]),
        ("ALTER INDEX a RENAME TO b", [#"ALTER INDEX "b" RENAME TO "a""#]),
        ("ALTER TYPE s.a RENAME TO b", [#"ALTER TYPE "s"."b" RENAME TO "a""#]),
        ("ALTER TYPE t RENAME VALUE 'a' TO 'it''s'", [#"ALTER TYPE "t" RENAME VALUE 'it''s' TO 'a'"#]),
        ("ALTER SCHEMA a RENAME TO b", [#"ALTER SCHEMA "b" RENAME TO "a""#]),
        ("ALTER TABLE s.t SET SCHEMA n", [#"ALTER TABLE "n"."t" SET SCHEMA "s""#]),
        ("SET lock_timeout = '1s'; CREATE TABLE t ()", [#"DROP TABLE "t""#]),
        ("-- nothing", []),
    ]

    @Test(arguments: certain) func aCertainWayBackIsDerived(_ sql: String, _ back: [String]) throws {
        #expect(try SQLScript.inverse(of: sql, dialect: .postgres) == back)
        for statement in back { #expect(try SQLScript.statements(statement, dialect: .postgres).count == 1) }
    }

    static let uncertain: [(sql: String, why: String)] = [
        ("CREATE TABLE IF NOT EXISTS t ()", "it may have been there"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "the old one is not known"),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'x'", "the old one is not known"),
        ("CREATE OR REPLACE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()", "the old one is not known"),
        ("CREATE INDEX ON t (a)", "the server chooses the name"),
        ("CREATE SCHEMA s CREATE TABLE t ()", "it cannot be dropped while the table stands in it"),
        ("CREATE EXTENSION e CASCADE", "others may have come with it"),
        ("CREATE PROCEDURE p(OUT a int) LANGUAGE sql AS 'x'", "how it is told apart depends on the version"),
        ("CREATE FUNCTION f(a t.x%TYPE) RETURNS int LANGUAGE sql AS 'x'", "the type is in the catalogue"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a int", "it may have been there"),
        ("ALTER TABLE t ADD CHECK (a > 0)", "the server chooses the name"),
        ("ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a)", "NOT NULL would stay behind"),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i", "the index would go too"),
        ("ALTER TABLE t DROP COLUMN a", "its values are gone"),
        ("ALTER TABLE t ALTER a SET DEFAULT 1", "the old default is not known"),
        ("ALTER TABLE t ALTER a DROP NOT NULL", "nulls may have come"),
        ("ALTER TABLE t ALTER a TYPE text", "the old type is not known"),
        ("ALTER TABLE IF EXISTS t RENAME TO u", "it may not have been there"),
        ("ALTER TABLE t SET SCHEMA s", "from which schema it came is not known"),
        ("ALTER TYPE e ADD VALUE 'x'", "a value cannot be taken away"),
        ("DROP TABLE t", "it is gone"),
        ("INSERT INTO t VALUES (1)", "which row it is is not known"),
        ("UPDATE t SET a = 1", "the old values are not known"),
        ("DO $$ BEGIN END $$", "what it does is not known"),
        ("SELECT f()", "what it does is not known"),
        ("SET search_path = s; CREATE TABLE t ()", "which table is meant is not known"),
        ("GRANT SELECT ON t TO r", "it may have been granted before"),
    ]

    @Test(arguments: uncertain) func anUncertainOneIsNot(_ sql: String, _ why: String) throws {
        #expect(try SQLScript.inverse(of: sql, dialect: .postgres) == nil, Comment(rawValue: why))
        #expect(try SQLScript.inverse(of: "CREATE TABLE z (); " + sql, dialect: .postgres) == nil, "one is enough")
    }

    static let sqlite: [(sql: String, back: [String]?)] = [
        ("CREATE TABLE t (id); CREATE UNIQUE INDEX i ON t (id)", ["DROP INDEX i", "DROP TABLE t"]),
        ("create temp table main.\"t x\" (id)", ["DROP TABLE main.\"t x\""]),
        ("CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; END;", ["DROP TRIGGER g"]),
        ("CREATE VIEW v AS SELECT 1", ["DROP VIEW v"]),
        ("CREATE TABLE IF NOT EXISTS t (id)", nil),
        ("ALTER TABLE t ADD COLUMN a INT", ["ALTER TABLE t DROP COLUMN a"]),
        ("ALTER TABLE t ADD a INT REFERENCES u", nil),
        ("ALTER TABLE t RENAME TO u", ["ALTER TABLE u RENAME TO t"]),
        ("ALTER TABLE main.t RENAME TO [u v]", ["ALTER TABLE main.[u v] RENAME TO t"]),
        ("ALTER TABLE t RENAME a TO b", ["ALTER TABLE t RENAME COLUMN b TO a"]),
        ("ALTER TABLE t RENAME COLUMN a TO b", ["ALTER TABLE t RENAME COLUMN b TO a"]),
        ("ALTER TABLE t DROP COLUMN a", nil),
        ("INSERT INTO t VALUES (1)", nil),
        ("CREATE TABLE t (id); DELETE FROM u", nil),
    ]

    @Test(arguments: sqlite) func theWayBackOnSQLite(_ sql: String, _ back: [String]?) throws {
        #expect(try SQLScript.inverse(of: sql, dialect: .sqlite) == back)
    }
}
