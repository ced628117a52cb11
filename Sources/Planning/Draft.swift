import Model

/// A plan in the making: the subjects of the survey with their directions, and the ways of the schemas.
struct Draft {
    let survey: Survey
    /// The open transition, when it leads where this plan leads.
    let continued: Transition?
    var subjects: [Subject]
    /// By name.
    var moves: [SchemaMove]
    /// What the open transition still owes and this plan can pay: of a superseded one, only what was owed for a pin that has stayed.
    let inherited: [Obligation]
    let flags: FlagMoves
    /// Fences of components that stay as they are: to be put up again, or to be taken down.
    let fenceRepairs: [FenceRepair]
    /// True if something is taken away for a target that no open transition leads to: its checks come first.
    private(set) var contractsForNewTarget = false
    /// Where each subject stands in ``subjects``.
    private var places: [ResourceID: Int] = [:]
    /// Where the subjects stand that name a resource in their `after`.
    private var dependentPlaces: [ResourceID: [Int]] = [:]

    init(_ survey: Survey) {
        self.survey = survey
        let continued = survey.recorded.transition.flatMap { survey.leads($0) ? $0 : nil }
        self.continued = continued
        subjects = survey.subjects
        moves = survey.system.databases.sorted { $0.name < $1.name }.map { database in
            var move = SchemaMove(database, survey.observed.databases[database.id], start: continued?.start[database.id]?.value)
            if move.restores, survey.system.statePlace == .database(database.name), move.blocked == nil {
                move.blocked = Blocked(move.id, .decision, .stateInside(move.id, survey.system.id))
            }
            return move
        }
        flags = FlagMoves(survey, moves: moves)
        fenceRepairs = survey.fenceRepairs()
        inherited = survey.recorded.transition.map { Self.payable($0, survey) } ?? []
        indexPlaces()
    }

    var transition: Transition? { survey.recorded.transition }

    /// True if nothing differs and nothing is owed.
    var isEmpty: Bool {
        subjects.isEmpty && transition == nil && !moves.contains { $0.hasWork || $0.blocked != nil } && fenceRepairs.isEmpty
            && flags.isEmpty
    }

    subscript(id: ResourceID) -> Subject? { places[id].map { subjects[$0] } }

    /// Subjects that name `id` in their `after`, by name.
    func dependents(of id: ResourceID) -> [Subject] { (dependentPlaces[id] ?? []).map { subjects[$0] } }

    mutating func addOwedChecks() {
        let owed = Set(
            inherited.compactMap { obligation -> ResourceID? in
                guard case .check(let id) = obligation else { return nil }
                return id
            })
        addChecks { owed.contains($0.id) }
    }

    /// Before something is taken away for a target that no open transition leads to, every component is checked: what passed before passed for
    /// another target.
    mutating func addChecksBeforeContracts() {
        contractsForNewTarget = continued == nil && !isBlocked && moves.contains { !$0.contracts.isEmpty }
        if contractsForNewTarget { addChecks { !$0.verify.isEmpty } }
    }

    private mutating func addChecks(where isOwed: (Component) -> Bool) {
        for component in survey.system.components where places[component.id] == nil && isOwed(component) {
            guard let resolution = survey.resolutions[component.id], let observation = survey.observed.components[component.id] else {
                continue
            }
            var subject = Subject(component, observation, resolution, need: .check(resolution))
            subject.direction = transition?.directions[component.id] ?? .advance
            subjects.append(subject)
        }
        subjects.sort { $0.component.name < $1.component.name }
        indexPlaces()
    }

    /// Ranks the subjects within the whole system and blocks those that need each other in a circle.
    mutating func rank() {
        guard subjects.contains(where: { !$0.component.after.isEmpty }) || subjects.count > 1 else { return }
        var order = DependencyOrder(survey.system.components)
        for index in subjects.indices { subjects[index].depth = order.depth(of: subjects[index].id) }
        for index in subjects.indices {
            guard subjects[index].isWritten, let cycle = order.cycles[subjects[index].id] else { continue }
            subjects[index].block(
                .decision,
                Problem(
                    "DependencyCycle", "\(subjects[index].id): components need each other in a circle: \(cycle)",
                    next: "remove one of the after entries"))
        }
    }

    mutating func chooseTimings() {
        for index in subjects.indices where !subjects[index].isUnknown {
            let subject = subjects[index]
            if case .check = subject.need { continue }
            let compatibility = compatibility(of: subject.component)
            let question = TimingQuestion(
                subject: subject, compatibility: compatibility, moves: moves.filter { compatibility.concerns($0.database) },
                recorded: recordedDirection(of: subject))
            subjects[index].take(question.answer())
        }
    }

    /// What the open transition decided for a component, if it still leads where the transition led it: also when it is superseded.
    private func recordedDirection(of subject: Subject) -> Direction? {
        guard let transition, let pin = subject.resolution, let target = transition.target[subject.id], pin.isSameArtifact(as: target)
        else { return continued?.directions[subject.id] }
        return transition.directions[subject.id]
    }

    func compatibility(of component: Component) -> Compatibility {
        Compatibility(
            component: component, resolution: survey.resolutions[component.id], records: survey.recorded.releases[component.id] ?? [],
            pinned: transition?.pinned[component.id] ?? [])
    }

    private static func payable(_ transition: Transition, _ survey: Survey) -> [Obligation] {
        guard !transition.obligations.isEmpty else { return [] }
        let checked = Set(
            survey.system.components.filter { !$0.verify.isEmpty }.map(\.id)
                + survey.system.databases.filter { !$0.checks.isEmpty }.map(\.id))
        return transition.obligations.filter { obligation in
            switch obligation {
            case .systemChecks: return !survey.system.verify.isEmpty
            case .check(let id):
                guard let pin = survey.resolutions[id], let owed = transition.target[id] else { return false }
                return pin.isSameArtifact(as: owed) && checked.contains(id)
            }
        }
    }

    private mutating func indexPlaces() {
        places = Dictionary(subjects.indices.map { (subjects[$0].id, $0) }, uniquingKeysWith: { first, _ in first })
        dependentPlaces = [:]
        for index in subjects.indices {
            for need in subjects[index].component.after { dependentPlaces[need, default: []].append(index) }
        }
    }
}

extension Problem {
    /// The record of what is under way, and the lock, would go back with the data.
    fileprivate static func stateInside(_ database: ResourceID, _ system: SystemID) -> Problem {
        Problem(
            "StateInside",
            "\(database): the way back is a restore, and the database holds the state of \(system), which would go back with the data",
            next: "keep the state elsewhere, or stop every reconcile of it and restore by command: reconcile restore --state DIR")
    }
}
