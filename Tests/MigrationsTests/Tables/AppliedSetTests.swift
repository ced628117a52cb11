import MigrationFiles
import Model
import SQL
import SQLParsing
import Testing

@testable import Migrations

struct AppliedSetTests {
    private func read(
        _ kind: TableKind, _ rows: [[String?]], files: [(String, String)] = [], archive: [ArchiveRow] = []
    ) throws -> AppliedSet {
        let format = try #require(MigrationFormat.allCases.first { TableKind($0) == kind })
        var fixture = SchemaFixture(files, format: format, pin: "none")
        fixture.settings.order = kind == .flyway ? nil : "numeric"
        let directory = try fixture.directory(.sqlite)
        let table = AdoptedTable(kind: kind, name: "\"t\"", engine: .sqlite)
        let padded = rows.map { $0 + Array(repeating: nil, count: 4 - $0.count) }
        return table.read(SQLRows(rows: padded), files: directory.migrations, archive: archive, database: .database("main"))
    }

    private func goose(_ names: String...) -> [(String, String)] { names.map { ("\($0).sql", "-- +goose Up\nSELECT 1;\n") } }

    @Test func theLatestRowOfAVersionCountsForGoose() throws {
        let set = try read(
            .goose, [["0", "1"], ["1", "1"], ["2", "1"], ["2", "0"], ["3", "1"], ["1", "0"], ["1", "1"]], files: goose("1_a", "2_b", "3_c"))
        #expect(set.applied.map(\.entry.stem) == ["3_c", "1_a"])
    }

    @Test func theLastRankOfAVersionCountsForFlyway() throws {
        let files = ["V1__a.sql", "V2__b.sql", "V3__c.sql"].map { ($0, "SELECT 1;") }
        let set = try read(
            .flyway,
            [
                ["1", "1", nil, "SQL"], ["2", "1", nil, "SQL"], [nil, "1", nil, "SQL"], ["2", "1", nil, "UNDO_SQL"],
                ["3", "0", nil, "SQL"],
                ["3", "1", nil, "SQL"],
            ], files: files)
        #expect(set.applied.map(\.entry.stem) == ["V1__a", "V3__c"])
        #expect(set.problems.isEmpty)
    }

    @Test func flywaysBaselineCoversWhatStandsBelowIt() throws {
        let files = ["V1__a.sql", "V1_2__b.sql", "V2__c.sql", "V10__d.sql"].map { ($0, "SELECT 1;") }
        let set = try read(.flyway, [["2", "1", nil, "BASELINE"]], files: files)
        #expect(set.applied.map(\.entry.stem) == ["V1__a", "V1_2__b", "V2__c"])
        #expect(set.applied.map(\.isPresumed) == [true, true, false])
    }

    @Test func aHighWaterMarkIsExpandedAndPresumed() throws {
        let files = ["1_a", "2_b", "10_c", "11_d"].map { ("\($0).up.sql", "SELECT 1;") }
        let set = try read(.golangMigrate, [["10", "0"]], files: files, archive: [SchemaFixture.row("2_b", sequence: 1)])
        #expect(set.applied.map(\.entry.stem) == ["1_a", "2_b", "10_c"])
        #expect(set.applied.map(\.isPresumed) == [true, false, false])
    }

    @Test(
        arguments: [
            (TableKind.golangMigrate, [["2", "1"]]), (.sqlx, [["1", "1"], ["2", "0"]]),
            (.flyway, [["1", "1", nil, "SQL"], ["2", "0", nil, "SQL"]]),
        ] as [(TableKind, [[String?]])]) func whatWasInterruptedIsDirty(_ kind: TableKind, _ rows: [[String?]]) throws
    {
        let problem = try #require(try read(kind, rows).problems.first)
        #expect(problem.reason == "DirtyDatabase")
        #expect(problem.message == "database/main: \"t\" says that migration 2 was interrupted half-way")
    }

    @Test(
        arguments: [
            (TableKind.dbmate, [["latest"]]), (.sqlMigrate, [["no file name"]]), (.flyway, [["one", "1", nil, "SQL"]]),
            (.golangMigrate, [["1", "0"], ["2", "0"]]),
        ] as [(TableKind, [[String?]])]) func aRowThatIsNoVersionIsForeign(_ kind: TableKind, _ rows: [[String?]]) throws
    {
        #expect(try read(kind, rows).problems.map(\.reason) == ["ForeignRecord"])
    }

    @Test func aVersionWithoutItsFileIsNamedByWhatIsKnownOfIt() throws {
        #expect(
            try read(.dbmate, [["1"], ["2"]], archive: [SchemaFixture.row("2_b", sequence: 7)]).applied.map(\.entry.stem) == ["1", "2_b"])
        #expect(try read(.runbook, [["20240101000000", "add users"]]).applied.map(\.entry.stem) == ["20240101000000_add users"])
        #expect(try read(.sqlMigrate, [["3_c.sql"]]).applied.map(\.entry.stem) == ["3_c"])
    }

    @Test func theArchivesOrderIsTheOrderOfApplication() throws {
        let archive = [SchemaFixture.row("3_c", sequence: 1), SchemaFixture.row("2_b", sequence: 2)]
        let set = try read(.goose, [["1", "1"], ["2", "1"], ["3", "1"]], files: goose("1_a", "2_b", "3_c"), archive: archive)
        #expect(set.applied.map(\.entry.stem) == ["1_a", "3_c", "2_b"])
    }
}
