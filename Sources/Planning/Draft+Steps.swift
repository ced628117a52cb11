import Model

extension Draft {
    /// The plan: its steps in the order of phases, and within a phase in the order in which they may run.
    func finished() -> Plan {
        var plan = Plan(
            system: survey.system.id, revision: survey.revision, notes: survey.notes, resolutions: survey.resolutions,
            drifts: survey.drifts + flags.drifts, flags: flags.standings)
        plan.notes += moves.flatMap { move in (survey.observed.databases[move.id]?.notes ?? []).map { "\(move.id): \($0)" } } + flags.notes
        guard !isEmpty else { return plan }
        plan.opening = opening()
        if let (needed, given) = approval() {
            plan.approval = given ?? needed
            if given == nil { plan.refusal = .approvalNeeded(needed, system: survey.system.id) }
        }
        var writer = StepWriter(draft: self, opens: plan.opening != nil)
        writer.write()
        plan.steps = writer.steps
        plan.blocked =
            (subjects.compactMap(\.blocked) + moves.compactMap(\.blocked) + blockedFlags + writer.blocked)
            .sorted { $0.resource < $1.resource }
        if writer.isHeldOpen {
            plan.notes.append(
                "the transition stays open: the system's checks, contract migrations and finish wait until nothing is blocked")
        }
        return plan
    }
}

/// Writes the steps of a draft, phase by phase, so that a step only ever waits for steps that stand before it.
struct StepWriter {
    let draft: Draft
    /// True if `guard` opens a transition.
    let opens: Bool
    var steps: [Step] = []
    private(set) var blocked: [Blocked] = []
    /// True if there is a transition that cannot be closed, because something is blocked.
    private(set) var isHeldOpen = false

    /// By id: the last step of a schema before components advance.
    var schemaSteps: [ResourceID: String] = [:]

    init(draft: Draft, opens: Bool) {
        self.draft = draft
        self.opens = opens
        subjects = draft.subjects.filter { $0.blocked == nil }
        moves = draft.writtenMoves
    }

    /// What is not blocked.
    let subjects: [Subject]
    let moves: [SchemaMove]
    /// The step that switches flags off, when there is one.
    var disabling: [String] = []
    private var confirmed: Set<ResourceID> = []
    /// Components whose fence is put up in `guard`.
    var fenced: Set<ResourceID> = []

    mutating func write() {
        preflight()
        if opens {
            let target = draft.survey.revision
            steps.append(
                Step(
                    id: Self.open, phase: .guard, action: .open, after: steps.map(\.id),
                    summary: draft.transition == nil
                        ? "open the transition to \(target)" : "supersede the open transition by the one to \(target)",
                    deadline: .seconds(60)))
        }
        raiseFences()
        backUp()
        disable()
        retreat()
        migrate(.migrateDown)
        migrate(.migrateUp)
        advance()
        conclude()
    }

    // MARK: Phases

    private mutating func preflight() {
        for subject in subjects {
            guard case .change(let change) = subject.need else { continue }
            confirmed.insert(subject.id)
            steps.append(
                Step(
                    id: Self.confirm(subject.id), phase: .preflight, resource: subject.id, action: .confirm,
                    summary: "\(subject.component.name): confirm the target and the way to \(change.to.label)", deadline: .seconds(60)))
        }
        for move in moves {
            confirmed.insert(move.id)
            let count = move.preludes.count + move.downs.count + move.expands.count + move.contracts.count
            steps.append(
                Step(
                    id: Self.confirm(move.id), phase: .preflight, resource: move.id, action: .confirm,
                    summary: "\(move.database.name): confirm the whole path of \(count) \(count == 1 ? "migration" : "migrations")",
                    deadline: move.restores ? .seconds(4 * 3600) : .seconds(60)))
        }
    }

    private mutating func migrate(_ phase: Phase) {
        for move in moves {
            let migrations = phase == .migrateDown ? move.preludes + move.downs : move.expands
            for migration in migrations {
                let previous =
                    schemaSteps[move.id].map { [$0] } ?? before(move.id) + saved(move) + disabled(before: move) + leavers(before: move)
                schemaSteps[move.id] = append(migration, of: move, phase, after: previous)
            }
        }
    }

    private mutating func advance() {
        let coming = subjects.filter { $0.direction == .advance || isAwaitedLater($0) }
            .sorted { ($0.depth, $0.component.name) < ($1.depth, $1.component.name) }
        for subject in coming {
            if subject.direction == .retreat {
                awaitAfterSchema(subject)
                continue
            }
            var after = before(subject.id)
            if draft.flags.guarded.contains(subject.id), subject.isWritten { after += disabling }
            if subject.stops { after.append(Self.component(.retreat, subject.id)) }
            after += arrivals(before: subject)
            let compatibility = draft.compatibility(of: subject.component)
            after += moves.filter { compatibility.concerns($0.database) }.compactMap { schemaSteps[$0.id] }
            steps.append(step(for: subject, .advance, after: after.withoutRepeats))
        }
    }

    /// Verify, contract and finish: for the whole system, so only when nothing of it is blocked.
    private mutating func conclude() {
        let hasTransition = opens || draft.transition != nil
        guard !draft.isBlocked else {
            isHeldOpen = hasTransition
            // A flag that nobody can tell of holds no other one back.
            if hasTransition, draft.isBlockedByFlagsAlone { _ = enable(after: verifySystem()) }
            holdContracts()
            settleFences(after: [])
            return
        }
        guard hasTransition else { return settleFences(after: []) }
        let last = enable(after: verifySystem())
        for move in moves {
            var previous = (last.isEmpty ? [Self.confirm(move.id)] : last) + saved(move)
            for migration in move.contracts { previous = [append(migration, of: move, .contract, after: previous)] }
        }
        settleFences(after: opens ? [Self.open] : [])
        let all = steps.filter { $0.phase > .guard }.map(\.id)
        steps.append(
            Step(
                id: Self.close, phase: .finish, action: .close, after: all.isEmpty && opens ? [Self.open] : all,
                summary: "record the releases, close the transition", deadline: .seconds(60)))
    }

    /// The system's checks, and the questions to its data. Returns what comes next waits for.
    private mutating func verifySystem() -> [String] {
        let system = draft.survey.system
        let work = steps.filter { $0.phase > .guard }.map(\.id)
        var last = work.isEmpty && opens ? [Self.open] : work
        if !system.verify.isEmpty, draft.hasChanges && !isOnlyContracting || draft.inherited.contains(.systemChecks) {
            let count = system.verify.count
            steps.append(
                Step(
                    id: Self.verify, phase: .verify, action: .check, after: last,
                    summary: "run the system's \(count == 1 ? "check" : "\(count) checks")",
                    deadline: max(.seconds(60), system.verify.reduce(.zero) { $0 + $1.within })))
            last = [Self.verify]
        }
        return checkData(after: last)
    }

    private mutating func holdContracts() {
        for move in draft.moves where move.blocked == nil && !move.contracts.isEmpty {
            let problem = Problem(
                "DependencyNotReady", "\(move.id): contract migrations wait until the whole system stands at its pins",
                next: "see what else is blocked")
            blocked.append(Blocked(move.id, .dependency, problem))
        }
    }

    /// True if an open transition has done everything but its contract migrations: what verified it then still holds.
    var isOnlyContracting: Bool {
        !opens && !subjects.contains { $0.isChange } && moves.allSatisfy { !$0.movesBeforeContracting } && !draft.flags.hasChanges
    }

    // MARK: Steps

    func step(for subject: Subject, _ phase: Phase, after: [String]) -> Step {
        var step = Step(
            id: Self.component(phase, subject.id), phase: phase, resource: subject.id, action: .check, after: after, summary: "",
            deadline: subject.component.timeout)
        let name = subject.component.name
        switch subject.need {
        case .change(let change) where change.isReconfiguration && subject.observation.stoppage?.start != nil:
            step.action = .release(change)
            step.class = change.route.class
            step.summary = "\(name): start \(change.to.label) again (\(change.route.means))"
            step.details = subject.configurationDetails + subject.reasons + change.route.cautions.map { "caution: \($0)" }
        case .change(let change) where change.isReconfiguration:
            step.action = .release(change)
            step.class = change.route.class
            step.summary = "\(name): \(subject.configurationSummary) of \(change.to.label) (\(change.route.means))"
            step.details = subject.configurationDetails + subject.reasons + change.route.cautions.map { "caution: \($0)" }
        case .change(let change):
            step.action = .release(change)
            step.class = change.route.class
            step.summary =
                "\(name): \(change.route.verb.rawValue)\(change.route.verb == .undo ? " to" : "") \(change.to.label) (\(change.route.means))"
            step.details = ["from \(change.from?.label ?? "nothing") to \(change.to.label)"] + subject.reasons
            step.details += subject.configurationDetails
            step.details += draft.survey.differencesFromRecord(of: subject)
            step.details += unknownDependents(of: subject, phase) + change.route.cautions.map { "caution: \($0)" }
        case .adopt(let resolution, let operation):
            step.action = .await(resolution)
            step.summary = "\(name): wait for \(resolution.label) (under way)"
            step.details = [operation] + subject.reasons
        case .settle(let resolution, let progress):
            step.action = .await(resolution)
            step.summary = "\(name): wait for \(resolution.label)"
            step.details = [progress]
        case .check(let resolution):
            step.summary = "\(name): run the checks of \(resolution.label) that are still owed"
        case nil: break
        }
        return step
    }

    private mutating func append(
        _ migration: DatabaseObservation.Migration, of move: SchemaMove, _ phase: Phase, after: [String]
    ) -> String {
        let id = "\(phase.rawValue)/\(move.id)/\(migration.version)"
        let isUp = phase != .migrateDown || migration.repetition != nil
        let script = isUp ? migration.upScript : migration.downScript
        var details = script.map { $0.details(backup: move.database.migrations.backup) } ?? []
        if isUp, migration.down == nil, migration.repetition == nil, move.database.migrations.onIrreversible == .restore {
            details.append("has no way back: the whole database is saved before it, to be restored if it must go back")
        }
        if phase == .contract { details.append("the point of no return: older releases may not run after it") }
        if migration.class == .expand, phase == .contract { details.append("in this phase because migrations are applied in their order") }
        steps.append(
            Step(
                id: id, phase: phase, resource: move.id,
                action: .migrate(
                    MigrationChange(migration.version, isUp: isUp, isRepeatable: migration.repetition != nil, script: script)),
                after: after,
                class: script.map { $0.isDestructive ? .dataLoss : .instant } ?? (isUp ? .instant : migration.down ?? .instant),
                summary: "\(move.database.name): \(migration.what(isUp: isUp))", details: details,
                deadline: move.database.migrations.timeouts.migration))
        return id
    }

    // MARK: Needs

    /// The guard when there is one: it waits for every confirmation. Else the resource's own confirmation, when it has one. And its fence.
    func before(_ id: ResourceID) -> [String] {
        let fence = fenced.contains(id) ? [Self.fence(id)] : []
        if opens { return [Self.open] + fence }
        return (confirmed.contains(id) ? [Self.confirm(id)] : []) + fence
    }

    /// The steps after which what a component needs has arrived.
    func arrivals(before subject: Subject) -> [String] {
        subject.component.after.sorted().compactMap { need in
            guard let other = draft[need], other.blocked == nil, other.direction != nil else { return nil }
            return Self.component(other.direction == .retreat && !isAwaitedLater(other) ? .retreat : .advance, need)
        }
    }

    private func unknownDependents(of subject: Subject, _ phase: Phase) -> [String] {
        guard phase == .retreat else { return [] }
        return draft.dependents(of: subject.id).filter(\.isUnknown).map {
            "\($0.id) needs it and its state is unknown: it is not waited for"
        }
    }

    static let open = "guard/open"
    static let verify = "verify/system"
    private static let close = "finish/close"
    private static func fence(_ id: ResourceID) -> String { "guard/\(id)/fence" }
    private static func confirm(_ id: ResourceID) -> String { "preflight/\(id)" }
    static func component(_ phase: Phase, _ id: ResourceID) -> String { "\(phase.rawValue)/\(id)" }
}

extension [String] {
    fileprivate var withoutRepeats: [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
