/// One file with `-- +goose Up` and `-- +goose Down`.
enum GooseFile {
    static func sections(of text: SourceText, _ mistakes: inout [Mistake]) -> (up: ScriptDraft?, down: ScriptDraft?) {
        var reading = AnnotatedReading(text, mark: "+goose", mistakes)
        for (index, line) in text.lines.enumerated() {
            guard let annotation = reading.annotation(line, index) else {
                reading.take(line, index)
                continue
            }
            switch annotation.lowercased() {
            case "up": reading.begin(.up, index)
            case "down": reading.begin(.down, index)
            case "statementbegin": reading.beginStatement(index)
            case "statementend": reading.endStatement(index)
            case "no transaction":
                reading.sections.isTransactional = [.up: false, .down: false]
            case "envsub on": reading.substitutes = true
            case "envsub off": reading.substitutes = false
            default: reading.refuseUnknown(annotation, index)
            }
        }
        return reading.finish(&mistakes)
    }
}

/// One file with `-- +migrate Up` and `-- +migrate Down`, each of which may say `notransaction`.
enum SQLMigrateFile {
    static func sections(of text: SourceText, _ mistakes: inout [Mistake]) -> (up: ScriptDraft?, down: ScriptDraft?) {
        var reading = AnnotatedReading(text, mark: "+migrate", mistakes)
        for (index, line) in text.lines.enumerated() {
            guard let annotation = reading.annotation(line, index) else {
                reading.take(line, index)
                continue
            }
            let words = annotation.words
            switch words.first {
            case "Up", "Down":
                let direction: Direction = words.first == "Up" ? .up : .down
                reading.begin(direction, index)
                for option in words.dropFirst() {
                    if option == "notransaction" {
                        reading.sections.isTransactional[direction] = false
                    } else {
                        reading.refuseUnknown(annotation, index)
                    }
                }
            case "StatementBegin": reading.beginStatement(index)
            case "StatementEnd": reading.endStatement(index)
            default: reading.refuseUnknown(annotation, index)
            }
        }
        return reading.finish(&mistakes)
    }
}

/// What goose and sql-migrate have in common: annotations that are comments, one up part, one down part.
struct AnnotatedReading {
    var sections: Sections
    /// `${VAR}` is replaced from here on (goose).
    var substitutes = false
    private let mark: String
    private var current: Direction?
    private var begun: Set<Direction> = []
    private var openStatement: Int?
    /// Lines of `StatementEnd`.
    private var closedStatements: Set<Int> = []
    private var mistakes: [Mistake]
    private let earlier: Int

    init(_ text: SourceText, mark: String, _ mistakes: [Mistake]) {
        sections = Sections(text)
        self.mark = mark
        self.mistakes = mistakes
        earlier = mistakes.count
    }

    private var text: SourceText { sections.text }

    /// What follows `-- +goose`; nil for a line that is no annotation.
    mutating func annotation(_ line: String, _ index: Int) -> String? {
        let trimmed = line.trimmed
        guard let comment = trimmed.after("--")?.trimmed, let rest = comment.after(mark), rest.isEmpty || rest.first?.isWhitespace == true
        else { return nil }
        if !line.hasPrefix("--") {
            mistakes.append(text.mistake("MisplacedDirective", line: index, "-- \(mark) has to stand at the beginning of its line"))
        }
        if rest.contains(mark) {
            mistakes.append(text.mistake("MisplacedDirective", line: index, "two \(mark) in one line; give each a line of its own"))
        }
        return rest.words.joined(separator: " ")
    }

    mutating func begin(_ direction: Direction, _ index: Int) {
        if let openStatement { refuseOpen(openStatement) }
        openStatement = nil
        if direction == .down, !begun.contains(.up) {
            mistakes.append(text.mistake("DownBeforeUp", line: index, "-- \(mark) Up comes first; move the up part to the front"))
        }
        if !begun.insert(direction).inserted {
            mistakes.append(
                text.mistake(
                    "Several\(direction == .up ? "Up" : "Down")Sections", line: index,
                    "a second -- \(mark) \(direction == .up ? "Up" : "Down"); join the two parts"))
        }
        current = direction
    }

    mutating func beginStatement(_ index: Int) {
        if openStatement != nil {
            mistakes.append(text.mistake("MisplacedDirective", line: index, "a second StatementBegin before StatementEnd"))
        }
        openStatement = index
    }

    mutating func endStatement(_ index: Int) {
        if openStatement == nil { mistakes.append(text.mistake("MisplacedDirective", line: index, "StatementEnd without StatementBegin")) }
        openStatement = nil
        closedStatements.insert(index)
    }

    mutating func refuseUnknown(_ annotation: String, _ index: Int) {
        mistakes.append(text.mistake("UnknownDirective", line: index, "-- \(mark) \(annotation) is no directive of this format"))
    }

    mutating func take(_ line: String, _ index: Int) {
        sections.directions[index] = current
        if current == nil, !line.isBlankOrComment, !mistakes[earlier...].contains(where: { $0.reason == "StatementBeforeUp" }) {
            mistakes.append(text.mistake("StatementBeforeUp", line: index, "only comments may stand above -- \(mark) Up; move it below"))
        }
        guard substitutes, let place = line.substitution(opening: "${") else { return }
        mistakes.append(
            text.mistake(
                "SubstitutionNotSupported", line: index, column: place.column,
                "${\(place.name)} would be taken from the environment, which is not supported; write the value, or -- +goose ENVSUB OFF"))
    }

    private mutating func refuseOpen(_ index: Int) {
        mistakes.append(text.mistake("MisplacedDirective", line: index, "StatementBegin without StatementEnd"))
    }

    /// Hands over what was found.
    mutating func finish(_ found: inout [Mistake]) -> (up: ScriptDraft?, down: ScriptDraft?) {
        if let openStatement { refuseOpen(openStatement) }
        if !begun.contains(.up) { mistakes.append(text.mistake("MissingUp", "no line is -- \(mark) Up")) }
        for direction in begun { refuseTail(direction) }
        found = mistakes
        guard begun.contains(.up) else { return (nil, nil) }
        return (
            sections.script(.up) ?? ScriptDraft(path: text.path, text: "", firstLine: 1, isTransactional: nil), sections.script(.down)
        )
    }

    /// Both tools refuse a last statement without its semicolon, unless `StatementEnd` follows it.
    private mutating func refuseTail(_ direction: Direction) {
        guard
            let last = sections.directions.indices.last(where: { sections.directions[$0] == direction && !text.lines[$0].isBlankOrComment }
            ),
            !closedStatements.contains(where: { $0 > last && !hasText(between: last, and: $0) })
        else { return }
        let script = sections.script(direction)?.text ?? ""
        let significant = SignificantSQL(script)
        guard !significant.isEmpty, !significant.endsWithSemicolon else { return }
        mistakes.append(
            text.mistake("UnfinishedStatement", line: last, "the last statement has no semicolon, or the file was cut off; end it with one")
        )
    }

    private func hasText(between first: Int, and second: Int) -> Bool {
        second > first + 1 && text.lines[(first + 1)..<second].contains { !$0.isBlankOrComment && annotationFree($0) }
    }

    private func annotationFree(_ line: String) -> Bool { line.trimmed.after("--") == nil }
}

extension String {
    /// The first `${NAME}` or `{{…` and where it begins, counted from 1.
    func substitution(opening: String) -> (name: String, column: Int)? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(opening) {
                let rest = self[self.index(index, offsetBy: opening.count)...]
                let name = rest.prefix { $0 != "}" }
                return (name.trimmed, distance(from: startIndex, to: index) + 1)
            }
            index = self.index(after: index)
        }
        return nil
    }
}
