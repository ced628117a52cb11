import Model
import SpecFields
import SpecLoading
import Testing

@Suite struct DatabaseTests {
    private static func load(_ databases: String) -> LoadResult {
        let text = "apiVersion: belay.dev/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec:\n  databases:\n    main: \(databases)\n"
        return SpecLoader(targets: targets).load([SourceFile(name: "specs/s.yaml", bytes: Array(text.utf8))])
    }

    @Test func aSystemMayBeADatabaseAlone() throws {
        let result = Self.load(
            "{sqlite: {path: shop.db}, migrations: {path: ../db, outOfOrder: apply, backup: none, revert: [a]}, schema: 3, verify: [{sql: SELECT 1, expect: 1}]}"
        )
        #expect(result.diagnostics.isEmpty, "\(result.diagnostics)")
        let database = try #require(result.systems.first?.databases.first)
        #expect(database.connection == .sqlite("specs/shop.db"))
        #expect(database.migrations.path == "specs/../db")
        #expect(database.migrations.outOfOrder == .apply)
        #expect(database.migrations.backup == .none)
        #expect(database.migrations.revert == ["a"])
        #expect(database.schema == "3")
        #expect(database.checks == [DataCheck(sql: "SELECT 1", expect: "1")])
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
        ("{sqlite: {path: x}, migrations: {path: m}, schema: a, downtime: allowed}", "unknown field \"downtime\": not supported yet"),
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
}
