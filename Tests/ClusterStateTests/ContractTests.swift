import ControlPlane
import FakeCluster
import State
import StateContract
import Testing

@testable import ClusterState

/// What every state store promises, in a cluster.
@Suite(.timeLimit(.minutes(3))) struct ContractTests {
    @Test(arguments: StateClause.all) func onAServerThatIsMadeUp(_ clause: StateClause) async throws {
        try #expect(await clause.violation(in: Stand(FakeCluster()).world()) == nil)
    }

    @Test(arguments: StateClause.all) func inOneProcessThatRemembers(_ clause: StateClause) async throws {
        try #expect(await clause.violation(in: Stand(FakeCluster()).world(memory: JournalMemory())) == nil)
    }

    @Test(arguments: StateClause.all) func withASegmentForEveryFewLines(_ clause: StateClause) async throws {
        try #expect(await clause.violation(in: Stand(FakeCluster(), headLimit: 1500).world()) == nil)
    }

    @Test(.enabled(if: ControlPlane.isAvailable, Comment(rawValue: ControlPlane.need)), arguments: StateClause.all)
    func onARealServer(_ clause: StateClause) async throws {
        try #expect(await clause.violation(in: Stand.real().world()) == nil)
    }
}
