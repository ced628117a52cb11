import Model
import Planning

/// A world that does what steps say, at once, and a state store that records it. Knows nothing of how a plan is made.
struct SimulatedWorld {
    var world: World
    var recorded: RecordedState
    /// True for providers that answer a release with a copy of it under a new id, as Render does on a rollback.
    var copies = false
    /// True for providers whose releases switch the automation on again.
    var switchesOn = false
    private var copied: Int64 = 0

    init(world: World, recorded: RecordedState, copies: Bool = false, switchesOn: Bool = false) {
        self.world = world
        self.recorded = recorded
        self.copies = copies
        self.switchesOn = switchesOn
    }

    /// The releases that can run code now, and where each schema stands: what windows are about.
    var schemas: [String: String] {
        var result: [String: String] = [:]
        for (id, database) in world.databases { result[id.name] = database.applied?.last ?? "" }
        return result
    }

    /// Remembers what the pins mean, as a pass does before it executes.
    mutating func begin(_ plan: Plan) {
        recorded.isKnown = true
        recorded.accepted = plan.revision
        recorded.resolutions = plan.resolutions
    }

    mutating func run(_ step: Step, of plan: Plan, in system: System) {
        switch step.action {
        case .confirm: break
        case .open:
            guard let opening = plan.opening else { return }
            recorded.transition = Transition(
                id: plan.revision.id, revision: plan.revision, start: opening.start, target: opening.target, directions: opening.directions,
                obligations: opening.obligations, opened: Timestamp(millisecondsSinceEpoch: 0))
        case .release(let change):
            guard let id = step.resource else { return }
            settle(id, on: copies ? copy(of: change.to, for: id) : change.to)
            guard let component = system.components.first(where: { $0.id == id }) else { return }
            configure(component)
            if switchesOn, component.isFenced, world.components[id]?.automation?.off != nil {
                world.components[id]?.automation?.value = "commit"
                world.components[id]?.automation?.isOn = true
            }
            if step.gate == .departed {
                world.components[id]?.settlement = .progressing("it waits for its schema")
            } else {
                discharge(.check(id))
            }
        case .await(let resolution):
            guard let id = step.resource, let observation = world.components[id] else { return }

            let live = observation.live.declared.flatMap { $0.matches(resolution) ? $0 : nil }
            guard let arrived = live ?? observation.candidates.map(\.release).first(where: { $0.matches(resolution) }) else { return }
            settle(id, on: arrived)
            if step.gate == .departed {
                world.components[id]?.settlement = .progressing("it waits for its schema")
                return
            }
            // What was under way brings the configuration along here; where it does not, the next plan sets it.
            if let component = system.components.first(where: { $0.id == id }) { configure(component) }
            discharge(.check(id))
        case .fence(let change):
            guard let id = step.resource, let automation = world.components[id]?.automation else { return }
            if change.purpose == .raise, automation.isOn {
                recorded.fences[id] =
                    recorded.fences[id]
                    ?? Fence(name: change.name, previous: automation.value, set: change.to, target: "", provider: "place")
            }
            if change.purpose == .lower { recorded.fences[id] = nil }
            world.components[id]?.automation?.value = change.to
            world.components[id]?.automation?.isOn = change.to != automation.off
        case .check: discharge(step.resource.map(Obligation.check) ?? .systemChecks)
        case .stop:
            guard let id = step.resource, let declared = world.components[id]?.live.declared else { return }
            world.components[id]?.live = .release(declared: declared, serving: [])
            world.components[id]?.settlement = .progressing("stopped")
            world.components[id]?.stoppage = .stopped(start: Stoppage.startRoute)
        case .backUp: break
        case .migrate(let change):
            guard let id = step.resource else { return }
            if change.isUp {
                world.databases[id]?.applied?.append(change.version)
            } else {
                world.databases[id]?.applied?.removeAll { $0 == change.version }
            }
        case .set(let changes):
            for change in changes { world.flags[.flag(change.name)] = FlagObservation(setting: change.to) }
        case .close: close(system)
        }
    }

    /// Passes until there is nothing to do; nil when something is blocked or it does not end.
    mutating func converge(_ system: System, at revision: Revision) -> [Plan]? {
        var plans: [Plan] = []
        for _ in 0..<5 {
            let plan = plan(system, revision: revision, observed: world.observed(for: system), recorded: recorded)
            guard plan.blocked.isEmpty else { return nil }
            begin(plan)
            guard !plan.steps.isEmpty else { return plans }
            plans.append(plan)
            for step in plan.steps { run(step, of: plan, in: system) }
        }
        return nil
    }

    /// Records what is live as good, as the first contact with a system in sync does.
    mutating func recordBaseline(_ system: System, at revision: Revision) {
        let plan = plan(system, revision: revision, observed: world.observed(for: system), recorded: recorded)
        begin(plan)
        close(system)
    }

    private mutating func copy(of release: Release, for id: ResourceID) -> Release {
        copied += 1
        let name = "copy-\(copied)"
        let copy = Release(
            label: name, names: [ReleaseName(.deployment, name, denotes: ArtifactIdentity(.deployment, name))],
            lineage: release.identities.filter { $0.kind == .image }, created: Timestamp(millisecondsSinceEpoch: 1_000_000 * copied))
        world.components[id]?.candidates.insert(Candidate(copy, routes: [.make()]), at: 0)
        return copy
    }

    /// Brings a component's configuration to what the spec says of it.
    private mutating func configure(_ component: Component) {
        guard var settings = world.components[component.id]?.configuration?.settings else { return }
        let desired = component.configuration.settings
        if component.configuration.policy == .exact { settings = desired }
        world.components[component.id]?.configuration?.settings = settings.merging(desired) { _, new in new }
    }

    private mutating func settle(_ id: ResourceID, on release: Release) {
        world.components[id]?.live = .release(declared: release, serving: [release])
        world.components[id]?.settlement = .settled
        world.components[id]?.operation = nil
        world.components[id]?.fate = nil
        if world.components[id]?.stoppage?.start != nil { world.components[id]?.stoppage = .possible }
        recorded.openIntents[id] = nil
    }

    private mutating func discharge(_ obligation: Obligation) {
        recorded.transition?.obligations.removeAll { $0 == obligation }
    }

    private mutating func close(_ system: System) {
        recorded.transition = nil
        for component in system.components {
            guard let resolution = recorded.resolutions[component.id] else { continue }
            let record = ReleaseRecord(
                resolution: resolution, quality: .good, requires: component.requires, schemas: schemas,
                reached: Timestamp(millisecondsSinceEpoch: 0))
            if recorded.releases[component.id]?.last?.resolution.isSameArtifact(as: resolution) == true {
                recorded.releases[component.id]?.removeLast()
            }
            recorded.releases[component.id, default: []].append(record)
        }
    }
}
