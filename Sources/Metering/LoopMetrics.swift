public import ControlLoop
import Execution
public import Model
import Planning
import Synchronization

/// Keeps the numbers of a loop: it hears everything that the loop tells.
public final class LoopMetrics: Sendable {
    private struct Entered {
        var phase: Phase
        var at: ContinuousClock.Instant
    }

    private struct State {
        /// In which phase a system's pass is.
        var phases: [SystemID: Entered] = [:]
        /// The resources that have drifted.
        var drifted: [SystemID: Set<String>] = [:]
        var running: Set<SystemID> = []
        /// Left by the specs while a pass was under way, which still has to end.
        var leaving: Set<SystemID> = []

        mutating func forget(_ system: SystemID) {
            phases[system] = nil
            drifted[system] = nil
            if running.contains(system) { leaving.insert(system) }
        }
    }

    private let metrics: MetricRegistry
    private let now: @Sendable () -> Timestamp
    private let state = Mutex(State())

    public init(_ metrics: MetricRegistry, now: @escaping @Sendable () -> Timestamp) {
        self.metrics = metrics
        self.now = now
    }

    /// For the loop.
    public var probe: LoopProbe {
        LoopProbe(
            read: { self.read($0) }, began: { self.began($0, $1, $2) },
            ended: { report, duration in
                self.ended(report, after: duration)
                // What the specs left in the meantime keeps no series.
                let isLeft = self.state.withLock { state in
                    state.running.remove(report.system)
                    return state.leaving.remove(report.system) != nil
                }
                if isLeft { self.forget(report.system) }
            })
    }

    public func take(_ event: LoopEvent) {
        switch event {
        case .loaded(let revision, _, _):
            // Of a source of many parts, each has one of its own.
            guard revision.kind == .commit || revision.kind == .digest else { break }
            metrics.replace(.sourceRevision, with: [[revision.kind.rawValue, revision.id]: 1])
        case .left(let system): forget(system)
        case .execution(let system, let event): take(event, of: system)
        case .rejected, .unreadable, .outOfReach, .inReach, .tookOver, .unmoved, .letGo, .passed, .ended, .interrupted, .observed,
            .stopping,
            .stopped:
            break
        }
    }

    /// What the loop says of itself.
    public func take(_ pulse: LoopPulse) {
        metrics.replace(
            .queueDepth, with: Dictionary(uniqueKeysWithValues: LookReason.allCases.map { ([$0.rawValue], Double(pulse.due[$0] ?? 0)) }))
        metrics.set(.queueLate, to: pulse.longestWait.seconds)
        metrics.set(.working, to: Double(pulse.working))
        metrics.set(.systems, to: Double(pulse.systems))
        if pulse.parts > 0 {
            metrics.set(.sourceValid, to: pulse.partsNotApplied == 0 ? 1 : 0)
            metrics.set(.sourceRejected, to: Double(pulse.partsNotApplied))
        }
    }

    private func forget(_ system: SystemID) {
        state.withLock { $0.forget(system) }
        metrics.remove("system", system.description)
    }

    private func read(_ reading: LoopProbe.Reading) {
        metrics.add(to: .sourceReads, reading.rawValue)
        metrics.set(.sourceUp, to: reading == .ok ? 1 : 0)
        if reading == .ok { metrics.set(.sourceRead, to: now().seconds) }
    }

    // MARK: - A pass

    private func began(_ system: SystemID, _ reason: LookReason, _ waited: Duration) {
        metrics.observe(waited, in: .queueWait, reason.rawValue)
        state.withLock { state in
            state.running.insert(system)
            state.leaving.remove(system)
        }
    }

    private func take(_ event: ExecutionEvent, of system: SystemID) {
        switch event {
        case .phaseEntered(let phase): enter(phase, of: system)
        case .drifted: metrics.add(to: .drifts, system.description)
        case .stepEnded(let step, let outcome): metrics.add(to: .steps, step.phase.rawValue, outcome.word)
        case .notice, .stepStarted, .stepProgress: break
        }
    }

    private func enter(_ phase: Phase?, of system: SystemID) {
        let now = ContinuousClock.now
        let before = state.withLock { state in
            defer { state.phases[system] = phase.map { Entered(phase: $0, at: now) } }
            return state.phases[system]
        }
        if let before { metrics.observe(now - before.at, in: .phaseDuration, before.phase.rawValue) }
    }

    private func ended(_ report: PassReport, after duration: Duration) {
        let (system, time) = (report.system, now())
        let name = system.description
        enter(nil, of: system)
        metrics.add(to: .passes, name, report.verdict.word)
        metrics.add(duration.seconds, to: .passSeconds, name)
        metrics.observe(duration, in: .passDuration, report.verdict.word)
        for verdict in [Verdict.inSync, .blocked, .failure] {
            metrics.set(.systemState, name, verdict.word, to: verdict == report.verdict ? 1 : 0)
        }
        metrics.set(.lastPass, name, to: time.seconds)
        if report.verdict == .inSync { metrics.set(.lastSuccess, name, to: time.seconds) }
        transition(of: report, after: duration, at: time)
        guard let survey = report.survey else { return }
        // Once something is on its way, it is in the record alone.
        let found = survey.plan.drifts.map(\.resource) + (report.result?.state ?? survey.recorded).drifts.keys
        drifts(report.verdict == .inSync ? [] : Set(found.map(\.description)), of: system, at: time)
    }

    private func transition(of report: PassReport, after duration: Duration, at time: Timestamp) {
        let name = report.system.description
        if let open = report.openTransition {
            metrics.set(.transitionSince, name, to: open.opened.seconds)
        } else {
            metrics.remove(.transitionSince, name)
            let steps = report.result?.steps ?? []
            guard steps.contains(where: { $0.step.action == .close && $0.outcome.isSuccess }) else { return }
            // By the clock that wrote the record, which is this one's, or another machine's that had the lock before.
            let before = report.survey?.recorded.transition.map { time - $0.opened } ?? .zero
            let directions = (report.survey?.recorded.transition?.directions ?? report.survey?.plan.opening?.directions ?? [:]).values
            let isBack = directions.contains(.retreat) || steps.contains { $0.step.phase == .migrateDown }
            metrics.observe(max(duration, before), in: .transitionDuration, isBack ? "back" : "forward")
        }
    }

    private func drifts(_ present: Set<String>, of system: SystemID, at time: Timestamp) {
        let name = system.description
        let before = state.withLock { state in
            defer { state.drifted[system] = present.isEmpty ? nil : present }
            return state.drifted[system] ?? []
        }
        for resource in present.subtracting(before) { metrics.set(.driftSince, name, resource, to: time.seconds) }
        for resource in before.subtracting(present) { metrics.remove(.driftSince, name, resource) }
    }
}

extension Timestamp {
    fileprivate var seconds: Double { Double(millisecondsSinceEpoch) / 1000 }
}

extension Verdict {
    fileprivate var word: String {
        switch self {
        case .inSync: "in-sync"
        case .changes: "changes"
        case .blocked: "blocked"
        case .failure: "failure"
        }
    }
}
