import Model
import Planning

/// Row 5: a plan for one system of many components, all settled, of which the last few are pinned to their release before.
struct PlanBenchmark {
    private let system: System
    private let revision = Revision(.commit, String(repeating: "b", count: 40))
    private let world: World
    private let recorded: RecordedState
    private let changed: Int

    /// - Parameter changed: how many components are pinned to something else than what runs.
    init(count: Int, changed: Int) {
        self.changed = min(changed, count)
        let before = Revision(.commit, String(repeating: "a", count: 40))
        var system = System(id: SystemID(name: "fleet"))
        var world = World()
        var recorded = RecordedState(isKnown: true, accepted: revision)
        for number in 0..<count {
            let isChanged = number >= count - changed
            let (live, former) = (Self.release(number, "b"), Self.release(number, "a"))
            let component = Component(
                name: "component-\(number)", target: SampleTarget(identity: "acme/component-\(number)"),
                release: .name((isChanged ? former : live).label),
                after: number % 10 == 0 ? [] : [.component("component-\(number - number % 10)")])
            system.components.append(component)
            world.components[component.id] = Observation(
                live: .release(declared: live, serving: [live]),
                candidates: [
                    Candidate(live, routes: []),
                    Candidate(
                        former, routes: [Route(.undo, means: "instant rollback", class: .instant, token: former.label, isIdempotent: false)]
                    ),
                ])
            let reached = Resolution(
                pin: .name(live.label), identity: ArtifactIdentity(.deployment, live.label), label: live.label,
                revision: isChanged ? before : revision)
            recorded.resolutions[component.id] = reached
            recorded.releases[component.id] = [
                ReleaseRecord(resolution: reached, quality: .good, reached: Timestamp(millisecondsSinceEpoch: 1_700_000_000_000))
            ]
        }
        self.system = system
        self.world = world
        self.recorded = recorded
    }

    func measured() throws(BenchError) {
        let made = measuredPlan(system, revision, world, recorded)
        let writes = made.steps.count { $0.action.isWrite }
        guard writes == changed, made.blocked.isEmpty else {
            throw BenchError(1, "the plan has \(writes) writes and \(made.blocked.count) blocked components; expected \(changed) and none")
        }
    }

    private static func release(_ number: Int, _ generation: String) -> Release {
        let id = "dpl_\(generation)\(number)"
        let identity = ArtifactIdentity(.deployment, id)
        let commit = String(repeating: generation, count: 32) + String(10_000_000 + number)
        return Release(
            label: id,
            names: [
                ReleaseName(.deployment, id, denotes: identity),
                ReleaseName(.commit, commit, denotes: ArtifactIdentity(.commit, commit)),
            ],
            created: Timestamp(millisecondsSinceEpoch: generation == "a" ? 1_700_000_000_000 : 1_700_000_060_000))
    }
}

private struct SampleTarget: Target {
    static let provider = "sample"
    var identity: String
}

/// A function of its own, so that callgrind can count what happens inside it and nothing else.
@inline(never)
func measuredPlan(_ system: System, _ revision: Revision, _ world: World, _ recorded: RecordedState) -> Plan {
    plan(system, revision: revision, observed: world, recorded: recorded)
}
