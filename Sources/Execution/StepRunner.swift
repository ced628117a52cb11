import HTTPCore
import Model
import ProviderKit
import State
import Synchronization

/// Runs the steps of one pass.
final class StepRunner: Sendable {
    let plan: Plan
    let system: System
    let session: any StateSession
    let providers: [String: AnyProvider]
    /// What each component's configuration must be; without an entry, it is not managed.
    let configurations: [ResourceID: DesiredConfiguration]
    let keeper: ConfigurationKeeper
    /// What moves schemas and sets flags.
    let stores: SystemStores
    let checks: CheckRunner
    let time: PassTime
    let pace: Pace
    let now: @Sendable () -> Timestamp
    let newID: @Sendable () -> String
    let report: @Sendable (ExecutionEvent) -> Void
    private let promise: @Sendable () async -> Problem?
    private let isPromised = Mutex(false)
    /// Where each schema stands, by database, as far as this pass has moved it.
    let schemas: Mutex<[String: String]>
    /// Observations made by confirming, and when.
    private let confirmed = Mutex<[ResourceID: (observation: Observation, at: Duration)]>([:])

    init(
        plan: Plan, system: System, session: any StateSession, providers: [String: AnyProvider],
        configurations: [ResourceID: DesiredConfiguration], keeper: ConfigurationKeeper, stores: SystemStores, checks: CheckRunner,
        time: PassTime, pace: Pace,
        now: @escaping @Sendable () -> Timestamp, newID: @escaping @Sendable () -> String,
        report: @escaping @Sendable (ExecutionEvent) -> Void, promise: @escaping @Sendable () async -> Problem?
    ) {
        self.plan = plan
        self.system = system
        self.session = session
        self.providers = providers
        self.configurations = configurations
        self.keeper = keeper
        self.stores = stores
        schemas = Mutex(stores.schemas)
        self.checks = checks
        self.time = time
        self.pace = pace
        self.now = now
        self.newID = newID
        self.report = report
        self.promise = promise
    }

    /// - Parameter phaseEnd: in the pass's time; the step's own deadline may come before it.
    func run(_ step: Step, phaseEnd: Duration) async -> Outcome {
        do throws(StateError) {
            switch step.action {
            case .open:
                if let problem = await promised(until: min(time.elapsed + step.deadline, phaseEnd)) { return .undecided(problem) }
                return try await open()
            case .close: return try await close()
            case .check where step.resource == nil:
                // Paid by the last of them: after a crash before it, all are owed again.
                let isLast = plan.steps.last { $0.action == .check && $0.resource == nil }?.id == step.id
                return try await check(system.verify, of: "\(system.id)", owed: isLast ? .systemChecks : nil, step, phaseEnd)
            case .confirm where step.resource?.kind == .database: return try await confirmSchema(step)
            case .check where step.resource?.kind == .database: return try await checkData(step)
            case .migrate(let change): return try await migrate(change, step)
            case .backUp: return await backUp(step)
            case .set(let changes): return try await set(changes, step)
            case .confirm, .release, .await, .check, .fence, .stop:
                break
            }
            guard let resource = step.resource else { return .succeeded("nothing to confirm") }
            guard let component = system.components.first(where: { $0.id == resource }), let provider = providers[component.target.provider]
            else {
                return .failed(
                    Problem("Unsupported", "\(step.id): there is no provider for \(resource)", next: "report this as a bug of Belay"))
            }
            let site = Site(component: component, provider: provider)
            let end = min(time.elapsed + step.deadline, phaseEnd)
            switch step.action {
            case .confirm:
                return await confirm(site, until: end)
            case .release(let change):
                if let outcome = try await write(change, at: site, step, until: end) { return outcome }
                if step.gate == .departed { return .succeeded("nothing else is left; its health is asked when its schema is there") }
                return try await finish(site, step, phaseEnd)
            case .await(let resolution):
                let intent = await session.state.openIntents[resource]
                let wait = Wait(resolution: resolution, intent: intent, settlementBefore: nil, end: end, limit: step.deadline)
                if let outcome = try await arrive(wait, at: site, step) { return outcome }
                if step.gate == .departed { return .succeeded("nothing else is left; its health is asked when its schema is there") }
                return try await finish(site, step, phaseEnd)
            case .check:
                return try await finish(site, step, phaseEnd)
            case .fence(let change):
                return try await fence(change, at: site, until: end)
            case .stop:
                return try await stop(site, step, until: end)
            case .open, .close, .migrate, .backUp, .set:
                return .failed(Problem("Unsupported", "\(step.id): the step names a resource", next: "report this as a bug of Belay"))
            }
        } catch {
            return .failed(error.problem)
        }
    }

    func append(_ entry: JournalEntry) async throws(StateError) { try await session.append(entry, at: now()) }

    /// Why nothing may be done that has to be undone; nil when it may. Once that is promised, nobody is asked again in this pass.
    func promised(until end: Duration) async -> Problem? {
        if isPromised.withLock({ $0 }) { return nil }
        let late: Problem? = .notPromised(system.id)
        let promise = promise
        let problem = await time.bounded(by: max(end - time.elapsed, .zero), otherwise: late) { await promise() }
        if problem == nil { isPromised.withLock { $0 = true } }
        return problem
    }

    func progress(_ step: Step, _ text: String) { report(.stepProgress(step, text)) }

    /// Where a step works.
    struct Site: Sendable {
        var component: Component
        var provider: AnyProvider
        var id: ResourceID { component.id }
    }

    // MARK: - Observing

    /// - Parameter resolution: what the pin means in this plan.
    func observe(_ site: Site, _ resolution: Resolution?, intent: Intent?, until end: Duration) async -> Observation {
        let component = site.component
        let state = await session.state
        let request = ObservationRequest(
            component: component.name, pin: component.release, resolution: resolution, openIntent: intent,
            takeOwnership: component.takeOwnership, allowRebuild: component.allowRebuild, configuration: configurations[site.id],
            readsConfiguration: true, keeper: keeper, knownConfiguration: state.configurations[site.id] ?? [:],
            records: state.releases[site.id] ?? [], stop: state.stop(of: component))
        let late = Observation.unknown(Problem("ObservationTimedOut", "\(site.id): looking at it took too long"))
        return await time.bounded(by: max(end - time.elapsed, .zero), otherwise: late) {
            await site.provider.observe(component, request)
        }
    }

    /// The observation that confirmed the resource, if it is young enough to write upon; each serves once.
    func takeConfirmation(of resource: ResourceID) -> Observation? {
        guard let found = confirmed.withLock({ $0.removeValue(forKey: resource) }), time.elapsed - found.at <= pace.freshness else {
            return nil
        }
        return found.observation
    }

    private func confirm(_ site: Site, until end: Duration) async -> Outcome {
        let planned = plan.steps.compactMap { step -> ReleaseChange? in
            guard step.resource == site.id, case .release(let change) = step.action else { return nil }
            return change
        }.first
        let observation = await observe(site, planned?.resolution ?? plan.resolutions[site.id], intent: nil, until: end)
        guard let planned else {
            if let problem = observation.live.problem ?? observation.blocker { return .failed(problem) }
            return .succeeded("as planned")
        }
        if let problem = disagreement(of: observation, with: planned, on: site.id) { return .failed(problem) }
        confirmed.withLock { $0[site.id] = (observation, time.elapsed) }
        return .succeeded("as planned")
    }

    // MARK: - Checks

    /// The end of every step of a component: its own checks, on what is served now.
    private func finish(_ site: Site, _ step: Step, _ phaseEnd: Duration) async throws(StateError) -> Outcome {
        try await check(site.component.verify, of: "\(site.id)", owed: .check(site.id), step, phaseEnd)
    }

    private func check(
        _ checks: [Check], of subject: String, owed: Obligation?, _ step: Step, _ phaseEnd: Duration
    ) async throws(StateError) -> Outcome {
        let limit = max(phaseEnd - time.elapsed, .zero)
        if let problem = await self.checks.run(checks, of: subject, limit: limit, progress: { self.progress(step, $0) }) {
            return problem.reason == "Interrupted" ? .undecided(problem) : .failed(problem)
        }
        if let owed { try await pay(owed) }
        return .succeeded(
            checks.isEmpty ? "served; nothing checks it" : checks.count == 1 ? "check passed" : "\(checks.count) checks passed")
    }

    /// Records what passed as good; with it, so that no crash in between can lose that it did.
    func pay(_ obligation: Obligation) async throws(StateError) {
        let state = await session.state
        guard let transition = state.transition, transition.obligations.contains(obligation) else { return }
        let passed = releaseRecords(of: system, plan, state, at: now())
            .filter { obligation == .systemChecks || obligation == .check($0.key) }
            .mapValues { record in
                var record = record
                record.quality = .good
                record.schemas.merge(schemas.withLock { $0 }) { $1 }
                return record
            }
        try await append(.paid(.init(transition: transition.id, obligation, releases: passed)))
    }

    // MARK: - The transition

    private func open() async throws(StateError) -> Outcome {
        guard let opening = plan.opening else {
            return .failed(
                Problem("Unsupported", "the plan opens a transition without saying which", next: "report this as a bug of Belay"))
        }
        let transition = Transition(
            id: newID(), revision: plan.revision, start: opening.start, target: opening.target, directions: opening.directions,
            obligations: opening.obligations, approved: opening.approved, pinned: opening.pinned, opened: now())
        try await append(
            .opened(.init(transition: transition, resolutions: plan.resolutions, supersedes: await session.state.transition?.id)))
        return .succeeded("transition \(transition.id) is open")
    }

    private func close() async throws(StateError) -> Outcome {
        let state = await session.state
        guard let transition = state.transition else { return .succeeded("no transition is open") }
        // What the spec no longer checks cannot be owed any more.
        let obligations = transition.obligations.filter(isAsked)
        guard obligations.isEmpty, plan.blocked.isEmpty else {
            let owed = obligations.map(\.description) + plan.blocked.map { "the pin of \($0.resource)" }
            return .failed(
                Problem(
                    "TransitionOpen", "the transition cannot be closed: it still owes \(owed.sorted().joined(separator: ", "))",
                    next: "the next pass goes on with it"))
        }
        try await append(.closed(.init(transition: transition.id, releases: releaseRecords(of: system, plan, state, at: now()))))
        return .succeeded("transition \(transition.id) is closed")
    }

    private func checks(paying obligation: Obligation) -> [Check] {
        switch obligation {
        case .systemChecks: system.verify
        case .check(let resource): system.components.first { $0.id == resource }?.verify ?? []
        }
    }

    /// True if the spec still asks for what is owed.
    private func isAsked(_ obligation: Obligation) -> Bool {
        if case .check(let id) = obligation, id.kind == .database {
            return system.databases.first { $0.id == id }.map { !$0.checks.isEmpty } ?? false
        }
        return !checks(paying: obligation).isEmpty
    }
}

extension Problem {
    fileprivate static func notPromised(_ system: SystemID) -> Problem {
        Problem(
            "ObjectNotHeld", "\(system): it could not be seen to in time that its object stays until everything is undone",
            next: "nothing was begun; the next pass tries again")
    }
}
