import DatabaseServers
import FoundationEssentials
import TestPrograms
import Testing

/// A migration of which nobody can tell how it stands, through the program.
@Suite(.enabled(if: PostgresServer.isAvailable, Comment(rawValue: PostgresServer.need)))
struct ResolveTests {
    @Test(arguments: [("--done", "1,3"), ("--retry", "1,2,3")])
    func whatWasKilledWithinABlockGoesOnAsItIsTold(_ resolution: String, _ rows: String) async throws {
        let name = try await PostgresServer.shared.makeDatabase()
        let place = try Place()
        try place.write(
            "system.yaml",
            """
            apiVersion: belay.dev/v1alpha1
            kind: System
            metadata: {name: shop}
            spec:
              databases:
                main:
                  postgres: {url: {fromEnv: DATABASE_URL}}
                  migrations: {path: migrations}
                  schema: 2_rows
            """)
        try place.write("migrations/1_t.sql", "-- migrate:up\nCREATE TABLE t (id int);\n-- migrate:down\nDROP TABLE t;\n")
        try place.write(
            "migrations/2_rows.sql",
            """
            -- migrate:up transaction:false
            INSERT INTO t VALUES (1);
            DO $$ BEGIN PERFORM pg_sleep(4); INSERT INTO t VALUES (2); END $$;
            INSERT INTO t VALUES (3);
            -- migrate:down transaction:false
            DELETE FROM t;
            """)
        let variables: [String: String?] = [
            "XDG_STATE_HOME": place.path("state"), "DATABASE_URL": try await PostgresServer.shared.url(of: name),
        ]
        func reconcile(_ arguments: String...) async throws -> BuiltProgram.Ended {
            try await BuiltProgram("reconcile").run(arguments + ["-f", "system.yaml"], variables: variables, in: place.root)
        }
        func sql(_ text: String) async throws -> String { try await PostgresServer.shared.psql(text, database: name) }

        /// A block may lose anything, so that it needs an approval: the one that the refusal asks for.
        func approval() async throws -> String {
            let refused = try await reconcile("--once", "--adopt")
            #expect(refused.status == 3, "\(refused.output)\(refused.errors)")
            let digest = refused.output.firstMatch(of: #/--approve ([0-9a-f]{12})/#)?.1
            return String(try #require(digest, "\(refused.output)"))
        }

        let early = try await reconcile("migrate", "resolve", "2_rows", resolution)
        #expect(early.status == 1 && early.errors.contains("2_rows is not stuck"), "\(early.output)\(early.errors)")
        let digest = try await approval()
        // Killed while the block sleeps: it is under way as soon as the first row is there.
        let killer = Task {
            let question =
                "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()"
            var tries = 0
            while tries < 200, try await !sql(question).hasPrefix("1") {
                tries += 1
                try await Task.sleep(for: .milliseconds(50))
            }
            _ = try await BuiltProgram(onSearchPath: "bash").run(["-c", "kill -KILL $(cat '\(place.path("pid"))')"])
        }
        let line =
            "echo $$ > '\(place.path("pid"))'; exec '\(BuiltProgram.path(of: "reconcile"))' --once --adopt --approve \(digest) -f system.yaml"
        let killed = try await BuiltProgram(onSearchPath: "bash").run(["-c", line], variables: variables, in: place.root)
        #expect(killed.status == 137, "\(killed.output)\(killed.errors)")
        try await killer.value
        // What the dead process left is taken away at once, instead of waiting until it is old enough.
        _ = try await sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
        _ = try await sql("UPDATE belay.migration_lease SET holder = NULL")

        // What was approved stays so for what remains of the same way.
        let stuck = try await reconcile("--once")
        #expect(stuck.status != 0, "\(stuck.output)\(stuck.errors)")
        let status = try await reconcile("migrate", "status")
        #expect(status.output.contains("reconcile migrate resolve 2_rows --done, --retry or --undo"), "\(status.output)\(status.errors)")
        let wrong = try await reconcile("migrate", "resolve", "2_rows")
        #expect(wrong.status == 64, "one of the three must be said: \(wrong.errors)")
        let resolved = try await reconcile("migrate", "resolve", "2_rows", resolution)
        #expect(resolved.status == 0 && resolved.output.contains("is written down"), "\(resolved.output)\(resolved.errors)")
        let on = try await reconcile("--once")
        #expect(on.status == 0, "\(on.output)\(on.errors)")
        #expect(try await sql("SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM t") == rows)
        try place.remove()
    }
}
