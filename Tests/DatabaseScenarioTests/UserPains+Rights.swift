import DatabaseServers
import TestPrograms
import Testing

extension UserPains {
    // hindsight#4611, golang-migrate's ensureVersionTable: looking needs the rights of a migration.
    @Test func lookingNeedsNoRightToWriteAndWritesNothing() async throws {
        try await Operator.with(.postgres) { ship in
            let role = "reader_\(UInt32.random(in: 0 ... .max))"
            try await ship.ask(
                "CREATE ROLE \(role) LOGIN; GRANT pg_read_all_data TO \(role); ALTER ROLE \(role) SET default_transaction_read_only = on")
            var reader = ship.colleague("reader")
            reader.variables["DATABASE_URL"] = try await PostgresServer.shared.url(of: ship.database, user: role)
            try ship.writeTables(1...3)

            // A database that nothing has been done to.
            let first = try await reader.plan(Operator.stem(2))
            #expect(first.migrations == [1, 2].map { "migrate-up \(Operator.stem($0))" }, "\(first.message)\(first.errors)")
            #expect(try await ship.dump() == [])
            #expect(try await ship.ask("SELECT to_regnamespace('belay') IS NULL") == "t")

            // One that Belay has moved.
            try await ship.arrive(at: Operator.stem(2))
            let journal = try await ship.ask("SELECT count(*) FROM belay.migration_journal")
            #expect(try await reader.plan(Operator.stem(1)).migrations == ["migrate-down \(Operator.stem(2))"])
            #expect(try await reader.plan(Operator.stem(3)).migrations == ["migrate-up \(Operator.stem(3))"])
            let status = try await reader.reconcile(["status"], spec: reader.spec(Operator.stem(2)))
            #expect(status.status == 0 && status.output.contains(Operator.stem(2)), "\(status.output)\(status.errors)")
            #expect(try await ship.ask("SELECT count(*) FROM belay.migration_journal") == journal)

            // What has nothing to do writes nothing either.
            let idle = try await reader.once(Operator.stem(2))
            #expect(idle.status == 0, "\(idle.told)")
        }
    }

    // The role may not make the schema in which Belay remembers: told before anything runs, with what an administrator has to do.
    @Test func aRoleThatMayNotMakeTheSchemaIsToldSo() async throws {
        try await Operator.with(.postgres) { ship in
            ship.variables["DATABASE_URL"] = try await PostgresServer.shared.url(of: ship.database, user: "limited")
            try await ship.ask("GRANT CREATE ON SCHEMA public TO limited")
            try ship.writeTables(1...2)
            let ended = try await ship.move(to: Operator.stem(2))
            #expect(ended.status != 0 && ended.output.contains("belay"), "\(ended.told)")
            #expect(try await ship.tables() == [])
            try await ship.ask("CREATE SCHEMA belay AUTHORIZATION limited")
            try await ship.arrive(at: Operator.stem(2))
            #expect(try await ship.tables() == ["t1", "t2"])
        }
    }

    // An extension that an administrator has made already is not made again by a role that may not.
    @Test func anExtensionThatIsThereIsPassedOver() async throws {
        try await Operator.with(.postgres) { ship in
            ship.variables["DATABASE_URL"] = try await PostgresServer.shared.url(of: ship.database, user: "limited")
            try await ship.ask("GRANT CREATE ON SCHEMA public TO limited; CREATE SCHEMA belay AUTHORIZATION limited")
            // Not a trusted one: only a superuser may make it.
            try ship.write(
                Operator.stem(1), up: "CREATE EXTENSION IF NOT EXISTS file_fdw;\nCREATE TABLE t1 (id integer);", down: "DROP TABLE t1;")
            let refused = try await ship.move(to: Operator.stem(1))
            #expect(refused.status == 1 && refused.output.contains("file_fdw"), "\(refused.told)")
            #expect(try await ship.tables() == [])
            try await ship.ask("CREATE EXTENSION file_fdw")
            try await ship.arrive(at: Operator.stem(1))
            try await ship.arrive(at: "none")
            #expect(try await ship.ask("SELECT count(*) FROM pg_extension WHERE extname = 'file_fdw'") == "1")
        }
    }

    // authentik#23876, tern#146, atlas PR#2447, rails#31190, flyway#2895, mockforge PR#968: a pooler gives the lock to somebody else.
    @Test(.enabled(if: PostgresServer.isPoolerAvailable, "\(PostgresServer.poolerNeed)"))
    func throughAPoolerWithoutADirectAddressNothingIsBegunThatNeedsASession() async throws {
        try await Operator.with(.postgres, isPooled: true) { ship in
            var pooledOnly = ship
            pooledOnly.variables["DIRECT_URL"] = nil
            try ship.writeTables(1...2)
            try ship.write(
                Operator.stem(3), up: "CREATE INDEX CONCURRENTLY i3 ON t1 (id);", down: "DROP INDEX CONCURRENTLY i3;",
                isTransactional: false)
            let ended = try await pooledOnly.move(to: Operator.stem(3))
            #expect(ended.status != 0 && ended.reasons.first == "DirectConnectionNeeded", "\(ended.told)")
            #expect(ended.output.contains("directUrl"))
            #expect(try await ship.tables() == [], "the whole way is looked at first")
            try await ship.arrive(at: Operator.stem(3))
            try await ship.arrive(at: "none")
            #expect(
                try await ship.ask(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                        + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == "0")
        }
    }

    // Passwords stand in addresses, and errors quote addresses.
    @Test func noPasswordIsPrintedWhateverGoesWrong() async throws {
        try await Operator.with(.postgres) { ship in
            try ship.writeTables(1...1)
            let port = try await PostgresServer.shared.port()
            for address in [
                "postgres://guarded:wr0ng-s3cret@127.0.0.1:\(port)/\(ship.database)", "postgres://guarded:wr0ng-s3cret@127.0.0.1:1/none",
                "postgres://guarded:wr0ng-s3cret@[::bad/none", "postgres://guarded:wr0ng-s3cret@127.0.0.1:\(port)/none?sslmode=never",
            ] {
                ship.variables["DATABASE_URL"] = address
                let ended = try await ship.once(Operator.stem(1), timeout: "1s")
                #expect(ended.status == 1)
                #expect(!(ended.output + ended.errors).contains("wr0ng"), "\(ended.told)")
            }
        }
    }
}
