import Model
import Planning
import Testing

/// Windows hold at every state that a plan passes, in whatever order its steps may run.
@Suite struct WindowPropertyTests {
    struct Violation: Hashable {
        var component: String
        var release: String
        var schema: String
    }

    static func violations(_ parts: RandomSystem, _ world: World) -> Set<Violation> {
        var found: Set<Violation> = []
        for part in parts.parts {
            for release in world.components[.component(part.name)]?.live.serving ?? [] {
                guard let index = part.releases.firstIndex(where: { $0.label == release.label }) else { continue }
                for (name, window) in part.windows[index] {
                    guard let database = world.databases[.database(name)], let applied = database.applied else { continue }
                    func position(_ version: String?) -> Int? {
                        version.flatMap { one in database.migrations.firstIndex { $0.version == one } }
                    }
                    let current = applied.count - 1
                    if current < position(window.lowest) ?? -1 || current > position(window.highest) ?? .max {
                        found.insert(Violation(component: part.name, release: release.label, schema: name))
                    }
                }
            }
        }
        return found
    }

    /// Nil: some databases allow downtime.
    @Test(arguments: [nil, true, false]) func noStepBreaksAWindow(allowsDowntime: Bool?) {
        var migrations = 0
        var stops = 0
        var several = 0
        for seed in PropertyTests.seeds {
            var random = Random(seed: seed)
            var parts = RandomSystem(&random)
            if let allowsDowntime {
                for index in parts.databases.indices { parts.databases[index].allowsDowntime = allowsDowntime }
            }
            let before = parts.system(&random)
            let system = parts.system(&random)
            let world = parts.disturbed(parts.world(of: before), &random)
            var simulated = SimulatedWorld(world: world, recorded: RecordedState(isKnown: true, releases: parts.records()))
            let plan = Planning.plan(
                system, revision: .make(), observed: simulated.world.observed(for: system), recorded: simulated.recorded)
            if Set(plan.steps.filter { $0.action.isMigration }.map(\.id)).count > 1, plan.steps.count(where: { $0.action.isRelease }) > 1 {
                several += 1
            }
            var waiting = plan.steps.shuffled(using: &random)
            var done: Set<String> = []
            while let index = waiting.firstIndex(where: { done.isSuperset(of: $0.after) }) {
                let step = waiting.remove(at: index)
                let earlier = Self.violations(parts, simulated.world)
                simulated.run(step, of: plan, in: system)
                done.insert(step.id)
                let fresh = Self.violations(parts, simulated.world).subtracting(earlier)
                // What was under way before the plan arrives whatever the schema is.
                if case .await = step.action { continue }
                #expect(fresh.isEmpty, "seed \(seed): \(step.id) breaks \(fresh)")
                if case .migrate = step.action { migrations += 1 }
                if case .stop = step.action { stops += 1 }
            }
            #expect(waiting.isEmpty, "seed \(seed): \(waiting.map(\.id)) wait for each other")
        }
        #expect(migrations > 500)
        #expect(several > 10)
        switch allowsDowntime {
        case nil: #expect(stops > 0)
        case true?: #expect(stops >= 10)
        case false?: #expect(stops == 0)
        }
    }
}

extension Step.Action {
    fileprivate var isMigration: Bool {
        if case .migrate = self { return true }
        return false
    }

    fileprivate var isRelease: Bool {
        if case .release = self { return true }
        return false
    }
}
