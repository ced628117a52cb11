import Model

/// When a component moves, relative to the schema.
enum Timing {
    case before(reasons: [String])
    case after(reasons: [String])
    /// Stopped before, brought back after.
    case around(reasons: [String])
    case refused(Problem)
    /// It cannot be told yet: a schema that the answer depends on is unknown.
    case waits(Problem)
}

/// The question "before or after the schema?" for one component.
struct TimingQuestion {
    let subject: Subject
    let compatibility: Compatibility
    /// The schemas that the component has an edge to.
    let moves: [SchemaMove]
    /// What an open transition to the same target decided.
    let recorded: Direction?

    /// Windows decide first, because they must hold; then what was decided before; then age. Only a write is refused: what is under way
    /// arrives whatever the schema is, and then the schema is what must not move.
    func answer() -> Timing {
        var reasons: [String] = []
        var mustLeaveFirst: String?
        var mustComeAfter: String?
        for move in moves {
            guard let span = move.span else {
                if subject.isWritten, let problem = unknownSchema(move) { return .waits(problem) }
                continue
            }
            let pin = compatibility.ofPin(move)
            if subject.isWritten, let pin, let refused = span.statesFromAdvance.first(where: { !pin.holds($0) }) {
                return .refused(cannotStay(pin, move, at: refused))
            }
            if let pin, pin.isAssumed { reasons.append(assumption(pin, move)) }
            guard move.isMoving else { continue }
            if subject.isWritten, let pin, let state = span.statesUntilAdvance.first(where: { !pin.holds($0) }) {
                mustComeAfter = mustComeAfter ?? "\(pin.subject) does not tolerate \(move.name(state)) of \(move.database.name)"
            }
            for release in departing {
                guard let old = compatibility.of(release, move) else { continue }
                if old.isAssumed { reasons.append(assumption(old, move)) }
                guard let state = span.statesBeforeAdvance.first(where: { !old.holds($0) }) else { continue }
                let migration = move.migration(from: span.current, towards: state)
                mustLeaveFirst =
                    mustLeaveFirst ?? "\(old.subject) does not tolerate \(move.name(state)) of \(move.database.name) (\(migration))"
            }
        }
        switch (mustLeaveFirst, mustComeAfter) {
        case (let leave?, let come?): return conflict(leave, come, reasons)
        case (let leave?, nil): return .before(reasons: ["before the schema: \(leave)"] + reasons)
        case (nil, let come?): return .after(reasons: ["after the schema: \(come)"] + reasons)
        case (nil, nil): return byHistory(reasons)
        }
    }

    private var departing: [Release] {
        subject.observation.live.serving.filter { release in !(subject.resolution.map { release.matches($0) } ?? false) }
    }

    private func byHistory(_ reasons: [String]) -> Timing {
        switch recorded {
        case .retreat: return .before(reasons: reasons)
        case .advance: return .after(reasons: reasons)
        case nil: break
        }
        guard subject.isAway, let resolution = subject.resolution, let live = subject.observation.live.declared else {
            return .after(reasons: reasons)
        }
        let age = Age.of(resolution, replacing: live, among: subject.observation.candidates, records: compatibility.records)
        switch age {
        case .older: return .before(reasons: ["\(resolution.label) is older than \(live.label): dependents go back first"] + reasons)
        case .newer: return .after(reasons: ["\(resolution.label) is newer than \(live.label): dependencies go first"] + reasons)
        case .unknown:
            // Contract migrations come after the component whichever of the two it is.
            guard subject.isWritten, let move = moves.first(where: { $0.isMoving && $0.movesBeforeContracting }) else {
                return .after(reasons: ["nothing tells whether \(resolution.label) is older or newer than \(live.label)"] + reasons)
            }
            return .refused(
                Problem(
                    "OrderUnknown",
                    "\(subject.id): must \(resolution.label) replace \(live.label) before or after the schema of \(move.database.name) moves? "
                        + "Neither windows nor history tell which of the two is older",
                    next: "declare requires: {\(move.database.name): …} for \(subject.component.name)"))
        }
    }

    private func conflict(_ leave: String, _ come: String, _ reasons: [String]) -> Timing {
        let order = "\(subject.id): there is no valid order: \(leave), and \(come)"
        let strict = moves.filter { $0.isMoving && !$0.database.allowsDowntime }.map(\.database.name)
        let intermediate = "pin an intermediate release that tolerates both"
        guard strict.isEmpty else {
            return .refused(
                Problem(
                    "IncompatibleWindows", order,
                    next: "\(intermediate), or set downtime: allowed for \(strict.joined(separator: ", "))"))
        }
        switch subject.observation.stoppage {
        case .possible, .stopping, .stopped:
            return .around(reasons: ["stopped while the schema moves: \(leave), and \(come)"] + reasons)
        case .impossible(let problem):
            return .refused(
                Problem(
                    "IncompatibleWindows", "\(order); downtime is allowed, but \(problem.message)",
                    next: [intermediate, problem.next].compactMap(\.self).joined(separator: ", or ")))
        case nil:
            return .refused(
                Problem(
                    "IncompatibleWindows", "\(order); downtime is allowed, but its provider cannot stop it", next: intermediate))
        }
    }

    private func cannotStay(_ pin: Tolerance, _ move: SchemaMove, at position: Int) -> Problem {
        let way = move.isMoving ? " (\(move.migration(from: position, towards: move.span?.current ?? position)))" : ""
        return Problem(
            "IncompatibleWindows",
            "\(subject.id): \(pin.subject) does not tolerate \(move.name(position))\(way), which the plan for \(move.database.name) passes or ends at",
            next: "pin an intermediate release that tolerates it, or another schema for \(move.database.name)")
    }

    /// An undo goes ahead whatever an unknown schema is, unless its release says that it does not tolerate every one.
    private func unknownSchema(_ move: SchemaMove) -> Problem? {
        guard compatibility.ofPin(move) != nil else { return nil }
        return .needs(
            subject.id, move.id,
            "where its schema stands is unknown, and \(subject.resolution?.label ?? "the pin") does not tolerate every schema")
    }

    private func assumption(_ tolerance: Tolerance, _ move: SchemaMove) -> String {
        "assumed, because no window is declared for \(move.database.name): \(tolerance.subject)"
    }
}

extension Problem {
    static func needs(_ resource: ResourceID, _ other: ResourceID, _ why: String) -> Problem {
        Problem("DependencyNotReady", "\(resource): it needs \(other): \(why)", next: "see \(other)")
    }
}
