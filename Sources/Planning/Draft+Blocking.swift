import Model

/// What blocks what. Only real edges do: `after`, windows, a shared database.
///
/// - A component that advances needs its dependencies: one that is blocked or unknown blocks it.
/// - A component that retreats needs nobody's health. It leaves after its dependents: one that is known to have to leave first and cannot
///   holds it back, unless what it leaves is broken anyway, because then there is nothing left to protect and the undo is what heals.
///   A dependent whose state is unknown does not hold it back.
/// - What a flag belongs to leaves after the flag is off: a flag of which nobody knows whether it is, holds it back, unless what it leaves is
///   broken anyway.
/// - A schema moves when no release that stays live is known not to tolerate the move. It needs to know what runs.
extension Draft {
    mutating func blockWhatCannotMove() {
        holdForFlags()
        holdRetreats()
        // Blocking only ever adds, so this ends after at most one round for each resource.
        while blockSchemas() || blockAdvances() {}
    }

    private mutating func holdForFlags() {
        for index in subjects.indices where subjects[index].isWritten && subjects[index].isAway && !subjects[index].isBroken {
            guard let flag = flags.unknownBefore[subjects[index].id] else { continue }
            subjects[index].block(.dependency, .mustBeOff(flag, before: subjects[index].id))
        }
        for index in moves.indices where !moves[index].downs.isEmpty && moves[index].blocked == nil {
            guard let flag = flags.unknownBefore[moves[index].id] else { continue }
            moves[index].blocked = Blocked(moves[index].id, .dependency, .mustBeOff(flag, before: moves[index].id))
        }
    }

    private mutating func holdRetreats() {
        let outermostFirst = subjects.indices.sorted { (subjects[$1].depth, $0) < (subjects[$0].depth, $1) }
        for index in outermostFirst
        where subjects[index].direction == .retreat && subjects[index].blocked == nil && !subjects[index].isBroken {
            guard subjects[index].isWritten else { continue }
            let id = subjects[index].id
            guard let holder = dependents(of: id).first(where: { $0.blocked != nil && $0.isAway && $0.direction == .retreat }) else {
                continue
            }
            subjects[index].block(.dependency, .needs(id, holder.id, "it must go back first, and it is blocked"))
        }
    }

    /// True if something new was blocked.
    private mutating func blockAdvances() -> Bool {
        var isChanged = false
        for index in subjects.indices.sorted(by: { (subjects[$0].depth, $0) < (subjects[$1].depth, $1) }) {
            let subject = subjects[index]
            guard subject.isWritten, subject.blocked == nil, subject.direction == .advance else { continue }
            guard let problem = missingNeed(of: subject) else { continue }
            subjects[index].block(.dependency, problem)
            subjects[index].stops = false
            isChanged = true
        }
        return isChanged
    }

    private func missingNeed(of subject: Subject) -> Problem? {
        for need in subject.component.after.sorted() {
            guard let other = self[need], other.blocked != nil else { continue }
            return .needs(subject.id, need, other.isUnknown ? "its state is unknown" : "it is blocked")
        }
        let compatibility = compatibility(of: subject.component)
        guard let move = moves.first(where: { $0.blocked != nil && compatibility.concerns($0.database) }) else { return nil }
        return .needs(subject.id, move.id, move.isUnknown ? "its state is unknown" : "it is blocked")
    }

    /// True if something new was blocked.
    private mutating func blockSchemas() -> Bool {
        var isChanged = false
        for index in moves.indices where moves[index].hasWork && moves[index].blocked == nil {
            guard let blocked = obstacle(to: moves[index]) else { continue }
            moves[index].blocked = blocked
            isChanged = true
        }
        return isChanged
    }

    /// What stands in a schema's way: of several obstacles the first that somebody must decide on, else the first.
    private func obstacle(to move: SchemaMove) -> Blocked? {
        guard let span = move.span else { return nil }
        var first: Blocked?
        for component in survey.system.components.sorted(by: { $0.name < $1.name }) {
            let compatibility = compatibility(of: component)
            guard compatibility.concerns(move.database), let found = obstacle(to: move, span, of: component, compatibility) else {
                continue
            }
            if found.kind == .decision { return found }
            first = first ?? found
        }
        return first
    }

    private func obstacle(
        to move: SchemaMove, _ span: SchemaMove.Span, of component: Component, _ compatibility: Compatibility
    ) -> Blocked? {
        guard let subject = self[component.id] else { return inPlace(component, compatibility, move, span) }
        if subject.isUnknown { return waits(move, for: subject.id, "what it runs is unknown") }
        if subject.blocked?.kind == .waiting { return waits(move, for: subject.id, "what it will run is not decided yet") }
        if subject.blocked != nil {
            return subject.bindsSchemas
                ? waits(move, for: subject.id, "the two have to move together, and it is blocked")
                : blockedThere(subject, compatibility, move, span)
        }
        if case .check = subject.need { return inPlace(component, compatibility, move, span) }
        if subject.stops { return nil }
        let states = subject.isWritten && subject.direction == .advance ? span.statesFromAdvance : span.states
        if let blocked = arriving(component, compatibility, move, span, at: states) { return blocked }
        return subject.direction == .retreat ? nil : departing(subject, compatibility, move, span)
    }

    /// Nothing of it changes, so everything that runs now runs at every state of the schema: stopped machines and jobs of older releases too.
    private func inPlace(_ component: Component, _ compatibility: Compatibility, _ move: SchemaMove, _ span: SchemaMove.Span) -> Blocked? {
        if let blocked = arriving(component, compatibility, move, span, at: span.states) { return blocked }
        for release in survey.observed.components[component.id]?.live.serving ?? [] {
            guard let tolerance = compatibility.of(release, move),
                let position = span.states.first(where: { !tolerance.holds($0) })
            else { continue }
            return stays(tolerance, component.id, move, position)
        }
        return nil
    }

    /// What leaves only after the schema has moved.
    private func departing(_ subject: Subject, _ compatibility: Compatibility, _ move: SchemaMove, _ span: SchemaMove.Span) -> Blocked? {
        for release in subject.observation.live.serving where !(subject.resolution.map { release.matches($0) } ?? false) {
            guard let tolerance = compatibility.of(release, move),
                let state = span.statesBeforeAdvance.first(where: { !tolerance.holds($0) })
            else { continue }
            return stays(tolerance, subject.id, move, state)
        }
        return nil
    }

    /// What stays because the component is blocked, half a rollout included. Contract migrations wait for the whole system anyway.
    private func blockedThere(_ subject: Subject, _ compatibility: Compatibility, _ move: SchemaMove, _ span: SchemaMove.Span) -> Blocked? {
        for release in subject.observation.live.serving {
            guard let tolerance = compatibility.of(release, move) else {
                guard subject.direction != .advance else { continue }
                return waits(move, for: subject.id, "\(release.label) may have to leave before the schema moves, and it is blocked")
            }
            if let state = span.statesBeforeAdvance.first(where: { !tolerance.holds($0) }) {
                return stays(tolerance, subject.id, move, state)
            }
        }
        return nil
    }

    private func stays(_ tolerance: Tolerance, _ id: ResourceID, _ move: SchemaMove, _ position: Int) -> Blocked {
        waits(move, for: id, "\(tolerance.subject) does not tolerate \(move.name(position)) and stays")
    }

    /// Whether the pinned release, which is here or comes before the schema has ended its way, stands in the way.
    private func arriving(
        _ component: Component, _ compatibility: Compatibility, _ move: SchemaMove, _ span: SchemaMove.Span, at states: [Int]
    ) -> Blocked? {
        guard let pin = compatibility.ofPin(move), let position = states.first(where: { !pin.holds($0) }) else { return nil }
        return Blocked(
            move.id, .decision,
            Problem(
                "IncompatibleWindows",
                "\(move.id): \(component.name) runs \(pin.subject), which does not tolerate \(move.name(position)) "
                    + "(\(move.migration(from: span.current, towards: position)))",
                next: "pin a release of \(component.name) that tolerates it, or another schema"))
    }

    private func waits(_ move: SchemaMove, for other: ResourceID, _ why: String) -> Blocked {
        Blocked(move.id, .dependency, .needs(move.id, other, why))
    }
}

extension Problem {
    fileprivate static func mustBeOff(_ flag: ResourceID, before resource: ResourceID) -> Problem {
        Problem(
            "FlagUnknown", "\(resource): \(flag) must be off before it goes back, and nobody knows how that is set",
            next: "see \(flag); to go back without it, take its guard out of the spec")
    }
}
