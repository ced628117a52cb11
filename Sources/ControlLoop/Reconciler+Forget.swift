public import Execution
public import Model
public import Planning
import ProviderKit
public import State

/// What a person said beside the name of the component.
public struct ForgetOptions: Sendable {
    /// Lets go without taking the fence down: for a provider that does not answer any more, or a target that is gone.
    public var leavesFence: Bool
    /// Who holds the lock.
    public var holder: LockHolder
    public var pace: Pace
    /// How long the automation may take until its value is seen.
    public var limit: Duration

    public init(leavesFence: Bool = false, holder: LockHolder, pace: Pace = Pace(), limit: Duration = .seconds(60)) {
        self.leavesFence = leavesFence
        self.holder = holder
        self.pace = pace
        self.limit = limit
    }
}

/// How letting go of a component ended.
public struct ForgetReport: Sendable {
    public var system: SystemID
    public var component: String
    /// In sync when nothing of it is recorded any more.
    public var verdict: Verdict
    /// What was let go of, and what became of its fence.
    public var done: [String]
    public var problem: Problem?

    init(_ system: SystemID, _ component: String, _ verdict: Verdict, done: [String] = [], problem: Problem? = nil) {
        self.system = system
        self.component = component
        self.verdict = verdict
        self.done = done
        self.problem = problem
    }
}

extension Reconciler {
    /// Lets go of a component that the spec does not name any more: its fence comes down, and then nothing of it is recorded.
    ///
    /// What runs is left as it is. Nothing is forgotten unless the fence is down, or is to be left. May be called again after a crash.
    public func forget(_ name: String, of system: System, _ options: ForgetOptions) async -> ForgetReport {
        func report(_ verdict: Verdict, _ problem: Problem) -> ForgetReport {
            ForgetReport(system.id, name, verdict, problem: problem)
        }
        if system.components.contains(where: { $0.name == name }) { return report(.blocked, .stillNamed(name)) }
        do {
            let store = try store(system)
            // Before anything is locked, because that makes a directory.
            if let (verdict, problem) = refusal(to: name, of: system, try await store.load()) { return report(verdict, problem) }
            return try await store.withLock(options.holder, patience: .seconds(1), clock: clock) { session in
                let recorded = await session.state
                if let (verdict, problem) = refusal(to: name, of: system, recorded) { return report(verdict, problem) }
                let resource = ResourceID.component(name)
                var done: [String] = []
                if let fence = recorded.fences[resource] {
                    if options.leavesFence {
                        done.append("its fence is left: \(fence.name) stays \(fence.set); before, it was \(fence.previous)")
                    } else {
                        let way =
                            "--leave-fence forgets it and leaves \(fence.name) as it is (\(fence.set); before, it was \(fence.previous))"
                        switch try await lower(fence, of: name, recorded, in: session, options, otherwise: way) {
                        case .success(let how): done.append("its fence is down: \(how)")
                        case .failure(let problem): return report(.failure, problem)
                        }
                    }
                }
                try await session.append(
                    .forgotten(.init(resource, leavesFence: options.leavesFence && recorded.fences[resource] != nil)), at: now())
                return ForgetReport(system.id, name, .inSync, done: done + recorded.told(of: resource))
            }
        } catch let error as StateError {
            return report(error.code == .locked ? .blocked : .failure, error.problem)
        } catch {
            return report(.failure, Problem("Interrupted", "\(system.id): it was interrupted", next: "run it again"))
        }
    }

    private func refusal(to name: String, of system: System, _ recorded: RecordedState) -> (Verdict, Problem)? {
        let resource = ResourceID.component(name)
        let known = recorded.components
        guard known.contains(name) else {
            let others = known.subtracting(system.components.map(\.name)).sorted().joined(separator: ", ")
            return (
                .failure,
                Problem(
                    "NothingRecorded", "\(system.id): nothing is recorded of \(resource)",
                    next: others.isEmpty ? "there is nothing to forget" : "recorded and not in the spec: \(others)")
            )
        }
        guard let transition = recorded.transition, transition.target[resource] != nil else { return nil }
        return (
            .blocked,
            Problem(
                "TransitionOpen", "\(resource): the open transition to \(transition.revision) still moves it",
                next: "run reconcile --once first: its pass ends the transition without it")
        )
    }

    /// - Parameter way: what is left to do where the provider cannot be asked.
    func lower(
        _ fence: Fence, of name: String, _ recorded: RecordedState, in session: any StateSession, _ options: ForgetOptions,
        otherwise way: String
    ) async throws(StateError) -> Result<String, Problem> {
        func failed(_ problem: Problem) -> Result<String, Problem> {
            var problem = problem
            problem.next = [problem.next == "plan anew" ? nil : problem.next, way].compactMap(\.self).joined(separator: "; ")
            return .failure(problem)
        }
        guard let target = await providers.target(of: fence) else {
            return failed(
                Problem("UnknownTarget", "component/\(name): this version does not know the target of its fence (\(fence.provider))"))
        }
        switch await providers.provider(of: Component(name: name, target: target, release: .name("none"))) {
        case .failure(let problem):
            return failed(problem)
        case .success(let provider):
            let executor = Executor(
                providers: [provider.name: provider], transport: transport, clock: clock, now: now, pace: options.pace)
            // A fence without an accepted revision was put up by the first one, which is that of the resolution.
            let revision = recorded.accepted ?? recorded.resolutions[.component(name)]?.revision ?? Revision(.digest, "")
            switch try await executor.lower(
                fence, of: name, at: target, revision: revision, within: options.limit, in: session)
            {
            case .succeeded(let how): return .success(how)
            case .failed(let problem), .undecided(let problem): return failed(problem)
            case .skipped, .superseded:
                return failed(Problem("Interrupted", "component/\(name): its fence was not taken down", next: "run it again"))
            }
        }
    }
}

extension RecordedState {
    /// The names of all components of which anything is recorded.
    fileprivate var components: Set<String> {
        let resources =
            Array(releases.keys) + Array(resolutions.keys) + Array(openIntents.keys) + Array(configurations.keys) + Array(fences.keys)
            + Array(drifts.keys) + Array(transition?.target.keys ?? [:].keys)
        return Set(resources.filter { $0.kind == .component }.map(\.name))
    }

    /// What was recorded of a component, for people.
    fileprivate func told(of resource: ResourceID) -> [String] {
        var lines: [String] = []
        let count = releases[resource]?.count ?? 0
        if count > 0 { lines.append(count == 1 ? "one recorded release is forgotten" : "\(count) recorded releases are forgotten") }
        if let intent = openIntents[resource] {
            lines.append(
                "the end of a write was not seen: \(intent.route.means) to \(intent.resolution.label); nobody looks for it any more")
        }
        return lines
    }
}

extension Problem {
    fileprivate static func stillNamed(_ name: String) -> Problem {
        Problem(
            "StillInSpec", "component/\(name): the spec still names it",
            next: "take it out of the spec first; or say fence: false there, to give its automation back and keep it")
    }
}
