import DatabaseServers
import Migrations
import Model
import SQL
import Subprocess
import Testing

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct PostgresFingerprintTests {
    static func connect(_ script: String = "", database: String? = nil) async throws -> PostgresConnection {
        let server = PostgresServer.shared
        let name = if let database { database } else { try await server.makeDatabase() }
        let connection = try await PostgresConnection(PostgresAddress(try await server.url(of: name)))
        if !script.isEmpty { try await connection.execute(script) }
        return connection
    }

    static func lines(_ script: String) async throws -> [String] {
        let connection = try await connect(script)
        let lines = try await SchemaFingerprint.take(on: connection).lines
        await connection.close()
        return lines
    }

    @Test(arguments: [SchemaFingerprint.Level.logical, .physical]) func aRestoredDumpHasTheSameFingerprint(_ level: SchemaFingerprint.Level)
        async throws
    {
        let server = PostgresServer.shared
        let (source, target) = (try await server.makeDatabase(), try await server.makeDatabase())
        let original = try await Self.connect(SampleSchema.postgres, database: source)
        let result = try await Subprocess.run(
            .name("bash"),
            arguments: [
                "-o", "pipefail", "-c", #"pg_dump "$0" | psql -X -q -v ON_ERROR_STOP=1 "$1""#, try await server.url(of: source),
                try await server.url(of: target),
            ], output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        #expect(result.terminationStatus.isSuccess, "\(result.standardError)")
        let copy = try await Self.connect(database: target)
        let before = try await SchemaFingerprint.take(on: original, excluding: ["public.schema_migrations"], level: level)
        let after = try await SchemaFingerprint.take(on: copy, excluding: ["public.schema_migrations"], level: level)
        #expect(SchemaDifference(from: before.lines, to: after.lines).lines() == [])
        #expect(before.hash == after.hash)
        #expect(before.lines.count > 100)
    }

    @Test func theLinesReadWell() async throws {
        let connection = try await Self.connect(SampleSchema.postgres)
        let lines = try await SchemaFingerprint.take(on: connection, excluding: ["public.schema_migrations"]).lines
        for line in [
            "schema app", "table app.customers", "extension pg_trgm: 1.6 in public",
            "table app.orders: with fillfactor=70, toast with autovacuum_enabled=false, row security, row security forced",
            "table app.events_1: partition of app.events, FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00')",
            "column app.orders.total: numeric(10,2) not null",
            #"column app.orders.note: text collate pg_catalog."C" default 'two⏎lines'::text storage e compression p"#,
            "column app.orders.id: integer not null generated always as identity",
            "constraint app.orders.positive: CHECK ((total > (0)::numeric)) NOT VALID",
            "index app.orders_note: CREATE INDEX orders_note ON app.orders USING gin (note public.gin_trgm_ops) WHERE (note <> ''::text)",
            "enum app.status: 'new', 'packed', 'paid'", "comment table column app.orders.note: 'it''s'",
            #"domain app.email: text collate pg_catalog."C" not null default 'x'::text"#,
            "policy app.orders.own: permissive for select to public using ((note = CURRENT_USER))",
            "sequence app.lone: smallint start 1 increment 5 from 1 to 32767 cache 1 cycle",
        ] {
            #expect(lines.contains(line), "\(line)")
        }
        for part in ["belay", "schema_migrations", "similarity(", "pg_attver", "public.hstore("] {
            #expect(!lines.contains { $0.contains(part) }, "\(part)")
        }
    }

    @Test func settingsOfTheSessionNeitherShowNorChange() async throws {
        let connection = try await Self.connect(SampleSchema.postgres)
        let plain = try await SchemaFingerprint.take(on: connection)
        try await connection.execute(
            "SET search_path = app; SET timezone = 'Asia/Tokyo'; SET quote_all_identifiers = on; BEGIN; SET LOCAL datestyle = 'German'")
        #expect(try await SchemaFingerprint.take(on: connection).hash == plain.hash)
        let settings = "SELECT current_setting('search_path') || current_setting('timezone') || current_setting('datestyle')"
        #expect(try await connection.query(settings).scalar == "appAsia/TokyoGerman, DMY")
        try await connection.execute("COMMIT")
        #expect(try await connection.query(settings).scalar == "appAsia/TokyoISO, MDY")
    }

    @Test func changesOfAnOpenTransactionAreSeen() async throws {
        let connection = try await Self.connect("CREATE TABLE t (a int)")
        let before = try await SchemaFingerprint.take(on: connection)
        try await connection.execute("BEGIN; ALTER TABLE t ADD b text DEFAULT 'x'")
        let after = try await SchemaFingerprint.take(on: connection)
        #expect(SchemaDifference(from: before.lines, to: after.lines).lines() == ["+ column public.t.b: text default 'x'::text"])
        try await connection.execute("ROLLBACK")
        #expect(try await SchemaFingerprint.take(on: connection) == before)
    }

    @Test(arguments: [
        ("CREATE TABLE t (a int, b text)", "CREATE TABLE t (b text, x int, a int); ALTER TABLE t DROP x", true, "the order of columns"),
        ("CREATE SEQUENCE s", "CREATE SEQUENCE s; SELECT nextval('s')", true, "where a sequence stands"),
        ("CREATE TABLE t (a int)", "CREATE TABLE t (a int NOT NULL)", false, "null"),
        ("CREATE TABLE t (a varchar(3))", "CREATE TABLE t (a varchar(4))", false, "a length"),
        ("CREATE TYPE e AS ENUM ('a', 'b')", "CREATE TYPE e AS ENUM ('b', 'a')", false, "the order of an enumeration"),
        ("CREATE TYPE c AS (a int, b int)", "CREATE TYPE c AS (b int, a int)", false, "the order inside a composite type"),
        ("CREATE TABLE t (a int UNIQUE)", "CREATE TABLE t (a int CONSTRAINT u UNIQUE)", false, "the name of a constraint"),
        ("CREATE TABLE t (a int)", "CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY", false, "row security"),
        (
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT 'a b'$$",
            "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$SELECT 'a  b'$$",
            false, "blanks inside a body may be inside a text"
        ),
    ]) func whatCounts(_ first: String, _ second: String, _ same: Bool, _ why: String) async throws {
        #expect(try await (Self.lines(first) == Self.lines(second)) == same, "\(why)")
    }

    // MARK: - Checks of data and sanity

    @Test(
        arguments: [
            ("SELECT count(*) FROM t", "2", nil, "the answer is right"),
            ("SELECT count(*) FROM t", "3", #"the check "SELECT count(*) FROM t" returned "2", expected "3""#, "it is wrong"),
            (
                "SELECT a FROM t WHERE a > 9", "1", #"the check "SELECT a FROM t WHERE a > 9" returned no row, expected "1""#,
                "there is none"
            ),
            ("SELECT NULL", "", nil, "a spec's null is written as nothing"),
            ("SELECT NULL", "x", #"the check "SELECT NULL" returned null, expected "x""#, "null is not a text"),
            ("SELECT true", "true", nil, "t and true are the same"),
        ] as [(String, String, String?, String)])
    func aCheckIsRightOrToldAsAProblem(_ sql: String, _ expect: String, _ message: String?, _ why: String) async throws {
        let connection = try await Self.connect("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
        let problem = try await DataChecks.run([DataCheck(sql: sql, expect: expect)], on: connection)
        #expect(problem?.message == message, "\(why)")
        #expect(problem == nil || problem?.reason == "DataCheckFailed")
        #expect(await connection.transaction == .idle)
    }

    @Test(arguments: [
        ("DELETE FROM t RETURNING a", "read-only transaction"), ("SELECT pg_sleep(60)", "statement timeout"),
        ("COMMIT; DELETE FROM t", "multiple commands"),
    ]) func aCheckNeitherWritesNorStays(_ sql: String, _ told: String) async throws {
        let connection = try await Self.connect("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)")
        let problem = try await DataChecks.run([DataCheck(sql: sql, expect: "1")], on: connection, timeout: .milliseconds(200))
        #expect(problem?.message.contains(told) == true, "\(problem?.message ?? "no problem")")
        #expect(try await connection.query("SELECT count(*) FROM t").scalar == "2")
    }

    @Test func sanityTellsWhatIsWrong() async throws {
        let connection = try await Self.connect(
            """
            CREATE TABLE "100% t" (id serial PRIMARY KEY, "a b" int); CREATE TABLE fine (id bigserial PRIMARY KEY); INSERT INTO fine DEFAULT VALUES;
            CREATE TABLE fresh (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
            INSERT INTO "100% t" VALUES (7, 1), (8, 1); ALTER TABLE "100% t" ADD CONSTRAINT c CHECK (id > 0) NOT VALID
            """)
        await #expect(throws: SQLError.self) {
            try await connection.execute(#"CREATE UNIQUE INDEX CONCURRENTLY twice ON "100% t" ("a b")"#)
        }
        #expect(
            try await SchemaSanity.lines(on: connection) == [
                #"constraint c of public."100% t" is not validated"#, "index public.twice is invalid",
                #"sequence public."100% t_id_seq" is at 0, behind public."100% t".id at 8"#,
            ])
    }
}
