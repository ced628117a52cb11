import Model
import Planning
import Testing

/// What an unknown resource may and may not stop, over seeded random systems.
@Suite struct UnknownPropertyTests {
    static func plan(_ system: System, _ world: World, _ recorded: RecordedState) -> Plan {
        Planning.plan(system, revision: .make(), observed: world.observed(for: system), recorded: recorded)
    }

    /// Components without schemas, all away from their pins or not, and one of them unknown.
    static func oneUnknown(_ seed: UInt64) -> (parts: RandomSystem, system: System, world: World, unknown: RandomSystem.Part)? {
        var random = Random(seed: seed)
        let parts = RandomSystem(&random, schemas: false)
        let world = parts.world(of: parts.system(&random))
        let system = parts.system(&random)
        guard let unknown = random.pick(parts.parts) else { return nil }
        return (parts, system, world, unknown)
    }

    @Test func noWriteDependsOnWhatIsUnknown() {
        var writes = 0
        for seed in PropertyTests.seeds {
            let (system, simulated, _) = PropertyTests.disturbed(seed)
            let plan = Self.plan(system, simulated.world, simulated.recorded)
            let unknown = Set(
                simulated.world.components.filter { $0.value.live.problem != nil }.map(\.key)
                    + simulated.world.databases.filter { $0.value.applied == nil }.map(\.key))
            for step in plan.steps where step.action.isWrite {
                guard let id = step.resource else { continue }
                writes += 1
                #expect(!unknown.contains(id), "seed \(seed): \(step.id) writes to the unknown")
                if step.phase == .advance, let component = system.components.first(where: { $0.id == id }) {
                    #expect(unknown.isDisjoint(with: component.after), "seed \(seed): \(step.id) needs the unknown")
                }
                if id.kind == .database {
                    let users = system.components.filter { $0.after.contains(id) }.map(\.id)
                    #expect(unknown.isDisjoint(with: users), "seed \(seed): \(step.id) moves a schema under the unknown")
                }
            }
        }
        #expect(writes > 1000)
    }

    /// The same writes would be made whatever the unknown component runs.
    @Test func whatIsWrittenIsSafeWhateverTheUnknownIs() {
        for seed in PropertyTests.seeds {
            guard let (parts, system, found, unknown) = Self.oneUnknown(seed) else { continue }
            var world = found
            let id = ResourceID.component(unknown.name)
            world.components[id] = .unknown(.make())
            let blind = Self.plan(system, world, RecordedState()).steps.filter(\.action.isWrite)
            for release in unknown.releases {
                world.components[id] = parts.observation(unknown, live: release)
                let seen = Self.plan(system, world, RecordedState())
                for step in blind {
                    #expect(seen.step(step.id)?.action == step.action, "seed \(seed): \(step.id) if \(id) runs \(release.label)")
                }
            }
        }
    }

    @Test func theUnknownBlocksOnlyWhatNeedsIt() {
        var untouched = 0
        for seed in PropertyTests.seeds {
            guard let (_, system, found, unknown) = Self.oneUnknown(seed) else { continue }
            var world = found
            let id = ResourceID.component(unknown.name)
            let seen = Self.plan(system, world, RecordedState())
            world.components[id] = .unknown(.make())
            let blind = Self.plan(system, world, RecordedState())
            var needing: Set<ResourceID> = [id]
            while let next = system.components.first(where: { !needing.contains($0.id) && !needing.isDisjoint(with: $0.after) }) {
                needing.insert(next.id)
            }
            for step in seen.steps where step.action.isWrite {
                guard let resource = step.resource, !needing.contains(resource) || (step.phase == .retreat && resource != id) else {
                    continue
                }
                #expect(blind.step(step.id)?.action == step.action, "seed \(seed): \(step.id) is blocked by \(id)")
                untouched += 1
            }
        }
        #expect(untouched > 500)
    }
}
