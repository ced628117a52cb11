import SQLParsing
import Testing

@testable import MigrationFiles

/// A directory for each format, as its own tool would write it.
struct FormatTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        var format: MigrationFormat
        var files: [(String, String)]
        /// Stem, number, name, up, down.
        var expected: [[String?]]
        /// Nil where the files tell.
        var named: MigrationFormat?
        var testDescription: String { format.rawValue }
    }

    static let table = "create table t (id int);"
    static let drop = "drop table t;"

    static let golden: [Golden] = [
        Golden(
            format: .runbook,
            files: [
                (
                    "20240611093000_add_t.sql",
                    "-- Migration: add_t\n-- Version: 20240611093000\n\n-- UP MIGRATION\nBEGIN;\n\(table)\nCOMMIT;\n\n-- DOWN MIGRATION\nBEGIN;\n\(drop)\nCOMMIT;\n"
                ),
                ("20240612093000_seed.sql", "insert into t values (1);\n"),
            ],
            expected: [
                ["20240611093000_add_t", "20240611093000", "add_t", table, drop],
                ["20240612093000_seed", "20240612093000", "seed", "insert into t values (1);", nil],
            ]),
        Golden(
            format: .dbmate,
            files: [
                ("20240611_t.sql", "-- why\n-- migrate:up\n\(table)\n\n-- migrate:down\n\(drop)\n"),
                ("20240612_u.sql", "--migrate:up\ncreate table u (id int);\n-- migrate:down\n-- nothing\n"),
            ],
            expected: [
                ["20240611_t", "20240611", "t", table, drop], ["20240612_u", "20240612", "u", "create table u (id int);", nil],
            ]),
        Golden(
            format: .golangMigrate,
            files: [("000001_t.up.sql", "BEGIN;\n\(table)\nCOMMIT;\n"), ("000001_t.down.sql", drop), ("000002_u.up.sql", "select 1;")],
            expected: [["000001_t", "000001", "t", table, drop], ["000002_u", "000002", "u", "select 1;", nil]],
            named: .golangMigrate),
        Golden(
            format: .goose,
            files: [
                ("00001_t.sql", "-- +goose Up\n\(table)\n\n-- +goose Down\n\(drop)\n"),
                (
                    "00002_f.sql",
                    "-- +goose up\n-- +goose StatementBegin\ncreate function f() returns int language plpgsql as $$\nbegin\n  return 1;\nend;\n$$\n-- +goose StatementEnd\n"
                ),
                ("embed.go", ""),
            ],
            expected: [
                ["00001_t", "00001", "t", table, drop],
                ["00002_f", "00002", "f", "create function f() returns int language plpgsql as $$\nbegin\n  return 1;\nend;\n$$", nil],
            ]),
        Golden(
            format: .sqlMigrate,
            files: [
                ("1_t.sql", "-- +migrate Up\n\(table)\n-- +migrate Down\n\(drop)\n"),
                ("later.sql", "-- +migrate Up\nselect 1;\n"),
            ],
            expected: [["1_t", "1", "t", table, drop], ["later", nil, "later", "select 1;", nil]]),
        Golden(
            format: .sqlx,
            files: [
                ("20240611093000_t.up.sql", table), ("20240611093000_t.down.sql", drop),
                ("20240612093000_i.up.sql", "-- no-transaction\ncreate index concurrently i on t (id);"),
            ],
            expected: [
                ["20240611093000_t", "20240611093000", "t", table, drop],
                ["20240612093000_i", "20240612093000", "i", "-- no-transaction\ncreate index concurrently i on t (id);", nil],
            ]),
        Golden(
            format: .diesel,
            files: [
                ("00000000000000_diesel_initial_setup/up.sql", "-- Sets up a trigger\nselect 1;"),
                ("00000000000000_diesel_initial_setup/down.sql", "-- nothing to undo"),
                ("2024-06-11-093000_t/up.sql", table), ("2024-06-11-093000_t/down.sql", drop),
                ("2024-06-11-093000_t/metadata.toml", "# why\nrun_in_transaction = false\n"),
            ],
            expected: [
                ["00000000000000_diesel_initial_setup", "00000000000000", "diesel_initial_setup", "-- Sets up a trigger\nselect 1;", nil],
                ["2024-06-11-093000_t", "20240611093000", "t", table, drop],
            ]),
        Golden(
            format: .nodePgMigrate,
            files: [
                ("1718096400000_t.sql", "-- Up Migration\n\(table)\n-- Down Migration\n\(drop)\n"),
                ("1718096500000_u.sql", "-- Down migration\n\(drop)\n--- UP MIGRATION\n\(table)\n"),
            ],
            expected: [
                ["1718096400000_t", "1718096400000", "1718096400000_t", table, drop],
                ["1718096500000_u", "1718096500000", "1718096500000_u", table, drop],
            ]),
        Golden(
            format: .flyway,
            files: [
                ("V10__late.sql", "select 10;"), ("V2__t.sql", table), ("U2__t.sql", drop), ("V1_9__old.sql", "select 1;"),
                ("R__view.sql", "create or replace view v as select 1;"), ("more/V2.1__more.sql", "select '${x}';"),
                ("more/V2.1__more.sql.conf", "executeInTransaction=false\nplaceholderReplacement=false\n"),
                ("B2__base.sql", "select 2;"),
            ],
            expected: [
                ["V1_9__old", "1.9", "old", "select 1;", nil], ["V2__t", "2", "t", table, drop],
                ["V2.1__more", "2.1", "more", "select '${x}';", nil], ["V10__late", "10", "late", "select 10;", nil],
                ["R__view", nil, "view", "create or replace view v as select 1;", nil],
            ]),
        Golden(
            format: .tern,
            files: [
                ("001_t.sql", "\(table)\n---- create above / drop below ----\n\(drop)\n"), ("002_u.sql", "select 2;\n"),
                ("tern.conf", ""),
            ],
            expected: [["001_t", "001", "t", table, drop], ["002_u", "002", "u", "select 2;", nil]]),
        Golden(
            format: .stem,
            files: [
                ("0000_b.up.sql", table), ("0000_b.down.sql", drop), ("0000_a.up.sql", "select 1;"), ("0001_c.sql", "select 2;"),
                ("0001_c.down.sql", "select 3;"),
            ],
            expected: [
                ["0000_a", "0000", "a", "select 1;", nil], ["0000_b", "0000", "b", table, drop],
                ["0001_c", "0001", "c", "select 2;", "select 3;"],
            ]),
    ]

    @Test(arguments: golden) func aDirectoryIsDetectedAndRead(_ golden: Golden) throws {
        let others = [("README.md", "# Migrations"), (".gitkeep", ""), ("schema.sql", "create table dumped ();")]
        let directory = try read(golden.files + others, golden.named)
        #expect(directory.format == golden.format)
        let found: [[String?]] = directory.migrations.map { [$0.stem, $0.number, $0.name, $0.up.core, $0.down?.core] }
        #expect(found == golden.expected)
    }

    @Test(arguments: golden) func lineEndsAndByteOrderMarkMakeNoDifference(_ golden: Golden) throws {
        let plain = try read(golden.files, golden.named)
        let windows = try MigrationDirectory(
            reading: golden.files.map { path, text in
                let carriage = text.utf8.flatMap { $0 == UInt8(ascii: "\n") ? [13, 10] : [$0] }
                return MigrationSource(path: path, bytes: [0xEF, 0xBB, 0xBF] + carriage)
            }, format: golden.named, order: nil, dialect: .postgres)
        #expect(windows.migrations.map(\.up) == plain.migrations.map(\.up))
        #expect(windows.migrations.map(\.down) == plain.migrations.map(\.down))
    }

    @Test func scriptsKnowTheirLines() throws {
        for golden in Self.golden {
            for file in try read(golden.files, golden.named).migrations {
                for (script, path) in [(file.up, file.path), (file.down, file.downPath ?? file.path)] {
                    guard let script, let text = golden.files.first(where: { $0.0 == path })?.1 else { continue }
                    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                    #expect(script.core.hasPrefix(lines[script.coreLine - 1]), "\(path)")
                }
            }
        }
    }

    // MARK: Transactions

    struct Mode: Sendable {
        var why: String
        var files: [(String, String)]
        var up: Bool?
        var down: Bool?
    }

    static let modes = [
        Mode(
            why: "dbmate says it for each direction",
            files: [("1_a.sql", "-- migrate:up transaction:false\nvacuum;\n-- migrate:down\nselect 1;")], up: false, down: nil),
        Mode(
            why: "one of several sections is enough",
            files: [
                (
                    "1_a.sql",
                    "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n-- migrate:up transaction:false\nvacuum;\n-- migrate:down transaction:true\nselect 3;"
                )
            ], up: false, down: true),
        Mode(
            why: "goose says it for the whole file",
            files: [("1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nvacuum;\n-- +goose Down\nvacuum;")], up: false, down: false),
        Mode(
            why: "sql-migrate says it for each direction",
            files: [("1_a.sql", "-- +migrate Up\nselect 1;\n-- +migrate Down notransaction\nvacuum;")], up: nil, down: false),
        Mode(
            why: "sqlx says it in the first line of each file",
            files: [("1_a.up.sql", "-- no-transaction\nvacuum;"), ("1_a.down.sql", "select 1;")], up: false, down: nil),
        Mode(
            why: "diesel says it beside both files",
            files: [("1_a/up.sql", "vacuum;"), ("1_a/down.sql", "vacuum;"), ("1_a/metadata.toml", "run_in_transaction = false")],
            up: false, down: false),
        Mode(
            why: "Flyway says it beside one file",
            files: [("V1__a.sql", "vacuum;"), ("V1__a.sql.conf", "executeInTransaction=false"), ("U1__a.sql", "select 1;")],
            up: false, down: nil),
        Mode(
            why: "tern says it in the half that it is for",
            files: [("1_a.sql", "---- tern: disable-tx ----\nvacuum;\n---- create above / drop below ----\nselect 1;")], up: false,
            down: nil),
        Mode(
            why: "a file that brings its own transaction can run in one",
            files: [("1_a.sql", "-- migrate:up transaction:false\nbegin;\nselect 1;\ncommit;\n-- migrate:down\nselect 1;")], up: nil,
            down: nil),
    ]

    @Test(arguments: modes) func directivesDecideOnTheTransaction(_ mode: Mode) throws {
        let file = try #require(try read(mode.files).migrations.first)
        #expect(file.up.isTransactional == mode.up, "\(mode.why)")
        #expect(file.down?.isTransactional == mode.down, "\(mode.why)")
    }

    @Test func severalPairsOfDbmateBecomeOneScriptWithTheFilesLines() throws {
        let text = "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n-- migrate:up\nselect 3;\n-- migrate:down\nselect 4;"
        let file = try #require(try read([("1_a.sql", text)]).migrations.first)
        #expect(file.up == MigrationScript(text: "select 1;\n\n\n\nselect 3;", firstLine: 2))
        #expect(file.down == MigrationScript(text: "select 2;\n\n\n\nselect 4;", firstLine: 4))
    }

    // MARK: What a file says of itself

    @Test func phasesPragmasAndIrreversibilityAreRead() throws {
        let text =
            "-- phase: contract (readers are gone)\n-- irreversible: rows are lost\n-- pragma: Foreign_Keys = off\n-- migrate:up\nselect 1;\n-- migrate:down\n"
        let file = try #require(try read([("1_a.sql", text)], nil, nil, .sqlite).migrations.first)
        #expect(file.declaredPhase == .contract)
        #expect(file.isDeclaredIrreversible)
        #expect(file.up.pragmas == ["foreign_keys=off"])
        #expect(file.down == nil)
    }

    @Test func eachFileOfAPairHasItsOwnPragmas() throws {
        let files = [("a_1.up.sql", "-- pragma: foreign_keys=off\nselect 1;"), ("a_1.down.sql", "select 1;")]
        let file = try #require(try read(files, nil, nil, .sqlite).migrations.first)
        #expect(file.up.pragmas == ["foreign_keys=off"])
        #expect(file.down?.pragmas == [])
    }

    @Test func aPhaseInProseIsNone() throws {
        let file = try #require(
            try read([("1_a.sql", "-- migrate:up\n-- phase: two of three\nselect 1;\n-- migrate:down\n")]).migrations.first)
        #expect(file.declaredPhase == nil)
    }
}
