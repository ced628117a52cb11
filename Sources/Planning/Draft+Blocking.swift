import Model

/// What blocks what. Only real edges do: `after`, windows, a shared database.
///
/// - A component that advances needs its dependencies: one that is blocked or unknown blocks it.
/// - A component that retreats needs nobody's health. It leaves after its dependents: one that is known to have to leave first and cannot
///   holds it back, unless what it leaves is broken anyway, because then there is nothing left to protect and the undo is what heals.
///   A dependent whose state is unknown does not hold it back.
/// - A schema moves when no release that stays live is known not to tolerate the move. It needs to know what runs.
extension Draft {
    mutating func blockWhatCannotMove() {
        holdRetreats()
        // Blocking only ever adds, so this ends after at most one round for each resource.
        while blockSchemas() || blockAdvances() {}
    }

    private mutating func holdRetreats() {
        let outermostFirst = subjects.indices.sorted { (subjects[$1].depth, $0) < (subjects[$0].depth, $1) }
        for index in outermostFirst
        where subjects[index].direction == .retreat && subjects[index].blocked == nil && !subjects[index].isBroken {
            guard case .change = subjects[index].need else { continue }
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
            guard case .change = subject.need, subject.blocked == nil, subject.direction == .advance else { continue }
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
        for index in moves.indices where moves[index].isMoving && moves[index].blocked == nil {
            guard let blocked = obstacle(to: moves[index]) else { continue }
            moves[index].blocked = blocked
            isChanged = true
        }
        return isChanged
    }

    private func obstacle(to move: SchemaMove) -> Blocked? {
        guard let span = move.span else { return nil }
        for component in survey.system.components.sorted(by: { $0.name < $1.name }) {
            let compatibility = compatibility(of: component)
            guard compatibility.concerns(move.database) else { continue }
            if let subject = self[component.id] {
                if subject.isUnknown { return waits(move, for: subject.id, "what it runs is unknown") }
                if subject.blocked?.kind == .waiting { return waits(move, for: subject.id, "what it will run is not decided yet") }
                if subject.blocked != nil || subject.direction != .retreat && !subject.stops,
                    let blocked = staying(subject, compatibility, move, span)
                {
                    return blocked
                }
                if subject.blocked != nil || subject.stops { continue }
            }
            // The pinned release is here, or comes before the schema has ended its way.
            if let pin = compatibility.ofPin(move), let position = [span.middle, span.target].first(where: { !pin.holds($0) }) {
                return Blocked(
                    move.id, .decision,
                    Problem(
                        "IncompatibleWindows",
                        "\(move.id): \(component.name) runs \(pin.subject), which does not tolerate \(move.name(position)) "
                            + "(\(move.migration(from: span.current, towards: position)))",
                        next: "pin an intermediate release of \(component.name) that tolerates it, or set downtime: allowed and move both"))
            }
        }
        return nil
    }

    /// Whether what stays live while the schema moves stands in the way.
    private func staying(_ subject: Subject, _ compatibility: Compatibility, _ move: SchemaMove, _ span: SchemaMove.Span) -> Blocked? {
        for release in subject.observation.live.serving where !(subject.resolution.map { release.matches($0) } ?? false) {
            guard let tolerance = compatibility.of(release, move) else {
                guard subject.blocked != nil, subject.direction != .advance else { continue }
                return waits(move, for: subject.id, "\(release.label) may have to leave before the schema moves, and it is blocked")
            }
            if !tolerance.holds(span.middle) {
                return waits(move, for: subject.id, "\(tolerance.subject) does not tolerate \(move.name(span.middle)) and stays")
            }
        }
        return nil
    }

    private func waits(_ move: SchemaMove, for other: ResourceID, _ why: String) -> Blocked {
        Blocked(move.id, .dependency, .needs(move.id, other, why))
    }
}
