import DatabaseServers
import Migrations
import Model
import Testing

/// What the role may not do is found out before anything is moved.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct PreflightTests {
    /// A database in which a role with few rights is to run the migrations.
    private static func shop(_ setup: String, adopted: Bool = true) async throws -> (shop: Shop, role: String) {
        var shop = try await Shop(.postgres)
        let role = "belay_few_\(UInt32.random(in: 0 ... .max))"
        let name = String(shop.address.split(separator: "/").last ?? "")
        try await shop.ask("CREATE ROLE \(role) LOGIN; GRANT CREATE ON DATABASE \"\(name)\" TO \(role)")
        if adopted {
            try await shop.ask("CREATE TABLE schema_migrations (version varchar PRIMARY KEY)")
            try await shop.ask("ALTER TABLE schema_migrations OWNER TO \(role); INSERT INTO schema_migrations VALUES ('20240101000000')")
            try shop.write("20240101000000_a", up: "SELECT 1;", down: "SELECT 1;")
        }
        if !setup.isEmpty { try await shop.ask(setup.replacing("MOVER", with: role)) }
        shop.address = shop.address.replacing("//postgres@", with: "//\(role)@")
        return (shop, role)
    }

    @Test(
        arguments: [
            ("only an owner alters", "GRANT INSERT, UPDATE, DELETE ON \"O\" TO MOVER", "ALTER TABLE \"O\" ADD n int;", false),
            ("only an owner builds an index", "GRANT ALL ON \"O\" TO MOVER", "CREATE INDEX i ON \"O\" (id);", false),
            ("only an owner drops", "GRANT ALL ON \"O\" TO MOVER", "DROP TABLE \"O\";", false),
            ("only an owner renames", "GRANT ALL ON \"O\" TO MOVER", "ALTER TABLE \"O\" RENAME TO \"P\";", false),
            ("the owner alters", "ALTER TABLE \"O\" OWNER TO MOVER", "ALTER TABLE \"O\" ADD n int;", true),
            ("a member of the owner alters", "GRANT postgres TO MOVER", "ALTER TABLE \"O\" ADD n int;", true),
            ("an insert needs no more than that", "GRANT INSERT ON \"O\" TO MOVER", "INSERT INTO \"O\" VALUES (1);", true),
            ("another right does not do", "GRANT INSERT ON \"O\" TO MOVER", "DELETE FROM \"O\";", false),
            ("the right to truncate is one of its own", "GRANT DELETE ON \"O\" TO MOVER", "TRUNCATE \"O\";", false),
            (
                "within a common table as well", "GRANT SELECT ON \"O\" TO MOVER", "WITH d AS (DELETE FROM \"O\" RETURNING *) SELECT 1;",
                false
            ),
            ("a column's right is enough", "GRANT INSERT (id) ON \"O\" TO MOVER", "INSERT INTO \"O\" (id) VALUES (1);", true),
            (
                "but not where the table is locked first", "GRANT UPDATE (id), SELECT ON \"O\" TO MOVER",
                "UPDATE \"O\" SET id = 2 WHERE id = 1;", false
            ),
            (
                "a foreign key needs the right to refer", "GRANT SELECT ON \"O\" TO MOVER",
                "CREATE SCHEMA s; CREATE TABLE s.t_q (id int REFERENCES \"O\");", false
            ),
            (
                "the role that it takes on may do more",
                "CREATE ROLE other_MOVER; ALTER TABLE \"O\" OWNER TO other_MOVER; "
                    + "GRANT other_MOVER TO MOVER; ALTER ROLE MOVER NOINHERIT; GRANT ALL ON SCHEMA public TO other_MOVER",
                "SET LOCAL ROLE other_MOVER; ALTER TABLE \"O\" ADD n int; SET LOCAL ROLE NONE;", true
            ),
            (
                "the other of that name is meant",
                "CREATE SCHEMA app; CREATE TABLE app.\"O\" (id int); "
                    + "ALTER TABLE app.\"O\" OWNER TO MOVER; GRANT USAGE ON SCHEMA app TO MOVER",
                "SET LOCAL search_path TO app; ALTER TABLE \"O\" ADD n int;", true
            ),
            ("what the script makes is its own", "", "CREATE SCHEMA s; CREATE TABLE s.t_n (id int); ALTER TABLE s.t_n ADD n int;", true),
        ] as [(String, String, String, Bool)]) func rightsAreThoseThatTheStatementsNeed(
            _ why: String, _ setup: String, _ script: String, _ isAllowed: Bool
        ) async throws
    {
        let (shop, role) = try await Self.shop("CREATE TABLE \"O\" (id int UNIQUE); \(setup)")
        try shop.write(
            "20240102000000_b", up: "CREATE SCHEMA before; CREATE TABLE before.t_b (id int);", down: "DROP SCHEMA before CASCADE;")
        try shop.write("20240103000000_c", up: script.replacing("MOVER", with: role), down: "SELECT 1;")
        let reason = await shop.move(to: "20240103000000_c")
        #expect(reason == (isAllowed ? nil : "RightsMissing"), "\(why)")
        #expect(try await shop.tables().contains("t_b") == isAllowed, "nothing is run where the way cannot be gone to its end")
    }

    @Test func theProblemSaysWhatToGrant() async throws {
        let (shop, role) = try await Self.shop("CREATE TABLE \"O\" (id int); GRANT INSERT ON \"O\" TO MOVER")
        try shop.write("20240102000000_b", up: "DELETE FROM \"O\";", down: "SELECT 1;")
        let version = "20240102000000_b"
        let change = MigrationChange(version, isUp: true)
        let problem = await shop.driver.confirm([change], of: shop.database(version), shop.request())
        #expect(problem?.reason == "RightsMissing")
        #expect(
            problem?.message
                == "database/main: 20240102000000_b.sql needs the right DELETE on \"O\", which belongs to postgres, and \(role) does not have it"
        )
        #expect(problem?.next == "GRANT DELETE ON \"O\" TO \(role)")
    }

    @Test func aTableOfRecordsThatCannotBeMadeIsToldBefore() async throws {
        let (shop, role) = try await Self.shop("", adopted: false)
        try shop.write("20240101000000_a", up: "CREATE SCHEMA app;", down: "DROP SCHEMA app;")
        #expect(await shop.move(to: "20240101000000_a") == "RightsMissing")
        let change = MigrationChange("20240101000000_a", isUp: true)
        let problem = await shop.driver.confirm([change], of: shop.database("20240101000000_a"), shop.request())
        #expect(
            problem?.message
                == "database/main: the table \"public\".\"schema_migrations\" is missing, and \(role) may not create it in public")
        #expect(problem?.next == "GRANT USAGE, CREATE ON SCHEMA public TO \(role), or set migrations.table to a schema where it may")
        #expect(try await shop.ask("SELECT to_regnamespace('belay')") == "", "nothing was made")
    }
}
