import DatabaseServers
import TestPrograms
import Testing

extension UserPains {
    // goose#73, #121, #172, #279, #402, #523, #1011, node-migrate#78: branches are merged in another order than they were made.
    @Test(arguments: Operator.Engine.allCases) func whatAMergeBringsTooLateIsToldAppliedOrRebased(_ engine: Operator.Engine) async throws {
        for policy in ["block", "apply", "rebase"] {
            try await Operator.with(engine) { ship in
                try ship.writeTable(1)
                try ship.writeTable(3)
                try ship.writeTable(4)
                try await ship.arrive(at: Operator.stem(4))
                try ship.writeTable(2)
                ship.settings = ["outOfOrder: \(policy)"]
                let plan = try await ship.plan(Operator.stem(4))
                let ended = try await ship.move(to: Operator.stem(4))
                switch policy {
                case "block":
                    expectStop(ended, 3, "OutOfOrder")
                    #expect(plan.message.contains(Operator.stem(2)))
                    #expect(try await ship.tables() == ["t1", "t3", "t4"])
                case "apply":
                    #expect(plan.migrations == ["migrate-up \(Operator.stem(2))"])
                    #expect(ended.status == 0, "\(ended.told)")
                    // It was applied last, so it goes back first.
                    let back = try await ship.plan(Operator.stem(1))
                    #expect(back.migrations == [2, 4, 3].map { "migrate-down \(Operator.stem($0))" })
                    try await ship.arrive(at: Operator.stem(1))
                    #expect(try await ship.tables() == ["t1"])
                default:
                    #expect(
                        plan.migrations == [4, 3].map { "migrate-down \(Operator.stem($0))" }
                            + [2, 3, 4].map { "migrate-up \(Operator.stem($0))" })
                    #expect(ended.status == 0, "\(ended.told)")
                    let back = try await ship.plan(Operator.stem(1))
                    #expect(back.migrations == [4, 3, 2].map { "migrate-down \(Operator.stem($0))" })
                }
            }
        }
    }

    // A file that vanished below the pin was not asked to be taken back by anybody.
    @Test(arguments: Operator.Engine.allCases) func aFileThatIsGoneBelowThePinIsNotTakenBackByItself(_ engine: Operator.Engine) async throws
    {
        try await Operator.with(engine) { ship in
            try ship.writeTables(1...3)
            try await ship.arrive(at: Operator.stem(3))
            try ship.remove(Operator.stem(2))
            let ended = try await ship.move(to: Operator.stem(3))
            expectStop(ended, 3, "MissingBelowPin")
            #expect(ended.output.contains(Operator.stem(2)))
            #expect(try await ship.tables() == ["t1", "t2", "t3"])
            ship.settings = ["revert: [\(Operator.stem(2))]"]
            try await ship.arrive(at: Operator.stem(3))
            #expect(try await ship.tables() == ["t1", "t3"])
        }
    }

    @Test(arguments: Operator.Engine.allCases) func aPinThatIsNotOneMigrationIsRefusedAndNeverGuessed(_ engine: Operator.Engine)
        async throws
    {
        try await Operator.with(engine) { ship in
            // Where the whole stem is the version, a number may be shared.
            ship.settings = ["format: stem"]
            for stem in ["1_a", "2_b", "2_c", "3_d"] {
                try ship.place.write("migrations/\(stem).up.sql", "CREATE TABLE t\(stem) (id integer);")
                try ship.place.write("migrations/\(stem).down.sql", "DROP TABLE t\(stem);")
            }
            try await ship.arrive(at: "1")
            let shared = try await ship.move(to: "2")
            #expect(shared.status != 0, "a number that two files have: \(shared.told)")
            #expect(shared.output.contains("2_b") && shared.output.contains("2_c"), "both are named: \(shared.told)")
            let unknown = try await ship.move(to: "4")
            #expect(unknown.status != 0 && unknown.reasons.first == "PinNotFound", "\(unknown.told)")
            #expect(try await ship.tables().filter { $0.hasPrefix("t") } == ["t1_a"])
            try await ship.arrive(at: "2_b")
            #expect(try await ship.tables().filter { $0.hasPrefix("t") } == ["t1_a", "t2_b"])
        }
    }

    // 8 digits and 14: numerically one comes first, lexically the other.
    @Test func anOrderThatIsNotClearIsAskedFor() async throws {
        try await Operator.with(.sqlite) { ship in
            try ship.write("20240611_add_index", up: "CREATE TABLE t1 (id integer);", down: "DROP TABLE t1;")
            try ship.write("20231231235959_x", up: "CREATE TABLE t2 (id integer);", down: "DROP TABLE t2;")
            let ended = try await ship.move(to: "20240611_add_index")
            #expect(ended.status == 1 && ended.output.contains("20231231235959_x"), "\(ended.told)")
            #expect(ended.output.contains("AmbiguousOrder"), "\(ended.told)")
            #expect(try await ship.tables() == [])
            ship.settings = ["order: numeric"]
            try await ship.arrive(at: "20240611_add_index")
            #expect(try await ship.tables() == ["t1"])
        }
    }

    // flyway#745, #2027, #2255, #2474, #2983: a checkout with other line ends, or a comment, and nothing can be deployed any more.
    @Test(arguments: Operator.Engine.allCases) func editsOfLayoutBlockNothingAndOthersDo(_ engine: Operator.Engine) async throws {
        try await Operator.with(engine) { ship in
            let up = "CREATE TABLE t1 (id integer, note text DEFAULT 'a  b');\nCREATE INDEX i1 ON t1 (id);"
            let down = "DROP TABLE t1;"
            try ship.write(Operator.stem(1), up: up, down: down)
            try ship.writeTable(2)
            try await ship.arrive(at: Operator.stem(2))
            for (edit, note) in [
                (up.replacing("\n", with: "\r\n"), "line ends of Windows"),
                ("-- who needs this?\n" + up + "\n/* nobody */", "comments"),
                (up.replacing("CREATE TABLE t1 (", with: "create  table\n  t1 ("), "white space and capitals"),
            ] {
                try ship.write(Operator.stem(1), up: edit, down: down)
                let plan = try await ship.plan(Operator.stem(2))
                #expect(plan.status == 0, "\(note): \(plan.message)")
            }
            for (edit, note) in [
                (up.replacing("a  b", with: "a b"), "white space inside a value"),
                (up.replacing("integer", with: "bigint"), "another type"),
                (up + "\nINSERT INTO t1 VALUES (1);", "a statement more"),
            ] {
                try ship.write(Operator.stem(1), up: edit, down: down)
                expectStop(try await ship.move(to: Operator.stem(2)), 3, "ChecksumMismatch")
                #expect(try await ship.plan(Operator.stem(2)).message.contains(Operator.stem(1)), "\(note)")
            }
            #expect(try await ship.versions().count == 2)
        }
    }

    // A new database walks through all of history, and what is lost on the way was made on the way: nobody has to approve that.
    @Test(arguments: Operator.Engine.allCases) func whatTheSameWayMadeMayBeLostOnItWithoutApproval(_ engine: Operator.Engine) async throws {
        try await Operator.with(engine) { ship in
            try ship.write(
                Operator.stem(1), up: "CREATE TABLE t1 (id integer);\nINSERT INTO t1 VALUES (1);", down: "DROP TABLE t1;")
            try ship.write(
                Operator.stem(2), up: "ALTER TABLE t1 ADD COLUMN note text DEFAULT 'x';", down: "ALTER TABLE t1 DROP COLUMN note;")
            try ship.write(
                Operator.stem(3), up: "ALTER TABLE t1 DROP COLUMN note;", down: "ALTER TABLE t1 ADD COLUMN note text DEFAULT 'x';")
            try ship.writeTable(4)
            try ship.write(Operator.stem(5), up: "DROP TABLE t1;", down: "CREATE TABLE t1 (id integer);")
            let plan = try await ship.plan(Operator.stem(5))
            #expect(plan.digest == nil, "\(plan.message)")
            let ended = try await ship.once(Operator.stem(5))
            #expect(ended.status == 0, "\(ended.told)")
            #expect(try await ship.tables() == ["t4"])
        }
    }

    // A wrong table is not taken for an empty database.
    @Test(arguments: Operator.Engine.allCases) func aDatabaseThatSomebodyFilledOtherwiseIsNotMigrated(_ engine: Operator.Engine)
        async throws
    {
        try await Operator.with(engine) { ship in
            try ship.writeTables(1...2)
            try await ship.ask("CREATE TABLE orders (id integer)")
            expectStop(try await ship.move(to: Operator.stem(2)), 3, "UnadoptedDatabase")
            #expect(try await ship.tables() == ["orders"])
        }
    }
}
