import MigrationFiles
import Model
import SQL
import SQLParsing
import Testing

@testable import Migrations

struct SchemaReadingTests {
    private func applied(_ fixture: SchemaFixture, _ stems: String...) async throws -> SQLiteConnection {
        let connection = try await SchemaFixture.sqlite()
        for stem in stems { try await fixture.apply(stem, on: connection) }
        return connection
    }

    @Test func onlyWhatLeadsToThePinIsLookedAt() async throws {
        let fixture = SchemaFixture.tables("1_a", "2_b", "3_c", "4_d", pin: "3_c")
        let connection = try await applied(fixture, "1_a", "2_b")
        try await connection.execute("INSERT INTO b VALUES (1)")
        let observation = try await fixture.observe(connection)
        #expect(observation.applied == ["1_a", "2_b"])
        #expect(observation.blockers.isEmpty)
        #expect(observation.migrations.map { $0.upScript != nil } == [false, false, true, false])
        #expect(observation.migrations.allSatisfy { $0.downScript == nil })
        #expect(observation.summary.reversible == 2)
        #expect(observation.summary.table == "\"schema_migrations\" (dbmate)")
    }

    @Test func aPassReadsNoScriptThatNothingLeadsThrough() async throws {
        var fixture = SchemaFixture.tables("1_a", "2_b", "3_c", pin: "2_b")
        fixture.sources[0].text = "-- migrate:up\nCREATE TABLE a (id int);\nDROP TABLE IF EXISTS old;\n-- migrate:down\nDROP TABLE a;\n"
        let connection = try await applied(fixture, "1_a", "2_b")
        let reading = try await fixture.reading(connection)
        let whole = try await reading.observation(on: connection, engine: "test")
        let observation = try await reading.observation(on: connection, engine: "test", readsAll: false)
        #expect(whole.migrations.map(\.class) == [.contract, .expand, .expand])
        #expect(observation.migrations.map(\.class) == [.expand, .expand, .expand])
        #expect(observation.migrations.map { $0.down == nil } == whole.migrations.map { $0.down == nil })
        #expect(observation.summary.reversible == 2)
        // What the way back leads through is read.
        fixture.pin = "none"
        let back = try await fixture.reading(connection).observation(on: connection, engine: "test", readsAll: false)
        #expect(back.migrations.map(\.class) == [.contract, .expand, .expand])
        #expect(back.migrations[0].downScript?.origin == .file)
    }

    @Test func aWayBackSaysWhatItLoses() async throws {
        var fixture = SchemaFixture.tables("1_a", "2_b", "3_c", pin: "3_c")
        let connection = try await applied(fixture, "1_a", "2_b", "3_c")
        try await connection.execute("INSERT INTO b VALUES (1); INSERT INTO b VALUES (2)")
        fixture.pin = "1_a"
        let observation = try await fixture.observe(connection, archive: [SchemaFixture.row("2_b", sequence: 9)])
        let script = try #require(observation.migrations[1].downScript)
        #expect(script.losses == ["table b"])
        #expect(script.rowsAtRisk == 2)
        #expect(script.occasion == 9)
        #expect(script.origin == .file)
        #expect(observation.migrations[1].down == .dataLoss)
        // An empty table is no loss.
        #expect(observation.migrations[2].downScript?.losses == [])
        #expect(observation.migrations[2].down == .instant)
        #expect(observation.migrations[0].downScript == nil)
    }

    @Test func aFileThatIsGoneIsTakenFromTheSignedArchive() async throws {
        let whole = SchemaFixture.tables("1_a", "2_b", pin: "2_b")
        let connection = try await applied(whole, "1_a", "2_b")
        var fixture = whole.without("2_b.sql")
        fixture.pin = "1_a"
        let row = SchemaFixture.row("2_b", sequence: 2, up: "CREATE TABLE b (id int);", down: "DROP TABLE b;")
        var observation = try await fixture.observe(connection, archive: [row])
        #expect(observation.migrations.map(\.version) == ["1_a", "2_b"])
        #expect(observation.migrations.map(\.isInSource) == [true, false])
        #expect(observation.migrations[1].downScript?.origin == .archive)

        var tampered = row
        tampered.downSQL = "DROP TABLE a;"
        observation = try await fixture.observe(connection, archive: [tampered])
        #expect(observation.migrations[1].down == nil)
        #expect(observation.blockers.map(\.reason) == ["ArchiveTampered"])

        fixture.settings.onMissing = .block
        observation = try await fixture.observe(connection, archive: [row])
        #expect(observation.migrations[1].down == nil)
    }

    @Test func whatTheDatabaseDoesNotHaveHistoryMay() async throws {
        struct History: MigrationHistory {
            var isShallow: Bool { false }
            func down(of version: String, path: String?, upHash: String?) async -> (script: MigrationScript, commit: String)? {
                version == "2" ? (MigrationScript(text: "DROP TABLE b;"), "abc1234") : nil
            }
        }
        let whole = SchemaFixture.tables("1_a", "2_b", pin: "2_b")
        let connection = try await applied(whole, "1_a", "2_b")
        var fixture = whole.without("2_b.sql")
        fixture.pin = "1_a"
        let reading = try await fixture.reading(connection).recovering(from: History())
        let observation = try await reading.observation(on: connection, engine: "test")
        #expect(observation.migrations.last?.downScript?.origin == .git(commit: "abc1234"))
    }

    @Test func anInverseIsDerivedOnlyWhereThatIsAllowed() async throws {
        var fixture = SchemaFixture(
            [("1_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\n")], format: .dbmate, pin: "none")
        let connection = try await applied(fixture, "1_a")
        #expect(try await fixture.observe(connection).migrations[0].down == nil)
        fixture.settings.onIrreversible = .synthesize
        #expect(try await fixture.observe(connection).migrations[0].downScript?.origin == .synthesized)
    }

    @Test(arguments: [
        ("only its layout changed", "create   table a (id int); -- a remark", [String: String](), [String]()),
        ("it says something else", "CREATE TABLE a (id bigint);", [:], ["ChecksumMismatch"]),
    ]) func anEditedFileBlocksUnlessItMeansTheSame(
        _ why: String, _ up: String, _ accepted: [String: String], _ blockers: [String]
    ) async throws {
        let original = SchemaFixture.tables("1_a", pin: "1_a")
        let connection = try await applied(original, "1_a")
        var fixture = original
        fixture.sources[0].text = "-- migrate:up\n\(up)\n-- migrate:down\nDROP TABLE a;\n"
        let row = SchemaFixture.row("1_a", sequence: 1, up: "CREATE TABLE a (id int);", down: "DROP TABLE a;")
        let observation = try await fixture.observe(connection, archive: [row])
        #expect(observation.blockers.map(\.reason) == blockers, "\(why)")
        guard let blocker = observation.blockers.first else { return }
        #expect(
            blocker.message == "database/main: 1_a is applied, and its file was changed since in more than its layout: "
                + "- CREATE TABLE a (id int);; + CREATE TABLE a (id bigint);")
        let hash = ArchiveSignature.hash(try #require(try fixture.directory(.sqlite).migrations.first).up.text)
        fixture.settings.acceptEdited = ["1_a": String(hash.prefix(16))]
        #expect(try await fixture.observe(connection, archive: [row]).blockers.isEmpty)
    }

    @Test func theToolsOwnChecksumTellsWhereNothingElseDoes() async throws {
        var fixture = SchemaFixture(
            [("20240101000000_a.sql", "-- UP MIGRATION\nCREATE TABLE a (id int);\n-- DOWN MIGRATION\nDROP TABLE a;\n")], format: .runbook,
            pin: "20240101000000_a")
        let connection = try await applied(fixture, "20240101000000_a")
        #expect(try await fixture.observe(connection).blockers.isEmpty)
        fixture.sources[0].text = "-- UP MIGRATION\nCREATE TABLE a (id text);\n-- DOWN MIGRATION\nDROP TABLE a;\n"
        let observation = try await fixture.observe(connection)
        #expect(observation.blockers.map(\.reason) == ["ChecksumMismatch"])
        #expect(observation.summary.edited == ["20240101000000_a"])
    }

    @Test func aBaselineAccountsForADatabaseThatWasThereBefore() async throws {
        var fixture = SchemaFixture.tables("1_a", "2_b", "3_c", pin: "3_c")
        fixture.settings.baseline = "2_b"
        let empty = try await SchemaFixture.sqlite()
        #expect(try await fixture.observe(empty).applied == [])
        let connection = try await SchemaFixture.sqlite()
        try await connection.execute("CREATE TABLE a (id int); CREATE TABLE b (id int)")
        var observation = try await fixture.observe(connection)
        #expect(observation.applied == ["1_a", "2_b"])
        #expect(observation.migrations.map(\.isPresumed) == [true, true, false])
        #expect(observation.migrations.map { $0.upScript != nil } == [false, false, true])
        try await fixture.apply("3_c", on: connection)
        observation = try await fixture.observe(connection, archive: [SchemaFixture.row("3_c", sequence: 1)])
        #expect(observation.applied == ["1_a", "2_b", "3_c"])
        // Taken back below the baseline: what was taken back is not presumed any more, the rest still is.
        try await fixture.takeBack("3_c", on: connection)
        let archive = [
            SchemaFixture.row("3_c", sequence: 1, state: .reverted), SchemaFixture.row("2_b", sequence: 2, state: .reverted),
        ]
        #expect(try await fixture.observe(connection, archive: archive).applied == ["1_a"])
    }

    @Test func anEmptyDatabaseThatGotItsFirstMigrationPresumesNothing() async throws {
        var fixture = SchemaFixture.tables("1_a", "2_b", "3_c", pin: "3_c")
        fixture.settings.baseline = "2_b"
        let connection = try await applied(fixture, "1_a")
        #expect(try await fixture.observe(connection).applied == ["1_a"])
    }

    @Test func whatHasNoFileStandsWhereItsNumberBelongs() async throws {
        var whole = SchemaFixture(
            ["2_a", "10_b", "11_c"].map { ("\($0).sql", "-- +goose Up\nSELECT 1;\n") }, format: .goose, pin: "11_c")
        whole.settings.order = "numeric"
        let connection = try await applied(whole, "2_a", "10_b", "11_c")
        let observation = try await whole.without("10_b.sql").observe(connection, archive: [SchemaFixture.row("10_b", sequence: 1)])
        #expect(observation.migrations.map(\.version) == ["2_a", "10_b", "11_c"])
        #expect(observation.blockers.isEmpty)
    }

    @Test func rebasingLooksAtBothWays() async throws {
        var fixture = SchemaFixture.tables("1_a", "2_b", "3_c", pin: "3_c")
        fixture.settings.outOfOrder = .rebase
        let connection = try await applied(fixture, "1_a", "3_c")
        let observation = try await fixture.observe(connection)
        #expect(observation.migrations.map { $0.downScript != nil } == [false, false, true])
        #expect(observation.migrations.map { $0.upScript != nil } == [false, true, true])
    }

    @Test func aPinThatIsGoneIsToldOf() async throws {
        let fixture = SchemaFixture.tables("1_a", pin: "2_b")
        let connection = try await applied(fixture, "1_a")
        let row = SchemaFixture.row("2_b", sequence: 3, state: .reverted)
        #expect(
            try await fixture.observe(connection, archive: [row]).notes == [
                "2_b was applied here once, file 2_b.sql; its file is not in the source now"
            ])
    }
}
