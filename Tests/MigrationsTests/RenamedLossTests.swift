import DatabaseServers
import Migrations
import Model
import Testing

/// What a script loses under another name than the object has before it runs is counted, approved and saved all the same.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct RenamedLossTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var engine = Shop.Engine.postgres
        var setup: String
        var fill: String
        var script: String
        var words: String
        var testDescription: String { why }
    }

    static let cases = [
        Case(
            why: "found in a schema of the path that the script sets", setup: "CREATE SCHEMA app; CREATE TABLE app.t_x (id int);",
            fill: "INSERT INTO app.t_x VALUES (1), (2), (3)", script: "SET LOCAL search_path TO app; DROP TABLE t_x;",
            words: "table app.t_x"),
        Case(
            why: "a function sets the path", setup: "CREATE SCHEMA app; CREATE TABLE app.t_x (id int);",
            fill: "INSERT INTO app.t_x VALUES (1), (2), (3)",
            script: "SELECT pg_catalog.set_config('search_path', 'app, pg_temp', true); DELETE FROM t_x WHERE id > 0;",
            words: "rows of app.t_x"),
        Case(
            why: "renamed before", setup: "CREATE TABLE t_old (id int);", fill: "INSERT INTO t_old VALUES (1), (2), (3)",
            script: "ALTER TABLE t_old RENAME TO t_older; DROP TABLE t_older;", words: "table t_older (now public.t_old)"),
        Case(
            why: "of two tables that change places, the one that has the rows",
            setup: "CREATE TABLE t_a (id int); CREATE TABLE t_b (id int);", fill: "INSERT INTO t_a VALUES (1), (2), (3)",
            script: "ALTER TABLE t_a RENAME TO t_c; ALTER TABLE t_b RENAME TO t_a; DROP TABLE t_c;", words: "table t_c (now public.t_a)"),
        Case(
            why: "a column under its new name", setup: "CREATE TABLE t_x (id int, \"oldNote\" text);",
            fill: "INSERT INTO t_x VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, NULL)",
            script: "ALTER TABLE t_x RENAME COLUMN \"oldNote\" TO note; ALTER TABLE t_x DROP COLUMN note;",
            words: "column t_x.note (now public.t_x.oldNote)"),
        Case(
            why: "moved into another schema", setup: "CREATE SCHEMA app; CREATE TABLE t_x (id int);",
            fill: "INSERT INTO t_x VALUES (1), (2), (3)", script: "ALTER TABLE t_x SET SCHEMA app; TRUNCATE app.t_x;",
            words: "table app.t_x (now public.t_x)"),
        Case(
            why: "the schema is renamed", setup: "CREATE SCHEMA app; CREATE TABLE app.t_x (id int);",
            fill: "INSERT INTO app.t_x VALUES (1), (2), (3)", script: "ALTER SCHEMA app RENAME TO old; DROP TABLE old.t_x;",
            words: "table old.t_x (now app.t_x)"),
        Case(
            why: "a point within the name", setup: "CREATE TABLE \"t_we.ird\" (id int);",
            fill: "INSERT INTO \"t_we.ird\" VALUES (1), (2), (3)", script: "DROP TABLE \"t_we.ird\";", words: "table \"t_we.ird\""),
        Case(
            why: "renamed before, on SQLite", engine: .sqlite, setup: "CREATE TABLE t_old (id int);",
            fill: "INSERT INTO t_old VALUES (1), (2), (3)", script: "ALTER TABLE T_old RENAME TO t_older; DROP TABLE t_OLDER;",
            words: "table t_OLDER (now t_old)"),
        Case(
            why: "a point within the name, on SQLite", engine: .sqlite, setup: "CREATE TABLE [t_we.ird] (id int);",
            fill: "INSERT INTO [t_we.ird] VALUES (1), (2), (3)", script: "DROP TABLE [t_we.ird];", words: "table \"t_we.ird\""),
    ]

    @Test(arguments: cases) func itIsApprovedAndSaved(_ example: Case) async throws {
        let shop = try await Shop(example.engine)
        try shop.write("20240101000000_made", up: example.setup, down: "SELECT 1;")
        try shop.write("20240102000000_lost", up: example.script, down: "SELECT 1;")
        #expect(await shop.move(to: "20240101000000_made") == nil)
        try await shop.ask(example.fill)
        let pin = "20240102000000_lost"
        let plan = await shop.plan(pin)
        #expect(plan.refusal?.reason == "ApprovalNeeded")
        #expect(plan.approval?.rows == 10)
        let details = plan.steps.flatMap(\.details)
        #expect(details.contains("loses \(example.words)"), "\(details)")
        #expect(await shop.move(to: pin, approved: 2) == "MoreRowsThanApproved", "counted once more under the lock")
        #expect(await shop.move(to: pin) == nil)
        guard case .backup(let manifest)? = try await shop.store.list().first else {
            Issue.record("no backup")
            return
        }
        #expect(manifest.tables.compactMap(\.rows).max() == (example.why.contains("column") ? 4 : 3))
    }

    @Test(
        arguments: [
            ("whose role it is decides where a name leads", "SET LOCAL ROLE postgres; DELETE FROM t_x;"),
            ("a path that is computed", "SELECT set_config('search_path', current_user, true); TRUNCATE t_x;"),
            ("the path holds the role's own schema", "SET LOCAL search_path TO \"$user\", app; DROP TABLE t_x;"),
        ]) func whatCannotBeFollowedNeedsApproval(_ why: String, _ script: String) async throws
    {
        let shop = try await Shop(.postgres)
        try shop.write("20240101000000_made", up: "CREATE SCHEMA app; CREATE TABLE t_x (id int);", down: "SELECT 1;")
        try shop.write("20240102000000_lost", up: script, down: "SELECT 1;")
        #expect(await shop.move(to: "20240101000000_made") == nil)
        let plan = await shop.plan("20240102000000_lost")
        #expect(plan.refusal?.reason == "ApprovalNeeded", "\(why)")
        let details = plan.steps.flatMap(\.details)
        #expect(details.contains("loses table t_x, whichever it is by then"), "\(details)")
        #expect(details.contains { $0.contains("which t_x is meant is known only when it runs") }, "\(details)")
    }

    @Test(
        arguments: [
            ("nothing of that name is anywhere on the path", "SET LOCAL search_path TO app; DROP TABLE IF EXISTS t_gone;"),
            ("an earlier migration of the same way makes it", "SET LOCAL search_path TO app; DROP TABLE t_made;"),
            ("the script made it", "CREATE TABLE t_n (id int); ALTER TABLE t_n RENAME TO t_m; DROP TABLE t_m;"),
            ("a name in full means the same whatever the path is", "SET LOCAL ROLE postgres; DROP TABLE IF EXISTS public.t_gone;"),
            ("the path is what it was", "SET search_path TO app; RESET search_path; DROP TABLE IF EXISTS t_gone;"),
        ]) func whatIsNotThereLosesNothing(_ why: String, _ script: String) async throws
    {
        let shop = try await Shop(.postgres)
        try shop.write("20240101000000_first", up: "CREATE SCHEMA app;", down: "SELECT 1;")
        try shop.write("20240102000000_made", up: "CREATE TABLE app.t_made (id int);", down: "SELECT 1;")
        try shop.write("20240103000000_lost", up: script, down: "SELECT 1;")
        #expect(await shop.move(to: "20240101000000_first") == nil)
        #expect(await shop.plan("20240103000000_lost").refusal == nil, "\(why)")
        #expect(await shop.move(to: "20240103000000_lost") == nil)
    }

    @Test func rowsOfAViewAreThoseOfItsTables() async throws {
        let shop = try await Shop(.postgres)
        try shop.write("20240101000000_made", up: "CREATE TABLE t_x (id int); CREATE VIEW v_x AS SELECT * FROM t_x;", down: "SELECT 1;")
        try shop.write("20240102000000_lost", up: "DELETE FROM v_x;", down: "SELECT 1;")
        #expect(await shop.move(to: "20240101000000_made") == nil)
        #expect(await shop.plan("20240102000000_lost").refusal?.reason == "ApprovalNeeded")
    }
}
