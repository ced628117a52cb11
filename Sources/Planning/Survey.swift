import Model

/// The comparison of what is observed with what is pinned: first everything is compared, then only what differs is looked at again.
struct Survey {
    let system: System
    let revision: Revision
    let observed: World
    let recorded: RecordedState
    /// The components that are not simply in place, by name.
    private(set) var subjects: [Subject] = []
    private(set) var resolutions: [ResourceID: Resolution]
    private(set) var notes: [String] = []
    private(set) var drifts: [Drift] = []

    init(_ system: System, revision: Revision, observed: World, recorded: RecordedState) {
        self.system = system
        self.revision = revision
        self.observed = observed
        self.recorded = recorded
        // Most pins mean what they meant: the recorded dictionary is shared, and written to only where that is not so.
        resolutions = recorded.resolutions
        compareComponents()
        for database in system.databases {
            let migrations = observed.databases[database.id]?.migrations ?? []
            let name = SchemaPin(database.schema, among: migrations).name(of: database.id) ?? database.schema
            resolutions[database.id] = Resolution(
                pin: .name(database.schema), identity: ArtifactIdentity(.schema, name), label: name, revision: revision)
        }
        forgetTheUnmanaged()
    }

    private mutating func compareComponents() {
        var remarks: [(ResourceID, [String])] = []
        for component in system.components {
            let id = component.id
            let observation = observed.components[id] ?? .unknown(.notObserved(id))
            let (meaning, moved) = meaning(of: component, id, observation)
            switch meaning {
            case .recorded: break
            case .found(let resolution): resolutions[id] = resolution
            case .unresolved: resolutions[id] = nil
            }
            if let subject = assess(component, id, observation, meaning) {
                subjects.append(subject)
                if let drift = drift(of: component, observation, from: meaning.resolution) { drifts.append(drift) }
            }
            let halt = observation.stoppage?.start != nil ? "\(id): \(Stoppage.note)" : nil
            if moved != nil || halt != nil || !observation.notes.isEmpty {
                remarks.append((id, [moved, halt].compactMap(\.self) + observation.notes.map { "\(id): \($0)" }))
            }
        }
        drifts.sort { $0.resource < $1.resource }
        subjects.sort { $0.component.name < $1.component.name }
        notes = remarks.sorted { $0.0 < $1.0 }.flatMap(\.1) + abandonedFences + abandonedStops
    }

    /// What the spec does not name is not managed, so it has no meaning in this plan.
    private mutating func forgetTheUnmanaged() {
        let unresolved = subjects.count { $0.resolution == nil }
        guard resolutions.count != system.components.count + system.databases.count - unresolved else { return }
        let managed = Set(system.components.map(\.id) + system.databases.map(\.id))
        resolutions = resolutions.filter { managed.contains($0.key) }
    }

    /// True if the open transition leads where this plan leads, whatever revision it was opened for.
    func leads(_ transition: Transition) -> Bool {
        let away = Set(subjects.filter(\.isAway).map(\.id))
        var covered = 0
        for (id, pin) in system.components.map({ ($0.id, $0.release) }) + system.databases.map({ ($0.id, Pin.name($0.schema)) }) {
            guard let target = transition.target[id] else {
                if away.contains(id) || id.kind == .database { return false }
                continue
            }
            covered += 1
            let isSame = resolutions[id].map { $0.isSameArtifact(as: target) } ?? (target.pin == pin)
            guard isSame else { return false }
        }
        return covered == transition.target.count
    }
}

extension Problem {
    fileprivate static func notObserved(_ resource: ResourceID) -> Problem {
        Problem("NotObserved", "\(resource): it was not observed", next: "run again")
    }
}
