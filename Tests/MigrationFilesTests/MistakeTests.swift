import SQLParsing
import Testing

@testable import MigrationFiles

struct MistakeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var why: String
        var format: MigrationFormat?
        var files: [(String, String)]
        var expected: [String]
        var testDescription: String { why }

        init(_ why: String, _ format: MigrationFormat?, _ files: [(String, String)], _ expected: String...) {
            self.why = why
            self.format = format
            self.files = files
            self.expected = expected
        }
    }

    static let up = "select 1;"

    /// The faults of the runbook's manager: contract migrations.md §1.0.
    static let runbook = [
        Case(
            "an 8-digit file is told, not passed over", .runbook,
            [("20240611_add_index.sql", up), ("20240611093000_a.sql", up)], "WrongName 20240611_add_index.sql"),
        Case(
            "the same where the format is detected", nil,
            [
                ("20240611_add_index.sql", "-- UP MIGRATION\nselect 1;"), ("20240611093000_a.sql", "-- UP MIGRATION\nselect 1;"),
            ], "WrongName 20240611_add_index.sql"),
        Case(
            "a second DOWN marker would cut off what follows", .runbook,
            [("20240611093000_a.sql", "-- UP MIGRATION\nselect 1;\n-- DOWN MIGRATION\nselect 2;\n-- Down migration\nselect 3;")],
            "SeveralDownSections 20240611093000_a.sql:5:1"),
        Case(
            "a comment that begins like the marker is told rather than believed", .runbook,
            [("20240611093000_a.sql", "select 1;\n-- down migration is easy\nselect 2;\n-- DOWN MIGRATION\nselect 3;")],
            "SeveralDownSections 20240611093000_a.sql:4:1"),
        Case(
            "an UP marker behind the down part", .runbook,
            [("20240611093000_a.sql", "-- DOWN MIGRATION\nselect 1;\n-- UP MIGRATION\nselect 2;")], "UpAfterDown 20240611093000_a.sql:3:1"),
        Case(
            "a COMMIT inside would write the record outside of the transaction", .runbook,
            [("20240611093000_a.sql", "-- UP MIGRATION\nselect 1;\n  COMMIT;\nselect 2;\n-- DOWN MIGRATION\nrollback;")],
            "TransactionControlInMigration 20240611093000_a.sql:3:3", "TransactionControlInMigration 20240611093000_a.sql:6:1"),
    ]

    static let others = [
        Case("dbmate: no up", .dbmate, [("1_a.sql", "-- Migrate:Up\n\n-- comment")], "MissingUp 1_a.sql"),
        Case("dbmate: no down", nil, [("1_a.sql", "-- migrate:up\nselect 1;\n-- Migrate:Down\n")], "MissingDown 1_a.sql:1:1"),
        Case(
            "dbmate: down first", nil, [("1_a.sql", "-- migrate:down\n-- migrate:up\nselect 1;")], "DownBeforeUp 1_a.sql:1:1",
            "MissingDown 1_a.sql:2:1"),
        Case(
            "dbmate: statements above", nil, [("1_a.sql", "select 0;\nselect 0;\n-- migrate:up\n-- migrate:down\n")],
            "StatementBeforeUp 1_a.sql:1:1"),
        Case(
            "dbmate: an option that it does not know", nil, [("1_a.sql", "-- migrate:up tx:off\n-- migrate:down\n")],
            "UnknownOption 1_a.sql:1:1"),
        Case("dbmate: a number twice", nil, [("1_a.sql", dbmate), ("1_b.sql", dbmate)], "DuplicateVersion 1_b.sql"),
        Case("golang-migrate: a way back alone", .golangMigrate, [("1_a.down.sql", up)], "MissingUp 1_a.down.sql"),
        Case("golang-migrate: an empty file counts as applied", .golangMigrate, [("1_a.up.sql", " \n")], "EmptyUp 1_a.up.sql"),
        Case("golang-migrate: no direction", .golangMigrate, [("1_a.sql", up)], "WrongName 1_a.sql"),
        Case(
            "golang-migrate: the table holds a number only", .golangMigrate, [("01_a.up.sql", up), ("1_b.up.sql", up)],
            "DuplicateVersion 1_b.up.sql"),
        Case(
            "golang-migrate: more than its table holds", .golangMigrate, [("9223372036854775808_a.up.sql", up)],
            "VersionTooLarge 9223372036854775808_a.up.sql"),
        Case("goose: a program", nil, [("00001_a.go", ""), ("00002_b.sql", goose)], "CodeMigration 00001_a.go"),
        Case("goose: version 0 is its own", .goose, [("0_a.sql", goose)], "WrongName 0_a.sql"),
        Case("goose: down first", nil, [("1_a.sql", "-- +goose Down\n-- +goose Up\nselect 1;")], "DownBeforeUp 1_a.sql:1:1"),
        Case("goose: indented", nil, [("1_a.sql", "  -- +goose Up\nselect 1;")], "MisplacedDirective 1_a.sql:1:1"),
        Case(
            "goose: two in a line", nil, [("1_a.sql", "-- +goose Up -- +goose Down")], "MisplacedDirective 1_a.sql:1:1",
            "UnknownDirective 1_a.sql:1:1", "MissingUp 1_a.sql"),
        Case("goose: a typo", nil, [("1_a.sql", "-- +goose Up\nselect 1;\n-- +goose Dwn\n")], "UnknownDirective 1_a.sql:3:1"),
        Case(
            "goose: values from the environment", nil, [("1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\nselect '${A}';\n")],
            "SubstitutionNotSupported 1_a.sql:3:9"),
        Case(
            "goose: the same text is text while it is off", nil,
            [("1_a.sql", "-- +goose Up\n-- +goose ENVSUB ON\nselect 1;\n-- +goose ENVSUB OFF\nselect '${A}';\n")]),
        Case("goose: cut off", nil, [("1_a.sql", "-- +goose Up\nselect 1;\nselect 2 -- ;\n")], "UnfinishedStatement 1_a.sql:3:1"),
        Case(
            "goose: an open statement", nil, [("1_a.sql", "-- +goose Up\n-- +goose StatementBegin\nselect 1;\n-- +goose Down\n")],
            "MisplacedDirective 1_a.sql:2:1"),
        Case("sql-migrate: no directive", .sqlMigrate, [("a.sql", up)], "StatementBeforeUp a.sql:1:1", "MissingUp a.sql"),
        Case(
            "sql-migrate: an option that it does not know", nil, [("1.sql", "-- +migrate Up notx\nselect 1;")],
            "UnknownDirective 1.sql:1:1"),
        Case("sqlx: no name", .sqlx, [("1.sql", up)], "WrongName 1.sql"),
        Case(
            "sqlx: one version in two files", .sqlx, [("1_a.sql", up), ("1_a.up.sql", up)], "TwoUpFiles 1_a.up.sql"),
        Case("diesel: no up", .diesel, [("1_a/down.sql", up)], "MissingUp 1_a"),
        Case("diesel: a file outside of its folder", .diesel, [("1_a.sql", up)], "WrongName 1_a.sql"),
        Case(
            "diesel: the same version with and without hyphens", .diesel, [("2024-01_a/up.sql", up), ("202401_b/up.sql", up)],
            "DuplicateVersion 202401_b/up.sql"),
        Case(
            "diesel: neither true nor false", .diesel, [("1_a/up.sql", up), ("1_a/metadata.toml", "run_in_transaction = no")],
            "InvalidSetting 1_a/metadata.toml:1:1"),
        Case(
            "node-pg-migrate: programs", nil, [("1718096400000_a.js", ""), ("1718096400001_b.sql", "-- Up Migration\nselect 1;")],
            "CodeMigration 1718096400000_a.js"),
        Case(
            "node-pg-migrate: without an up marker the way back would be run", .nodePgMigrate,
            [("1_a.sql", "select 1;\n-- Down Migration\nselect 2;")], "MissingUp 1_a.sql:2:1", "StatementBeforeMarker 1_a.sql:1:1"),
        Case("Flyway: one underscore", nil, [("V1__a.sql", up), ("V2_b.sql", up)], "WrongName V2_b.sql"),
        Case("Flyway: a small letter", nil, [("V1__a.sql", up), ("v2__b.sql", up)], "WrongName v2__b.sql"),
        Case("Flyway: a way back alone", nil, [("U1__a.sql", up)], "MissingUp U1__a.sql"),
        Case(
            "Flyway: a description twice", nil, [("V1__a.sql", up), ("R__a_b.sql", up), ("x/R__a b.sql", up)],
            "DuplicateVersion x/R__a b.sql"),
        Case("Flyway: 1 is 1.0", nil, [("V1__a.sql", up), ("V1.0__b.sql", up)], "DuplicateVersion V1__a.sql"),
        Case(
            "Flyway: a placeholder", nil, [("V1__a.sql", "select 1,\n  '${schema}';")], "PlaceholderNotSupported V1__a.sql:2:4"),
        Case(
            "Flyway: a setting that changes what is run", nil,
            [("V1__a.sql", up), ("V1__a.sql.conf", "shouldExecute=false\nencoding=latin1")],
            "UnsupportedSetting V1__a.sql.conf:1:1", "UnsupportedSetting V1__a.sql.conf:2:1"),
        Case(
            "Flyway: files that a baseline stands for are gone", nil, [("B2__b.sql", up), ("V3__a.sql", up)],
            "UnsupportedBaseline B2__b.sql"),
        Case("Flyway: a callback", nil, [("V1__a.sql", up), ("afterMigrate.sql", up)], "UnsupportedCallback afterMigrate.sql"),
        Case("Flyway: a program", nil, [("V1__a.sql", up), ("V2__B.java", "")], "CodeMigration V2__B.java"),
        Case("tern: a gap", .tern, [("001_a.sql", up), ("003_b.sql", up), ("005_c.sql", up)], "VersionGap 003_b.sql"),
        Case("tern: it counts from 1", .tern, [("000_a.sql", up)], "VersionGap 000_a.sql"),
        Case("tern: a template", .tern, [("001_a.sql", "select 1;\nselect '{{ .x }}';")], "TemplateNotSupported 001_a.sql:2:9"),
        Case("stem: one file for each dialect", .stem, [("1_a.postgres.up.sql", up)], "UnsupportedSuffix 1_a.postgres.up.sql"),
        Case(
            "a directory of directories", .golangMigrate, [("postgres/1_a.up.sql", up), ("README.md", "")],
            "MigrationInFolder postgres/1_a.up.sql"),
        Case(
            "what PostgreSQL cannot read", nil, [("1_a.sql", "-- migrate:up\nselect 1;\nselect from from;\n-- migrate:down\n")],
            "SyntaxError 1_a.sql:3:13"),
        Case(
            "a way back that nobody ever ran", nil, [("1_a.sql", "-- migrate:up\n-- migrate:down\n\ndrop tabel t;")],
            "SyntaxError 1_a.sql:4:6"),
        Case(
            "a transaction in the middle", nil,
            [("1_a.sql", "-- migrate:up\nbegin;\nselect 1;\ncommit;\nbegin;\nselect 2;\ncommit;\n-- migrate:down\n")],
            "TransactionControlInMigration 1_a.sql:4:1", "TransactionControlInMigration 1_a.sql:5:1"),
        Case("two phases", nil, [("1_a.sql", "-- phase: expand\n-- phase: contract\n\(dbmate)")], "ConflictingPhase 1_a.sql:2:1"),
        Case("a phase with a typo", nil, [("1_a.sql", "-- phase: contrat\n\(dbmate)")], "UnknownPhase 1_a.sql:1:1"),
        Case("a pragma for PostgreSQL", nil, [("1_a.sql", "-- pragma: foreign_keys=off\n\(dbmate)")], "PragmaNotSupported 1_a.sql:1:1"),
        Case("no migration at all", nil, [("README.md", "")], "NoMigrations"),
        Case("an empty directory of a known format", .dbmate, []),
        Case("numbers without a word inside", nil, [("1_a.sql", up), ("2_b.sql", up)], "AmbiguousFormat"),
        Case("pairs could be of two tools", nil, [("1_a.up.sql", up)], "AmbiguousFormat"),
        Case("two tools at once", nil, [("1_a.sql", goose), ("2_b.sql", dbmate)], "AmbiguousFormat"),
        Case("Prisma", nil, [("20240611093000_a/migration.sql", up)], "UnsupportedFormat"),
        Case("sqitch", nil, [("sqitch.plan", ""), ("deploy/a.sql", up)], "UnsupportedFormat"),
        Case(
            "every mistake of every file", .goose,
            [("1_a.sql", "-- +goose Dwn\n"), ("2_b.sql", "-- +goose Up\nselect from from;"), ("3.sql", "")],
            "MissingUp 1_a.sql", "UnknownDirective 1_a.sql:1:1", "SyntaxError 2_b.sql:2:13", "WrongName 3.sql"),
    ]

    static let dbmate = "-- migrate:up\nselect 1;\n-- migrate:down\n"
    static let goose = "-- +goose Up\nselect 1;\n"

    @Test(arguments: runbook + others) func mistakesAreToldWithTheirPlaces(_ given: Case) {
        #expect(Set(mistakes(given.files, given.format)) == Set(given.expected))
    }

    @Test func whatIsNotUTF8IsToldWithItsOffset() {
        let bytes = Array("-- migrate:up\n-- ".utf8) + [0xE9] + Array("\n-- migrate:down\n".utf8)
        #expect {
            _ = try MigrationDirectory(
                reading: [MigrationSource(path: "1_a.sql", bytes: bytes)], format: .dbmate, order: nil, dialect: .postgres)
        } throws: { error in
            (error as? MigrationFileErrors)?.mistakes == [
                Mistake("NotUTF8", path: "1_a.sql", line: 2, "byte 17 is not UTF-8; save the file as UTF-8")
            ]
        }
    }

    @Test func aMessageSaysWhatToDo() {
        #expect(
            firstMessage([("1_a.up.sql", "select 1;")])
                == "the files fit golang-migrate, sqlx equally well; set migrations.format to the one whose table is to be kept")
        #expect(
            firstMessage([("1_a.sql", "-- migrate:up\nselect 1;\ncommit;\n-- migrate:down\n")])
                == "COMMIT would end or open the transaction in which the migration and its record are written; split it into several"
                + " migrations, or mark it as not transactional (-- migrate:up transaction:false) and take the transaction out")
    }

    // MARK: What is no fault

    @Test func theWordsOfAMarkerInsideALineCutNothing() throws {
        let text = "-- UP MIGRATION\nselect 1; -- down migration below\n/* the -- DOWN MIGRATION */\n-- DOWN MIGRATION\nselect 2;"
        let file = try #require(try read([("20240611093000_a.sql", text)], .runbook).migrations.first)
        #expect(file.up.core == "select 1; -- down migration below\n/* the -- DOWN MIGRATION */")
        #expect(file.down?.core == "select 2;")
    }

    @Test func aFunctionsBodyMayBeginAndEnd() throws {
        let text = "-- migrate:up\ncreate function f() returns int language plpgsql as $$\nBEGIN\n  return 1;\nEND;\n$$;\n-- migrate:down\n"
        #expect(try read([("1_a.sql", text)]).migrations.count == 1)
    }

    @Test func anSQLiteTriggerMayBeginAndEnd() {
        let text =
            "-- migrate:up\ncreate trigger r after insert on t begin\n  update t set n = 1;\nend;\n-- migrate:down\nbegin; drop trigger r; commit;"
        #expect(mistakes([("1_a.sql", text)], nil, nil, .sqlite) == [])
    }

    @Test func aDownPartOfCommentsIsNoWayBack() throws {
        for down in ["", "-- nothing\n", "/* a /* nested */ b */ ;\n", "BEGIN;\nCOMMIT;\n"] {
            let file = try #require(try read([("1_a.sql", "-- migrate:up\nselect 1;\n-- migrate:down\n\(down)")]).migrations.first)
            #expect(file.down == nil, "\(down)")
        }
    }
}
