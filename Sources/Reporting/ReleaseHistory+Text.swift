public import JSONValues
import Model
import Planning
public import TextLayout

extension ReleaseHistory {
    public func text(_ style: TextStyle) -> String {
        var text = style.bold("\(system) \(component)".printable) + "\n"
        if let problem { return text + "  " + style.red(problem.description.printable) + "\n" }
        guard !entries.isEmpty else { return text + "  the provider knows no release\n" }
        var table = TextTable(header: ["", "RELEASE", "CREATED", "RECORDED", "TAKES", "NOTE"], style: style, indent: 2)
        for entry in entries { table.add(entry.cells(style)) }
        text += table.rendered()
        for entry in entries {
            guard let words = entry.configurationWords else { continue }
            text += "    " + style.dim("\(entry.label):".printable) + " configuration: \(words.printable)\n"
        }
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
            "takes": .string(takes.word), "configurationRecorded": .bool(isConfigurationRecorded),
            "configurationChanges": configurationChanges.map { changes in
                .array(changes.map { ["key": .string($0.key), "kind": .string($0.kind.rawValue)] })
            } ?? .null,
        ]
    }

    /// `API_URL changed, SENTRY_DSN removed since it was recorded`; nil when nothing was recorded.
    var configurationWords: String? {
        guard isConfigurationRecorded else { return nil }
        guard let changes = configurationChanges else { return "recorded; how it is set now is not known" }
        guard !changes.isEmpty else { return "recorded, and set the same now" }
        return changes.map { "\($0.key) \($0.kind.rawValue)" }.joined(separator: ", ") + " since it was recorded"
    }

    /// `minutes (build commit 3f2c1ab for production)`; what fails or still serves is said before.
    var takesText: String {
        if failure != nil { return way }
        return (isServing && !isDeclared ? "still serving; " : "") + takes.text
    }

    func cells(_ style: TextStyle) -> [TextTable.Cell] {
        let signs = Self.signs.filter { marks.contains($0.mark) }.map(\.sign).joined()
        let takes = takesText.printable.shortened(to: 60)
        let takesCell = isReachable && !isLive ? TextTable.Cell(takes) : TextTable.Cell(takes, isLive ? style.green : style.red)
        return [
            .init(signs, failure == nil ? style.green : style.red), .init(label), .init(created?.wholeSecond.description ?? ""),
            .init(quality?.words ?? ""), takesCell, .init(note?.shortened(to: 60) ?? "", style.dim),
        ]
    }

    static let signs = [(sign: "▶", mark: "live"), (sign: "✘", mark: "fails"), (sign: "•", mark: "pinned")]

    /// What sets the release apart, in words.
    var marks: [String] {
        (isLive ? ["live"] : failure != nil ? ["fails"] : []) + (isPinned ? ["pinned"] : [])
    }
}

extension ReleaseHistory.Takes {
    /// For machines: a step's class, or why there is none.
    var word: String {
        switch self {
        case .nothing: "live"
        case .route(let `class`, _): `class`.rawValue
        case .gone: "gone"
        case .refused: "refused"
        case .unknown: "unknown"
        }
    }

    var text: String {
        switch self {
        case .nothing: "live"
        case .route(let `class`, let means): "\(`class`.rawValue) (\(means))"
        case .gone(let why): "gone: \(why)"
        case .refused(let why): "refused: \(why)"
        case .unknown: "no way"
        }
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
