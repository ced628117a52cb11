public import Model
public import Planning

/// The releases that a component could go back or forward to, and what each would take.
public struct ReleaseHistory: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public var label: String
        public var names: [String]
        public var created: Timestamp?
        /// It is what the provider is set to.
        public var isDeclared: Bool
        /// Its code can still run.
        public var isServing: Bool
        /// Why it will not arrive although it is declared; nil for every other release.
        public var failure: Problem?
        public var isPinned: Bool
        /// What was recorded of it; nil when it was never reached through Belay.
        public var quality: ReleaseRecord.Quality?
        /// `undo: instant rollback (instant)`, or why there is no way.
        public var way: String
        /// What going there would take.
        public var takes: Takes
        public var isReachable: Bool
        /// What is set otherwise now than when the release was recorded, sorted by key; nil when its configuration was not recorded, or when
        /// the present one is not known. Names only.
        public var configurationChanges: [ConfigurationChange]?
        public var isConfigurationRecorded: Bool
        public var note: String?

        /// It is declared, and nobody says that it fails.
        public var isLive: Bool { isDeclared && failure == nil }
    }

    /// What going to a release would take, or why one cannot.
    public enum Takes: Sendable, Hashable {
        /// It is there.
        case nothing
        case route(StepClass, means: String)
        case gone(String)
        case refused(String)
        /// The provider names no way and no reason.
        case unknown
    }

    public var system: SystemID
    public var component: String
    public var entries: [Entry]
    /// Why nothing can be said; nil when it can.
    public var problem: Problem?

    public init(_ component: Component, of system: SystemID, observation: Observation, recorded: RecordedState) {
        self.system = system
        self.component = component.name
        problem = observation.live.problem
        let records = recorded.releases[component.id] ?? []
        let pinned = Self.pinned(component, observation, recorded)
        let now = observation.configuration?.remembered(recorded.configurations[component.id] ?? [:])
        entries = observation.candidates.map { candidate in
            let release = candidate.release
            let isDeclared = release.label == observation.live.declared?.label
            let isServing = observation.live.serving.contains { $0.label == release.label }
            let failure = isDeclared ? observation.failure : nil
            let open = candidate.routes.filter { $0.refusal == nil }.min { $0.class < $1.class }
            let way =
                if let failure {
                    "fails: \(failure.reason): \(failure.message.withoutLeading(component.name))"
                } else if isDeclared {
                    "live"
                } else {
                    (isServing ? "still serving; " : "") + Self.way(open, candidate)
                }
            let record = records.last { release.matches($0.resolution) }
            let then = record?.configuration
            return Entry(
                label: release.label, names: release.names.map(\.value), created: release.created, isDeclared: isDeclared,
                isServing: isServing, failure: failure, isPinned: pinned(release),
                quality: record?.quality, way: way, takes: isDeclared ? .nothing : Self.takes(open, candidate),
                isReachable: failure == nil && (isDeclared || open != nil),
                configurationChanges: then.flatMap { then in now.map { Planning.configurationChanges(from: then, to: $0) } },
                isConfigurationRecorded: then != nil, note: release.note)
        }
    }

    /// What the spec's pin means: as it was resolved when it was reconciled, or as it would be now.
    private static func pinned(_ component: Component, _ observation: Observation, _ recorded: RecordedState) -> (Release) -> Bool {
        let records = recorded.releases[component.id] ?? []
        let known = [recorded.resolutions[component.id]].compactMap(\.self) + records.reversed().map(\.resolution)
        if let resolution = known.first(where: { $0.pin == component.release }) { return { $0.matches(resolution) } }
        guard case .resolved(let identity, _) = resolve(component.release, among: observation.candidates) else { return { _ in false } }
        return { $0.isIdentical(with: identity) }
    }

    private static func way(_ route: Route?, _ candidate: Candidate) -> String {
        if let route { return "\(route.verb.rawValue): \(route.means) (\(route.class.rawValue))" }
        if let gone = candidate.gone { return "gone: \(gone.message)" }
        if let refusal = candidate.routes.compactMap(\.refusal).first { return "refused: \(refusal)" }
        return "no way"
    }

    private static func takes(_ route: Route?, _ candidate: Candidate) -> Takes {
        if let route { return .route(route.class, means: route.means) }
        if let gone = candidate.gone { return .gone(gone.message) }
        if let refusal = candidate.routes.compactMap(\.refusal).first { return .refused(refusal.description) }
        return .unknown
    }
}

extension Observation {
    fileprivate var failure: Problem? {
        guard case .failed(let problem) = settlement else { return nil }
        return problem
    }
}
