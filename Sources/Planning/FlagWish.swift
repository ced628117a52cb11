import Model

/// How one flag is to be set: its pin, unless a kill, a guard or somebody's hand says off.
struct FlagWish {
    let flag: FeatureFlag
    /// Nil: it stays as it is.
    private(set) var setting: FlagSetting?
    private(set) var state = FlagStanding.State.inSync
    /// Why it is not as its pin says.
    private(set) var reason: String?
    /// Why that cannot be decided.
    private(set) var problem: Problem?
    /// For the reader of the plan.
    private(set) var note: String?

    init(_ flag: FeatureFlag, _ survey: Survey, _ moves: [SchemaMove]) {
        self.flag = flag
        // What is said of a flag that is off is kept for later.
        setting = flag.setting.isOn ? flag.setting : .off
        if flag.kill == true {
            setting = .off
            state = .killed
            // Who killed it by command recorded the pin of then, in which no kill was written yet.
            let why = survey.recorded.flags[flag.name].flatMap { $0.flag.kill == true || !$0.setting.isOn ? $0.reason : nil }
            reason = "killed by the spec" + (why.map { ": \($0)" } ?? "")
            return
        }
        guard flag.setting.isOn, let `guard` = flag.guard else { return }
        switch GuardQuestion(`guard`, survey, moves).answer() {
        case .holds: break
        case .fails(let why):
            setting = .off
            state = .guarded
            reason = why
            note = "off, because \(why)"
        case .unknown(let problem):
            // Off is safe where what it needs is about to leave. Where that stays, an outage elsewhere is no reason to take a feature away.
            setting = `guard`.isLeaving(survey, moves) ? .off : nil
            state = .blocked
            reason = problem.message
            self.problem = problem
        }
    }

    /// What somebody switched off by hand stays off: it is never switched on again by itself.
    mutating func respect(_ observation: FlagObservation, _ record: FlagRecord?) {
        guard flag.setting.isOn, flag.kill != true, let record, Self.wasSwitchedOff(observation), isSticky(record) else { return }
        state = .killedOutOfBand
        let isOff = observation.setting?.isOn == false
        setting = isOff || setting?.isOn != false ? nil : .off
        problem = nil
        if let why = record.reason {
            reason = "it was switched off by hand: \(why)"
        } else if observation.servesNothing {
            reason =
                "somebody disabled it in the store, where it serves no value of its own now: applications use the default in their code, which "
                + "may be on; kill: true switches it off for certain"
        } else {
            reason = "somebody switched it off by hand"
        }
        let way = flag.kill == nil ? "kill: false is enough" : "kill: true, and then kill: false"
        note = "it stays as it is until a commit says otherwise (\(way)), or somebody says: reconcile flag \(flag.name) on --now"
    }

    private static func wasSwitchedOff(_ observation: FlagObservation) -> Bool {
        observation.servesNothing || observation.setting?.isServed == false
    }

    /// It was served when it was last seen to be as pinned, or was switched off by hand through Belay, and no commit has spoken of a kill since.
    private func isSticky(_ record: FlagRecord) -> Bool {
        let isCleared = flag.kill != record.flag.kill && (flag.kill != nil || record.flag.kill == true)
        return !isCleared && record.flag.setting.isServed && (record.setting.isServed || record.reason != nil)
    }
}

extension FlagGuard {
    /// True if something that the flag needs is about to be replaced.
    fileprivate func isLeaving(_ survey: Survey, _ moves: [SchemaMove]) -> Bool {
        survey.subjects.contains { $0.component.name == component && $0.isAway }
            || moves.contains { $0.database.name == database && !$0.downs.isEmpty }
    }
}
