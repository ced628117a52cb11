import DatabaseServers
import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

/// Backups by command: taken, listed, proved, and refused when they are not what was written.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct BackupTests {
    @Test(arguments: BackedShop.Engine.allCases) func aBackupIsTakenListedAndProved(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            let none = try await shop.run("backup", "list")
            #expect(none.status == 0 && none.output.contains("there is no backup of database/main"), "\(none.output)")
            let created = try await shop.run("backup", "create")
            #expect(
                created.status == 0 && created.output.contains("4 tables, 6 rows, at 20240103000000_c"),
                "\(created.output)\(created.errors)")

            let listed = try await shop.json("backup", "list")
            let backup = listed["backups"]?[0]
            #expect(backup?["kind"]?.string == "full" && backup?["proved"]?.bool == false)
            #expect(backup?["applied"]?[2]?.string == "20240103000000_c")
            let verified = try await shop.run("backup", "verify")
            #expect(verified.status == 0 && verified.output.contains("is proved"), "\(verified.output)\(verified.errors)")
            #expect(try await shop.json("backup", "list")["backups"]?[0]?["proved"]?.bool == true)
            let table = engine == .postgres ? "belay.backup" : "_belay_backup"
            #expect(try await shop.ask("SELECT kind, verified_at IS NOT NULL FROM \(table)").hasPrefix("full|"), "and the database knows")

            let status = try await shop.run("status")
            #expect(status.output.contains("last backup \(backup?["id"]?.string ?? "") (full, "), "\(status.output)")
            #expect(status.output.contains(", proved 20"))
            for file in try shop.files() {
                let rights = try FileManager.default.attributesOfItem(atPath: "\(shop.store)/\(file)")[.posixPermissions] as? Int
                #expect(rights == 0o600, "\(file)")
            }
            #expect(try FileManager.default.attributesOfItem(atPath: shop.store)[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test(arguments: BackedShop.Engine.allCases) func aDumpThatWasChangedIsRefused(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            let id = try await shop.backUp()
            let dump = "\(shop.store)/\(id).\(engine == .postgres ? "dump" : "sqlite")"
            var bytes = [UInt8](try Data(contentsOf: URL(filePath: dump)))
            bytes[bytes.count / 2] ^= 1
            try Data(bytes).write(to: URL(filePath: dump))
            try await shop.ask("INSERT INTO t_a VALUES (2, 'kept')")
            for command in [["backup", "verify"], ["restore", "latest", "--yes"]] {
                let ended = try await BuiltProgram("reconcile").run(
                    command + ["-f", shop.place.path("system.yaml")], variables: shop.variables)
                #expect(ended.status == 1 && ended.errors.contains("its SHA-256 differs"), "\(command): \(ended.output)\(ended.errors)")
            }
            #expect(try await shop.ask("SELECT count(*) FROM t_a") == "2", "nothing was restored")

            let manifest = "\(shop.store)/\(id).json"
            let text = try String(contentsOf: URL(filePath: manifest), encoding: .utf8)
            try Data(text.replacing("\"full\"", with: "\"scoped\"").utf8).write(to: URL(filePath: manifest))
            let listed = try await shop.run("backup", "list")
            #expect(listed.status == 1 && listed.output.contains("is not signed with this system's key"), "\(listed.output)")
        }
    }

    @Test(arguments: BackedShop.Engine.allCases) func aFullDiskStopsTheMigrationBeforeAnythingIsLost(_ engine: BackedShop.Engine)
        async throws
    {
        try await BackedShop.with(engine) { shop in
            let many =
                engine == .postgres
                ? "INSERT INTO t_c SELECT n, md5(random()::text) || md5(random()::text) FROM generate_series(10, 5000) n"
                : "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
                    + "INSERT INTO t_c SELECT i, hex(randomblob(32)) FROM n"
            try await shop.ask(many)
            let rows = try await shop.ask("SELECT count(*) FROM t_c")
            try shop.pin("b")
            let digest = try #require(try await shop.json("plan")["approval"]?["digest"]?.string)
            // A limit on the size of files stands for a disk that is full: writing fails in the middle.
            let ended = try await shop.shell("ulimit -f 96; trap '' XFSZ; $reconcile --once --approve \(digest) -o json")
            #expect(ended.status == 1, "\(ended.output)\(ended.errors)")
            #expect(ended.output.contains("BackupFailed") && ended.output.contains("nothing was lost"), "\(ended.output)")
            #expect(try await shop.ask("SELECT count(*) FROM t_c") == rows)
            #expect(try shop.files().isEmpty, "nothing half written is left")
            let again = try await shop.run("--once", "--approve", digest)
            #expect(again.status == 0, "\(again.output)\(again.errors)")
            let scoped = try await shop.json("backup", "list")["backups"]?[0]
            #expect(scoped?["kind"]?.string == "scoped" && scoped?["beforeVersion"]?.string == "20240103000000_c")
        }
    }

    @Test func aRoleThatMayOnlyReadTakesBackupsToo() async throws {
        try await BackedShop.with(.postgres) { shop in
            try await shop.ask("GRANT pg_read_all_data TO guarded")
            let url = try await PostgresServer.shared.url(of: shop.name, user: "guarded", password: "s3cret-of-a-test")
            let ended = try await shop.run("backup", "create", more: ["DATABASE_URL": url])
            #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
            #expect(ended.errors.contains("this role may not write"))
            #expect(!ended.output.contains("s3cret") && !ended.errors.contains("s3cret"))
            let verified = try await shop.run("backup", "verify", more: ["DATABASE_URL": url])
            #expect(verified.status == 1 && verified.errors.contains("ALTER ROLE \"guarded\" CREATEDB"), "\(verified.errors)")
        }
    }

    /// What is said where the client programs are missing or too old.
    @Test(arguments: [
        (nil as String?, "there is no program pg_dump"), ("9.6.24", "pg_dump 9 cannot read a server of version"),
    ]) func clientProgramsAreNamedWithTheirPackage(_ version: String?, _ expected: String) async throws {
        try await BackedShop.with(.postgres) { shop in
            try FileManager.default.createDirectory(atPath: shop.place.path("bin"), withIntermediateDirectories: true)
            if let version {
                try shop.place.write("bin/pg_dump", "#!/bin/sh\necho 'pg_dump (PostgreSQL) \(version)'\n")
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: shop.place.path("bin/pg_dump"))
            }
            let ended = try await shop.run("backup", "create", more: ["BELAY_PG_BIN": shop.place.path("bin")])
            #expect(ended.status == 1 && ended.errors.contains(expected) && ended.errors.contains("apt-get install postgresql-client-"))
            #expect(try shop.files().isEmpty)
        }
    }

    @Test(arguments: BackedShop.Engine.allCases) func pruningKeepsTheNewestAndTheProved(_ engine: BackedShop.Engine) async throws {
        try await BackedShop.with(engine) { shop in
            let proved = try await shop.backUp()
            #expect(try await shop.run("backup", "verify", proved).status == 0)
            let superfluous = try await shop.backUp()
            let newest = try await shop.backUp()
            let asked = try await shop.run("backup", "prune", "--keep", "1")
            #expect(asked.status == 2 && asked.output.contains(superfluous) && !asked.output.contains(newest), "\(asked.output)")
            #expect(try await shop.run("backup", "prune", "--keep", "1", "--yes").status == 0)
            let left = try await shop.run("backup", "list").output
            #expect(left.contains(proved) && left.contains(newest) && !left.contains(superfluous), "\(left)")
            #expect(try await shop.run("backup", "prune", "--keep", "0").status == 64)
        }
    }
}
