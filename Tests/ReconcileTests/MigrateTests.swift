import FoundationEssentials
import JSONValues
import TestPrograms
import Testing

/// The schema's pin by count and by name, and the files it counts among.
@Suite struct MigrateTests {
    private static let spec = """
        apiVersion: belay.dev/v1alpha1
        kind: System
        metadata: {name: shop}
        spec:
          databases:
            main:
              sqlite: {path: shop.db}
              migrations: {path: migrations}
              schema: 003_carts   # the pin
        """ + "\n"

    /// A database at its pin, adopted.
    private struct Shop {
        let place: Place

        init(schema: String = "003_carts") async throws {
            place = try Place()
            for (name, table) in [("001_users", "users"), ("002_orders", "orders"), ("003_carts", "carts")] { try migration(name, table) }
            try write(schema)
            if schema != "none" {
                let adopted = try await reconcile("--once", "--adopt", "-f", "system.yaml")
                #expect(adopted.status == 0, "\(adopted.output)\(adopted.errors)")
            }
        }

        func migration(_ name: String, _ table: String) throws {
            try place.write(
                "migrations/\(name).sql",
                "-- migrate:up\nCREATE TABLE \(table) (id INTEGER);\nINSERT INTO \(table) VALUES (1);\n\n-- migrate:down\nDROP TABLE \(table);\n"
            )
        }

        func write(_ schema: String) throws { try place.write("system.yaml", MigrateTests.spec.replacing("003_carts", with: schema)) }

        var pin: String {
            get throws {
                let line = try #require(try place.read("system.yaml").split(separator: "\n").first { $0.contains("schema:") })
                return String(line.dropFirst("      schema: ".count).prefix { $0 != " " })
            }
        }

        func reconcile(_ arguments: String...) async throws -> BuiltProgram.Ended {
            try await BuiltProgram("reconcile").run(
                arguments, variables: ["XDG_STATE_HOME": place.path("state")], in: place.root)
        }

        func migrate(_ arguments: String...) async throws -> BuiltProgram.Ended {
            try await BuiltProgram("reconcile").run(
                ["migrate"] + arguments + ["-f", "system.yaml"], variables: ["XDG_STATE_HOME": place.path("state")],
                in: place.root)
        }
    }

    @Test(arguments: [
        ("one back", "003_carts", ["down"], "002_orders"), ("two back", "003_carts", ["down", "--count", "2"], "001_users"),
        ("as many as there are", "003_carts", ["down", "--count", "3"], "none"), ("all", "none", ["up"], "003_carts"),
        ("one ahead", "001_users", ["up", "--count", "1"], "002_orders"), ("two ahead", "001_users", ["up", "--count=2"], "003_carts"),
        ("to a name", "003_carts", ["to", "001_users"], "001_users"), ("to a number", "003_carts", ["to", "2"], "002_orders"),
        ("to nothing", "003_carts", ["to", "none"], "none"), ("nothing is ahead", "003_carts", ["up"], "003_carts"),
    ])
    func aCountBecomesAPinAndNothingIsDoneYet(_ why: String, _ schema: String, _ arguments: [String], _ pin: String) async throws {
        let shop = try await Shop(schema: schema)
        let ended = try await BuiltProgram("reconcile").run(
            ["migrate"] + arguments + ["-f", "system.yaml"], variables: ["XDG_STATE_HOME": shop.place.path("state")], in: shop.place.root)
        #expect(ended.status == 0, "\(why): \(ended.output)\(ended.errors)")
        #expect(try shop.pin == pin, "\(why)")
        #expect(try shop.place.read("system.yaml").contains("# the pin"), "the comment stays")
        let status = try JSON(parsing: try await shop.migrate("status", "-o", "json").output)
        let applied = status["items"]?[0]?["migrations"]?.elements.count {
            $0["state"]?.string == "applied" || $0["state"]?.string == "to take back"
        }
        #expect(applied == (schema == "none" ? 0 : schema == "001_users" ? 1 : 3), "\(why): only the file changed")
        try shop.place.remove()
    }

    @Test(arguments: [
        (["down", "--count", "0"], 64, "--count 0: say how many, from 1. To take all of them back: migrate to none."),
        (["down", "--count=-1"], 64, "--count -1: say how many, from 1"),
        (["up", "--count", "0"], 64, "--count 0: say how many, from 1. To apply all of them, leave --count out."),
        (["up", "--count", "-1"], 64, "--count -1: say how many, from 1"),
        (["down", "--count", "x"], 64, "'x' is invalid"),
        (["down", "--count", "4"], 1, "only 3 are applied, so that 4 cannot be taken back"),
        (["up", "--count", "2"], 1, "all that have a file are applied, so that nothing is ahead"),
        (["to", "004_none"], 1, "no migration is called 004_none"), (["to"], 64, "<version>"),
        (["down", "--dry-run", "--now"], 64, "say one of them"), (["down", "--approve", "0123456789ab"], 64, "--approve belongs to --now"),
        (["status", "--database", "mian"], 1, "no database is named mian; did you mean \"main\"?"),
    ])
    func aWrongCountIsAUsageErrorAndTheFileStays(_ arguments: [String], _ status: Int32, _ words: String) async throws {
        let shop = try await Shop()
        let ended = try await BuiltProgram("reconcile").run(
            ["migrate"] + arguments + ["-f", "system.yaml"], variables: ["XDG_STATE_HOME": shop.place.path("state")], in: shop.place.root)
        #expect(ended.status == status, "\(arguments): \(ended.output)\(ended.errors)")
        #expect(words.isEmpty || ended.errors.contains(words), "\(arguments): \(ended.errors)")
        #expect(try shop.pin == "003_carts")
        try shop.place.remove()
    }

    @Test(arguments: [["-o", "json"], ["--output=json"], ["-o=json"]]) func aUsageErrorIsToldInJSONAsWell(_ form: [String]) async throws {
        let place = try Place()
        let ended = try await BuiltProgram("reconcile").run(["migrate", "down", "--count", "0", "-f", "x.yaml"] + form, in: place.root)
        #expect(ended.status == 64)
        let answer = try JSON(parsing: ended.output)
        #expect(answer["kind"]?.string == "ErrorList" && answer["items"]?[0]?["reason"]?.string == "Usage")
        #expect(answer["items"]?[0]?["message"]?.string?.hasPrefix("--count 0: say how many, from 1") == true, "\(ended.output)")
        #expect(ended.errors.contains("Usage: reconcile migrate down"), "people are told how it is used")
        try place.remove()
    }

    @Test func whatIsAppliedIsNotAheadWhereverThePinIs() async throws {
        let shop = try await Shop()
        try shop.write("002_orders")
        let ended = try await shop.migrate("up", "--count", "1")
        #expect(ended.status == 1 && ended.errors.contains("nothing is ahead"), "\(ended.output)\(ended.errors)")
        #expect(ended.errors.contains("to pin the last one: reconcile migrate to 003_carts"), "\(ended.errors)")
        try FileManager.default.removeItem(atPath: shop.place.path("migrations/003_carts.sql"))
        #expect(try await shop.migrate("up").output.contains("the spec says 002_orders already") == false)
        #expect(try shop.pin == "002_orders", "never one without a file")
        try shop.place.remove()
    }

    @Test func aPinThatNamesNothingIsToldWithoutTheDatabase() async throws {
        let shop = try await Shop(schema: "none")
        try shop.write("004_none")
        let valid = try await shop.reconcile("validate", "-f", "system.yaml")
        #expect(valid.status == 0 && valid.errors.contains("note: database/main: no migration is called 004_none"), "\(valid.errors)")
        try shop.place.write("shop.db", String(repeating: "no database ", count: 100))
        let status = try await shop.migrate("status")
        #expect(status.status == 1 && status.output.contains("last applied unknown"), "\(status.output)\(status.errors)")
        #expect(status.output.contains("note: database/main: no migration is called 004_none"), "\(status.output)")
        #expect(status.output.contains("the file is no SQLite database"), "\(status.output)")
        try shop.place.remove()
    }

    @Test func healthAsksTheDataToo() async throws {
        let shop = try await Shop()
        let spec = try shop.place.read("system.yaml")
        for (expected, status) in [("1", Int32(0)), ("2", 1)] {
            try shop.place.write("system.yaml", spec + "      verify: [{sql: SELECT count(*) FROM users, expect: '\(expected)'}]\n")
            let health = try await shop.reconcile("health", "-f", "system.yaml", "-o", "json")
            #expect(health.status == status, "\(health.output)\(health.errors)")
            let entry = try JSON(parsing: health.output)["items"]?[0]?["entries"]?[0]
            #expect(entry?["database"] == "main" && entry?["checks"]?[0]?["passed"]?.bool == (status == 0), "\(health.output)")
        }
        try shop.place.remove()
    }

    @Test func nowGoesThereAtOnceWithTheSameApprovalsAsOnce() async throws {
        let shop = try await Shop()
        let refused = try await shop.migrate("down", "--count", "1", "--now")
        #expect(refused.status == 3, "a table would be lost: \(refused.output)\(refused.errors)")
        #expect(try shop.pin == "002_orders", "the pin is written all the same")
        let digest = try #require(
            refused.output.firstMatch(of: #/approve: \[([0-9a-f]{12})\]|--approve ([0-9a-f]{12})/#).map { $0.1 ?? $0.2 } ?? nil)
        let done = try await shop.migrate("to", "002_orders", "--now", "--approve", String(digest), "-o", "json")
        #expect(done.status == 0, "\(done.output)\(done.errors)")
        let report = try JSON(parsing: done.output)
        #expect(report["kind"]?.string == "MigrateReport" && report["change"]?["isChanged"]?.bool == false)
        let status = try await shop.migrate("status")
        #expect(status.output.contains("pinned 002_orders, last applied 002_orders"), "\(status.output)")
        let up = try await shop.migrate("up", "--now")
        #expect(up.status == 0, "\(up.output)\(up.errors)")
        #expect(try await shop.migrate("status").output.contains("pinned 003_carts, last applied 003_carts"))
        try shop.place.remove()
    }

    @Test func statusTellsEveryStateAPinCanLeaveAMigrationIn() async throws {
        let shop = try await Shop()
        try shop.migration("000_zeta", "zeta")
        try shop.migration("004_more", "more")
        try shop.place.write("migrations/001_users.sql", "-- migrate:up\nCREATE TABLE users (id INTEGER, name TEXT);\n\n-- migrate:down\n")
        try FileManager.default.removeItem(atPath: shop.place.path("migrations/003_carts.sql"))
        try shop.write("002_orders")
        let ended = try await shop.migrate("status", "-o", "json")
        #expect(ended.status == 0, "\(ended.output)\(ended.errors)")
        let list = try #require(try JSON(parsing: ended.output)["items"]?[0])
        let states = list["migrations"]?.elements.map { "\($0["version"]?.string ?? "") \($0["state"]?.string ?? "")" }
        #expect(states == ["000_zeta out of order", "001_users applied", "002_orders applied", "003_carts to take back", "004_more later"])
        #expect(list["migrations"]?[1]?["edited"]?.bool == true)
        #expect(list["migrations"]?[3]?["missing"]?.bool == true)
        #expect(list["migrations"]?[3]?["losses"]?.elements.isEmpty == false, "its way back is kept in the database")
        let text = try await shop.migrate("status")
        #expect(text.output.contains("1 applied") || text.output.contains("2 applied, 1 out of order, 1 to take back"), "\(text.output)")
        #expect(text.output.contains("its file is gone"), "\(text.output)")
        #expect(try await shop.migrate("status", "-o", "markdown").output.contains("| State | Migration | |"))
        try shop.place.remove()
    }

    @Test func newFollowsTheDirectorysOwnFormatAndNumbers() async throws {
        let shop = try await Shop(schema: "none")
        let ended = try await shop.migrate("new", "add_index")
        #expect(ended.status == 0 && ended.output == "migrations/004_add_index.sql\n", "\(ended.output)\(ended.errors)")
        #expect(try shop.place.read("migrations/004_add_index.sql").hasPrefix("-- migrate:up\n"))
        let wrong = try await shop.migrate("new", "add index")
        #expect(wrong.status == 1 && wrong.errors.contains("use letters, digits, _ and -"), "\(wrong.errors)")
        try shop.place.write("system.yaml", Self.spec.replacing("{path: migrations}", with: "{path: db/new, format: golang-migrate}"))
        let empty = try await shop.migrate("new", "first", "-o", "json")
        let files = try JSON(parsing: empty.output)["files"]?.elements.compactMap(\.string) ?? []
        #expect(files.count == 2 && files.allSatisfy { FileManager.default.fileExists(atPath: shop.place.path($0)) }, "\(empty.output)")
        try shop.place.remove()
    }

    @Test func verifyFindsWhatIsWrongWithTheFiles() async throws {
        let shop = try await Shop(schema: "none")
        let clean = try await shop.migrate("verify")
        #expect(clean.status == 0, "\(clean.output)\(clean.errors)")
        #expect(clean.output.contains("3 migrations (dbmate, lexical order): 0 errors, 0 warnings"), "\(clean.output)")
        #expect(clean.output.contains("003_carts down loses table carts"), "\(clean.output)")
        try shop.write("009_none")
        try shop.place.write("migrations/004_bare.sql", "-- migrate:up\nCREATE TABLE bare (id INTEGER);\nVACUUM;\n\n-- migrate:down\n")
        let wrong = try await shop.migrate("verify")
        #expect(wrong.status == 1)
        #expect(wrong.output.contains("the pin: no migration is called 009_none"), "\(wrong.output)")
        #expect(
            wrong.output.contains("migrations/004_bare.sql:3:1: VACUUM") && wrong.output.contains("cannot run inside a transaction"),
            "\(wrong.output)")
        #expect(wrong.output.contains("warning: migrations/004_bare.sql: it has no way back"), "\(wrong.output)")
        try shop.place.write("migrations/005_torn.sql", "-- migrate:up\nSELECT 'never closed;\n\n-- migrate:down\n")
        let torn = try await shop.migrate("verify", "-o", "json")
        #expect(torn.status == 1)
        let errors = try JSON(parsing: torn.output)["errors"]?.elements ?? []
        #expect(errors.contains { $0["path"]?.string == "005_torn.sql" && $0["line"]?.integer == 2 }, "\(torn.output)")
        try shop.place.remove()
    }
}
