import JSONValues
import TestPrograms
import Testing

/// Flyway's repeatable migrations through the program.
@Suite struct RepeatableTests {
    private struct Shop {
        let place: Place

        init() throws {
            place = try Place()
            try place.write(
                "system.yaml",
                """
                apiVersion: belay.dev/v1alpha1
                kind: System
                metadata: {name: shop}
                spec:
                  databases:
                    main:
                      sqlite: {path: shop.db}
                      migrations: {path: migrations}
                      schema: V1__orders
                """ + "\n")
            try place.write("migrations/V1__orders.sql", "CREATE TABLE orders (id INTEGER, total INTEGER);\n")
            try place.write("migrations/U1__orders.sql", "DROP TABLE orders;\n")
            try view(above: 100)
        }

        func view(above total: Int) throws {
            try place.write(
                "migrations/R__big_orders.sql",
                "DROP VIEW IF EXISTS big_orders;\nCREATE VIEW big_orders AS SELECT id FROM orders WHERE total > \(total);\n")
        }

        func reconcile(_ arguments: String...) async throws -> BuiltProgram.Ended {
            try await BuiltProgram("reconcile").run(
                arguments + ["-f", "system.yaml"], variables: ["XDG_STATE_HOME": place.path("state")], in: place.root)
        }

        func ask(_ sql: String) async throws -> String {
            try await BuiltProgram(onSearchPath: "sqlite3").run([place.path("shop.db"), sql]).output
        }
    }

    @Test func aChangedOneIsToldPlannedAndRun() async throws {
        let shop = try Shop()
        let adopted = try await shop.reconcile("--once", "--adopt")
        #expect(adopted.status == 0, "\(adopted.output)\(adopted.errors)")
        #expect(try await shop.ask("SELECT version, script FROM flyway_schema_history") == "1|V1__orders.sql\n|R__big_orders.sql\n")
        #expect(try await shop.reconcile("plan").status == 0)

        try shop.view(above: 500)
        let plan = try await shop.reconcile("plan")
        #expect(plan.status == 2 && plan.output.contains("main: run R__big_orders again"), "\(plan.output)\(plan.errors)")
        let status = try await shop.reconcile("status")
        #expect(status.output.contains("last applied V1__orders: out of sync"), "\(status.output)")
        #expect(status.output.contains("repeatable: changed: R__big_orders"), "\(status.output)")
        #expect(status.output.contains("not at its pin: database/main"), "\(status.output)")
        let json = try JSON(parsing: try await shop.reconcile("migrate", "status", "-o", "json").output)
        let entry = json["items"]?[0]?["migrations"]?[1]
        #expect(entry?["version"]?.string == "R__big_orders" && entry?["state"]?.string == "changed")
        #expect(entry?["repeatable"]?.bool == true && entry?["irreversible"]?.bool == false)
        #expect(json["items"]?[0]?["rollbackDepth"] == .integer(1), "it stands in nobody's way back")

        let once = try await shop.reconcile("--once")
        #expect(once.status == 0, "\(once.output)\(once.errors)")
        #expect(try await shop.ask("SELECT sql FROM sqlite_master WHERE name = 'big_orders'").contains("500"))
        #expect(try await shop.ask("SELECT count(*) FROM flyway_schema_history WHERE version IS NULL AND success") == "2\n")
        let after = try await shop.reconcile("status")
        #expect(after.status == 0 && after.output.contains("last applied V1__orders: in sync"), "\(after.output)")
        #expect(!after.output.contains("repeatable"), "\(after.output)")
        let list = try await shop.reconcile("migrate", "status")
        #expect(list.output.contains("2 applied") && list.output.contains("repeatable"), "\(list.output)")
        try shop.place.remove()
    }

    @Test func verifyReadsThemAndRefusesTwoOfOneDescription() async throws {
        let shop = try Shop()
        let good = try await shop.reconcile("migrate", "verify")
        #expect(good.status == 0 && good.output.contains("2 migrations, 1 of them repeatable, (flyway"), "\(good.output)\(good.errors)")
        try shop.place.write("migrations/more/R__big orders.sql", "SELECT 1;\n")
        let double = try await shop.reconcile("migrate", "verify")
        #expect(double.status == 1 && double.output.contains("a repeatable migration is known by nothing else"), "\(double.output)")
        try shop.place.remove()
    }
}
