/// One file with `-- migrate:up` and `-- migrate:down`, which may come several times in turn. All up sections run in the order of the file,
/// and so do all down sections: that is what dbmate does.
enum DbmateFile {
    static func sections(of text: SourceText, _ mistakes: inout [Mistake]) -> (up: ScriptDraft?, down: ScriptDraft?) {
        var sections = Sections(text)
        var current: (direction: Direction, line: Int)?
        for (index, line) in text.lines.enumerated() {
            guard let marker = Marker(line) else {
                sections.directions[index] = current?.direction
                if current == nil, !line.isBlankOrComment {
                    let isFirst = !mistakes.contains { $0.path == text.path && $0.reason == "StatementBeforeUp" }
                    if isFirst {
                        mistakes.append(
                            text.mistake("StatementBeforeUp", line: index, "only comments may stand above -- migrate:up; move it below"))
                    }
                }
                continue
            }
            switch (current?.direction, marker.direction) {
            case (nil, .down):
                mistakes.append(text.mistake("DownBeforeUp", line: index, "-- migrate:up comes first; move the up part to the front"))
            case (.up, .up):
                mistakes.append(missingDown(text, current?.line ?? index))
            case (.down, .down):
                mistakes.append(
                    text.mistake("UnexpectedDown", line: index, "a second -- migrate:down after the same -- migrate:up; join them"))
            default: break
            }
            for option in marker.options { apply(option, marker.direction, index, &sections, &mistakes) }
            current = (marker.direction, index)
        }
        guard let current else {
            mistakes.append(text.mistake("MissingUp", "no line is -- migrate:up (at the beginning of a line, in small letters)"))
            return (nil, nil)
        }
        if current.direction == .up { mistakes.append(missingDown(text, current.line)) }
        let empty = ScriptDraft(path: text.path, text: "", firstLine: current.line + 1, isTransactional: nil)
        return (sections.script(.up) ?? empty, sections.script(.down))
    }

    private static func missingDown(_ text: SourceText, _ line: Int) -> Mistake {
        text.mistake(
            "MissingDown", line: line,
            "no -- migrate:down follows (at the beginning of a line, in small letters); add one, empty if need be")
    }

    private static func apply(
        _ option: String, _ direction: Direction, _ line: Int, _ sections: inout Sections, _ mistakes: inout [Mistake]
    ) {
        switch option {
        case "transaction:false": sections.isTransactional[direction] = false
        case "transaction:true": sections.isTransactional[direction] = sections.isTransactional[direction] ?? true
        default:
            mistakes.append(
                sections.text.mistake("UnknownOption", line: line, "\(option) is no option; transaction:false and transaction:true are"))
        }
    }

    /// `^--\s*migrate:(up|down)(\s*$|\s+\S+)`
    struct Marker {
        var direction: Direction
        var options: [String]

        init?(_ line: String) {
            guard let words = line.after("--")?.words, let first = words.first else { return nil }
            switch first {
            case "migrate:up": direction = .up
            case "migrate:down": direction = .down
            default: return nil
            }
            options = Array(words.dropFirst())
        }
    }
}
