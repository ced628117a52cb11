import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing
import Synchronization
import TestPrograms
import Testing

@Suite(.timeLimit(.minutes(1))) struct SQLiteRunTests {
    private func settings(_ path: String) -> MigrationSession.Settings {
        MigrationSession.Settings(table: "schema_migrations", run: "r1", actor: "ann") { _ throws(SQLError) in
            try await SQLiteConnection(path, mode: .create)
        }
    }

    @Test(arguments: ["WAL", "DELETE"]) func aBackupReadsWhatWasCommittedWhileTheWriteLockIsHeld(mode: String) async throws {
        let place = try Place()
        let path = place.path("a.db")
        let connection = try await SQLiteConnection(path, mode: .create)
        try await connection.execute("PRAGMA journal_mode = \(mode); CREATE TABLE schema_migrations (version TEXT PRIMARY KEY)")
        try await connection.execute("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1), (2)")
        let session = try await MigrationSession.open(settings(path)).get()
        var job = try MigrationJob.make("DROP TABLE t; CREATE TABLE u (id INTEGER)", dialect: .sqlite)
        let copy = place.path("copy.db")
        job.tablesAtRisk = ["t"]
        job.backup = { _, _ in
            do {
                let reader = try await SQLiteConnection(path, mode: .create)
                try await reader.execute("VACUUM INTO '\(copy)'")
                try await reader.execute("PRAGMA busy_timeout = 50")
                await #expect(throws: SQLError.self) { try await reader.execute("INSERT INTO t VALUES (3)") }
                await reader.close()
                return .success([])
            } catch {
                return .failure(Problem("BackupFailed", "\(error)"))
            }
        }
        #expect(await session.run(job).problem == nil)
        #expect(await session.run(job) == .done("1_a is applied already"))
        let saved = try await SQLiteConnection(copy, mode: .create)
        #expect(try await saved.query("SELECT count(*) FROM t").scalar == "2")
        #expect(try await connection.query("SELECT state FROM _belay_migration_archive").scalar == "applied")
        #expect(await session.run(try .make("VACUUM", version: "2_b", dialect: .sqlite)).problem == nil)
        #expect(await session.run(try .make("SELECT missing", version: "3_c", dialect: .sqlite)).problem?.reason == "MigrationFailed")
        await session.close()
        for open in [connection, saved] { await open.close() }
        try place.remove()
    }

    @Test func foreignKeysAreOffForTheScriptAndCheckedBeforeItsEnd() async throws {
        let place = try Place()
        let path = place.path("a.db")
        let connection = try await SQLiteConnection(path, mode: .create)
        try await connection.execute(
            """
            CREATE TABLE schema_migrations (version TEXT PRIMARY KEY); CREATE TABLE p (id INTEGER PRIMARY KEY);
            CREATE TABLE c (p INTEGER REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)
            """)
        let session = try await MigrationSession.open(settings(path)).get()
        let broken = try MigrationJob.make("DELETE FROM p", pragmas: ["foreign_keys=off"], dialect: .sqlite)
        #expect(await session.run(broken).problem?.reason == "ForeignKeyViolated")
        #expect(try await connection.query("SELECT count(*) FROM p").scalar == "1")
        let rebuild = try MigrationJob.make(
            "CREATE TABLE q (id INTEGER PRIMARY KEY, n); INSERT INTO q SELECT id, 0 FROM p; DROP TABLE p; ALTER TABLE q RENAME TO p",
            pragmas: ["foreign_keys=off"], dialect: .sqlite)
        #expect(await session.run(rebuild).problem == nil)
        await session.close()
        await connection.close()
        try place.remove()
    }
}
