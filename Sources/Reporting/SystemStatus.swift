public import Model

/// One system's pins against what runs, summed up for people and machines.
public struct SystemStatus: Sendable, Hashable {
    public var system: SystemID
    public var revision: Revision
    /// The revision that was last reconciled; nil before the first contact.
    public var accepted: Revision?
    public var transition: Transition?
    public var components: [ComponentStatus]
    public var conditions: [Condition]
    public var notes: [String]

    /// - Parameter plan: of the same system, world and record.
    public init(_ system: System, revision: Revision, world: World, recorded: RecordedState, plan: Plan) {
        self.system = system.id
        self.revision = revision
        accepted = recorded.accepted
        transition = recorded.transition
        // What was observed of a component stands with the component.
        let observed = Set(world.components.flatMap { resource, observation in observation.notes.map { "\(resource): \($0)" } })
        notes = plan.notes.filter { !observed.contains($0) }
        components = system.components.map { ComponentStatus($0, world: world, recorded: recorded, plan: plan) }
        conditions = Condition.of(components: components, plan: plan, transition: recorded.transition)
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
    public var state: State
    /// Why, in one sentence; empty when in sync.
    public var detail: String
    public var notes: [String]
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
        notes = observation?.notes ?? []
        (state, detail) = Self.state(of: component.id, observation: observation, plan: plan)
        lack = Self.lack(state, observation, plan.resolutions[component.id])
    }

    private static func state(of resource: ResourceID, observation: Observation?, plan: Plan) -> (State, String) {
        if let problem = observation?.live.problem { return (.unknown, problem.description) }
        if let blocked = plan.blocked.first(where: { $0.resource == resource }) {
            return (blocked.kind == .waiting ? .progressing : .blocked, blocked.problem.description)
        }
        let step = plan.steps.first { $0.resource == resource && $0.phase != .preflight }
        switch (step?.action, observation?.settlement) {
        case (_, .failed(let problem)): return (.failed, problem.description)
        case (.release?, _): return (.outOfSync, step?.summary ?? "")
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
        case checks = "checks owed"
    }

    private static func lack(_ state: State, _ observation: Observation?, _ resolution: Resolution?) -> Lack? {
        guard state != .inSync else { return nil }
        guard let observation, observation.live.problem == nil else { return .unknown }
        guard let resolution, observation.live.declared?.matches(resolution) == true else { return .away }
        switch observation.settlement {
        case .failed: return .failing
        case .unknown: return .unknown
        case .settled, .progressing: return state == .checksOwed ? .checks : .unsettled
        }
    }
}

/// A condition as kstatus knows them: https://github.com/kubernetes-sigs/cli-utils/tree/master/pkg/kstatus
public struct Condition: Sendable, Hashable {
    public enum Kind: String, Sendable {
        case ready = "Ready"
        case reconciling = "Reconciling"
        case stalled = "Stalled"
    }

    public var kind: Kind
    public var isTrue: Bool
    public var reason: String
    public var message: String

    static func of(components: [ComponentStatus], plan: Plan, transition: Transition?) -> [Condition] {
        func list(_ names: [String]) -> String { names.sorted().joined(separator: ", ") }
        // A failed release that is about to be replaced holds nothing up.
        let leaving = Set(plan.steps.filter(\.action.isWrite).compactMap(\.resource))
        let failed = list(components.filter { $0.state == .failed && !leaving.contains(.component($0.name)) }.map(\.name))
        let decisions = list(plan.blocked.filter { $0.kind == .decision }.map(\.resource.description))
        let ready = plan.isInSync
        let stalled = !failed.isEmpty || !decisions.isEmpty
        return [
            Condition(
                kind: .ready, isTrue: ready, reason: ready ? "InSync" : "OutOfSync",
                message: ready ? "every pin is live and healthy" : lacks(components, plan, transition)),
            Condition(
                kind: .reconciling, isTrue: transition != nil && !stalled,
                reason: transition == nil ? "Idle" : stalled ? "Stalled" : "TransitionOpen",
                message: transition.map { "\(stalled ? "held up " : "")on the way to revision \($0.revision)" } ?? ""),
            Condition(
                kind: .stalled, isTrue: stalled,
                reason: !failed.isEmpty ? "ReleaseFailed" : !decisions.isEmpty ? "DecisionNeeded" : "Moving",
                message: !failed.isEmpty ? "failed: \(failed)" : decisions.isEmpty ? "" : "waiting for a decision: \(decisions)"),
        ]
    }

    /// `not at its pin: web; checks owed: api`.
    private static func lacks(_ components: [ComponentStatus], _ plan: Plan, _ transition: Transition?) -> String {
        let elsewhere = plan.blocked.map(\.resource).filter { $0.kind != .component }.map(\.description)
        let parts = ComponentStatus.Lack.allCases.compactMap { lack -> String? in
            let names = components.filter { $0.lack == lack }.map(\.name) + (lack == .away ? elsewhere : [])
            return names.isEmpty ? nil : "\(lack.rawValue): \(names.sorted().joined(separator: ", "))"
        }
        guard parts.isEmpty else { return parts.joined(separator: "; ") }
        // Every component is in place: what is left is the system's, or of a component that the spec no longer has.
        let owed = (transition?.obligations ?? []).map { obligation in
            switch obligation {
            case .check(let resource): resource.description
            case .systemChecks: "the system"
            }
        }
        return owed.isEmpty ? "the transition is not closed yet" : "checks owed: \(owed.sorted().joined(separator: ", "))"
    }
}
