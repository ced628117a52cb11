import FoundationEssentials
import SQLParsing
import Testing

@testable import MigrationFiles

struct NewMigrationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var format: MigrationFormat
        var existing: [String]
        var paths: [String]
        var why: String
        var testDescription: String { "\(format.rawValue): \(why)" }
    }

    static let cases = [
        Case(format: .dbmate, existing: [], paths: ["20240611093000_n.sql"], why: "an empty directory gets 14 digits"),
        Case(format: .dbmate, existing: ["20240101_a.sql"], paths: ["20240611_n.sql"], why: "days stay days"),
        Case(format: .dbmate, existing: ["20240611_a.sql"], paths: ["20240612_n.sql"], why: "the second one of a day comes later"),
        Case(format: .runbook, existing: ["20991231235959_a.sql"], paths: ["20991231235960_n.sql"], why: "later than one from the future"),
        Case(format: .goose, existing: ["00009_a.sql"], paths: ["00010_n.sql"], why: "padding is kept"),
        Case(format: .golangMigrate, existing: ["000001_a.up.sql"], paths: ["000002_n.up.sql", "000002_n.down.sql"], why: "pairs"),
        Case(
            format: .golangMigrate, existing: ["1700000000_a.up.sql"], paths: ["1718098200_n.up.sql", "1718098200_n.down.sql"],
            why: "seconds"),
        Case(format: .sqlx, existing: [], paths: ["20240611093000_n.up.sql", "20240611093000_n.down.sql"], why: "reversible"),
        Case(
            format: .diesel, existing: ["2024-01-01-000000_a/up.sql"],
            paths: ["2024-06-11-093000_n/up.sql", "2024-06-11-093000_n/down.sql"],
            why: "with hyphens"),
        Case(format: .nodePgMigrate, existing: [], paths: ["1718098200000_n.sql"], why: "milliseconds"),
        Case(format: .nodePgMigrate, existing: ["20240101000000000_a.sql"], paths: ["20240611093000000_n.sql"], why: "17 digits"),
        Case(format: .flyway, existing: [], paths: ["V1__n.sql", "U1__n.sql"], why: "the first"),
        Case(format: .flyway, existing: ["V1.9__a.sql"], paths: ["V1.10__n.sql", "U1.10__n.sql"], why: "the last part counts"),
        Case(format: .flyway, existing: ["V1_9__a.sql"], paths: ["V1_10__n.sql", "U1_10__n.sql"], why: "written as before"),
        Case(format: .tern, existing: [], paths: ["001_n.sql"], why: "the first"),
        Case(format: .stem, existing: ["0000_a.up.sql", "0000_z.up.sql"], paths: ["0001_n.up.sql", "0001_n.down.sql"], why: "no new tie"),
        Case(format: .sqlMigrate, existing: ["20240101000000-a.sql"], paths: ["20240611093000_n.sql"], why: "a time"),
    ]

    private func sources(_ given: Case) -> [(String, String)] {
        let text = given.format == .dbmate ? "-- migrate:up\nselect 1;\n-- migrate:down\n" : "-- +goose Up\n-- +migrate Up\nselect 1;\n"
        return given.existing.map { path in
            switch given.format {
            case .goose: (path, "-- +goose Up\nselect 1;\n")
            case .sqlMigrate: (path, "-- +migrate Up\nselect 1;\n")
            default: (path, text)
            }
        }
    }

    @Test(arguments: cases) func theNumberFollowsTheDirectoryAndIsLater(_ given: Case) throws {
        let directory = try read(sources(given), given.format)
        let files = try directory.newMigration(named: "n", timestamp: "20240611093000")
        #expect(files.map(\.path) == given.paths)
        // What is made can be read where it is put, and stands last.
        let filled = files.map { ($0.path, $0.text.replacing("\n\n\n", with: "\nselect 1;\n\n")) }
        let again = try read(sources(given) + filled, given.format)
        #expect(again.migrations.count == directory.migrations.count + 1)
        #expect(again.migrations.last?.name.hasSuffix("n") == true)
    }

    @Test func namesAreRefusedThatAreNoFileNames() {
        for name in ["", "../x", "a b", "é", "a.b", String(repeating: "a", count: 201)] {
            #expect(throws: MigrationFileErrors.self, "\(name)") {
                try MigrationDirectory.empty().newMigration(named: name, timestamp: "20240611093000")
            }
        }
    }

    @Test func aNumberThatCannotBeLaterIsRefused() throws {
        let directory = try read([("99_a.sql", "-- migrate:up\nselect 1;\n-- migrate:down\n")], .dbmate, .lexical)
        #expect(throws: MigrationFileErrors.self) { try directory.newMigration(named: "n", timestamp: "20240611093000") }
    }
}

struct MigrationSourceTests {
    private func inDirectory(_ body: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.path + "/belay-files-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path + "/b/c", withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path) } }
        try body(path)
    }

    private func write(_ text: String, _ path: String) { #expect(FileManager.default.createFile(atPath: path, contents: Data(text.utf8))) }

    @Test func filesComeSortedWithTheirFolders() throws {
        try inDirectory { path in
            write("select 2;", path + "/b/up.sql")
            write("select 1;", path + "/a.sql")
            write("# text", path + "/README.md")
            write("hidden", path + "/.hidden.sql")
            let found = try MigrationSource.all(under: path)
            #expect(found.map(\.path) == ["README.md", "a.sql", "b/up.sql"])
            #expect(found.map { String(decoding: $0.bytes, as: UTF8.self) } == ["", "select 1;", "select 2;"])
        }
    }

    @Test func linksToFilesCountAndLoopsAreNotWalked() throws {
        try inDirectory { path in
            write("select 1;", path + "/b/real.sql")
            try FileManager.default.createSymbolicLink(atPath: path + "/link.sql", withDestinationPath: path + "/b/real.sql")
            try FileManager.default.createSymbolicLink(atPath: path + "/b/c/loop", withDestinationPath: path)
            try FileManager.default.createSymbolicLink(atPath: path + "/gone.sql", withDestinationPath: path + "/nowhere")
            #expect(try MigrationSource.all(under: path).map(\.path) == ["b/real.sql", "link.sql"])
        }
    }

    @Test func aDirectoryThatIsNotThereIsNamed() throws {
        try inDirectory { path in
            #expect {
                try MigrationSource.all(under: path + "/nowhere")
            } throws: { error in
                (error as? MigrationFileErrors)?.mistakes.map(\.message) == [
                    "\(path)/nowhere: no such directory; create it, or correct migrations.path"
                ]
            }
            write("", path + "/file")
            #expect {
                try MigrationSource.all(under: path + "/file")
            } throws: { ($0 as? MigrationFileErrors)?.mistakes.first?.reason == "NotADirectory" }
        }
    }

    @Test func aFileThatIsTooLargeIsRefused() throws {
        try inDirectory { path in
            write(String(repeating: "x", count: (16 << 20) + 1), path + "/a.sql")
            #expect {
                try MigrationSource.all(under: path)
            } throws: { ($0 as? MigrationFileErrors)?.mistakes.first?.reason == "FileTooLarge" }
        }
    }
}
