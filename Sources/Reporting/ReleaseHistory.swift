public import JSONValues
public import Model
import Planning
public import TextLayout

/// The releases that a component could go back or forward to, and what each would take.
public struct ReleaseHistory: Sendable, Hashable {
    public struct Entry: Sendable, Hashable {
        public var label: String
        public var names: [String]
        public var created: Timestamp?
        public var isLive: Bool
        public var isPinned: Bool
        /// What was recorded of it; nil when it was never reached through Belay.
        public var quality: ReleaseRecord.Quality?
        /// `undo: instant rollback (instant)`, or why there is no way.
        public var way: String
        public var isReachable: Bool
        public var note: String?
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
        entries = observation.candidates.map { candidate in
            let release = candidate.release
            let isLive = release.label == observation.live.declared?.label
            let open = candidate.routes.filter { $0.refusal == nil }.min { $0.class < $1.class }
            return Entry(
                label: release.label, names: release.names.map(\.value), created: release.created, isLive: isLive,
                isPinned: pinned(release), quality: records.last { release.matches($0.resolution) }?.quality,
                way: isLive ? "live" : Self.way(open, candidate), isReachable: isLive || open != nil, note: release.note)
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

    public func text(_ style: TextStyle) -> String {
        var text = style.bold("\(system) \(component)".printable) + "\n"
        if let problem { return text + "  " + style.red(problem.description.printable) + "\n" }
        guard !entries.isEmpty else { return text + "  the provider knows no release\n" }
        var table = TextTable(header: ["", "RELEASE", "CREATED", "RECORDED", "WAY", "NOTE"], style: style, indent: 2)
        for entry in entries { table.add(entry.cells(style)) }
        text += table.rendered()
        return text + style.dim("  ▶ live   • pinned; to go back, commit a release of the list as the component's pin") + "\n"
    }

    public var json: JSON {
        [
            "system": .string(system.description), "component": .string(component), "error": .optional(problem?.description),
            "releases": .array(entries.map(\.json)),
        ]
    }
}

extension ReleaseHistory.Entry {
    var json: JSON {
        [
            "label": .string(label), "names": .array(names.map(JSON.string)), "created": .optional(created?.description),
            "live": .bool(isLive), "pinned": .bool(isPinned), "recorded": .optional(quality?.rawValue), "reachable": .bool(isReachable),
            "way": .string(way), "note": .optional(note),
        ]
    }

    func cells(_ style: TextStyle) -> [TextTable.Cell] {
        let mark = isLive ? "▶" : isPinned ? "•" : ""
        let wayCell = isReachable && !isLive ? TextTable.Cell(way) : TextTable.Cell(way, isLive ? style.green : style.red)
        return [
            .init(mark, style.green), .init(label), .init(created?.description ?? ""), .init(quality?.words ?? ""), wayCell,
            .init(note?.shortened(to: 60) ?? "", style.dim),
        ]
    }
}

extension ReleaseRecord.Quality {
    var words: String {
        switch self {
        case .good: "good"
        case .servedUnverified: "served, unverified"
        }
    }
}
