public import Model

/// One system's pins against what runs, summed up for people and machines.
public struct SystemStatus: Sendable, Hashable {
    public var system: SystemID
    public var revision: Revision
    /// The revision that was last reconciled; nil before the first contact.
    public var accepted: Revision?
    public var transition: Transition?
    public var components: [ComponentStatus]
    public var databases: [DatabaseStatus]
    /// Nil for a system without flags.
    public var flags: FlagStatus?
    public var conditions: [Condition]
    public var notes: [String]
    /// Who holds the system's lock, as far as that could be told; nil when nobody does.
    public var holder: String?

    /// - Parameter plan: of the same system, world and record.
    public init(_ system: System, revision: Revision, world: World, recorded: RecordedState, plan: Plan) {
        self.system = system.id
        self.revision = revision
        accepted = recorded.accepted
        transition = recorded.transition
        // What was observed of a component or a database stands with it.
        var observed = Set(
            world.components.flatMap { resource, observation in observation.notes.map { "\(resource): \($0)" } }
                + world.databases.flatMap { resource, observation in observation.notes.map { "\(resource): \($0)" } })
        // Why a flag is not as pinned stands with the flag.
        for flag in plan.flags {
            if let reason = flag.reason, flag.state == .guarded { observed.insert("\(flag.id): off, because \(reason)") }
        }
        notes = plan.notes.filter { !observed.contains($0) }
        components = system.components.map { ComponentStatus($0, world: world, recorded: recorded, plan: plan) }
        databases = system.databases.map { DatabaseStatus($0, world.databases[$0.id], plan) }
        flags = FlagStatus(system, plan)
        conditions = Condition.of(components: components, databases: databases, plan: plan, transition: recorded.transition)
    }

    /// True if everything could be observed.
    public var isKnown: Bool {
        !components.contains { $0.state == .unknown } && !databases.contains { !$0.isKnown } && flags?.isKnown ?? true
    }
}

/// One component's pin against what runs.
public struct ComponentStatus: Sendable, Hashable {
    /// CamelCase, stable: for conditions, JSON and metrics.
    public enum State: String, Sendable {
        case inSync = "InSync"
        case outOfSync = "OutOfSync"
        case progressing = "Progressing"
        /// The pin is in place; its checks have not been passed yet.
        case checksOwed = "ChecksOwed"
        case failed = "Failed"
        case unknown = "Unknown"
        case blocked = "Blocked"
    }

    public var name: String
    public var provider: String
    public var pinned: Pin
    /// What the pin means; nil when it could not be resolved.
    public var resolved: String?
    /// The declared release's label; nil when unknown or when there is none.
    public var live: String?
    /// Labels of everything else whose code can still run.
    public var alsoServing: [String]
    /// The newest recorded good release; nil when there is none.
    public var lastKnownGood: String?
    /// The newest recorded release that is not the live one: what ran before. Nil when there is none.
    public var previous: String?
    public var state: State
    /// Why, in one sentence; empty when in sync.
    public var detail: String
    public var notes: [String]
    public var fence: FenceStatus
    /// Nil when its configuration is not managed.
    public var configuration: ConfigurationStatus?
    /// What somebody else changed since the pin was reached; nil when nobody did.
    public var drift: Drift?
    /// Nil when in sync.
    var lack: Lack?

    init(_ component: Component, world: World, recorded: RecordedState, plan: Plan) {
        name = component.name
        provider = component.target.provider
        pinned = component.release
        resolved = plan.resolutions[component.id]?.label
        let observation = world.components[component.id]
        live = observation?.live.declared?.label
        alsoServing = (observation?.live.serving ?? []).map(\.label).filter { [live] in $0 != live }.sorted()
        lastKnownGood = recorded.releases[component.id]?.last { $0.quality == .good }?.resolution.label
        previous = Self.previous(component, observation, recorded)
        notes = (observation?.stoppage?.start != nil ? [Stoppage.note] : []) + (observation?.notes ?? [])
        fence = FenceStatus(component, observation, recorded.fences[component.id])
        configuration = ConfigurationStatus(component, observation)
        drift = plan.drifts.first { $0.resource == component.id }
        (state, detail) = Self.state(of: component.id, observation: observation, plan: plan)
        let isFencing = plan.steps.contains { $0.resource == component.id && $0.action.isFence }
        lack = Self.lack(state, observation, plan.resolutions[component.id], isFencing: isFencing)
    }

    private static func previous(_ component: Component, _ observation: Observation?, _ recorded: RecordedState) -> String? {
        let declared = observation?.live.declared
        return recorded.releases[component.id]?.last { record in
            record.resolution.holds(for: component.target) && !(declared?.matches(record.resolution) ?? false)
        }?.resolution.label
    }

    private static func state(of resource: ResourceID, observation: Observation?, plan: Plan) -> (State, String) {
        if let problem = observation?.live.problem { return (.unknown, problem.description) }
        if let blocked = plan.blocked.first(where: { $0.resource == resource }) {
            return (blocked.kind == .waiting ? .progressing : .blocked, blocked.problem.description)
        }
        let own = plan.steps.filter { $0.resource == resource && $0.phase != .preflight }
        let step = own.first { !$0.action.isFence } ?? own.first
        switch (step?.action, observation?.settlement) {
        case (_, .failed(let problem)): return (.failed, problem.description)
        case (.release?, _), (.fence?, _), (.stop?, _): return (.outOfSync, step?.summary ?? "")
        case (.await?, .progressing(let text)): return (.progressing, text)
        case (.await?, .unknown(let problem)): return (.progressing, problem.description)
        case (.await?, _): return (.progressing, step?.summary ?? "")
        case (.check?, _): return (.checksOwed, step?.summary ?? "")
        default: return (.inSync, "")
        }
    }

    /// What keeps a component from being in sync, in the order in which it is told.
    enum Lack: String, CaseIterable {
        case away = "not at its pin"
        case unknown = "unknown"
        case failing = "failing"
        case unsettled = "not settled"
        case configuration = "configured otherwise"
        case fence = "fence not as it should be"
        case checks = "checks owed"
    }

    private static func lack(_ state: State, _ observation: Observation?, _ resolution: Resolution?, isFencing: Bool) -> Lack? {
        guard state != .inSync else { return nil }
        guard let observation, observation.live.problem == nil else { return .unknown }
        guard let resolution, observation.live.declared?.matches(resolution) == true else { return .away }
        switch observation.settlement {
        case .failed: return .failing
        case .unknown: return .unknown
        case .progressing: return state == .checksOwed ? .checks : .unsettled
        case .settled:
            if state == .checksOwed { return .checks }
            if let configuration = observation.configuration, configuration.problem != nil || !configuration.differences.isEmpty {
                return .configuration
            }
            return isFencing ? .fence : .unsettled
        }
    }
}

extension Step.Action {
    fileprivate var isFence: Bool {
        if case .fence = self { return true }
        return false
    }
}
