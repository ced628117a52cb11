import DatabaseServers
import Migrations
import Model
import ProviderKit
import SQL
import TestPrograms
import Testing

/// A restore whose lease somebody else has taken meanwhile changes nothing.
@Suite(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), .timeLimit(.minutes(3))) struct RestoreLeaseTests {
    private static let expire = "UPDATE belay.migration_lease SET expires_at = now() - interval '1 s'"

    @Test(arguments: [RestorePlan.Strategy.swap, .inPlace], [false, true])
    func itEndsBeforeItsSwitch(_ strategy: RestorePlan.Strategy, merelyRanOut: Bool) async throws {
        let bench = try await Bench()
        let place = try Place()
        try await bench.connection.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
        try await Archive(.postgres).ensure(on: bench.connection)
        let store = BackupStore(directory: place.path("backups"), system: SystemID(name: "shop"), key: Array(repeating: 7, count: 32))
        let server = try PostgresPlace(PostgresAddress(bench.url), run: "r1", programs: PostgresPrograms(environment: [:]))
        let backups = PostgresBackups(store: store, place: server)
        let request = BackupRequest(system: "shop", database: "main", run: "r1")
        let backup = try await backups.full(request)
        try await bench.connection.execute("INSERT INTO t VALUES (2)")
        guard case .taken(let lease) = try await Lease.take(on: bench.connection, holder: "ann", for: .seconds(30)) else {
            throw CancellationError()
        }
        let url = bench.url
        let restore = PostgresRestore(backups, request, lease: lease) { step in
            guard step == .saved else { return }
            do {
                let other = try await PostgresConnection(PostgresAddress(url))
                try await other.execute(Self.expire)
                if !merelyRanOut { _ = try await Lease.take(on: other, holder: "bob", for: .seconds(30)) }
                await other.close()
            } catch {
                Issue.record(error)
            }
        }
        await bench.connection.close()
        let plan = try await restore.plan(.backup(backup.id), strategy: strategy)
        var reason: String?
        do throws(Problem) { _ = try await restore.run(plan) } catch { reason = error.reason }
        #expect(reason == (merelyRanOut ? nil : "LeaseLost"))
        let rows = try await PostgresServer.shared.psql("SELECT count(*) FROM t", database: bench.name)
        #expect(rows == (merelyRanOut ? "1" : "2"))
        try place.remove()
    }
}
