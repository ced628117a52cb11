import Model

extension Draft {
    /// True if this pass would change something: a component, or a schema.
    var hasChanges: Bool {
        subjects.contains { $0.isChange && $0.blocked == nil } || !writtenMoves.isEmpty || flags.hasChanges
    }

    var isBlocked: Bool {
        subjects.contains { $0.blocked != nil } || moves.contains { $0.blocked != nil } || !flags.blocked.isEmpty
    }

    /// True if only flags are blocked.
    var isBlockedByFlagsAlone: Bool {
        isBlocked && !subjects.contains { $0.blocked != nil } && !moves.contains { $0.blocked != nil }
    }

    /// Flags that cannot be told are waited for while the migrations that bring their table are on their way.
    var blockedFlags: [Blocked] {
        guard let awaited = flags.awaitedSchema, let move = moves.first(where: { $0.id == awaited }) else { return flags.blocked }
        return flags.blocked.map { blocked in
            guard blocked.kind == .failure else { return blocked }
            guard move.blocked == nil else {
                return Blocked(blocked.resource, .dependency, .needs(blocked.resource, awaited, "it is blocked"))
            }
            return Blocked(
                blocked.resource, .waiting,
                Problem("SchemaAwaited", "\(blocked.resource): it is set when \(awaited) has its table: \(blocked.problem.message)"))
        }
    }

    /// The schemas that this pass would migrate. Contract migrations wait until nothing is blocked.
    var writtenMoves: [SchemaMove] {
        moves.filter { $0.hasWork && $0.blocked == nil && ($0.movesBeforeContracting || !isBlocked) }
    }

    /// The record that `guard` writes, nil when none is needed.
    ///
    /// It is written when something changes and no open transition covers it, and when an open one leads elsewhere. A component that is only
    /// waited for opens nothing: nobody changed it. Components whose change is blocked for now are part of the record all the same, so that
    /// their checks are owed and their direction stays what it was when the way began.
    func opening() -> Plan.Opening? {
        let changing = subjects.filter { $0.isChange && $0.resolution != nil }
        if let continued {
            let isCovered =
                !changing.contains { $0.blocked == nil && !covers($0, continued) }
                && approval().map { $0.given == continued.approved } ?? true
            guard !isCovered else { return nil }
        } else {
            guard hasChanges || (transition != nil && !isBlocked) else { return nil }
        }
        var start = continued?.start ?? [:]
        for (id, identity) in declared() where start[id] == nil { start[id] = identity }
        var directions = continued?.directions ?? [:]
        for subject in changing { directions[subject.id] = subject.direction }
        return Plan.Opening(
            start: start, target: survey.resolutions, directions: directions,
            obligations: obligations(changing, more: hasChanges), approved: approval()?.given ?? continued?.approved,
            pinned: pinnedReleases)
    }

    /// What is pinned now, behind what was pinned on the way here: a release that never arrived may run all the same.
    private var pinnedReleases: [ResourceID: [PinnedRelease]] {
        var pinned = transition?.pinned ?? [:]
        for component in survey.system.components where !component.requires.isEmpty {
            guard let resolution = survey.resolutions[component.id] else { continue }
            pinned[component.id, default: []].removeAll { $0.resolution.isSameArtifact(as: resolution) }
            pinned[component.id, default: []].append(PinnedRelease(resolution: resolution, requires: component.requires))
        }
        return pinned
    }

    /// False for what drifted after its checks were paid: what is brought back owes them again, or a failed one would be forgotten.
    private func covers(_ subject: Subject, _ transition: Transition) -> Bool {
        transition.directions[subject.id] != nil
            && (subject.component.verify.isEmpty || transition.obligations.contains(.check(subject.id)))
    }

    /// - Parameter hasChanges: then the system's own checks are owed, and the questions to its data.
    private func obligations(_ changing: [Subject], more hasChanges: Bool) -> [Obligation] {
        var owed: Set<ResourceID> = Set(changing.filter { !$0.component.verify.isEmpty }.map(\.id))
        if contractsForNewTarget { owed.formUnion(subjects.filter { !$0.component.verify.isEmpty }.map(\.id)) }
        if hasChanges { owed.formUnion(survey.system.databases.filter { !$0.checks.isEmpty }.map(\.id)) }
        var owesSystemChecks = hasChanges && !survey.system.verify.isEmpty
        for obligation in inherited {
            switch obligation {
            case .check(let id): owed.insert(id)
            case .systemChecks: owesSystemChecks = true
            }
        }
        return owed.sorted().map(Obligation.check) + (owesSystemChecks ? [.systemChecks] : [])
    }

    /// Where everything starts that is not at its pin yet: what is in place starts where it ends.
    private func declared() -> [ResourceID: ArtifactIdentity] {
        var start: [ResourceID: ArtifactIdentity] = [:]
        for subject in subjects { start[subject.id] = subject.observation.live.declared?.identity }
        for move in moves {
            guard let span = move.span else { continue }
            start[move.id] = ArtifactIdentity(.schema, move.name(span.current, empty: ""))
        }
        return start
    }
}

extension Release {
    /// The identity that its first and most specific name denotes.
    fileprivate var identity: ArtifactIdentity? {
        names.min { $0.kind < $1.kind }?.denotes ?? lineage.first
    }
}
