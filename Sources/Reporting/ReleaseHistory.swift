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
        public var isReachable: Bool
        public var note: String?

        /// It is declared, and nobody says that it fails.
        public var isLive: Bool { isDeclared && failure == nil }
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
            return Entry(
                label: release.label, names: release.names.map(\.value), created: release.created, isDeclared: isDeclared,
                isServing: isServing, failure: failure, isPinned: pinned(release),
                quality: records.last { release.matches($0.resolution) }?.quality, way: way,
                isReachable: failure == nil && (isDeclared || open != nil), note: release.note)
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
        return text + style.dim("  \(legend)") + "\n"
    }

    /// The marks that the table has, and how it is used.
    private var legend: String {
        let shown = Set(entries.flatMap(\.marks))
        let marks = ReleaseHistory.Entry.signs.filter { shown.contains($0.mark) }.map { "\($0.sign) \($0.mark)" }
        return (marks.isEmpty ? "" : marks.joined(separator: "   ") + "; ")
            + "to go back, commit a release of the list as the component's pin"
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
            "live": .bool(isLive), "declared": .bool(isDeclared), "serving": .bool(isServing), "pinned": .bool(isPinned),
            "recorded": .optional(quality?.rawValue), "reachable": .bool(isReachable), "way": .string(way), "note": .optional(note),
        ]
    }

    func cells(_ style: TextStyle) -> [TextTable.Cell] {
        let signs = Self.signs.filter { marks.contains($0.mark) }.map(\.sign).joined()
        let way = way.printable.shortened(to: 60)
        let wayCell = isReachable && !isLive ? TextTable.Cell(way) : TextTable.Cell(way, isLive ? style.green : style.red)
        return [
            .init(signs, failure == nil ? style.green : style.red), .init(label), .init(created?.wholeSecond.description ?? ""),
            .init(quality?.words ?? ""), wayCell, .init(note?.shortened(to: 60) ?? "", style.dim),
        ]
    }

    static let signs = [(sign: "▶", mark: "live"), (sign: "✘", mark: "fails"), (sign: "•", mark: "pinned")]

    /// What sets the release apart, in words.
    var marks: [String] {
        (isLive ? ["live"] : failure != nil ? ["fails"] : []) + (isPinned ? ["pinned"] : [])
    }
}

extension Observation {
    fileprivate var failure: Problem? {
        guard case .failed(let problem) = settlement else { return nil }
        return problem
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
