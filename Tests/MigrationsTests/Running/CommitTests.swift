import DatabaseServers
import Migrations
import Model
import ProviderKit
import SQL
import SQLParsing
import Testing

@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(2))) struct CommitTests {
    /// A deferred trigger runs inside COMMIT: it is there that the session is ended.
    @Test(arguments: [false, true]) func aSessionThatEndsInsideCommitLeavesNothing(oneByOne: Bool) async throws {
        let bench = try await Bench()
        try await bench.connection.execute(
            """
            CREATE TABLE watched (id int);
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON watched DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die();
            """)
        var settings = bench.settings()
        if oneByOne { settings.afterEffect = { _ in } }
        let session = try await MigrationSession.open(settings).get()
        let problem = await session.run(try .make("CREATE TABLE t (id int); INSERT INTO watched VALUES (1)")).problem
        #expect(problem?.reason == "ConnectionLost")
        #expect(try await bench.scalar("SELECT to_regclass('t')") == nil)
        #expect(await session.run(try .make("CREATE TABLE t (id int)")).problem == nil)
        #expect(try await bench.recorded() == ["1"])
        await session.close()
    }

    /// The answer to COMMIT is lost though it was carried out.
    @Test(arguments: [false, true]) func aLostAnswerToCommitIsFoundOut(oneByOne: Bool) async throws {
        let bench = try await Bench()
        let url = bench.url
        var settings = MigrationSession.Settings(table: "public.schema_migrations", run: "r1", actor: "ann") { _ throws(SQLError) in
            DeafConnection(try await PostgresConnection(PostgresAddress(url)))
        }
        settings.orphanGrace = .milliseconds(500)
        if oneByOne { settings.afterEffect = { _ in } }
        let session = try await MigrationSession.open(settings).get()
        guard case .done(let text) = await session.run(try .make("CREATE TABLE t (id int)")) else {
            Issue.record("not done")
            return
        }
        #expect(text.contains("the connection broke at its end"))
        #expect(try await bench.recorded() == ["1"])
        await session.close()
    }
}

/// Loses the answer to every script that commits a migration, and with it the connection.
actor DeafConnection: SQLConnection {
    nonisolated let engine = SQLEngine.postgres
    private let inner: PostgresConnection

    init(_ inner: PostgresConnection) { self.inner = inner }

    func query(_ sql: String, _ parameters: [SQLValue]) async throws(SQLError) -> SQLRows { try await inner.query(sql, parameters) }

    func execute(_ script: String) async throws(SQLError) {
        try await inner.execute(script)
        let isBundle = script.contains("schema_migrations") && script.contains("COMMIT")
        guard script == "COMMIT" || isBundle else { return }
        await inner.close()
        throw SQLError(.lost, "the connection was closed")
    }

    var transaction: SQLTransactionState { get async { await inner.transaction } }
    func close() async { await inner.close() }
}
