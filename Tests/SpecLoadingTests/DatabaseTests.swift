import Model
import SpecFields
import SpecLoading
import Testing

@Suite struct DatabaseTests {
    private static func load(_ databases: String) -> LoadResult {
        let text = "apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec:\n  databases:\n    main: \(databases)\n"
        return SpecLoader(targets: targets).load([SourceFile(name: "specs/s.yaml", bytes: Array(text.utf8))])
    }

    @Test func aDatabaseBelongsToOneSystemOnly() {
        func text(_ name: String, _ database: String) -> SourceFile {
            let entry = "{postgres: {url: {fromEnv: URL}}, migrations: {path: m}, schema: a}"
            let text =
                "apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata: {name: \(name)}\nspec:\n  databases:\n    \(database): \(entry)\n"
            return SourceFile(name: "\(name).yaml", bytes: Array(text.utf8))
        }
        let lines = SpecLoader(targets: targets).load([text("one", "main"), text("two", "same")]).diagnostics.map(\.description)
        #expect(
            lines == ["two.yaml:6:5: spec.databases.same: the same database is main of default/one already, at one.yaml:6:5"], "\(lines)")
    }

    @Test func aSystemMayBeADatabaseAlone() throws {
        let result = Self.load(
            "{sqlite: {path: shop.db}, migrations: {path: ../db, outOfOrder: apply, onMissing: git, backup: none, revert: [a]}, schema: 3, verify: [{sql: SELECT 1, expect: 1}]}"
        )
        #expect(result.diagnostics.isEmpty, "\(result.diagnostics)")
        let database = try #require(result.systems.first?.databases.first)
        #expect(database.connection == .sqlite("specs/shop.db"))
        #expect(database.migrations.path == "specs/../db")
        #expect(database.migrations.outOfOrder == .apply)
        #expect(database.migrations.onMissing == .git)
        #expect(database.migrations.backup == .none)
        #expect(database.migrations.revert == ["a"])
        #expect(database.schema == "3")
        #expect(!database.allowsDowntime, "an outage has to be asked for")
        #expect(database.checks == [DataCheck(sql: "SELECT 1", expect: "1")])
    }

    @Test(arguments: [("allowed", true), ("refused", false)]) func downtimeIsAllowedWhereItIsSaid(_ word: String, _ isAllowed: Bool) {
        let result = Self.load("{sqlite: {path: x}, migrations: {path: m}, schema: a, downtime: \(word)}")
        #expect(result.diagnostics.isEmpty, "\(result.diagnostics)")
        #expect(result.systems.first?.databases.first?.allowsDowntime == isAllowed)
    }

    @Test(arguments: [
        ("{migrations: {path: m}, schema: a}", "does not name an engine; add one of postgres, sqlite"),
        ("{sqlite: {path: x}, schema: a}", "spec.databases.main.migrations: is required"),
        ("{postgres: {url: \"postgres://u:secret@h/d\"}, migrations: {path: m}, schema: a}", "secrets never stand in a spec"),
        ("{sqlite: {path: x}, migrations: {path: m, format: rails}, schema: a}", "expected one of runbook, dbmate"),
        (
            "{sqlite: {path: x}, migrations: {path: m, verify: loud}, schema: a}",
            "expected one of off, warn, strict"
        ),
        (
            "{sqlite: {path: x}, migrations: {path: m}, schema: a, downtime: maybe}",
            "spec.databases.main.downtime: expected one of refused, allowed"
        ),
        ("{sqlite: {path: x}, migrations: {path: m}, schema: a, downtime: true}", "spec.databases.main.downtime: expected"),
    ]) func aMistakeInADatabaseIsTold(_ text: String, _ expected: String) {
        let lines = Self.load(text).diagnostics.map(\.description)
        #expect(lines.contains { $0.contains(expected) }, "\(lines)")
        #expect(!lines.contains { $0.contains("secret@") })
    }

    @Test(
        arguments: [
            ("{main: '>=1 <=2'}", nil), ("{other: '>=1'}", "there is no database \"other\""),
            ("{main: '>a <b'}", "expected a window such as"),
        ] as [(String, String?)]) func aWindowNamesADatabaseAndItsBounds(_ window: String, _ expected: String?)
    {
        let text =
            "apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec:\n  components:\n"
            + "    web: {ship: {project: x}, release: v1, after: [main], requires: \(window)}\n  databases:\n"
            + "    main: {sqlite: {path: x}, migrations: {path: m}, schema: a}\n"
        let result = SpecLoader(targets: targets).load([SourceFile(name: "s.yaml", bytes: Array(text.utf8))])
        let lines = result.diagnostics.map(\.description)
        if let expected {
            #expect(lines.count == 1 && lines[0].contains(expected), "\(lines)")
        } else {
            #expect(lines.isEmpty, "\(lines)")
            #expect(result.systems.first?.components.first?.requires == ["main": VersionWindow(lowest: "1", highest: "2")])
            #expect(result.systems.first?.components.first?.after == [.database("main")])
        }
    }

    @Test(
        arguments: [
            ("{database: main}", .database("main"), []),
            ("{directory: ../state}", .directory("specs/../state"), []),
            ("{directory: /state}", .directory("/state"), []),
            ("{cluster: {}}", .cluster(namespace: nil, context: nil), []),
            ("{cluster: {namespace: ops, context: prod}}", .cluster(namespace: "ops", context: "prod"), []),
            (
                "{cluster: {namespace: Ops}}", nil,
                [
                    "specs/s.yaml:5:32: spec.state.cluster.namespace: expected lower-case letters, digits and '-', at most 63"
                ]
            ),
            ("{}", nil, ["specs/s.yaml:5:10: spec.state: does not name a place; add one of directory, database, cluster"]),
            (
                "{directory: a, database: main}", nil,
                ["specs/s.yaml:5:25: spec.state: names a place twice: directory at line 5, and database; keep one"]
            ),
            (
                "{database: mian}", .database("mian"),
                ["specs/s.yaml:5:21: spec.state.database: there is no database \"mian\"; did you mean \"main\"?"]
            ),
            (
                "{configMap: x}", nil,
                [
                    "specs/s.yaml:5:10: spec.state: does not name a place; add one of directory, database, cluster",
                    "specs/s.yaml:5:11: spec.state: unknown field \"configMap\"; known are directory, database, cluster",
                ]
            ),
        ] as [(String, StatePlace?, [String])]) func theStateHasOnePlace(_ state: String, _ place: StatePlace?, _ expected: [String])
    {
        let text =
            "apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec:\n  state: \(state)\n  databases:\n"
            + "    main: {sqlite: {path: x}, migrations: {path: m}, schema: a}\n"
        let result = SpecLoader(targets: targets).load([SourceFile(name: "specs/s.yaml", bytes: Array(text.utf8))])
        #expect(result.diagnostics.map(\.description) == expected)
        #expect(place == nil || result.systems.first?.statePlace == place)
    }
}
