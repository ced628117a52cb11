import KubernetesProvider
import Model
import ProviderContract
import Testing

struct ContractTests {
    /// In Kubernetes any tag may be pinned, seen or not: the clause about unknown pins is kept with a revision instead.
    static let clauses = Clause.all.filter { $0.description != "a pin that nobody knows leaves what is live known" }

    @Test(arguments: clauses)
    func clauseIsKept(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: KubernetesFixture())
        #expect(violation == nil)
    }

    @Test(arguments: clauses + Clause.stopping)
    func clauseIsKeptAmongOthersOfItsNamespace(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: KubernetesFixture(others: ["aside", "cron"]))
        #expect(violation == nil)
    }

    @Test(arguments: Clause.stopping)
    func clauseOfStoppingIsKept(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: KubernetesFixture())
        #expect(violation == nil)
    }

    struct StatefulFixture: ProviderFixture {
        func makeWorld() async throws -> ContractWorld {
            let cluster = try Cluster([Cluster.workload(kind: "StatefulSet")])
            var world = try await KubernetesFixture.world(of: cluster)
            world.component.target = KubernetesTarget(namespace: "prod", .statefulSet("backend"))
            return world
        }
    }

    @Test(arguments: Clause.stopping)
    func clauseOfStoppingIsKeptByStatefulSets(_ clause: Clause) async throws {
        let violation = try await clause.violation(in: StatefulFixture())
        #expect(violation == nil)
    }

    @Test func onlyTheClauseAboutUnknownPinsIsLeftOut() {
        #expect(Clause.all.count == Self.clauses.count + 1)
    }

    @Test func aRevisionThatNobodyKnowsLeavesWhatIsLiveKnown() async throws {
        let cluster = try Cluster([Cluster.workload()])
        let observation = await cluster.observe(cluster.component(.revision(99)))
        #expect(observation.live.declared?.label == "v1.42.0 (revision 3)")
        #expect(observation.candidates.map(\.release.label) == ["v1.42.0 (revision 3)", "v1.41.3 (revision 2)", "v1.41.2 (revision 1)"])
    }
}
