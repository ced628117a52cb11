import Model

/// A component that is not simply in place, with what is to be done about it.
struct Subject {
    enum Need {
        case change(ReleaseChange)
        /// An operation that leads to the pin is under way; the text says which.
        case adopt(Resolution, String)
        /// The pin is declared and has not arrived; the text says how far it is.
        case settle(Resolution, String)
        /// The pin is in place; an open transition still owes its checks.
        case check(Resolution)
    }

    let id: ResourceID
    let component: Component
    let observation: Observation
    /// Nil when the pin could not be resolved.
    let resolution: Resolution?
    /// Nil when ``blocked`` was there from the start.
    var need: Need?
    var blocked: Blocked?
    /// Decided by the windows, by the open transition or by age; nil when nothing has to move or nobody can tell.
    var direction: Direction?
    /// True if it is stopped in `retreat` because it tolerates no schema in between.
    var stops = false
    /// True if its release and the schemas can only move together, or not at all: while it is blocked none of them moves.
    var bindsSchemas = false
    /// Lines for the step's details: why this phase, what was assumed.
    var reasons: [String] = []
    /// The longest chain of components that it needs.
    var depth = 0

    init(
        _ component: Component, _ observation: Observation, _ resolution: Resolution?, need: Need? = nil, blocked: Blocked? = nil
    ) {
        id = component.id
        self.component = component
        self.observation = observation
        self.resolution = resolution
        self.need = need
        self.blocked = blocked
    }

    var isUnknown: Bool { observation.live.problem != nil }

    /// True if something else than the pin is declared, or nothing.
    var isAway: Bool {
        guard let resolution, !isUnknown else { return false }
        return observation.live.declared.map { !$0.matches(resolution) } ?? true
    }

    /// True if code that is not the pinned release can still run.
    var hasDeparting: Bool {
        guard let resolution else { return !observation.live.serving.isEmpty }
        return observation.live.serving.contains { !$0.matches(resolution) }
    }

    /// True if what is declared now has failed: it serves nothing that an undo could break.
    var isBroken: Bool {
        if case .failed = observation.settlement { return true }
        return false
    }

    /// True if its step writes to the provider.
    var isWritten: Bool {
        if case .change = need { return true }
        return false
    }

    /// True if it comes with a transition of its own: its release changes.
    var isChange: Bool {
        switch need {
        case .change, .adopt: true
        case .settle, .check: false
        case nil: isAway
        }
    }

    /// A subject whose pin could not be resolved takes no direction.
    mutating func take(_ timing: Timing) {
        guard resolution != nil else { return }
        switch timing {
        case .before(let reasons):
            direction = .retreat
            self.reasons = reasons
        case .after(let reasons):
            direction = .advance
            self.reasons = reasons
        case .around(let reasons):
            direction = .advance
            stops = true
            bindsSchemas = true
            self.reasons = reasons
        case .refused(let problem):
            bindsSchemas = true
            block(.decision, problem)
        case .waits(let problem):
            block(.dependency, problem)
        }
    }

    mutating func block(_ kind: Blocked.Kind, _ problem: Problem) {
        guard blocked == nil else { return }
        blocked = Blocked(id, kind, problem)
    }
}
