import Model

/// What is to become of the flags: which go off before anything else moves, and which go on when everything else has arrived.
struct FlagMoves {
    /// In the order of their names.
    private(set) var off: [FlagChange] = []
    private(set) var on: [FlagChange] = []
    private(set) var blocked: [Blocked] = []
    private(set) var notes: [String] = []
    /// Components that a flag in ``off`` belongs to: they leave after it.
    private(set) var guarded: Set<ResourceID> = []
    /// Databases likewise.
    private(set) var guardedSchemas: Set<ResourceID> = []
    /// Why a flag is off though its pin says on, by name: a guard that does not hold, a kill.
    private(set) var held: [String: String] = [:]

    var isEmpty: Bool { off.isEmpty && on.isEmpty && blocked.isEmpty }
    var hasChanges: Bool { !off.isEmpty || !on.isEmpty }

    init(_ survey: Survey, moves: [SchemaMove]) {
        guard let flags = survey.system.flags else { return }
        for flag in flags.flags.sorted(by: { $0.name < $1.name }) {
            let observation =
                survey.observed.flags[flag.id]
                ?? FlagObservation(problem: Problem("NotObserved", "\(flag.id): it was not observed", next: "run again"))
            notes += observation.notes.map { "\(flag.id): \($0)" }
            if let problem = observation.problem {
                blocked.append(Blocked(flag.id, .failure, problem))
                continue
            }
            consider(flag, observation, survey, moves)
        }
    }

    private mutating func consider(_ flag: FeatureFlag, _ observation: FlagObservation, _ survey: Survey, _ moves: [SchemaMove]) {
        var desired = flag.setting
        if flag.kill == true {
            desired = .off
            held[flag.name] = "killed by the spec"
        } else if flag.setting.isOn, let `guard` = flag.guard {
            switch GuardQuestion(`guard`, survey, moves).answer() {
            case .holds: break
            case .fails(let why):
                desired = .off
                held[flag.name] = why
                notes.append("\(flag.id): off, because \(why)")
            case .unknown(let problem):
                blocked.append(Blocked(flag.id, problem.reason == "GuardUndecided" ? .decision : .dependency, problem))
                // Off is safe whatever the answer is.
                guard observation.setting?.isOn == true else { return }
                desired = .off
                held[flag.name] = problem.message
            }
        }
        let current = observation.setting ?? .off
        guard desired != current || (observation.setting == nil && desired.isOn) else { return }
        if desired.isOn, !current.isOn, let record = survey.recorded.flags[flag.name], isKilledByHand(flag, record) {
            let why = record.reason.map { "it was switched off by hand: \($0)" } ?? "somebody switched it off"
            held[flag.name] = why
            notes.append(
                "\(flag.id): \(why); it stays off until a commit changes its pin (kill: false is enough), or reconcile flag \(flag.name) on"
            )
            return
        }
        let change = FlagChange(name: flag.name, from: observation.setting, to: desired, marker: observation.marker)
        guard isReduction(from: current, to: desired) else {
            on.append(change)
            return
        }
        off.append(change)
        if let component = flag.guard?.component { guarded.insert(.component(component)) }
        if let database = flag.guard?.database { guardedSchemas.insert(.database(database)) }
    }

    /// It was on when it was last seen to be as pinned, the pin is the same, and nobody here switched it off.
    private func isKilledByHand(_ flag: FeatureFlag, _ record: FlagRecord) -> Bool {
        record.flag == flag && (record.setting.isOn || record.reason != nil)
    }

    private func isReduction(from: FlagSetting, to: FlagSetting) -> Bool {
        guard to.isOn else { return true }
        return from.isOn && from.variant == to.variant && (to.rollout ?? 100) < (from.rollout ?? 100)
    }
}

/// Whether what a flag needs is there at the pins.
struct GuardQuestion {
    enum Answer {
        case holds
        case fails(String)
        case unknown(Problem)
    }

    private let `guard`: FlagGuard
    private let survey: Survey
    private let moves: [SchemaMove]

    init(_ guard: FlagGuard, _ survey: Survey, _ moves: [SchemaMove]) {
        self.guard = `guard`
        self.survey = survey
        self.moves = moves
    }

    func answer() -> Answer {
        for part in [release(), schema()] {
            guard case .holds = part else { return part }
        }
        return .holds
    }

    private func release() -> Answer {
        guard let name = `guard`.component, let bound = `guard`.release else { return .holds }
        let id = ResourceID.component(name)
        guard let resolution = survey.resolutions[id] else {
            return .unknown(.needs(id, id, "what its pin means is unknown"))
        }
        let oldest = bound.hasPrefix(">=") ? bound.dropFirst(2).trimmingBlanks : bound
        let names = [resolution.label, resolution.identity.value] + [resolution.pin].compactMap(\.guardText)
        if names.contains(oldest) { return .holds }
        if let order = names.lazy.compactMap({ ReleaseVersion($0) }).first.flatMap({ pinned in ReleaseVersion(oldest).map { (pinned, $0) } }
        ) {
            return order.0 < order.1 ? .fails("\(name) is pinned to \(resolution.label), and it needs \(oldest) or later") : .holds
        }
        return .unknown(
            Problem(
                "GuardUndecided",
                "it cannot be told whether \(resolution.label) of \(name) is \(oldest) or later: they are no version numbers",
                next: "write the guard with a version that the releases are named by, or without release"))
    }

    private func schema() -> Answer {
        guard let name = `guard`.database, let bound = `guard`.schema else { return .holds }
        let id = ResourceID.database(name)
        guard let move = moves.first(where: { $0.id == id }), let span = move.span else {
            return .unknown(.needs(id, id, "where its schema stands is unknown"))
        }
        let oldest = bound.hasPrefix(">=") ? bound.dropFirst(2).trimmingBlanks : bound
        guard let position = move.position(of: oldest) else {
            return .unknown(
                Problem(
                    "GuardUndecided", "database/\(name) has no migration \(oldest), which a flag needs",
                    next: "name one of its migrations in the guard"))
        }
        return span.target < position ? .fails("\(name) is pinned to \(move.name(span.target)), and it needs \(oldest)") : .holds
    }
}

extension StringProtocol {
    fileprivate var trimmingBlanks: String { String(drop { $0 == " " }) }
}

extension Pin {
    fileprivate var guardText: String? {
        switch self {
        case .name(let text), .commit(let text), .image(let text), .deployment(let text): text
        case .revision(let number): String(number)
        }
    }
}
