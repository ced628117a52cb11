import Model
import Planning
import Testing

/// Properties of every plan, over seeded random systems. A failure names its seed.
@Suite struct PropertyTests {
    static let seeds: [UInt64] = Array(1...2000)
    static let now = Revision.make()

    /// A system, and a world that stood at other pins and was then disturbed.
    static func disturbed(_ seed: UInt64) -> (system: System, world: SimulatedWorld, random: Random) {
        var random = Random(seed: seed)
        let parts = RandomSystem(&random)
        let before = parts.system(&random)
        let system = parts.system(&random)
        let world = parts.disturbed(parts.world(of: before), &random)
        let recorded = RecordedState(isKnown: true, releases: parts.records())
        return (system, SimulatedWorld(world: world, recorded: recorded, switchesOn: random.chance(50)), random)
    }

    static func plan(_ system: System, _ simulated: SimulatedWorld) -> Plan {
        Planning.plan(system, revision: now, observed: simulated.world.observed(for: system), recorded: simulated.recorded)
    }

    @Test func planningIsDeterministic() {
        for seed in Self.seeds {
            var (system, simulated, random) = Self.disturbed(seed)
            let plan = Self.plan(system, simulated)
            system.components.shuffle(using: &random)
            #expect(Self.plan(system, simulated) == plan, "seed \(seed)")
        }
    }

    @Test func aWorldInSyncHasAnEmptyPlan() {
        for seed in Self.seeds {
            var random = Random(seed: seed)
            let parts = RandomSystem(&random)
            let system = parts.system(&random)
            let simulated = SimulatedWorld(
                world: parts.world(of: system), recorded: RecordedState(releases: parts.records()))
            let plan = Self.plan(system, simulated)
            #expect(plan.isInSync && plan.opening == nil && plan.notes.isEmpty, "seed \(seed)")
        }
    }

    @Test func noStepStandsBeforeWhatItNeeds() {
        var steps = 0
        for seed in Self.seeds {
            let (system, simulated, _) = Self.disturbed(seed)
            let plan = Self.plan(system, simulated)
            var done: [String: Phase] = [:]
            var phase = Phase.preflight
            for step in plan.steps {
                #expect(step.phase >= phase, "seed \(seed): \(step.id) behind a later phase")
                #expect(done[step.id] == nil, "seed \(seed): \(step.id) twice")
                #expect(Set(step.after).isSubset(of: done.keys), "seed \(seed): \(step.id) stands before what it needs")
                (done[step.id], phase) = (step.phase, step.phase)
                steps += 1
            }
            let ids = Set(plan.ids)
            for component in system.components {
                for need in component.after where need.kind == .component {
                    let (own, other) = (component.id, need)
                    if let step = plan.step("advance/\(own)"), let first = plan.step("advance/\(other)") ?? plan.step("retreat/\(other)") {
                        #expect(step.after.contains(first.id), "seed \(seed): \(own) does not wait for \(other)")
                    }
                    if ids.contains("retreat/\(own)"), let step = plan.step("retreat/\(other)"), case .release = step.action,
                        case .release? = plan.step("retreat/\(own)")?.action
                    {
                        #expect(step.after.contains("retreat/\(own)"), "seed \(seed): \(other) leaves before \(own)")
                    }
                }
            }
            if let finish = plan.step("finish/close") { #expect(plan.steps.last == finish, "seed \(seed)") }
        }
        #expect(steps > 5000)
    }

    @Test func everythingIsEitherInPlaceOrDoneOrBlocked() {
        for seed in Self.seeds {
            let (system, simulated, _) = Self.disturbed(seed)
            let plan = Self.plan(system, simulated)
            for component in system.components {
                let live = simulated.world.components[component.id]?.live.declared
                let isInPlace = plan.resolutions[component.id].map { live?.matches($0) ?? false } ?? false
                let isMentioned = plan.steps.contains { $0.resource == component.id } || plan.blocked(component.id) != nil
                let differs = simulated.world.observed(for: system).components[component.id]?.configuration?.differences.isEmpty == false
                #expect(isInPlace && !differs || isMentioned, "seed \(seed): \(component.id) is forgotten")
            }
            for database in system.databases {
                let isInPlace = simulated.world.databases[database.id]?.applied?.last == database.schema
                let isMentioned = plan.steps.contains { $0.resource == database.id } || plan.blocked(database.id) != nil
                #expect(isInPlace || isMentioned, "seed \(seed): \(database.id) is forgotten")
            }
        }
    }

    @Test func planningAgainFromTheMiddleYieldsTheRest() {
        var compared = 0
        for seed in Self.seeds {
            var (system, simulated, _) = Self.disturbed(seed)
            let whole = Self.plan(system, simulated)
            simulated.begin(whole)
            for (index, step) in whole.steps.enumerated() {
                simulated.run(step, of: whole, in: system)
                var again = Self.plan(system, simulated)
                // What the pins mean is recorded here before the transition is: only then is it told what drifted from them.
                again.drifts = whole.drifts
                let opened = index >= (whole.steps.firstIndex { $0.phase == .guard } ?? -1)
                // What is in place has nothing that could have switched its automation on: it is not looked at a last time.
                func isLastLook(_ step: Step) -> Bool {
                    guard step.phase == .finish, case .fence(let change) = step.action else { return false }
                    return change.purpose == .raise
                }
                let rest = Array(whole.steps[(index + 1)...])
                if opened {
                    #expect(
                        again.steps.filter { $0.phase > .guard && !isLastLook($0) }.map(\.id)
                            == rest.filter { $0.phase > .guard && !isLastLook($0) }.map(\.id),
                        "seed \(seed) after \(step.id)")
                    for resource in Set(whole.steps[...index].filter(\.isRelease).compactMap(\.resource)) where step.phase < .finish {
                        guard let component = system.components.first(where: { $0.id == resource }), component.isFenced else { continue }
                        let automation = simulated.world.components[resource]?.automation
                        #expect(
                            again.steps(in: .guard).contains { $0.resource == resource } == (automation?.raises ?? false),
                            "seed \(seed) after \(step.id)")
                    }
                    let written = Set(rest.filter { $0.action.isWrite && !$0.action.isFence }.compactMap(\.resource))
                    #expect(Set(again.steps(in: .preflight).compactMap(\.resource)) == written, "seed \(seed) after \(step.id)")
                    #expect(again.opening == nil, "seed \(seed) after \(step.id)")
                } else {
                    #expect(again == whole, "seed \(seed) after \(step.id)")
                }
                #expect(again.obstacles == whole.obstacles, "seed \(seed) after \(step.id)")
                compared += 1
            }
        }
        #expect(compared > 5000)
    }

    @Test func thereAndBackAgainEndsWithTheSamePinnedFacts() {
        var returned = 0
        var fenced = 0
        for seed in Self.seeds {
            var random = Random(seed: seed)
            let parts = RandomSystem(&random)
            let (here, there) = (parts.system(&random), parts.system(&random))
            var simulated = SimulatedWorld(
                world: parts.world(of: here), recorded: RecordedState(), copies: random.chance(50), switchesOn: random.chance(50))
            simulated.recordBaseline(here, at: .make("a"))
            let facts = Facts(simulated, here)
            guard simulated.converge(there, at: .make("b")) != nil, Facts(simulated, there) == Facts(parts.world(of: there), there) else {
                continue
            }
            guard simulated.converge(here, at: .make("c")) != nil else { continue }
            #expect(Facts(simulated, here) == facts, "seed \(seed)")
            for component in here.components {
                let (before, after) = (parts.world(of: here).components[component.id], simulated.world.components[component.id])
                guard let automation = after?.automation else { continue }
                if simulated.recorded.fences[component.id] == nil {
                    let isLeft = automation == before?.automation || before?.automation?.isOn == false
                    #expect(isLeft, "seed \(seed): \(component.id) is not as it was, and nothing remembers it")
                } else {
                    #expect(component.isFenced && !automation.isOn, "seed \(seed): \(component.id)")
                    fenced += 1
                }
            }
            returned += 1
        }
        #expect(returned > 500 && fenced > 200)
    }

    /// Artifact identities, named configuration and schema positions.
    struct Facts: Equatable {
        var configurations: [ResourceID: [String: ConfigurationEntry]] = [:]
        var artifacts: [ResourceID: Set<ArtifactIdentity>] = [:]
        var schemas: [ResourceID: [String]] = [:]

        init(_ simulated: SimulatedWorld, _ system: System) { self.init(simulated.world, system) }

        init(_ world: World, _ system: System) {
            for component in system.components {
                artifacts[component.id] = world.components[component.id]?.live.declared?.identities.filter { $0.kind == .image }
                let isNamed = component.configuration.policy == .named
                configurations[component.id] = world.components[component.id]?.configuration?.settings.filter {
                    !isNamed || component.configuration.sources[$0.key] != nil
                }
            }
            for database in system.databases { schemas[database.id] = world.databases[database.id]?.applied }
        }
    }
}

extension Step {
    fileprivate var isRelease: Bool {
        if case .release = action { return true }
        return false
    }
}

extension Automation {
    fileprivate var raises: Bool { isOn && off != nil }
}

extension Step.Action {
    var isFence: Bool {
        if case .fence = self { return true }
        return false
    }
}
