import Execution
import Model
import Planning
import Sources
import SpecLoading

/// What a loop knows, and what it does about what happens. No I/O and no clock: times are told.
struct LoopCourse {
    let loop: Loop
    let events: @Sendable (LoopEvent) -> Void
    private var queue = WorkQueue()
    private var wanted: [SystemID: WantedSystem] = [:]
    /// False while the newest revision does not load: then systems are only looked at.
    private var applies = true
    private var running: [SystemID: PassFlag] = [:]
    private var rhythms: [SystemID: Rhythm] = [:]
    /// When the last look at a system began.
    private var begun: [SystemID: Duration] = [:]
    /// What was told of a system last.
    private var told: [SystemID: Telling] = [:]
    private var source = SourceStanding()
    private var isStopping = false

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
            work.append(.read)
        case .tick: break
        case .ended(let report, let wasTold): ended(report, wasTold, at: now)
        case .surveyed(let system, let result): surveyed(system, result, at: now)
        case .told(nil): break
        case .told(let messages?):
            for message in messages { hear(message, at: now) }
            work.append(.listen)
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
            guard let wanted = wanted[system] else {
                queue.finish(system)
                continue
            }
            begun[system] = now
            loop.probe.began(system, next.reason, next.waited)
            guard applies else {
                work.append(.survey(wanted))
                continue
            }
            let flag = PassFlag()
            running[system] = flag
            work.append(.pass(wanted, flag))
        }
        return work
    }

    // MARK: - The source

    private mutating func read(_ result: Result<Snapshot, SourceError>, at now: Duration) {
        switch result {
        case .failure(let error):
            applies = false
            if source.isNews(.unreadable(error.message)) { events(.unreadable(error, watched: wanted.keys.sorted())) }
        case .success(let snapshot):
            if let trouble = snapshot.trouble {
                if source.isNews(trouble: trouble.message) { events(.outOfReach(trouble)) }
            } else if source.isNews(trouble: nil) {
                events(.inReach(snapshot.revision))
            }
            guard source.isNews(.read(snapshot)) else { return }
            let loading = loop.load(snapshot)
            if loading.mistakes.isEmpty {
                want(loading, snapshot, at: now)
            } else {
                applies = false
                events(.rejected(snapshot.revision, mistakes: loading.mistakes, watched: wanted.keys.sorted()))
            }
        }
    }

    private mutating func want(_ loading: Loading, _ snapshot: Snapshot, at now: Duration) {
        let wasLooking = !applies
        applies = true
        events(.loaded(snapshot.revision, loading.systems.map(\.id).sorted(), notes: snapshot.notes + loading.notes))
        for system in loading.systems {
            let new = WantedSystem(system: system, snapshot: snapshot)
            let before = wanted.updateValue(new, forKey: system.id)
            let isSame = before.map(new.isSame) ?? false
            // The rest of the revision may hold what a system waited for: a migration, for instance.
            guard !isSame || wasLooking || told[system.id]?.verdict != .inSync else { continue }
            if !isSame {
                running[system.id]?.raise()
                rhythms[system.id] = nil
            }
            queue.add(system.id, .change, at: now)
        }
        let names = Set(loading.systems.map(\.id))
        for system in wanted.keys.sorted() where !names.contains(system) {
            wanted[system] = nil
            queue.forget(system)
            running[system]?.raise()
            told[system] = nil
            rhythms[system] = nil
            begun[system] = nil
            events(.left(system))
        }
    }

    // MARK: - The line

    private mutating func hear(_ message: LoopLine.Message, at now: Duration) {
        switch message {
        case .pulse(let answer):
            answer.yield(
                LoopPulse(
                    systems: wanted.count, working: queue.workCount, due: queue.due(at: now), longestWait: queue.longestWait(at: now),
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

    // MARK: - Systems

    private mutating func ended(_ report: PassReport, _ wasTold: Bool, at now: Duration) {
        running[report.system] = nil
        queue.finish(report.system)
        guard wanted[report.system] != nil else { return }
        let isSuperseded = wasTold && (report.result?.verdict == .superseded || report.problems.contains { $0.reason == "Interrupted" })
        if isSuperseded, isStopping { return events(.interrupted(report)) }
        var again: Duration?
        if !isSuperseded {
            let next = rhythms[report.system, default: Rhythm()].next(after: report, loop.pace, loop.options.pace, jitter: loop.jitter())
            queue.add(report.system, next.reason, at: now + next.pause)
            if next.reason == .retry { again = next.pause }
        }
        let telling = Telling(verdict: report.verdict, headline: report.headline, problems: report.problems.map(\.message))
        let isNews = told[report.system] != telling || report.result?.steps.contains { $0.step.action.isWrite } ?? false
        told[report.system] = telling
        if isNews { events(.ended(report, again: again)) }
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

    private struct Telling: Equatable {
        var verdict: Verdict
        var headline: String
        var problems: [String]
    }
}

/// What of the source was told last.
private struct SourceStanding {
    enum Reading {
        case unreadable(String)
        case read(Snapshot)
    }

    private var last: Reading?
    private var trouble: String?

    /// True if it is another than the last one, which it then is.
    mutating func isNews(_ reading: Reading) -> Bool {
        defer { last = reading }
        switch (last, reading) {
        case (.unreadable(let before), .unreadable(let now)): return before != now
        case (.read(let before), .read(let now)):
            return before.revision != now.revision || before.files.map(\.bytes) != now.files.map(\.bytes)
                || before.files.map(\.name) != now.files.map(\.name)
        default: return true
        }
    }

    mutating func isNews(trouble now: String?) -> Bool {
        defer { trouble = now }
        return trouble != now
    }
}
