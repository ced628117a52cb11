import DatabaseServers
import Model
import ProviderKit
import SQL
import SQLParsing
import Testing

@testable import Migrations

/// Names that need quotation marks are found in the catalogue as others are.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(2))) struct ProbeTests {
    private static let before = """
        CREATE SCHEMA "App"; CREATE TYPE "Mood" AS ENUM ('sad'); CREATE TABLE "User" (id int, "createdAt" text, "a.b" int);
        CREATE INDEX "uX" ON "User" (id); CREATE TABLE "App"."we.ird" ("Id" int NOT NULL); CREATE SEQUENCE "Seq";
        CREATE FUNCTION "Fun"() RETURNS int LANGUAGE sql AS 'SELECT 1';
        ALTER TABLE "User" ADD CONSTRAINT "User_check" CHECK (id > 0) NOT VALID
        """

    @Test(
        arguments: [
            ("a table", "CREATE TABLE \"User\" (id int)", true),
            ("a table that is not there", "CREATE TABLE \"USER\" (id int)", false),
            ("with a point within", "CREATE TABLE \"App\".\"we.ird\" (id int)", true),
            ("a schema", "CREATE SCHEMA \"App\"", true),
            ("a type", "CREATE TYPE \"Mood\" AS ENUM ('sad')", true),
            ("a sequence", "DROP SEQUENCE \"Seq\"", false),
            ("a function", "CREATE FUNCTION \"Fun\"() RETURNS int LANGUAGE sql AS 'SELECT 1'", true),
            ("an index that is still there", "DROP INDEX CONCURRENTLY \"uX\"", false),
            ("an index that is gone", "DROP INDEX CONCURRENTLY \"uY\"", true),
            ("a column", "ALTER TABLE \"User\" ADD COLUMN \"createdAt\" text", true),
            ("a column with a point within", "ALTER TABLE \"User\" ADD COLUMN \"a.b\" int", true),
            ("a column still there", "ALTER TABLE \"User\" DROP COLUMN \"createdAt\"", false),
            ("a constraint", "ALTER TABLE \"User\" ADD CONSTRAINT \"User_check\" CHECK (id > 0) NOT VALID", true),
            ("a constraint still there", "ALTER TABLE \"User\" DROP CONSTRAINT \"User_check\"", false),
            ("a constraint not validated", "ALTER TABLE \"User\" VALIDATE CONSTRAINT \"User_check\"", false),
            ("a column that is not null", "ALTER TABLE \"App\".\"we.ird\" ALTER COLUMN \"Id\" SET NOT NULL", true),
            ("a value of an enum", "ALTER TYPE \"Mood\" ADD VALUE 'sad'", true),
            ("a value to come", "ALTER TYPE \"Mood\" ADD VALUE 'glad'", false),
        ] as [(String, String, Bool)]) func mixedCaseIsFound(_ why: String, _ statement: String, _ isDone: Bool) async throws
    {
        let bench = try await Bench()
        try await bench.connection.execute(Self.before)
        let session = try await bench.session()
        let facts = try #require(try ScriptFacts(statement, dialect: .postgres).facts.first)
        let answer = try await session.probe(facts.probe, before: nil, isUndo: false, bench.connection)
        #expect(answer == (isDone ? .done : .run), "\(why)")
        await session.close()
    }

    @Test func aPartitionHalfDetachedIsNamedInFull() async throws {
        let bench = try await Bench()
        try await bench.connection.execute(
            "CREATE TABLE \"Events\" (at int) PARTITION BY RANGE (at); "
                + "CREATE TABLE \"Events_1\" PARTITION OF \"Events\" FOR VALUES FROM (1) TO (2)")
        let other = try await PostgresConnection(PostgresAddress(bench.url))
        try await other.execute("BEGIN; SELECT * FROM \"Events\"")
        let detach = "ALTER TABLE \"Events\" DETACH PARTITION \"Events_1\" CONCURRENTLY"
        try await bench.connection.execute("SET statement_timeout = 300")
        await #expect(throws: SQLError.self) { try await bench.connection.execute(detach) }
        try await bench.connection.execute("RESET statement_timeout")
        try await other.execute("ROLLBACK")
        let session = try await bench.session()
        let facts = try #require(try ScriptFacts(detach, dialect: .postgres).facts.first)
        guard case .instead(let finish) = try await session.probe(facts.probe, before: "", isUndo: false, bench.connection) else {
            Issue.record("nothing to finish")
            return
        }
        try await bench.connection.execute(finish)
        #expect(try await bench.scalar("SELECT count(*) FROM pg_inherits") == "0")
        await session.close()
    }

    @Test func anInvalidIndexOfMixedCaseIsRepaired() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE \"T\" (id int); INSERT INTO \"T\" VALUES (1), (1)")
        let session = try await bench.session()
        let job = try MigrationJob.make("CREATE UNIQUE INDEX CONCURRENTLY \"uX\" ON \"T\" (id)")
        #expect(await session.run(job).problem?.reason == "MigrationFailed")
        try await bench.connection.execute("DELETE FROM \"T\"")
        #expect(await session.run(job).problem == nil)
        #expect(try await bench.scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = '\"uX\"'::regclass") == "t")
        await session.close()
    }

    @Test func whatWasCutOffBeforeItDroppedAnIndexDropsIt() async throws {
        let bench = try await Bench()
        try await bench.connection.execute("CREATE TABLE \"T\" (id int); CREATE INDEX \"uX\" ON \"T\" (id)")
        let job = try MigrationJob.make("DROP INDEX CONCURRENTLY \"uX\"", isUp: false)
        try await bench.connection.execute("INSERT INTO schema_migrations VALUES ('1')")
        var settings = bench.settings("r0")
        let killer = try await PostgresConnection(PostgresAddress(bench.url))
        settings.afterEffect = { effect in
            guard effect == "begun" else { return }
            do {
                try await killer.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'belay/r0/%' "
                        + "AND datname = current_database()")
            } catch {
                Issue.record(error)
            }
        }
        let first = try await MigrationSession.open(settings).get()
        guard case .undecided = await first.run(job) else { throw CancellationError() }
        await first.close()
        try await bench.connection.execute("UPDATE belay.migration_lease SET holder = NULL")
        let session = try await bench.session()
        #expect(await session.run(job).problem == nil)
        #expect(try await bench.scalar("SELECT to_regclass('\"uX\"')") == nil)
        #expect(try await bench.recorded() == [])
        await session.close()
    }
}
