import Model

/// What is to become of the flags: which go off before anything else moves, and which go on when everything else has arrived.
struct FlagMoves {
    /// In the order of their names.
    private(set) var off: [FlagChange] = []
    private(set) var on: [FlagChange] = []
    private(set) var blocked: [Blocked] = []
    private(set) var notes: [String] = []
    private(set) var drifts: [Drift] = []
    private(set) var standings: [FlagStanding] = []
    /// Components that a flag in ``off`` belongs to: they leave after it.
    private(set) var guarded: Set<ResourceID> = []
    /// Databases likewise.
    private(set) var guardedSchemas: Set<ResourceID> = []
    /// Components and databases that a flag belongs to which must be off before they leave, and nobody knows whether it is.
    private(set) var unknownBefore: [ResourceID: ResourceID] = [:]
    /// The database whose migrations bring the table of the flags, which is not there yet; nil otherwise.
    private(set) var awaitedSchema: ResourceID?

    var isEmpty: Bool { off.isEmpty && on.isEmpty && blocked.isEmpty }
    var hasChanges: Bool { !off.isEmpty || !on.isEmpty }

    /// Why a flag is off though its pin says on, by name.
    var held: [String: String] {
        Dictionary(standings.compactMap { standing in standing.reason.map { (standing.name, $0) } }) { first, _ in first }
    }

    init(_ survey: Survey, moves: [SchemaMove]) {
        guard let flags = survey.system.flags else { return }
        for flag in flags.flags.sorted(by: { $0.name < $1.name }) {
            let observation =
                survey.observed.flags[flag.id]
                ?? FlagObservation(problem: Problem("NotObserved", "\(flag.id): it was not observed", next: "run again"))
            notes += observation.notes.map { "\(flag.id): \($0)" }
            var wish = FlagWish(flag, survey, moves)
            wish.respect(observation, survey.recorded.flags[flag.name])
            take(wish, observation, survey, moves)
        }
    }

    private mutating func take(_ wish: FlagWish, _ observation: FlagObservation, _ survey: Survey, _ moves: [SchemaMove]) {
        let flag = wish.flag
        var standing = FlagStanding(
            name: flag.name, pinned: flag.setting, desired: wish.setting ?? observation.setting ?? .off, current: observation.setting,
            state: wish.state, reason: wish.reason, servesNothing: observation.servesNothing)
        defer { standings.append(standing) }
        if let problem = observation.problem {
            standing.state = .unknown
            standing.reason = problem.message
            blocked.append(Blocked(flag.id, .failure, problem))
            if Self.comesWithSchema.contains(problem.reason), let name = survey.system.flags?.store.database {
                awaitedSchema = moves.first { $0.database.name == name && !$0.expands.isEmpty }?.id
            }
            guard awaitedSchema == nil, wish.setting?.isOn == false else { return }
            for id in flag.guard?.resources ?? [] where unknownBefore[id] == nil { unknownBefore[id] = flag.id }
            return
        }
        if let problem = wish.problem {
            blocked.append(Blocked(flag.id, problem.reason == "GuardUndecided" ? .decision : .dependency, problem))
        }
        if let note = wish.note { notes.append("\(flag.id): \(note)") }
        if let drift = drift(wish, standing, survey.recorded) { drifts.append(drift) }
        guard let desired = wish.setting, desired != observation.setting else { return }
        if standing.state == .inSync { standing.state = .outOfSync }
        let change = FlagChange(name: flag.name, from: observation.setting, to: desired, marker: observation.marker)
        guard isReduction(from: observation.setting, to: desired) else {
            on.append(change)
            return
        }
        off.append(change)
        for id in flag.guard?.resources ?? [] {
            if id.kind == .component { guarded.insert(id) } else { guardedSchemas.insert(id) }
        }
    }

    /// Problems of a table that the next migrations may make, or complete.
    private static let comesWithSchema: Set<String> = ["DatabaseMissing", "TableMissing", "TableUnfit"]

    /// What somebody else changed since the flag was last seen to be as pinned.
    private func drift(_ wish: FlagWish, _ standing: FlagStanding, _ recorded: RecordedState) -> Drift? {
        let cause: String
        if standing.state == .killedOutOfBand {
            cause = standing.reason ?? "somebody switched it off"
        } else {
            // While a transition is open it may be a step of ours that was interrupted.
            guard recorded.isKnown, recorded.transition == nil, let record = recorded.flags[wish.flag.name], record.flag == wish.flag,
                record.setting != standing.current,
                let desired = wish.setting, desired != standing.current
            else { return nil }
            cause = "somebody changed it in the store; it is set back"
        }
        return Drift(
            resource: wish.flag.id,
            expected: standing.state == .killedOutOfBand ? wish.flag.setting.description : standing.desired.description,
            found: standing.currentText, identity: ArtifactIdentity(.setting, standing.currentText), cause: cause)
    }

    private func isReduction(from: FlagSetting?, to: FlagSetting) -> Bool {
        guard to.isOn else { return true }
        guard let from else { return false }
        return from.isOn && from.variant == to.variant && (to.rollout ?? 100) < (from.rollout ?? 100)
    }
}

extension FlagGuard {
    fileprivate var resources: [ResourceID] { [component.map(ResourceID.component), database.map(ResourceID.database)].compactMap(\.self) }
}
