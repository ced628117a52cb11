import DatabaseServers
import Flags
import Model
import ProviderKit
import SQL
import TestPrograms
import Testing

/// The runbook's table on PostgreSQL, and the faults of the runbook that are not repeated.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)")) struct PostgresFlagTests {
    private static func problem(_ result: ApplyResult) -> Problem? {
        switch result {
        case .refused(let problem), .throttled(let problem), .unknown(let problem): problem
        case .accepted, .alreadySo: nil
        }
    }

    private static func connect(_ database: String) async throws -> PostgresConnection {
        try await PostgresConnection(PostgresAddress(try await PostgresServer.shared.url(of: database)))
    }

    private static func database(_ script: String = Stage.postgresTable) async throws -> String {
        let database = try await PostgresServer.shared.makeDatabase()
        _ = try await PostgresServer.shared.psql(script, database: database)
        return database
    }

    private static func psql(_ sql: String, _ database: String) async throws -> String {
        try await PostgresServer.shared.psql(sql, database: database)
    }

    @Test func aKillIsAStatusAndNoBoolean() async throws {
        let database = try await Self.database()
        let stage = try await Stage.postgres(in: database)
        let row = "SELECT status, rollout_percentage, metadata, updated_at > created_at FROM feature_flags WHERE flag_name = 'known'"
        await stage.set("known", to: .off)
        #expect(try await Self.psql(row, database) == #"disabled|0|{"owner": "ann"}|t"#)
        await stage.set("known", to: FlagSetting(isOn: true, rollout: 10))
        #expect(try await Self.psql(row, database) == #"gradual_rollout|10|{"owner": "ann"}|t"#)
        await stage.set("known", to: FlagSetting(isOn: true))
        #expect(try await Self.psql(row, database) == #"enabled|100|{"owner": "ann"}|t"#)
    }

    @Test func aNewRowSaysWhoseItIs() async throws {
        let database = try await Self.database()
        try await Stage.postgres(in: database).set("new-one", to: .off)
        #expect(
            try await Self.psql(
                "SELECT status, metadata, tenant_id IS NULL, flag_id IS NOT NULL FROM feature_flags WHERE flag_name = 'new-one'", database)
                == #"disabled|{"managed_by": "belay"}|t|t"#)
    }

    @Test(.timeLimit(.minutes(1))) func whoListensIsToldOfWhatIsCommittedAndOfNothingElse() async throws {
        let database = try await Self.database()
        let stage = try await Stage.postgres(in: database)
        let gate = try await Self.connect(database)
        _ = try await gate.query("SELECT pg_advisory_lock(7)")
        let url = try await PostgresServer.shared.url(of: database)
        async let heard = BuiltProgram(onSearchPath: "psql").run(
            ["-X", "-q", "-A", "-t", url, "-c", "LISTEN feature_flags", "-c", "SELECT pg_advisory_lock(7)"], variables: [:])
        while try await gate.query(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).scalar != "1" {}
        let bad = FlagChange(name: "known", from: nil, to: .off, marker: "another")
        _ = await stage.apply([await stage.change("refused", to: .off), bad])
        _ = await stage.apply([await stage.change("known", to: .off), await stage.change("it's new", to: .off)])
        _ = try await gate.query("SELECT pg_advisory_unlock(7)")
        let output = try await heard.output
        #expect(output.contains(#""feature_flags" with payload "known""#), "\(output)")
        #expect(output.contains(#"with payload "it's new""#))
        #expect(!output.contains("refused"))
    }

    @Test func aTenantsRowUnderTheOnlyNameIsNotTouched() async throws {
        let database = try await Self.database(
            Stage.postgresTable
                + "; INSERT INTO feature_flags (flag_name, status, tenant_id) VALUES ('theirs', 'enabled', '\(Stage.tenant)')")
        let stage = try await Stage.postgres(in: database)
        let before = try await stage.content()
        let seen = await stage.observe("theirs")
        #expect(seen.problem?.reason == "TenantRow")
        #expect(seen.notes == ["1 tenant has a row of its own for theirs, which is left alone"])
        #expect(Self.problem(await stage.set("theirs", to: .off))?.reason == "TenantRow")
        #expect(try await stage.content() == before)
    }

    @Test func tenantsKeepTheirRowsBesideTheGlobalOne() async throws {
        let database = try await Self.database(
            """
            \(Stage.postgresTable);
            ALTER TABLE feature_flags DROP CONSTRAINT feature_flags_flag_name_key, ADD UNIQUE (flag_name, tenant_id);
            INSERT INTO feature_flags (flag_name, status, tenant_id) VALUES ('known', 'enabled', '\(Stage.tenant)'), ('theirs', 'enabled', '\(Stage.tenant)')
            """)
        let stage = try await Stage.postgres(in: database)
        for name in ["known", "theirs"] {
            await stage.set(name, to: .off)
            let seen = await stage.observe(name)
            #expect(seen.setting == .off)
            #expect(seen.notes.count == 1)
        }
        #expect(try await Self.psql("SELECT DISTINCT status FROM feature_flags WHERE tenant_id IS NOT NULL", database) == "enabled")
    }

    @Test(
        arguments: [
            ("CREATE TABLE feature_flags (flag_name text PRIMARY KEY, status text)", nil, "the least"),
            ("CREATE TABLE feature_flags (name text, enabled boolean)", "TableUnfit", "another kind of table"),
            ("CREATE TABLE feature_flags (flag_name text)", "TableUnfit", "no status"),
            ("SELECT 1", "TableMissing", "no table"),
            (
                "CREATE TYPE state AS ENUM ('enabled', 'disabled'); CREATE TABLE feature_flags (flag_name varchar PRIMARY KEY, status state)",
                nil, "an enum"
            ),
        ] as [(String, String?, Comment)])
    func aTableIsKnownByItsColumns(_ script: String, _ reason: String?, _ why: Comment) async throws {
        let stage = try await Stage.postgres(in: try await Self.database(script))
        #expect(await stage.observe("a").problem?.reason == reason, why)
        #expect(Self.problem(await stage.set("a", to: FlagSetting(isOn: true)))?.reason == reason, why)
        #expect(await stage.observe("a").setting == (reason == nil ? FlagSetting(isOn: true) : nil), why)
    }

    @Test func aTableThatDoesNotFitSaysWhichColumnsItNeeds() async throws {
        let stage = try await Stage.postgres(in: try await Self.database("CREATE TABLE feature_flags (name text)"))
        #expect(
            await stage.observe("a").problem?.description
                == "sql/main/feature_flags: the table feature_flags has no column flag_name and no column status; name a table with the columns flag_name (unique) and status (enabled, disabled or gradual_rollout); flag_id, rollout_percentage, tenant_id, metadata, updated_at are used where they are there"
        )
    }

    @Test func aTableWithoutPercentagesRefusesARollout() async throws {
        let stage = try await Stage.postgres(
            in: try await Self.database("CREATE TABLE feature_flags (flag_name text PRIMARY KEY, status text)"))
        #expect(Self.problem(await stage.set("a", to: FlagSetting(isOn: true, rollout: 5)))?.reason == "NoRollout")
    }

    @Test func aTableHasNoVariants() async throws {
        let stage = try await Stage.postgres()
        #expect(Self.problem(await stage.set("known", to: FlagSetting(isOn: true, variant: "blue")))?.reason == "NoVariants")
    }

    @Test func aTableMayStandInASchemaAndHaveCapitals() async throws {
        let database = try await Self.database(
            "CREATE SCHEMA app; CREATE TABLE app.\"Flags\" (flag_name text PRIMARY KEY, status text); INSERT INTO app.\"Flags\" VALUES ('a', 'enabled')"
        )
        let stage = try await Stage.postgres(in: database, SQLFlagTarget(database: "main", table: "app.Flags"))
        await stage.set("a", to: .off)
        #expect(try await Self.psql("SELECT status FROM app.\"Flags\"", database) == "disabled")
    }

    @Test(
        arguments: [
            ("UPDATE feature_flags SET rollout_percentage = 300, status = 'gradual_rollout'", "FlagUnclear", "more than all"),
            (
                "ALTER TABLE feature_flags DROP CONSTRAINT feature_flags_status_check; UPDATE feature_flags SET status = 'beta'",
                "FlagUnclear", "a status of another program"
            ),
        ] as [(String, String, Comment)])
    func aRowThatCannotBeReadIsNotOverwritten(_ script: String, _ reason: String, _ why: Comment) async throws {
        let stage = try await Stage.postgres(in: try await Self.database("\(Stage.postgresTable); \(script)"))
        let before = try await stage.content()
        #expect(Self.problem(await stage.set("known", to: .off))?.reason == reason, why)
        #expect(try await stage.content() == before, why)
    }

    @Test func aRowThatSomebodyElseHoldsIsWaitedForAndThenTriedAgain() async throws {
        let database = try await Self.database()
        let stage = try await Stage.postgres(in: database)
        let change = await stage.change("known", to: .off)
        let other = try await Self.connect(database)
        try await other.execute("BEGIN; SELECT * FROM feature_flags FOR UPDATE")
        guard case .throttled(let problem) = await stage.apply([change]) else {
            Issue.record("not throttled")
            return
        }
        #expect(problem.reason == "TableBusy")
        try await other.execute("ROLLBACK")
        #expect(Self.problem(await stage.apply([change])) == nil)
    }

    @Test func aReaderMayObserveAndIsToldWhichRightsItLacks() async throws {
        let database = try await Self.database()
        _ = try await Self.psql(
            "DO $$ BEGIN CREATE ROLE flag_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT SELECT ON feature_flags TO flag_reader",
            database)
        let stage = try await Stage.postgres(in: database, user: "flag_reader")
        let seen = await stage.observe("known")
        #expect(seen.setting == FlagSetting(isOn: true), "\(seen)")
        #expect(Self.problem(await stage.set("known", to: .off))?.reason == "Forbidden")
    }

    @Test(
        arguments: [
            ("COMMIT", true, "the only moment that cannot be told"), ("UPDATE", false, "rolled back by the server"),
            ("SELECT pg_notify", false, "rolled back by the server"), ("BEGIN", false, "nothing was done"),
        ] as [(String, Bool, Comment)])
    func onlyALostCommitIsAnUnknownOutcome(_ words: String, _ isUnknown: Bool, _ why: Comment) async throws {
        let database = try await Self.database()
        let change = try await Stage.postgres(in: database).change("known", to: .off)
        let stage = try await Stage.postgres(in: database, loses: words)
        switch await stage.apply([change]) {
        case .unknown: #expect(isUnknown, why)
        case .refused: #expect(!isUnknown, why)
        case let other: Issue.record("\(other)")
        }
        let after = try await Stage.postgres(in: database).observe("known").setting
        #expect(after == (isUnknown ? .off : FlagSetting(isOn: true)), why)
    }

    @Test func aPolicyThatHidesARowFromWritingIsTold() async throws {
        let database = try await Self.database(
            """
            \(Stage.postgresTable);
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER keep BEFORE UPDATE ON feature_flags FOR EACH ROW EXECUTE FUNCTION keep()
            """)
        let stage = try await Stage.postgres(in: database)
        #expect(Self.problem(await stage.set("known", to: .off))?.reason == "NothingWritten")
    }
}

/// The same table on SQLite.
@Suite struct SQLiteFlagTests {
    @Test func aNewRowGetsAnID() async throws {
        let stage = try await Stage.sqlite()
        await stage.set("new-one", to: FlagSetting(isOn: true))
        let row = try await stage.content().split(separator: "\n").first { $0.contains("new-one") }?.split(separator: "|")
        #expect(row?.first?.count == 32)
        #expect(row?.dropFirst().prefix(5).joined(separator: "|") == #"new-one|enabled|100|NULL|{"managed_by":"belay"}"#)
    }

    @Test func aTenantsRowUnderTheOnlyNameIsNotTouched() async throws {
        let stage = try await Stage.sqlite(
            """
            CREATE TABLE feature_flags (flag_name TEXT UNIQUE, status TEXT, tenant_id TEXT);
            INSERT INTO feature_flags VALUES ('theirs', 'enabled', 't1')
            """)
        #expect(await stage.observe("theirs").problem?.reason == "TenantRow")
    }

    @Test func tenantsKeepTheirRowsBesideTheGlobalOne() async throws {
        let stage = try await Stage.sqlite(
            """
            CREATE TABLE feature_flags (flag_name TEXT, status TEXT, tenant_id TEXT, UNIQUE (flag_name, tenant_id));
            INSERT INTO feature_flags VALUES ('theirs', 'enabled', 't1')
            """)
        await stage.set("theirs", to: .off)
        #expect(try await stage.content().split(separator: "\n").sorted() == ["theirs|disabled|NULL", "theirs|enabled|t1"])
    }

    @Test func aTableThatIsNotThereIsTold() async throws {
        #expect(try await Stage.sqlite("SELECT 1").observe("a").problem?.reason == "TableMissing")
    }
}
