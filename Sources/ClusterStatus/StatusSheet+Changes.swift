import ControlLoop
import Execution
import Model
import Planning
import Reporting

extension StatusSheet {
    /// A revision that loads. What is known of that generation already stands.
    ///
    /// - Parameter isUnmoved: it says what was wanted before, so that what was seen then stands too.
    mutating func load(_ revision: Revision, generation: Int?, isUnmoved: Bool = false) {
        if isUnmoved, !conditions.isEmpty, phase != Phase.invalid {
            observedGeneration = generation
            self.revision = revision.short
            return
        }
        let isNew = observedGeneration != generation || self.revision != revision.short
        guard isNew || phase == Phase.invalid || conditions.isEmpty else { return }
        observedGeneration = generation
        self.revision = revision.short
        phase = Phase.pending
        set("Ready", .unknown, "NewRevision", "\(revision) has not been looked at yet")
        set("Reconciling", .yes, "NewRevision", "looking at \(revision)")
        set("Stalled", .no, "Moving")
    }

    /// A revision that does not load; the pins of the last one that does stay where they are.
    mutating func reject(_ mistakes: [String], generation: Int?, _ reason: String = "SpecInvalid") {
        observedGeneration = generation
        phase = Phase.invalid
        let message = mistakes.joined(separator: "; ")
        set("Ready", .no, reason, message)
        set("Reconciling", .no, reason, resources.isEmpty ? "" : "nothing is applied until the spec is mended")
        set("Stalled", .yes, reason, message)
    }

    /// A phase of a plan begins. A pass that looks at a plan again begins at its start, and that is no news.
    mutating func enter(_ new: Model.Phase) {
        if let present = Model.Phase.allCases.first(where: { $0.word == phase }), new < present { return }
        phase = new.word
        set("Ready", .no, "Reconciling", "in phase \(new.rawValue)")
        set("Reconciling", .yes, new.word, "in phase \(new.rawValue)")
        set("Stalled", .no, "Moving")
    }

    /// How a pass ended.
    ///
    /// - Parameters:
    ///   - survey: what was seen last; nil when nothing was.
    ///   - isTriedAgain: true if another pass is due soon.
    mutating func end(_ report: PassReport, _ survey: Survey?, isTriedAgain: Bool) {
        var drifts: [Condition] = []
        if let survey {
            let status = SystemStatus(
                survey.system, revision: survey.revision, world: survey.world, recorded: survey.recorded, plan: survey.plan)
            show(status)
            drifts = status.conditions.filter { ![.ready, .reconciling, .stalled].contains($0.kind) }.map {
                Condition(type: $0.kind.rawValue, status: $0.isTrue ? .yes : .no, reason: $0.reason, message: Self.shortened($0.message))
            }
            let ready = status.conditions.first { $0.kind == .ready }
            let isReady = report.verdict == .inSync && ready?.isTrue ?? true
            set(
                "Ready", isReady ? .yes : .no, isReady ? "InSync" : report.problems.first?.reason ?? ready?.reason ?? "OutOfSync",
                isReady ? ready?.message ?? "" : report.problems.first?.message ?? ready?.message ?? "")
        } else {
            let problem = report.problems.first
            set("Ready", .unknown, problem?.reason ?? "NotObserved", problem?.message ?? "")
        }
        let problem = report.problems.first
        let isUnderWay = report.again == .soon
        if report.verdict == .inSync {
            phase = Phase.inSync
        } else if isUnderWay {
            if Model.Phase.allCases.allSatisfy({ $0.word != phase }) { phase = Phase.waiting }
        } else {
            phase = report.verdict == .blocked ? Phase.blocked : isTriedAgain ? Phase.retrying : Phase.failed
        }
        let isStalled = report.verdict != .inSync && !isUnderWay && !isTriedAgain
        let isMoving = report.verdict != .inSync && !isStalled
        set(
            "Reconciling", isMoving ? .yes : .no, !isMoving ? isStalled ? "Stalled" : "Idle" : isUnderWay ? "Progressing" : "Retrying",
            isMoving ? problem?.message ?? report.headline : "")
        set(
            "Stalled", isStalled ? .yes : .no, isStalled ? problem?.reason ?? "NotConverged" : "Moving",
            isStalled ? problem?.description ?? "" : "")
        conditions.removeAll { condition in
            !["Ready", "Reconciling", "Stalled"].contains(condition.type) && survey != nil
                && !drifts.contains { $0.type == condition.type }
        }
        for drift in drifts { set(drift.type, drift.status, drift.reason, drift.message) }
    }

    /// Letting go of it has been tried.
    mutating func letGo(_ ended: LettingGo) {
        phase = Phase.leaving
        let problem = ended.problems.first
        set("Ready", .no, "Leaving", problem?.message ?? "")
        set("Reconciling", .yes, "Leaving", ended.done.joined(separator: "; "))
        set("Stalled", problem == nil ? .no : .yes, problem?.reason ?? "Moving", problem?.description ?? "")
    }

    private mutating func show(_ status: SystemStatus) {
        acceptedRevision = status.accepted?.short
        resources = status.components.map { component in
            Resource(
                name: "component/\(component.name)", pin: component.pinned.description, live: component.live,
                state: component.state.rawValue,
                difference: Self.shortened(component.detail), lastKnownGood: component.lastKnownGood)
        }
        var count = status.components.count { [.inSync, .checksOwed].contains($0.state) }
        for database in status.databases {
            let moves = [
                (database.toRevert.count, "to take back"), (database.pending.count, "to apply"),
                (database.repeatable.count, "repeatable to run"),
            ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
            let isInSync = database.isKnown && database.problem == nil && moves.isEmpty
            if isInSync { count += 1 }
            resources.append(
                Resource(
                    name: "database/\(database.name)", pin: database.pinned, live: database.last,
                    state: isInSync ? "InSync" : !database.isKnown ? "Unknown" : database.problem != nil ? "Blocked" : "OutOfSync",
                    difference: Self.shortened(database.problem?.description ?? moves.joined(separator: ", ")),
                    source: database.repository?.name, commit: database.commit))
        }
        for flag in status.flags?.standings ?? [] {
            if flag.isInPlace { count += 1 }
            resources.append(
                Resource(
                    name: "flag/\(flag.name)", pin: flag.pinned.description, live: flag.state == .unknown ? nil : flag.currentText,
                    state: flag.state.rawValue, difference: Self.shortened(flag.reason ?? "")))
        }
        pinned = count
        total = resources.count
    }
}

extension Model.Phase {
    /// CamelCase: `MigrateDown`.
    var word: String { rawValue.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() }
}
