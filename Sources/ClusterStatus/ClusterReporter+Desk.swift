import ControlLoop
import JSONValues
public import Model

extension ClusterReporter {
    /// What is to be done about one object.
    struct Desk {
        var jobs: [Job] = []
        var isBusy = false
        /// True while it is busy with nothing but waiting for the next attempt.
        var isWaiting = false
        var failures = 0
        /// Of the object that it was made for.
        var uid: String?
        var sheet = StatusSheet()
        /// As it was written last.
        var written: JSON?
    }

    enum Job: Sendable {
        /// With an event for when the status says something else than before: after a restart, or another replica, it may stand already.
        case status(@Sendable (inout StatusSheet, _ generation: Int) -> Void, news: Happening? = nil)
        /// After a pass; what it changed is looked at once more.
        case ended(PassReport, isTriedAgain: Bool)
        case event(Happening)
        case finalizer(isNeeded: Bool)
        /// Comes before everything else; whoever waits for it is told that it failed.
        case hold(Pledge)

        var isEnd: Bool { if case .ended = self { true } else { false } }
        var isEvent: Bool { if case .event = self { true } else { false } }
        var isStatus: Bool { if case .status = self { true } else { isEnd } }
        var isRemoval: Bool { if case .finalizer(false) = self { true } else { false } }
        var isHold: Bool { if case .hold = self { true } else { false } }
    }
}

// MARK: - Holding an object

extension ClusterReporter {
    /// Sees to it that a system's object does not go before what is about to be done to the system is undone: waits until the finalizer stands at
    /// it. Returns why it does not. Answered while ``run()`` is under way.
    public nonisolated func promise(to system: SystemID) async -> Problem? {
        guard guards else { return nil }
        let (answers, continuation) = AsyncStream<Problem?>.makeStream()
        inbox.yield(.hold(system, Pledge(continuation)))
        for await answer in answers { return answer }
        return .notHeld(system, "it is not there any more, or nobody was left to ask for it")
    }

    func free(_ system: SystemID) {
        desks[system]?.isBusy = false
        desks[system]?.isWaiting = false
    }

    func hold(_ system: SystemID, _ pledge: Pledge) {
        var desk = desks.removeValue(forKey: system) ?? Desk()
        // What was to take the finalizer away is overtaken, unless it is being sent; then it comes first.
        let sent = desk.isBusy && !desk.isWaiting ? desk.jobs.prefix(1) : []
        desk.jobs = sent + desk.jobs.dropFirst(sent.count).filter { !$0.isRemoval } + [.hold(pledge)]
        desks[system] = desk
        if desk.isWaiting { free(system) }
    }

    func takeHold(of system: SystemID) -> Job? {
        guard let index = desks[system]?.jobs.firstIndex(where: \.isHold) else { return nil }
        return desks[system]?.jobs.remove(at: index)
    }
}

/// What somebody waits for who wants an object to be held.
final class Pledge: Sendable {
    private let answer: AsyncStream<Problem?>.Continuation

    init(_ answer: AsyncStream<Problem?>.Continuation) { self.answer = answer }

    /// Nobody answers any more.
    deinit { answer.finish() }

    func settle(_ problem: Problem?) { answer.yield(problem) }
}

extension Problem {
    static func notHeld(_ system: SystemID, _ reason: String) -> Problem {
        Problem(
            "ObjectNotHeld", "\(system): its object cannot be made to stay until everything is undone: \(reason)",
            next: "nothing was begun; the next pass tries again")
    }
}
