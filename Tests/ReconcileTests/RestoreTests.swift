import DatabaseServers
import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

/// Restores by command: told first, done with `--yes`, never over a live schema, and taken back.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct RestoreTests {
    @Test(arguments: BackedShop.Engine.allCases) func aRestoreIsToldThenDoneThenTakenBack(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            let id = try await shop.backUp()
            try await shop.ask("INSERT INTO t_a VALUES (2, 'newer'); DROP TABLE t_b")
            let told = try await shop.run("restore", "latest")
            #expect(told.status == 2 && told.output.contains("one row is newer than the backup"), "\(told.output)\(told.errors)")
            #expect(told.output.contains("a restore of this backup was never proved"))
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "2", "nothing was done")

            let done = try await shop.json("restore", id, "--yes")
            #expect(done["done"]?.bool == true && done["schema"]?["pin"]?.string == "20240103000000_c", "\(done)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "1")
            #expect(try await shop.ask("SELECT note FROM t_b") == "first")
            #expect(try await shop.run("plan").status == 0, "the records of migrations came back with the data")

            let restore = try #require(done["plan"]?["id"]?.string)
            let listed = try await shop.json("restore", "--list")["restores"]?[0]
            #expect(listed?["id"]?.string == restore && listed?["state"]?.string == "done")
            #expect(listed?["safety"]?.string == done["safety"]?.string)
            #expect(try await shop.run("restore", "--undo", restore).status == 2)
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "1", "it was only told")
            let undone = try await shop.run("restore", "--undo", restore, "--yes")
            #expect(undone.status == 0, "\(undone.output)\(undone.errors)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "2")
            // What was saved before the restore is never taken for the latest.
            #expect(try await shop.json("restore", "latest")["plan"]?["origin"]?["backup"]?.string == id)
        }
    }

    @Test(arguments: BackedShop.Engine.allCases) func whatOlderRestoresLeftIsDropped(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            let id = try await shop.backUp()
            var kept: [String] = []
            for _ in 0..<2 {
                kept.append(try #require(try await shop.json("restore", id, "--yes", "--force")["keptAs"]?.string))
            }
            let told = try await shop.run("restore", "--prune", "--keep", "1")
            #expect(told.status == 2 && told.output.contains(kept[0]) && !told.output.contains(kept[1]), "\(told.output)\(told.errors)")
            #expect(try await shop.json("restore", "--list")["restores"]?.elements.compactMap { $0["keptAs"]?.string }.count == 2)
            let done = try await shop.json("restore", "--prune", "--keep", "1", "--yes")
            #expect(done["dropped"]?.bool == true && done["formers"]?.elements.count == 1, "\(done)")
            #expect(try await shop.json("restore", "--list")["restores"]?.elements.compactMap { $0["keptAs"]?.string } == [kept[1]])
            #expect(try await shop.run("restore", "--prune", "--keep", "1").status == 0)
            #expect(try await shop.run("restore", "--prune").status == 64)
        }
    }

    @Test func aSwapKeepsWhatBelongsToTheDatabase() async throws {
        try await BackedShop.with(.postgres) { shop in
            let name = shop.name
            try await shop.ask(
                """
                ALTER DATABASE \(name) SET work_mem = '7MB'; ALTER DATABASE \(name) SET search_path = "$user", public, extra;
                ALTER ROLE limited IN DATABASE \(name) SET statement_timeout = '77s'; ALTER DATABASE \(name) CONNECTION LIMIT 42;
                REVOKE ALL ON DATABASE \(name) FROM PUBLIC; GRANT CONNECT ON DATABASE \(name) TO limited;
                COMMENT ON DATABASE \(name) IS 'the shop''s own'
                """)
            let facts = """
                SELECT pg_get_userbyid(datdba), datconnlimit, shobj_description(oid, 'pg_database'),
                  (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(datacl) a),
                  (SELECT string_agg(coalesce(setrole::regrole::text, '') || c, ' ' ORDER BY setrole, c)
                   FROM pg_db_role_setting, unnest(setconfig) c WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = '\(name)'
                """
            let before = try await shop.ask(facts)
            #expect(before.contains("|42|") && before.contains("77s"))
            _ = try await shop.backUp()
            let done = try await shop.json("restore", "latest", "--swap", "--yes")
            let restore = try #require(done["plan"]?["id"]?.string)
            let after = try await shop.ask(facts)
            #expect(after == before)
            #expect(try await shop.run("restore", "--undo", restore, "--yes").status == 0)
            #expect(try await shop.ask(facts) == before, "and back")
        }
    }

    /// A dump that breaks off, in every way that it may be put in.
    @Test(arguments: ["--in-place", "--swap"]) func aBrokenDumpLeavesTheDataAsItIs(_ way: String) async throws {
        try await BackedShop.with(.postgres) { shop in
            let id = try await shop.backUp()
            try await shop.ask("INSERT INTO t_a VALUES (2, 'kept')")
            let whole = try Data(contentsOf: URL(filePath: "\(shop.store)/\(id).dump"))
            try Data(whole.dropLast(40)).write(to: URL(filePath: shop.place.path("broken.dump")))
            let ended = try await shop.run("restore", shop.place.path("broken.dump"), way, "--yes")
            #expect(ended.status == 1, "\(ended.output)\(ended.errors)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "2")
            #expect(try await shop.companions().isEmpty, "nothing half done is left")

            let done = try await shop.run("restore", id, way, "--yes")
            #expect(done.status == 0, "\(done.output)\(done.errors)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "1")
            #expect(try await shop.companions().count == (way == "--swap" ? 1 : 0))
            #expect(try await shop.run("plan").status == 0)
        }
    }

    @Test func anSQLScriptIsAllOrNothing() async throws {
        try await BackedShop.with(.postgres) { shop in
            let port = String(try await PostgresServer.shared.port())
            let dumped = try await BuiltProgram(onSearchPath: "pg_dump").run(["-h", "127.0.0.1", "-p", port, "-U", "postgres", shop.name])
            let script = try shop.place.write("backup.sql", dumped.output)
            try shop.place.write("broken.sql", dumped.output.replacing("COPY public.t_c", with: "COPY public.nowhere"))
            try await shop.ask("INSERT INTO t_a VALUES (2, 'newer')")
            let broken = try await shop.run("restore", shop.place.path("broken.sql"), "--yes")
            #expect(broken.status == 1 && broken.errors.contains("nowhere"), "\(broken.errors)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "2")
            let inPlace = try await shop.run("restore", script, "--in-place", "--yes")
            #expect(inPlace.status == 1 && inPlace.errors.contains("restore it by swap"), "\(inPlace.errors)")
            let done = try await shop.run("restore", script, "--yes")
            #expect(done.status == 0, "\(done.output)\(done.errors)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "1")
        }
    }

    @Test(arguments: BackedShop.Engine.allCases) func aRestoreAgainstThePinIsRefused(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            _ = try await shop.backUp()
            try shop.pin("a")
            let refused = try await shop.run("restore", "latest", "--yes")
            #expect(refused.status == 3, "\(refused.output)\(refused.errors)")
            #expect(refused.output.contains("the next pass would take back 20240103000000_c, take back 20240102000000_b"))
            #expect(refused.output.contains("pin it in the spec: schema: 20240103000000_c"))
            let forced = try await shop.run("restore", "latest", "--yes", "--force")
            #expect(forced.status == 0 && forced.output.contains("pin it in the spec: schema: 20240103000000_c"), "\(forced.output)")
        }
    }

    @Test func aTransitionThatIsOpenRefusesIt() async throws {
        try await BackedShop.with(.postgres) { shop in
            _ = try await shop.backUp()
            try shop.migration("d", up: "CREATE TABLE t_d (id integer); SELECT * FROM nowhere;", down: "DROP TABLE t_d;")
            try shop.pin("d")
            #expect(try await shop.run("--once").status == 1)
            let refused = try await shop.run("restore", "latest", "--yes")
            #expect(
                refused.status == 3 && refused.output.contains("is open: a pass would go on with it"), "\(refused.output)\(refused.errors)")
        }
    }

    /// Killed wherever it may be, it is carried on by running it again, and nothing is renamed twice.
    @Test func killedInTheMiddleOfASwapItIsCarriedOn() async throws {
        try await BackedShop.with(.postgres) { shop in
            try await shop.ask("INSERT INTO t_c SELECT n, md5(random()::text) FROM generate_series(10, 200000) n")
            let id = try await shop.backUp()
            let rows = try await shop.ask("SELECT count(*) FROM t_c")
            try await shop.ask("INSERT INTO t_a VALUES (2, 'newer')")
            for after in ["0.3", "0.6", "0.9", "1.2", "1.5", "1.9"] {
                let ended = try await shop.shell("timeout -s KILL \(after) $reconcile restore \(id) --yes")
                let count = try await shop.ask("SELECT count(*) FROM t_a")
                #expect(count == "2" || count == "1", "whole, whenever it is killed")
                #expect(try await shop.companions().count <= 1)
                if ended.status == 0 { break }
                // The lease of a killed process lasts for half a minute.
                try await shop.ask("UPDATE belay.migration_lease SET expires_at = now()")
            }
            let last = try await shop.run("restore", id, "--yes")
            #expect([0, 3].contains(last.status), "\(last.output)\(last.errors)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "1")
            #expect(try await shop.ask("SELECT count(*) FROM t_c") == rows)
            #expect(try await shop.companions().count == 1, "the former database, once")
            let again = try await shop.run("restore", id, "--yes")
            #expect(again.status == 3 && again.output.contains("was restored at"), "\(again.output)")
        }
    }

    @Test func theTablesOfAScopedBackupComeBackByThemselves() async throws {
        try await BackedShop.with(.postgres) { shop in
            try await shop.ask("INSERT INTO t_c VALUES (2, 'precious')")
            try shop.pin("b")
            let digest = try #require(try await shop.json("plan")["approval"]?["digest"]?.string)
            #expect(try await shop.run("--once", "--approve", digest).status == 0)
            let id = try #require(try await shop.json("backup", "list")["backups"]?[0]?["id"]?.string)
            let proved = try await shop.run("backup", "verify", id)
            #expect(proved.status == 0, "\(proved.output)\(proved.errors)")
            let done = try await shop.run("restore", id, "--yes")
            #expect(done.status == 0, "\(done.output)\(done.errors)")
            #expect(try await shop.ask("SELECT note FROM t_c ORDER BY id") == "first\nprecious")
            let again = try await shop.run("restore", id, "--yes")
            #expect(
                again.status == 0 && again.output.contains("public.t_c has everything that was saved"), "\(again.output)\(again.errors)")
        }
    }

    @Test func aFileWithoutTablesReplacesNothing() async throws {
        try await BackedShop.with(.sqlite) { shop in
            let empty = try shop.place.write("empty.db", "")
            for more in [[], ["--yes"]] {
                let refused = try await shop.shell("$reconcile restore '\(empty)' \(more.joined())")
                #expect(refused.status == 3 && refused.output.contains("holds no table"), "\(refused.output)\(refused.errors)")
            }
            let other = try await shop.run("restore", try shop.place.write("notes.txt", "no database at all"))
            #expect(other.status == 1 && other.errors.contains("is no SQLite database"), "\(other.errors)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "1")
        }
    }

    @Test func aSQLiteFileThatSomebodyHasOpenIsNotReplaced() async throws {
        try await BackedShop.with(.sqlite) { shop in
            let id = try await shop.backUp()
            try await shop.ask("INSERT INTO t_a VALUES (2, 'newer')")
            let ended = try await shop.shell("sleep 30 <'\(shop.name)' & trap 'kill %1' EXIT; $reconcile restore \(id) --yes")
            #expect(ended.status == 1 && ended.errors.contains("is open in process"), "\(ended.output)\(ended.errors)")
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "2")
        }
    }
}
