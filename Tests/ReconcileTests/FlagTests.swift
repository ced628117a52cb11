import JSONValues
import SandboxServer
import TestPrograms
import Testing

/// Flags that go with a system, as its user sees them, in each of the stores.
@Suite struct FlagTests {
    private static let guarded = "known: true, checkout: {enabled: true, guard: {component: api, release: '>=v2'}}"

    /// The steps of a run that did something, as `disable/flags`.
    private func steps(_ ended: BuiltProgram.Ended) throws -> [String] {
        try JSON(parsing: ended.output)["items"]?[0]?["steps"]?.elements.compactMap { step in
            let id = step["id"]?.string ?? ""
            return id.hasSuffix("/flags") || id.hasSuffix("component/api") && !id.hasPrefix("preflight") ? id : nil
        } ?? []
    }

    @Test(arguments: FlagPlace.Kind.here) func theyGoOffFirstAndOnLast(kind: FlagPlace.Kind) async throws {
        try await SandboxedSystem.with(world: FlagPlace.world) { system in
            let flags = try await FlagPlace(kind, system)
            let variables = try await flags.variables
            try await system.commit(more: flags.spec(Self.guarded))
            let refused = try await system.reconcile("--once", "-f", system.specs, variables: variables)
            #expect(refused.status == 3 && refused.output.contains("--adopt"), "\(refused.output)\(refused.errors)")
            let adopted = try await system.reconcile("--once", "-f", system.specs, "--adopt", variables: variables)
            #expect(adopted.status == 0, "\(adopted.output)\(adopted.errors)")
            #expect(try await flags.shown("checkout") == "on")

            let writes = system.writes.count
            let again = try await system.reconcile("--once", "-f", system.specs, variables: variables)
            #expect(again.status == 0 && again.output.contains("in sync, nothing to do"), "\(again.output)\(again.errors)")
            #expect(system.writes.count == writes, "a second run writes nothing")

            try await system.commit(api: "v1", more: flags.spec(Self.guarded))
            let plan = try await system.reconcile("plan", "-f", system.specs, variables: variables)
            #expect(
                plan.output.contains("checkout: from on to off: api is pinned to v1 (revision 1), and it needs v2 or later"),
                "\(plan.output)")
            let back = try await system.reconcile("--once", "-f", system.specs, "-o", "json", variables: variables)
            #expect(back.status == 0, "\(back.output)\(back.errors)")
            #expect(try steps(back) == ["disable/flags", "retreat/component/api"])
            #expect(try await flags.shown("checkout") == "off")
            #expect(try await flags.shown("known") == "on")

            try await system.commit(more: flags.spec(Self.guarded))
            let forward = try await system.reconcile("--once", "-f", system.specs, "-o", "json", variables: variables)
            #expect(forward.status == 0, "\(forward.output)\(forward.errors)")
            #expect(try steps(forward) == ["advance/component/api", "enable/flags"])
            #expect(try await flags.shown("checkout") == "on")
        }
    }

    @Test(arguments: FlagPlace.Kind.here) func aKillByHandStaysUntilACommitClearsIt(kind: FlagPlace.Kind) async throws {
        try await SandboxedSystem.with(world: FlagPlace.world) { system in
            let flags = try await FlagPlace(kind, system)
            let variables = try await flags.variables
            try await system.commit(more: flags.spec("known: true"))
            let adopted = try await system.reconcile("--once", "-f", system.specs, "--adopt", variables: variables)
            #expect(adopted.status == 0, "\(adopted.output)\(adopted.errors)")
            try await flags.switchOff("known")

            let once = try await system.reconcile("--once", "-f", system.specs, variables: variables)
            #expect(once.status == 0 && once.output.contains("flag/known: off instead of on"), "\(once.output)\(once.errors)")
            #expect(try await flags.shown("known") == "off")
            let status = try await system.reconcile("status", "-f", system.specs, "-o", "json", variables: variables)
            let flag = try JSON(parsing: status.output)["items"]?[0]?["flags"]?[0]
            #expect(flag?["state"] == "KilledOutOfBand" && flag?["desired"] == "off" && flag?["pinned"] == "on", "\(status.output)")
            let text = try await system.reconcile("status", "-f", system.specs, variables: variables)
            #expect(text.output.contains("known  on      off  killed by hand"), "\(text.output)")

            try await system.commit(more: flags.spec("known: {enabled: true, kill: false}"))
            let cleared = try await system.reconcile("--once", "-f", system.specs, variables: variables)
            #expect(cleared.status == 0, "\(cleared.output)\(cleared.errors)")
            #expect(try await flags.shown("known") == "on")

            try await system.commit(more: flags.spec("known: {enabled: true, kill: true}"))
            #expect(try await system.reconcile("--once", "-f", system.specs, variables: variables).status == 0)
            #expect(try await flags.shown("known") == "off", "killed by the spec")
        }
    }

    @Test func aStoreThatCannotBeReachedHoldsBackNothingElse() async throws {
        try await SandboxedSystem.with(world: FlagPlace.world) { system in
            let flags = try await FlagPlace(.flagd, system)
            try await system.commit(more: flags.spec("known: true"))
            #expect(try await system.reconcile("--once", "-f", system.specs, "--adopt").status == 0)
            try system.place.write("flags.json", "{")
            try await system.commit(api: "v2", more: flags.spec("known: true"))
            let once = try await system.reconcile("--once", "-f", system.specs, "-o", "json")
            #expect(once.status == 1, "\(once.output)\(once.errors)")
            #expect(try steps(once) == ["retreat/component/api"])
            let status = try await system.reconcile("status", "-f", system.specs)
            #expect(status.status == 1 && status.output.contains("flagd/"), "\(status.output)")
            try system.place.write("flags.json", FlagPlace.definition)
            #expect(try await system.reconcile("--once", "-f", system.specs).status == 0)
        }
    }

    @Test func twoSystemsCannotHaveTheSameFlag() async throws {
        let place = try Place()
        func spec(_ name: String, _ component: String, _ store: String, _ flag: String) -> String {
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: \(name)}
            spec:
              components:
                \(component): {fly: {app: \(component)}, release: v1}
              databases:
                db-\(name): {sqlite: {path: \(store.hasPrefix("sql") ? "app" : name).db}, migrations: {path: m}, schema: none}
              flags:
                store: {\(store)}
                values:
                  \(flag): true

            """
        }
        try place.write("a.yaml", spec("a", "api", "flagd: {file: flags.json}", "known"))
        try place.write("b.yaml", spec("b", "web", "flagd: {file: ./flags.json}", "known"))
        let same = try await BuiltProgram("reconcile").run(["validate", "-f", place.root])
        #expect(same.status == 1)
        #expect(same.output.contains("known of flagd/\(place.root)/flags.json belongs to default/a already"), "\(same.output)")
        try place.write("b.yaml", spec("b", "web", "flagd: {file: flags.json}", "other"))
        #expect(try await BuiltProgram("reconcile").run(["validate", "-f", place.root]).status == 0, "another flag of it is nobody's")
        try place.write("a.yaml", spec("a", "api", "sql: {database: db-a}", "known"))
        try place.write("b.yaml", spec("b", "web", "sql: {database: db-b}", "known"))
        let table = try await BuiltProgram("reconcile").run(["validate", "-f", place.root])
        #expect(table.status == 1 && table.output.contains("belongs to default/a already"), "one file under two names: \(table.output)")
        try place.write("b.yaml", spec("b", "web", "sql: {database: nine}", "known"))
        let missing = try await BuiltProgram("reconcile").run(["validate", "-f", place.path("b.yaml")])
        #expect(missing.status == 1 && missing.output.contains("there is no database \"nine\""), "\(missing.output)")
        try place.write(
            "b.yaml",
            spec("b", "web", "sql: {database: db-b}", "known").replacing("known: true", with: "known: {enabled: true, variant: blue}"))
        let variant = try await BuiltProgram("reconcile").run(["validate", "-f", place.path("b.yaml")])
        #expect(
            variant.status == 1 && variant.output.contains("known names a variant, and the store sql knows only on and off"),
            "\(variant.output)")
        try place.remove()
    }
}
