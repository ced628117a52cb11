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
    /// By the part of the source.
    private var origins: [String: OriginStanding] = [:]
    private var claims = ClaimLedger()
    private var running: [SystemID: PassFlag] = [:]
    /// Those of the wanted ones that this process works on, as far as it was seen to.
    private var own: Set<SystemID> = []
    private var rhythms: [SystemID: Rhythm] = [:]
    /// When the last look at a system began.
    private var begun: [SystemID: Duration] = [:]
    /// What was told of a system last.
    private var told: [SystemID: Telling] = [:]
    /// Why the source could not be read at all, as it was told.
    private var failure: String?
    /// What of the source cannot be asked, as it was told.
    private var troubles: [String] = []
    /// What loads, and has to be told to the source.
    private var accepted: [Snapshot] = []
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
        return work
    }

    // MARK: - The source

    private mutating func read(_ result: Result<Holding, SourceError>, at now: Duration) {
        switch result {
        case .failure(let error):
            for origin in origins.keys { origins[origin]?.fail(error) }
            guard failure != error.message else { return }
            failure = error.message
            events(.unreadable(error, watched: wanted.keys.sorted(), origin: ""))
        case .success(let holding):
            failure = nil
            tell(holding)
            let present = Set(holding.parts.map(\.origin))
            for origin in origins.keys.sorted() where !present.contains(origin) {
                leave(origins.removeValue(forKey: origin)?.systems ?? [])
            }
            for part in holding.parts { take(part, at: now) }
            // What somebody else had may have become free.
            for part in holding.parts where origins[part.origin]?.isContested ?? false { take(part, at: now) }
        }
    }

    private mutating func tell(_ holding: Holding) {
        let before = troubles
        troubles = holding.troubles.map(\.message)
        for trouble in holding.troubles where !before.contains(trouble.message) { events(.outOfReach(trouble)) }
        guard troubles.isEmpty, !before.isEmpty else { return }
        events(.inReach(holding.parts.count == 1 ? holding.parts.first.flatMap { try? $0.result.get().revision } : nil))
    }

    private mutating func take(_ part: Holding.Part, at now: Duration) {
        var standing = origins[part.origin] ?? OriginStanding()
        defer { origins[part.origin] = standing }
        switch part.result {
        case .failure(let error):
            guard standing.fail(error) else { return }
            recall(part, &standing, at: now)
            let watched = standing.systems.sorted()
            if let revision = error.revision {
                events(.rejected(revision, mistakes: [error.message], watched: watched, origin: part.origin))
            } else {
                events(.unreadable(error, watched: watched, origin: part.origin))
            }
        case .success(let snapshot):
            guard standing.isNews(snapshot) || standing.isContested else { return }
            let loading = loop.load(snapshot)
            var mistakes = loading.mistakes
            standing.isContested = false
            if mistakes.isEmpty {
                mistakes = loading.systems.flatMap { contests(of: $0, from: part.origin, besides: standing.systems) }
                standing.isContested = !mistakes.isEmpty
            }
            guard mistakes.isEmpty else {
                if standing.reject(mistakes) {
                    recall(part, &standing, at: now)
                    events(.rejected(snapshot.revision, mistakes: mistakes, watched: standing.systems.sorted(), origin: part.origin))
                }
                return
            }
            events(.loaded(snapshot.revision, loading.systems.map(\.id).sorted(), notes: snapshot.notes + loading.notes))
            want(loading, snapshot, from: part.origin, wasLooking: !standing.applies, at: now)
            let names = Set(loading.systems.map(\.id))
            leave(standing.systems.subtracting(names))
            standing.accept(names)
            accepted.append(snapshot)
        }
    }

    /// Looks at what loaded before this process began, where nothing did since.
    private mutating func recall(_ part: Holding.Part, _ standing: inout OriginStanding, at now: Duration) {
        guard standing.systems.isEmpty, let before = part.lastGood else { return }
        let loading = loop.load(before)
        guard loading.mistakes.isEmpty,
            loading.systems.allSatisfy({ contests(of: $0, from: part.origin, besides: []).isEmpty })
        else { return }
        want(loading, before, from: part.origin, wasLooking: true, at: now)
        standing.recall(Set(loading.systems.map(\.id)))
    }

    /// What of a system another part of the source has already, in words.
    private func contests(of system: System, from origin: String, besides others: Set<SystemID>) -> [String] {
        if let before = wanted[system.id], before.origin != origin { return ["a system \(system.id) stands already at \(before.origin)"] }
        return claims.contests(of: system, besides: others)
    }

    private mutating func want(_ loading: Loading, _ snapshot: Snapshot, from origin: String, wasLooking: Bool, at now: Duration) {
        for system in loading.systems {
            let new = WantedSystem(system: system, snapshot: snapshot, origin: origin)
            let before = wanted.updateValue(new, forKey: system.id)
            claims.enter(system)
            let isSame =
                before.map {
                    new.isSame(as: $0) && new.snapshot.adopts == $0.snapshot.adopts && new.snapshot.leaving == $0.snapshot.leaving
                } ?? false
            // The rest of the revision may hold what a system waited for: a migration, for instance.
            if isOwn(system.id) { own.insert(system.id) }
            guard !isSame || wasLooking || told[system.id]?.verdict != .inSync else { continue }
            if !isSame {
                running[system.id]?.raise()
                rhythms[system.id] = nil
            }
            queue.add(system.id, .change, at: now)
        }
    }

    private mutating func leave(_ systems: Set<SystemID>) {
        for system in systems.sorted() {
            wanted[system] = nil
            own.remove(system)
            claims.remove(system)
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

    private func isOwn(_ system: SystemID) -> Bool { loop.duty?.covers(system) ?? true }

    /// What is somebody else's now ends between two steps; what is new is looked at.
    private mutating func changeDuty(at now: Duration) {
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

    private struct Telling: Equatable {
        var verdict: Verdict
        var headline: String
        var problems: [String]
    }
}
