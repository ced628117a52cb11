import DatabaseServers
import SQL
import SQLParsing
import Testing

@testable import Migrations

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct LossCountTests {
    private static let schema = """
        CREATE TABLE orders (id int PRIMARY KEY, note text, spare text);
        INSERT INTO orders SELECT n, CASE WHEN n > 3 THEN 'x' END FROM generate_series(1, 10) n;
        CREATE TABLE lines (id int, order_id int REFERENCES orders);
        INSERT INTO lines SELECT n, 1 FROM generate_series(1, 4) n;
        CREATE VIEW totals AS SELECT id, note FROM orders;
        CREATE TABLE empty (id int);
        CREATE TABLE events (at date) PARTITION BY RANGE (at);
        CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        INSERT INTO events VALUES ('2024-05-05');
        CREATE SCHEMA old; CREATE TABLE old.things (id int); INSERT INTO old.things VALUES (1)
        """

    @Test(
        arguments: [
            ("a table's rows", "DROP TABLE lines", ["table lines"], 4, ["public.lines"]),
            ("nothing is in it", "DROP TABLE empty", [], 0, []),
            ("seven have a value", "ALTER TABLE orders DROP COLUMN note", ["column orders.note"], 7, ["public.orders"]),
            ("nobody ever wrote it", "ALTER TABLE orders DROP COLUMN spare", [], 0, []),
            ("it is not there", "DROP TABLE IF EXISTS nothing", [], 0, []),
            (
                "a view goes with its column", "ALTER TABLE orders DROP COLUMN note CASCADE", ["column orders.note", "view totals"], 7,
                ["public.orders"]
            ),
            (
                "what refers to it is saved as well", "TRUNCATE orders CASCADE",
                ["table orders", "view totals", "the foreign key of public.lines, and its rows where this is a TRUNCATE"], 14,
                ["public.orders", "public.lines"]
            ),
            (
                "only what its condition chooses", "DELETE FROM orders o WHERE o.id IN (1, 2) OR note = 'no'", ["rows of orders"], 2,
                ["public.orders"]
            ),
            (
                "an update's as well", "UPDATE orders SET spare = note WHERE id > 8 AND note IS NOT NULL", ["rows of orders"], 2,
                ["public.orders"]
            ),
            ("none now; that may change", "DELETE FROM orders WHERE id = 77", ["rows of orders"], 0, ["public.orders"]),
            ("a function may choose any", "DELETE FROM orders WHERE abs(id) = 1", ["rows of orders"], 10, ["public.orders"]),
            (
                "what is before it may change that", "UPDATE lines SET id = 7 WHERE id = 1; DELETE FROM orders WHERE id = 1",
                ["rows of lines", "rows of orders"], 11, ["public.lines", "public.orders"]
            ),
            ("its partitions hold the rows", "DROP TABLE events", ["table events"], 1, ["public.events", "public.events_2024"]),
            ("the tables of a schema", "DROP SCHEMA old CASCADE", ["schema old", "table old.things"], nil, ["old.things"]),
            ("nobody knows", "DO $$ BEGIN PERFORM 1; END $$", ["what only the database can tell"], nil, []),
        ] as [(String, String, [String], Int?, [String])]) func whatIsLostIsCounted(
            _ why: String, _ script: String, _ words: [String], _ rows: Int?, _ tables: [String]
        ) async throws
    {
        let connection = try await SchemaFixture.postgres()
        try await connection.execute(Self.schema)
        let facts = try ScriptFacts(script, dialect: .postgres)
        let outside = try await LossCount(facts.losses, on: connection)
        #expect(outside.words == words, "\(why)")
        #expect(outside.rows == rows)
        #expect(outside.tables == tables)
        #expect((outside.bytes ?? 0 > 0) == !tables.isEmpty)
        #expect(await connection.transaction == .idle)
        try await connection.execute("BEGIN")
        let inside = try await LossCount(facts.losses, on: connection)
        #expect(inside.words == words)
        #expect(inside.rows == rows)
        #expect(await connection.transaction == .inTransaction)
        try await connection.execute("ROLLBACK")
    }

    @Test func whatMayNotBeReadIsEstimatedAndTheTransactionGoesOn() async throws {
        let connection = try await SchemaFixture.postgres()
        try await connection.execute(
            "CREATE TABLE secrets (id int); INSERT INTO secrets VALUES (1), (2), (3); ANALYZE secrets; "
                + "CREATE ROLE belay_reader; BEGIN; SET LOCAL ROLE belay_reader")
        let count = try await LossCount([.init(.table, "secrets")], on: connection)
        #expect(count.rows == 3)
        #expect(count.isEstimated)
        #expect(await connection.transaction == .inTransaction)
        try await connection.execute("ROLLBACK")
    }
}
