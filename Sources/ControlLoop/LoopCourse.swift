import Execution
import Model
import Planning
import Sources
import SpecLoading

/// What a loop knows, and what it does about what happens. No I/O and no clock: times are told. Only this type changes its state.
struct LoopCourse {
    let loop: Loop
    let events: @Sendable (LoopEvent) -> Void
    var queue = WorkQueue()
    var wanted: [SystemID: WantedSystem] = [:]
    /// By the part of the source.
    var origins: [String: OriginStanding] = [:]
    var claims = ClaimLedger()
    var running: [SystemID: PassFlag] = [:]
    /// Those of the wanted ones that this process works on, as far as it was seen to.
    var own: Set<SystemID> = []
    var rhythms: [SystemID: Rhythm] = [:]
    /// When the last look at a system began.
    var begun: [SystemID: Duration] = [:]
    /// What was told of a system last.
    var told: [SystemID: Telling] = [:]
    /// Why the source could not be read at all, as it was told.
    var failure: String?
    /// What of the source cannot be asked, as it was told.
    var troubles: [String] = []
    /// What loads, and has to be told to the source.
    var accepted: [Snapshot] = []
    private var isStopping = false
    private var isResting = true

    init(loop: Loop, events: @escaping @Sendable (LoopEvent) -> Void) {
        self.loop = loop
        self.events = events
    }

    /// True when it was told to stop and no pass is under way any more; a mere look may be given up at any time.
    var isOver: Bool { isStopping && running.isEmpty }

    /// When something has to be begun; nil when nothing waits, or nothing more can be begun.
    var nextDue: Duration? { isStopping || queue.workCount >= loop.pace.concurrency ? nil : queue.nextDue }

    /// What is to be done now that this happened.
    mutating func take(_ happening: LoopHappening, at now: Duration) -> [LoopWork] {
        var work: [LoopWork] = []
        switch happening {
        case .read(nil), .cancelled: isStopping = true
        case .read(let result?):
            guard !isStopping else { break }
            read(result, at: now)
            work += accepted.map(LoopWork.accept)
            accepted = []
            work.append(.read)
        case .tick, .accepted: break
        case .ended(let report, let wasTold): ended(report, wasTold, at: now)
        case .surveyed(let system, let result): surveyed(system, result, at: now)
        case .letGo(let ended): letGo(ended, at: now)
        case .told(nil): break
        case .told(let messages?):
            for message in messages { hear(message, at: now) }
            work.append(.listen)
        case .duty:
            guard !isStopping else { break }
            changeDuty(at: now)
            work.append(.awaitDuty)
        case .stop:
            guard !isStopping else { break }
            isStopping = true
            for flag in running.values { flag.raise() }
            events(.stopping(running.keys.sorted()))
            if !running.isEmpty { work.append(.cancelAfterGrace) }
        case .graceIsOver: for flag in running.values { flag.cancellation.raise() }
        }
        while !isStopping, queue.workCount < loop.pace.concurrency, let next = queue.takeNext(at: now) {
            let system = next.system
            guard let wanted = wanted[system], isOwn(system) else {
                queue.finish(system)
                own.remove(system)
                continue
            }
            if let leaving = wanted.snapshot.leaving {
                let flag = PassFlag()
                running[system] = flag
                work.append(.letGo(wanted, leaving, flag))
                continue
            }
            begun[system] = now
            loop.probe.began(system, next.reason, next.waited)
            guard origins[wanted.origin]?.applies ?? false else {
                work.append(.survey(wanted))
                continue
            }
            let flag = PassFlag()
            running[system] = flag
            work.append(.pass(wanted, flag))
        }
        let wasResting = isResting
        isResting = queue.workCount == 0
        if isResting, !wasResting { loop.probe.resting() }
        return work
    }

    // MARK: - The line

    private mutating func hear(_ message: LoopLine.Message, at now: Duration) {
        switch message {
        case .pulse(let answer):
            answer.yield(
                LoopPulse(
                    systems: wanted.count, parts: origins.count, partsNotApplied: origins.values.count { !$0.applies },
                    working: queue.workCount, due: queue.due(at: now), longestWait: queue.longestWait(at: now),
                    isStopping: isStopping))
            answer.finish()
        case .look(let isMeant):
            for wanted in wanted.values where isMeant(wanted.system) {
                let system = wanted.system.id
                // A hint is no reason to ask a provider that wants to be left alone, or that failed a moment ago.
                if rhythms[system]?.isHeldBack ?? false { continue }
                let rest = begun[system].map { loop.pace.shortestHintPause - (now - $0) } ?? .zero
                queue.add(system, .hint, at: now + max(.zero, rest))
            }
        }
    }

    // MARK: - Sharing

    func isOwn(_ system: SystemID) -> Bool { loop.duty?.covers(system) ?? true }

    /// What is somebody else's now ends between two steps; what is new is looked at.
    private mutating func changeDuty(at now: Duration) {
        for origin in origins.keys.sorted() {
            let duty = loop.duty
            if let (systems, event) = origins[origin]?.takeOver(isOwn: { duty?.covers($0) ?? true }) { events(.tookOver(systems, event)) }
        }
        for system in wanted.keys.sorted() where isOwn(system) != own.contains(system) {
            told[system] = nil
            rhythms[system] = nil
            if own.remove(system) == nil {
                own.insert(system)
                queue.add(system, .change, at: now)
            } else {
                queue.forget(system)
                running[system]?.raise()
            }
        }
    }

    // MARK: - Systems

    private mutating func ended(_ report: PassReport, _ wasTold: Bool, at now: Duration) {
        running[report.system] = nil
        queue.finish(report.system)
        guard wanted[report.system] != nil else { return }
        let isSuperseded = wasTold && (report.result?.verdict == .superseded || report.problems.contains { $0.reason == "Interrupted" })
        if isSuperseded, isStopping || !isOwn(report.system) { return events(.interrupted(report)) }
        var again: Duration?
        if !isSuperseded {
            let next = rhythms[report.system, default: Rhythm()].next(after: report, loop.pace, loop.options.pace, jitter: loop.jitter())
            queue.add(report.system, next.reason, at: now + next.pause)
            if next.reason == .retry { again = next.pause }
            events(.passed(report, again: next.pause))
        }
        let telling = Telling(verdict: report.verdict, headline: report.headline, problems: report.problems.map(\.message))
        let isNews = told[report.system] != telling || report.result?.steps.contains { $0.step.action.isWrite } ?? false
        told[report.system] = telling
        if isNews { events(.ended(report, again: again)) }
    }

    private mutating func letGo(_ ended: LettingGo, at now: Duration) {
        running[ended.system] = nil
        queue.finish(ended.system)
        guard wanted[ended.system]?.snapshot.leaving != nil, !isStopping else { return }
        var again: Duration?
        if !ended.problems.isEmpty {
            let pause = rhythms[ended.system, default: Rhythm()].backoff(loop.pace, jitter: loop.jitter())
            queue.add(ended.system, .retry, at: now + pause)
            again = pause
        }
        let telling = Telling(
            verdict: ended.problems.isEmpty ? .inSync : .failure, headline: "let go", problems: ended.problems.map(\.message))
        guard told[ended.system] != telling else { return }
        told[ended.system] = telling
        events(.letGo(ended, again: again))
    }

    private mutating func surveyed(_ system: SystemID, _ result: Result<Survey, Problem>, at now: Duration) {
        queue.finish(system)
        queue.add(system, .resync, at: now + loop.pace.resync * (1 + loop.jitter() / 10))
        let difference = result.map { survey in
            LoopEvent.ObservedDifference(
                changes: survey.plan.steps.filter(\.action.isWrite).count, verdict: survey.plan.verdict)
        }
        let telling: Telling =
            switch difference {
            case .success(let difference):
                Telling(verdict: difference.verdict, headline: "observed, \(difference.changes)", problems: [])
            case .failure(let problem): Telling(verdict: .failure, headline: "observed", problems: [problem.message])
            }
        guard wanted[system] != nil, told[system] != telling else { return }
        told[system] = telling
        events(.observed(system, difference))
    }

    struct Telling: Equatable {
        var verdict: Verdict
        var headline: String
        var problems: [String]
    }
}
