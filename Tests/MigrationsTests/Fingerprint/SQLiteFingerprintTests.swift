import Migrations
import Model
import SQL
import Testing

struct SQLiteFingerprintTests {
    static func connect(_ script: String) async throws -> SQLiteConnection {
        let connection = try await SQLiteConnection(":memory:", mode: .create)
        try await connection.execute(script)
        return connection
    }

    static func lines(_ script: String, excluding: [String] = []) async throws -> [String] {
        try await SchemaFingerprint.take(on: connect(script), excluding: excluding).lines
    }

    @Test func theLinesReadWell() async throws {
        let lines = try await Self.lines(
            """
            CREATE TABLE customers (id INTEGER PRIMARY KEY AUTOINCREMENT, "E-Mail" TEXT COLLATE NOCASE UNIQUE);
            CREATE TABLE orders (id INT NOT NULL, customer INT REFERENCES customers(id) ON DELETE CASCADE, total REAL DEFAULT 0 CHECK (total >= 0),
              twice REAL GENERATED ALWAYS AS (total * 2) STORED, PRIMARY KEY (id, customer)) WITHOUT ROWID, STRICT;
            CREATE INDEX big ON orders (total DESC) WHERE total > 100;
            CREATE INDEX low ON customers (lower("E-Mail"));
            CREATE VIEW v AS SELECT * -- all
              FROM orders;
            CREATE TRIGGER tr AFTER INSERT ON orders BEGIN SELECT 1; END;
            CREATE TABLE _belay_lease (id INT); CREATE TABLE schema_migrations (version TEXT PRIMARY KEY);
            """, excluding: ["schema_migrations"])
        #expect(
            lines == [
                "check orders.1: ( total >= 0 )", #"column customers."E-Mail": text collate nocase"#, "column customers.id: integer",
                "column orders.customer: int not null", "column orders.id: int not null", "column orders.total: real default 0",
                "column orders.twice: real generated always as ( total * 2 ) stored",
                "foreign key orders.(customer): references customers (id) on delete cascade",
                #"index customers.low: (<expression>) as create index low on customers ( lower ( "E-Mail" ) )"#,
                "index orders.big: (total desc) where total > 100", "primary key customers: (id)", "primary key orders: (id, customer)",
                "table customers: autoincrement", "table orders: without rowid, strict",
                "trigger orders.tr: create trigger tr after insert on orders begin select 1 ; end",
                #"unique customers: ("E-Mail" collate nocase)"#, "view v: create view v as select * from orders",
            ])
    }

    @Test(arguments: [
        ("CREATE TABLE t (a INT, b TEXT)", "CREATE TABLE t (b TEXT, a INT)", true, "the order of columns"),
        ("CREATE TABLE t (a INT, b TEXT)", "CREATE TABLE t (a INT); ALTER TABLE t ADD COLUMN b TEXT", true, "added later"),
        (
            "CREATE TABLE t (a INT CHECK (a > 0) UNIQUE)",
            "CREATE TABLE n (\"a\" INT UNIQUE, b TEXT, CHECK ([a]>0)); ALTER TABLE n DROP COLUMN b; ALTER TABLE n RENAME TO t", true,
            "rebuilt under another name"
        ),
        ("CREATE TABLE t (a TEXT DEFAULT 'x y')", "CREATE TABLE t (a TEXT DEFAULT 'x  y')", false, "blanks in a text"),
        ("CREATE TABLE t (a INT CHECK (a > 0))", "CREATE TABLE t (a INT CHECK (a > 1))", false, "a check"),
        ("CREATE TABLE t (a INT)", "CREATE TABLE t (a INT) STRICT", false, "strictness"),
        ("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT COLLATE NOCASE)", false, "a collation"),
    ]) func whatCounts(_ first: String, _ second: String, _ same: Bool, _ why: String) async throws {
        #expect(try await (Self.lines(first) == Self.lines(second)) == same, "\(why)")
    }

    @Test func aCheckCannotWrite() async throws {
        let connection = try await Self.connect("CREATE TABLE t (a INT); INSERT INTO t VALUES (1)")
        #expect(try await DataChecks.run([DataCheck(sql: "SELECT count(*) FROM t", expect: "1")], on: connection) == nil)
        let problem = try await DataChecks.run([DataCheck(sql: "DELETE FROM t RETURNING a", expect: "1")], on: connection)
        #expect(problem?.reason == "DataCheckFailed")
        #expect(problem?.message.contains("readonly") == true)
        try await connection.execute("INSERT INTO t VALUES (2)")
        #expect(try await connection.query("SELECT count(*) FROM t").scalar == "2")
    }

    @Test func sanityTellsRowsThatReferToNothing() async throws {
        let connection = try await Self.connect(
            "PRAGMA foreign_keys=OFF; CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INT REFERENCES p); INSERT INTO c VALUES (1), (2)"
        )
        #expect(try await SchemaSanity.lines(on: connection) == ["2 rows of c refer to rows of p that are not there"])
    }
}
