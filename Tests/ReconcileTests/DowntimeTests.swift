import FoundationEssentials
import JSONValues
import SandboxServer
import TestPrograms
import Testing

/// A back end of which no release tolerates the other's schema, as its user sees it: a SQLite database and a simulated cluster.
@Suite struct DowntimeTests {
    static func spec(api: String, schema: String, downtime: String?) -> String {
        let window = api == "v2" ? "<=001_create_orders" : ">=002_rename_total"
        return """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata:
              name: shop
            spec:
              components:
                api:
                  kubernetes: {namespace: prod, deployment: backend, container: api}
                  release: \(api)
                  after: [main]
                  requires: {main: "\(window)"}
              databases:
                main:
                  sqlite: {path: ../shop.db}
                  migrations: {path: migrations}
                  schema: \(schema)
            \(downtime.map { "      downtime: \($0)" } ?? "")
            """
    }

    private static func commit(_ system: SandboxedSystem, _ api: String, _ schema: String, _ downtime: String?) async throws {
        try system.place.write("specs/system.yaml", spec(api: api, schema: schema, downtime: downtime))
        try system.place.write(
            "specs/migrations/001_create_orders.sql",
            "-- migrate:up\nCREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER NOT NULL);\n\n-- migrate:down\nDROP TABLE orders;\n")
        try system.place.write(
            "specs/migrations/002_rename_total.sql",
            "-- migrate:up\n-- phase: expand\nALTER TABLE orders RENAME COLUMN total TO cents;\n\n"
                + "-- migrate:down\nALTER TABLE orders RENAME COLUMN cents TO total;\n")
        _ = try await system.place.commit("api \(api), schema \(schema), downtime \(downtime ?? "unsaid")")
    }

    /// v3 is live in the world; the system begins with v2 at 001, and its window is recorded with it.
    private static func begin(_ system: SandboxedSystem) async throws {
        try await commit(system, "v2", "001_create_orders", nil)
        let first = try await system.reconcile("--once", "-f", system.specs, "--adopt")
        #expect(first.status == 0, "\(first.output)\(first.errors)")
    }

    private static func backend(_ system: SandboxedSystem) async throws -> (image: String?, replicas: Int?, annotation: String?) {
        let address = try #require(system.sandbox.server.urls["kubernetes"])
        let world = try await BuiltProgram(onSearchPath: "curl").run(["-sS", "--noproxy", "*", "\(address)/_sandbox/world"]).output
        let deployment = try JSON(parsing: world)["kubernetes"]?["objects"]?.elements.first { $0["kind"]?.string == "Deployment" }
        return (
            deployment?["spec"]?["template"]?["spec"]?["containers"]?[0]?["image"]?.string, deployment?["spec"]?["replicas"]?.integer,
            deployment?["metadata"]?["annotations"]?["belay.dev/stopped"]?.string
        )
    }

    @Test func withoutDowntimeItIsRefusedAndWithItStoppedMigratedAndStartedAndBack() async throws {
        try await SandboxedSystem.with { system in
            try await Self.begin(system)
            let count = system.writes.count
            for downtime in [nil, "refused"] {
                try await Self.commit(system, "v3", "002_rename_total", downtime)
                for command in [["plan"], ["--once"]] {
                    let refused = try await system.reconcile(command + ["-f", system.specs])
                    #expect(refused.status == 3, "\(refused.output)\(refused.errors)")
                    #expect(refused.output.contains("there is no valid order: v2"), "\(refused.output)")
                    #expect(refused.output.contains("002_rename_total"), "\(refused.output)")
                    #expect(
                        refused.output.contains("pin an intermediate release that tolerates both, or set downtime: allowed for main"),
                        "\(refused.output)")
                }
            }
            #expect(system.writes.count == count)

            try await Self.commit(system, "v3", "002_rename_total", "allowed")
            let plan = try await system.reconcile("plan", "-f", system.specs)
            #expect(plan.status == 2, "\(plan.output)\(plan.errors)")
            #expect(plan.output.contains("api: stop until the schema has moved (scale from 2 replicas to 0)"), "\(plan.output)")
            #expect(plan.output.contains("downtime"), "\(plan.output)")
            let once = try await system.reconcile("--once", "-f", system.specs)
            #expect(once.status == 0, "\(once.output)\(once.errors)")
            let forward = try await Self.backend(system)
            #expect(forward.image == "registry.example.com/shop:v3")
            #expect(forward.replicas == 2)
            #expect(forward.annotation == nil)
            #expect(system.writes.count == count + 2, "one to stop it, one to bring the release and the replicas")

            try await Self.commit(system, "v2", "001_create_orders", "allowed")
            let back = try await system.reconcile("--once", "-f", system.specs)
            #expect(back.status == 0, "\(back.output)\(back.errors)")
            let after = try await Self.backend(system)
            #expect(after.image == "registry.example.com/shop:v2")
            #expect(after.replicas == 2)
            #expect(try await system.reconcile("plan", "-f", system.specs).status == 0)
        }
    }

    /// The schema cannot move, because its migration fails: the back end is left stopped, and what is pinned next brings it back.
    @Test func whatAFailedPassLeavesStoppedIsToldAndBroughtBackByTheNext() async throws {
        for (pin, schema, image) in [
            ("v3", "002_rename_total", "registry.example.com/shop:v3"), ("v2", "001_create_orders", "registry.example.com/shop:v2"),
        ] {
            try await SandboxedSystem.with { system in
                try await Self.begin(system)
                try await Self.commit(system, "v3", "002_rename_total", "allowed")
                try system.place.write(
                    "specs/migrations/002_rename_total.sql",
                    "-- migrate:up\n-- phase: expand\nALTER TABLE orders RENAME COLUMN missing TO cents;\n\n"
                        + "-- migrate:down\nALTER TABLE orders RENAME COLUMN cents TO total;\n")
                _ = try await system.place.commit("a migration that fails")
                let failed = try await system.reconcile("--once", "-f", system.specs)
                #expect(failed.status == 1, "\(failed.output)\(failed.errors)")
                let left = try await Self.backend(system)
                #expect(left.replicas == 0)
                #expect(left.annotation == "2")
                let status = try await system.reconcile("status", "-f", system.specs)
                #expect(status.output.contains("out of sync"), "\(status.output)")
                #expect(status.output.contains("stopped by Belay"), "\(status.output)")

                try await Self.commit(system, pin, schema, "allowed")
                let next = try await system.reconcile("--once", "-f", system.specs)
                #expect(next.status == 0, "\(next.output)\(next.errors)")
                let after = try await Self.backend(system)
                #expect(after.image == image)
                #expect(after.replicas == 2)
                #expect(after.annotation == nil)
            }
        }
    }

    /// Killed at moments spread over the whole way, so also while the back end is stopped: the next pass goes on.
    @Test(arguments: [0.15, 0.3, 0.45, 0.6, 0.9]) func killedOnTheWayTheNextPassGoesOn(after seconds: Double) async throws {
        try await SandboxedSystem.with { system in
            try await Self.begin(system)
            try await Self.commit(system, "v3", "002_rename_total", "allowed")
            try await system.reconcile(killedAfter: seconds, "--once", "-f", system.specs)
            let next = try await system.reconcile("--once", "-f", system.specs)
            #expect(next.status == 0, "\(next.output)\(next.errors)")
            let after = try await Self.backend(system)
            #expect(after.image == "registry.example.com/shop:v3")
            #expect(after.replicas == 2)
            #expect(after.annotation == nil)
        }
    }
}
