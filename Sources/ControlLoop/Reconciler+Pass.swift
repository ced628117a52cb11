public import Execution
public import Model
import Planning
import ProviderKit
public import Sources
public import State

/// What a person or a pipeline said beside the spec.
public struct PassOptions: Sendable {
    /// The first contact with a system may change it.
    public var adopts: Bool
    /// An older revision than the accepted one may be reconciled.
    public var forces: Bool
    /// Who holds the lock.
    public var holder: LockHolder
    /// How often to look at what is under way.
    public var pace: Pace
    /// Asked between steps: true when a newer revision is there.
    public var isSuperseded: @Sendable () async -> Bool
    /// Asked before the first thing is done to a system that has to be undone before nobody looks after it any more: a fence, an open
    /// transition. Why it may not be done, or nil.
    public var promise: @Sendable (SystemID) async -> Problem?

    public init(
        adopts: Bool = false, forces: Bool = false, holder: LockHolder, pace: Pace = Pace(),
        isSuperseded: @escaping @Sendable () async -> Bool = { false },
        promise: @escaping @Sendable (SystemID) async -> Problem? = { _ in nil }
    ) {
        self.adopts = adopts
        self.forces = forces
        self.holder = holder
        self.pace = pace
        self.isSuperseded = isSuperseded
        self.promise = promise
    }
}

extension Reconciler {
    /// One pass over one system: lock, observe, settle what an earlier pass left open, plan, carry out, report.
    ///
    /// Nothing is written to a provider unless the lock is held and every intent is durable. Never throws: what went wrong is in the report.
    public func pass(
        _ system: System, of snapshot: Snapshot, from source: any SpecSource, _ options: PassOptions,
        events: @escaping @Sendable (ExecutionEvent) -> Void
    ) async -> PassReport {
        do {
            let place = try await looking?.take()
            defer { place?.giveBack() }
            return try await store(system).withLock(options.holder, patience: .seconds(1), clock: clock) { session in
                let known = try await session.abandonIntents(by: system, at: now())
                let observer = try await observer(
                    of: system, recorded: known, making: true, adopts: options.adopts || snapshot.adopts)
                // What was applied since an open transition began tells its phases.
                let request = schemaRequest(
                    of: system, revision: snapshot.revision, signing: observer.signing, readsAll: known.transition != nil)
                async let databases = observeDatabases(of: system, request)
                async let flags = observeFlags(of: system)
                var world = await observer.observe(system)
                world.databases = await databases
                world.flags = await flags
                let recorded = try await session.settleIntents(in: world, at: now())
                await observer.refresh(&world, of: system, after: recorded)
                let plan = plan(system, revision: snapshot.revision, observed: world, recorded: recorded)
                let survey = Survey(
                    system: system, revision: snapshot.revision, recorded: recorded, world: world, plan: plan,
                    configurations: observer.configurations, keeper: observer.keeper, schemaRequest: request?.value)
                let adopts = options.adopts || snapshot.adopts
                let judgement = await judgement(of: survey, from: source, adopts: adopts, forces: options.forces)
                if let problem = judgement.refusal { return PassReport(refused: survey, problem) }
                // Told once: what was told before is in the record.
                for drift in plan.drifts where recorded.drifts[drift.resource]?.identity != drift.identity {
                    try await session.append(.drift(drift), at: now())
                    events(.drifted(drift))
                }
                if let baseline = acceptance(of: plan, for: system, in: world, recorded: recorded, at: now()) {
                    try await session.append(baseline, at: now())
                }
                for baseline in flagBaselines(of: plan, for: system, recorded: recorded) { try await session.append(baseline, at: now()) }
                // Whatever happens to the state meanwhile, no lease and no connection outlives the pass.
                let result = await holdingSchemas(of: survey) {
                    await adoptDatabases(of: survey, events: events)
                    place?.giveBack()
                    return plan.steps.isEmpty ? nil : await carryOut(survey, in: session, options, events: events)
                }
                if let result, let accepted = acceptance(of: plan, after: result) { try await session.append(accepted, at: now()) }
                var report = PassReport(survey, result: result)
                if let note = judgement.note { report.events.cautions.append(note) }
                return report
            }
        } catch let error as StateError {
            return PassReport(
                system.id, error.code == .locked ? .blocked : .failure, problems: [error.problem],
                again: error.code == .unreachable ? .afterBackoff(atLeast: nil) : nil)
        } catch {
            return .interrupted(system.id)
        }
    }

    /// Why a pass over what was surveyed would begin with a refusal, whatever the plan says: an older revision, or a first contact. Nil when not.
    public func refusal(of survey: Survey, from source: any SpecSource, adopts: Bool, forces: Bool) async -> Problem? {
        await judgement(of: survey, from: source, adopts: adopts, forces: forces).refusal
    }

    /// - Returns: also what could not be found out, where that refuses nothing.
    private func judgement(
        of survey: Survey, from source: any SpecSource, adopts: Bool, forces: Bool
    ) async -> (refusal: Problem?, note: String?) {
        var note: String?
        if !forces {
            let order = await order(of: survey, from: source)
            if let problem = order.refusal { return (problem, nil) }
            note = order.note
        }
        if let refusal = survey.plan.refusal { return (refusal, note) }
        guard !survey.recorded.isKnown, !adopts, survey.plan.hasWrites else { return (nil, note) }
        // Counted as the plan counts them.
        let changes = max(1, survey.plan.changeCount)
        let problem = Problem(
            "FirstContact",
            "\(survey.system.id): Belay has no record of this system, and its first contact would make \(changes == 1 ? "one change" : "\(changes) changes")",
            next: "check the plan and that this is the right place of its state, then add --adopt"
                + (survey.revision.kind == .generation
                    ? ", or: kubectl annotate -n \(survey.system.id.namespace) systems.belay.dev/\(survey.system.id.name) belay.dev/adopt=true"
                    : ""))
        return (problem, note)
    }

    private func order(of survey: Survey, from source: any SpecSource) async -> (refusal: Problem?, note: String?) {
        guard let accepted = survey.recorded.accepted else { return (nil, nil) }
        do throws(SourceError) {
            let revision = survey.revision
            var relation = try await source.relation(of: accepted, to: revision)
            guard isOrderOpen(of: revision, after: accepted, relation: relation) else {
                return (ControlLoop.refusal(of: revision, after: accepted, relation: relation), nil)
            }
            relation = try await source.askedRelation(of: accepted, to: revision)
            let isOpen = isOrderOpen(of: revision, after: accepted, relation: relation)
            return (
                ControlLoop.refusal(of: revision, after: accepted, relation: relation),
                isOpen
                    ? "whether \(revision) is older than \(accepted), which was reconciled before, is not to be found out: this clone lacks "
                        + "that commit, the remote does not give it, and both were made in one second; it is reconciled"
                    : nil
            )
        } catch {
            return (Problem("SourceUnreadable", error.message), nil)
        }
    }

    private func carryOut(
        _ survey: Survey, in session: any StateSession, _ options: PassOptions, events: @escaping @Sendable (ExecutionEvent) -> Void
    ) async -> PassResult {
        var connected: [String: AnyProvider] = [:]
        for component in survey.system.components {
            if case .success(let provider) = await providers.provider(of: component) { connected[provider.name] = provider }
        }
        let executor = Executor(
            providers: connected, transport: transport, clock: clock, now: now, pace: options.pace, isSuperseded: options.isSuperseded,
            promise: { [id = survey.system.id] in await options.promise(id) }, events: events)
        let stores = SystemStores(
            schemaDriver: schemaDriver, schemaRequest: survey.schemaRequest, flagStore: usableStore(ofFlagsIn: survey.system),
            schemas: Dictionary(
                uniqueKeysWithValues: survey.world.databases.compactMap { id, observation in
                    observation.applied?.last.map { (id.name, $0) }
                }))
        return await executor.run(
            survey.plan, system: survey.system, configurations: survey.configurations, keeper: survey.keeper, stores: stores, in: session)
    }
}
