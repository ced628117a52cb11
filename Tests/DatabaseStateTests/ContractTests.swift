import DatabaseServers
import Model
import State
import StateContract
import Testing

/// What every state store promises, on every place where there can be one.
@Suite(.timeLimit(.minutes(3))) struct ContractTests {
    @Test(arguments: StateClause.all) func inADirectory(_ clause: StateClause) async throws {
        let folder = try Folder()
        let world = StateWorld(lease: .seconds(1), expires: false) { name in
            DirectoryStateStore(StateDirectory(root: folder.path, system: SystemID(name: name)), lease: .seconds(1))
        }
        try #expect(await clause.violation(in: world) == nil)
    }

    @Test(arguments: StateClause.all) func inASQLiteFile(_ clause: StateClause) async throws {
        let stand = try Stand.sqlite()
        try #expect(await clause.violation(in: stand.world()) == nil)
    }

    @Test(.enabled(if: PostgresServer.isAvailable, "\(PostgresServer.need)"), arguments: StateClause.all)
    func inPostgres(_ clause: StateClause) async throws {
        let stand = try await Stand.postgres()
        try #expect(await clause.violation(in: stand.world()) == nil)
    }

    @Test(.enabled(if: PostgresServer.isPoolerAvailable, "\(PostgresServer.poolerNeed)"), arguments: StateClause.all)
    func behindAPoolerInTransactionMode(_ clause: StateClause) async throws {
        let stand = try await Stand.pooled()
        try #expect(await clause.violation(in: stand.world()) == nil)
    }
}
